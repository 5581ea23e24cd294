//! Saves the model while it is trained.

use super::monitor::Monitor;
use super::text::{python_fixed, say};
use super::{Callback, SaveFreq, State, Trained, template};
use crate::{Error, Logs, Result, Verbose};
use std::path::Path;

/// Saves the model, or its weights, after every epoch or every so many batches: all of them, or the best.
///
/// The file's name may hold figures, as in Python: `{epoch:02d}` (from 1), `{batch}` (from 1, where it is
/// saved after batches), and the figures of the logs, as `{val_loss:.2f}`. It must end in `.keras`, or for
/// weights alone in `.weights.h5`. Folders that are missing are made, and each file is written whole or not
/// at all.
///
/// ```
/// use cornu::callbacks::ModelCheckpoint;
///
/// let best = ModelCheckpoint::new("best.keras").monitor("val_accuracy").mode("max").save_best_only(true);
/// let all = ModelCheckpoint::new("kept/{epoch:02d}-{val_loss:.2f}.weights.h5").save_weights_only(true);
/// // network.fit(&x, &y, Fit::new().epochs(10).validation_split(0.2).callback(best).callback(all))?;
/// # let _ = (best, all);
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    filepath: String,
    monitor: Monitor,
    verbose: Verbose,
    save_best_only: bool,
    save_weights_only: bool,
    save_freq: SaveFreq,
    best: Option<f64>,
    epoch: usize,
    /// Batches since it was last saved.
    seen: usize,
}

impl ModelCheckpoint {
    /// Saves the whole model after each epoch, whatever its figures, to a file of this name.
    pub fn new(filepath: impl AsRef<Path>) -> Self {
        Self {
            filepath: filepath.as_ref().to_string_lossy().into_owned(),
            monitor: Monitor::new("ModelCheckpoint", 0.0),
            verbose: Verbose::Silent,
            save_best_only: false,
            save_weights_only: false,
            save_freq: SaveFreq::Epoch,
            best: None,
            epoch: 0,
            seen: 0,
        }
    }

    /// The name of the figure that says which model is the best. Defaults to `val_loss`.
    pub fn monitor(mut self, name: impl Into<String>) -> Self {
        self.monitor.name = name.into();
        self
    }

    /// Whether (1) or not (0, the default) to say what is saved.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// Whether to save only where the figure is better than ever before. Defaults to `false`. Where there
    /// is no such figure the model is saved, with a warning.
    pub fn save_best_only(mut self, best: bool) -> Self {
        self.save_best_only = best;
        self
    }

    /// Whether to save the weights (and the optimizer's state) without the architecture. Defaults to `false`.
    pub fn save_weights_only(mut self, weights: bool) -> Self {
        self.save_weights_only = weights;
        self
    }

    /// `"min"`, `"max"` or, by default, `"auto"`: told by the figure's name. Anything else is an error
    /// when training begins.
    pub fn mode(mut self, mode: impl Into<String>) -> Self {
        self.monitor.mode = mode.into();
        self
    }

    /// When to save: `"epoch"`, the default, or after every so many batches, counted on from epoch to
    /// epoch.
    pub fn save_freq(mut self, save_freq: impl Into<SaveFreq>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// What the first model must be better than to be saved.
    pub fn initial_value_threshold(mut self, value: f64) -> Self {
        self.best = Some(value);
        self
    }

    /// The best value of the figure so far, in this training or an earlier one with the same callback.
    pub fn best(&self) -> Option<f64> {
        self.best
    }

    /// Whether the model is to be saved now.
    fn is_due(&mut self, logs: &Logs, path: &str) -> bool {
        let speaks = self.verbose != Verbose::Silent;
        let epoch = self.epoch + 1;
        if !self.save_best_only {
            if speaks {
                say(&format!("\nEpoch {epoch}: saving model to {path}"));
            }
            return true;
        }
        let Some(current) = self.monitor.value(logs, |name, _| {
            format!("Can save best model only with {name} available.")
        }) else {
            return true;
        };
        let name = self.monitor.name.clone();
        let best = self.best;
        let shown = best.map_or("None".to_string(), |best| python_fixed(best, 5));
        let improved = self.monitor.improved(current, best);
        if improved {
            self.best = Some(current);
        }
        if speaks {
            say(&match improved {
                true => format!(
                    "\nEpoch {epoch}: {name} improved from {shown} to {}, saving model to {path}",
                    python_fixed(current, 5)
                ),
                false => format!("\nEpoch {epoch}: {name} did not improve from {shown}"),
            });
        }
        improved
    }

    fn save(&mut self, model: &mut dyn Trained, batch: Option<usize>, logs: &Logs) -> Result<()> {
        let mut counts = vec![("epoch", self.epoch + 1)];
        counts.extend(batch.map(|batch| ("batch", batch + 1)));
        let name = template::fill(&self.filepath, &counts, logs)?;
        if !self.is_due(logs, &name) {
            return Ok(());
        }
        let path = Path::new(&name);
        if path.is_dir() {
            return Err(Error::io(format!(
                "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an \
                 existing directory: {name}"
            )));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| Error::io(format!("{} cannot be made: {e}.", folder.display())))?;
        }
        match self.save_weights_only {
            true => model.save_weights(path)?,
            false => model.save(path)?,
        }
        if self.verbose != Verbose::Silent {
            let epoch = self.epoch + 1;
            say(&format!("\nEpoch {epoch}: finished saving model to {name}"));
        }
        Ok(())
    }
}

impl Callback for ModelCheckpoint {
    fn on_train_begin(&mut self, _: &mut dyn Trained) -> Result<()> {
        let (ending, what) = match self.save_weights_only {
            true => (".weights.h5", "with save_weights_only(true) "),
            false => (".keras", ""),
        };
        if !self.filepath.ends_with(ending) {
            return Err(Error::new(format!(
                "ModelCheckpoint {what}saves to files that end in `{ending}`. Received: filepath={}",
                self.filepath
            )));
        }
        self.save_freq.check("ModelCheckpoint")?;
        match self.save_best_only {
            true => self.monitor.begin(),
            false => Ok(()),
        }
    }

    fn on_epoch_begin(&mut self, _: &mut dyn Trained, epoch: usize) -> Result<()> {
        self.epoch = epoch;
        Ok(())
    }

    fn wants_batches(&self) -> bool {
        self.save_freq != SaveFreq::Epoch
    }

    fn on_train_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        match self.save_freq.is_due(&mut self.seen) {
            true => self.save(model, Some(batch), logs),
            false => Ok(()),
        }
    }

    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        self.epoch = epoch;
        match self.save_freq {
            SaveFreq::Epoch => self.save(model, None, logs),
            SaveFreq::Batches(_) => Ok(()),
        }
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set_some("best", self.best);
        state.set("epoch", self.epoch as i64);
        state.set("seen", self.seen as i64);
        state
    }

    fn set_state(&mut self, state: &State) -> Result<()> {
        self.best = state.number("best");
        self.epoch = state.count("epoch")?;
        self.seen = state.count("seen")?;
        Ok(())
    }
}
