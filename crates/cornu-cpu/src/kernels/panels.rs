//! Products of a few rows and a matrix that was packed for them: what kernels compute on the way, while
//! everything lies in a cache close by.

use super::prefetch;
use crate::simd::{Float, Simd, SimdOp, Vector};

/// Where a matrix of `k` rows and `n` columns lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub first: usize,
    pub row: usize,
    pub column: usize,
    pub k: usize,
    pub n: usize,
}

impl Part {
    /// Elements of the matrix once packed into panels of `width` columns.
    pub fn packed(&self, width: usize) -> usize {
        self.k * self.n.next_multiple_of(width)
    }
}

/// Columns of a panel: two vectors.
pub(crate) const fn width<S: Simd, T: Float>() -> usize {
    2 * <T::Vec<S> as Vector>::LANES
}

/// Rows of the left operand whose sums stay in registers, where there are many of these.
pub(crate) const ROWS: usize = 8;

/// The same for an instruction set. Half as many still keep the arithmetic busy.
const fn rows_at_once<S: Simd>() -> usize {
    if S::REGS >= 32 { ROWS } else { ROWS / 2 }
}

/// Lays a matrix out in panels of two vectors of columns, row after row, with zeros beyond the last.
///
/// # Safety
/// `source` holds the matrix, `to` has room for [`Part::packed`] elements.
#[inline(always)]
pub(crate) unsafe fn pack<S: Simd, T: Float>(source: *const T, part: Part, to: *mut T) {
    // SAFETY: as promised by the caller.
    unsafe { S::vectorize(Pack(source, part, to)) }
}

/// [`pack`] as a function of its own.
struct Pack<T>(*const T, Part, *mut T);

impl<T: Float> SimdOp for Pack<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as promised by the caller of `pack`.
        unsafe { pack_panels::<S, T>(self.0, self.1, self.2) }
    }
}

/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn pack_panels<S: Simd, T: Float>(source: *const T, part: Part, to: *mut T) {
    let width = width::<S, T>();
    for first in (0..part.n).step_by(width) {
        // SAFETY: the panel's columns are inside, by the caller.
        unsafe {
            let from = source.add(part.first + first * part.column);
            let to = to.add(first * part.k);
            let columns = width.min(part.n - first);
            if part.column == 1 {
                pack_rows::<S, T>(from, part, to, columns);
            } else {
                pack_columns::<S, T>(from, part, to, columns);
            }
        }
    }
}

/// A panel of rows that lie one element after the other.
///
/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn pack_rows<S: Simd, T: Float>(from: *const T, part: Part, to: *mut T, columns: usize) {
    let lanes = <T::Vec<S> as Vector>::LANES;
    // SAFETY: as promised by the caller; lanes beyond the last column are masked.
    unsafe {
        let whole = columns == 2 * lanes;
        let masks = [0, lanes].map(|v| T::Vec::<S>::mask(columns.saturating_sub(v)));
        for k in 0..part.k {
            for (v, mask) in masks.into_iter().enumerate() {
                let at = from.wrapping_add(k * part.row + v * lanes);
                let x = match whole {
                    true => T::Vec::<S>::load(at),
                    false => T::Vec::<S>::load_mask(at, mask),
                };
                x.store(to.add((2 * k + v) * lanes));
            }
        }
    }
}

/// A panel of a matrix that lies column after column, or anyhow.
///
/// # Safety
/// As for [`pack`].
#[inline(always)]
unsafe fn pack_columns<S: Simd, T: Float>(from: *const T, part: Part, to: *mut T, columns: usize) {
    let width = width::<S, T>();
    let block = T::BLOCK;
    let blocks = match part.row == 1 && width.is_multiple_of(block) {
        true => (part.k - part.k % block, columns - columns % block),
        false => (0, 0),
    };
    // SAFETY: as promised by the caller.
    unsafe {
        for j in (0..blocks.1).step_by(block) {
            for k in (0..blocks.0).step_by(block) {
                let from = from.add(j * part.column + k);
                T::transpose_block::<S>(from, part.column, to.add(k * width + j), width);
            }
        }
        for k in 0..part.k {
            let done = if k < blocks.0 { blocks.1 } else { 0 };
            for j in done..width {
                *to.add(k * width + j) = match j < columns {
                    true => *from.add(k * part.row + j * part.column),
                    false => T::ZERO,
                };
            }
        }
    }
}

/// The rows of a left operand: where the first begins, and how far it is to the next row and the next
/// element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<T> {
    pub first: *const T,
    pub row: usize,
    pub element: usize,
}

/// The product of some rows of `a` and a packed matrix, added to the rows of `onto`, if any, and stored in
/// those of `c`, each so far after the one before. Its maker promises that `a` has `rows` rows of `part.k`
/// elements, `c` and `onto` as many of `part.n`, that `packed` was made by [`pack`] for the same vectors,
/// and that `c` overlaps neither operand; it may be `onto`.
pub(crate) struct Product<T> {
    pub a: Rows<T>,
    pub rows: usize,
    pub packed: *const T,
    pub part: Part,
    pub onto: Option<(*const T, usize)>,
    pub c: (*mut T, usize),
}

impl<T: Float> SimdOp for Product<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Product {
            a,
            rows,
            packed,
            part,
            onto,
            c: (c, ldc),
        } = self;
        let width = width::<S, T>();
        let most = const { rows_at_once::<S>() };
        for panel in 0..part.n.div_ceil(width) {
            let columns = width.min(part.n - panel * width);
            for first in (0..rows).step_by(most) {
                let height = (rows - first).min(most);
                // SAFETY: the panel and the rows are inside, by the maker's promise.
                unsafe {
                    let b = (packed.add(panel * part.k * width), part.k);
                    let a = Rows {
                        first: a.first.add(first * a.row),
                        ..a
                    };
                    let c = (c.add(first * ldc + panel * width), ldc);
                    let onto = onto.map(|(from, ld)| (from.add(first * ld + panel * width), ld));
                    if let Some((from, ld)) = onto.filter(|(from, _)| !std::ptr::eq(*from, c.0)) {
                        // The rows may lie too far apart for the processor to guess.
                        (0..height).for_each(|r| prefetch(from.wrapping_add(r * ld + width)));
                    }
                    match height {
                        8 => tile::<S, T, 8>(a, b, onto, c, columns),
                        7 => tile::<S, T, 7>(a, b, onto, c, columns),
                        6 => tile::<S, T, 6>(a, b, onto, c, columns),
                        5 => tile::<S, T, 5>(a, b, onto, c, columns),
                        4 => tile::<S, T, 4>(a, b, onto, c, columns),
                        3 => tile::<S, T, 3>(a, b, onto, c, columns),
                        2 => tile::<S, T, 2>(a, b, onto, c, columns),
                        _ => tile::<S, T, 1>(a, b, onto, c, columns),
                    }
                }
            }
        }
    }
}

/// A tile of `R` rows and one panel.
///
/// # Safety
/// As for [`Product`].
#[inline(always)]
unsafe fn tile<S: Simd, T: Float, const R: usize>(
    a: Rows<T>,
    (b, k): (*const T, usize),
    onto: Option<(*const T, usize)>,
    (c, ldc): (*mut T, usize),
    columns: usize,
) {
    let lanes = <T::Vec<S> as Vector>::LANES;
    // SAFETY: as promised by the caller; lanes beyond the last column are masked.
    unsafe {
        let masks = [0, lanes].map(|v| T::Vec::<S>::mask(columns.saturating_sub(v)));
        let whole = columns == 2 * lanes;
        let mut sums = [[T::Vec::<S>::splat(T::ZERO); 2]; R];
        if let Some((from, ld)) = onto {
            for (r, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    let at = from.add(r * ld).wrapping_add(v * lanes);
                    *sum = if whole {
                        T::Vec::<S>::load(at)
                    } else {
                        T::Vec::<S>::load_mask(at, masks[v])
                    };
                }
            }
        }
        for i in 0..k {
            let row = [
                T::Vec::<S>::load(b.add(i * 2 * lanes)),
                T::Vec::<S>::load(b.add((i * 2 + 1) * lanes)),
            ];
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = T::Vec::<S>::splat(*a.first.add(r * a.row + i * a.element));
                sums[0] = x.fma(row[0], sums[0]);
                sums[1] = x.fma(row[1], sums[1]);
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let at = c.add(r * ldc).wrapping_add(v * lanes);
                if whole {
                    sum.store(at);
                } else {
                    sum.store_mask(at, masks[v]);
                }
            }
        }
    }
}
