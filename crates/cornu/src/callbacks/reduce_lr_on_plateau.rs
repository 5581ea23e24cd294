//! Lowers the learning rate when a figure has stopped getting better.

use super::monitor::Monitor;
use super::text::{python_float, say};
use super::{Callback, State, Trained};
use crate::{Error, Logs, Result, Verbose};

/// Multiplies the learning rate by `factor` when a figure has not got better for `patience` epochs;
/// adds `learning_rate` to the epoch's figures.
///
/// ```
/// use cornu::callbacks::ReduceLROnPlateau;
///
/// let reduce = ReduceLROnPlateau::new().factor(0.2).patience(5).min_lr(1e-4);
/// // network.fit(&x, &y, Fit::new().epochs(50).validation_split(0.2).callback(reduce))?;
/// # let _ = reduce;
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    verbose: Verbose,
    cooldown: usize,
    min_lr: f64,
    best: Option<f64>,
    wait: usize,
    /// Epochs of rest still to come.
    resting: usize,
}

impl Default for ReduceLROnPlateau {
    fn default() -> Self {
        Self::new()
    }
}

impl ReduceLROnPlateau {
    /// Watches `val_loss` with a patience of 10, and a factor of 0.1.
    pub fn new() -> Self {
        Self {
            monitor: Monitor::new("ReduceLROnPlateau", 1e-4),
            factor: 0.1,
            patience: 10,
            verbose: Verbose::Silent,
            cooldown: 0,
            min_lr: 0.0,
            best: None,
            wait: 0,
            resting: 0,
        }
    }

    /// The name of the figure to watch.
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor.name = name.into();
        self
    }

    /// What the learning rate is multiplied by. At 1 or more it is an error when training begins.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// The number of epochs without a better value after which the rate is lowered.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// Whether (1) or not (0, the default) to print each new rate.
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

    /// The least change that counts as better. Defaults to 10⁻⁴.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta;
        self
    }

    /// The number of epochs after a change during which none is counted as without a better value.
    /// Defaults to 0.
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The rate is not lowered below this. Defaults to 0.
    pub fn min_lr(mut self, min_lr: f64) -> Self {
        self.min_lr = min_lr;
        self
    }

    fn reduce(&mut self, model: &mut dyn Trained, epoch: usize) -> Result<()> {
        let old = model.learning_rate();
        // Rates are kept in f32, so that only there the least one is equal to itself.
        if old as f32 <= self.min_lr as f32 {
            return Ok(());
        }
        let new = (old * self.factor).max(self.min_lr);
        model.set_learning_rate(new)?;
        if self.verbose != Verbose::Silent {
            say(&format!(
                "\nEpoch {}: ReduceLROnPlateau reducing learning rate to {}.",
                epoch + 1,
                python_float(new)
            ));
        }
        self.resting = self.cooldown;
        self.wait = 0;
        Ok(())
    }
}

impl Callback for ReduceLROnPlateau {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, _: &mut dyn Trained) -> Result<()> {
        if self.factor.is_nan() || self.factor >= 1.0 {
            return Err(Error::new(format!(
                "ReduceLROnPlateau does not support a factor >= 1.0. Received factor={}",
                python_float(self.factor)
            )));
        }
        self.best = None;
        self.wait = 0;
        self.resting = 0;
        self.monitor.begin()
    }

    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        logs.set("learning_rate", model.learning_rate());
        let current = self.monitor.value(logs, |name, known| {
            format!(
                "Learning rate reduction is conditioned on metric `{name}` which is not \
                 available. Available metrics are: {known}."
            )
        });
        let Some(current) = current else {
            return Ok(());
        };
        if self.resting > 0 {
            self.resting -= 1;
            self.wait = 0;
        }
        if self.monitor.improved(current, self.best) {
            self.best = Some(current);
            self.wait = 0;
        } else if self.resting == 0 {
            self.wait += 1;
            if self.wait >= self.patience {
                self.reduce(model, epoch)?;
            }
        }
        Ok(())
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set_some("best", self.best);
        state.set("wait", self.wait as i64);
        state.set("resting", self.resting as i64);
        state
    }

    fn set_state(&mut self, state: &State) -> Result<()> {
        self.best = state.number("best");
        self.wait = state.count("wait")?;
        self.resting = state.count("resting")?;
        Ok(())
    }
}
