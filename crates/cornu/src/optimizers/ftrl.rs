//! FTRL.

use super::common::{at_least_zero, common_options, own_config};
use super::rule::Prepared;
use super::{Common, Rule, Slot, Step};
use crate::{Error, Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// "Follow the regularised leader": for large, sparse linear models. Default learning rate 0.001.
///
/// With `p = −learning_rate_power`, `λ₁`, `λ₂`, `λₛ` the three strengths:
///
/// * `a' = a + g²`
/// * `l ← l + g + 2·λₛ·w − (a'ᵖ − aᵖ)/lr·w`
/// * `w ← (clip(l, −λ₁, λ₁) − l) / (a'ᵖ/lr + 2·λ₂ + β/lr)`, `a ← a'`
///
/// McMahan and others, *Ad click prediction: a view from the trenches* (2013).
///
/// ```
/// use cornu::optimizers::{Ftrl, Optimizer};
/// let ftrl = Optimizer::from(Ftrl::new().learning_rate(0.1).l1_regularization_strength(0.01));
/// assert_eq!(ftrl.to_config()["learning_rate_power"], -0.5);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ftrl {
    #[serde(skip)]
    common: Common,
    learning_rate_power: f64,
    initial_accumulator_value: f64,
    l1_regularization_strength: f64,
    l2_regularization_strength: f64,
    l2_shrinkage_regularization_strength: f64,
    beta: f64,
}

impl Default for Ftrl {
    fn default() -> Self {
        Ftrl {
            common: Common::new(0.001),
            learning_rate_power: -0.5,
            initial_accumulator_value: 0.1,
            l1_regularization_strength: 0.0,
            l2_regularization_strength: 0.0,
            l2_shrinkage_regularization_strength: 0.0,
            beta: 0.0,
        }
    }
}

common_options!(Ftrl);

impl Ftrl {
    /// How the rate falls with the sum of squares; 0 or less (default −0.5, 0: not at all).
    pub fn learning_rate_power(mut self, learning_rate_power: f64) -> Self {
        self.learning_rate_power = learning_rate_power;
        self
    }

    /// What the sum of squares starts from (default 0.1).
    pub fn initial_accumulator_value(mut self, initial_accumulator_value: f64) -> Self {
        self.initial_accumulator_value = initial_accumulator_value;
        self
    }

    /// The strength of the L1 penalty (default 0).
    pub fn l1_regularization_strength(mut self, l1_regularization_strength: f64) -> Self {
        self.l1_regularization_strength = l1_regularization_strength;
        self
    }

    /// The strength of the L2 penalty (default 0).
    pub fn l2_regularization_strength(mut self, l2_regularization_strength: f64) -> Self {
        self.l2_regularization_strength = l2_regularization_strength;
        self
    }

    /// The strength of an L2 penalty on the gradient only (default 0).
    pub fn l2_shrinkage_regularization_strength(
        mut self,
        l2_shrinkage_regularization_strength: f64,
    ) -> Self {
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength;
        self
    }

    /// The paper's `β` (default 0).
    pub fn beta(mut self, beta: f64) -> Self {
        self.beta = beta;
        self
    }
}

impl Rule for Ftrl {
    fn class_name(&self) -> &'static str {
        "Ftrl"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        vec![
            Slot::full("accumulator", variable, self.initial_accumulator_value),
            Slot::zeros("linear", variable),
        ]
    }

    fn prepare(&self, lr: &Tensor, _: &Tensor, _: &[Tensor]) -> Prepared {
        let per_rate = lr.reciprocal();
        let l2 = &per_rate * self.beta + 2.0 * self.l2_regularization_strength;
        Prepared {
            scalars: vec![per_rate, l2],
            globals: vec![],
        }
    }

    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
        let (per_rate, l2) = (&step.scalars[0], &step.scalars[1]);
        let power = |x: &Tensor| match self.learning_rate_power {
            -0.5 => x.sqrt(),
            p => x.pow(-p),
        };
        let sum = &slots[0] + g.square();
        let strength = power(&sum);
        let mut push = g - (&strength - power(&slots[0])) * per_rate * w;
        if self.l2_shrinkage_regularization_strength != 0.0 {
            push = push + w * (2.0 * self.l2_shrinkage_regularization_strength);
        }
        let linear = &slots[1] + push;
        let l1 = self.l1_regularization_strength;
        let pull = linear.clip(-l1, l1) - &linear;
        (pull / (strength * per_rate + l2), vec![sum, linear])
    }

    fn config(&self) -> Map<String, Value> {
        own_config(self)
    }

    fn check(&self) -> Result<()> {
        for (name, value) in [
            ("initial_accumulator_value", self.initial_accumulator_value),
            (
                "l1_regularization_strength",
                self.l1_regularization_strength,
            ),
            (
                "l2_regularization_strength",
                self.l2_regularization_strength,
            ),
            (
                "l2_shrinkage_regularization_strength",
                self.l2_shrinkage_regularization_strength,
            ),
            ("beta", self.beta),
        ] {
            at_least_zero(name, value)?;
        }
        if self.learning_rate_power <= 0.0 {
            return Ok(());
        }
        Err(Error::new(format!(
            "learning_rate_power must be negative or zero. Received: {}.",
            self.learning_rate_power
        )))
    }
}
