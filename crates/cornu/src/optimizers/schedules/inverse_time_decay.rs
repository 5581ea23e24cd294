//! Decay with the inverse of time.

use super::{Schedule, named, positive_steps, whole};
use crate::optimizers::common::own_config;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `initial / (1 + decay_rate · step / decay_steps)`.
///
/// ```
/// use cornu::optimizers::schedules::{InverseTimeDecay, Schedule};
/// let rate = InverseTimeDecay::new(0.1, 10, 1.0);
/// assert_eq!(rate.value(10), f64::from(0.05f32));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InverseTimeDecay {
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
    "InverseTimeDecay".to_owned()
}

named!(InverseTimeDecay);

impl InverseTimeDecay {
    /// From `initial`, divided by a number that grows by `decay_rate` in `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64, decay_rate: f64) -> Self {
        InverseTimeDecay {
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

impl Schedule for InverseTimeDecay {
    fn class_name(&self) -> &'static str {
        "InverseTimeDecay"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let mut p = step / self.decay_steps;
        if self.staircase {
            p = p.floor();
        }
        self.initial_learning_rate / (p * self.decay_rate + 1.0)
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        positive_steps("decay_steps", self.decay_steps)
    }
}
