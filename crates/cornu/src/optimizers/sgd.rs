//! Stochastic gradient descent.

use super::common::{common_options, own_config, setters};
use super::{Common, Rule, Slot, Step};
use crate::{Error, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Gradient descent, with momentum if asked for. Default learning rate 0.01.
///
/// * without momentum: `w ← w − lr·g`
/// * with momentum `μ`: `m ← μ·m − lr·g`, `w ← w + m`
/// * Nesterov: `m ← μ·m − lr·g`, `w ← w + μ·m − lr·g`
///
/// Sutskever, Martens, Dahl and Hinton, *On the importance of initialization and momentum in deep
/// learning* (2013).
///
/// ```
/// use cornu::optimizers::{Optimizer, SGD};
/// let sgd = Optimizer::from(SGD::new().learning_rate(0.1).momentum(0.9).nesterov(true));
/// assert_eq!(sgd.to_config()["momentum"], 0.9);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SGD {
    #[serde(skip)]
    common: Common,
    momentum: f64,
    nesterov: bool,
}

impl Default for SGD {
    fn default() -> Self {
        SGD {
            common: Common::new(0.01),
            momentum: 0.0,
            nesterov: false,
        }
    }
}

common_options!(SGD);

setters!(SGD {
    /// How much of the last step goes into the next, from 0 (the default: none) to 1.
    momentum: f64,
    /// Whether to apply Nesterov's momentum: the step that would follow (default no).
    nesterov: bool,
});

impl Rule for SGD {
    fn class_name(&self) -> &'static str {
        "SGD"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        match self.momentum {
            0.0 => vec![],
            _ => vec![Slot::zeros("momentum", variable)],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let change = g * &step.lr;
        let Some(m) = slots.first() else {
            return (w - change, vec![]);
        };
        let m = m * self.momentum - &change;
        let w = match self.nesterov {
            true => w + (&m * self.momentum - change),
            false => w + &m,
        };
        (w, vec![m])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        if (0.0..=1.0).contains(&self.momentum) {
            return Ok(());
        }
        Err(Error::new(format!(
            "momentum must be in the range [0, 1]. Received: {}.",
            self.momentum
        )))
    }
}
