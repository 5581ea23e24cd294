//! Writes what TensorBoard shows.

mod events;

use super::{Callback, Trained};
use crate::{Array, Error, Logs, Result};
use events::{EventFile, Histogram};
use std::path::{Path, PathBuf};

/// Writes loss, metrics and the learning rate of every epoch, and histograms of the weights if asked
/// for, to event files that TensorBoard shows (`tensorboard --logdir logs`).
///
/// Folders and tags are Keras': `train/` holds `epoch_loss`, `epoch_accuracy` and
/// `epoch_learning_rate`, `validation/` holds `epoch_loss` and so on of the validation, so that the two
/// are drawn in one picture. What is written is on the disk at the end of each epoch.
///
/// ```
/// use cornu::callbacks::TensorBoard;
///
/// let board = TensorBoard::new("logs").histogram_freq(1);
/// // network.fit(&x, &y, Fit::new().epochs(10).callback(board))?;
/// # let _ = board;
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    log_dir: PathBuf,
    histogram_freq: usize,
    update_freq: usize,
    train: Option<EventFile>,
    validation: Option<EventFile>,
    /// Batches of training so far.
    batches: usize,
}

impl TensorBoard {
    /// Writes to folders in this one.
    pub fn new(log_dir: impl AsRef<Path>) -> Self {
        Self {
            log_dir: log_dir.as_ref().to_path_buf(),
            histogram_freq: 0,
            update_freq: 0,
            train: None,
            validation: None,
            batches: 0,
        }
    }

    /// After how many epochs each the weights' histograms are written. Defaults to 0: never.
    pub fn histogram_freq(mut self, epochs: usize) -> Self {
        self.histogram_freq = epochs;
        self
    }

    /// After how many batches each the running figures are written, as `batch_loss` and so on. Defaults
    /// to 0: never, as Keras' `"epoch"`; 1 is Keras' `"batch"`.
    pub fn update_freq(mut self, batches: usize) -> Self {
        self.update_freq = batches;
        self
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::io(format!(
            "TensorBoard cannot write to {}: {error}.",
            self.log_dir.display()
        ))
    }
}

/// The open file of a folder, made at first use.
fn opened(file: &mut Option<EventFile>, folder: PathBuf) -> std::io::Result<&mut EventFile> {
    match file {
        Some(file) => Ok(file),
        none => Ok(none.insert(EventFile::create(&folder)?)),
    }
}

impl Callback for TensorBoard {
    fn on_train_begin(&mut self, _: &mut dyn Trained) -> Result<()> {
        self.train = None;
        self.validation = None;
        self.batches = 0;
        Ok(())
    }

    fn wants_batches(&self) -> bool {
        self.update_freq > 0
    }

    fn on_train_batch_end(&mut self, _: &mut dyn Trained, _: usize, logs: &Logs) -> Result<()> {
        let step = self.batches as i64;
        self.batches += 1;
        if self.update_freq == 0 || !self.batches.is_multiple_of(self.update_freq) {
            return Ok(());
        }
        let folder = self.log_dir.join("train");
        let written = opened(&mut self.train, folder).and_then(|file| {
            let mut figures = logs.iter();
            figures.try_for_each(|(name, value)| file.scalar(&format!("batch_{name}"), step, value))
        });
        written.map_err(|e| self.failed(&e))
    }

    fn on_epoch_end(
        &mut self,
        model: &mut dyn Trained,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<()> {
        let step = epoch as i64;
        let due = self.histogram_freq > 0 && epoch.is_multiple_of(self.histogram_freq);
        let weights: Vec<(String, Array)> = match due {
            true => model
                .weight_names()
                .into_iter()
                .zip(model.weights())
                .collect(),
            false => Vec::new(),
        };
        let rate = model.learning_rate();
        let (train, validation) = (self.log_dir.join("train"), self.log_dir.join("validation"));
        let write = || -> std::io::Result<()> {
            let file = opened(&mut self.train, train)?;
            for (name, value) in logs.iter().filter(|(name, _)| !name.starts_with("val_")) {
                file.scalar(&format!("epoch_{name}"), step, value)?;
            }
            if logs.get("learning_rate").is_none() {
                file.scalar("epoch_learning_rate", step, rate)?;
            }
            for (name, array) in &weights {
                let histogram = Histogram::of(&array.to_vec::<f64>());
                file.histogram(&format!("{name}/histogram"), step, histogram)?;
            }
            file.flush()?;
            for (name, value) in logs.iter() {
                if let Some(name) = name.strip_prefix("val_") {
                    let file = opened(&mut self.validation, validation.clone())?;
                    file.scalar(&format!("epoch_{name}"), step, value)?;
                }
            }
            self.validation.as_mut().map_or(Ok(()), EventFile::flush)
        };
        let written = write();
        written.map_err(|e| self.failed(&e))
    }

    fn on_train_end(&mut self, _: &mut dyn Trained, _: &Logs) -> Result<()> {
        self.train = None;
        self.validation = None;
        Ok(())
    }
}
