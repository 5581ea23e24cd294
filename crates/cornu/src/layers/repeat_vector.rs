//! A vector repeated in time.

use super::base::{Base, builtin, options};
use super::spatial::check_reach;
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Repeats each sample `n` times: `(batch, features)` becomes `(batch, n, features)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RepeatVector::new(4).input_shape([3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 4, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatVector {
    #[serde(skip)]
    base: Base,
    n: usize,
}

impl RepeatVector {
    /// The layer that repeats `n` times.
    pub fn new(n: usize) -> Self {
        Self {
            base: Base::default(),
            n,
        }
    }
}

options!(RepeatVector);

impl Layer for RepeatVector {
    builtin!(RepeatVector);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if self.n == 0 {
            return Err(Error::new("n must be at least 1. Received: n=0."));
        }
        check_reach("n", &[self.n])?;
        if input.rank() == 2 {
            return Ok(());
        }
        Err(Error::shape(format!(
            "RepeatVector expects (batch, features). Received: input shape {input}."
        )))
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (batch, features) = (x.shape()[0], x.shape()[1]);
        x.expand_dims(1).broadcast_to([batch, self.n, features])
    }
}
