//! Micro-kernels that add up outer products: a column of A, broadcast element by element, times a
//! row of B, held in vectors along N.

use crate::kernels::prefetch;
use crate::simd::{Float, Simd, SimdOp, Vector, unrelated};

/// Sections of the inner dimension beyond the first, each of the same length. In each, A goes on from
/// another start, `offset` elements further for this tile; B goes on where it was.
#[derive(Clone, Copy)]
pub(super) struct More<T> {
    pub starts: *const *const T,
    pub count: usize,
    pub offset: usize,
}

impl<T> More<T> {
    pub const NONE: Self = Self {
        starts: std::ptr::null(),
        count: 0,
        offset: 0,
    };
}

/// What a micro-kernel works on: `c = a · b` or `c += a · b` for a tile that fits the registers.
#[derive(Clone, Copy)]
pub(super) struct MicroArgs<T> {
    /// Inner dimension, of one section.
    pub k: usize,
    /// The other sections; kernels of one row know none.
    pub more: More<T>,
    /// Rows of the tile, at most [`max_rows`] of its vectors.
    pub rows: usize,
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
    /// Only the tallest tiles do.
    pub copy: *mut T,
}

/// A micro-kernel for one instruction set and tile shape.
type MicroFn<T> = unsafe fn(&MicroArgs<T>);

/// Rows of the tallest micro-kernel of any instruction set.
const MR_MAX: usize = 16;
/// Vectors of the widest micro-kernel with more than one row.
const NV_MAX: usize = 4;
/// Vectors of the widest one-row micro-kernel.
pub(super) const ROW_NV_MAX: usize = 8;

/// The most rows that a tile of `nv` vectors may have so that everything stays in `regs` registers.
pub(super) const fn max_rows(regs: usize, nv: usize) -> usize {
    let rows = (regs - nv - 1) / nv;
    if rows > MR_MAX { MR_MAX } else { rows }
}

/// Vectors of the widest tile: wide ones read A least, but need registers enough for some rows.
pub(super) const fn max_vectors(regs: usize) -> usize {
    if max_rows(regs, NV_MAX) >= 6 {
        NV_MAX
    } else {
        2
    }
}

/// The micro-kernels of an element type and instruction set.
pub(super) struct Micro<T, S>(std::marker::PhantomData<(T, S)>);

/// The kernels of 1, 2, 4 and 8 rows.
macro_rules! heights {
    ($nv:literal) => {
        [
            tile::<S, T, 1, $nv>,
            tile::<S, T, 2, $nv>,
            tile::<S, T, 4, $nv>,
            tile::<S, T, 8, $nv>,
        ]
    };
}

impl<T: Float, S: Simd> Micro<T, S> {
    /// By vectors, then by the logarithm of rows. Other heights are put together from these, for each
    /// kernel is some KB of code.
    const TILES: [[MicroFn<T>; 4]; NV_MAX] = [heights!(1), heights!(2), heights!(3), heights!(4)];
    /// By vectors: as tall as the registers allow.
    const TALLEST: [MicroFn<T>; NV_MAX] = [
        tallest::<S, T, 1>,
        tallest::<S, T, 2>,
        tallest::<S, T, 3>,
        tallest::<S, T, 4>,
    ];
    const MOST_ROWS: [usize; NV_MAX] = [
        max_rows(S::REGS, 1),
        max_rows(S::REGS, 2),
        max_rows(S::REGS, 3),
        max_rows(S::REGS, 4),
    ];
    /// One row, by the logarithm of vectors. Eight of them are independent sums enough; fewer have
    /// several sums per column.
    const ROWS: [MicroFn<T>; 4] = [
        row::<S, T, 1, 4>,
        row::<S, T, 2, 4>,
        row::<S, T, 4, 2>,
        row::<S, T, 8, 1>,
    ];

    /// Computes a tile of a product whose tiles have up to `mr` rows.
    ///
    /// The kernel of one row sums in another order than those of several, so it is for products cut
    /// into single rows: a row that a piece happens to have left over must not depend on the cut,
    /// and with it on the number of threads.
    ///
    /// # Safety
    /// The processor must have the instruction set, and all elements that the arguments span must be
    /// valid.
    #[inline(always)]
    pub(super) unsafe fn run(mr: usize, args: &MicroArgs<T>) {
        let nv = args.cols.div_ceil(T::Vec::<S>::LANES);
        // SAFETY: as promised by the caller; parts lie within the whole.
        unsafe {
            if mr == 1 {
                Self::one_row(nv, *args);
            } else if args.rows == Self::MOST_ROWS[nv - 1] {
                Self::TALLEST[nv - 1](args);
            } else {
                Self::several(nv, *args);
            }
        }
    }

    unsafe fn several(nv: usize, mut args: MicroArgs<T>) {
        debug_assert!(args.copy.is_null());
        while args.rows > 0 {
            let power = args.rows.ilog2().min(3);
            let rows = 1 << power;
            // SAFETY: as promised by the caller of `run`.
            unsafe {
                Self::TILES[nv - 1][power as usize](&args);
                args.a = args.a.wrapping_add(rows * args.rsa);
                args.more.offset += rows * args.rsa;
                args.c = args.c.wrapping_add(rows * args.ldc);
            }
            args.rows -= rows;
        }
    }

    unsafe fn one_row(mut nv: usize, mut args: MicroArgs<T>) {
        while nv > 0 {
            let power = nv.ilog2();
            let width = T::Vec::<S>::LANES << power;
            let rest = args.cols.saturating_sub(width);
            args.cols -= rest;
            // SAFETY: as promised by the caller of `run`.
            unsafe { Self::ROWS[power as usize](&args) };
            args.b = args.b.wrapping_add(width);
            args.c = args.c.wrapping_add(width);
            args.cols = rest;
            nv -= 1 << power;
        }
    }
}

/// Rows of B that are fetched ahead while it is copied: its rows may lie too far apart for the
/// processor to guess.
const AHEAD: usize = 16;

unsafe fn tile<S: Simd, T: Float, const MR: usize, const NV: usize>(args: &MicroArgs<T>) {
    // Shapes that would not fit the registers are in the table to keep it square, and never called.
    if const { NV <= max_vectors(S::REGS) && MR < max_rows(S::REGS, NV) } {
        // SAFETY: as promised by the caller.
        unsafe {
            match is_whole::<S, T, NV>(args) {
                true => S::vectorize(Tile::<T, MR, NV, false, true>(args)),
                false => S::vectorize(Tile::<T, MR, NV, false, false>(args)),
            }
        }
    }
}

/// Whether a tile of whole vectors has a kernel without masks. Where these cost nothing, one kernel is
/// enough.
#[inline(always)]
fn is_whole<S: Simd, T: Float, const NV: usize>(args: &MicroArgs<T>) -> bool {
    !S::FREE_MASKS && args.cols == NV * T::Vec::<S>::LANES
}

unsafe fn tallest<S: Simd, T: Float, const NV: usize>(args: &MicroArgs<T>) {
    macro_rules! heights {
        ($($mr:literal)*) => {
            match const { if NV <= max_vectors(S::REGS) { max_rows(S::REGS, NV) } else { 0 } } {
                // SAFETY: as promised by the caller.
                $($mr => unsafe {
                    match (args.copy.is_null(), is_whole::<S, T, NV>(args)) {
                        (true, true) => S::vectorize(Tile::<T, $mr, NV, false, true>(args)),
                        (true, false) => S::vectorize(Tile::<T, $mr, NV, false, false>(args)),
                        (false, true) => S::vectorize(Tile::<T, $mr, NV, true, true>(args)),
                        (false, false) => S::vectorize(Tile::<T, $mr, NV, true, false>(args)),
                    }
                },)*
                _ => {}
            }
        };
    }
    heights!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

struct Tile<'a, T, const MR: usize, const NV: usize, const COPY: bool, const WHOLE: bool>(
    &'a MicroArgs<T>,
);

// Loops over registers count by index and not by iterator: so nothing but intrinsics has to be
// inlined, however the crate is built.
#[allow(clippy::needless_range_loop)]
impl<T: Float, const MR: usize, const NV: usize, const COPY: bool, const WHOLE: bool> SimdOp
    for Tile<'_, T, MR, NV, COPY, WHOLE>
{
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let MicroArgs {
            k,
            more,
            rows: _,
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
        // last vector is masked to the valid columns where they are not whole.
        unsafe {
            let mask = T::Vec::<S>::mask(cols - (NV - 1) * lanes);
            let masked = |j: usize| j + 1 == NV && !WHOLE;
            let mut acc = [[T::Vec::<S>::splat(T::ZERO); NV]; MR];
            // A pointer for every four rows addresses all rows with few registers. Were they known to
            // be `rsa` apart, every address would be computed from the one before.
            let fours = |a: *const T| {
                let mut each = [a; MR_MAX / 4];
                let mut i = 1;
                while i < MR.div_ceil(4) {
                    each[i] = unrelated(a.wrapping_add(4 * i * rsa));
                    i += 1;
                }
                each
            };
            let (mut base, mut bp, mut copied) = (fours(a), b, copy);
            let mut section = 0;
            loop {
                let mut p = 0;
                while p < k {
                    let mut bv = [T::Vec::<S>::splat(T::ZERO); NV];
                    let mut j = 0;
                    while j < NV {
                        let from = bp.add(j * lanes);
                        bv[j] = if masked(j) {
                            Vector::load_mask(from, mask)
                        } else {
                            Vector::load(from)
                        };
                        if COPY {
                            prefetch(from.wrapping_add(AHEAD * ldb));
                            bv[j].store(copied.add(j * lanes));
                        }
                        j += 1;
                    }
                    if COPY {
                        copied = copied.add(NV * lanes);
                    }
                    let mut i = 0;
                    while i < MR {
                        let x = T::Vec::<S>::splat(*base[i / 4].add(i % 4 * rsa));
                        let mut j = 0;
                        while j < NV {
                            acc[i][j] = x.fma(bv[j], acc[i][j]);
                            j += 1;
                        }
                        i += 1;
                    }
                    bp = bp.wrapping_add(ldb);
                    let mut i = 0;
                    while i < MR.div_ceil(4) {
                        base[i] = base[i].wrapping_add(csa);
                        i += 1;
                    }
                    p += 1;
                }
                if section == more.count {
                    break;
                }
                base = fours((*more.starts.add(section)).wrapping_add(more.offset));
                section += 1;
            }
            let mut i = 0;
            while i < MR {
                let mut j = 0;
                while j < NV {
                    let to = c.add(i * ldc + j * lanes);
                    let mut v = acc[i][j];
                    if masked(j) {
                        if accumulate {
                            v = v.add(Vector::load_mask(to, mask));
                        }
                        v.store_mask(to, mask);
                    } else {
                        if accumulate {
                            v = v.add(Vector::load(to));
                        }
                        v.store(to);
                    }
                    j += 1;
                }
                i += 1;
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
#[allow(clippy::needless_range_loop)] // as for `Tile`
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
            while p < k {
                let mut u = 0;
                while u < KU {
                    // What is left over is shorter than all the sums.
                    if p + u < k {
                        let x = T::Vec::<S>::splat(*a.add((p + u) * csa));
                        let from = b.add((p + u) * ldb);
                        let mut j = 0;
                        while j < NV {
                            let q = from.add(j * lanes);
                            let bv = if j + 1 == NV {
                                Vector::load_mask(q, mask)
                            } else {
                                Vector::load(q)
                            };
                            acc[u][j] = x.fma(bv, acc[u][j]);
                            j += 1;
                        }
                    }
                    u += 1;
                }
                p += KU;
            }
            let mut j = 0;
            while j < NV {
                let mut v = acc[0][j];
                let mut u = 1;
                while u < KU {
                    v = v.add(acc[u][j]);
                    u += 1;
                }
                let to = c.add(j * lanes);
                if j + 1 == NV {
                    if accumulate {
                        v = v.add(Vector::load_mask(to, mask));
                    }
                    v.store_mask(to, mask);
                } else {
                    if accumulate {
                        v = v.add(Vector::load(to));
                    }
                    v.store(to);
                }
                j += 1;
            }
        }
    }
}
