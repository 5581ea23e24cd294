//! Goes on with a training that was cut off.

use super::{Callback, SaveFreq, State, Trained};
use crate::{Error, Logs, Result};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Keeps a copy of the whole training on the disk, and goes on from it when the program is started again
/// after it was killed, or the machine went down.
///
/// The same program, started again, ends as if it had never been cut off, to the last bit: the backup holds
/// weights, the optimizer's state, the sums behind the figures, the state of random draws, the place in the
/// data and in its order, and what other callbacks remember ([`Callback::state`]). Of datasets
/// ([`fit_dataset`](crate::models::Model::fit_dataset)) this holds if a rerun makes the same elements: set
/// a seed ([`set_random_seed`](crate::utils::set_random_seed)) before shuffling. The returned history is that
/// of the epochs run now.
///
/// Where training goes on in the middle of an epoch, [`Callback::on_epoch_begin`] is not called again for it.
/// Ctrl-C leaves the backup where it is.
///
/// ```no_run
/// use cornu::prelude::*;
/// # fn main() -> cornu::Result<()> {
/// # let (x, y) = (Array::zeros(DType::F32, [8, 2]), Array::zeros(DType::F32, [8, 1]));
/// # let mut model = Sequential::new();
/// # model.add(Dense::new(1).input_shape([2]));
/// # model.compile("adam", "mse", ())?;
/// let backup = BackupAndRestore::new("backup").save_freq(1000);
/// model.fit(&x, &y, Fit::new().epochs(100).callback(backup))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BackupAndRestore {
    folder: PathBuf,
    save_freq: SaveFreq,
    double_checkpoint: bool,
    delete_checkpoint: bool,
    /// Batches since the last backup.
    seen: usize,
}

impl BackupAndRestore {
    /// Keeps the backup in this folder, which is made if it is missing.
    pub fn new(backup_dir: impl AsRef<Path>) -> Self {
        Self {
            folder: backup_dir.as_ref().to_path_buf(),
            save_freq: SaveFreq::Epoch,
            double_checkpoint: false,
            delete_checkpoint: true,
            seen: 0,
        }
    }

    /// When to save: `"epoch"`, the default, or after every so many batches.
    pub fn save_freq(mut self, save_freq: impl Into<SaveFreq>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// Whether to keep the backup before the last one too, for the case that the last cannot be read.
    /// Defaults to `false`.
    pub fn double_checkpoint(mut self, double: bool) -> Self {
        self.double_checkpoint = double;
        self
    }

    /// Whether the backup is removed when the training has come to its end, and the folder with it if it
    /// holds nothing else. Defaults to `true`.
    pub fn delete_checkpoint(mut self, delete: bool) -> Self {
        self.delete_checkpoint = delete;
        self
    }

    fn latest(&self) -> PathBuf {
        self.folder.join("latest.npz")
    }

    fn previous(&self) -> PathBuf {
        self.folder.join("latest.npz.bkp")
    }

    fn save(&self, model: &mut dyn Trained) -> Result<()> {
        let failed =
            |e: io::Error| Error::io(format!("{} cannot be written: {e}.", self.folder.display()));
        fs::create_dir_all(&self.folder).map_err(failed)?;
        if self.double_checkpoint && self.latest().exists() {
            fs::rename(self.latest(), self.previous()).map_err(failed)?;
        }
        model.back_up(self.latest());
        Ok(())
    }

    /// The last backup that can be read.
    fn load(&self) -> Result<Option<State>> {
        let mut failed = Ok(None);
        for path in [self.latest(), self.previous()] {
            if path.exists() {
                match State::load(&path) {
                    Ok(state) => return Ok(Some(state)),
                    Err(e) => failed = failed.and(Err(e)),
                }
            }
        }
        failed
    }
}

impl Callback for BackupAndRestore {
    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        if self.folder.as_os_str().is_empty() {
            return Err(Error::new(
                "BackupAndRestore needs a folder for its backup. Received: an empty name.",
            ));
        }
        self.save_freq.check("BackupAndRestore")?;
        self.seen = 0;
        if let Some(state) = self.load()? {
            model.restore(state);
        }
        Ok(())
    }

    fn wants_batches(&self) -> bool {
        self.save_freq != SaveFreq::Epoch
    }

    fn on_train_batch_end(&mut self, model: &mut dyn Trained, _: usize, _: &Logs) -> Result<()> {
        match self.save_freq.is_due(&mut self.seen) {
            true => self.save(model),
            false => Ok(()),
        }
    }

    fn on_epoch_end(&mut self, model: &mut dyn Trained, _: usize, _: &mut Logs) -> Result<()> {
        // An epoch that Ctrl-C has cut short is none.
        match self.save_freq == SaveFreq::Epoch && !model.is_interrupted() {
            true => self.save(model),
            false => Ok(()),
        }
    }

    fn on_train_end(&mut self, model: &mut dyn Trained, _: &Logs) -> Result<()> {
        if !self.delete_checkpoint || model.is_interrupted() {
            return Ok(());
        }
        // What else may be in the folder is not ours to remove.
        for path in [self.latest(), self.previous()] {
            match fs::remove_file(&path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io(format!(
                        "{} cannot be removed: {e}.",
                        path.display()
                    )));
                }
                _ => (),
            }
        }
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    fn state(&self) -> State {
        let mut state = State::new();
        state.set("seen", self.seen as i64);
        state
    }

    fn set_state(&mut self, state: &State) -> Result<()> {
        self.seen = state.count("seen")?;
        Ok(())
    }
}
