//! Extents that depend on the batch.
//!
//! A program is of one batch size. Traced for two, it shows which extents are the batch's: all are linear in it.

use crate::{Error, Result};

/// `times · batch + plus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Extent {
    pub times: i64,
    pub plus: i64,
}

/// The batch sizes that programs are traced for: primes, which no extent of a model is likely to have.
pub(super) const BATCHES: [usize; 2] = [61, 67];

impl Extent {
    pub fn fixed(n: i64) -> Extent {
        Extent { times: 0, plus: n }
    }

    /// From its values at both batch sizes.
    ///
    /// # Errors
    /// If it is not linear in the batch.
    pub fn of(first: usize, second: usize) -> Result<Extent> {
        let (a, b) = (first as i64, second as i64);
        let [x, y] = BATCHES.map(|n| n as i64);
        let times = (b - a) / (y - x);
        let extent = Extent {
            times,
            plus: a - times * x,
        };
        // What is not linear, as the square of the batch, would be negative for a batch of one.
        match extent.at(y) == b && extent.at(1) >= 0 {
            true => Ok(extent),
            false => Err(Error::new(format!(
                "ONNX needs extents that are linear in the batch. Received: one that is {a} for a batch of {x} and {b} for one of {y}."
            ))),
        }
    }

    fn at(self, batch: i64) -> i64 {
        self.times * batch + self.plus
    }

    /// The number, if it does not depend on the batch.
    pub fn known(self) -> Option<i64> {
        (self.times == 0).then_some(self.plus)
    }

    pub fn is_batch(self) -> bool {
        self == Extent { times: 1, plus: 0 }
    }
}

/// The extents of what two tensors of these extents broadcast to.
pub(super) fn broadcast(a: &[Extent], b: &[Extent]) -> Vec<Extent> {
    let rank = a.len().max(b.len());
    let at = |e: &[Extent], i: usize| match (i + e.len()).checked_sub(rank) {
        Some(i) => e[i],
        None => Extent::fixed(1),
    };
    let one = Extent::fixed(1);
    (0..rank)
        .map(|i| match at(a, i) {
            e if e == one => at(b, i),
            e => e,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_found_from_two_batches() {
        assert_eq!(Extent::of(5, 5).unwrap().known(), Some(5));
        assert!(Extent::of(61, 67).unwrap().is_batch());
        let e = Extent::of(61 * 3 + 2, 67 * 3 + 2).unwrap();
        assert_eq!((e.times, e.plus), (3, 2));
        assert!(Extent::of(61 * 61, 67 * 67).is_err());
    }

    #[test]
    fn broadcasting_is_numpys() {
        let [one, n, b] = [
            Extent::fixed(1),
            Extent::fixed(4),
            Extent::of(61, 67).unwrap(),
        ];
        assert_eq!(broadcast(&[b, one], &[n]), [b, n]);
        assert_eq!(broadcast(&[], &[b, n]), [b, n]);
    }
}
