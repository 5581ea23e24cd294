//! Lamb.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving, one_minus_power};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adam with steps as long, in proportion to each variable's norm: for very large batches. Default
/// learning rate 0.001.
///
/// * `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`
/// * `u = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)`
/// * `w ← w − lr·u·‖w‖/‖u‖`, without the ratio where either norm is 0
///
/// You and others, *Large batch optimization for deep learning: training BERT in 76 minutes* (2019).
///
/// ```
/// use cornu::optimizers::{Lamb, Optimizer};
/// let lamb = Optimizer::from(Lamb::new().learning_rate(0.01));
/// assert_eq!(lamb.to_config()["beta_2"], 0.999);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lamb {
    #[serde(skip)]
    common: Common,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Default for Lamb {
    fn default() -> Self {
        Lamb {
            common: Common::new(0.001),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

common_options!(Lamb);

setters!(Lamb {
    /// The share of the old average of the gradient in the new (default 0.9).
    beta_1: f64,
    /// The share of the old average of the square in the new (default 0.999).
    beta_2: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
});

impl Rule for Lamb {
    fn class_name(&self) -> &'static str {
        "Lamb"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![
            Slot::zeros("momentum", variable),
            Slot::zeros("velocity", variable),
        ]
    }

    fn prepare(&self, _: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
        Prepared {
            scalars: vec![
                one_minus_power(self.beta_1, t).reciprocal(),
                one_minus_power(self.beta_2, t).reciprocal(),
            ],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let m = moving(&slots[0], g, self.beta_1);
        let v = moving(&slots[1], &g.square(), self.beta_2);
        let divisor = (&v * &step.scalars[1]).sqrt() + self.epsilon;
        let update = &m * &step.scalars[0] / divisor;
        let norm = |x: &Tensor| x.square().sum().sqrt();
        let (of_w, of_update) = (norm(w), norm(&update));
        let both = of_w.gt(0.0).logical_and(of_update.gt(0.0));
        let ratio = both.select(of_w / of_update, 1.0);
        (w - update * (ratio * &step.lr), vec![m, v])
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
