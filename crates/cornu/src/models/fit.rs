//! `fit`: the training loop.

mod backup;
mod rows;
mod run;
mod stream;

use super::model::Model;
use crate::callbacks::{Callback, History};
use crate::data::{Dataset, Inputs, IntoInputs};
use crate::progress::Verbose;
use crate::{Error, Result};
use run::Run;

/// In which order samples are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shuffle {
    /// All samples in a new random order in every epoch (the default).
    #[default]
    Samples,
    /// Samples within each batch.
    Batch,
    /// As they come.
    No,
}

impl From<bool> for Shuffle {
    fn from(shuffle: bool) -> Self {
        if shuffle {
            Shuffle::Samples
        } else {
            Shuffle::No
        }
    }
}

/// What [`Model::fit`] is told: Keras' arguments under their names, with its defaults.
#[allow(missing_debug_implementations)] // callbacks are trait objects
pub struct Fit<'a> {
    batch_size: Option<usize>,
    epochs: usize,
    verbose: Verbose,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    validation_split: f64,
    validation_data: Option<Validation<'a>>,
    shuffle: Shuffle,
    class_weight: Option<Vec<(usize, f64)>>,
    sample_weight: Inputs<'a>,
    initial_epoch: usize,
    steps_per_epoch: Option<usize>,
    validation_steps: Option<usize>,
    validation_batch_size: Option<usize>,
    validation_freq: Frequency,
}

/// What validation is made on.
enum Validation<'a> {
    /// Inputs, targets and weights.
    Arrays(Inputs<'a>, Inputs<'a>, Inputs<'a>),
    Dataset(&'a dyn Dataset),
}

/// After which epochs there is validation.
#[derive(Clone, Debug)]
enum Frequency {
    Every(usize),
    Epochs(Vec<usize>),
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Fit<'a> {
    /// One epoch of batches of 32, shuffled, with a progress bar.
    pub fn new() -> Self {
        Self {
            batch_size: None,
            epochs: 1,
            verbose: Verbose::Auto,
            callbacks: Vec::new(),
            validation_split: 0.0,
            validation_data: None,
            shuffle: Shuffle::Samples,
            class_weight: None,
            sample_weight: Inputs::new(),
            initial_epoch: 0,
            steps_per_epoch: None,
            validation_steps: None,
            validation_batch_size: None,
            validation_freq: Frequency::Every(1),
        }
    }

    /// Samples per step; 32 by default.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// The epoch at which training ends (so that, from `initial_epoch` on, `epochs − initial_epoch`
    /// passes are made); 1 by default.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// What is shown: 0 nothing, 1 a progress bar on a terminal and one line per epoch elsewhere (the
    /// default), 2 one line per epoch.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// Adds a callback; give `&mut callback` to look at it afterwards.
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Keeps this share of the samples, the last ones before shuffling, for validation.
    pub fn validation_split(mut self, share: f64) -> Self {
        self.validation_split = share;
        self
    }

    /// Measures loss and metrics on these samples after each epoch.
    pub fn validation_data(mut self, x: impl IntoInputs<'a>, y: impl IntoInputs<'a>) -> Self {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        self.validation_data = Some(Validation::Arrays(x, y, Inputs::new()));
        self
    }

    /// As [`Fit::validation_data`], with a weight for each sample.
    pub fn validation_data_weighted(
        mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        weight: impl IntoInputs<'a>,
    ) -> Self {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        self.validation_data = Some(Validation::Arrays(x, y, weight.into_inputs()));
        self
    }

    /// Measures loss and metrics on the batches of this dataset after each epoch.
    pub fn validation_dataset(mut self, data: &'a dyn Dataset) -> Self {
        self.validation_data = Some(Validation::Dataset(data));
        self
    }

    /// The order of samples: `true` (the default), `false`, or [`Shuffle::Batch`].
    pub fn shuffle(mut self, shuffle: impl Into<Shuffle>) -> Self {
        self.shuffle = shuffle.into();
        self
    }

    /// How much samples of a class count in the loss; classes not named count 1. Of targets for each step
    /// of a sequence, the steps are weighted.
    pub fn class_weight(mut self, weights: impl IntoIterator<Item = (usize, f64)>) -> Self {
        self.class_weight = Some(weights.into_iter().collect());
        self
    }

    /// How much each sample counts in the loss (and weighted metrics).
    pub fn sample_weight(mut self, weight: impl IntoInputs<'a>) -> Self {
        self.sample_weight = weight.into_inputs();
        self
    }

    /// The number of the first epoch, to go on with an earlier training; 0 by default.
    pub fn initial_epoch(mut self, epoch: usize) -> Self {
        self.initial_epoch = epoch;
        self
    }

    /// Ends an epoch after this many batches; the next goes on with the samples that follow.
    pub fn steps_per_epoch(mut self, steps: usize) -> Self {
        self.steps_per_epoch = Some(steps);
        self
    }

    /// Ends a validation after this many batches.
    pub fn validation_steps(mut self, steps: usize) -> Self {
        self.validation_steps = Some(steps);
        self
    }

    /// Samples measured at a time in validation; `batch_size` by default.
    pub fn validation_batch_size(mut self, batch_size: usize) -> Self {
        self.validation_batch_size = Some(batch_size);
        self
    }

    /// Validates after every `epochs`-th epoch; every one by default.
    pub fn validation_freq(mut self, epochs: usize) -> Self {
        self.validation_freq = Frequency::Every(epochs);
        self
    }

    /// Validates after the epochs of these numbers (from 1).
    pub fn validation_epochs(mut self, epochs: impl Into<Vec<usize>>) -> Self {
        self.validation_freq = Frequency::Epochs(epochs.into());
        self
    }

    fn check(&self) -> Result<()> {
        let zero = [
            ("batch_size", self.batch_size),
            ("validation_batch_size", self.validation_batch_size),
            ("steps_per_epoch", self.steps_per_epoch),
            ("validation_steps", self.validation_steps),
        ];
        if let Some((name, _)) = zero.into_iter().find(|(_, v)| *v == Some(0)) {
            return Err(Error::new(format!(
                "{name} must be at least 1. Received: {name}=0."
            )));
        }
        if !(0.0..1.0).contains(&self.validation_split) {
            return Err(Error::new(format!(
                "validation_split must be at least 0 and less than 1. Received: validation_split={}.",
                self.validation_split
            )));
        }
        if matches!(self.validation_freq, Frequency::Every(0)) {
            return Err(Error::new(
                "validation_freq must be at least 1. Received: validation_freq=0.",
            ));
        }
        if self.class_weight.is_some() && !self.sample_weight.is_empty() {
            return Err(Error::new("Give class_weight or sample_weight, not both."));
        }
        Ok(())
    }

    fn check_for_dataset(&self) -> Result<()> {
        let given = [
            ("batch_size", self.batch_size.is_some()),
            ("validation_split", self.validation_split > 0.0),
            ("sample_weight", !self.sample_weight.is_empty()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((name, _)) => Err(Error::new(format!(
                "{name} is for arrays. A dataset is batched, split and weighted before it is given \
                 to fit_dataset."
            ))),
        }
    }
}

impl Model {
    /// Trains the model on samples `x` and targets `y`; returns loss and metrics of every epoch.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = Array::from([[0.0f32], [1.0], [2.0], [3.0]]);
    /// let y = Array::from([[1.0f32], [3.0], [5.0], [7.0]]);
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).input_shape([1]));
    /// model.compile(SGD::new().learning_rate(0.1), "mse", ())?;
    /// let history = model.fit(&x, &y, Fit::new().epochs(200).verbose(0))?;
    /// assert!(history["loss"].last().unwrap() < &1e-3);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// Ctrl-C ends training after the current batch; the model stays usable.
    ///
    /// # Errors
    /// If the model is not compiled, the data does not fit the model or the loss, an option is out of
    /// range, or a callback fails.
    pub fn fit<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        options: Fit<'a>,
    ) -> Result<History> {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        options.check()?;
        self.optimizer()?;
        self.prepare(&x)?;
        let (graph, trainer) = self.parts()?;
        trainer.bind(graph)?;
        Run::on_arrays(self, &x, &y, options)
    }

    /// Trains the model on the batches that a dataset makes, from its first one on in each epoch.
    ///
    /// With [`Fit::steps_per_epoch`] an epoch ends after so many batches and the next goes on with
    /// those that follow; a dataset without end needs it. If nobody knows how many batches there are,
    /// the first epoch shows `12/Unknown`, as in Keras. The options that cut arrays into batches
    /// (`batch_size`, `shuffle`, `validation_split`, `sample_weight`) are the dataset's affair.
    ///
    /// ```
    /// use cornu::data::{Dataset, from_generator};
    /// use cornu::prelude::*;
    /// let samples = from_generator(|| {
    ///     (0..64).map(|i| Ok((Array::from([i as f32 / 64.0]), Array::from([i as f32 / 32.0]))))
    /// });
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).input_shape([1]));
    /// model.compile(SGD::new().learning_rate(0.2), "mse", ())?;
    /// let data = samples.cache().shuffle(64).batch(16);
    /// let history = model.fit_dataset(&data, Fit::new().epochs(100).verbose(0))?;
    /// assert!(history["loss"].last().unwrap() < &1e-2);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::fit`]; whatever the dataset gives as an error; a dataset that gives no batch; an
    /// option that is for arrays alone.
    pub fn fit_dataset<'a>(&mut self, data: &'a dyn Dataset, options: Fit<'a>) -> Result<History> {
        options.check()?;
        options.check_for_dataset()?;
        self.optimizer()?;
        self.prepare_for(data)?;
        let (graph, trainer) = self.parts()?;
        trainer.bind(graph)?;
        Run::on_dataset(self, data, options)
    }
}
