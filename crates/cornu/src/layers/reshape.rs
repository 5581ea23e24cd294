//! Samples under another shape.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// Gives every sample another shape of the same size; one extent may be −1 and is worked out.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Reshape::new([-1, 2]).input_shape([6]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 3, 2)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reshape {
    #[serde(skip)]
    base: Base,
    target_shape: Vec<isize>,
}

impl Reshape {
    /// The layer, with the target shape of one sample.
    pub fn new(target_shape: impl Into<Vec<isize>>) -> Self {
        Self {
            base: Base::default(),
            target_shape: target_shape.into(),
        }
    }

    /// The shape of one sample of `size` elements.
    fn target(&self, size: usize, from: &dyn std::fmt::Display) -> Result<Shape> {
        let mismatch = || {
            Error::shape(format!(
                "Cannot reshape samples of shape {from} ({size} elements) to {:?}.",
                self.target_shape
            ))
        };
        let wild = self.target_shape.iter().filter(|d| **d == -1).count();
        if wild > 1 || self.target_shape.iter().any(|d| *d < -1) {
            return Err(Error::new(format!(
                "target_shape may have one -1 and otherwise positive extents. Received: {:?}.",
                self.target_shape
            )));
        }
        let mut known = self.target_shape.iter().filter(|d| **d >= 0);
        let known = known.try_fold(1usize, |n, d| n.checked_mul(usize::try_from(*d).ok()?));
        let known = known.ok_or_else(mismatch)?;
        let rest = match (wild, size.checked_rem(known)) {
            (0, _) if known == size => 1,
            (1, Some(0)) => size / known,
            _ => return Err(mismatch()),
        };
        Ok(self
            .target_shape
            .iter()
            .map(|d| usize::try_from(*d).unwrap_or(rest))
            .collect())
    }
}

options!(Reshape);

impl Layer for Reshape {
    builtin!(Reshape);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let sample = input.sample()?;
        self.target(sample.size(), &sample).map(|_| ())
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (batch, sample) = match x.shape().split_first() {
            Some((batch, sample)) => (*batch, Shape::from(sample)),
            None => (1, Shape::scalar()),
        };
        match self.target(sample.size(), &sample) {
            Ok(target) => x.reshape(
                std::iter::once(batch)
                    .chain(target.iter().copied())
                    .collect::<Shape>(),
            ),
            Err(e) => Tensor::error(e),
        }
    }
}
