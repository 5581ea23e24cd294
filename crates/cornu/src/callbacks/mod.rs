//! What may happen during training beside training: hooks called by `fit`, `evaluate` and `predict`.

mod backup_and_restore;
mod csv_logger;
mod early_stopping;
mod history;
mod lambda_callback;
mod learning_rate_scheduler;
#[cfg(feature = "saving")]
mod model_checkpoint;
mod monitor;
mod reduce_lr_on_plateau;
#[cfg(feature = "download")]
mod remote_monitor;
mod save_freq;
mod state;
mod swap_ema_weights;
#[cfg(feature = "saving")]
mod template;
#[cfg(feature = "tensorboard")]
mod tensorboard;
mod terminate_on_nan;
#[cfg(test)]
mod tests;
mod text;

pub use backup_and_restore::BackupAndRestore;
pub use csv_logger::CSVLogger;
pub use early_stopping::EarlyStopping;
pub use history::{History, Params};
pub use lambda_callback::LambdaCallback;
pub use learning_rate_scheduler::LearningRateScheduler;
#[cfg(feature = "saving")]
pub use model_checkpoint::ModelCheckpoint;
pub use reduce_lr_on_plateau::ReduceLROnPlateau;
#[cfg(feature = "download")]
pub use remote_monitor::RemoteMonitor;
pub use save_freq::SaveFreq;
pub use state::State;
pub use swap_ema_weights::SwapEMAWeights;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use terminate_on_nan::TerminateOnNaN;

use crate::models::Model;
use crate::{Array, Logs, Result};
use std::path::{Path, PathBuf};

/// How what is to be remembered of a training is written to a file.
#[doc(hidden)]
pub type WriteState = fn(&State, &Path) -> Result<()>;

/// What a callback may do with the model that is being trained.
pub trait Trained {
    /// The model's name.
    fn name(&self) -> &str;
    /// The number of batches in an epoch, if known.
    fn steps(&self) -> Option<usize>;
    /// The number of the last epoch (as `epochs` given to `fit`).
    fn epochs(&self) -> usize;
    /// Ends training after the current batch or epoch.
    fn stop_training(&mut self);
    /// The optimizer's learning rate.
    fn learning_rate(&self) -> f64;
    /// Sets the optimizer's learning rate.
    ///
    /// # Errors
    /// If the optimizer follows a schedule.
    fn set_learning_rate(&mut self, value: f64) -> Result<()>;
    /// The names of all weights, in order: their paths, as `dense/kernel`.
    fn weight_names(&self) -> Vec<String>;
    /// All weights, in order.
    fn weights(&self) -> Vec<Array>;
    /// Sets all weights.
    ///
    /// # Errors
    /// If number or shapes differ.
    fn set_weights(&mut self, weights: &[Array]) -> Result<()>;
    /// The number of steps that the optimizer has made.
    fn iterations(&self) -> u64;
    /// Whether Ctrl-C has asked the training to end.
    fn is_interrupted(&self) -> bool;
    /// The model as text, in a way that is given: see [`to_json`](trait.Trained.html#method.to_json).
    #[doc(hidden)]
    fn describe(&self, how: fn(&Model) -> String) -> String;
    /// Writes the model to a file, in a way that is given: see [`save`](trait.Trained.html#method.save).
    #[doc(hidden)]
    #[cfg(feature = "saving")]
    fn write(&self, path: &Path, how: fn(&Model, &Path) -> Result<()>) -> Result<()>;
    /// Whether the weights have been swapped with their moving averages.
    fn has_averages(&self) -> bool;
    /// Swaps the weights with their moving averages, which an optimizer with `use_ema` keeps.
    ///
    /// # Errors
    /// If the optimizer keeps none.
    fn swap_averages(&mut self) -> Result<()>;
    /// Asks for the whole training to be written to a file in a way that is given: see
    /// [`back_up`](trait.Trained.html#method.back_up).
    #[doc(hidden)]
    fn back_up_as(&mut self, path: PathBuf, how: WriteState);
    /// Asks for the training to go on from what `back_up` wrote, once all callbacks have seen
    /// that it begins.
    fn restore(&mut self, state: State);
}

/// What writes JSON and files. Every program that trains holds all methods of the trait; of these, one that
/// writes nothing holds none.
impl dyn Trained + '_ {
    /// The model's architecture as Keras' JSON, as [`Model::to_json`](crate::models::Model::to_json).
    pub fn to_json(&self) -> String {
        self.describe(Model::to_json)
    }

    /// Saves the model, as [`Model::save`](crate::models::Model::save).
    ///
    /// # Errors
    /// If it cannot be written.
    #[cfg(feature = "saving")]
    pub fn save(&self, path: &Path) -> Result<()> {
        self.write(path, |model, path| model.save(path))
    }

    /// Saves the weights, as [`Model::save_weights`](crate::models::Model::save_weights).
    ///
    /// # Errors
    /// If they cannot be written.
    #[cfg(feature = "saving")]
    pub fn save_weights(&self, path: &Path) -> Result<()> {
        self.write(path, |model, path| model.save_weights(path))
    }

    /// Asks for the whole training to be written to a file, once all callbacks have seen what has
    /// happened.
    pub fn back_up(&mut self, path: PathBuf) {
        self.back_up_as(path, State::save);
    }
}

/// Hooks into training. Every method has a default that does nothing.
///
/// ```
/// use cornu::callbacks::{Callback, Trained};
/// use cornu::{Logs, Result};
///
/// /// Ends training when the loss is small enough.
/// struct GoodEnough(f64);
///
/// impl Callback for GoodEnough {
///     fn on_epoch_end(&mut self, model: &mut dyn Trained, _epoch: usize, logs: &mut Logs) -> Result<()> {
///         if logs.get("loss").is_some_and(|l| l < self.0) {
///             model.stop_training();
///         }
///         Ok(())
///     }
/// }
/// ```
#[allow(unused_variables)] // hooks that do nothing still name what they are given
pub trait Callback {
    /// Before the first epoch.
    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        Ok(())
    }
    /// After the last epoch, with its figures.
    fn on_train_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before an epoch; `epoch` counts from 0.
    fn on_epoch_begin(&mut self, model: &mut dyn Trained, epoch: usize) -> Result<()> {
        Ok(())
    }
    /// After an epoch and its validation; figures added to `logs` are seen by later callbacks and
    /// stand in the history.
    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// Whether the hooks of batches are called, which they are by default. Reading the figures costs a
    /// little in each step: a callback that looks only at epochs spares it by answering `false`.
    fn wants_batches(&self) -> bool {
        true
    }
    /// Before a batch of training; `batch` counts from 0.
    fn on_train_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        Ok(())
    }
    /// After a batch of training, with the running figures of the epoch.
    fn on_train_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// Before validation or evaluation.
    fn on_test_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        Ok(())
    }
    /// After validation or evaluation, with its figures.
    fn on_test_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        Ok(())
    }
    /// Before a batch of validation or evaluation; `batch` counts from 0.
    fn on_test_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        Ok(())
    }
    /// After a batch of validation or evaluation, with the running figures.
    fn on_test_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        Ok(())
    }
    /// Before a prediction.
    fn on_predict_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        Ok(())
    }
    /// After a prediction.
    fn on_predict_end(&mut self, model: &mut dyn Trained) -> Result<()> {
        Ok(())
    }
    /// Before a batch of a prediction; `batch` counts from 0.
    fn on_predict_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        Ok(())
    }
    /// After a batch of a prediction.
    fn on_predict_batch_end(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        Ok(())
    }
    /// What the callback has to remember so that a training that was cut off can go on; see
    /// [`BackupAndRestore`]. Nothing by default.
    fn state(&self) -> State {
        State::new()
    }
    /// Goes on from what [`Callback::state`] said, after [`Callback::on_train_begin`].
    fn set_state(&mut self, state: &State) -> Result<()> {
        Ok(())
    }
}

impl<C: Callback + ?Sized> Callback for &mut C {
    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        (**self).on_train_begin(model)
    }
    fn on_train_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        (**self).on_train_end(model, logs)
    }
    fn on_epoch_begin(&mut self, model: &mut dyn Trained, epoch: usize) -> Result<()> {
        (**self).on_epoch_begin(model, epoch)
    }
    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        (**self).on_epoch_end(model, epoch, logs)
    }
    fn wants_batches(&self) -> bool {
        (**self).wants_batches()
    }
    fn on_train_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        (**self).on_train_batch_begin(model, batch)
    }
    fn on_train_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        (**self).on_train_batch_end(model, batch, logs)
    }
    fn on_test_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        (**self).on_test_begin(model)
    }
    fn on_test_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        (**self).on_test_end(model, logs)
    }
    fn on_test_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        (**self).on_test_batch_begin(model, batch)
    }
    fn on_test_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        (**self).on_test_batch_end(model, batch, logs)
    }
    fn on_predict_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        (**self).on_predict_begin(model)
    }
    fn on_predict_end(&mut self, model: &mut dyn Trained) -> Result<()> {
        (**self).on_predict_end(model)
    }
    fn on_predict_batch_begin(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        (**self).on_predict_batch_begin(model, batch)
    }
    fn on_predict_batch_end(&mut self, model: &mut dyn Trained, batch: usize) -> Result<()> {
        (**self).on_predict_batch_end(model, batch)
    }
    fn state(&self) -> State {
        (**self).state()
    }
    fn set_state(&mut self, state: &State) -> Result<()> {
        (**self).set_state(state)
    }
}
