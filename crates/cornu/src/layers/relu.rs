//! The rectifier as a layer.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// The rectifier with its variants: `max_value` where `x ≥ max_value`, `x` from `threshold` on, and
/// `negative_slope · (x − threshold)` below.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(ReLU::new().max_value(6.0).input_shape([3]));
/// model.build()?;
/// let y = model.predict(&Array::from([[-1.0f32, 2.0, 9.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.0, 2.0, 6.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReLU {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    max_value: Option<f64>,
    #[serde(default)]
    negative_slope: f64,
    #[serde(default)]
    threshold: f64,
}

impl ReLU {
    /// The plain rectifier, `max(x, 0)`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The largest output; none by default.
    pub fn max_value(mut self, max_value: f64) -> Self {
        self.max_value = Some(max_value);
        self
    }

    /// The slope below the threshold; 0 by default.
    pub fn negative_slope(mut self, slope: f64) -> Self {
        self.negative_slope = slope;
        self
    }

    /// Where the output becomes the input; 0 by default.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

options!(ReLU);

impl Layer for ReLU {
    builtin!(ReLU, masks pass);

    fn build(&self, _: &mut Build<'_>, _: &InputShape) -> Result<()> {
        let settings = [
            ("max_value", self.max_value.unwrap_or(0.0)),
            ("negative_slope", self.negative_slope),
            ("threshold", self.threshold),
        ];
        match settings.into_iter().find(|(_, v)| v.is_nan() || *v < 0.0) {
            Some((name, v)) => Err(Error::new(format!(
                "{name} must be 0 or more. Received: {name}={v}."
            ))),
            None => Ok(()),
        }
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        if self.threshold == 0.0 && self.negative_slope == 0.0 {
            let y = x.relu();
            return self.max_value.map_or(y.clone(), |m| y.lt(m).select(&y, m));
        }
        let above = x.gt(self.threshold).select(x, 0.0);
        let above = self
            .max_value
            .map_or(above.clone(), |m| above.lt(m).select(&above, m));
        if self.negative_slope == 0.0 {
            return above;
        }
        above - (self.threshold - x).relu() * self.negative_slope
    }
}
