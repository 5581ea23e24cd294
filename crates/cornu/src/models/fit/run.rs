//! The one training loop.

use super::backup::Position;
use super::rows::Rows;
use super::stream::Stream;
use super::{Fit, Frequency, Validation};
use crate::callbacks::{Callback, History, State};
use crate::data::{Cardinality, Dataset, Inputs, IntoInputs};
use crate::interrupt::Interrupt;
use crate::models::graph::Graph;
use crate::models::measure::{Held, each, each_of_batches, measure, sorted};
use crate::models::model::Model;
use crate::models::set::{Set, batch_size, samples_of};
use crate::models::trainer::Trainer;
use crate::models::training::Training;
use crate::models::weighting;
use crate::progress::Progress;
use crate::{Error, Logs, Result};

/// Where batches come from.
pub(super) trait Feed {
    /// The number of batches in a pass over the data, if it is known.
    fn steps(&self) -> Option<usize>;

    /// Before an epoch; `go_on` if it goes on where the one before ended.
    fn begin_epoch(&mut self, graph: &Graph, trainer: &mut Trainer, go_on: bool) -> Result<()>;

    /// Trains on the next batch, and says whether there was one left in this pass.
    fn step(&mut self, graph: &Graph, trainer: &mut Trainer) -> Result<bool>;

    /// Where the last step's loss that is not finite comes from.
    fn diagnose(&self, graph: &Graph) -> Result<String>;

    /// Where in the data, and in their order, the training is.
    fn place(&self) -> State;

    /// Goes to where [`Feed::place`] was, and compiles what the next step needs.
    fn go_to(&mut self, graph: &Graph, trainer: &mut Trainer, place: &State) -> Result<()>;
}

/// A training under way.
pub(super) struct Run<'r, 'd> {
    pub(super) training: Training<&'r mut Model>,
    pub(super) feed: Box<dyn Feed + 'd>,
    /// Whether the user said how long an epoch is.
    asked: bool,
    pub(super) validation: Option<Held<'d>>,
    validation_steps: usize,
    /// Validations made so far.
    pub(super) validations: usize,
    frequency: Frequency,
    pub(super) callbacks: Vec<Box<dyn Callback + 'd>>,
    progress: Progress,
    warned: bool,
}

impl<'r, 'd> Run<'r, 'd> {
    /// Trains on arrays.
    pub fn on_arrays(
        model: &'r mut Model,
        x: &'d Inputs<'d>,
        y: &'d Inputs<'d>,
        mut options: Fit<'d>,
    ) -> Result<History> {
        let validation_data = options.validation_data.take();
        let given = std::mem::take(&mut options.sample_weight);
        let samples = samples_of(x, "x")?;
        let batch = batch_size(options.batch_size, options.steps_per_epoch, samples)?;
        let (graph, trainer) = model.parts()?;
        let weight = match &options.class_weight {
            Some(weights) => weighting::from_classes(graph, y, weights)?.into_inputs(),
            None => given,
        };
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
        let (train, validation) = match &parts {
            Some(((xt, xv), (yt, yv), (wt, wv))) => {
                let wt = wt.by_ref();
                // Class weights are for training alone.
                let wv = match options.class_weight {
                    Some(_) => Inputs::new(),
                    None => wv.by_ref(),
                };
                let (xv, yv) = (xv.by_ref(), yv.by_ref());
                let held = Set::new(graph, xv, yv, wv, validation_batch, "validation ")?;
                let train = Set::new(graph, xt.by_ref(), yt.by_ref(), wt, batch, "")?;
                (train, Some(Held::Set(held)))
            }
            None => {
                let held = held(graph, trainer, validation_data.as_ref(), validation_batch)?;
                (whole, held)
            }
        };
        let feed = Box::new(Rows::new(train, options.shuffle)?);
        Run::start(model, feed, validation, options)
    }

    /// Trains on the batches of a dataset.
    pub fn on_dataset(
        model: &'r mut Model,
        data: &'d dyn Dataset,
        mut options: Fit<'d>,
    ) -> Result<History> {
        if data.cardinality() == Cardinality::Infinite && options.steps_per_epoch.is_none() {
            return Err(Error::new(
                "A dataset that is repeated for ever needs steps_per_epoch, so that epochs end.",
            ));
        }
        let validation_data = options.validation_data.take();
        let batch = options.validation_batch_size.unwrap_or(32);
        let (graph, trainer) = model.parts()?;
        let held = held(graph, trainer, validation_data.as_ref(), batch)?;
        let feed = Box::new(Stream::new(data, options.class_weight.take()));
        Run::start(model, feed, held, options)
    }

    fn start<'f>(
        model: &'r mut Model,
        feed: Box<dyn Feed + 'f>,
        validation: Option<Held<'f>>,
        options: Fit<'f>,
    ) -> Result<History> {
        let endless = matches!(&validation, Some(Held::Dataset(data)) if data.cardinality() == Cardinality::Infinite);
        if endless && options.validation_steps.is_none() {
            return Err(Error::new(
                "A validation dataset that is repeated for ever needs validation_steps.",
            ));
        }
        let steps = options.steps_per_epoch.or(feed.steps());
        let mut run = Run {
            training: Training::new(model, steps, options.epochs),
            feed,
            asked: options.steps_per_epoch.is_some(),
            validation,
            validation_steps: options.validation_steps.unwrap_or(usize::MAX),
            validations: 0,
            frequency: options.validation_freq,
            callbacks: options.callbacks,
            progress: Progress::stdout(options.verbose)?,
            warned: false,
        };
        let mut history = History::new(options.verbose);
        run.epochs(&mut history, options.initial_epoch)?;
        Ok(history)
    }

    fn epochs(&mut self, history: &mut History, first: usize) -> Result<()> {
        let guard = Interrupt::guard();
        each(&mut self.callbacks, |c| {
            c.on_train_begin(&mut self.training)
        })?;
        history.on_train_begin(&mut self.training)?;
        let mut at = self.restore(first)?;
        let mut logs = Logs::default();
        while at.epoch < self.training.epochs && !self.training.stop {
            let epoch = at.epoch;
            if at.step == 0 {
                self.training.model.parts()?.1.reset()?;
                each(&mut self.callbacks, |c| {
                    c.on_epoch_begin(&mut self.training, epoch)
                })?;
            }
            self.progress
                .begin_epoch(epoch, self.training.epochs, self.training.steps);
            self.epoch(at)?;
            logs = sorted(self.figures()?);
            let due = match &self.frequency {
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
            at = Position {
                epoch: epoch + 1,
                step: 0,
            };
            self.back_up(at)?;
            if Interrupt::requested() {
                break;
            }
        }
        self.training.interrupted = Interrupt::requested();
        drop(guard);
        self.training.finalize()?;
        each(&mut self.callbacks, |c| {
            c.on_train_end(&mut self.training, &logs)
        })
    }

    /// The batches of an epoch, or those that are left of it.
    fn epoch(&mut self, at: Position) -> Result<()> {
        let Position { epoch, mut step } = at;
        let hooks = self.callbacks.iter().any(|c| c.wants_batches());
        let go_on = self.asked || step > 0;
        self.begin_pass(go_on)?;
        while self.training.steps.is_none_or(|steps| step < steps) {
            if hooks {
                each_of_batches(&mut self.callbacks, |c| {
                    c.on_train_batch_begin(&mut self.training, step)
                })?;
            }
            let mut made = self.step()?;
            if !made && step == 0 && go_on {
                // The pass had ended with the epoch before, which nobody could know.
                self.begin_pass(false)?;
                made = self.step()?;
            }
            if !made {
                self.ran_out(epoch, step);
                break;
            }
            step += 1;
            if !self.warned && !self.training.model.parts()?.1.loss_is_finite() {
                self.warned = true;
                self.progress.abandon();
                let where_from = self.feed.diagnose(self.training.model.parts()?.0)?;
                eprintln!(
                    "Warning: the loss is not finite from epoch {}, batch {step} on: {where_from}.",
                    epoch + 1,
                );
            }
            if hooks {
                let logs = sorted(self.figures()?);
                each_of_batches(&mut self.callbacks, |c| {
                    c.on_train_batch_end(&mut self.training, step - 1, &logs)
                })?;
                self.back_up(Position { epoch, step })?;
            }
            if self.progress.due(step) {
                let logs = sorted(self.figures()?);
                self.progress.update(step, &logs);
            }
            if self.training.stop || Interrupt::requested() {
                break;
            }
        }
        match step {
            0 => Err(Error::new(
                "The dataset gave no batch: there is nothing to fit.",
            )),
            _ => Ok(()),
        }
    }

    fn begin_pass(&mut self, go_on: bool) -> Result<()> {
        let (graph, trainer) = self.training.model.parts()?;
        self.feed.begin_epoch(graph, trainer, go_on)
    }

    fn step(&mut self) -> Result<bool> {
        let (graph, trainer) = self.training.model.parts()?;
        self.feed.step(graph, trainer)
    }

    fn figures(&mut self) -> Result<Logs> {
        self.training.model.parts()?.1.figures()
    }

    /// The data ended before the epoch did, after so many steps.
    fn ran_out(&mut self, epoch: usize, step: usize) {
        match self.training.steps {
            // The first pass has shown how long they are.
            None => self.training.steps = Some(step),
            Some(steps) => {
                let batches = self.feed.steps().unwrap_or(step);
                eprintln!(
                    "Warning: the data has {batches} batches; epoch {} ends after {step} of the {steps} steps asked for.",
                    epoch + 1
                );
            }
        }
    }

    fn validate(&mut self, logs: &mut Logs) -> Result<()> {
        let Some(held) = &self.validation else {
            return Ok(());
        };
        self.validations += 1;
        let (training, steps) = (&mut self.training, self.validation_steps);
        let callbacks = &mut self.callbacks;
        let figures = measure(training, held, steps, "validation ", callbacks, None)?;
        for (name, value) in sorted(figures).iter() {
            logs.set(&format!("val_{name}"), value);
        }
        Ok(())
    }
}

/// Validation data, checked against the model.
fn held<'d>(
    graph: &Graph,
    trainer: &Trainer,
    data: Option<&'d Validation<'d>>,
    batch: usize,
) -> Result<Option<Held<'d>>> {
    Ok(match data {
        None => None,
        Some(Validation::Dataset(data)) => Some(Held::Dataset(*data)),
        Some(Validation::Arrays(x, y, weight)) => {
            let (x, y, weight) = (x.by_ref(), y.by_ref(), weight.by_ref());
            let set = Set::new(graph, x, y, weight, batch, "validation ")?;
            trainer.check_targets(graph, &set, "validation ")?;
            Some(Held::Set(set))
        }
    })
}
