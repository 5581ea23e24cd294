//! `evaluate`.

use super::measure::{Held, measure, sorted};
use super::model::Model;
use super::set::{Set, arrange_inputs, batch_size, samples_of, steps_of};
use super::training::Training;
use crate::callbacks::Callback;
use crate::data::{Data, Dataset, Inputs, IntoInputs};
use crate::layers::InputShape;
use crate::progress::{Progress, Verbose};
use crate::{Error, Logs, Result};

/// What [`Model::evaluate_with`] can be told.
#[allow(missing_debug_implementations)] // callbacks are trait objects
pub struct Evaluate<'a> {
    batch_size: Option<usize>,
    verbose: Verbose,
    sample_weight: Inputs<'a>,
    steps: Option<usize>,
    callbacks: Vec<Box<dyn Callback + 'a>>,
}

impl Default for Evaluate<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Evaluate<'a> {
    /// Batches of 32, with a progress bar.
    pub fn new() -> Self {
        Self {
            batch_size: None,
            verbose: Verbose::Auto,
            sample_weight: Inputs::new(),
            steps: None,
            callbacks: Vec::new(),
        }
    }

    /// Samples measured at a time: 32 by default.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// What is shown meanwhile: 0 nothing, 1 a bar on a terminal or one line, 2 one line.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// One weight per sample: for all outputs alike, or for each.
    pub fn sample_weight(mut self, weight: impl IntoInputs<'a>) -> Self {
        self.sample_weight = weight.into_inputs();
        self
    }

    /// Stops after this many batches.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Adds a callback, whose hooks of tests are called; give `&mut callback` to look at it afterwards.
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }
}

impl Model {
    /// Loss and metrics over data, in this order: the loss, then the metrics as given to `compile`.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([1]));
    /// model.compile("sgd", "mse", ["mae"])?;
    /// let scores = model.evaluate(&Array::from([[1.0f32], [2.0]]), &Array::from([[1.0f32], [4.0]]))?;
    /// assert_eq!((scores["loss"], scores["mae"]), (2.0, 1.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not compiled, or the data does not fit the model or the loss.
    pub fn evaluate<'a>(&mut self, x: impl IntoInputs<'a>, y: impl IntoInputs<'a>) -> Result<Logs> {
        self.evaluate_with(x, y, Evaluate::new())
    }

    /// As [`Model::evaluate`], with options.
    ///
    /// # Errors
    /// As [`Model::evaluate`], or an option out of range.
    pub fn evaluate_with<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        mut options: Evaluate<'a>,
    ) -> Result<Logs> {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        self.optimizer()?;
        self.prepare(&x)?;
        let (graph, trainer) = self.parts()?;
        trainer.bind(graph)?;
        let batch = batch_size(options.batch_size, options.steps, samples_of(&x, "x")?)?;
        let weight = std::mem::take(&mut options.sample_weight);
        let set = Set::new(graph, x, y, weight, batch, "")?;
        trainer.check_targets(graph, &set, "")?;
        let steps = set.steps().min(options.steps.unwrap_or(usize::MAX));
        self.test(&Held::Set(set), Some(steps), options)
    }

    /// Loss and metrics over the batches that a dataset makes.
    ///
    /// ```
    /// use cornu::data::{Dataset, from_tensor_slices};
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([1]));
    /// model.compile("sgd", "mse", ["mae"])?;
    /// let data = from_tensor_slices(Array::from([[1.0f32], [2.0]]), Array::from([[1.0f32], [4.0]]));
    /// let scores = model.evaluate_dataset(&data.batch(1), Evaluate::new().verbose(0))?;
    /// assert_eq!((scores["loss"], scores["mae"]), (2.0, 1.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::evaluate_with`]; whatever the dataset gives as an error; a dataset without end and
    /// without [`Evaluate::steps`]; a `batch_size` or `sample_weight`, which are for arrays.
    pub fn evaluate_dataset(&mut self, data: &dyn Dataset, options: Evaluate<'_>) -> Result<Logs> {
        if options.batch_size.is_some() || !options.sample_weight.is_empty() {
            return Err(Error::new(
                "batch_size and sample_weight are for arrays. A dataset is batched and weighted \
                 before it is given to evaluate_dataset.",
            ));
        }
        let all = steps_of(data, options.steps)?;
        self.optimizer()?;
        self.prepare_for(data)?;
        let (graph, trainer) = self.parts()?;
        trainer.bind(graph)?;
        self.test(&Held::Dataset(data), all, options)
    }

    /// Loss and metrics over so many batches, if their number is known.
    fn test(
        &mut self,
        held: &Held<'_>,
        batches: Option<usize>,
        options: Evaluate<'_>,
    ) -> Result<Logs> {
        let mut progress = Progress::stdout(options.verbose)?;
        progress.begin(batches);
        let mut callbacks = options.callbacks;
        let mut training = Training::new(self, batches, 1);
        let steps = options.steps.unwrap_or(usize::MAX);
        let logs = measure(
            &mut training,
            held,
            steps,
            "",
            &mut callbacks,
            Some(&mut progress),
        )?;
        progress.finish(&sorted(logs.clone()));
        Ok(logs)
    }
}

impl Model {
    /// Builds the model from the data's shape if it is not built yet, and checks that it fits.
    pub(super) fn prepare(&mut self, x: &Inputs<'_>) -> Result<()> {
        if !self.is_built() && self.build().is_err() {
            // The samples' shape says what the first layer does not; a vector of numbers is a
            // column of one feature.
            let shape = |x: &Data<'_>| {
                let mut sample = x.shape().get(1..).unwrap_or_default().to_vec();
                if sample.is_empty() {
                    sample.push(1);
                }
                InputShape::batch_of(sample)
            };
            self.build_for_all(&x.iter().map(shape).collect::<Vec<_>>())?;
        }
        arrange_inputs(self.graph()?, x.by_ref(), "x").map(|_| ())
    }

    /// Builds the model from the first batch of a dataset if it is not built yet.
    pub(super) fn prepare_for(&mut self, data: &dyn Dataset) -> Result<()> {
        if self.is_built() || self.build().is_ok() {
            return Ok(());
        }
        match data.examples()?.next() {
            Some(first) => self.prepare(&first?.x),
            None => Err(Error::new("The dataset gave no batch.")),
        }
    }
}
