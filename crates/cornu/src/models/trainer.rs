//! The compiled side of a model: optimizer, loss, metrics, and the programs made of them.

use super::compile::Compile;
use super::evaluate::Set;
use super::labels;
use super::network::{Network, Pass, adapt};
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::Optimizer;
use crate::{Array, DType, Error, Logs, Result, Scope, Tensor, Variable, grad};
use cornu_core::{Executable, Program, TensorType};

/// Optimizer, loss and metrics of a model, with their state and compiled programs.
#[derive(Debug)]
pub(super) struct Trainer {
    pub optimizer: Optimizer,
    loss: Loss,
    loss_weight: f64,
    metrics: Vec<Metric>,
    weighted_metrics: Vec<Metric>,
    /// The names under which metrics appear, in order; weighted ones after the others.
    names: Vec<String>,
    /// Running mean of the loss: sum over samples, and their number.
    loss_total: Variable,
    loss_count: Variable,
    /// The state of random draws in training.
    random: Variable,
    programs: Vec<(Signature, Step)>,
}

/// A compiled step; shared by all batches of one shape.
pub(super) struct Step(pub Box<dyn Executable>);

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
    /// The type of the array of samples.
    pub x: TensorType,
    /// The type of the array of targets.
    pub y: TensorType,
    /// The type of the array of sample weights, if there is one.
    pub weight: Option<TensorType>,
    /// The number of rows that a step picks by index; `None` if the arrays are the batch itself.
    pub picked: Option<usize>,
}

impl Trainer {
    pub fn new(compile: Compile) -> Trainer {
        let zero = |name: &str| Variable::new(name, 0.0f32);
        let state = cornu_core::random::state(crate::utils::next_seed());
        Trainer {
            optimizer: compile.optimizer,
            loss: compile.loss,
            loss_weight: compile.loss_weight,
            metrics: compile.metrics,
            weighted_metrics: compile.weighted_metrics,
            names: Vec::new(),
            loss_total: zero("loss/total"),
            loss_count: zero("loss/count"),
            random: Variable::new("random_state", state),
            programs: Vec::new(),
        }
    }

    /// Refuses targets that the loss cannot take; `prefix` tells validation data apart.
    pub fn check_targets(&self, network: &dyn Network, set: &Set<'_>, prefix: &str) -> Result<()> {
        labels::check(&self.loss, network, set, prefix)
    }

    /// Drops compiled programs: the network has changed.
    pub fn forget_programs(&mut self) {
        self.programs.clear();
    }

    /// The place of the step for a signature, compiled at its first use.
    pub fn step(&mut self, network: &dyn Network, signature: &Signature) -> Result<usize> {
        if let Some(i) = self.programs.iter().position(|(s, _)| s == signature) {
            return Ok(i);
        }
        let program = self.trace(network, signature)?;
        let step = crate::device().compile(&program)?;
        self.programs.push((signature.clone(), Step(step)));
        Ok(self.programs.len() - 1)
    }

    /// A step by its place.
    pub fn run(&mut self, step: usize, inputs: &[cornu_core::View<'_>]) -> Result<()> {
        self.programs[step].1.0.run(inputs, &mut [])
    }

    /// The whole step as one program: rows picked, forward pass, loss, gradients, update, metrics.
    fn trace(&mut self, network: &dyn Network, s: &Signature) -> Result<Program> {
        let mut inputs = vec![s.x.clone(), s.y.clone()];
        inputs.extend(s.weight.clone());
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
        let (x, y) = (adapt(network, &rows(0)), rows(1));
        let weight = s.weight.is_some().then(|| rows(2));
        let batch = x.shape().first().copied().unwrap_or(1);

        let mut pass = Pass {
            training: s.training,
            random_state: s.training.then(|| self.random.tensor()),
            ..Pass::default()
        };
        let pred = network.forward(&x, &mut pass);
        pred.check()?;
        let y = if y.dtype().is_float() {
            y.cast(pred.dtype())
        } else {
            y
        };
        self.loss.validate(y.ty(), pred.ty())?;
        self.prepare_metrics(&y, &pred)?;

        let loss = {
            let _scope = Scope::enter("loss");
            let mut loss = self.loss.compute(&y, &pred, weight.as_ref(), None) * self.loss_weight;
            loss.check()?;
            if loss.rank() > 0 {
                return Err(Error::shape(format!(
                    "fit needs a loss that is one number; with reduction \"none\" \"{}\" gives shape {}.",
                    self.loss.name(),
                    loss.shape()
                )));
            }
            for w in network.weights() {
                if let Some(r) = &w.regularizer {
                    loss = loss + r.penalty(&w.variable.tensor());
                }
            }
            pass.losses.iter().fold(loss, |sum, l| sum + l)
        };
        loss.check()?;

        let mut updates = std::mem::take(&mut pass.updates);
        if s.training {
            updates.extend(self.train(network, &loss)?);
            if pass.stream > 0 {
                let step = Tensor::constant([0i32, 0, 1]);
                updates.push((self.random.clone(), self.random.tensor() + step));
            }
        }
        let _scope = Scope::enter("metrics");
        let n = batch as f64;
        let loss = loss.cast(DType::F32);
        updates.push((self.loss_total.clone(), self.loss_total.tensor() + loss * n));
        updates.push((self.loss_count.clone(), self.loss_count.tensor() + n));
        for m in &self.metrics {
            updates.extend(m.updates(&y, &pred, None)?);
        }
        for m in &self.weighted_metrics {
            updates.extend(m.updates(&y, &pred, weight.as_ref())?);
        }
        Program::trace(&inputs, &[], &updates)
    }

    fn train(&mut self, network: &dyn Network, loss: &Tensor) -> Result<Vec<(Variable, Tensor)>> {
        let weights = network.weights();
        let trained: Vec<_> = weights.iter().filter(|w| w.trainable).collect();
        let variables: Vec<Variable> = trained.iter().map(|w| w.variable.clone()).collect();
        if variables.is_empty() {
            return Err(Error::state(format!(
                "The model \"{}\" has no trainable weights: there is nothing to fit.",
                network.name()
            )));
        }
        self.optimizer.build(&variables)?;
        let tensors: Vec<Tensor> = variables.iter().map(Variable::tensor).collect();
        let scaled = self.optimizer.scale_loss(loss);
        let gradients = grad(&scaled, &tensors.iter().collect::<Vec<_>>());
        let pairs: Vec<(Variable, Tensor)> = variables.into_iter().zip(gradients).collect();
        self.optimizer.apply(&pairs, &|variable, value| {
            let constraint = trained.iter().find(|w| w.variable == *variable);
            match constraint.and_then(|w| w.constraint.as_ref()) {
                Some(c) => c.apply(value),
                None => value.clone(),
            }
        })
    }

    /// Chooses what `"accuracy"` and the like mean, makes the metrics' state and names.
    fn prepare_metrics(&mut self, y: &Tensor, pred: &Tensor) -> Result<()> {
        for m in self.metrics.iter_mut().chain(&mut self.weighted_metrics) {
            m.build(y.ty(), pred.ty())?;
        }
        if self.names.is_empty() {
            let mut taken: Vec<String> = vec!["loss".to_string()];
            let weighted =
                std::iter::repeat_n(false, self.metrics.len()).chain(std::iter::repeat(true));
            for (m, weighted) in self
                .metrics
                .iter()
                .chain(&self.weighted_metrics)
                .zip(weighted)
            {
                let mut name = m.name().to_string();
                if weighted && taken.contains(&name) {
                    name = format!("weighted_{name}");
                }
                let stem = name.clone();
                let mut number = 1;
                while taken.contains(&name) {
                    name = format!("{stem}_{number}");
                    number += 1;
                }
                taken.push(name);
            }
            self.names = taken.split_off(1);
        }
        Ok(())
    }

    /// Begins counting anew.
    pub fn reset(&self) -> Result<()> {
        self.loss_total.assign(0.0f32)?;
        self.loss_count.assign(0.0f32)?;
        let built = self
            .metrics
            .iter()
            .chain(&self.weighted_metrics)
            .filter(|m| m.is_built());
        for m in built {
            m.reset()?;
        }
        Ok(())
    }

    /// The running sum of the loss: not finite as soon as one batch's was not.
    pub fn loss_is_finite(&self) -> bool {
        self.loss_total.scalar().is_finite()
    }

    /// The figures so far: loss, then metrics in order.
    pub fn figures(&self) -> Result<Logs> {
        let mut logs = Logs::default();
        logs.set("loss", self.loss_total.scalar() / self.loss_count.scalar());
        for (m, name) in self
            .metrics
            .iter()
            .chain(&self.weighted_metrics)
            .zip(&self.names)
        {
            let value = match m.host_value() {
                Some(v) => v,
                None => {
                    let value: Array = m.value(&crate::device())?;
                    match value.size() {
                        1 => value.item::<f64>()?,
                        // One figure for one number: a metric with several shows their mean here.
                        n => value.to_vec::<f64>().iter().sum::<f64>() / n.max(1) as f64,
                    }
                }
            };
            logs.set(name, value);
        }
        Ok(logs)
    }
}
