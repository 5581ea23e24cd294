//! One step at a time, for loops of one's own.

use super::model::Model;
use super::set::{Set, run_rows, samples_of};
use super::weighting::from_classes;
use crate::data::{Inputs, IntoInputs};
use crate::{Logs, Result};

impl Model {
    /// Trains on one batch and returns its loss and metrics.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).input_shape([2]));
    /// model.compile("sgd", "mse", ())?;
    /// let (x, y) = (Array::from([[1.0f32, 2.0]]), Array::from([[3.0f32]]));
    /// let first = model.train_on_batch(&x, &y)?["loss"];
    /// let second = model.train_on_batch(&x, &y)?["loss"];
    /// assert!(second < first);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn train_on_batch<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
    ) -> Result<Logs> {
        self.on_batch(true, x, y, Weighting::Samples(Inputs::new()))
    }

    /// As [`Model::train_on_batch`], with one weight per sample.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn train_on_batch_weighted<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        sample_weight: impl IntoInputs<'a>,
    ) -> Result<Logs> {
        let weight = Weighting::Samples(sample_weight.into_inputs());
        self.on_batch(true, x, y, weight)
    }

    /// As [`Model::train_on_batch`], with one weight per class.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn train_on_batch_class_weighted<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        class_weight: &'a [(usize, f64)],
    ) -> Result<Logs> {
        self.on_batch(true, x, y, Weighting::Classes(class_weight))
    }

    /// Loss and metrics of one batch.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn test_on_batch<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
    ) -> Result<Logs> {
        self.on_batch(false, x, y, Weighting::Samples(Inputs::new()))
    }

    /// As [`Model::test_on_batch`], with one weight per sample.
    ///
    /// # Errors
    /// As [`Model::evaluate`].
    pub fn test_on_batch_weighted<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        sample_weight: impl IntoInputs<'a>,
    ) -> Result<Logs> {
        let weight = Weighting::Samples(sample_weight.into_inputs());
        self.on_batch(false, x, y, weight)
    }

    fn on_batch<'a>(
        &mut self,
        training: bool,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        weighting: Weighting<'a>,
    ) -> Result<Logs> {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        self.optimizer()?;
        self.prepare(&x)?;
        let (graph, trainer) = self.parts()?;
        trainer.bind(graph)?;
        let weight = match weighting {
            Weighting::Samples(weight) => weight,
            Weighting::Classes(weights) => from_classes(graph, &y, weights)?.into_inputs(),
        };
        let samples = samples_of(&x, "x")?.max(1);
        let set = Set::new(graph, x, y, weight, samples, "")?;
        trainer.check_targets(graph, &set, "")?;
        trainer.reset()?;
        run_rows(trainer, graph, &set, training, 0..samples)?;
        trainer.figures()
    }
}

/// How much the samples of a batch count.
enum Weighting<'a> {
    /// One weight for each, or none at all.
    Samples(Inputs<'a>),
    /// Weights of their classes.
    Classes(&'a [(usize, f64)]),
}
