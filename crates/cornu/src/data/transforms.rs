//! Datasets made of others, one element at a time.

use super::{Cardinality, Dataset, Example, Examples, IntoExample};
use crate::{Error, Result};

/// Each element changed: see [`Dataset::map`].
#[derive(Clone, Debug)]
pub struct Map<D, F> {
    pub(super) inner: D,
    pub(super) change: F,
}

impl<D, E, F> Dataset for Map<D, F>
where
    D: Dataset,
    E: IntoExample,
    F: Fn(Example) -> Result<E>,
{
    fn examples(&self) -> Result<Examples<'_>> {
        let changed = self.inner.examples()?.map(|e| (self.change)(e?));
        Ok(Box::new(changed.map(|e| e.map(IntoExample::into_example))))
    }

    fn cardinality(&self) -> Cardinality {
        self.inner.cardinality()
    }

    fn skip_passes(&self, passes: usize) -> Result<()> {
        self.inner.skip_passes(passes)
    }
}

/// The elements over and over: see [`Dataset::repeat`].
#[derive(Clone, Debug)]
pub struct Repeat<D> {
    pub(super) inner: D,
    pub(super) times: Option<usize>,
}

impl<D: Dataset> Dataset for Repeat<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        let mut left = self.times.unwrap_or(usize::MAX);
        let mut pass: Option<Examples<'_>> = None;
        let mut empty = true;
        Ok(Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(next) = pass.as_mut().and_then(Iterator::next) {
                    empty = false;
                    return Some(next);
                }
                // A pass without elements would be repeated for ever.
                if left == 0 || (pass.is_some() && empty) {
                    return None;
                }
                if self.times.is_some() {
                    left -= 1;
                }
                match self.inner.examples() {
                    Ok(examples) => pass = Some(examples),
                    Err(e) => {
                        left = 0;
                        pass = None;
                        return Some(Err(e));
                    }
                }
            }
        })))
    }

    fn cardinality(&self) -> Cardinality {
        match (self.inner.cardinality(), self.times) {
            (Cardinality::Known(0), _) | (_, Some(0)) => Cardinality::Known(0),
            (Cardinality::Known(n), Some(times)) => Cardinality::Known(n.saturating_mul(times)),
            (Cardinality::Unknown, Some(_)) => Cardinality::Unknown,
            _ => Cardinality::Infinite,
        }
    }
}

/// The first elements: see [`Dataset::take`].
#[derive(Clone, Debug)]
pub struct Take<D> {
    pub(super) inner: D,
    pub(super) n: usize,
}

impl<D: Dataset> Dataset for Take<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        Ok(Box::new(self.inner.examples()?.take(self.n)))
    }

    fn cardinality(&self) -> Cardinality {
        match self.inner.cardinality() {
            Cardinality::Infinite => Cardinality::Known(self.n),
            other => other.map(|n| n.min(self.n)),
        }
    }
}

/// All but the first elements: see [`Dataset::skip`].
#[derive(Clone, Debug)]
pub struct Skip<D> {
    pub(super) inner: D,
    pub(super) n: usize,
}

impl<D: Dataset> Dataset for Skip<D> {
    fn examples(&self) -> Result<Examples<'_>> {
        let mut examples = self.inner.examples()?;
        let mut left = self.n;
        Ok(Box::new(std::iter::from_fn(move || {
            while left > 0 {
                left -= 1;
                // An element that cannot be made is not passed over.
                if let failed @ (None | Some(Err(_))) = examples.next() {
                    left = 0;
                    return failed;
                }
            }
            examples.next()
        })))
    }

    fn cardinality(&self) -> Cardinality {
        self.inner.cardinality().map(|n| n.saturating_sub(self.n))
    }
}

/// Inputs of one dataset with targets of another: see [`Dataset::zip`].
#[derive(Clone, Debug)]
pub struct Zip<A, B> {
    pub(super) inputs: A,
    pub(super) targets: B,
}

impl<A: Dataset, B: Dataset> Dataset for Zip<A, B> {
    fn examples(&self) -> Result<Examples<'_>> {
        let pairs = self.inputs.examples()?.zip(self.targets.examples()?);
        Ok(Box::new(pairs.map(|(inputs, targets)| {
            let (inputs, targets) = (inputs?, targets?);
            let bare = |e: &Example| e.y.is_empty() && e.weight.is_empty();
            if !bare(&inputs) || !bare(&targets) {
                return Err(Error::new(
                    "zip takes datasets of inputs alone: those of the second become targets. \
                     Received: elements with targets or weights.",
                ));
            }
            Ok(Example {
                y: targets.x,
                ..inputs
            })
        })))
    }

    fn cardinality(&self) -> Cardinality {
        use Cardinality::{Infinite, Known, Unknown};
        match (self.inputs.cardinality(), self.targets.cardinality()) {
            (Known(a), Known(b)) => Known(a.min(b)),
            (Infinite, other) | (other, Infinite) => other,
            (Unknown, _) | (_, Unknown) => Unknown,
        }
    }
}
