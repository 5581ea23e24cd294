//! A linear change of scale.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// `x · scale + offset`, in training and afterwards alike.
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
    scale: f64,
    #[serde(default)]
    offset: f64,
}

impl Rescaling {
    /// The layer that multiplies by `scale`.
    pub fn new(scale: f64) -> Self {
        Self { base: Base::default(), scale, offset: 0.0 }
    }

    /// What is added afterwards; 0 by default.
    pub fn offset(mut self, offset: f64) -> Self {
        self.offset = offset;
        self
    }
}

options!(Rescaling);

impl Layer for Rescaling {
    builtin!(Rescaling);

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x * self.scale + self.offset
    }
}
