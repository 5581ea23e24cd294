//! Nadam.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving, one_minus_power, rounded};
use super::{Common, Rule, Slot, Step};
use crate::{DType, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adam with Nesterov's momentum. Default learning rate 0.001.
///
/// With `uₜ = β₁·(1 − ½·0.96ᵗ)` and `U` the product of all `u` so far:
///
/// * `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`
/// * `m̂ = uₜ₊₁·m/(1 − U·uₜ₊₁) + (1 − uₜ)·g/(1 − U)`, `v̂ = v/(1 − β₂ᵗ)`
/// * `w ← w − lr·m̂/(√v̂ + ε)`
///
/// Dozat, *Incorporating Nesterov momentum into Adam* (2016).
///
/// ```
/// use cornu::optimizers::{Nadam, Optimizer};
/// let nadam = Optimizer::from(Nadam::new().learning_rate(2e-3));
/// assert_eq!(nadam.to_config()["beta_1"], 0.9);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nadam {
    #[serde(skip)]
    common: Common,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Default for Nadam {
    fn default() -> Self {
        Nadam {
            common: Common::new(0.001),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        }
    }
}

common_options!(Nadam);

setters!(Nadam {
    /// The share of the old average of the gradient in the new (default 0.9).
    beta_1: f64,
    /// The share of the old average of the square in the new (default 0.999).
    beta_2: f64,
    /// Keeps the divisor away from 0 (default 1e-7).
    epsilon: f64,
});

impl Rule for Nadam {
    fn class_name(&self) -> &'static str {
        "Nadam"
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

    fn globals(&self) -> Vec<(&'static str, f64)> {
        vec![("u_product", 1.0)]
    }

    fn prepare(&self, lr: &Tensor, t: &Tensor, globals: &[Tensor]) -> Prepared {
        let u = |t: &Tensor| {
            let decay = Tensor::full([], 0.96, DType::F32).pow(t);
            (1.0 - decay * 0.5) * self.beta_1
        };
        let (now, next) = (u(t), u(&(t + 1.0)));
        let product = &globals[0] * &now;
        Prepared {
            scalars: vec![
                lr * &next / (1.0 - &product * &next),
                lr * (1.0 - now) / (1.0 - &product),
                one_minus_power(self.beta_2, t).reciprocal(),
            ],
            globals: vec![product],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let m = moving(&slots[0], g, rounded(self.beta_1));
        let v = moving(&slots[1], &g.square(), rounded(self.beta_2));
        let [of_m, of_g, of_v] = &step.scalars[..] else {
            unreachable!("prepare() makes three scalars")
        };
        let w = w - (&m * of_m + g * of_g) / ((&v * of_v).sqrt() + self.epsilon);
        (w, vec![m, v])
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
