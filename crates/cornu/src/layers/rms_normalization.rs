//! Normalisation by the root of the mean square.

use super::base::{Base, builtin, options};
use super::normalizing::Normalized;
use super::{Build, Call, InputShape, Layer};
use crate::{Axes, DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Divides by the root of the mean square over `axis`, then scales (Zhang and Sennrich, 2019).
///
/// * Output: the shape of the input.
/// * Weights: `scale`, of the extents of the axes normalised; ones at first.
/// * Defaults: `axis` -1, `epsilon` 1e-6, added to the mean square.
///
/// Sixteen-bit inputs are normalised in `f32`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RMSNormalization::new().epsilon(0.0).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[1.0f32, 7.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.2, 1.4]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RMSNormalization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    axis: Normalized,
    #[serde(default = "epsilon")]
    epsilon: f64,
}

fn epsilon() -> f64 {
    1e-6
}

impl Default for RMSNormalization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: Normalized::default(),
            epsilon: epsilon(),
        }
    }
}

impl RMSNormalization {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis, or several that are normalised together; negative ones count from the end.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into().into();
        self
    }

    /// Added to the mean square; 1e-6 by default.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

options!(RMSNormalization);

impl Layer for RMSNormalization {
    builtin!(RMSNormalization);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let extents = self.axis.extents(input)?;
        cx.weight("scale", extents).initializer("ones").add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let dtype = x.dtype().promote(DType::F32);
        let (axes, shape) = match self.axis.of(x.shape()) {
            Ok(found) => found,
            Err(e) => return Tensor::error(e),
        };
        // The scale is rounded to the layer's type, as Keras does.
        let scale = cx.weight("scale").cast(dtype).reshape(shape);
        let x = x.cast(dtype);
        let inv = (x.square().mean_axes(&axes, true) + self.epsilon).rsqrt();
        (x * inv * scale).cast(cx.dtype())
    }
}
