//! Adadelta.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Scales the gradient by what past steps and past gradients were. Default learning rate 0.001 (the
/// paper's is 1).
///
/// * `G ← ρ·G + (1 − ρ)·g²`
/// * `d = −√(D + ε)/√(G + ε)·g`, `D ← ρ·D + (1 − ρ)·d²`
/// * `w ← w + lr·d`
///
/// Zeiler, *ADADELTA: an adaptive learning rate method* (2012).
///
/// ```
/// use cornu::optimizers::{Adadelta, Optimizer};
/// let adadelta = Optimizer::from(Adadelta::new().learning_rate(1.0));
/// assert_eq!(adadelta.to_config()["rho"], 0.95);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adadelta {
    #[serde(skip)]
    common: Common,
    rho: f64,
    epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Self {
        Adadelta {
            common: Common::new(0.001),
            rho: 0.95,
            epsilon: 1e-7,
        }
    }
}

common_options!(Adadelta);

setters!(Adadelta {
    /// The share of the old averages in the new (default 0.95).
    rho: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
});

impl Rule for Adadelta {
    fn class_name(&self) -> &'static str {
        "Adadelta"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![
            Slot::zeros("accumulated_grad", variable),
            Slot::zeros("accumulated_delta_var", variable),
        ]
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let blend = |x: &Tensor, new: &Tensor| x * self.rho + new * (1.0 - self.rho);
        let squares = blend(&slots[0], &g.square());
        let ratio = (&slots[1] + self.epsilon) / (&squares + self.epsilon);
        let change = g * ratio.sqrt();
        let changes = blend(&slots[1], &change.square());
        (w - change * &step.lr, vec![squares, changes])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        fraction("rho", self.rho)?;
        at_least_zero("epsilon", self.epsilon)
    }
}
