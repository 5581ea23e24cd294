//! Numbers for what is none.

use super::base::{Base, builtin, options};
use super::{Call, Layer};
use crate::{DType, Tensor};
use cornu_core::{bf16, f16};
use serde::{Deserialize, Serialize};

/// Another number where the input is NaN, 0 by default; the largest and the smallest number where it is infinite,
/// unless others are given. All else passes.
///
/// It is Keras' operation `keras.ops.nan_to_num` on the tensors of a functional model; a `Sequential` of Keras takes
/// no operations. Behind a [`Normalization`](super::Normalization) it takes missing values for the mean.
///
/// ```
/// use cornu::prelude::*;
/// let data = Array::from([[1.0f32, 10.0], [f32::NAN, 30.0], [3.0, f32::NAN]]);
/// let x = Input::new([2]).symbol();
/// let scaled = Normalization::new().adapt(&data)?.on(&x);
/// let model = Model::new(&x, NanToNum::new().on(scaled))?;
/// assert_eq!(model.predict(&data)?.to_vec::<f32>(), [-1.0, -1.0, 0.0, 1.0, 1.0, 0.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NanToNum {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    nan: f64,
    #[serde(default)]
    posinf: Option<f64>,
    #[serde(default)]
    neginf: Option<f64>,
}

impl NanToNum {
    /// The layer with 0 for NaN.
    pub fn new() -> Self {
        Self::default()
    }

    /// What NaN becomes.
    pub fn nan(mut self, nan: f64) -> Self {
        self.nan = nan;
        self
    }

    /// What positive infinity becomes; the largest number by default.
    pub fn posinf(mut self, posinf: f64) -> Self {
        self.posinf = Some(posinf);
        self
    }

    /// What negative infinity becomes; the smallest number by default.
    pub fn neginf(mut self, neginf: f64) -> Self {
        self.neginf = Some(neginf);
        self
    }
}

options!(NanToNum);

/// The largest number of a type.
fn largest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MAX,
        DType::F16 => f16::MAX.to_f64(),
        DType::BF16 => bf16::MAX.to_f64(),
        _ => f64::from(f32::MAX),
    }
}

impl Layer for NanToNum {
    builtin!(NanToNum, masks pass);

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !x.dtype().is_float() {
            return x.clone();
        }
        let most = largest(x.dtype());
        let y = x.is_nan().select(self.nan, x);
        let y = x.gt(most).select(self.posinf.unwrap_or(most), y);
        x.lt(-most).select(self.neginf.unwrap_or(-most), y)
    }
}
