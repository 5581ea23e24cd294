//! The record of a training.

use std::fmt;
use std::ops::Index;

use super::{Callback, Trained};
use crate::{Logs, Result, Verbose};

/// How a training was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// How much was printed.
    pub verbose: Verbose,
    /// The number of the last epoch, as given to `fit`.
    pub epochs: usize,
    /// Batches per epoch, if known.
    pub steps: Option<usize>,
}

/// The figures of every epoch: what `fit` returns.
///
/// ```
/// use cornu::callbacks::History;
///
/// fn report(history: &History) {
///     if let Some(losses) = history.get("loss") {
///         println!("from {:.4} to {:.4}", losses[0], losses[losses.len() - 1]);
///     }
///     println!("{history}"); // one line per epoch
/// }
/// # report(&History::default());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Each figure's values over the epochs, in the order in which the figures appeared. One that
    /// is not computed in every epoch (validation) has fewer values.
    pub history: Vec<(String, Vec<f64>)>,
    /// The epochs, counted from 0.
    pub epoch: Vec<usize>,
    /// How the training was asked for.
    pub params: Params,
    /// The figures by epoch, as `history` does not say which epochs had them.
    rows: Vec<Logs>,
}

impl History {
    /// An empty record of a training that prints as `verbose` says.
    pub fn new(verbose: Verbose) -> Self {
        Self {
            params: Params {
                verbose,
                ..Params::default()
            },
            ..Self::default()
        }
    }

    /// The values of the figure of this name over the epochs.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.history
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_slice())
    }

    /// The figures' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.history.iter().map(|(n, _)| n.as_str())
    }

    /// The figures of the last epoch.
    pub fn last(&self) -> Option<&Logs> {
        self.rows.last()
    }
}

impl Callback for History {
    fn wants_batches(&self) -> bool {
        false
    }

    fn on_train_begin(&mut self, model: &mut dyn Trained) -> Result<()> {
        *self = Self::new(self.params.verbose);
        self.params.epochs = model.epochs();
        self.params.steps = model.steps();
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut dyn Trained, epoch: usize, logs: &mut Logs) -> Result<()> {
        self.epoch.push(epoch);
        for (name, value) in logs.iter() {
            match self.history.iter_mut().find(|(n, _)| n == name) {
                Some((_, values)) => values.push(value),
                None => self.history.push((name.to_string(), vec![value])),
            }
        }
        self.rows.push(logs.clone());
        Ok(())
    }
}

impl Index<&str> for History {
    type Output = [f64];

    /// # Panics
    /// If there is no figure of this name; [`History::get`] does not.
    fn index(&self, name: &str) -> &[f64] {
        match self.get(name) {
            Some(values) => values,
            None => panic!(
                "no figure {name:?}; there are: {}",
                self.names().collect::<Vec<_>>().join(", ")
            ),
        }
    }
}

impl fmt::Display for History {
    /// One line per epoch: `Epoch 1: accuracy: 0.9255 - loss: 0.2601`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (epoch, logs)) in self.epoch.iter().zip(&self.rows).enumerate() {
            let newline = if i > 0 { "\n" } else { "" };
            write!(f, "{newline}Epoch {}: {logs}", epoch + 1)?;
        }
        Ok(())
    }
}
