//! A callback made of closures.

use std::fmt;

use super::{Callback, Trained};
use crate::{Logs, Result};

type Hook<'a> = Option<Box<dyn FnMut(&mut dyn Trained) -> Result<()> + 'a>>;
type CountedHook<'a> = Option<Box<dyn FnMut(&mut dyn Trained, usize) -> Result<()> + 'a>>;
type LogsHook<'a> = Option<Box<dyn FnMut(&mut dyn Trained, &Logs) -> Result<()> + 'a>>;
type BatchHook<'a> = Option<Box<dyn FnMut(&mut dyn Trained, usize, &Logs) -> Result<()> + 'a>>;
type EpochHook<'a> = Option<Box<dyn FnMut(&mut dyn Trained, usize, &mut Logs) -> Result<()> + 'a>>;

/// A callback made of closures, one for each hook that is wanted. They may borrow what outlives the
/// training.
///
/// ```
/// use cornu::callbacks::LambdaCallback;
///
/// let mut losses = Vec::new();
/// let record = LambdaCallback::new().on_epoch_end(|_model, _epoch, logs| {
///     losses.extend(logs.get("loss"));
///     Ok(())
/// });
/// // network.fit(&x, &y, Fit::new().callback(record))?;
/// # drop(record);
/// ```
#[derive(Default)]
pub struct LambdaCallback<'a> {
    train_begin: Hook<'a>,
    train_end: LogsHook<'a>,
    epoch_begin: CountedHook<'a>,
    epoch_end: EpochHook<'a>,
    batch_begin: CountedHook<'a>,
    batch_end: BatchHook<'a>,
    test_begin: Hook<'a>,
    test_end: LogsHook<'a>,
}

impl<'a> LambdaCallback<'a> {
    /// A callback that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Called with the model before the first epoch.
    pub fn on_train_begin(mut self, hook: impl FnMut(&mut dyn Trained) -> Result<()> + 'a) -> Self {
        self.train_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model and the last epoch's figures after training.
    pub fn on_train_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, &Logs) -> Result<()> + 'a,
    ) -> Self {
        self.train_end = Some(Box::new(hook));
        self
    }

    /// Called with the model and the epoch's number (from 0) before it.
    pub fn on_epoch_begin(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize) -> Result<()> + 'a,
    ) -> Self {
        self.epoch_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model, the epoch's number (from 0) and its figures after it; may add figures.
    pub fn on_epoch_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize, &mut Logs) -> Result<()> + 'a,
    ) -> Self {
        self.epoch_end = Some(Box::new(hook));
        self
    }

    /// Called with the model and the batch's number (from 0) before it.
    pub fn on_train_batch_begin(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize) -> Result<()> + 'a,
    ) -> Self {
        self.batch_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model, the batch's number (from 0) and the running figures after it. The
    /// figures are then read in every step, which costs a very fast model some of its speed.
    pub fn on_train_batch_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize, &Logs) -> Result<()> + 'a,
    ) -> Self {
        self.batch_end = Some(Box::new(hook));
        self
    }

    /// Called with the model before validation or evaluation.
    pub fn on_test_begin(mut self, hook: impl FnMut(&mut dyn Trained) -> Result<()> + 'a) -> Self {
        self.test_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model and the figures after validation or evaluation.
    pub fn on_test_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, &Logs) -> Result<()> + 'a,
    ) -> Self {
        self.test_end = Some(Box::new(hook));
        self
    }
}

impl fmt::Debug for LambdaCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaCallback").finish_non_exhaustive()
    }
}

impl Callback for LambdaCallback<'_> {
    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        self.train_begin.as_mut().map_or(Ok(()), |hook| hook(model))
    }

    fn on_train_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        self.train_end
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, logs))
    }

    fn on_epoch_begin(&mut self, model: &mut dyn Trained, epoch: usize) -> Result<()> {
        self.epoch_begin
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, epoch))
    }

    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.epoch_end
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, epoch, logs))
    }

    fn wants_batches(&self) -> bool {
        self.batch_begin.is_some() || self.batch_end.is_some()
    }

    fn on_train_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        self.batch_begin
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, batch))
    }

    fn on_train_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        self.batch_end
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, batch, logs))
    }

    fn on_test_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        self.test_begin.as_mut().map_or(Ok(()), |hook| hook(model))
    }

    fn on_test_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        self.test_end
            .as_mut()
            .map_or(Ok(()), |hook| hook(model, logs))
    }
}
