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
    test_batch_begin: CountedHook<'a>,
    test_batch_end: BatchHook<'a>,
    predict_begin: Hook<'a>,
    predict_end: Hook<'a>,
    predict_batch_begin: CountedHook<'a>,
    predict_batch_end: CountedHook<'a>,
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

    /// Called with the model and the batch's number (from 0) before a batch of validation or evaluation.
    pub fn on_test_batch_begin(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize) -> Result<()> + 'a,
    ) -> Self {
        self.test_batch_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model, the batch's number (from 0) and the running figures after a batch of
    /// validation or evaluation.
    pub fn on_test_batch_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize, &Logs) -> Result<()> + 'a,
    ) -> Self {
        self.test_batch_end = Some(Box::new(hook));
        self
    }

    /// Called with the model before a prediction.
    pub fn on_predict_begin(
        mut self,
        hook: impl FnMut(&mut dyn Trained) -> Result<()> + 'a,
    ) -> Self {
        self.predict_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model after a prediction.
    pub fn on_predict_end(mut self, hook: impl FnMut(&mut dyn Trained) -> Result<()> + 'a) -> Self {
        self.predict_end = Some(Box::new(hook));
        self
    }

    /// Called with the model and the batch's number (from 0) before a batch of a prediction.
    pub fn on_predict_batch_begin(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize) -> Result<()> + 'a,
    ) -> Self {
        self.predict_batch_begin = Some(Box::new(hook));
        self
    }

    /// Called with the model and the batch's number (from 0) after a batch of a prediction.
    pub fn on_predict_batch_end(
        mut self,
        hook: impl FnMut(&mut dyn Trained, usize) -> Result<()> + 'a,
    ) -> Self {
        self.predict_batch_end = Some(Box::new(hook));
        self
    }
}

impl fmt::Debug for LambdaCallback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LambdaCallback").finish_non_exhaustive()
    }
}

/// The call of a hook that there may be.
macro_rules! forward {
    ($($hook:ident: $field:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $hook(&mut self, model: &mut dyn Trained $(, $argument: $type)*) -> Result<()> {
            match &mut self.$field {
                Some(hook) => hook(model $(, $argument)*),
                None => Ok(()),
            }
        }
    )*};
}

impl Callback for LambdaCallback<'_> {
    fn wants_batches(&self) -> bool {
        let counted = [
            &self.batch_begin,
            &self.test_batch_begin,
            &self.predict_batch_begin,
            &self.predict_batch_end,
        ];
        let figures = [&self.batch_end, &self.test_batch_end];
        counted.iter().any(|hook| hook.is_some()) || figures.iter().any(|hook| hook.is_some())
    }

    forward! {
        on_train_begin: train_begin();
        on_train_end: train_end(logs: &Logs);
        on_epoch_begin: epoch_begin(epoch: usize);
        on_epoch_end: epoch_end(epoch: usize, logs: &mut Logs);
        on_train_batch_begin: batch_begin(batch: usize);
        on_train_batch_end: batch_end(batch: usize, logs: &Logs);
        on_test_begin: test_begin();
        on_test_end: test_end(logs: &Logs);
        on_test_batch_begin: test_batch_begin(batch: usize);
        on_test_batch_end: test_batch_end(batch: usize, logs: &Logs);
        on_predict_begin: predict_begin();
        on_predict_end: predict_end();
        on_predict_batch_begin: predict_batch_begin(batch: usize);
        on_predict_batch_end: predict_batch_end(batch: usize);
    }
}
