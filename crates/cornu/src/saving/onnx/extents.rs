//! Extents that depend on what inputs leave open: the batch, and lengths such as the number of steps.
//!
//! A program is of fixed extents. Traced for several of each open one, it shows how all others depend on them:
//! each as a polynomial, to the first power in every open extent.

use crate::{Error, Result};

/// How many extents may be open, the batch among them.
pub(super) const MOST: usize = 3;

/// A sum of products of open extents: the coefficient `i` is that of the product of those whose bits are set in
/// `i`, the batch's being the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Extent([i64; 1 << MOST]);

/// What open extents are while programs are traced: primes, which no extent of a model is likely to have. The third
/// one shows that no extent depends on them otherwise.
const SIZES: [[usize; 3]; MOST] = [[61, 67, 71], [41, 43, 47], [53, 59, 73]];

/// The open extents of each trace: both sizes of each in all combinations, and all at their third size.
pub(super) fn traces(open: usize) -> Vec<Vec<usize>> {
    let size = |trace: usize, i: usize| SIZES[i][trace >> i & 1];
    let sized = |trace| (0..open).map(|i| size(trace, i)).collect();
    let third = (0..open).map(|i| SIZES[i][2]).collect();
    (0..1 << open).map(sized).chain([third]).collect()
}

impl Extent {
    pub const fn fixed(n: i64) -> Extent {
        let mut all = [0; 1 << MOST];
        all[0] = n;
        Extent(all)
    }

    /// The open extent of this number, 0 being the batch.
    pub const fn open(i: usize) -> Extent {
        let mut all = [0; 1 << MOST];
        all[1 << i] = 1;
        Extent(all)
    }

    /// From its values in all [`traces`].
    ///
    /// # Errors
    /// If it depends on open extents otherwise.
    pub fn of(values: &[usize]) -> Result<Extent> {
        let (third, sized) = values.split_last().unwrap_or((&0, &[]));
        let open = sized.len().trailing_zeros() as usize;
        let mut all = [0i64; 1 << MOST];
        for (to, value) in all.iter_mut().zip(sized) {
            *to = *value as i64;
        }
        let mut linear = true;
        for (i, [x, y, _]) in SIZES.iter().enumerate().take(open) {
            let [x, y] = [*x as i64, *y as i64];
            for trace in (0..sized.len()).filter(|trace| trace >> i & 1 == 0) {
                let (a, b) = (all[trace], all[trace | 1 << i]);
                let slope = (b - a) / (y - x);
                linear &= slope * (y - x) == b - a;
                all[trace] = a - slope * x;
                all[trace | 1 << i] = slope;
            }
        }
        let extent = Extent(all);
        let thirds = SIZES.map(|sizes| sizes[2] as i64);
        match linear && extent.at(thirds) == *third as i64 {
            true => Ok(extent),
            false => Err(Error::new(format!(
                "ONNX needs extents that are sums and products of those that inputs leave open. Received: one that is {} where these are {:?}.",
                values[0],
                &traces(open)[0]
            ))),
        }
    }

    fn at(self, open: [i64; MOST]) -> i64 {
        let term = |(i, n): (usize, i64)| {
            let of = open.iter().enumerate().filter(|(j, _)| i >> j & 1 == 1);
            n * of.map(|(_, size)| size).product::<i64>()
        };
        self.0.into_iter().enumerate().map(term).sum()
    }

    /// The number, if it depends on nothing.
    pub fn known(self) -> Option<i64> {
        (self == Extent::fixed(self.0[0])).then_some(self.0[0])
    }

    /// The number of the open extent that this one is.
    pub fn is_open(self) -> Option<usize> {
        (0..MOST).find(|i| self == Extent::open(*i))
    }

    pub fn times(self, n: i64) -> Extent {
        Extent(self.0.map(|a| a * n))
    }

    pub fn plus(self, other: Extent) -> Extent {
        let mut all = self.0;
        for (a, b) in all.iter_mut().zip(other.0) {
            *a += b;
        }
        Extent(all)
    }

    /// Its products: how often each is taken, and the numbers of the open extents that it is of.
    pub fn products(self) -> impl Iterator<Item = (i64, Vec<usize>)> {
        let of = |i: usize| (0..MOST).filter(|j| i >> j & 1 == 1).collect();
        let all = self.0.into_iter().enumerate();
        all.filter(|(_, n)| *n != 0).map(move |(i, n)| (n, of(i)))
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

    /// From what it is for each size of the batch and of a length.
    fn of(f: impl Fn(usize, usize) -> usize) -> Result<Extent> {
        let values: Vec<usize> = traces(2).iter().map(|open| f(open[0], open[1])).collect();
        Extent::of(&values)
    }

    #[test]
    fn extents_are_found_from_traces() {
        assert_eq!(of(|_, _| 5).unwrap().known(), Some(5));
        assert_eq!(of(|batch, _| batch).unwrap().is_open(), Some(0));
        assert_eq!(of(|_, length| length).unwrap().is_open(), Some(1));
        let e = of(|batch, length| 3 * batch * length + 2 * batch + 7).unwrap();
        assert_eq!((e.known(), e.is_open()), (None, None));
        let products: Vec<_> = e.products().collect();
        assert_eq!(products, [(7, vec![]), (2, vec![0]), (3, vec![0, 1])]);
        assert_eq!(e.times(2).plus(Extent::fixed(-14)).at([1, 5, 1]), 34);
        for f in [
            |batch: usize, _: usize| batch * batch,
            |_: usize, length: usize| length * length,
            |_: usize, length: usize| length / 2,
            |_: usize, length: usize| length.min(45),
        ] {
            assert!(of(f).is_err());
        }
    }

    #[test]
    fn broadcasting_is_numpys() {
        let [one, n, b] = [Extent::fixed(1), Extent::fixed(4), Extent::open(0)];
        assert_eq!(broadcast(&[b, one], &[n]), [b, n]);
        assert_eq!(broadcast(&[], &[b, n]), [b, n]);
    }
}
