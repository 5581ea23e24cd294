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

/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn largest<S: Simd, T: Real>(x: &[T]) -> T {
    let lanes = <T::Vec<S> as Vector>::LANES;
    let (blocks, rest) = x.split_at(x.len() - x.len() % lanes);
    let greater = |a: T, b: &T| if a > *b { a } else { *b };
    let mut most = rest.iter().fold(T::from_f64(f64::NEG_INFINITY), greater);
    // SAFETY: every block has as many elements as a vector.
    unsafe {
        let mut all = T::Vec::<S>::splat(most);
        for block in blocks.chunks_exact(lanes) {
            all = all.max(Vector::load(block.as_ptr()));
        }
        // No vector has more lanes.
        let mut each = [T::ZERO; 64];
        all.store(each.as_mut_ptr());
        most = each[..lanes].iter().fold(most, greater);
    }
    most
}

/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn total<S: Simd, T: Real>(x: &[T]) -> T {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut sum = T::Vec::<S>::splat(T::ZERO);
        for block in x.chunks(<T::Vec<S> as Vector>::LANES) {
            sum = sum.add(vector::<S, T>(block));
        }
        sum.sum()
    }
}

/// # Safety
/// `S` is available.
#[inline(always)]
unsafe fn dot<S: Simd, T: Real>(a: &[T], b: &[T]) -> T {
    let lanes = <T::Vec<S> as Vector>::LANES;
    // SAFETY: as promised by the caller.
    unsafe {
        let mut sum = T::Vec::<S>::splat(T::ZERO);
        for (a, b) in a.chunks(lanes).zip(b.chunks(lanes)) {
            sum = vector::<S, T>(a).fma(vector::<S, T>(b), sum);
        }
        sum.sum()
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
