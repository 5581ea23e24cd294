//! A few combinations of all rows.

// Loops over registers index several arrays of them at once.
#![allow(clippy::needless_range_loop)]

use super::ByFew;
use crate::simd::{Float, Simd, Vector};

pub(super) struct Combine<T> {
    pub x: *const T,
    pub rows: usize,
    pub cols: usize,
    pub factors: *const T,
    pub k: usize,
    pub g: *mut T,
}

impl<T: Float> ByFew for Combine<T> {
    #[inline(always)]
    fn vectors(&self) -> usize {
        self.k
    }

    #[inline(always)]
    unsafe fn few<S: Simd, const K: usize>(&self, j: usize) {
        // As many vectors of columns as there are registers for.
        // SAFETY: as promised by the caller.
        unsafe {
            match K {
                5 if S::REGS < 32 => self.by_columns::<S, K, 2>(j),
                _ => self.by_columns::<S, K, 4>(j),
            }
        }
    }
}

impl<T: Float> Combine<T> {
    /// Combinations `j..j + K`, in stripes of `V` vectors; the last vector may not be full.
    #[inline(always)]
    unsafe fn by_columns<S: Simd, const K: usize, const V: usize>(&self, j: usize) {
        let lanes = T::Vec::<S>::LANES;
        let mut c = 0;
        // SAFETY: whole stripes are within the columns; of the last one as many vectors as begin there.
        unsafe {
            while c + V * lanes <= self.cols {
                self.stripe::<S, K, V, false>(j, c);
                c += V * lanes;
            }
            match (self.cols - c).div_ceil(lanes) {
                0 => {}
                1 => self.stripe::<S, K, 1, true>(j, c),
                2 => self.stripe::<S, K, 2, true>(j, c),
                3 => self.stripe::<S, K, 3, true>(j, c),
                _ => self.stripe::<S, K, 4, true>(j, c),
            }
        }
    }

    /// `V` vectors of columns from `c` on; `LAST`: as much of the last one as there is.
    #[inline(always)]
    unsafe fn stripe<S: Simd, const K: usize, const V: usize, const LAST: bool>(
        &self,
        j: usize,
        c: usize,
    ) {
        let lanes = T::Vec::<S>::LANES;
        // Rows with sums of their own, where one row's are too few to keep the units busy.
        let apart = if K * V >= 6 { 1 } else { 4 };
        // SAFETY: columns from `c` on that there are and combinations `j..j + K` are valid; the mask has
        // the last vector's columns that there are.
        unsafe {
            let last = match LAST {
                true => self.cols - c - (V - 1) * lanes,
                false => lanes,
            };
            let mask = T::Vec::<S>::mask(last);
            let mut acc = [[[T::Vec::<S>::splat(T::ZERO); V]; K]; 4];
            let mut r = 0;
            while r + apart <= self.rows {
                for (u, acc) in acc.iter_mut().enumerate().take(apart) {
                    self.add_row::<S, K, V, LAST>(acc, r + u, j, c, mask);
                }
                r += apart;
            }
            while r < self.rows {
                self.add_row::<S, K, V, LAST>(&mut acc[0], r, j, c, mask);
                r += 1;
            }
            for k in 0..K {
                let g = self.g.add((j + k) * self.cols + c);
                let mut sum = load::<T, S, V, LAST>(g, mask);
                for acc in &acc[..apart] {
                    for v in 0..V {
                        sum[v] = sum[v].add(acc[k][v]);
                    }
                }
                for (v, sum) in sum.into_iter().enumerate() {
                    match LAST && v == V - 1 {
                        true => sum.store_mask(g.add(v * lanes), mask),
                        false => sum.store(g.add(v * lanes)),
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn add_row<S: Simd, const K: usize, const V: usize, const LAST: bool>(
        &self,
        acc: &mut [[T::Vec<S>; V]; K],
        r: usize,
        j: usize,
        c: usize,
        mask: <T::Vec<S> as Vector>::Mask,
    ) {
        // SAFETY: as for the stripe; row `r` is one of `rows`.
        unsafe {
            let x = load::<T, S, V, LAST>(self.x.add(r * self.cols + c), mask);
            for k in 0..K {
                let f = T::Vec::<S>::splat(*self.factors.add(r * self.k + j + k));
                for v in 0..V {
                    acc[k][v] = x[v].fma(f, acc[k][v]);
                }
            }
        }
    }
}

/// `V` vectors; `LAST`: those lanes of the last one that the mask has.
#[inline(always)]
unsafe fn load<T: Float, S: Simd, const V: usize, const LAST: bool>(
    p: *const T,
    mask: <T::Vec<S> as Vector>::Mask,
) -> [T::Vec<S>; V] {
    // SAFETY: as promised by the caller.
    std::array::from_fn(|v| unsafe {
        let p = p.add(v * T::Vec::<S>::LANES);
        match LAST && v == V - 1 {
            true => T::Vec::<S>::load_mask(p, mask),
            false => T::Vec::<S>::load(p),
        }
    })
}
