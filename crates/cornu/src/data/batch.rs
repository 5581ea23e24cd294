//! Samples put together.

use super::{Cardinality, Data, Dataset, Example, Examples, Inputs};
use crate::{Error, Result, Shape};

/// Batches of samples: see [`Dataset::batch`].
#[derive(Clone, Debug)]
pub struct Batch<D> {
    inner: D,
    size: usize,
    drop_remainder: bool,
}

impl<D: Dataset> Batch<D> {
    pub(super) fn new(inner: D, size: usize) -> Self {
        Self {
            inner,
            size,
            drop_remainder: false,
        }
    }

    /// Leaves out the last batch if it is shorter than the others; by default it is given.
    pub fn drop_remainder(mut self, drop: bool) -> Self {
        self.drop_remainder = drop;
        self
    }
}

impl<D: Dataset> Dataset for Batch<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        if self.size == 0 {
            return Err(Error::new(
                "The size of batches must be at least 1. Received: batch(0).",
            ));
        }
        let mut samples = self.inner.examples()?;
        Ok(Box::new(std::iter::from_fn(move || {
            let mut batch = Vec::new();
            for sample in samples.by_ref().take(self.size) {
                match sample {
                    Ok(sample) => batch.push(sample),
                    Err(e) => return Some(Err(e)),
                }
            }
            let dropped = batch.is_empty() || (self.drop_remainder && batch.len() < self.size);
            (!dropped).then(|| stack(&batch))
        })))
    }

    fn cardinality(&self) -> Cardinality {
        // A size of 0 is refused by `examples`.
        let size = self.size.max(1);
        self.inner.cardinality().map(|n| match self.drop_remainder {
            true => n / size,
            false => n.div_ceil(size),
        })
    }

    fn skip_passes(&self, passes: usize) -> Result<()> {
        self.inner.skip_passes(passes)
    }
}

/// Samples along a new first axis.
pub(super) fn stack(samples: &[Example]) -> Result<Example> {
    let Some(first) = samples.first() else {
        return Err(Error::state("A batch needs at least one sample."));
    };
    for sample in samples {
        for ((what, one), (_, other)) in first.parts().into_iter().zip(sample.parts()) {
            if !one.names().eq(other.names()) {
                return Err(Error::shape(format!(
                    "The samples of a batch must hold the same arrays. Received: {what} of {} and of {}.",
                    listed(one),
                    listed(other)
                )));
            }
        }
    }
    let part = |pick: fn(&Example) -> &Inputs<'static>, what: &str| {
        let mut place = 0;
        pick(first).try_map(|_| {
            let arrays = samples.iter().filter_map(|s| pick(s).iter().nth(place));
            let arrays: Vec<&Data<'static>> = arrays.collect();
            place += 1;
            stack_arrays(&arrays, what)
        })
    };
    Ok(Example {
        x: part(|e| &e.x, "x")?,
        y: part(|e| &e.y, "y")?,
        weight: part(|e| &e.weight, "sample_weight")?,
    })
}

fn listed(arrays: &Inputs<'_>) -> String {
    let names: Vec<String> = arrays
        .names()
        .flatten()
        .map(|n| format!("\"{n}\""))
        .collect();
    match (arrays.len(), names.is_empty()) {
        (_, false) => names.join(", "),
        (1, true) => "1 array".to_string(),
        (n, true) => format!("{n} arrays"),
    }
}

/// Arrays of one shape along a new first axis.
fn stack_arrays(arrays: &[&Data<'static>], what: &str) -> Result<Data<'static>> {
    let Some(first) = arrays.first() else {
        return Err(Error::state("A batch needs at least one sample."));
    };
    let alike = |a: &&&Data<'static>| {
        let kind = |d: &Data<'static>| (d.dtype(), d.is_texts());
        a.shape() == first.shape() && kind(a) == kind(first)
    };
    if let Some(other) = arrays.iter().find(|a| !alike(a)) {
        return Err(Error::shape(format!(
            "The samples of a batch must have the same shape and type (pad_sequences pads). Received: {what} of {}{} and of {}{}.",
            first.dtype(),
            Shape::from(first.shape()),
            other.dtype(),
            Shape::from(other.shape())
        )));
    }
    let shape: Vec<usize> = [arrays.len()]
        .iter()
        .chain(first.shape())
        .copied()
        .collect();
    let joined = first.joined(arrays, shape)?;
    Ok(Data::owned(joined).marked_texts(first.is_texts()))
}
