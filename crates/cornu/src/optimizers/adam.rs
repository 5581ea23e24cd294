//! Adam, and what AdamW shares with it.

use super::common::{at_least_zero, common_options, fraction, own_config, setters};
use super::rule::{Prepared, moving, one_minus_power};
use super::{Common, Rule, Slot, Step};
use crate::{Result, Tensor, Variable};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Adam under the name and with the weight decay given: [`Adam`] and [`AdamW`](super::AdamW).
macro_rules! adam {
    ($(#[$doc:meta])* $class:ident, weight_decay: $weight_decay:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $class {
            #[serde(skip)]
            common: Common,
            beta_1: f64,
            beta_2: f64,
            epsilon: f64,
            amsgrad: bool,
        }

        impl Default for $class {
            fn default() -> Self {
                $class {
                    common: Common {
                            weight_decay: $weight_decay,
                            ..Common::new(0.001)
                        },
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                    amsgrad: false,
                }
            }
        }

        common_options!($class);

        setters!($class {
            /// The share of the old average of the gradient in the new (default 0.9).
            beta_1: f64,
            /// The share of the old average of the square in the new (default 0.999).
            beta_2: f64,
            /// Keeps the divisor away from 0 (default 1e-7).
            epsilon: f64,
            /// Whether to divide by the largest average so far (default no).
            amsgrad: bool,
        });

        impl Rule for $class {
            fn class_name(&self) -> &'static str {
                stringify!($class)
            }

            fn common(&self) -> &Common {
                &self.common
            }

            fn slots(&self, variable: &Variable) -> Vec<Slot> {
                let mut slots = vec![
                    Slot::zeros("momentum", variable),
                    Slot::zeros("velocity", variable),
                ];
                if self.amsgrad {
                    slots.push(Slot::zeros("velocity_hat", variable).group(1));
                }
                slots
            }

            fn prepare(&self, lr: &Tensor, t: &Tensor, _: &[Tensor]) -> Prepared {
                Prepared {
                    scalars: vec![corrected_rate(lr, t, self.beta_1, self.beta_2)],
                    globals: vec![],
                }
            }

            fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>) {
                let m = moving(&slots[0], g, self.beta_1);
                let v = moving(&slots[1], &g.square(), self.beta_2);
                let hat = slots.get(2).map(|hat| hat.maximum(&v));
                let divisor = hat.as_ref().unwrap_or(&v).sqrt() + self.epsilon;
                let w = w - &m * &step.scalars[0] / divisor;
                (w, [m, v].into_iter().chain(hat).collect())
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
    };
}
pub(super) use adam;

adam! {
    /// Moving averages of the gradient and of its square. Default learning rate 0.001.
    ///
    /// * `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`
    /// * AMSGrad: `v̂ ← max(v̂, v)`, which then takes the place of `v`
    /// * `w ← w − α·m/(√v + ε)` with `α = lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)`
    ///
    /// Kingma and Ba, *Adam: a method for stochastic optimization* (2014); Reddi, Kale and Kumar, *On the
    /// convergence of Adam and beyond* (2018).
    ///
    /// ```
    /// use cornu::optimizers::{Adam, Optimizer};
    /// let adam = Optimizer::from(Adam::new().learning_rate(1e-4).beta_2(0.98));
    /// assert_eq!(adam.to_config()["beta_2"], 0.98);
    /// ```
    Adam, weight_decay: None
}

/// `lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ)`: the learning rate, corrected for averages that started at 0.
pub(super) fn corrected_rate(lr: &Tensor, t: &Tensor, beta_1: f64, beta_2: f64) -> Tensor {
    lr * one_minus_power(beta_2, t).sqrt() / one_minus_power(beta_1, t)
}
