//! Products whose inner dimension is put together from sections of A that lie apart.

use super::outer::{Micro, MicroArgs, More, max_rows, max_vectors};
use crate::simd::{Float, Simd, SimdOp, Vector};

/// `C = Σ Aₛ · Bₛ` (or `C += …`): the sections of A begin anywhere and have the same strides, those of B
/// lie one after another.
pub(crate) struct Sections<'a, T> {
    /// Rows of C and of every section of A.
    pub rows: usize,
    /// Where A's sections begin; at least one.
    pub starts: &'a [*const T],
    /// Elements from one row of A, and from one of its columns, to the next.
    pub rsa: usize,
    pub csa: usize,
    /// Columns of a section of A.
    pub k: usize,
    pub b: *const T,
    pub ldb: usize,
    /// Columns of C.
    pub n: usize,
    pub c: *mut T,
    pub ldc: usize,
    pub accumulate: bool,
}

/// Tiles of fewer rows leave arithmetic waiting for the sums before.
const LEAST_ROWS: usize = 8;

/// The rows of the next tile: the most that there may be, unless so few were left that two tiles of
/// medium height are better.
fn height(left: usize, most: usize) -> usize {
    match left {
        _ if left <= most => left,
        _ if left < most + LEAST_ROWS && left >= 2 * LEAST_ROWS && most > LEAST_ROWS => LEAST_ROWS,
        _ => most,
    }
}

impl<T: Float> SimdOp for Sections<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let lanes = T::Vec::<S>::LANES;
        let vectors = self.n.div_ceil(lanes);
        let nv = vectors.div_ceil(vectors.div_ceil(max_vectors(S::REGS)));
        let mut j = 0;
        while j < self.n {
            let cols = (self.n - j).min(nv * lanes);
            let most = max_rows(S::REGS, cols.div_ceil(lanes));
            let mut i = 0;
            while i < self.rows {
                let rows = height(self.rows - i, most);
                // SAFETY: the parts lie inside the operands, which are valid by the maker's promise.
                unsafe {
                    let args = MicroArgs {
                        k: self.k,
                        more: More {
                            starts: self.starts.as_ptr().add(1),
                            count: self.starts.len() - 1,
                            offset: i * self.rsa,
                        },
                        rows,
                        a: self.starts[0].add(i * self.rsa),
                        rsa: self.rsa,
                        csa: self.csa,
                        b: self.b.add(j),
                        ldb: self.ldb,
                        c: self.c.add(i * self.ldc + j),
                        ldc: self.ldc,
                        cols,
                        accumulate: self.accumulate,
                        copy: std::ptr::null_mut(),
                    };
                    Micro::<T, S>::run(most, &args);
                }
                i += rows;
            }
            j += cols;
        }
    }
}
