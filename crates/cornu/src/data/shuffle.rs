//! Elements in random order.

use super::{Cardinality, Dataset, Examples};
use crate::{Error, Result};
use cornu_core::random::Stream;
use std::sync::atomic::{AtomicU32, Ordering};

/// Elements in random order: see [`Dataset::shuffle`].
#[derive(Debug)]
pub struct ShuffleBuffer<D> {
    inner: D,
    buffer: usize,
    seed: u64,
    again: bool,
    passes: AtomicU32,
}

impl<D: Dataset> ShuffleBuffer<D> {
    pub(super) fn new(inner: D, buffer: usize) -> Self {
        Self {
            inner,
            buffer,
            seed: crate::utils::next_seed(),
            again: true,
            passes: AtomicU32::new(0),
        }
    }

    /// The seed of the order; by default the next of `set_random_seed`'s, or an unpredictable one.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether each pass has an order of its own; so it is by default.
    pub fn reshuffle_each_iteration(mut self, again: bool) -> Self {
        self.again = again;
        self
    }
}

impl<D: Dataset> Dataset for ShuffleBuffer<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        if self.buffer == 0 {
            return Err(Error::new(
                "The buffer of shuffle must hold at least 1 element. Received: shuffle(0).",
            ));
        }
        let pass = match self.again {
            true => self.passes.fetch_add(1, Ordering::Relaxed),
            false => 0,
        };
        let mut random = Stream::new(self.seed, pass);
        let mut coming = self.inner.examples()?;
        let mut held = Vec::new();
        Ok(Box::new(std::iter::from_fn(move || {
            while held.len() < self.buffer {
                match coming.next() {
                    Some(Ok(example)) => held.push(example),
                    Some(Err(e)) => return Some(Err(e)),
                    None => break,
                }
            }
            let n = u32::try_from(held.len()).unwrap_or(u32::MAX);
            (n > 0).then(|| Ok(held.swap_remove(random.below(n) as usize)))
        })))
    }

    fn cardinality(&self) -> Cardinality {
        self.inner.cardinality()
    }

    fn skip_passes(&self, passes: usize) -> Result<()> {
        if self.again {
            self.passes.fetch_add(passes as u32, Ordering::Relaxed);
        }
        self.inner.skip_passes(passes)
    }
}
