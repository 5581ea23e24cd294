//! Batches of a dataset, one after the other.

use super::run::Feed;
use crate::data::{Cardinality, Dataset, Example, Examples};
use crate::models::evaluate::{Set, run_rows, set_of};
use crate::models::graph::Graph;
use crate::models::trainer::Trainer;
use crate::models::{health, weighting};
use crate::{Error, IntoInputs, Result};

/// A dataset, and the pass over it that is under way.
pub(super) struct Stream<'d> {
    data: &'d dyn Dataset,
    class_weight: Option<Vec<(usize, f64)>>,
    pass: Option<Examples<'d>>,
    /// Batches seen in this pass, and in a whole one.
    seen: usize,
    batches: Option<usize>,
    last: Option<Set<'static>>,
}

impl<'d> Stream<'d> {
    pub fn new(data: &'d dyn Dataset, class_weight: Option<Vec<(usize, f64)>>) -> Self {
        let batches = match data.cardinality() {
            Cardinality::Known(n) => Some(n),
            Cardinality::Unknown | Cardinality::Infinite => None,
        };
        Self {
            data,
            class_weight,
            pass: None,
            seen: 0,
            batches,
            last: None,
        }
    }

    fn set(&self, graph: &Graph, trainer: &Trainer, mut batch: Example) -> Result<Set<'static>> {
        if let Some(weights) = &self.class_weight {
            if !batch.weight.is_empty() {
                return Err(Error::new(
                    "Give class_weight or a dataset with weights of samples, not both.",
                ));
            }
            let weight = weighting::from_classes(&batch.y, weights)?;
            batch.weight = weight.into_inputs();
        }
        set_of(graph, trainer, batch, "")
    }
}

impl Feed for Stream<'_> {
    fn steps(&self) -> Option<usize> {
        self.batches
    }

    fn begin_epoch(&mut self, _: &Graph, _: &mut Trainer, go_on: bool) -> Result<()> {
        let ended = self.batches.is_some_and(|n| self.seen >= n);
        if !go_on || ended || self.pass.is_none() {
            self.pass = None; // a pass under way ends before the next begins
            self.pass = Some(self.data.examples()?);
            self.seen = 0;
        }
        Ok(())
    }

    fn step(&mut self, graph: &Graph, trainer: &mut Trainer) -> Result<bool> {
        let Some(batch) = self.pass.as_mut().and_then(Iterator::next) else {
            self.pass = None;
            // What the dataset said before may not be what it gives.
            self.batches = Some(self.seen);
            return Ok(false);
        };
        let set = self.set(graph, trainer, batch?)?;
        self.seen += 1;
        run_rows(trainer, graph, &set, true, 0..set.samples)?;
        self.last = Some(set);
        Ok(true)
    }

    fn diagnose(&self, graph: &Graph) -> Result<String> {
        match &self.last {
            Some(set) => health::diagnose(graph, set, &(0..set.samples).collect::<Vec<_>>()),
            None => Ok("no batch was seen".to_string()),
        }
    }
}
