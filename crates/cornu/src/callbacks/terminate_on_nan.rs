//! Ends a training whose loss is no longer a number.

use super::text::{python_float, say};
use super::{Callback, Trained};
use crate::{Error, Logs, Result};

/// Ends the training after a batch whose loss is not a number or infinite.
///
/// The loss is read after every batch, which costs a very fast model some of its speed.
///
/// ```
/// use cornu::callbacks::TerminateOnNaN;
///
/// let guard = TerminateOnNaN::new();
/// // network.fit(&x, &y, Fit::new().callback(guard))?;
/// # let _ = guard;
/// ```
#[derive(Clone, Debug, Default)]
pub struct TerminateOnNaN {
    raise_error: bool,
}

impl TerminateOnNaN {
    /// Ends training in the usual way, with a message.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `fit` ends with an error instead, so that no callback's `on_train_end` runs. Defaults
    /// to `false`.
    pub fn raise_error(mut self, raise_error: bool) -> Self {
        self.raise_error = raise_error;
        self
    }
}

impl Callback for TerminateOnNaN {
    fn wants_batches(&self) -> bool {
        true
    }

    fn on_train_batch_end(
        &mut self,
        model: &mut dyn Trained,
        batch: usize,
        logs: &Logs,
    ) -> Result<()> {
        let Some(loss) = logs.get("loss").filter(|loss| !loss.is_finite()) else {
            return Ok(());
        };
        if self.raise_error {
            return Err(Error::state(format!(
                "NaN or Inf loss encountered at batch {batch}. Loss value: {}. Terminating \
                 training immediately.",
                python_float(loss)
            )));
        }
        say(&format!(
            "Batch {batch}: Invalid loss, terminating training"
        ));
        model.stop_training();
        Ok(())
    }
}
