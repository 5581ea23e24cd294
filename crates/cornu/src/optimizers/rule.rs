//! What an optimizer is to the frame around it: a rule for one step.

use super::Common;
use crate::{Array, DType, Result, Tensor, Variable};
use serde_json::{Map, Value};
use std::fmt;

/// The rule of one optimizer, pure and on tensors: how a step changes a variable and the state kept
/// beside it. [`Optimizer`](super::Optimizer) does everything that optimizers share: it makes the
/// state, unscales, accumulates and clips gradients, decays weights, keeps averages.
///
/// An optimizer of your own is a struct with a [`Common`] and this trait:
///
/// ```
/// use cornu::optimizers::{Common, Optimizer, Rule, Step};
/// use cornu::Tensor;
///
/// /// Moves by the learning rate against the sign of the gradient.
/// #[derive(Debug)]
/// struct SignSgd(Common);
///
/// impl Rule for SignSgd {
///     fn class_name(&self) -> &'static str {
///         "SignSgd"
///     }
///     fn common(&self) -> &Common {
///         &self.0
///     }
///     fn step(&self, step: &Step, w: &Tensor, g: &Tensor, _: &[Tensor]) -> (Tensor, Vec<Tensor>) {
///         (w - g.sign() * &step.lr, vec![])
///     }
/// }
///
/// let optimizer = Optimizer::from(SignSgd(Common::new(0.01)));
/// assert_eq!(optimizer.name(), "sign_sgd");
/// ```
pub trait Rule: fmt::Debug + Send + Sync {
    /// Keras' name of the class, such as `"Adam"`.
    fn class_name(&self) -> &'static str;

    /// The options that every optimizer has.
    fn common(&self) -> &Common;

    /// The state kept beside a variable.
    fn slots(&self, variable: &Variable) -> Vec<Slot> {
        let _ = variable;
        Vec::new()
    }

    /// Scalars (`f32`) kept once for all variables: name and first value.
    fn globals(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// What a step computes once for all variables, from the learning rate, the number `t` of the
    /// step (from 1) and the [`globals`](Rule::globals) before the step; all are `f32` scalars.
    fn prepare(&self, lr: &Tensor, t: &Tensor, globals: &[Tensor]) -> Prepared {
        let _ = (lr, t, globals);
        Prepared::default()
    }

    /// The value of a variable and of its slots after a step, from the values `w` and `slots` before
    /// it and the gradient `g`. All tensors have the variable's type, or `f32` where that is a
    /// 16-bit type.
    fn step(&self, step: &Step, w: &Tensor, g: &Tensor, slots: &[Tensor]) -> (Tensor, Vec<Tensor>);

    /// The decoupled weight decay of a variable: usually the common option's.
    fn weight_decay(&self, variable: &Variable) -> Option<f64> {
        let _ = variable;
        self.common().weight_decay
    }

    /// The rule's own options, under Keras' names.
    fn config(&self) -> Map<String, Value> {
        Map::new()
    }

    /// Whether the rule's own options are possible.
    ///
    /// # Errors
    /// Names the option and what it was.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// One tensor of state beside a variable.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What it is, such as `"momentum"`; its variable is called
    /// `<optimizer>/<path of the variable, with _ for />_<name>`.
    pub name: &'static str,
    /// The first value.
    pub value: Array,
    /// The slots of a group stand together in [`Optimizer::variables`](super::Optimizer::variables),
    /// interleaved by variable; the next group follows. Keras' files keep this order.
    pub group: usize,
}

impl Slot {
    /// A slot of the variable's shape and type, zero at first.
    pub fn zeros(name: &'static str, variable: &Variable) -> Slot {
        Slot::full(name, variable, 0.0)
    }

    /// A slot of the variable's shape and type with `value` everywhere at first.
    pub fn full(name: &'static str, variable: &Variable, value: f64) -> Slot {
        let value = Array::full(variable.dtype(), variable.shape().clone(), value);
        Slot::new(name, value)
    }

    /// A slot with this first value.
    pub fn new(name: &'static str, value: Array) -> Slot {
        Slot {
            name,
            value,
            group: 0,
        }
    }

    /// The same slot in another group.
    pub fn group(mut self, group: usize) -> Slot {
        self.group = group;
        self
    }
}

/// What [`Rule::prepare`] computes.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// Scalars for [`Step::scalars`].
    pub scalars: Vec<Tensor>,
    /// The rule's globals after the step.
    pub globals: Vec<Tensor>,
}

/// What every variable's update in one step shares: `f32` scalars, each one node of the program.
#[derive(Clone, Debug)]
pub struct Step {
    /// The learning rate.
    pub lr: Tensor,
    /// The number of the step, from 1.
    pub t: Tensor,
    /// What [`Rule::prepare`] computed for this step.
    pub scalars: Vec<Tensor>,
}

/// `1 − betaᵗ` in `f32`, with `beta` rounded to `f32` first, as Keras has it.
pub(super) fn one_minus_power(beta: f64, t: &Tensor) -> Tensor {
    1.0 - Tensor::full([], beta, DType::F32).pow(t)
}

/// The moving average `x + (new − x)·(1 − keep)`.
pub(super) fn moving(x: &Tensor, new: &Tensor, keep: f64) -> Tensor {
    x + (new - x) * (1.0 - keep)
}

/// A constant as the `f32` that Keras makes of it before it goes on computing with it.
pub(super) fn rounded(constant: f64) -> f64 {
    f64::from(constant as f32)
}
