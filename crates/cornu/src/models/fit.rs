//! `fit`: the training loop.

use super::evaluate::{Set, batch_size, measure, run_compiled, samples_of, sorted};
use super::graph::Graph;
use super::health;
use super::model::{Model, set_weights};
use super::trainer::{Signature, Trainer};
use super::weighting;
use crate::callbacks::{Callback, History, Trained};
use crate::data::{Data, Inputs, IntoInputs};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Verbose};
use crate::{Array, Error, Logs, Result};
use cornu_core::random::Stream;
use cornu_core::{Slice, View};

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
    validation_data: Option<(Inputs<'a>, Inputs<'a>, Inputs<'a>)>,
    shuffle: Shuffle,
    class_weight: Option<Vec<(usize, f64)>>,
    sample_weight: Inputs<'a>,
    initial_epoch: usize,
    steps_per_epoch: Option<usize>,
    validation_steps: Option<usize>,
    validation_batch_size: Option<usize>,
    validation_freq: Frequency,
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
        self.validation_data = Some((x.into_inputs(), y.into_inputs(), Inputs::new()));
        self
    }

    /// As [`Fit::validation_data`], with a weight for each sample.
    pub fn validation_data_weighted(
        mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        weight: impl IntoInputs<'a>,
    ) -> Self {
        self.validation_data = Some((x.into_inputs(), y.into_inputs(), weight.into_inputs()));
        self
    }

    /// The order of samples: `true` (the default), `false`, or [`Shuffle::Batch`].
    pub fn shuffle(mut self, shuffle: impl Into<Shuffle>) -> Self {
        self.shuffle = shuffle.into();
        self
    }

    /// How much samples of a class count in the loss; classes not named count 1.
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
        let mut trainer = self.take_trainer()?;
        let result = self.prepare(&x).and_then(|()| {
            let graph = self.graph()?;
            trainer.bind(graph)?;
            Run::start(graph, &mut trainer, &x, &y, options)
        });
        self.trainer = Some(trainer);
        result
    }
}

/// What callbacks see and may change.
struct Training<'r> {
    graph: &'r Graph,
    trainer: &'r mut Trainer,
    steps: usize,
    epochs: usize,
    stop: bool,
}

impl Trained for Training<'_> {
    fn name(&self) -> &str {
        &self.graph.name
    }
    fn steps(&self) -> Option<usize> {
        Some(self.steps)
    }
    fn epochs(&self) -> usize {
        self.epochs
    }
    fn stop_training(&mut self) {
        self.stop = true;
    }
    fn learning_rate(&self) -> f64 {
        self.trainer.optimizer.learning_rate()
    }
    fn set_learning_rate(&mut self, value: f64) -> Result<()> {
        self.trainer.optimizer.set_learning_rate(value)
    }
    fn weights(&self) -> Vec<Array> {
        self.graph
            .weights(true)
            .iter()
            .map(|w| w.variable.value())
            .collect()
    }
    fn set_weights(&mut self, weights: &[Array]) -> Result<()> {
        set_weights(&self.graph.weights(true), weights)
    }
}

/// A training under way.
struct Run<'r, 'd> {
    training: Training<'r>,
    train: Set<'d>,
    validation: Option<Set<'d>>,
    validation_steps: usize,
    callbacks: Vec<Box<dyn Callback + 'd>>,
    progress: Progress,
    order: Vec<i32>,
    stream: Stream,
    shuffle: Shuffle,
    /// The next batch of the current pass over the samples.
    cursor: usize,
    warned: bool,
}

impl<'r, 'd> Run<'r, 'd> {
    fn start(
        graph: &'r Graph,
        trainer: &'r mut Trainer,
        x: &'d Inputs<'d>,
        y: &'d Inputs<'d>,
        options: Fit<'d>,
    ) -> Result<History> {
        let Fit {
            sample_weight,
            validation_data,
            callbacks,
            ..
        } = options;
        let samples = samples_of(x, "x")?;
        let weight = match &options.class_weight {
            Some(weights) => weighting::from_classes(y, weights)?.into_inputs(),
            None => sample_weight,
        };
        let batch = batch_size(options.batch_size, options.steps_per_epoch, samples)?;
        // Whole data first, so that what does not fit is found before it is split.
        let whole = Set::new(graph, x.by_ref(), y.by_ref(), weight.by_ref(), batch, "")?;
        trainer.check_targets(graph, &whole, "")?;
        let validation_batch = options.validation_batch_size.unwrap_or(batch);
        let at = (samples as f64 * (1.0 - options.validation_split)).floor() as usize;
        let split = options.validation_split > 0.0 && validation_data.is_none();
        if split && (at == 0 || at == samples) {
            return Err(Error::new(format!(
                "validation_split={} of {samples} samples leaves {at} for training and {} for validation; both need at least one.",
                options.validation_split,
                samples - at
            )));
        }
        let parts = split.then(|| (x.split(at), y.split(at), weight.split(at)));
        let (train, validation) = match (&parts, &validation_data) {
            (Some(((xt, xv), (yt, yv), (wt, wv))), _) => {
                let wt = wt.by_ref();
                // Class weights are for training alone.
                let wv = match options.class_weight {
                    Some(_) => Inputs::new(),
                    None => wv.by_ref(),
                };
                (
                    Set::new(graph, xt.by_ref(), yt.by_ref(), wt, batch, "")?,
                    Some(Set::new(
                        graph,
                        xv.by_ref(),
                        yv.by_ref(),
                        wv,
                        validation_batch,
                        "validation ",
                    )?),
                )
            }
            (None, Some((xv, yv, wv))) => {
                let wv = wv.by_ref();
                let set = Set::new(
                    graph,
                    xv.by_ref(),
                    yv.by_ref(),
                    wv,
                    validation_batch,
                    "validation ",
                )?;
                trainer.check_targets(graph, &set, "validation ")?;
                (whole, Some(set))
            }
            (None, None) => (whole, None),
        };
        let steps = options.steps_per_epoch.unwrap_or(train.steps());
        let validation_steps = options
            .validation_steps
            .unwrap_or(usize::MAX)
            .min(validation.as_ref().map_or(0, Set::steps));
        let training = Training {
            graph,
            trainer,
            steps,
            epochs: options.epochs,
            stop: false,
        };
        let mut run = Run {
            training,
            validation,
            validation_steps,
            callbacks,
            progress: Progress::stdout(options.verbose)?,
            order: match options.shuffle {
                Shuffle::No => Vec::new(),
                _ => (0..i32::try_from(train.samples).map_err(|_| too_many(train.samples))?)
                    .collect(),
            },
            stream: Stream::new(crate::utils::next_seed(), 0),
            shuffle: options.shuffle,
            cursor: 0,
            warned: false,
            train,
        };
        let mut history = History::new(options.verbose);
        let resumed = options.steps_per_epoch.is_some();
        run.epochs(
            &mut history,
            options.initial_epoch,
            resumed,
            &options.validation_freq,
        )?;
        Ok(history)
    }

    fn epochs(
        &mut self,
        history: &mut History,
        first: usize,
        resumed: bool,
        frequency: &Frequency,
    ) -> Result<()> {
        let guard = Interrupt::guard();
        each(&mut self.callbacks, |c| {
            c.on_train_begin(&mut self.training)
        })?;
        history.on_train_begin(&mut self.training)?;
        let mut logs = Logs::default();
        for epoch in first..self.training.epochs {
            self.training.trainer.reset()?;
            each(&mut self.callbacks, |c| {
                c.on_epoch_begin(&mut self.training, epoch)
            })?;
            self.progress
                .begin_epoch(epoch, self.training.epochs, Some(self.training.steps));
            if !resumed {
                self.cursor = 0;
            }
            self.epoch(epoch)?;
            logs = sorted(self.training.trainer.figures()?);
            let due = match frequency {
                Frequency::Every(n) => (epoch + 1) % n == 0,
                Frequency::Epochs(list) => list.contains(&(epoch + 1)),
            };
            if due && !Interrupt::requested() {
                self.validate(&mut logs)?;
            }
            each(&mut self.callbacks, |c| {
                c.on_epoch_end(&mut self.training, epoch, &mut logs)
            })?;
            history.on_epoch_end(&mut self.training, epoch, &mut logs)?;
            self.progress.finish(&logs);
            if self.training.stop || Interrupt::requested() {
                break;
            }
        }
        drop(guard);
        self.training.trainer.optimizer.finalize()?;
        each(&mut self.callbacks, |c| {
            c.on_train_end(&mut self.training, &logs)
        })
    }

    /// The signatures and places of the two steps of an epoch: full batches and the short last one.
    fn compiled(&mut self, rows: usize) -> Result<(Signature, usize)> {
        let signature = self
            .train
            .signature(true, rows, self.shuffle != Shuffle::No);
        let place = self
            .training
            .trainer
            .step(self.training.graph, &signature)?;
        Ok((signature, place))
    }

    fn epoch(&mut self, epoch: usize) -> Result<()> {
        let batches = self.train.steps();
        let full = self.compiled(self.train.batch.min(self.train.samples))?;
        let rest = self.train.rows(batches - 1).len();
        let last = if rest == self.train.batch {
            None
        } else {
            Some(self.compiled(rest)?)
        };
        let hooks = self.callbacks.iter().any(|c| c.wants_batches());
        for step in 0..self.training.steps {
            if self.cursor >= batches {
                eprintln!(
                    "Warning: the data has {batches} batches; epoch {} ends after {step} of the {} steps asked for.",
                    epoch + 1,
                    self.training.steps
                );
                break;
            }
            if self.cursor == 0 {
                self.reorder();
            }
            if hooks {
                each(&mut self.callbacks, |c| {
                    if c.wants_batches() {
                        c.on_train_batch_begin(&mut self.training, step)
                    } else {
                        Ok(())
                    }
                })?;
            }
            let rows = self.train.rows(self.cursor);
            let (signature, place) = match &last {
                Some(last) if rows.len() == rest => last,
                _ => &full,
            };
            step_on(
                self.training.trainer,
                &self.train,
                signature,
                *place,
                &self.order,
                rows.clone(),
            )?;
            self.cursor += 1;
            if !self.warned && !self.training.trainer.loss_is_finite() {
                self.warned = true;
                self.progress.abandon();
                let rows: Vec<usize> = match self.order.get(rows.clone()) {
                    Some(order) if !order.is_empty() => order.iter().map(|r| *r as usize).collect(),
                    _ => rows.collect(),
                };
                let where_from = health::diagnose(self.training.graph, &self.train, &rows)?;
                eprintln!(
                    "Warning: the loss is not finite from epoch {}, batch {} on: {where_from}.",
                    epoch + 1,
                    step + 1
                );
            }
            if hooks {
                let logs = sorted(self.training.trainer.figures()?);
                each(&mut self.callbacks, |c| {
                    if c.wants_batches() {
                        c.on_train_batch_end(&mut self.training, step, &logs)
                    } else {
                        Ok(())
                    }
                })?;
            }
            if self.progress.due(step + 1) {
                let logs = sorted(self.training.trainer.figures()?);
                self.progress.update(step + 1, &logs);
            }
            if self.training.stop || Interrupt::requested() {
                break;
            }
        }
        if self.cursor >= batches {
            self.cursor = 0;
        }
        Ok(())
    }

    fn reorder(&mut self) {
        match self.shuffle {
            Shuffle::No => {}
            Shuffle::Samples => self.stream.shuffle(&mut self.order),
            Shuffle::Batch => {
                for batch in self.order.chunks_mut(self.train.batch) {
                    self.stream.shuffle(batch);
                }
            }
        }
    }

    fn validate(&mut self, logs: &mut Logs) -> Result<()> {
        let Some(set) = &self.validation else {
            return Ok(());
        };
        each(&mut self.callbacks, |c| c.on_test_begin(&mut self.training))?;
        let figures = measure(
            self.training.trainer,
            self.training.graph,
            set,
            self.validation_steps,
            |_, _| Ok(()),
        )?;
        let figures = sorted(figures);
        for (name, value) in figures.iter() {
            logs.set(&format!("val_{name}"), value);
        }
        each(&mut self.callbacks, |c| {
            c.on_test_end(&mut self.training, &figures)
        })
    }
}

/// Runs a compiled step: on rows picked by `order`, or, if it is empty, on consecutive ones.
fn step_on(
    trainer: &mut Trainer,
    set: &Set<'_>,
    signature: &Signature,
    place: usize,
    order: &[i32],
    rows: std::ops::Range<usize>,
) -> Result<()> {
    if order.is_empty() {
        return run_compiled(trainer, set, signature, place, rows);
    }
    let picked = [rows.len()];
    let index = View {
        shape: &picked,
        data: Slice::I32(&order[rows]),
    };
    let arrays = [&set.x, &set.y, &set.weight].into_iter().flatten();
    trainer.run(place, arrays.map(Data::view).chain([index]))
}

fn each<'d>(
    callbacks: &mut [Box<dyn Callback + 'd>],
    mut hook: impl FnMut(&mut (dyn Callback + 'd)) -> Result<()>,
) -> Result<()> {
    callbacks.iter_mut().try_for_each(|c| hook(&mut **c))
}

fn too_many(samples: usize) -> Error {
    Error::shape(format!(
        "fit shuffles at most 2^31 - 1 samples. Received: {samples}. Use shuffle(false)."
    ))
}
