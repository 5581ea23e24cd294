//! Decay along a cosine, again and again.

use super::{Schedule, named, positive_steps, whole};
use crate::optimizers::common::own_config;
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::f64::consts::PI;

/// Cosine decay that starts anew: the first period lasts `first_decay_steps`, each later one `t_mul`
/// times the one before, and starts from `m_mul` times its rate.
///
/// In period `i`, at the fraction `f` of it: `initial · ((1 − α)·½·m_mulⁱ·(1 + cos(π·f)) + α)`.
///
/// Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts* (2016).
///
/// ```
/// use cornu::optimizers::schedules::{CosineDecayRestarts, Schedule};
/// let rate = CosineDecayRestarts::new(1.0, 100).m_mul(0.5);
/// assert_eq!((rate.value(0), rate.value(100), rate.value(300)), (1.0, 0.5, 0.25));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CosineDecayRestarts {
    initial_learning_rate: f64,
    #[serde(serialize_with = "whole")]
    first_decay_steps: f64,
    #[serde(default = "default_t_mul")]
    t_mul: f64,
    #[serde(default = "default_m_mul")]
    m_mul: f64,
    #[serde(default)]
    alpha: f64,
    #[serde(default = "default_name")]
    name: String,
}

fn default_t_mul() -> f64 {
    2.0
}

fn default_m_mul() -> f64 {
    1.0
}

fn default_name() -> String {
    "SGDRDecay".to_owned()
}

named!(CosineDecayRestarts);

impl CosineDecayRestarts {
    /// From `initial` to 0 in `first_decay_steps` steps, then again in twice as many, and so on.
    pub fn new(initial: f64, first_decay_steps: u64) -> Self {
        CosineDecayRestarts {
            initial_learning_rate: initial,
            first_decay_steps: first_decay_steps as f64,
            t_mul: default_t_mul(),
            m_mul: default_m_mul(),
            alpha: 0.0,
            name: default_name(),
        }
    }

    /// How many times longer each period is than the one before (default 2).
    pub fn t_mul(mut self, factor: f64) -> Self {
        self.t_mul = factor;
        self
    }

    /// The first rate of each period as a multiple of that of the one before (default 1).
    pub fn m_mul(mut self, factor: f64) -> Self {
        self.m_mul = factor;
        self
    }

    /// The lowest learning rate as a share of the first (default 0).
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }
}

impl Schedule for CosineDecayRestarts {
    fn class_name(&self) -> &'static str {
        "CosineDecayRestarts"
    }

    fn at(&self, step: &Tensor) -> Tensor {
        let constant = |v: f64| Tensor::full([], v, DType::F32);
        let done = step / self.first_decay_steps;
        let (period, fraction) = if self.t_mul == 1.0 {
            let period = done.floor();
            let fraction = done - &period;
            (period, fraction)
        } else {
            let t_mul = constant(self.t_mul);
            let period = ((1.0 - &done * (1.0 - &t_mul)).log() / t_mul.log()).floor();
            let length = t_mul.pow(&period);
            let before = (1.0 - &length) / (1.0 - &t_mul);
            (period, (done - before) / length)
        };
        let cosine = constant(self.m_mul).pow(period) * 0.5 * ((fraction * PI).cos() + 1.0);
        (cosine * (1.0 - self.alpha) + self.alpha) * self.initial_learning_rate
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        if !(self.t_mul >= 1.0 && self.t_mul.is_finite()) {
            return Err(Error::new(format!(
                "t_mul must be a number >= 1. Received: {}.",
                self.t_mul
            )));
        }
        positive_steps("first_decay_steps", self.first_decay_steps)
    }
}
