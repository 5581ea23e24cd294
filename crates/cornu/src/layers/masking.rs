//! A mask of the steps that hold something.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::Tensor;
use serde::{Deserialize, Serialize};

/// Makes a mask: a step of `(batch, steps, features)` all of whose features have `mask_value` does not
/// count, and becomes zero.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Masking::new().mask_value(-1.0).input_shape([3, 2]));
/// model.add(GlobalAveragePooling1D::new());
/// model.build()?;
/// let x = Array::from(vec![1.0f32, 2.0, -1.0, -1.0, 3.0, 4.0]).reshape([1, 3, 2])?;
/// assert_eq!(model.predict(&x)?.to_vec::<f32>(), [2.0, 3.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masking {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    mask_value: f64,
}

impl Masking {
    /// The layer that leaves out steps of zeros.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of steps to leave out; 0 by default.
    pub fn mask_value(mut self, value: f64) -> Self {
        self.mask_value = value;
        self
    }
}

options!(Masking);

impl Layer for Masking {
    builtin!(Masking, masks pass);

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let counts = x.ne(self.mask_value).any_axes_of(&[-1], true);
        cx.set_mask(Some(counts.squeeze(-1)));
        counts.select(x, 0.0)
    }
}
