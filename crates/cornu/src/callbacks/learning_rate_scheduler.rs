//! Sets the learning rate before every epoch.

use std::fmt;

use super::text::{python_float, say};
use super::{Callback, Trained};
use crate::{Logs, Result, Verbose};

/// Sets the learning rate before every epoch to what a function of the epoch (from 0) and the present
/// rate gives; adds `learning_rate` to the epoch's figures.
///
/// ```
/// use cornu::callbacks::LearningRateScheduler;
///
/// // Ten epochs as compiled, then a tenth less in every epoch.
/// let schedule = LearningRateScheduler::new(|epoch, lr| if epoch < 10 { lr } else { lr * 0.9 });
/// // network.fit(&x, &y, Fit::new().epochs(30).callback(schedule))?;
/// # let _ = schedule;
/// ```
pub struct LearningRateScheduler<'a> {
    schedule: Box<dyn FnMut(usize, f64) -> f64 + 'a>,
    verbose: Verbose,
}

impl<'a> LearningRateScheduler<'a> {
    /// Follows this function of epoch and present rate.
    pub fn new(schedule: impl FnMut(usize, f64) -> f64 + 'a) -> Self {
        Self {
            schedule: Box::new(schedule),
            verbose: Verbose::Silent,
        }
    }

    /// Whether (1) or not (0, the default) to print each rate.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }
}

impl fmt::Debug for LearningRateScheduler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearningRateScheduler")
            .field("verbose", &self.verbose)
            .finish_non_exhaustive()
    }
}

impl Callback for LearningRateScheduler<'_> {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_epoch_begin(&mut self, model: &mut dyn Trained, epoch: usize) -> Result<()> {
        let rate = (self.schedule)(epoch, model.learning_rate());
        model.set_learning_rate(rate)?;
        if self.verbose != Verbose::Silent {
            say(&format!(
                "\nEpoch {}: LearningRateScheduler setting learning rate to {}.",
                epoch + 1,
                python_float(rate)
            ));
        }
        Ok(())
    }

    fn on_epoch_end(&mut self, model: &mut dyn Trained, _: usize, logs: &mut Logs) -> Result<()> {
        logs.set("learning_rate", model.learning_rate());
        Ok(())
    }
}
