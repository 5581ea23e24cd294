//! What is done with one query's scores.

use crate::math::Real;
use crate::simd::{Isa, Simd, SimdOp, Vector};
use cornu_core::ops::attention::FAR;

/// Turns scores into shares; gives the largest score and the sum of all eˢ⁻ᵐ.
pub(super) struct Softmax<'a, T> {
    pub scores: &'a mut [T],
    pub seen: Option<&'a [u8]>,
    /// Whether what is not seen has no share, even if nothing is.
    pub nowhere: bool,
}

impl<T: Real> SimdOp for Softmax<'_, T> {
    type Output = (T, T);

    #[inline(always)]
    unsafe fn call<S: Simd>(self) -> (T, T) {
        let x = self.scores;
        if let Some(seen) = self.seen {
            hide(x, seen, T::from_f64(FAR));
        }
        // SAFETY: `S` is available.
        let most = unsafe { largest::<S, T>(x) };
        exponential::<S, T>(x, most);
        // SAFETY: as above.
        let sum = unsafe { total::<S, T>(x) };
        divide(x, sum);
        if let (Some(seen), true) = (self.seen, self.nowhere) {
            hide(x, seen, T::ZERO);
        }
        (most, sum)
    }
}

/// The shares of scores whose largest and sum are known.
pub(super) struct Shares<'a, T> {
    pub scores: &'a mut [T],
    pub seen: Option<&'a [u8]>,
    pub nowhere: bool,
    pub most: T,
    pub sum: T,
}

impl<T: Real> SimdOp for Shares<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let x = self.scores;
        if let Some(seen) = self.seen {
            hide(x, seen, T::from_f64(FAR));
        }
        exponential::<S, T>(x, self.most);
        divide(x, self.sum);
        if let (Some(seen), true) = (self.seen, self.nowhere) {
            hide(x, seen, T::ZERO);
        }
    }
}

/// Makes of what flows to shares what flows to scores: `share · (flow − mean)`, where the mean is that of
/// what flows, by shares. (It is what flows to the result times the result, too; but only this one makes
/// what flows to scores sum to 0 as nearly as it can be.)
pub(super) struct Flow<'a, T> {
    pub flow: &'a mut [T],
    pub shares: &'a [T],
    pub seen: Option<&'a [u8]>,
}

impl<T: Real> SimdOp for Flow<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: `S` is available.
        let mean = unsafe { dot::<S, T>(self.flow, self.shares) };
        let pairs = self.flow.iter_mut().zip(self.shares);
        pairs.for_each(|(flow, share)| *flow = *share * (*flow - mean));
        if let Some(seen) = self.seen {
            hide(self.flow, seen, T::ZERO);
        }
    }
}

#[inline(always)]
fn hide<T: Real>(x: &mut [T], seen: &[u8], instead: T) {
    let pairs = x.iter_mut().zip(seen);
    pairs.for_each(|(x, seen)| *x = if *seen != 0 { *x } else { instead });
}

#[inline(always)]
fn exponential<S: Simd, T: Real>(x: &mut [T], most: T) {
    if S::ISA == Isa::Scalar {
        x.iter_mut().for_each(|x| *x = (*x - most).exp::<false>());
    } else {
        x.iter_mut().for_each(|x| *x = (*x - most).exp::<true>());
    }
}

#[inline(always)]
fn divide<T: Real>(x: &mut [T], by: T) {
    let share = T::from_f64(1.0) / by;
    x.iter_mut().for_each(|x| *x = *x * share);
}

/// Vectors that are added up (or compared) side by side, so that none waits for the one before.
const CHAINS: usize = 4;

/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn largest<S: Simd, T: Real>(x: &[T]) -> T {
    let lanes = <T::Vec<S> as Vector>::LANES;
    let (blocks, rest) = x.split_at(x.len() - x.len() % (CHAINS * lanes));
    let greater = |a: T, b: &T| if a > *b { a } else { *b };
    let mut most = rest.iter().fold(T::from_f64(f64::NEG_INFINITY), greater);
    // SAFETY: every block has as many elements as the vectors.
    unsafe {
        let mut chains = [T::Vec::<S>::splat(most); CHAINS];
        for block in blocks.chunks_exact(CHAINS * lanes) {
            let mut v = 0;
            while v < CHAINS {
                chains[v] = chains[v].max(Vector::load(block.as_ptr().add(v * lanes)));
                v += 1;
            }
        }
        let [a, b, c, d] = chains;
        // No vector has more lanes.
        let mut each = [T::ZERO; 64];
        a.max(b).max(c.max(d)).store(each.as_mut_ptr());
        most = each[..lanes].iter().fold(most, greater);
    }
    most
}

/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn total<S: Simd, T: Real>(x: &[T]) -> T {
    let lanes = <T::Vec<S> as Vector>::LANES;
    let (blocks, rest) = x.split_at(x.len() - x.len() % (CHAINS * lanes));
    // SAFETY: as promised by the caller; every block has as many elements as the vectors.
    unsafe {
        let mut sums = [T::Vec::<S>::splat(T::ZERO); CHAINS];
        for block in blocks.chunks_exact(CHAINS * lanes) {
            let mut v = 0;
            while v < CHAINS {
                sums[v] = sums[v].add(Vector::load(block.as_ptr().add(v * lanes)));
                v += 1;
            }
        }
        for block in rest.chunks(lanes) {
            sums[0] = sums[0].add(vector::<S, T>(block));
        }
        let [a, b, c, d] = sums;
        a.add(b).add(c.add(d)).sum()
    }
}

/// # Safety
/// `S` is available; both have the same length.
#[inline(always)]
unsafe fn dot<S: Simd, T: Real>(x: &[T], y: &[T]) -> T {
    let lanes = <T::Vec<S> as Vector>::LANES;
    let whole = x.len() - x.len() % (CHAINS * lanes);
    let ((blocks, rest), (others, rest_of_y)) = (x.split_at(whole), y.split_at(whole));
    // SAFETY: as promised by the caller; every block has as many elements as the vectors.
    unsafe {
        let mut sums = [T::Vec::<S>::splat(T::ZERO); CHAINS];
        let blocks = blocks.chunks_exact(CHAINS * lanes);
        for (block, other) in blocks.zip(others.chunks_exact(CHAINS * lanes)) {
            let mut v = 0;
            while v < CHAINS {
                let x = T::Vec::<S>::load(block.as_ptr().add(v * lanes));
                sums[v] = x.fma(Vector::load(other.as_ptr().add(v * lanes)), sums[v]);
                v += 1;
            }
        }
        for (x, y) in rest.chunks(lanes).zip(rest_of_y.chunks(lanes)) {
            sums[0] = vector::<S, T>(x).fma(vector::<S, T>(y), sums[0]);
        }
        let [a, b, c, d] = sums;
        a.add(b).add(c.add(d)).sum()
    }
}

/// A vector of at most as many elements as it has lanes, the others 0.
///
/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn vector<S: Simd, T: Real>(x: &[T]) -> T::Vec<S> {
    // SAFETY: only lanes inside are read.
    unsafe {
        match x.len() == <T::Vec<S> as Vector>::LANES {
            true => T::Vec::<S>::load(x.as_ptr()),
            false => T::Vec::<S>::load_mask(x.as_ptr(), T::Vec::<S>::mask(x.len())),
        }
    }
}
