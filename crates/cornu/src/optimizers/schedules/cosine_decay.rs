//! Decay along a cosine, after an optional warm-up.

use super::{Schedule, named, positive_steps, whole};
use crate::optimizers::common::{at_least_zero, own_config};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::f64::consts::PI;

/// `initial · ((1 − α)·½(1 + cos(π·step / decay_steps)) + α)`, constant after `decay_steps`.
///
/// With a [`warmup`](CosineDecay::warmup), the rate first rises in a straight line from `initial` to
/// the target and then decays from there.
///
/// Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2016).
///
/// ```
/// use cornu::optimizers::schedules::{CosineDecay, Schedule};
/// let rate = CosineDecay::new(0.0, 1000).warmup(1.0, 100);
/// assert_eq!((rate.value(50), rate.value(100), rate.value(1100)), (0.5, 1.0, 0.0));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecay {
    initial_learning_rate: f64,
    #[serde(serialize_with = "whole")]
    decay_steps: f64,
    #[serde(default)]
    alpha: f64,
    #[serde(default = "default_name")]
    name: String,
    #[serde(default)]
    warmup_target: Option<f64>,
    #[serde(default, serialize_with = "whole")]
    warmup_steps: f64,
}

fn default_name() -> String {
    "CosineDecay".to_owned()
}

named!(CosineDecay);

impl CosineDecay {
    /// From `initial` to 0 in `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        CosineDecay {
            initial_learning_rate: initial,
            decay_steps: decay_steps as f64,
            alpha: 0.0,
            name: default_name(),
            warmup_target: None,
            warmup_steps: 0.0,
        }
    }

    /// The last learning rate as a share of the first (default 0).
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Rises to `target` in `steps` steps before it decays.
    pub fn warmup(mut self, target: f64, steps: u64) -> Self {
        self.warmup_target = Some(target);
        self.warmup_steps = steps as f64;
        self
    }

    fn decayed(&self, step: &Tensor, from: f64) -> Tensor {
        let cosine = ((step / self.decay_steps * PI).cos() + 1.0) * 0.5;
        (cosine * (1.0 - self.alpha) + self.alpha) * from
    }
}

impl Schedule for CosineDecay {
    fn class_name(&self) -> &'static str {
        "CosineDecay"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let initial = self.initial_learning_rate;
        let Some(target) = self.warmup_target else {
            return self.decayed(&step.minimum(self.decay_steps), initial);
        };
        let step = step.minimum(self.decay_steps + self.warmup_steps);
        let decayed = self.decayed(&(&step - self.warmup_steps), target);
        if self.warmup_steps == 0.0 {
            return decayed;
        }
        let rising = &step / self.warmup_steps * (target - initial) + initial;
        step.lt(self.warmup_steps).select(rising, decayed)
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        at_least_zero("warmup_steps", self.warmup_steps)?;
        positive_steps("decay_steps", self.decay_steps)
    }
}
