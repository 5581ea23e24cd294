//! Normalisation to length 1.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Axes, DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Divides by the L2 norm over an axis, the last by default, or over several; zeros stay zeros.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(UnitNormalization::new().input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[3.0f32, 4.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.6, 0.8]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitNormalization {
    #[serde(skip)]
    base: Base,
    #[serde(default = "last")]
    axis: Axes,
}

fn last() -> Axes {
    Axes::One(-1)
}

impl Default for UnitNormalization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: last(),
        }
    }
}

impl UnitNormalization {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis, or several that are normalised together; negative ones count from the end.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

options!(UnitNormalization);

impl Layer for UnitNormalization {
    builtin!(UnitNormalization, masks pass);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let shape = input.with(1);
        let mut axes = self.axis.as_slice().iter();
        axes.try_for_each(|axis| shape.axis(*axis).map(|_| ()))
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        // Keras' lower bound of the norm, 1e-12, squared; no gradient flows through the bound.
        const LEAST: f64 = 1e-24;
        let x = x.cast(x.dtype().promote(DType::F32));
        let squares = x.square().sum_axes(self.axis.as_slice(), true);
        (x * squares.maximum(LEAST).rsqrt()).cast(cx.dtype())
    }
}
