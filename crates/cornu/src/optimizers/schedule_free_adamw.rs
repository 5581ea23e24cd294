//! Schedule-free AdamW.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving, one_minus_power, rounded};
use super::{Common, Rule, Slot, Step};
use crate::{Error, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// AdamW that needs no schedule of the learning rate: weights average what the optimizer finds.
/// Default learning rate 0.0025.
///
/// Kept are the point `z` (the slot `momentum`) and `v`; the weights are `y = (1 − β₁)·z + β₁·x`, from
/// which the average `x` follows. With `lr` rising over the warm-up:
///
/// * `v ← β₂·v + (1 − β₂)·g²`, `z' = z − lr·g/(√(v/(1 − β₂ᵗ)) + ε)`
/// * `x' = (1 − 1/t)·x + z'/t`, `w ← (1 − β₁)·z' + β₁·x'`
///
/// Defazio and others, *The road less scheduled* (2024).
///
/// ```
/// use cornu::optimizers::{Optimizer, ScheduleFreeAdamW};
/// let free = Optimizer::from(ScheduleFreeAdamW::new().warmup_steps(100));
/// assert_eq!(free.to_config()["warmup_steps"], 100);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleFreeAdamW {
    #[serde(skip)]
    common: Common,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    warmup_steps: u32,
}

impl Default for ScheduleFreeAdamW {
    fn default() -> Self {
        ScheduleFreeAdamW {
            common: Common::new(0.0025),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            warmup_steps: 0,
        }
    }
}

common_options!(ScheduleFreeAdamW);

setters!(ScheduleFreeAdamW {
    /// The share of the average in the weights (default 0.9).
    beta_1: f64,
    /// The share of the old average of the square in the new (default 0.999).
    beta_2: f64,
    /// Keeps the divisor away from 0 (default 1e-8).
    epsilon: f64,
    /// The learning rate rises from 0 over so many steps (default 0).
    warmup_steps: u32,
});

impl Rule for ScheduleFreeAdamW {
    fn class_name(&self) -> &'static str {
        "ScheduleFreeAdamW"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![
            Slot::new("momentum", variable.value()),
            Slot::zeros("velocity", variable),
        ]
    }

    fn prepare(&self, lr: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
        let lr = match self.warmup_steps {
            0 => lr.clone(),
            steps => lr * (t / f64::from(steps)).minimum(1.0),
        };
        Prepared {
            scalars: vec![
                lr,
                one_minus_power(self.beta_2, t).reciprocal(),
                t.reciprocal(),
            ],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let [lr, correction, weight] = &step.scalars[..] else {
            unreachable!("prepare() makes three scalars")
        };
        let v = moving(&slots[1], &g.square(), rounded(self.beta_2));
        let beta = rounded(self.beta_1);
        let divisor = (&v * correction).sqrt() + self.epsilon;
        let z = &slots[0] - g * lr / divisor;
        let average = (w - &slots[0] * (1.0 - beta)) * (1.0 / beta);
        let average = average * (1.0 - weight) + &z * weight;
        let w = &z * (1.0 - beta) + average * beta;
        (w, vec![z, v])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        // The average is found by dividing by it.
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            return Err(Error::new(format!(
                "beta_1 must be in the range (0, 1]. Received: {}.",
                self.beta_1
            )));
        }
        fraction("beta_2", self.beta_2)?;
        at_least_zero("epsilon", self.epsilon)
    }
}
