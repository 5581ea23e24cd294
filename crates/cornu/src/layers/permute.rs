//! The axes of samples in another order.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Puts the axes of every sample in another order; `dims` counts them from 1, the batch axis stays.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Permute::new([2, 1]).input_shape([3, 5]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 5, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permute {
    #[serde(skip)]
    base: Base,
    dims: Vec<usize>,
}

impl Permute {
    /// The layer; axis `i` of a sample's result is axis `dims[i]` of the sample, counted from 1.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Self {
            base: Base::default(),
            dims: dims.into(),
        }
    }
}

options!(Permute);

impl Layer for Permute {
    builtin!(Permute);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let mut sorted = self.dims.clone();
        sorted.sort_unstable();
        if sorted == (1..input.rank()).collect::<Vec<_>>() {
            return Ok(());
        }
        Err(Error::shape(format!(
            "dims must be an order of the axes 1 to {} of the input {input}. Received: dims={:?}.",
            input.rank().saturating_sub(1),
            self.dims
        )))
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        let order: Vec<usize> = std::iter::once(0)
            .chain(self.dims.iter().copied())
            .collect();
        x.transpose(&order)
    }
}
