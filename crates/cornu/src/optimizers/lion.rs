//! Lion.

use super::common::{common_options, fraction, own_config, setters};
use super::rule::rounded;
use super::{Common, Rule, Slot, Step};
use crate::{Error, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Steps of the same size in every direction: only the sign of a blend of the gradient and its average
/// counts. Default learning rate 0.001; it likes a third to a tenth of Adam's.
///
/// * `w ← w − lr·sign(β₁·m + (1 − β₁)·g)`
/// * `m ← β₂·m + (1 − β₂)·g`
///
/// Chen and others, *Symbolic discovery of optimization algorithms* (2023).
///
/// ```
/// use cornu::optimizers::{Lion, Optimizer};
/// let lion = Optimizer::from(Lion::new().learning_rate(1e-4).weight_decay(0.1));
/// assert_eq!(lion.to_config()["beta_2"], 0.99);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lion {
    #[serde(skip)]
    common: Common,
    beta_1: f64,
    beta_2: f64,
}

impl Default for Lion {
    fn default() -> Self {
        Lion {
            common: Common::new(0.001),
            beta_1: 0.9,
            beta_2: 0.99,
        }
    }
}

common_options!(Lion);

setters!(Lion {
    /// The share of the average in the blend (default 0.9).
    beta_1: f64,
    /// The share of the old average in the new (default 0.99).
    beta_2: f64,
});

impl Rule for Lion {
    fn class_name(&self) -> &'static str {
        "Lion"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![Slot::zeros("momentum", variable)]
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        // Both blends are m + (g − m)·(1 − β): sharing the difference makes them one kernel.
        let (m, difference) = (&slots[0], g - &slots[0]);
        let blend = |beta: f64| m + &difference * (1.0 - rounded(beta));
        let w = w - blend(self.beta_1).sign() * &step.lr;
        (w, vec![blend(self.beta_2)])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        // At 0 it would be the sign of the gradient alone.
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            return Err(Error::new(format!(
                "beta_1 must be in the range (0, 1]. Received: {}.",
                self.beta_1
            )));
        }
        fraction("beta_2", self.beta_2)
    }
}
