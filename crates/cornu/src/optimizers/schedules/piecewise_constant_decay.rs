//! Constant between given steps.

use super::{Schedule, named};
use crate::optimizers::common::own_config;
use crate::{Array, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `values[0]` up to and including the step `boundaries[0]`, then `values[1]` up to and including
/// `boundaries[1]`, …, then the last value.
///
/// ```
/// use cornu::optimizers::schedules::{PiecewiseConstantDecay, Schedule};
/// let rate = PiecewiseConstantDecay::new([100, 200], [1.0, 0.5, 0.25]);
/// assert_eq!((rate.value(100), rate.value(101), rate.value(201)), (1.0, 0.5, 0.25));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PiecewiseConstantDecay {
    boundaries: Vec<i64>,
    values: Vec<f64>,
    #[serde(default = "default_name")]
    name: String,
}

fn default_name() -> String {
    "PiecewiseConstant".to_owned()
}

named!(PiecewiseConstantDecay);

impl PiecewiseConstantDecay {
    /// From the last steps of all intervals but the last one, rising, and the values of all
    /// intervals.
    pub fn new(boundaries: impl Into<Vec<i64>>, values: impl Into<Vec<f64>>) -> Self {
        PiecewiseConstantDecay {
            boundaries: boundaries.into(),
            values: values.into(),
            name: default_name(),
        }
    }
}

impl Schedule for PiecewiseConstantDecay {
    fn class_name(&self) -> &'static str {
        "PiecewiseConstantDecay"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let last = self.values.last().copied().unwrap_or(f64::NAN);
        let mut rate = Tensor::constant(Array::scalar(last as f32));
        for (boundary, value) in self.boundaries.iter().zip(&self.values).rev() {
            rate = step.le(*boundary).select(*value, rate);
        }
        rate
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        if self.boundaries.len() + 1 != self.values.len() {
            return Err(Error::new(format!(
                "PiecewiseConstantDecay needs one boundary fewer than values. Received: {} boundaries \
                 and {} values.",
                self.boundaries.len(),
                self.values.len()
            )));
        }
        if self.boundaries.windows(2).any(|w| w[0] >= w[1]) {
            return Err(Error::new(format!(
                "The boundaries of PiecewiseConstantDecay must rise. Received: {:?}.",
                self.boundaries
            )));
        }
        Ok(())
    }
}
