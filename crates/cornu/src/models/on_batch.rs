//! One step at a time, for loops of one's own.

use super::evaluate::{Set, run_rows, samples_of};
use super::model::Model;
use super::weighting;
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
        self.on_batch(true, x.into_inputs(), y.into_inputs(), Inputs::new())
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
        self.on_batch(
            true,
            x.into_inputs(),
            y.into_inputs(),
            sample_weight.into_inputs(),
        )
    }

    /// As [`Model::train_on_batch`], with one weight per class.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn train_on_batch_class_weighted<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        class_weight: &[(usize, f64)],
    ) -> Result<Logs> {
        let y = y.into_inputs();
        let weight = weighting::from_classes(&y, class_weight)?;
        self.on_batch(true, x.into_inputs(), y, weight.into_inputs())
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
        self.on_batch(false, x.into_inputs(), y.into_inputs(), Inputs::new())
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
        self.on_batch(
            false,
            x.into_inputs(),
            y.into_inputs(),
            sample_weight.into_inputs(),
        )
    }

    fn on_batch(
        &mut self,
        training: bool,
        x: Inputs<'_>,
        y: Inputs<'_>,
        weight: Inputs<'_>,
    ) -> Result<Logs> {
        let mut trainer = self.take_trainer()?;
        let result = self.prepare(&x).and_then(|()| {
            let graph = self.graph()?;
            trainer.bind(graph)?;
            let samples = samples_of(&x, "x")?.max(1);
            let set = Set::new(graph, x, y, weight, samples, "")?;
            trainer.check_targets(graph, &set, "")?;
            trainer.reset()?;
            run_rows(&mut trainer, graph, &set, training, 0..samples)?;
            trainer.figures()
        });
        self.trainer = Some(trainer);
        result
    }
}
