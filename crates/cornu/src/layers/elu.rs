//! The exponential linear unit.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// `x` where positive, else `alpha · (eˣ − 1)`; `alpha` is 1 by default (Clevert and others, 2016).
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(ELU::new().alpha(0.5).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[2.0f32, 0.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [2.0, 0.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ELU {
    #[serde(skip)]
    base: Base,
    #[serde(default = "one")]
    alpha: f64,
}

fn one() -> f64 {
    1.0
}

impl Default for ELU {
    fn default() -> Self {
        Self {
            base: Base::default(),
            alpha: one(),
        }
    }
}

impl ELU {
    /// The layer, with `alpha` 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// The limit of the negative side.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }
}

options!(ELU);

impl Layer for ELU {
    builtin!(ELU, masks pass);

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.gt(0.0).select(x, x.minimum(0.0).expm1() * self.alpha)
    }
}
