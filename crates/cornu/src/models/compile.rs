//! What `compile` is given.

use super::model::Model;
use super::trainer::Trainer;
use crate::Result;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::{LossScale, Optimizer};

/// Metrics as `compile` takes them: an array or vector of names or values, or `()` for none.
pub trait IntoMetrics {
    /// As a list.
    fn into_metrics(self) -> Vec<Metric>;
}

impl IntoMetrics for () {
    fn into_metrics(self) -> Vec<Metric> {
        Vec::new()
    }
}

impl<M: Into<Metric>, const N: usize> IntoMetrics for [M; N] {
    fn into_metrics(self) -> Vec<Metric> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<M: Into<Metric>> IntoMetrics for Vec<M> {
    fn into_metrics(self) -> Vec<Metric> {
        self.into_iter().map(Into::into).collect()
    }
}

/// Everything that [`Model::compile_with`] can be told.
#[derive(Debug)]
pub struct Compile {
    pub(super) optimizer: Optimizer,
    /// What holds for every output that has nothing of its own.
    pub(super) common: ForOutput,
    /// What outputs have of their own, by name.
    pub(super) own: Vec<(String, ForOutput)>,
    pub(super) auto_scale_loss: bool,
    pub(super) loss_scale: Option<LossScale>,
}

/// Loss and metrics of an output.
#[derive(Clone, Debug, Default)]
pub(super) struct ForOutput {
    pub loss: Option<Loss>,
    pub weight: Option<f64>,
    pub metrics: Vec<Metric>,
    pub weighted_metrics: Vec<Metric>,
}

impl Compile {
    /// An optimizer and a loss, by name or value. A model of several outputs has this loss at each of
    /// them that is given no other.
    pub fn new(optimizer: impl Into<Optimizer>, loss: impl Into<Loss>) -> Self {
        let mut compile = Self::optimizer(optimizer);
        compile.common.loss = Some(loss.into());
        compile
    }

    /// An optimizer alone: losses are given by [`Compile::loss_for`], or added by layers.
    pub fn optimizer(optimizer: impl Into<Optimizer>) -> Self {
        Self {
            optimizer: optimizer.into(),
            common: ForOutput::default(),
            own: Vec::new(),
            auto_scale_loss: true,
            loss_scale: None,
        }
    }

    /// How much the loss counts beside penalties on weights and outputs; 1 by default. (Keras'
    /// `loss_weights` for a model of one output.)
    pub fn loss_weight(mut self, weight: f64) -> Self {
        self.common.weight = Some(weight);
        self
    }

    /// Metrics, which count every sample the same. For a model of one output.
    pub fn metrics(mut self, metrics: impl IntoMetrics) -> Self {
        self.common.metrics = metrics.into_metrics();
        self
    }

    /// Metrics that heed `sample_weight` and `class_weight`. For a model of one output.
    pub fn weighted_metrics(mut self, metrics: impl IntoMetrics) -> Self {
        self.common.weighted_metrics = metrics.into_metrics();
        self
    }

    /// Whether a model with layers of the policy `mixed_float16` has its loss scaled
    /// ([`LossScale`]); so it is by default.
    pub fn auto_scale_loss(mut self, scale: bool) -> Self {
        self.auto_scale_loss = scale;
        self
    }

    /// How the loss is scaled, whatever the layers' policies.
    pub fn loss_scale(mut self, scale: LossScale) -> Self {
        self.loss_scale = Some(scale);
        self
    }

    pub(super) fn of(&mut self, output: &str) -> &mut ForOutput {
        let at = match self.own.iter().position(|(name, _)| name == output) {
            Some(at) => at,
            None => {
                self.own.push((output.to_string(), ForOutput::default()));
                self.own.len() - 1
            }
        };
        &mut self.own[at].1
    }

    /// The loss at the output of this name.
    pub fn loss_for(mut self, output: &str, loss: impl Into<Loss>) -> Self {
        self.of(output).loss = Some(loss.into());
        self
    }

    /// How much the loss at the output of this name counts in the sum; 1 by default.
    pub fn loss_weight_for(mut self, output: &str, weight: f64) -> Self {
        self.of(output).weight = Some(weight);
        self
    }

    /// The metrics of the output of this name; their names begin with it.
    pub fn metrics_for(mut self, output: &str, metrics: impl IntoMetrics) -> Self {
        self.of(output).metrics = metrics.into_metrics();
        self
    }

    /// The metrics of the output of this name that heed weights of samples.
    pub fn weighted_metrics_for(mut self, output: &str, metrics: impl IntoMetrics) -> Self {
        self.of(output).weighted_metrics = metrics.into_metrics();
        self
    }
}

impl Model {
    /// Says how to train: optimizer, loss and metrics, by Keras' names or as values. Also builds the
    /// model if its input shape is known.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).input_shape([3]));
    /// model.compile("adam", "mse", ["mae"])?;
    /// model.compile(SGD::new().learning_rate(0.1), Huber::new(), ())?;
    /// let e = model.compile("adm", "mse", ()).unwrap_err();
    /// assert!(e.to_string().contains("Did you mean \"adam\""));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// A name that is not known, an argument out of range, or a model that cannot be built.
    pub fn compile(
        &mut self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: impl IntoMetrics,
    ) -> Result<()> {
        self.compile_with(Compile::new(optimizer, loss).metrics(metrics))
    }

    /// As [`Model::compile`], with all that can be said.
    ///
    /// # Errors
    /// As [`Model::compile`].
    pub fn compile_with(&mut self, compile: Compile) -> Result<()> {
        compile.optimizer.check()?;
        compile
            .loss_scale
            .as_ref()
            .map_or(Ok(()), LossScale::check)?;
        let own = compile.own.iter().map(|(_, own)| own);
        for part in own.chain([&compile.common]) {
            part.loss.as_ref().map_or(Ok(()), Loss::check)?;
            for m in part.metrics.iter().chain(&part.weighted_metrics) {
                m.check()?;
            }
        }
        if !self.is_built() {
            match self.build() {
                // Built when it is fitted, from the data's shape.
                Err(e) if e.kind() == crate::ErrorKind::State && !self.units().is_empty() => {}
                other => other?,
            }
        }
        let mut trainer = Trainer::new(compile);
        trainer.frozen = !self.base.trainable;
        if let Some(graph) = &self.graph {
            trainer.bind(graph)?;
        }
        self.trainer = Some(trainer);
        Ok(())
    }

    /// Whether the model has been compiled.
    pub fn is_compiled(&self) -> bool {
        self.trainer.is_some()
    }

    /// The optimizer, for its learning rate and state.
    ///
    /// # Errors
    /// Before [`Model::compile`].
    pub fn optimizer(&self) -> Result<&Optimizer> {
        match &self.trainer {
            Some(t) => Ok(&t.optimizer),
            None => Err(not_compiled(self.name())),
        }
    }

    /// How many training and measuring programs the model keeps: one for each shape of batch, at most
    /// 16, those used last.
    pub fn kept_programs(&self) -> usize {
        self.trainer.as_ref().map_or(0, Trainer::programs)
    }

    /// The factor on the loss, of a model that has one ([`LossScale`]) and was fitted.
    pub fn loss_scale(&self) -> Option<f64> {
        let scale = self.trainer.as_ref()?.loss_scale.as_ref()?;
        Some(scale.value())
    }
}

pub(super) fn not_compiled(name: &str) -> crate::Error {
    crate::Error::state(format!(
        "The model \"{name}\" must be compiled first: call compile(optimizer, loss, metrics)."
    ))
}
