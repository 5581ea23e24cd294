//! Adamax.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving, one_minus_power};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adam with the largest gradient of late instead of the root of the mean square. Default learning
/// rate 0.001.
///
/// * `m ← β₁·m + (1 − β₁)·g`, `u ← max(β₂·u, |g|)`
/// * `w ← w − lr/(1 − β₁ᵗ)·m/(u + ε)`
///
/// Kingma and Ba, *Adam: a method for stochastic optimization* (2014), section 7.
///
/// ```
/// use cornu::optimizers::{Adamax, Optimizer};
/// let adamax = Optimizer::from(Adamax::new().learning_rate(2e-3));
/// assert_eq!(adamax.to_config()["beta_2"], 0.999);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adamax {
    #[serde(skip)]
    common: Common,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Default for Adamax {
    fn default() -> Self {
        Adamax {
            common: Common::new(0.001),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

common_options!(Adamax);

setters!(Adamax {
    /// The share of the old average of the gradient in the new (default 0.9).
    beta_1: f64,
    /// The share that the largest gradient keeps at each step (default 0.999).
    beta_2: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
});

impl Rule for Adamax {
    fn class_name(&self) -> &'static str {
        "Adamax"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![
            Slot::zeros("momentum", variable),
            Slot::zeros("norm", variable),
        ]
    }

    fn prepare(&self, lr: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
        Prepared {
            scalars: vec![lr / one_minus_power(self.beta_1, t)],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let m = moving(&slots[0], g, self.beta_1);
        let u = (&slots[1] * self.beta_2).maximum(g.abs());
        let w = w - &m * &step.scalars[0] / (&u + self.epsilon);
        (w, vec![m, u])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        fraction("beta_1", self.beta_1)?;
        fraction("beta_2", self.beta_2)?;
        at_least_zero("epsilon", self.epsilon)
    }
}
