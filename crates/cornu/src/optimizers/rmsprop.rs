//! RMSprop.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Divides the gradient by the root of a moving average of its square. Default learning rate 0.001.
///
/// * `v ← ρ·v + (1 − ρ)·g²`
/// * centered: `a ← ρ·a + (1 − ρ)·g` and `d = v − a² + ε`, else `d = v + ε`
/// * with momentum `μ`: `m ← μ·m + lr·g/√d`, `w ← w − m`; without: `w ← w − lr·g/√d`
///
/// Hinton, *Neural Networks for Machine Learning*, lecture 6e (2012).
///
/// ```
/// use cornu::optimizers::{Optimizer, RMSprop};
/// let rmsprop = Optimizer::from(RMSprop::new().learning_rate(1e-4).momentum(0.9));
/// assert_eq!(rmsprop.to_config()["rho"], 0.9);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RMSprop {
    #[serde(skip)]
    common: Common,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    centered: bool,
}

impl Default for RMSprop {
    fn default() -> Self {
        RMSprop {
            common: Common::new(0.001),
            rho: 0.9,
            momentum: 0.0,
            epsilon: 1e-7,
            centered: false,
        }
    }
}

common_options!(RMSprop);

setters!(RMSprop {
    /// The share of the old average in the new (default 0.9).
    rho: f64,
    /// How much of the last step goes into the next (default 0).
    momentum: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
    /// Whether to divide by an estimate of the variance instead of the mean square (default no).
    centered: bool,
});

impl Rule for RMSprop {
    fn class_name(&self) -> &'static str {
        "RMSprop"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        let mut slots = vec![Slot::zeros("velocity", variable)];
        if self.momentum > 0.0 {
            slots.push(Slot::zeros("momentum", variable).group(1));
        }
        if self.centered {
            slots.push(Slot::zeros("average_gradient", variable).group(2));
        }
        slots
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let blend = |x: &Tensor, new: &Tensor| x * self.rho + new * (1.0 - self.rho);
        let v = blend(&slots[0], &g.square());
        let a = self.centered.then(|| blend(&slots[slots.len() - 1], g));
        let divisor = match &a {
            Some(a) => &v - a.square(),
            None => v.clone(),
        };
        let change = g * &step.lr * (divisor + self.epsilon).rsqrt();
        let mut after = vec![v];
        let change = if self.momentum > 0.0 {
            let m = &slots[1] * self.momentum + change;
            after.push(m.clone());
            m
        } else {
            change
        };
        after.extend(a);
        (w - change, after)
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        fraction("rho", self.rho)?;
        at_least_zero("momentum", self.momentum)?;
        at_least_zero("epsilon", self.epsilon)
    }
}
