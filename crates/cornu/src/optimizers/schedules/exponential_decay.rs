//! Exponential decay.

use super::{Schedule, named, positive_steps, whole};
use crate::optimizers::common::own_config;
use crate::{DType, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `initial · decay_rate^(step / decay_steps)`.
///
/// ```
/// use cornu::optimizers::schedules::{ExponentialDecay, Schedule};
/// let rate = ExponentialDecay::new(0.1, 10, 0.5);
/// assert_eq!(rate.value(10), f64::from(0.05f32));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialDecay {
    initial_learning_rate: f64,
    #[serde(serialize_with = "whole")]
    decay_steps: f64,
    decay_rate: f64,
    #[serde(default)]
    staircase: bool,
    #[serde(default = "default_name")]
    name: String,
}

fn default_name() -> String {
    "ExponentialDecay".to_owned()
}

named!(ExponentialDecay);

impl ExponentialDecay {
    /// From `initial`, times `decay_rate` every `decay_steps` steps, smoothly.
    pub fn new(initial: f64, decay_steps: u64, decay_rate: f64) -> Self {
        ExponentialDecay {
            initial_learning_rate: initial,
            decay_steps: decay_steps as f64,
            decay_rate,
            staircase: false,
            name: default_name(),
        }
    }

    /// Whether to decay at once every `decay_steps` steps instead (default no).
    pub fn staircase(mut self, yes: bool) -> Self {
        self.staircase = yes;
        self
    }
}

impl Schedule for ExponentialDecay {
    fn class_name(&self) -> &'static str {
        "ExponentialDecay"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let mut p = step / self.decay_steps;
        if self.staircase {
            p = p.floor();
        }
        Tensor::full([], self.decay_rate, DType::F32).pow(p) * self.initial_learning_rate
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        positive_steps("decay_steps", self.decay_steps)
    }
}
