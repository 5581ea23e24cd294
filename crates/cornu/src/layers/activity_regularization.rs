//! A penalty on what passes through.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// Adds `l1 · Σ|x| + l2 · Σx²`, divided by the batch size, to the loss; the input passes unchanged.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Dense::new(2).input_shape([3]));
/// model.add(ActivityRegularization::new().l2(0.01));
/// model.build()?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActivityRegularization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    l1: f64,
    #[serde(default)]
    l2: f64,
}

impl ActivityRegularization {
    /// The layer, with both factors 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// The factor of the sum of absolute values.
    pub fn l1(mut self, l1: f64) -> Self {
        self.l1 = l1;
        self
    }

    /// The factor of the sum of squares.
    pub fn l2(mut self, l2: f64) -> Self {
        self.l2 = l2;
        self
    }
}

options!(ActivityRegularization);

impl Layer for ActivityRegularization {
    builtin!(ActivityRegularization, masks pass);

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let batch = x.shape().first().copied().unwrap_or(1).max(1) as f64;
        let penalty = x.abs().sum() * self.l1 + x.square().sum() * self.l2;
        cx.add_loss(penalty / batch);
        x.clone()
    }
}
