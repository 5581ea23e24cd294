//! Batches of a dataset, one after the other.

use super::run::Feed;
use crate::callbacks::State;
use crate::data::{Cardinality, Dataset, Example, Examples};
use crate::models::graph::Graph;
use crate::models::set::{Set, run_rows, set_of};
use crate::models::trainer::Trainer;
use crate::models::{health, weighting};
use crate::{Error, IntoInputs, Result};

/// A dataset, and the pass over it that is under way.
pub(super) struct Stream<'d> {
    data: &'d dyn Dataset,
    class_weight: Option<Vec<(usize, f64)>>,
    pass: Option<Examples<'d>>,
    /// A batch of this pass that was made before it was asked for.
    ahead: Option<Example>,
    /// Passes begun, and batches seen in this one, and in a whole one.
    passes: usize,
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
            ahead: None,
            passes: 0,
            seen: 0,
            batches,
            last: None,
        }
    }

    /// Whether the next batch is the first of a pass.
    fn has_ended(&self) -> bool {
        self.pass.is_none() || self.batches.is_some_and(|n| self.seen >= n)
    }

    fn begin_pass(&mut self) -> Result<()> {
        self.pass = None; // a pass under way ends before the next begins
        self.pass = Some(self.data.examples()?);
        self.passes += 1;
        self.seen = 0;
        Ok(())
    }

    fn set(&self, graph: &Graph, trainer: &Trainer, mut batch: Example) -> Result<Set<'static>> {
        if let Some(weights) = &self.class_weight {
            if !batch.weight.is_empty() {
                return Err(Error::new(
                    "Give class_weight or a dataset with weights of samples, not both.",
                ));
            }
            let weight = weighting::from_classes(graph, &batch.y, weights)?;
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
        if self.ahead.is_some() {
            return Ok(());
        }
        if !go_on || self.has_ended() {
            self.begin_pass()?;
        }
        Ok(())
    }

    fn step(&mut self, graph: &Graph, trainer: &mut Trainer) -> Result<bool> {
        let ahead = self.ahead.take().map(Ok);
        let Some(batch) = ahead.or_else(|| self.pass.as_mut().and_then(Iterator::next)) else {
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

    fn place(&self) -> State {
        let (passes, seen) = match self.has_ended() {
            true => (self.passes, 0),
            false => (self.passes - 1, self.seen),
        };
        let mut place = State::new();
        place.set("passes", passes as i64);
        place.set("seen", seen as i64);
        if let Some(batches) = self.batches {
            place.set("batches", batches as i64);
        }
        place
    }

    fn go_to(&mut self, graph: &Graph, trainer: &mut Trainer, place: &State) -> Result<()> {
        self.passes = place.count("passes")?;
        if place.array("batches").is_some() {
            self.batches = Some(place.count("batches")?);
        }
        self.data.skip_passes(self.passes)?;
        self.begin_pass()?;
        let seen = place.count("seen")?;
        let mut pass = self.pass.iter_mut().flatten();
        pass.by_ref()
            .take(seen)
            .try_for_each(|batch| batch.map(|_| ()))?;
        let mut next = pass.next();
        self.seen = seen;
        if next.is_none() {
            self.begin_pass()?;
            next = self.pass.iter_mut().flatten().next();
        }
        if let Some(batch) = next {
            let batch = batch?;
            let set = self.set(graph, trainer, batch.clone())?;
            trainer.step(graph, &set.signature(true, set.samples, false))?;
            self.ahead = Some(batch);
        }
        Ok(())
    }

    fn diagnose(&self, graph: &Graph) -> Result<String> {
        match &self.last {
            Some(set) => health::diagnose(graph, set, &(0..set.samples).collect::<Vec<_>>()),
            None => Ok("no batch was seen".to_string()),
        }
    }
}
