//! The compiled side of a model: optimizer, losses, metrics, and the programs made of them.

use super::compile::{Compile, ForOutput};
use super::graph::Graph;
use super::head::{Head, Measured};
use super::labels;
use super::set::Set;
use crate::layers::Pass;
use crate::optimizers::{LossScale, Optimizer};
use crate::utils::{SeedGenerator, next_seed};
use crate::{DType, Error, Logs, Result, Scope, Tensor, Variable, grad};
use cornu_core::{Executable, Program, Slice, TensorType, View};
use std::sync::{Mutex, PoisonError};

/// Optimizer, losses and metrics of a model, with their state and compiled programs.
#[derive(Debug)]
pub(super) struct Trainer {
    pub optimizer: Optimizer,
    /// The factor on the loss, if it is scaled.
    pub loss_scale: Option<LossScale>,
    auto_scale_loss: bool,
    /// Whether the whole model is frozen.
    pub frozen: bool,
    /// What `compile` was told, from which the heads are made.
    pub(super) common: ForOutput,
    pub(super) own: Vec<(String, ForOutput)>,
    /// One for each output; empty until the network is known.
    heads: Vec<Head>,
    /// Running mean of the loss: sum over samples, and their number.
    loss_total: Variable,
    loss_count: Variable,
    /// The state of random draws in training.
    random: SeedGenerator,
    programs: Vec<Kept>,
    /// How often a program was asked for.
    asked: u64,
}

/// Programs kept: each has an arena, so that a model fed batches of ever new shapes must let go of
/// those not used for longest.
const KEPT: usize = 16;

/// A program, with when it was asked for last.
#[derive(Debug)]
struct Kept {
    signature: Signature,
    step: Step,
    asked: u64,
}

/// A compiled step; shared by all batches of one shape. The lock is never waited for: it makes models
/// shareable, so that functions of one's own can hold them.
struct Step(Mutex<Box<dyn Executable>>);

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Step")
    }
}

/// What distinguishes the programs of one model.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Signature {
    /// Whether the step trains or only measures.
    pub training: bool,
    /// The types of the arrays of samples.
    pub x: Vec<TensorType>,
    /// The types of the arrays of targets, and the outputs that they are for.
    pub y: Vec<TensorType>,
    pub targets: Vec<usize>,
    /// The types of the arrays of sample weights: none, one for all targets, or one for each.
    pub weight: Vec<TensorType>,
    /// The number of rows that a step picks by index; `None` if the arrays are the batch itself.
    pub picked: Option<usize>,
}

impl Trainer {
    pub fn new(compile: Compile) -> Trainer {
        let zero = |name: &str| Variable::new(name, 0.0f32);
        Trainer {
            optimizer: compile.optimizer,
            loss_scale: compile.loss_scale,
            auto_scale_loss: compile.auto_scale_loss,
            frozen: false,
            common: compile.common,
            own: compile.own,
            heads: Vec::new(),
            loss_total: zero("loss/total"),
            loss_count: zero("loss/count"),
            random: SeedGenerator::new(next_seed()),
            programs: Vec::new(),
            asked: 0,
        }
    }

    /// Says which loss and metrics belong to which output of the network.
    ///
    /// # Errors
    /// A name that is no output's; metrics for no output in particular of a network of several.
    pub fn bind(&mut self, graph: &Graph) -> Result<()> {
        let outputs: Vec<&str> = graph.outputs.iter().map(|p| p.name.as_str()).collect();
        if self.heads.len() == outputs.len() {
            return Ok(());
        }
        for (name, _) in &self.own {
            if !outputs.contains(&name.as_str()) {
                return Err(Error::unknown("output", name, &outputs));
            }
        }
        let common = &self.common;
        let several = outputs.len() > 1;
        if several && !(common.metrics.is_empty() && common.weighted_metrics.is_empty()) {
            return Err(Error::new(format!(
                "The model \"{}\" has {} outputs: say with metrics_for(output, …) which metrics are for \"{}\".",
                graph.name,
                outputs.len(),
                outputs.join("\", \"")
            )));
        }
        let mut taken: Vec<String> = vec!["loss".to_string()];
        let heads = outputs.iter().map(|output| {
            let own = self.own.iter().find(|(name, _)| name == output);
            let own = own.map(|(_, own)| own.clone()).unwrap_or_default();
            let prefix = match several {
                true => format!("{output}_"),
                false => String::new(),
            };
            Head::new(output, &prefix, own, common, &mut taken)
        });
        self.heads = heads.collect();
        Ok(())
    }

    /// What each output has, if any has something of its own. As Keras wants it, all have weights or none.
    pub(super) fn own_of_outputs(&self) -> Vec<(&str, ForOutput)> {
        if self.own.is_empty() {
            return Vec::new();
        }
        let weighted = self.own.iter().any(|(_, own)| own.weight.is_some());
        let of = |head: &'_ Head| {
            let own = self.own.iter().find(|(name, _)| *name == head.name);
            let mut own = own.map(|(_, own)| own.clone()).unwrap_or_default();
            own.loss = head.loss.clone();
            own.weight = weighted.then_some(head.weight);
            own
        };
        self.heads
            .iter()
            .map(|head| (head.name.as_str(), of(head)))
            .collect()
    }

    /// Refuses targets that the losses cannot take; `prefix` tells validation data apart.
    pub fn check_targets(&self, graph: &Graph, set: &Set<'_>, prefix: &str) -> Result<()> {
        for (y, output) in set.y.iter().zip(&set.targets) {
            if let Some(loss) = self.heads.get(*output).and_then(|h| h.loss.as_ref()) {
                labels::check(loss, graph, *output, set.samples, y, prefix)?;
            }
        }
        let given = |output: usize| set.targets.contains(&output);
        match (0..self.heads.len()).find(|i| self.heads[*i].needs_target() && !given(*i)) {
            None => Ok(()),
            Some(i) => Err(Error::new(format!(
                "{prefix}y has no targets for the output \"{}\", which has a loss or metrics.",
                self.heads[i].name
            ))),
        }
    }

    /// Drops compiled programs: the network has changed.
    pub fn forget_programs(&mut self) {
        self.programs.clear();
    }

    /// The place of the step for a signature, compiled at its first use. Places keep for the next
    /// [`KEPT`] signatures.
    pub fn step(&mut self, graph: &Graph, signature: &Signature) -> Result<usize> {
        self.asked += 1;
        let known = self.programs.iter_mut().enumerate();
        if let Some((i, kept)) = known.into_iter().find(|(_, k)| k.signature == *signature) {
            kept.asked = self.asked;
            return Ok(i);
        }
        let program = self.trace(graph, signature)?;
        let kept = Kept {
            signature: signature.clone(),
            step: Step(Mutex::new(crate::device().compile(&program)?)),
            asked: self.asked,
        };
        let oldest = self
            .programs
            .iter()
            .enumerate()
            .min_by_key(|(_, k)| k.asked);
        match oldest
            .map(|(i, _)| i)
            .filter(|_| self.programs.len() >= KEPT)
        {
            Some(i) => {
                self.programs[i] = kept;
                Ok(i)
            }
            None => {
                self.programs.push(kept);
                Ok(self.programs.len() - 1)
            }
        }
    }

    /// The number of programs kept.
    pub fn programs(&self) -> usize {
        self.programs.len()
    }

    /// A step by its place.
    pub fn run<'v>(&mut self, step: usize, inputs: impl Iterator<Item = View<'v>>) -> Result<()> {
        // Mostly there are a few arrays: then a step allocates nothing.
        const FEW: usize = 8;
        let nothing = View {
            shape: &[0],
            data: Slice::U8(&[]),
        };
        let (mut few, mut n, mut many) = ([nothing; FEW], 0, Vec::new());
        for view in inputs {
            match few.get_mut(n) {
                Some(place) => *place = view,
                None if many.is_empty() => many = few.iter().copied().chain([view]).collect(),
                None => many.push(view),
            }
            n += 1;
        }
        let inputs = if many.is_empty() { &few[..n] } else { &many };
        let step = self.programs[step].step.0.get_mut();
        step.unwrap_or_else(PoisonError::into_inner)
            .run(inputs, &mut [])
    }

    /// The whole step as one program: rows picked, forward pass, losses, gradients, update, metrics.
    fn trace(&mut self, graph: &Graph, s: &Signature) -> Result<Program> {
        self.bind(graph)?;
        let mut inputs: Vec<TensorType> = [&s.x[..], &s.y, &s.weight].concat();
        if let Some(n) = s.picked {
            inputs.push(TensorType {
                shape: n.into(),
                dtype: DType::I32,
            });
        }
        let input = |i: usize| Tensor::input(i, inputs[i].shape.clone(), inputs[i].dtype);
        let rows = |i: usize| match s.picked {
            Some(_) => input(i).take(input(inputs.len() - 1), 0),
            None => input(i),
        };
        let xs: Vec<Tensor> = (0..s.x.len()).map(|i| graph.adapt(i, &rows(i))).collect();
        let batch = xs
            .first()
            .and_then(|x| x.shape().first().copied())
            .unwrap_or(1);

        let mut pass = Pass {
            training: s.training,
            random_state: s.training.then(|| self.random.state()),
            ..Pass::default()
        };
        let outputs = graph.forward(&xs, &mut pass);
        let n = batch as f64;
        let several = self.heads.iter().filter(|h| h.loss.is_some()).count() > 1;
        let mut losses: Vec<Tensor> = Vec::new();
        let mut measured = Vec::new();
        for (i, output) in s.targets.iter().enumerate() {
            let (pred, mask) = (&outputs.tensors[*output], outputs.masks[*output].as_ref());
            pred.check()?;
            // As in Keras, what is lost is computed in at least 32 bits.
            let pred = match pred.dtype() {
                DType::BF16 | DType::F16 => pred.cast(DType::F32),
                _ => pred.clone(),
            };
            let y = rows(s.x.len() + i);
            let y = if y.dtype().is_float() {
                y.cast(pred.dtype())
            } else {
                y
            };
            let weight = match s.weight.len() {
                0 => None,
                1 => Some(rows(s.x.len() + s.y.len())),
                _ => Some(rows(s.x.len() + s.y.len() + i)),
            };
            let head = &mut self.heads[*output];
            if let Some(loss) = head.compute_loss(&y, &pred, weight.as_ref(), mask)? {
                if several {
                    let total = head.total.tensor() + loss.cast(DType::F32) * n;
                    measured.push((head.total.clone(), total));
                }
                losses.push(loss * head.weight);
            }
            measured.extend(head.measure(&y, &pred, weight.as_ref(), mask)?);
        }
        let loss = {
            let _scope = Scope::enter("loss");
            let penalties = graph.weights(true).into_iter().filter_map(|w| {
                let r = w.regularizer.as_ref()?;
                Some(r.penalty(&pass.value(&w.variable)))
            });
            let all = losses
                .into_iter()
                .chain(penalties)
                .chain(pass.losses.iter().cloned());
            all.reduce(|sum, l| sum + l).ok_or_else(|| {
                Error::state(format!(
                    "The model \"{}\" has no loss: give compile one, or add one in a layer.",
                    graph.name
                ))
            })?
        };
        loss.check()?;

        let mut updates = std::mem::take(&mut pass.updates);
        if s.training {
            let trained = self.train(graph, &loss, &mut updates)?;
            updates.extend(trained);
            if pass.stream > 0 {
                updates.push(self.random.advance());
            }
        }
        let _scope = Scope::enter("metrics");
        let loss = loss.cast(DType::F32);
        updates.push((self.loss_total.clone(), self.loss_total.tensor() + loss * n));
        updates.push((self.loss_count.clone(), self.loss_count.tensor() + n));
        updates.extend(measured);
        Program::trace(&inputs, &[], &updates)
    }

    /// Makes the optimizer's state, and decides whether the loss is scaled.
    pub fn build_optimizer(&mut self, graph: &Graph, variables: &[Variable]) -> Result<()> {
        if self.loss_scale.is_none() && self.auto_scale_loss && graph.is_mixed_float16() {
            self.loss_scale = Some(LossScale::new());
        }
        self.optimizer.build(variables)
    }

    /// What the optimizer does. Weights that are trained and that layers assign too are taken from
    /// `updates`: the optimizer's steps go on from what is assigned.
    fn train(
        &mut self,
        graph: &Graph,
        loss: &Tensor,
        updates: &mut Vec<(Variable, Tensor)>,
    ) -> Result<Vec<(Variable, Tensor)>> {
        let weights = graph.weights(!self.frozen);
        let trained: Vec<_> = weights.iter().filter(|w| w.trainable).collect();
        let variables: Vec<Variable> = trained.iter().map(|w| w.variable.clone()).collect();
        if variables.is_empty() {
            return Err(Error::state(format!(
                "The model \"{}\" has no trainable weights: there is nothing to fit.",
                graph.name
            )));
        }
        self.build_optimizer(graph, &variables)?;
        let tensors: Vec<Tensor> = variables.iter().map(Variable::tensor).collect();
        let mut scaled = self.optimizer.scale_loss(loss);
        if let Some(scale) = &self.loss_scale {
            scaled = scale.scale_loss(&scaled);
        }
        let mut gradients = grad(&scaled, &tensors.iter().collect::<Vec<_>>());
        let mut finite = None;
        if let Some(scale) = &self.loss_scale {
            let (unscaled, all) = scale.unscale(gradients);
            gradients = unscaled;
            finite = Some(all);
        }
        let (assigned, others) = std::mem::take(updates)
            .into_iter()
            .partition::<Vec<_>, _>(|(v, _)| trained.iter().any(|w| w.variable == *v));
        *updates = others;
        let updates = self.optimizer.apply_to(&trained, gradients, &assigned)?;
        Ok(match (&self.loss_scale, finite) {
            (Some(scale), Some(finite)) => scale.guard(updates, &finite),
            _ => updates,
        })
    }

    fn metrics(&self) -> impl Iterator<Item = &Measured> {
        self.heads.iter().flat_map(|h| &h.metrics)
    }

    /// Everything that steps change beside weights: the optimizer's state, that of random draws, the sums.
    pub fn variables(&self) -> Vec<Variable> {
        let mut all = self.optimizer.variables();
        all.extend(self.loss_scale.iter().flat_map(LossScale::variables));
        let random = self.random.variable();
        all.extend([random, &self.loss_total, &self.loss_count].map(Variable::clone));
        all.extend(self.heads.iter().map(|h| h.total.clone()));
        let metrics = self.metrics().flat_map(|m| m.metric.variables());
        all.extend(metrics.cloned());
        all
    }

    /// Begins counting anew.
    pub fn reset(&self) -> Result<()> {
        self.loss_total.assign(0.0f32)?;
        self.loss_count.assign(0.0f32)?;
        self.heads.iter().try_for_each(|h| h.total.assign(0.0f32))?;
        let built = self.metrics().filter(|m| m.metric.is_built());
        built.into_iter().try_for_each(|m| m.metric.reset())
    }

    /// The running sum of the loss: not finite as soon as one batch's was not.
    pub fn loss_is_finite(&self) -> bool {
        self.loss_total.scalar().is_finite()
    }

    /// The figures so far: the loss, those of outputs if there are several, then metrics in order.
    pub fn figures(&self) -> Result<Logs> {
        let mut logs = Logs::default();
        let count = self.loss_count.scalar();
        logs.set("loss", self.loss_total.scalar() / count);
        let with_loss: Vec<&Head> = self.heads.iter().filter(|h| h.loss.is_some()).collect();
        if with_loss.len() > 1 {
            for head in with_loss {
                logs.set(&format!("{}_loss", head.name), head.total.scalar() / count);
            }
        }
        for measured in self.metrics().filter(|m| m.metric.is_built()) {
            logs.set(&measured.name, measured.figure()?);
        }
        Ok(logs)
    }
}
