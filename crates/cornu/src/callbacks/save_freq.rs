//! When a callback saves.

use crate::{Error, Result};

/// When a callback saves: `"epoch"`, or a number of batches.
///
/// ```
/// use cornu::callbacks::{BackupAndRestore, SaveFreq};
///
/// let by_epoch = BackupAndRestore::new("backup").save_freq("epoch");
/// let by_batch = BackupAndRestore::new("backup").save_freq(100);
/// assert_eq!(SaveFreq::from(100), SaveFreq::Batches(100));
/// # let _ = (by_epoch, by_batch);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// After each epoch.
    #[default]
    Epoch,
    /// After every so many batches, counted on from epoch to epoch. 0, and any text but `"epoch"`, is
    /// an error when training begins.
    Batches(usize),
}

impl From<usize> for SaveFreq {
    fn from(batches: usize) -> Self {
        SaveFreq::Batches(batches)
    }
}

impl From<&str> for SaveFreq {
    fn from(text: &str) -> Self {
        match text {
            "epoch" => SaveFreq::Epoch,
            _ => SaveFreq::Batches(0),
        }
    }
}

impl SaveFreq {
    /// Whether it is possible.
    pub(super) fn check(self, owner: &str) -> Result<()> {
        match self {
            SaveFreq::Batches(0) => Err(Error::new(format!(
                "{owner} saves after each \"epoch\" or after a number of batches of at least 1. \
                 Received another save_freq."
            ))),
            _ => Ok(()),
        }
    }

    /// Counts a batch, and says whether to save after it.
    pub(super) fn is_due(self, seen: &mut usize) -> bool {
        let SaveFreq::Batches(batches) = self else {
            return false;
        };
        *seen += 1;
        let due = *seen >= batches;
        if due {
            *seen = 0;
        }
        due
    }
}
