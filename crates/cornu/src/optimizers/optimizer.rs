//! The frame around every optimizer's rule.

use super::registry;
use super::rule::{Rule, Step};
use super::schedules::{self, LearningRate};
use crate::{Array, DType, Error, Result, Tensor, Variable};
use cornu_core::Scope;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

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
/// assert!(wrong.to_string().starts_with("Unknown optimizer \"adan\". Did you mean \"Adam\""));
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

impl From<&str> for Optimizer {
    /// By Keras' name of the class, in any case; an unknown one is remembered for
    /// [`check`](Optimizer::check).
    fn from(name: &str) -> Optimizer {
        let mut map = Map::new();
        map.insert("class_name".to_owned(), json!(name));
        match Optimizer::deserialize(&Value::Object(map)) {
            Ok(optimizer) => optimizer,
            Err(e) => Optimizer {
                error: Some(e),
                ..super::RMSprop::new().into()
            },
        }
    }
}

impl From<String> for Optimizer {
    fn from(name: String) -> Optimizer {
        Optimizer::from(name.as_str())
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
                grouped.push((slot.group, variable.clone()));
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
        grouped.sort_by_key(|(group, _)| *group); // stable: variables stay in order
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

    /// One step: the new values of all variables concerned (weights, the optimizer's own state) as
    /// expressions of their values before the step and of the gradients.
    ///
    /// In Keras' order: gradients are unscaled, accumulated, clipped; weights decay and are updated,
    /// averaged, and at last given to `constrain`, which returns what the weight is to be.
    ///
    /// # Errors
    /// What [`check`](Optimizer::check) finds; no gradient at all; a variable that the optimizer was
    /// not built for, or given twice; a gradient that carries an error or has another shape than its
    /// variable.
    pub fn apply(
        &self,
        gradients: &[(Variable, Tensor)],
        constrain: &dyn Fn(&Variable, &Tensor) -> Tensor,
    ) -> Result<Vec<(Variable, Tensor)>> {
        self.check()?;
        let Some(state) = &self.state else {
            return Err(Error::state(format!(
                "Optimizer \"{}\" has to be built for its variables before apply().",
                self.name
            )));
        };
        let mut given = self.collect(state, gradients)?;
        let _scope = Scope::enter(&self.name);
        let common = self.rule.common();
        let count = self.iterations.tensor();
        let every = self.accumulation() as i32;
        // The last raw step before the current round of accumulation, a multiple of `every`.
        let round = if every == 1 {
            count.clone()
        } else {
            &count - &count % every
        };
        let due = (every > 1).then(|| ((&count + 1i32) % every).eq(0i32));
        let lr = match (&self.learning_rate, &common.learning_rate) {
            (Some(variable), _) => variable.tensor(),
            (None, LearningRate::Schedule(s)) => s.at(&count.cast(DType::F32)),
            (None, LearningRate::Constant(lr)) => Tensor::full([], *lr, DType::F32),
        };
        let mut t = round.cast(DType::F32);
        if every > 1 {
            t = t / every;
        }
        let t = t + 1.0;
        let globals: Vec<Tensor> = state.globals.iter().map(Variable::tensor).collect();
        let prepared = self.rule.prepare(&lr, &t, &globals);
        let step = Step {
            lr,
            t,
            scalars: prepared.scalars,
        };
        // A value that only a step which changes weights changes.
        let when_due = |new: Tensor, old: &Tensor| match &due {
            Some(due) => due.select(new, old),
            None => new,
        };

        let mut updates: Vec<(Variable, Tensor)> = Vec::new();
        for kept in &state.kept {
            let Some(g) = given.get_mut(&kept.variable.id()) else {
                continue;
            };
            let mut own = g.cast(computed_in(kept.variable.dtype()));
            if let Some(scale) = common.loss_scale_factor {
                own = own * (1.0 / scale);
            }
            if let (Some(accumulator), Some(due)) = (&kept.accumulator, &due) {
                let sum = own + wide(&accumulator.tensor());
                own = &sum * (1.0 / f64::from(every));
                let rest = due.select(0.0, sum).cast(accumulator.dtype());
                updates.push((accumulator.clone(), rest));
            }
            *g = own;
        }
        self.clip(&mut given);

        for kept in &state.kept {
            let v = &kept.variable;
            let old = wide(&v.tensor());
            let mut new = None;
            if let Some(g) = given.get(&v.id()) {
                let mut w = old.clone();
                if let Some(decay) = self.decay(v) {
                    w = &w - &w * (&step.lr * decay);
                }
                let slots: Vec<Tensor> = kept.slots.iter().map(|s| wide(&s.tensor())).collect();
                let (w, after) = self.rule.step(&step, &w, g, &slots);
                new = Some(when_due(w, &old));
                for ((slot, before), after) in kept.slots.iter().zip(&slots).zip(after) {
                    if after.id() != before.id() {
                        updates.push((slot.clone(), when_due(after, before).cast(slot.dtype())));
                    }
                }
            }
            if let Some(average) = &kept.average {
                // The first step copies.
                let momentum = round.ge(every).select(common.ema_momentum as f32, 0.0f32);
                let current = new.as_ref().unwrap_or(&old);
                let before = wide(&average.tensor());
                let after = &before * &momentum + current * (1.0 - &momentum);
                if let Some(frequency) = common.ema_overwrite_frequency {
                    let now = ((&round + every) % (every * frequency as i32)).eq(0i32);
                    new = Some(now.select(&after, current));
                }
                updates.push((average.clone(), after.cast(average.dtype())));
            }
            if let Some(new) = new {
                let mut new = new.cast(v.dtype());
                if given.contains_key(&v.id()) {
                    new = constrain(v, &new).cast(v.dtype());
                }
                updates.push((v.clone(), new));
            }
        }
        for ((global, before), after) in state.globals.iter().zip(&globals).zip(prepared.globals) {
            updates.push((global.clone(), when_due(after, before)));
        }
        updates.push((self.iterations.clone(), &count + 1i32));
        for (variable, value) in &updates {
            value.check()?;
            if value.shape() != variable.shape() {
                return Err(Error::shape(format!(
                    "Optimizer \"{}\" computes a value of shape {} for variable \"{}\" of shape {}.",
                    self.name,
                    value.shape(),
                    variable.name(),
                    variable.shape()
                )));
            }
        }
        Ok(updates)
    }

    /// The gradients by their variables' numbers, when they are what they have to be.
    fn collect(
        &self,
        state: &State,
        gradients: &[(Variable, Tensor)],
    ) -> Result<HashMap<u64, Tensor>> {
        if gradients.is_empty() {
            return Err(Error::new(format!(
                "Optimizer \"{}\" received no gradients: there is no variable to train.",
                self.name
            )));
        }
        let known: HashMap<u64, &Kept> = state.kept.iter().map(|k| (k.variable.id(), k)).collect();
        let mut given = HashMap::new();
        for (v, g) in gradients {
            g.check()?;
            if !known.contains_key(&v.id()) {
                return Err(Error::state(format!(
                    "Optimizer \"{}\" was not built for variable \"{}\". Make a new optimizer for a \
                     new set of variables.",
                    self.name,
                    v.name()
                )));
            }
            if g.shape() != v.shape() {
                return Err(Error::shape(format!(
                    "The gradient for variable \"{}\" of shape {} has shape {}.",
                    v.name(),
                    v.shape(),
                    g.shape()
                )));
            }
            if given.insert(v.id(), g.clone()).is_some() {
                return Err(Error::new(format!(
                    "Two gradients were given for variable \"{}\".",
                    v.name()
                )));
            }
        }
        Ok(given)
    }

    /// Clips gradients by whichever of the three options is set (and not 0).
    fn clip(&self, gradients: &mut HashMap<u64, Tensor>) {
        let common = self.rule.common();
        let set = |option: Option<f64>| option.filter(|c| *c > 0.0);
        let factor = |square: Tensor, limit: f64| limit / square.sqrt().maximum(limit);
        if let Some(limit) = set(common.clipnorm) {
            for g in gradients.values_mut() {
                *g = &*g * factor(g.square().sum(), limit);
            }
        } else if let Some(limit) = set(common.global_clipnorm) {
            let mut ids: Vec<u64> = gradients.keys().copied().collect();
            ids.sort_unstable(); // the same sum, and so the same program, on every run
            let squares = ids.iter().map(|id| gradients[id].square().sum());
            let Some(total) = squares.reduce(|a, b| a + b) else {
                return;
            };
            // An infinite gradient makes all of them NaN, as in Keras, rather than vanish.
            let scale = total.is_finite().select(factor(total, limit), f64::NAN);
            for g in gradients.values_mut() {
                *g = &*g * scale.cast(g.dtype());
            }
        } else if let Some(limit) = set(common.clipvalue) {
            for g in gradients.values_mut() {
                *g = g.clip(-limit, limit);
            }
        }
    }

    /// The weight decay of a variable, unless it is excluded.
    fn decay(&self, variable: &Variable) -> Option<f64> {
        let name = variable.name();
        let name = name.rsplit('/').next().unwrap_or(name);
        let excluded = &self.rule.common().excluded_from_weight_decay;
        if excluded.iter().any(|e| name.contains(e.as_str())) {
            return None;
        }
        self.rule.weight_decay(variable)
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

    /// Keras' `get_config()`: every option under its name. The learning rate is the present one, as
    /// the `f32` it is.
    pub fn to_config(&self) -> Map<String, Value> {
        let learning_rate = match &self.rule.common().learning_rate {
            LearningRate::Constant(_) => json!(self.learning_rate()),
            LearningRate::Schedule(s) => schedules::serialize(&**s),
        };
        let mut config = Map::new();
        self.rule
            .common()
            .write(&mut config, &self.name, learning_rate);
        config.extend(self.rule.config());
        config
    }

    /// As Keras writes it into `config.json`: module, class, configuration.
    ///
    /// ```
    /// use cornu::optimizers::{Adam, Optimizer};
    /// let json = Optimizer::from(Adam::new()).serialize();
    /// assert_eq!(json["module"], "keras.optimizers");
    /// assert_eq!(json["config"]["learning_rate"], 0.0010000000474974513);
    /// assert_eq!(Optimizer::deserialize(&json)?.class_name(), "Adam");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn serialize(&self) -> Value {
        json!({
            "module": "keras.optimizers",
            "class_name": self.class_name(),
            "config": self.to_config(),
            "registered_name": null,
        })
    }

    /// From what [`serialize`](Optimizer::serialize) (or Keras) writes, or from a mere name.
    ///
    /// # Errors
    /// If the class or an option is not known, or an option is impossible.
    pub fn deserialize(json: &Value) -> Result<Optimizer> {
        let class = json.get("class_name").unwrap_or(json);
        let Some(class) = class.as_str() else {
            return Err(Error::new(format!(
                "An optimizer is an object with \"class_name\" and \"config\". Received: {json}."
            )));
        };
        match json.get("config") {
            None | Some(Value::Null) => Optimizer::from_config(class, Map::new()),
            Some(Value::Object(config)) => Optimizer::from_config(class, config.clone()),
            Some(other) => Err(Error::new(format!(
                "The configuration of optimizer \"{class}\" is no object. Received: {other}."
            ))),
        }
    }

    /// From Keras' name of the class (in any case) and its `get_config()`; what the configuration
    /// lacks has its default.
    ///
    /// # Errors
    /// If the class or an option is not known, or an option is impossible.
    pub fn from_config(class: &str, config: Map<String, Value>) -> Result<Optimizer> {
        let optimizer = Optimizer::new(registry::from_config(class, config)?);
        optimizer.check()?;
        Ok(optimizer)
    }
}

/// The type in which a variable's update is computed: 16-bit floats in `f32`.
fn computed_in(dtype: DType) -> DType {
    match dtype {
        DType::F16 | DType::BF16 => DType::F32,
        other => other,
    }
}

fn wide(t: &Tensor) -> Tensor {
    t.cast(computed_in(t.dtype()))
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
