//! Micro-kernels that add up outer products: a column of A, broadcast element by element, times a
//! row of B, held in vectors along N.

use crate::simd::{Float, Simd, SimdOp, Vector};

/// What a micro-kernel works on: `c = a · b` or `c += a · b` for a tile that fits the registers.
#[derive(Clone, Copy)]
pub(super) struct MicroArgs<T> {
    /// Inner dimension.
    pub k: usize,
    /// `a[i * rsa + p * csa]` is A's element in row `i`, column `p`.
    pub a: *const T,
    pub rsa: usize,
    pub csa: usize,
    /// `b[p * ldb + j]` is B's element in row `p`, column `j`.
    pub b: *const T,
    pub ldb: usize,
    /// `c[i * ldc + j]`.
    pub c: *mut T,
    pub ldc: usize,
    /// Valid columns of the tile: more than `(NV - 1) * LANES`, at most `NV * LANES`.
    pub cols: usize,
    /// Add to `c` instead of overwriting it.
    pub accumulate: bool,
    /// Where to copy B to on the way, as a panel with `NV * LANES` columns; null for not at all.
    /// Kernels of one row do not copy.
    pub copy: *mut T,
}

/// A micro-kernel for one instruction set and tile shape.
pub(super) type MicroFn<T> = unsafe fn(&MicroArgs<T>);

/// Rows of the tallest micro-kernel of any instruction set.
pub(super) const MR_MAX: usize = 14;
/// Vectors of the widest micro-kernel with more than one row.
pub(super) const NV_MAX: usize = 4;
/// Vectors of the widest one-row micro-kernel.
pub(super) const ROW_NV_MAX: usize = 8;

/// The most rows that a tile of `nv` vectors may have so that everything stays in registers.
pub(super) const fn max_rows<S: Simd>(nv: usize) -> usize {
    let rows = (S::REGS - nv - 1) / nv;
    if rows > MR_MAX { MR_MAX } else { rows }
}

/// The micro-kernels of an element type and instruction set.
pub(super) struct Micro<T, S>(std::marker::PhantomData<(T, S)>);

macro_rules! rows_of {
    ($nv:literal) => {
        [
            tile::<S, T, 1, $nv>,
            tile::<S, T, 2, $nv>,
            tile::<S, T, 3, $nv>,
            tile::<S, T, 4, $nv>,
            tile::<S, T, 5, $nv>,
            tile::<S, T, 6, $nv>,
            tile::<S, T, 7, $nv>,
            tile::<S, T, 8, $nv>,
            tile::<S, T, 9, $nv>,
            tile::<S, T, 10, $nv>,
            tile::<S, T, 11, $nv>,
            tile::<S, T, 12, $nv>,
            tile::<S, T, 13, $nv>,
            tile::<S, T, 14, $nv>,
        ]
    };
}

impl<T: Float, S: Simd> Micro<T, S> {
    /// `TILES[nv - 1][rows - 1]`, for `rows` up to [`max_rows`].
    const TILES: [[MicroFn<T>; MR_MAX]; NV_MAX] =
        [rows_of!(1), rows_of!(2), rows_of!(3), rows_of!(4)];
    /// `ROWS[nv - 1]`: one row.
    const ROWS: [MicroFn<T>; ROW_NV_MAX] = [
        row::<S, T, 1, 4>,
        row::<S, T, 2, 4>,
        row::<S, T, 3, 2>,
        row::<S, T, 4, 2>,
        row::<S, T, 5, 1>,
        row::<S, T, 6, 1>,
        row::<S, T, 7, 1>,
        row::<S, T, 8, 1>,
    ];

    /// The kernel for `rows` rows and `cols` columns of a product whose tiles have up to `mr` rows.
    ///
    /// The kernel of one row sums in another order than those of several, so it is for products cut
    /// into single rows: a row that a piece happens to have left over must not depend on the cut,
    /// and with it on the number of threads.
    #[inline(always)]
    pub(super) fn get(mr: usize, rows: usize, cols: usize) -> MicroFn<T> {
        let nv = cols.div_ceil(T::Vec::<S>::LANES);
        if mr == 1 {
            Self::ROWS[nv - 1]
        } else {
            Self::TILES[nv - 1][rows - 1]
        }
    }
}

/// Rows of B that are fetched ahead while it is copied: its rows may lie too far apart for the
/// processor to guess.
const AHEAD: usize = 16;

struct Tile<'a, T, const MR: usize, const NV: usize>(&'a MicroArgs<T>);

unsafe fn tile<S: Simd, T: Float, const MR: usize, const NV: usize>(args: &MicroArgs<T>) {
    // Shapes that would not fit the registers are in the table to keep it square, and never called.
    if const { MR <= max_rows::<S>(NV) } {
        // SAFETY: as promised by the caller.
        unsafe { S::vectorize(Tile::<T, MR, NV>(args)) }
    }
}

impl<T: Float, const MR: usize, const NV: usize> SimdOp for Tile<'_, T, MR, NV> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as promised by the caller.
        unsafe {
            if self.0.copy.is_null() {
                self.body::<S, false>()
            } else {
                self.body::<S, true>()
            }
        }
    }
}

impl<T: Float, const MR: usize, const NV: usize> Tile<'_, T, MR, NV> {
    #[inline(always)]
    unsafe fn body<S: Simd, const COPY: bool>(self) {
        let MicroArgs {
            k,
            a,
            rsa,
            csa,
            b,
            ldb,
            c,
            ldc,
            cols,
            accumulate,
            copy,
        } = *self.0;
        let lanes = T::Vec::<S>::LANES;
        // SAFETY: all elements that the arguments span are valid, by the caller's promise, and the
        // last vector is masked to the valid columns.
        unsafe {
            let mask = T::Vec::<S>::mask(cols - (NV - 1) * lanes);
            let mut acc = [[T::Vec::<S>::splat(T::ZERO); NV]; MR];
            // One pointer for every four rows and three distances address all rows with few
            // registers.
            let from = |row: usize| if MR > row { row * rsa } else { 0 };
            let mut base = [a, a.add(from(4)), a.add(from(8)), a.add(from(12))];
            let (mut bp, mut copied) = (b, copy);
            for _ in 0..k {
                let mut bv = [T::Vec::<S>::splat(T::ZERO); NV];
                for (j, v) in bv.iter_mut().enumerate() {
                    let p = bp.add(j * lanes);
                    *v = if j + 1 == NV {
                        Vector::load_mask(p, mask)
                    } else {
                        Vector::load(p)
                    };
                    if COPY {
                        S::prefetch(p.wrapping_add(AHEAD * ldb));
                        v.store(copied.add(j * lanes));
                    }
                }
                if COPY {
                    copied = copied.add(NV * lanes);
                }
                for (i, row) in acc.iter_mut().enumerate() {
                    let x = T::Vec::<S>::splat(*base[i / 4].add(i % 4 * rsa));
                    for (v, &bj) in row.iter_mut().zip(&bv) {
                        *v = x.fma(bj, *v);
                    }
                }
                bp = bp.wrapping_add(ldb);
                for p in &mut base {
                    *p = p.wrapping_add(csa);
                }
            }
            for (i, row) in acc.iter().enumerate() {
                let out = c.add(i * ldc);
                for (j, &v) in row.iter().enumerate() {
                    let p = out.add(j * lanes);
                    if j + 1 == NV {
                        let v = if accumulate {
                            v.add(Vector::load_mask(p, mask))
                        } else {
                            v
                        };
                        v.store_mask(p, mask);
                    } else {
                        let v = if accumulate {
                            v.add(Vector::load(p))
                        } else {
                            v
                        };
                        v.store(p);
                    }
                }
            }
        }
    }
}

struct Row<'a, T, const NV: usize, const KU: usize>(&'a MicroArgs<T>);

unsafe fn row<S: Simd, T: Float, const NV: usize, const KU: usize>(args: &MicroArgs<T>) {
    // SAFETY: as promised by the caller.
    unsafe { S::vectorize(Row::<T, NV, KU>(args)) }
}

/// One row: `KU` independent sums per column, so that one addition need not wait for the last.
impl<T: Float, const NV: usize, const KU: usize> SimdOp for Row<'_, T, NV, KU> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let MicroArgs {
            k,
            a,
            csa,
            b,
            ldb,
            c,
            cols,
            accumulate,
            ..
        } = *self.0;
        let lanes = T::Vec::<S>::LANES;
        // SAFETY: as for `Tile`.
        unsafe {
            let mask = T::Vec::<S>::mask(cols - (NV - 1) * lanes);
            let mut acc = [[T::Vec::<S>::splat(T::ZERO); NV]; KU];
            let mut p = 0;
            while p + KU <= k {
                for (u, sums) in acc.iter_mut().enumerate() {
                    let x = T::Vec::<S>::splat(*a.add((p + u) * csa));
                    let bp = b.add((p + u) * ldb);
                    for (j, v) in sums.iter_mut().enumerate() {
                        let q = bp.add(j * lanes);
                        let bv = if j + 1 == NV {
                            Vector::load_mask(q, mask)
                        } else {
                            Vector::load(q)
                        };
                        *v = x.fma(bv, *v);
                    }
                }
                p += KU;
            }
            while p < k {
                let x = T::Vec::<S>::splat(*a.add(p * csa));
                for (j, v) in acc[0].iter_mut().enumerate() {
                    let q = b.add(p * ldb + j * lanes);
                    let bv = if j + 1 == NV {
                        Vector::load_mask(q, mask)
                    } else {
                        Vector::load(q)
                    };
                    *v = x.fma(bv, *v);
                }
                p += 1;
            }
            for j in 0..NV {
                let mut v = acc[0][j];
                for sums in &acc[1..] {
                    v = v.add(sums[j]);
                }
                let q = c.add(j * lanes);
                let mask = if j + 1 == NV {
                    mask
                } else {
                    T::Vec::<S>::mask(lanes)
                };
                let v = if accumulate {
                    v.add(Vector::load_mask(q, mask))
                } else {
                    v
                };
                v.store_mask(q, mask);
            }
        }
    }
}
