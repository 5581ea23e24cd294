//! All products of two columns.

// Loops over registers index several arrays of them at once.
#![allow(clippy::needless_range_loop)]

use crate::simd::{Isa, Simd, SimdOp, Vector, dispatch};

/// How the Gram matrix of a number of columns is summed up, block of rows by block of rows.
///
/// A block is given *packed*: in panels of [`Gram::width`] columns, each with its [`Gram::ROWS`] rows
/// one after the other, filled up with zeros. Packing is the caller's: there it converts, centres and
/// weights.
///
/// ```
/// use cornu_cpu::kernels::tall::Gram;
/// let gram = Gram::new(2);
/// let mut packed = vec![0.0; gram.packed_len()];
/// for (r, row) in [[1.0, 2.0], [3.0, 4.0]].iter().enumerate() {
///     packed[r * gram.width()..][..2].copy_from_slice(row); // both columns are in the first panel
/// }
/// let mut sums = vec![0.0; gram.sums_len()];
/// gram.add(2, &packed, &mut sums);
/// assert_eq!(gram.at(&sums, 0, 0), 10.0);
/// assert_eq!(gram.at(&sums, 1, 0), 14.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gram {
    isa: Isa,
    cols: usize,
    width: usize,
}

/// Vectors in a panel.
const PANEL: usize = 3;

impl Gram {
    /// The most rows in a block.
    pub const ROWS: usize = 128;

    /// For matrices of `cols` columns, on this processor.
    pub fn new(cols: usize) -> Self {
        Self::with_isa(cols, Isa::get())
    }

    /// The same for a chosen instruction set (or the portable one, if the processor lacks it).
    pub fn with_isa(cols: usize, isa: Isa) -> Self {
        struct Width;
        impl SimdOp for Width {
            type Output = (Isa, usize);
            #[inline(always)]
            unsafe fn call<S: Simd>(self) -> (Isa, usize) {
                (S::ISA, PANEL * S::F64::LANES)
            }
        }
        // SAFETY: it asks for nothing.
        let (isa, width) = unsafe { dispatch(isa, Width) };
        Self { isa, cols, width }
    }

    /// Columns of a panel.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many panels there are.
    pub fn panels(&self) -> usize {
        self.cols.div_ceil(self.width)
    }

    /// Numbers in a packed block.
    pub fn packed_len(&self) -> usize {
        self.panels() * self.width * Self::ROWS
    }

    /// Numbers in the sums: a row and a column for each of the panels', so that no tile is cut short.
    pub fn sums_len(&self) -> usize {
        (self.panels() * self.width).pow(2)
    }

    /// The sum of products of columns `i` and `j`.
    pub fn at(&self, sums: &[f64], i: usize, j: usize) -> f64 {
        sums[i.min(j) * self.panels() * self.width + i.max(j)]
    }

    /// Adds the products of the first `rows` rows of a packed block; only those on and above the
    /// diagonal are meant for use.
    ///
    /// # Panics
    /// If the lengths are not those that this plan asks for.
    pub fn add(&self, rows: usize, packed: &[f64], sums: &mut [f64]) {
        assert!(rows <= Self::ROWS, "at most {} rows", Self::ROWS);
        assert_eq!(packed.len(), self.packed_len(), "one packed block");
        assert_eq!(sums.len(), self.sums_len(), "the sums of this plan");
        let op = GramOp {
            gram: self,
            rows,
            packed: packed.as_ptr(),
            sums: sums.as_mut_ptr(),
        };
        // SAFETY: the lengths are checked, and `isa` is the one that `width` was made for.
        unsafe { dispatch(self.isa, op) }
    }
}

struct GramOp<'a> {
    gram: &'a Gram,
    rows: usize,
    packed: *const f64,
    sums: *mut f64,
}

impl SimdOp for GramOp<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as checked by `Gram::add`.
        unsafe {
            // A panel's width is a multiple of a tile's height.
            match (S::F64::LANES, S::REGS) {
                (8, _) => self.panels::<S, 8>(),
                (4, _) => self.panels::<S, 4>(),
                (_, 32..) => self.panels::<S, 6>(),
                _ => self.panels::<S, 2>(),
            }
        }
    }
}

impl GramOp<'_> {
    #[inline(always)]
    unsafe fn panels<S: Simd, const M: usize>(&self) {
        let (cols, width) = (self.gram.cols, self.gram.width);
        let lanes = S::F64::LANES;
        for panel in 0..self.gram.panels() {
            let vectors = (cols - panel * width).min(width).div_ceil(lanes);
            for i in (0..cols.min((panel + 1) * width)).step_by(M) {
                // On the diagonal the vectors to the left of the tile are not needed.
                let first = i.saturating_sub(panel * width) / lanes;
                // SAFETY: `M` divides a panel's width, so rows `i..i + M` and the vectors are in panels.
                unsafe {
                    match vectors.saturating_sub(first) {
                        0 => {}
                        1 => self.tile::<S, M, 1>(i, panel, first),
                        2 => self.tile::<S, M, 2>(i, panel, first),
                        _ => self.tile::<S, M, PANEL>(i, panel, first),
                    }
                }
            }
        }
    }

    /// Columns `i..i + M` with `V` vectors of a panel.
    #[inline(always)]
    unsafe fn tile<S: Simd, const M: usize, const V: usize>(
        &self,
        i: usize,
        panel: usize,
        first: usize,
    ) {
        let width = self.gram.width;
        let lanes = S::F64::LANES;
        // SAFETY: as promised by the caller; the `M` columns are of one panel.
        unsafe {
            let a = self.packed.add(i / width * width * Gram::ROWS + i % width);
            let b = self.packed.add(panel * width * Gram::ROWS + first * lanes);
            let mut acc = [[S::F64::splat(0.0); V]; M];
            for r in 0..self.rows {
                let b: [_; V] = std::array::from_fn(|v| S::F64::load(b.add(r * width + v * lanes)));
                for m in 0..M {
                    let a = S::F64::splat(*a.add(r * width + m));
                    for v in 0..V {
                        acc[m][v] = a.fma(b[v], acc[m][v]);
                    }
                }
            }
            let ld = self.gram.panels() * width;
            for (m, acc) in acc.into_iter().enumerate() {
                for (v, acc) in acc.into_iter().enumerate() {
                    let to = self
                        .sums
                        .add((i + m) * ld + panel * width + (first + v) * lanes);
                    S::F64::load(to).add(acc).store(to);
                }
            }
        }
    }
}
