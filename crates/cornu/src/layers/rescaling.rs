//! A linear change of scale.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// `x · scale + offset`, in training and afterwards alike; each is one number or one per feature.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Rescaling::new(1.0 / 255.0).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[0u8, 255]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.0, 1.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rescaling {
    #[serde(skip)]
    base: Base,
    scale: Factor,
    #[serde(default)]
    offset: Factor,
}

/// One number, or one for each feature.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Factor {
    /// The same everywhere.
    One(f64),
    /// One for each position of the last axis.
    Each(Vec<f64>),
}

impl Default for Factor {
    fn default() -> Self {
        Factor::One(0.0)
    }
}

impl From<f64> for Factor {
    fn from(v: f64) -> Self {
        Factor::One(v)
    }
}

impl From<Vec<f64>> for Factor {
    fn from(v: Vec<f64>) -> Self {
        Factor::Each(v)
    }
}

impl Factor {
    fn tensor(&self, like: &Tensor) -> Tensor {
        match self {
            Factor::One(v) => Tensor::full((), *v, like.dtype()),
            Factor::Each(v) => Tensor::constant(v.clone()).cast(like.dtype()),
        }
    }
}

impl Rescaling {
    /// The layer that multiplies by `scale`.
    pub fn new(scale: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            scale: scale.into(),
            offset: Factor::default(),
        }
    }

    /// What is added afterwards; 0 by default.
    pub fn offset(mut self, offset: impl Into<Factor>) -> Self {
        self.offset = offset.into();
        self
    }
}

options!(Rescaling);

impl Layer for Rescaling {
    builtin!(Rescaling, masks pass);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        for (name, factor) in [("scale", &self.scale), ("offset", &self.offset)] {
            let Factor::Each(values) = factor else {
                continue;
            };
            let features = input
                .0
                .last()
                .copied()
                .flatten()
                .filter(|_| input.rank() > 1);
            if values.len() != 1 && features.is_none_or(|n| n != values.len()) {
                return Err(Error::shape(format!(
                    "{name} needs one number, or one for each feature of the input {input}. \
                     Received: {} numbers.",
                    values.len()
                )));
            }
        }
        Ok(())
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x * self.scale.tensor(x) + self.offset.tensor(x)
    }
}
