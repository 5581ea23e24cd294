//! What `compile` is given.

use super::network::Network;
use super::sequential::Sequential;
use super::trainer::Trainer;
use crate::Result;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::Optimizer;

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

/// Everything that [`Sequential::compile_with`] can be told.
#[derive(Debug)]
pub struct Compile {
    pub(super) optimizer: Optimizer,
    pub(super) loss: Loss,
    pub(super) loss_weight: f64,
    pub(super) metrics: Vec<Metric>,
    pub(super) weighted_metrics: Vec<Metric>,
}

impl Compile {
    /// An optimizer and a loss, by name or value.
    pub fn new(optimizer: impl Into<Optimizer>, loss: impl Into<Loss>) -> Self {
        Self {
            optimizer: optimizer.into(),
            loss: loss.into(),
            loss_weight: 1.0,
            metrics: Vec::new(),
            weighted_metrics: Vec::new(),
        }
    }

    /// How much the loss counts beside penalties on weights and outputs; 1 by default. (Keras'
    /// `loss_weights` for a model of one output.)
    pub fn loss_weight(mut self, weight: f64) -> Self {
        self.loss_weight = weight;
        self
    }

    /// Metrics, which count every sample the same.
    pub fn metrics(mut self, metrics: impl IntoMetrics) -> Self {
        self.metrics = metrics.into_metrics();
        self
    }

    /// Metrics that heed `sample_weight` and `class_weight`.
    pub fn weighted_metrics(mut self, metrics: impl IntoMetrics) -> Self {
        self.weighted_metrics = metrics.into_metrics();
        self
    }
}

impl Sequential {
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

    /// As [`Sequential::compile`], with all that can be said.
    ///
    /// # Errors
    /// As [`Sequential::compile`].
    pub fn compile_with(&mut self, compile: Compile) -> Result<()> {
        compile.optimizer.check()?;
        compile.loss.check()?;
        for m in compile.metrics.iter().chain(&compile.weighted_metrics) {
            m.check()?;
        }
        if !self.is_built() {
            match self.build() {
                // Built when it is fitted, from the data's shape.
                Err(e) if e.kind() == crate::ErrorKind::State && !self.layers().is_empty() => {}
                other => other?,
            }
        }
        self.trainer = Some(Trainer::new(compile));
        Ok(())
    }

    /// Whether the model has been compiled.
    pub fn is_compiled(&self) -> bool {
        self.trainer.is_some()
    }

    /// The optimizer, for its learning rate and state.
    ///
    /// # Errors
    /// Before [`Sequential::compile`].
    pub fn optimizer(&self) -> Result<&Optimizer> {
        match &self.trainer {
            Some(t) => Ok(&t.optimizer),
            None => Err(not_compiled(Network::name(self))),
        }
    }

    /// The trainer and, beside it, the network.
    pub(super) fn take_trainer(&mut self) -> Result<Trainer> {
        self.trainer
            .take()
            .ok_or_else(|| not_compiled(Network::name(self)))
    }
}

fn not_compiled(name: &str) -> crate::Error {
    crate::Error::state(format!(
        "The model \"{name}\" must be compiled first: call compile(optimizer, loss, metrics)."
    ))
}
