//! What callbacks see of a model at work, and may change.

use super::model::{Model, set_weights};
use crate::callbacks::{State, Trained, WriteState};
use crate::interrupt::Interrupt;
use crate::{Array, Error, Result, Variable};
use std::ops::Deref;
#[cfg(feature = "saving")]
use std::path::Path;
use std::path::PathBuf;

/// A model that is being trained or measured (`&mut Model`), or asked (`&Model`).
pub(super) struct Training<M> {
    pub model: M,
    pub steps: Option<usize>,
    pub epochs: usize,
    pub stop: bool,
    /// Whether Ctrl-C has ended the training.
    pub interrupted: bool,
    /// Whether weights and averages are swapped.
    pub swapped: bool,
    /// Where to write the whole training, and how, if that was asked for.
    pub back_up: Option<(PathBuf, WriteState)>,
    /// What to go on from, if that was asked for.
    pub restore: Option<State>,
}

impl<M: Deref<Target = Model>> Training<M> {
    pub fn new(model: M, steps: Option<usize>, epochs: usize) -> Self {
        Self {
            model,
            steps,
            epochs,
            stop: false,
            interrupted: false,
            swapped: false,
            back_up: None,
            restore: None,
        }
    }

    fn averages(&self) -> Result<Vec<(Variable, Variable)>> {
        Ok(self.model.optimizer()?.averages())
    }

    /// Leaves the averages in the weights, if the optimizer keeps any.
    pub fn finalize(&self) -> Result<()> {
        if !self.swapped {
            return self.model.optimizer()?.finalize();
        }
        let mut averages = self.averages()?.into_iter();
        averages.try_for_each(|(weight, average)| average.assign(weight.value()))
    }
}

impl<M: Deref<Target = Model>> Trained for Training<M> {
    fn name(&self) -> &str {
        self.model.name()
    }
    fn steps(&self) -> Option<usize> {
        self.steps
    }
    fn epochs(&self) -> usize {
        self.epochs
    }
    fn stop_training(&mut self) {
        self.stop = true;
    }
    fn learning_rate(&self) -> f64 {
        let optimizer = self.model.optimizer();
        optimizer.map_or(f64::NAN, |o| o.learning_rate())
    }
    fn set_learning_rate(&mut self, value: f64) -> Result<()> {
        self.model.optimizer()?.set_learning_rate(value)
    }
    fn weight_names(&self) -> Vec<String> {
        let weights = self.model.weights();
        let names = weights.iter().map(|w| w.variable.name().to_string());
        names.collect()
    }
    fn weights(&self) -> Vec<Array> {
        let weights = self.model.weights();
        weights.iter().map(|w| w.variable.value()).collect()
    }
    fn set_weights(&mut self, weights: &[Array]) -> Result<()> {
        set_weights(&self.model.weights(), weights)
    }
    fn iterations(&self) -> u64 {
        let optimizer = self.model.optimizer();
        optimizer.map_or(0, |o| o.iterations())
    }
    fn is_interrupted(&self) -> bool {
        self.interrupted || Interrupt::requested()
    }
    fn describe(&self, how: fn(&Model) -> String) -> String {
        how(&self.model)
    }
    #[cfg(feature = "saving")]
    fn write(&self, path: &Path, how: fn(&Model, &Path) -> Result<()>) -> Result<()> {
        how(&self.model, path)
    }
    fn has_averages(&self) -> bool {
        self.swapped
    }
    fn swap_averages(&mut self) -> Result<()> {
        let averages = self.averages()?;
        if averages.is_empty() {
            return Err(Error::state(
                "The weights have no moving averages to be swapped with: give the optimizer use_ema(true).",
            ));
        }
        for (weight, average) in averages {
            let value = weight.value();
            weight.assign(average.value())?;
            average.assign(value)?;
        }
        self.swapped = !self.swapped;
        Ok(())
    }
    fn back_up_as(&mut self, path: PathBuf, how: WriteState) {
        self.back_up = Some((path, how));
    }
    fn restore(&mut self, state: State) {
        self.restore = Some(state);
    }
}
