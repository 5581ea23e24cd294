//! Elements kept in memory.

use super::{Cardinality, Dataset, Example, Examples};
use crate::Result;
use std::sync::{Arc, OnceLock};

/// Elements kept in memory: see [`Dataset::cache`].
#[derive(Debug)]
pub struct Cache<D> {
    inner: D,
    kept: OnceLock<Arc<Vec<Example>>>,
}

impl<D: Dataset> Cache<D> {
    pub(super) fn new(inner: D) -> Self {
        Self {
            inner,
            kept: OnceLock::new(),
        }
    }
}

impl<D: Dataset> Dataset for Cache<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        if let Some(kept) = self.kept.get() {
            return Ok(Box::new(kept.iter().map(|e| Ok(e.clone()))));
        }
        let mut coming = self.inner.examples()?;
        let mut seen = Some(Vec::new());
        Ok(Box::new(std::iter::from_fn(move || {
            let next = coming.next();
            match &next {
                Some(Ok(example)) => seen.iter_mut().for_each(|s| s.push(example.clone())),
                Some(Err(_)) => seen = None,
                // Only a whole pass is kept.
                None => {
                    if let Some(all) = seen.take() {
                        self.kept.get_or_init(|| Arc::new(all));
                    }
                }
            }
            next
        })))
    }

    fn cardinality(&self) -> Cardinality {
        match self.kept.get() {
            Some(kept) => Cardinality::Known(kept.len()),
            None => self.inner.cardinality(),
        }
    }
}
