//! Writes what TensorBoard shows.

mod events;

use super::{Callback, State, Trained};
use crate::{Array, Error, Logs, Result};
use events::{EventFile, Histogram};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Writes loss, metrics and the learning rate of every epoch, the model's graph, and histograms of the
/// weights if asked for, to event files that TensorBoard shows (`tensorboard --logdir logs`).
///
/// Folders and tags are Keras': `train/` holds `keras` (the graph), `epoch_loss`, `epoch_accuracy` and
/// `epoch_learning_rate`; `validation/` holds `epoch_loss` and so on of the validation, so that the two
/// are drawn in one picture, and `evaluation_loss_vs_iterations` over the optimizer's steps. What is
/// written is on the disk at the end of each epoch.
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
    write_graph: bool,
    write_steps_per_second: bool,
    train: Option<EventFile>,
    validation: Option<EventFile>,
    /// Batches of training so far.
    batches: usize,
    /// When the epoch began, and the optimizer's steps before it.
    began: Option<(Instant, u64)>,
}

impl TensorBoard {
    /// Writes to folders in this one.
    pub fn new(log_dir: impl AsRef<Path>) -> Self {
        Self {
            log_dir: log_dir.as_ref().to_path_buf(),
            histogram_freq: 0,
            update_freq: 0,
            write_graph: true,
            write_steps_per_second: false,
            train: None,
            validation: None,
            batches: 0,
            began: None,
        }
    }

    /// Whether the model's graph is written. Defaults to `true`.
    pub fn write_graph(mut self, graph: bool) -> Self {
        self.write_graph = graph;
        self
    }

    /// Whether to write how many steps a second each epoch made, as `epoch_steps_per_second`. Defaults to
    /// `false`.
    pub fn write_steps_per_second(mut self, steps: bool) -> Self {
        self.write_steps_per_second = steps;
        self
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
    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        self.train = None;
        self.validation = None;
        self.batches = 0;
        if !self.write_graph {
            return Ok(());
        }
        let file = opened(&mut self.train, self.log_dir.join("train"));
        let written = file.and_then(|file| file.model("keras", &model.to_json()));
        written.map_err(|e| self.failed(&e))
    }

    fn on_epoch_begin(&mut self, model: &mut dyn Trained, _: usize) -> Result<()> {
        self.began = Some((Instant::now(), model.iterations()));
        Ok(())
    }

    fn wants_batches(&self) -> bool {
        self.update_freq > 0
    }

    fn on_train_batch_end(&mut self, _: &mut dyn Trained, _: usize, logs: &Logs) -> Result<()> {
        self.batches += 1;
        let step = self.batches as i64;
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
        let pace = self.began.filter(|_| self.write_steps_per_second);
        let pace = pace.map(|(began, before)| {
            (model.iterations() - before) as f64 / began.elapsed().as_secs_f64()
        });
        let (train, validation) = (self.log_dir.join("train"), self.log_dir.join("validation"));
        let write = || -> std::io::Result<()> {
            let file = opened(&mut self.train, train)?;
            for (name, value) in logs.iter().filter(|(name, _)| !name.starts_with("val_")) {
                file.scalar(&format!("epoch_{name}"), step, value)?;
            }
            if logs.get("learning_rate").is_none() {
                file.scalar("epoch_learning_rate", step, rate)?;
            }
            if let Some(pace) = pace {
                file.scalar("epoch_steps_per_second", step, pace)?;
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

    fn on_test_end(&mut self, model: &mut dyn Trained, logs: &Logs) -> Result<()> {
        let step = model.iterations() as i64;
        let folder = self.log_dir.join("validation");
        let written = opened(&mut self.validation, folder).and_then(|file| {
            logs.iter().try_for_each(|(name, value)| {
                file.scalar(&format!("evaluation_{name}_vs_iterations"), step, value)
            })
        });
        written.map_err(|e| self.failed(&e))
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("batches", self.batches as i64);
        state
    }

    fn set_state(&mut self, state: &State) -> Result<()> {
        self.batches = state.count("batches")?;
        Ok(())
    }
}
