//! Products with blocks of a tall matrix, whose rows lie one after the other: with a few vectors
//! ([`dots()`]), of its transpose with a few ([`combine()`]), and its Gram matrix ([`Gram`]).
//!
//! A caller walks over a long matrix in blocks that stay in the cache and does with each all that
//! it needs, so that memory is read once; these are the inner loops of that. They run on the
//! calling thread.

mod combine;
mod dots;
mod gram;

use crate::simd::{Float, Isa, Simd, SimdOp, dispatch};
use combine::Combine;
use dots::Dots;
pub use gram::Gram;

/// `out[r·k + j] = Σ_c x[r·cols + c] · w[j·cols + c]`: every row of `x` with each of `k` vectors.
///
/// ```
/// let mut out = [0.0; 2];
/// cornu_cpu::kernels::tall::dots(&[1.0, 2.0, 3.0, 4.0], 2, &[10.0, 1.0], 1, &mut out);
/// assert_eq!(out, [12.0, 34.0]);
/// ```
///
/// # Panics
/// If the lengths do not fit: `x` holds whole rows of `cols` numbers, `w` is `k · cols` long, `out` has
/// `k` numbers for each row.
pub fn dots<T: Float>(x: &[T], cols: usize, w: &[T], k: usize, out: &mut [T]) {
    let rows = rows_of(x, cols, w, k, out);
    let dots = Dots {
        x: x.as_ptr(),
        rows,
        cols,
        w: w.as_ptr(),
        k,
        out: out.as_mut_ptr(),
    };
    // SAFETY: `rows_of` has checked all lengths.
    unsafe { dispatch(Isa::get(), Few(dots)) }
}

/// `g[j·cols + c] += Σ_r factors[r·k + j] · x[r·cols + c]`: `k` combinations of the rows of `x`.
///
/// ```
/// let mut g = [0.0; 2];
/// cornu_cpu::kernels::tall::combine(&[1.0, 2.0, 3.0, 4.0], 2, &[1.0, 10.0], 1, &mut g);
/// assert_eq!(g, [31.0, 42.0]);
/// ```
///
/// # Panics
/// If the lengths do not fit, as for [`dots()`].
pub fn combine<T: Float>(x: &[T], cols: usize, factors: &[T], k: usize, g: &mut [T]) {
    let rows = rows_of(x, cols, g, k, factors);
    let combine = Combine {
        x: x.as_ptr(),
        rows,
        cols,
        factors: factors.as_ptr(),
        k,
        g: g.as_mut_ptr(),
    };
    // SAFETY: `rows_of` has checked all lengths.
    unsafe { dispatch(Isa::get(), Few(combine)) }
}

/// Checks lengths; returns how many rows there are.
fn rows_of<T>(x: &[T], cols: usize, by_column: &[T], k: usize, by_row: &[T]) -> usize {
    let rows = x.len().checked_div(cols).unwrap_or(0);
    assert_eq!(rows * cols, x.len(), "x must hold whole rows");
    assert_eq!(
        by_column.len(),
        k * cols,
        "one number per vector and column"
    );
    assert_eq!(by_row.len(), k * rows, "one number per row and vector");
    rows
}

/// What is done with vectors five, two or one at a time.
trait ByFew {
    /// How many vectors there are.
    fn vectors(&self) -> usize;

    /// Does it with vectors `j..j + K`, all of which there must be.
    unsafe fn few<S: Simd, const K: usize>(&self, j: usize);
}

/// It, done with all vectors.
struct Few<F>(F);

impl<F: ByFew> SimdOp for Few<F> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let mut j = 0;
        while j < self.0.vectors() {
            // SAFETY: there are so many left; the rest is as promised by the caller.
            unsafe {
                match self.0.vectors() - j {
                    5.. => {
                        self.0.few::<S, 5>(j);
                        j += 5;
                    }
                    2..=4 => {
                        self.0.few::<S, 2>(j);
                        j += 2;
                    }
                    _ => {
                        self.0.few::<S, 1>(j);
                        j += 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
