//! One step at a time, for loops of one's own.

use super::evaluate::{Set, run_rows};
use super::sequential::Sequential;
use super::weighting;
use crate::data::{Data, IntoData};
use crate::{Logs, Result};

impl Sequential {
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
    /// As [`Sequential::fit`].
    pub fn train_on_batch<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
    ) -> Result<Logs> {
        self.on_batch(true, x.into_data(), y.into_data(), None)
    }

    /// As [`Sequential::train_on_batch`], with one weight per sample.
    ///
    /// # Errors
    /// As [`Sequential::fit`].
    pub fn train_on_batch_weighted<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
        sample_weight: impl IntoData<'a>,
    ) -> Result<Logs> {
        self.on_batch(
            true,
            x.into_data(),
            y.into_data(),
            Some(sample_weight.into_data()),
        )
    }

    /// As [`Sequential::train_on_batch`], with one weight per class.
    ///
    /// # Errors
    /// As [`Sequential::fit`].
    pub fn train_on_batch_class_weighted<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
        class_weight: &[(usize, f64)],
    ) -> Result<Logs> {
        let y = y.into_data();
        let weight = weighting::from_classes(&y, class_weight)?;
        self.on_batch(true, x.into_data(), y, Some(weight.into_data()))
    }

    /// Loss and metrics of one batch.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`].
    pub fn test_on_batch<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
    ) -> Result<Logs> {
        self.on_batch(false, x.into_data(), y.into_data(), None)
    }

    /// As [`Sequential::test_on_batch`], with one weight per sample.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`].
    pub fn test_on_batch_weighted<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
        sample_weight: impl IntoData<'a>,
    ) -> Result<Logs> {
        self.on_batch(
            false,
            x.into_data(),
            y.into_data(),
            Some(sample_weight.into_data()),
        )
    }

    fn on_batch(
        &mut self,
        training: bool,
        x: Data<'_>,
        y: Data<'_>,
        weight: Option<Data<'_>>,
    ) -> Result<Logs> {
        let mut trainer = self.take_trainer()?;
        let result = self.prepare(&x).and_then(|()| {
            let samples = x.samples("x")?.max(1);
            let weight = weight.as_ref().map(Data::by_ref);
            let set = Set::new(self, x.by_ref(), y.by_ref(), weight, samples, "")?;
            trainer.check_targets(self, &set, "")?;
            trainer.reset()?;
            run_rows(&mut trainer, self, &set, training, 0..samples)?;
            trainer.figures()
        });
        self.trainer = Some(trainer);
        result
    }
}
