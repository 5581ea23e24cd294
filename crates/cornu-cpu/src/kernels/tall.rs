//! Products with blocks of a tall matrix, whose rows lie one after the other: with a few vectors
//! ([`dots`]), of its transpose with a few ([`combine`]), and its Gram matrix ([`Gram`]).
//!
//! A caller walks over a long matrix in blocks that stay in the cache and does with each all that
//! it needs, so that memory is read once; these are the inner loops of that. They run on the
//! calling thread.

// Loops over registers index several arrays of them at once.
#![allow(clippy::needless_range_loop)]

use crate::simd::{Float, Isa, Simd, SimdOp, Vector, dispatch};

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
    let op = Dots {
        x: x.as_ptr(),
        rows,
        cols,
        w: w.as_ptr(),
        k,
        out: out.as_mut_ptr(),
    };
    // SAFETY: `rows_of` has checked all lengths.
    unsafe { dispatch(Isa::get(), op) }
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
/// If the lengths do not fit, as for [`dots`].
pub fn combine<T: Float>(x: &[T], cols: usize, factors: &[T], k: usize, g: &mut [T]) {
    let rows = rows_of(x, cols, g, k, factors);
    let op = Combine {
        x: x.as_ptr(),
        rows,
        cols,
        factors: factors.as_ptr(),
        k,
        g: g.as_mut_ptr(),
    };
    // SAFETY: `rows_of` has checked all lengths.
    unsafe { dispatch(Isa::get(), op) }
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

    #[inline(always)]
    unsafe fn all<S: Simd>(&self) {
        let mut j = 0;
        while j < self.vectors() {
            // SAFETY: there are so many left.
            unsafe {
                match self.vectors() - j {
                    5.. => {
                        self.few::<S, 5>(j);
                        j += 5;
                    }
                    2..=4 => {
                        self.few::<S, 2>(j);
                        j += 2;
                    }
                    _ => {
                        self.few::<S, 1>(j);
                        j += 1;
                    }
                }
            }
        }
    }
}

struct Dots<T> {
    x: *const T,
    rows: usize,
    cols: usize,
    w: *const T,
    k: usize,
    out: *mut T,
}

impl<T: Float> SimdOp for Dots<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as promised by the caller.
        unsafe { self.all::<S>() }
    }
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

struct Combine<T> {
    x: *const T,
    rows: usize,
    cols: usize,
    factors: *const T,
    k: usize,
    g: *mut T,
}

impl<T: Float> SimdOp for Combine<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as promised by the caller.
        unsafe { self.all::<S>() }
    }
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

#[cfg(test)]
mod tests;
