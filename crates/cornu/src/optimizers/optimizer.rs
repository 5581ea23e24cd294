//! The frame around every optimizer's rule.

mod apply;
mod config;
mod minimize;

use super::rule::Rule;
use super::schedules::LearningRate;
use crate::{Array, DType, Error, Result, Tensor, Variable};

/// An optimizer: a [`Rule`] with its state, ready to be compiled into a training step.
///
/// Where an optimizer is asked for, a string does too, in any case: `"rmsprop"`, `"Adam"`, `"sgd"`.
/// A wrong string is an error of [`check`](Optimizer::check), and so of the first use.
///
/// ```
/// use cornu::optimizers::{Adam, Optimizer};
/// let optimizer = Optimizer::from("adam");
/// assert!(optimizer.check().is_ok());
/// let optimizer: Optimizer = Adam::new().learning_rate(1e-4).clipnorm(1.0).into();
/// assert_eq!(optimizer.class_name(), "Adam");
/// let wrong = Optimizer::from("adan").check().unwrap_err();
/// assert!(wrong.to_string().starts_with("Unknown optimizer \"adan\". Did you mean \"adam\""));
/// ```
///
/// A training step is a list of updates, to be made part of a program:
///
/// ```
/// use cornu::optimizers::{Optimizer, SGD};
/// use cornu::{Device, Function, Tensor, Variable, grad};
/// use cornu_core::{Reference, function::Traced};
/// let w = Variable::new("w", [1.0f32, -2.0]);
/// let mut optimizer = Optimizer::from(SGD::new().learning_rate(0.1));
/// optimizer.build(&[w.clone()])?;
/// let step = {
///     let (w, loss) = (w.clone(), w.tensor().square().sum());
///     let g = grad(&loss, &[&w.tensor()]).remove(0);
///     let updates = optimizer.apply(&[(w, g)], &|_, value| value.clone())?;
///     Function::new(&Device::new(Reference), move |_| Traced {
///         outputs: vec![loss.clone()],
///         updates: updates.clone(),
///     })
/// };
/// step.call(&[])?;
/// assert_eq!(w.value().to_vec::<f32>(), [0.8, -1.6]);
/// assert_eq!(optimizer.iterations(), 1);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct Optimizer {
    rule: Box<dyn Rule>,
    error: Option<Error>,
    name: String,
    iterations: Variable,
    /// Absent with a schedule.
    learning_rate: Option<Variable>,
    state: Option<State>,
}

/// What `build` makes.
#[derive(Debug)]
struct State {
    kept: Vec<Kept>,
    globals: Vec<Variable>,
    /// All of it in Keras' order.
    variables: Vec<Variable>,
}

/// What is kept beside one variable.
#[derive(Debug)]
struct Kept {
    variable: Variable,
    slots: Vec<Variable>,
    average: Option<Variable>,
    accumulator: Option<Variable>,
}

impl<R: Rule + 'static> From<R> for Optimizer {
    fn from(rule: R) -> Optimizer {
        Optimizer::new(Box::new(rule))
    }
}

impl Optimizer {
    fn new(rule: Box<dyn Rule>) -> Optimizer {
        let common = rule.common();
        let name = match &common.name {
            Some(name) => name.clone(),
            None => snake_case(rule.class_name()),
        };
        let learning_rate = match &common.learning_rate {
            LearningRate::Constant(lr) => Some(Variable::new(
                format!("{name}/learning_rate"),
                Array::scalar(*lr as f32),
            )),
            LearningRate::Schedule(_) => None,
        };
        Optimizer {
            error: common.check().and_then(|()| rule.check()).err(),
            iterations: Variable::new(format!("{name}/iteration"), Array::scalar(0i32)),
            learning_rate,
            state: None,
            name,
            rule,
        }
    }

    /// Whether the optimizer is possible.
    ///
    /// # Errors
    /// An unknown name, or an option outside what is allowed.
    pub fn check(&self) -> Result<()> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// The name, by default the class' in snake case (`"rm_sprop"`, as Keras has it).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Keras' name of the class, such as `"RMSprop"`.
    pub fn class_name(&self) -> &'static str {
        self.rule.class_name()
    }

    /// The rule.
    pub fn rule(&self) -> &dyn Rule {
        &*self.rule
    }

    /// Number of steps done. With gradient accumulation, these are the steps that change weights.
    pub fn iterations(&self) -> u64 {
        let steps = self.iterations.scalar().max(0.0) as u64;
        steps / u64::from(self.accumulation())
    }

    fn accumulation(&self) -> u32 {
        self.rule
            .common()
            .gradient_accumulation_steps
            .unwrap_or(1)
            .max(1)
    }

    /// The learning rate of the next step, as the `f32` that programs use.
    pub fn learning_rate(&self) -> f64 {
        match (&self.rule.common().learning_rate, &self.learning_rate) {
            (_, Some(variable)) => variable.scalar(),
            (LearningRate::Schedule(s), None) => s.value(self.iterations.scalar() as u64),
            (LearningRate::Constant(lr), None) => *lr,
        }
    }

    /// Sets the learning rate of the steps to come; compiled programs use it at once.
    ///
    /// # Errors
    /// If the learning rate follows a schedule, or the new one is negative or not a number.
    pub fn set_learning_rate(&self, rate: f64) -> Result<()> {
        super::common::at_least_zero("learning_rate", rate)?;
        match &self.learning_rate {
            Some(variable) => variable.assign(Array::scalar(rate as f32)),
            None => Err(Error::state(format!(
                "The learning rate of optimizer \"{}\" follows a schedule and cannot be set. Give \
                 the optimizer a number as its learning_rate instead.",
                self.name
            ))),
        }
    }

    /// Makes the state for these variables. Doing it again for the same variables does nothing.
    ///
    /// # Errors
    /// What [`check`](Optimizer::check) finds; a variable that holds no floats; or other variables
    /// than the first time.
    pub fn build(&mut self, variables: &[Variable]) -> Result<()> {
        self.check()?;
        if let Some(state) = &self.state {
            if state.kept.iter().map(|k| &k.variable).eq(variables) {
                return Ok(());
            }
            return Err(Error::state(format!(
                "Optimizer \"{}\" was built for other variables. Make a new optimizer for a new set \
                 of variables.",
                self.name
            )));
        }
        if let Some(v) = variables.iter().find(|v| !v.dtype().is_float()) {
            return Err(Error::dtype(format!(
                "Optimizer \"{}\" can only change variables of floats. Received: variable \"{}\" of \
                 type {}.",
                self.name,
                v.name(),
                v.dtype()
            )));
        }
        let common = self.rule.common();
        let beside = |v: &Variable, what: &str, value: Array| {
            let path = v.name().replace('/', "_");
            Variable::new(format!("{}/{path}_{what}", self.name), value)
        };
        let zeros = |v: &Variable| Array::zeros(v.dtype(), v.shape().clone());
        let mut grouped: Vec<(usize, Variable)> = Vec::new();
        let mut kept = Vec::with_capacity(variables.len());
        for v in variables {
            let mut slots = Vec::new();
            for slot in self.rule.slots(v) {
                let variable = beside(v, slot.name, slot.value);
                // Behind all of its group: variables stay in order.
                let at = grouped.partition_point(|(group, _)| *group <= slot.group);
                grouped.insert(at, (slot.group, variable.clone()));
                slots.push(variable);
            }
            kept.push(Kept {
                variable: v.clone(),
                slots,
                average: common.use_ema.then(|| beside(v, "average", zeros(v))),
                accumulator: common
                    .gradient_accumulation_steps
                    .map(|_| beside(v, "gradient_accumulator", zeros(v))),
            });
        }
        let globals: Vec<Variable> = self
            .rule
            .globals()
            .into_iter()
            .map(|(name, value)| {
                let value = Array::full(DType::F32, [], value);
                Variable::new(format!("{}/{name}", self.name), value)
            })
            .collect();
        let mut all: Vec<Variable> = Vec::new();
        all.extend(kept.iter().filter_map(|k| k.average.clone()));
        all.extend(kept.iter().filter_map(|k| k.accumulator.clone()));
        all.extend(grouped.into_iter().map(|(_, v)| v));
        all.extend(globals.iter().cloned());
        self.state = Some(State {
            kept,
            globals,
            variables: all,
        });
        Ok(())
    }

    /// Whether the state has been made.
    pub fn is_built(&self) -> bool {
        self.state.is_some()
    }

    /// The optimizer's state in the order of Keras' files: number of steps, learning rate (unless it
    /// follows a schedule), then what [`build`](Optimizer::build) made.
    pub fn variables(&self) -> Vec<Variable> {
        let mut all = vec![self.iterations.clone()];
        all.extend(self.learning_rate.clone());
        all.extend(self.state.iter().flat_map(|s| s.variables.iter().cloned()));
        all
    }

    /// The loss as it is to be differentiated: multiplied by `loss_scale_factor`, if there is one.
    pub fn scale_loss(&self, loss: &Tensor) -> Tensor {
        match self.rule.common().loss_scale_factor {
            Some(scale) => loss * scale,
            None => loss.clone(),
        }
    }

    /// What `fit` does last: with `use_ema`, the weights become their averages.
    ///
    /// # Errors
    /// None are expected: averages have the shapes of their weights.
    pub fn finalize(&self) -> Result<()> {
        for (weight, average) in self.averages() {
            weight.assign(average.value())?;
        }
        Ok(())
    }

    /// The weights with their moving averages; empty without `use_ema` or before
    /// [`build`](Optimizer::build).
    pub fn averages(&self) -> Vec<(Variable, Variable)> {
        let kept = self.state.iter().flat_map(|s| &s.kept);
        kept.filter_map(|k| Some((k.variable.clone(), k.average.clone()?)))
            .collect()
    }
}

/// Keras' snake case: `"AdamW"` becomes `"adam_w"`, `"RMSprop"` `"rm_sprop"`.
fn snake_case(class: &str) -> String {
    let chars: Vec<char> = class.chars().collect();
    let mut out = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1);
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase()))
            });
        if starts_word {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests;
