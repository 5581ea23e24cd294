//! The whole of a training as a [`State`], and back.

use super::run::Run;
use crate::callbacks::State;
use crate::models::measure::Held;
use crate::{Error, Result, Variable};

/// Where a training is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    /// Epochs that have ended.
    pub epoch: usize,
    /// Batches of the epoch under way.
    pub step: usize,
}

impl Run<'_, '_> {
    /// Writes the training to a file, if a callback has asked for it.
    pub(super) fn back_up(&mut self, at: Position) -> Result<()> {
        match self.training.back_up.take() {
            Some((path, write)) => write(&self.state(at), &path),
            None => Ok(()),
        }
    }

    fn state(&self, at: Position) -> State {
        let training = &self.training;
        let mut state = State::new();
        state.set("epoch", at.epoch as i64);
        state.set("step", at.step as i64);
        state.set("validations", self.validations as i64);
        state.set("stop", i64::from(training.stop));
        state.set("swapped", i64::from(training.swapped));
        state.set("callbacks", self.callbacks.len() as i64);
        state.set_part("data", self.feed.place());
        let mut variables = State::new();
        variables.set_all(
            training
                .model
                .training_variables()
                .iter()
                .map(Variable::value),
        );
        state.set_part("variables", variables);
        for (i, callback) in self.callbacks.iter().enumerate() {
            state.set_part(&format!("callback_{i}"), callback.state());
        }
        state
    }

    /// Goes on from a backup, if a callback has found one: says from where.
    pub(super) fn restore(&mut self, first: usize) -> Result<Position> {
        let start = Position {
            epoch: first,
            step: 0,
        };
        match self.training.restore.take() {
            Some(state) => self
                .set_state(&state)
                .map_err(|e| Error::new(format!("The training cannot go on from its backup: {e}"))),
            None => Ok(start),
        }
    }

    fn set_state(&mut self, state: &State) -> Result<Position> {
        let callbacks = state.count("callbacks")?;
        if callbacks != self.callbacks.len() {
            return Err(Error::new(format!(
                "It was made with {callbacks} callbacks. Received: {}.",
                self.callbacks.len()
            )));
        }
        let (graph, trainer) = self.training.model.parts()?;
        // With the programs come the optimizer's state and that of metrics.
        self.feed.go_to(graph, trainer, &state.part("data"))?;
        let values = state.part("variables").all();
        let variables = self.training.model.training_variables();
        if values.len() != variables.len() {
            return Err(Error::new(format!(
                "It holds {} variables. The model has {}: it must be built and compiled as it was then.",
                values.len(),
                variables.len()
            )));
        }
        for (variable, value) in variables.iter().zip(values) {
            variable.assign(value)?;
        }
        for (i, callback) in self.callbacks.iter_mut().enumerate() {
            callback.set_state(&state.part(&format!("callback_{i}")))?;
        }
        self.validations = state.count("validations")?;
        if let Some(Held::Dataset(data)) = &self.validation {
            data.skip_passes(self.validations)?;
        }
        self.training.stop = state.count("stop")? != 0;
        self.training.swapped = state.count("swapped")? != 0;
        self.training.steps = self.training.steps.or(self.feed.steps());
        Ok(Position {
            epoch: state.count("epoch")?,
            step: state.count("step")?,
        })
    }
}
