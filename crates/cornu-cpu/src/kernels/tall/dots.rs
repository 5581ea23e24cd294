//! Every row with each of a few vectors.

// Loops over registers index several arrays of them at once.
#![allow(clippy::needless_range_loop)]

use super::ByFew;
use crate::simd::{Float, Simd, Vector};

pub(super) struct Dots<T> {
    pub x: *const T,
    pub rows: usize,
    pub cols: usize,
    pub w: *const T,
    pub k: usize,
    pub out: *mut T,
}

impl<T: Float> ByFew for Dots<T> {
    #[inline(always)]
    fn vectors(&self) -> usize {
        self.k
    }

    #[inline(always)]
    unsafe fn few<S: Simd, const K: usize>(&self, j: usize) {
        // As many rows as there are registers for.
        // SAFETY: as promised by the caller.
        unsafe {
            match K {
                1 => self.by_rows::<S, 8, K>(j),
                5 if S::REGS < 32 => self.by_rows::<S, 2, K>(j),
                _ => self.by_rows::<S, 4, K>(j),
            }
        }
    }
}

impl<T: Float> Dots<T> {
    /// All rows with vectors `j..j + K`.
    #[inline(always)]
    unsafe fn by_rows<S: Simd, const R: usize, const K: usize>(&self, j: usize) {
        let mut r = 0;
        // SAFETY: rows `r..r + R` are within `rows`.
        unsafe {
            while r + R <= self.rows {
                self.tile::<S, R, K>(r, j);
                r += R;
            }
            while r < self.rows {
                self.tile::<S, 1, K>(r, j);
                r += 1;
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<S: Simd, const R: usize, const K: usize>(&self, r: usize, j: usize) {
        let lanes = T::Vec::<S>::LANES;
        // SAFETY: rows `r..r + R`, vectors `j..j + K` and all columns are valid; the mask keeps
        // the last columns' loads within them.
        unsafe {
            let x = self.x.add(r * self.cols);
            let w = self.w.add(j * self.cols);
            let mut acc = [[T::Vec::<S>::splat(T::ZERO); K]; R];
            let mut c = 0;
            while c + lanes <= self.cols {
                let w: [_; K] =
                    std::array::from_fn(|k| T::Vec::<S>::load(w.add(k * self.cols + c)));
                for i in 0..R {
                    let x = T::Vec::<S>::load(x.add(i * self.cols + c));
                    for k in 0..K {
                        acc[i][k] = x.fma(w[k], acc[i][k]);
                    }
                }
                c += lanes;
            }
            if c < self.cols {
                let mask = T::Vec::<S>::mask(self.cols - c);
                let w: [_; K] =
                    std::array::from_fn(|k| T::Vec::<S>::load_mask(w.add(k * self.cols + c), mask));
                for i in 0..R {
                    let x = T::Vec::<S>::load_mask(x.add(i * self.cols + c), mask);
                    for k in 0..K {
                        acc[i][k] = x.fma(w[k], acc[i][k]);
                    }
                }
            }
            for (i, acc) in acc.into_iter().enumerate() {
                for (k, acc) in acc.into_iter().enumerate() {
                    *self.out.add((r + i) * self.k + j + k) = acc.sum();
                }
            }
        }
    }
}
