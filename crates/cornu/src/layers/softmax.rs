//! Softmax as a layer.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// `eˣ / Σ eˣ` along an axis, the last by default.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Softmax::new().input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[1.0f32, 1.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.5, 0.5]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    #[serde(skip)]
    base: Base,
    #[serde(default = "last")]
    axis: isize,
}

fn last() -> isize {
    -1
}

impl Default for Softmax {
    fn default() -> Self {
        Self { base: Base::default(), axis: last() }
    }
}

impl Softmax {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis; −1 counts from the end.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

options!(Softmax);

impl Layer for Softmax {
    builtin!(Softmax);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let rank = input.rank() as isize;
        if (-rank..rank).contains(&self.axis) {
            return Ok(());
        }
        Err(Error::shape(format!(
            "axis {} is out of range for the input {input}.",
            self.axis
        )))
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.softmax(self.axis)
    }
}
