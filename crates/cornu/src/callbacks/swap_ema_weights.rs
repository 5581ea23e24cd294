//! Measures and saves a model with its averaged weights.

use super::{Callback, Trained};
use crate::{Logs, Result};

/// Puts the moving averages of the weights, which an optimizer with `use_ema` keeps, in the place of the
/// weights while the model is validated, evaluated or asked, and the weights back afterwards (Polyak
/// averaging).
///
/// With [`SwapEMAWeights::swap_on_epoch`] the averages stay in place at the end of an epoch too, for
/// callbacks that come after this one, as [`ModelCheckpoint`](super::ModelCheckpoint). When training ends,
/// early or not, the model has the averages, as it always has with `use_ema`.
///
/// ```
/// use cornu::prelude::*;
/// let (x, y) = (Array::from([[1.0f32], [2.0]]), Array::from([[2.0f32], [4.0]]));
/// let mut model = Sequential::new();
/// model.add(Dense::new(1).input_shape([1]));
/// model.compile(SGD::new().use_ema(true), "mse", ())?;
/// let options = Fit::new().validation_data(&x, &y).callback(SwapEMAWeights::new()).verbose(0);
/// model.fit(&x, &y, options)?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// An optimizer without `use_ema` is an error when the averages are first asked for.
#[derive(Clone, Debug, Default)]
pub struct SwapEMAWeights {
    swap_on_epoch: bool,
}

impl SwapEMAWeights {
    /// Swaps for validation, evaluation and prediction.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the averages are in place from the end of an epoch to the beginning of the next. Defaults
    /// to `false`.
    pub fn swap_on_epoch(mut self, swap: bool) -> Self {
        self.swap_on_epoch = swap;
        self
    }
}

fn put(model: &mut dyn Trained, averages: bool) -> Result<()> {
    match model.has_averages() == averages {
        true => Ok(()),
        false => model.swap_averages(),
    }
}

impl Callback for SwapEMAWeights {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_epoch_begin(&mut self, model: &mut dyn Trained, _: usize) -> Result<()> {
        match self.swap_on_epoch {
            true => put(model, false),
            false => Ok(()),
        }
    }

    fn on_epoch_end(&mut self, model: &mut dyn Trained, _: usize, _: &mut Logs) -> Result<()> {
        match self.swap_on_epoch {
            true => put(model, true),
            false => Ok(()),
        }
    }

    fn on_test_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        put(model, true)
    }

    fn on_test_end(&mut self, model: &mut dyn Trained, _: &Logs) -> Result<()> {
        put(model, false)
    }

    fn on_predict_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        put(model, true)
    }

    fn on_predict_end(&mut self, model: &mut dyn Trained) -> Result<()> {
        put(model, false)
    }
}
