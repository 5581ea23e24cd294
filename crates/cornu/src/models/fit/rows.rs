//! Batches of arrays: rows picked inside the program, so that shuffling moves no data.

use super::Shuffle;
use super::run::Feed;
use crate::callbacks::State;
use crate::data::Data;
use crate::models::graph::Graph;
use crate::models::health;
use crate::models::set::{Set, run_compiled};
use crate::models::trainer::{Signature, Trainer};
use crate::{Error, Result};
use cornu_core::random::Stream;
use cornu_core::{Slice, View};
use std::ops::Range;

/// Samples in arrays, in an order that is made anew in each pass.
pub(super) struct Rows<'d> {
    set: Set<'d>,
    order: Vec<i32>,
    /// The order of a pass depends on the seed and the pass' number alone.
    seed: u64,
    passes: u32,
    shuffle: Shuffle,
    /// The next batch of the current pass.
    cursor: usize,
    /// The steps for full batches and for a short last one.
    steps: Option<(Compiled, Option<Compiled>)>,
}

/// A program's signature, and its place in the trainer.
type Compiled = (Signature, usize);

impl<'d> Rows<'d> {
    pub fn new(set: Set<'d>, shuffle: Shuffle) -> Result<Self> {
        let order = match shuffle {
            Shuffle::No => Vec::new(),
            _ => (0..i32::try_from(set.samples).map_err(|_| too_many(set.samples))?).collect(),
        };
        Ok(Self {
            set,
            order,
            seed: crate::utils::next_seed(),
            passes: 0,
            shuffle,
            cursor: 0,
            steps: None,
        })
    }

    fn compiled(&self, graph: &Graph, trainer: &mut Trainer, rows: usize) -> Result<Compiled> {
        let picked = self.shuffle != Shuffle::No;
        let signature = self.set.signature(true, rows, picked);
        let place = trainer.step(graph, &signature)?;
        Ok((signature, place))
    }

    /// Makes the order of the next pass.
    fn reorder(&mut self) {
        let mut random = Stream::new(self.seed, self.passes);
        self.passes += 1;
        (0..).zip(&mut self.order).for_each(|(i, row)| *row = i);
        match self.shuffle {
            Shuffle::No => {}
            Shuffle::Samples => random.shuffle(&mut self.order),
            Shuffle::Batch => {
                for batch in self.order.chunks_mut(self.set.batch) {
                    random.shuffle(batch);
                }
            }
        }
    }

    /// Runs a compiled step: on rows picked by the order, or, without one, on consecutive rows.
    fn run(&self, trainer: &mut Trainer, step: &Compiled, rows: Range<usize>) -> Result<()> {
        let (signature, place) = step;
        if self.order.is_empty() {
            return run_compiled(trainer, &self.set, signature, *place, rows);
        }
        let picked = [rows.len()];
        let index = View {
            shape: &picked,
            data: Slice::I32(&self.order[rows]),
        };
        let arrays = [&self.set.x, &self.set.y, &self.set.weight];
        let arrays = arrays.into_iter().flatten();
        trainer.run(*place, arrays.map(Data::view).chain([index]))
    }
}

impl Feed for Rows<'_> {
    fn steps(&self) -> Option<usize> {
        Some(self.set.steps())
    }

    fn begin_epoch(&mut self, graph: &Graph, trainer: &mut Trainer, go_on: bool) -> Result<()> {
        if !go_on || self.cursor >= self.set.steps() {
            self.cursor = 0;
        }
        let full = self.compiled(graph, trainer, self.set.batch.min(self.set.samples))?;
        let rest = self.set.rows(self.set.steps() - 1).len();
        let last = match rest == self.set.batch {
            true => None,
            false => Some(self.compiled(graph, trainer, rest)?),
        };
        self.steps = Some((full, last));
        Ok(())
    }

    fn step(&mut self, _: &Graph, trainer: &mut Trainer) -> Result<bool> {
        let batches = self.set.steps();
        if self.cursor >= batches {
            return Ok(false);
        }
        if self.cursor == 0 {
            self.reorder();
        }
        let rows = self.set.rows(self.cursor);
        let Some((full, last)) = &self.steps else {
            return Err(Error::state("A step was made before an epoch began."));
        };
        let step = match last {
            Some(last) if self.cursor + 1 == batches => last,
            _ => full,
        };
        self.run(trainer, step, rows)?;
        self.cursor += 1;
        Ok(true)
    }

    fn place(&self) -> State {
        let mut place = State::new();
        place.set("samples", self.set.samples as i64);
        place.set("seed", self.seed as i64);
        place.set("passes", i64::from(self.passes));
        place.set("cursor", self.cursor as i64);
        place
    }

    fn go_to(&mut self, graph: &Graph, trainer: &mut Trainer, place: &State) -> Result<()> {
        let samples = place.count("samples")?;
        if samples != self.set.samples {
            return Err(Error::shape(format!(
                "It was made with {samples} samples. Received: {}.",
                self.set.samples
            )));
        }
        if let Some(seed) = place.array("seed") {
            self.seed = seed.item::<i64>()? as u64;
        }
        self.passes = place.count("passes")? as u32;
        self.cursor = place.count("cursor")?;
        if self.cursor > 0 && self.passes > 0 {
            self.passes -= 1;
            self.reorder();
        }
        self.begin_epoch(graph, trainer, true)
    }

    fn diagnose(&self, graph: &Graph) -> Result<String> {
        let rows = self.set.rows(self.cursor.saturating_sub(1));
        let rows: Vec<usize> = match self.order.get(rows.clone()) {
            Some(order) if !order.is_empty() => order.iter().map(|r| *r as usize).collect(),
            _ => rows.collect(),
        };
        health::diagnose(graph, &self.set, &rows)
    }
}

fn too_many(samples: usize) -> Error {
    Error::shape(format!(
        "fit shuffles at most 2^31 - 1 samples. Received: {samples}. Use shuffle(false)."
    ))
}
