//! Normalisation over the features.

use super::affine::{Affine, affine_options};
use super::base::{Base, builtin, options};
use super::normalizing::{Normalized, moments, normalize};
use super::{Build, Call, InputShape, Layer};
use crate::{Axes, DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Brings each sample, or each of its rows, to mean 0 and variance 1 over `axis`, then scales and
/// shifts it (Ba, Kiros and Hinton, 2016).
///
/// * Output: the shape of the input. The mask passes.
/// * Weights: `gamma` and `beta`, of the extents of the axes normalised.
/// * Defaults: `axis` -1, `epsilon` 0.001.
///
/// The variance is the biased one. Sixteen-bit inputs are normalised in `f32`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(LayerNormalization::new().epsilon(0.0).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[3.0f32, 5.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerNormalization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    axis: Normalized,
    #[serde(default = "epsilon")]
    epsilon: f64,
    #[serde(flatten)]
    affine: Affine,
    #[serde(default)]
    rms_scaling: bool,
}

fn epsilon() -> f64 {
    1e-3
}

impl Default for LayerNormalization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: Normalized::default(),
            epsilon: epsilon(),
            affine: Affine::default(),
            rms_scaling: false,
        }
    }
}

impl LayerNormalization {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis, or several that are normalised together; negative ones count from the end.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into().into();
        self
    }

    /// Added to the variance; 0.001 by default.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

options!(LayerNormalization);
affine_options!(LayerNormalization);

impl Layer for LayerNormalization {
    builtin!(LayerNormalization, masks pass);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.affine().build(cx, &self.axis.extents(input)?)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let dtype = x.dtype().promote(DType::F32);
        let (axes, shape) = match self.axis.of(x.shape()) {
            Ok(found) => found,
            Err(e) => return Tensor::error(e),
        };
        let x = x.cast(dtype);
        let (gamma, beta) = self.affine().weights(cx, &shape, dtype);
        let y = if self.rms_scaling {
            let (_, variance) = moments(&x, &axes);
            let y = x * (variance + self.epsilon).rsqrt();
            gamma.map_or(y.clone(), |gamma| y * gamma)
        } else {
            normalize(&x, &axes, gamma.as_ref(), beta.as_ref(), self.epsilon)
        };
        y.cast(cx.dtype())
    }
}

impl LayerNormalization {
    /// The weights that there are: `rms_scaling`, which Keras keeps for old files, always has a
    /// `gamma` and never a `beta`.
    fn affine(&self) -> Affine {
        let mut affine = self.affine.clone();
        affine.scale |= self.rms_scaling;
        affine.center &= !self.rms_scaling;
        affine
    }
}
