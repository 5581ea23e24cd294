//! The leaky rectifier.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// `x` where positive, else `negative_slope · x`; the slope is 0.3 by default.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(LeakyReLU::new().negative_slope(0.5).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[-1.0f32, 2.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [-0.5, 2.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakyReLU {
    #[serde(skip)]
    base: Base,
    #[serde(default = "slope")]
    negative_slope: f64,
}

fn slope() -> f64 {
    0.3
}

impl Default for LeakyReLU {
    fn default() -> Self {
        Self {
            base: Base::default(),
            negative_slope: slope(),
        }
    }
}

impl LeakyReLU {
    /// The layer, with slope 0.3.
    pub fn new() -> Self {
        Self::default()
    }

    /// The slope of the negative side, 0 or more.
    pub fn negative_slope(mut self, slope: f64) -> Self {
        self.negative_slope = slope;
        self
    }
}

options!(LeakyReLU);

impl Layer for LeakyReLU {
    builtin!(LeakyReLU, masks pass);

    fn build(&self, _: &mut Build<'_>, _: &InputShape) -> Result<()> {
        if self.negative_slope >= 0.0 {
            return Ok(());
        }
        Err(Error::new(format!(
            "negative_slope must be 0 or more. Received: negative_slope={}.",
            self.negative_slope
        )))
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.ge(0.0).select(x, x * self.negative_slope)
    }
}
