//! Decay along a power of the remaining time.

use super::{Schedule, named, positive_steps, whole};
use crate::optimizers::common::own_config;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `(initial − end) · (1 − step / decay_steps)^power + end`, and `end` after `decay_steps`.
///
/// With `cycle`, `decay_steps` is instead its first multiple that is not below `step`, so that the
/// rate rises again.
///
/// ```
/// use cornu::optimizers::schedules::{PolynomialDecay, Schedule};
/// let rate = PolynomialDecay::new(1.0, 10).end_learning_rate(0.0).power(2.0);
/// assert_eq!((rate.value(5), rate.value(20)), (0.25, 0.0));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolynomialDecay {
    initial_learning_rate: f64,
    #[serde(serialize_with = "whole")]
    decay_steps: f64,
    #[serde(default = "default_end")]
    end_learning_rate: f64,
    #[serde(default = "default_power")]
    power: f64,
    #[serde(default)]
    cycle: bool,
    #[serde(default = "default_name")]
    name: String,
}

fn default_end() -> f64 {
    0.0001
}

fn default_power() -> f64 {
    1.0
}

fn default_name() -> String {
    "PolynomialDecay".to_owned()
}

named!(PolynomialDecay);

impl PolynomialDecay {
    /// From `initial` to 0.0001 in `decay_steps` steps, on a straight line.
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        PolynomialDecay {
            initial_learning_rate: initial,
            decay_steps: decay_steps as f64,
            end_learning_rate: default_end(),
            power: default_power(),
            cycle: false,
            name: default_name(),
        }
    }

    /// The last learning rate (default 0.0001).
    pub fn end_learning_rate(mut self, rate: f64) -> Self {
        self.end_learning_rate = rate;
        self
    }

    /// The power (default 1: a straight line).
    pub fn power(mut self, power: f64) -> Self {
        self.power = power;
        self
    }

    /// Whether to rise again after `decay_steps` (default no).
    pub fn cycle(mut self, yes: bool) -> Self {
        self.cycle = yes;
        self
    }
}

impl Schedule for PolynomialDecay {
    fn class_name(&self) -> &'static str {
        "PolynomialDecay"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let p = if self.cycle {
            let cycles = (step / self.decay_steps).ceil().maximum(1.0);
            step / (cycles * self.decay_steps)
        } else {
            step.minimum(self.decay_steps) / self.decay_steps
        };
        let (initial, end) = (self.initial_learning_rate, self.end_learning_rate);
        (1.0 - p).pow(self.power) * (initial - end) + end
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        positive_steps("decay_steps", self.decay_steps)
    }
}
