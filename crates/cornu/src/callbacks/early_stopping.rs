//! Ends a training that no longer gets better.

use super::monitor::Monitor;
use super::text::say;
use super::{Callback, State, Trained};
use crate::{Array, Logs, Result, Verbose};

/// Ends the training when a figure has stopped getting better.
///
/// At the end of every epoch the figure is compared with its best value so far; after `patience`
/// epochs without a better one the training ends. As in Keras the first epoch never ends it.
///
/// ```
/// use cornu::callbacks::EarlyStopping;
///
/// let stopping = EarlyStopping::new().monitor("val_accuracy").patience(3).restore_best_weights(true);
/// // network.fit(&x, &y, Fit::new().epochs(100).validation_split(0.2).callback(stopping))?;
/// # let _ = stopping;
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    verbose: Verbose,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    wait: usize,
    stopped_epoch: usize,
    best: Option<f64>,
    best_epoch: usize,
    best_weights: Option<Vec<Array>>,
}

impl Default for EarlyStopping {
    fn default() -> Self {
        Self::new()
    }
}

impl EarlyStopping {
    /// Watches `val_loss` with a patience of 0.
    pub fn new() -> Self {
        Self {
            monitor: Monitor::new("EarlyStopping", 0.0),
            patience: 0,
            verbose: Verbose::Silent,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            wait: 0,
            stopped_epoch: 0,
            best: None,
            best_epoch: 0,
            best_weights: None,
        }
    }

    /// The name of the figure to watch.
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor.name = name.into();
        self
    }

    /// The least change that counts as better. Defaults to 0.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta;
        self
    }

    /// The number of epochs without a better value after which training ends. Defaults to 0.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Whether (1) or not (0, the default) to say so when training ends early.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// `"min"`, `"max"` or, by default, `"auto"`: told by the figure's name. Anything else is an
    /// error when training begins.
    pub fn mode(mut self, mode: impl Into<String>) -> Self {
        self.monitor.mode = mode.into();
        self
    }

    /// Training ends as well if the figure does not get better than this.
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Whether the model gets back the weights of its best epoch when training ends, early or not.
    /// Defaults to `false`.
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// The number of epochs before watching begins. Defaults to 0.
    pub fn start_from_epoch(mut self, epochs: usize) -> Self {
        self.start_from_epoch = epochs;
        self
    }

    /// The epoch (from 0) after which training was ended; 0 if it was not.
    pub fn stopped_epoch(&self) -> usize {
        self.stopped_epoch
    }

    /// The best value of the figure in the last training.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// The epoch (from 0) of the best value.
    pub fn best_epoch(&self) -> usize {
        self.best_epoch
    }

    /// Epochs since the figure last got better than the best value (and the baseline).
    pub fn wait(&self) -> usize {
        self.wait
    }
}

impl Callback for EarlyStopping {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut dyn Trained) -> Result<()> {
        self.wait = 0;
        self.stopped_epoch = 0;
        self.best = None;
        self.best_epoch = 0;
        self.best_weights = None;
        self.monitor.begin()
    }

    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        let current = self.monitor.value(logs, |name, known| {
            format!(
                "Early stopping conditioned on metric `{name}` which is not available. \
                 Available metrics are: {known}"
            )
        });
        let Some(current) = current else {
            return Ok(());
        };
        if epoch < self.start_from_epoch {
            return Ok(());
        }
        self.wait += 1;
        if self.monitor.improved(current, self.best) {
            self.best = Some(current);
            self.best_epoch = epoch;
            if self.restore_best_weights {
                self.best_weights = Some(model.weights());
            }
            if self.baseline.is_none() || self.monitor.improved(current, self.baseline) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = epoch;
            model.stop_training();
        }
        Ok(())
    }

    fn on_train_end(&mut self, model: &mut dyn Trained, _: &Logs) -> Result<()> {
        let speaks = self.verbose != Verbose::Silent;
        if self.stopped_epoch > 0 && speaks {
            say(&format!("Epoch {}: early stopping", self.stopped_epoch + 1));
        }
        let Some(weights) = &self.best_weights else {
            return Ok(());
        };
        if speaks {
            let epoch = self.best_epoch + 1;
            say(&format!(
                "Restoring model weights from the end of the best epoch: {epoch}."
            ));
        }
        model.set_weights(weights)
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("wait", self.wait as i64);
        state.set("stopped_epoch", self.stopped_epoch as i64);
        state.set_some("best", self.best);
        state.set("best_epoch", self.best_epoch as i64);
        if let Some(weights) = &self.best_weights {
            let mut best = State::new();
            best.set_all(weights.iter().cloned());
            state.set_part("best_weights", best);
        }
        state
    }

    fn set_state(&mut self, state: &State) -> Result<()> {
        self.wait = state.count("wait")?;
        self.stopped_epoch = state.count("stopped_epoch")?;
        self.best = state.number("best");
        self.best_epoch = state.count("best_epoch")?;
        let weights = state.part("best_weights").all();
        self.best_weights = Some(weights).filter(|w| !w.is_empty());
        Ok(())
    }
}
