//! One step as expressions.

use super::{Kept, Optimizer, State};
use crate::optimizers::rule::Step;
use crate::optimizers::schedules::LearningRate;
use crate::{DType, Error, Result, Tensor, Variable};
use cornu_core::Scope;
use std::collections::HashMap;

impl Optimizer {
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
