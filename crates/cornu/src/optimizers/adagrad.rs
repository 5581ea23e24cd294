//! Adagrad.

use super::common::{at_least_zero, common_options, own_config, setters};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Divides the gradient by the root of the sum of all its squares. Default learning rate 0.001.
///
/// * `a ← a + g²`
/// * `w ← w − lr·g/√(a + ε)`
///
/// Duchi, Hazan and Singer, *Adaptive subgradient methods for online learning and stochastic
/// optimization* (2011).
///
/// ```
/// use cornu::optimizers::{Adagrad, Optimizer};
/// let adagrad = Optimizer::from(Adagrad::new().learning_rate(0.05));
/// assert_eq!(adagrad.to_config()["initial_accumulator_value"], 0.1);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adagrad {
    #[serde(skip)]
    common: Common,
    initial_accumulator_value: f64,
    epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Self {
        Adagrad {
            common: Common::new(0.001),
            initial_accumulator_value: 0.1,
            epsilon: 1e-7,
        }
    }
}

common_options!(Adagrad);

setters!(Adagrad {
    /// What the sum of squares starts from (default 0.1).
    initial_accumulator_value: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
});

impl Rule for Adagrad {
    fn class_name(&self) -> &'static str {
        "Adagrad"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        let start = self.initial_accumulator_value;
        vec![Slot::full("accumulator", variable, start)]
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let sum = &slots[0] + g.square();
        let w = w - g * &step.lr * (&sum + self.epsilon).rsqrt();
        (w, vec![sum])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        at_least_zero("initial_accumulator_value", self.initial_accumulator_value)?;
        at_least_zero("epsilon", self.epsilon)
    }
}
