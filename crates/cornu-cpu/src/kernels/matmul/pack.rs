//! Copies of operands into an order that the micro-kernels read without cache conflicts.

use crate::simd::{Float, Simd, SimdOp, Vector};

/// Copies `rows` × `cols` elements: `dst[r * ldd + c] = src[r * lds + c]`.
pub(super) struct Copy<T> {
    pub rows: usize,
    pub cols: usize,
    pub src: *const T,
    pub lds: usize,
    pub dst: *mut T,
    pub ldd: usize,
}

impl<T: Float> SimdOp for Copy<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self {
            rows,
            cols,
            src,
            lds,
            dst,
            ldd,
        } = self;
        let lanes = T::Vec::<S>::LANES;
        // SAFETY: both areas are valid, by the caller's promise; the last vector of a row is
        // masked.
        unsafe {
            let rest = T::Vec::<S>::mask(cols % lanes);
            for r in 0..rows {
                let (src, dst) = (src.add(r * lds), dst.add(r * ldd));
                let mut c = 0;
                while c + lanes <= cols {
                    T::Vec::<S>::load(src.add(c)).store(dst.add(c));
                    c += lanes;
                }
                if c < cols {
                    T::Vec::<S>::load_mask(src.add(c), rest).store_mask(dst.add(c), rest);
                }
            }
        }
    }
}

/// Copies `k` rows of `rows` elements each, into strips of `height` columns: that of column `c` begins at
/// `c / height * ldd`, and has the `height` elements of a row after those of the row before.
pub(super) struct Strips<T> {
    pub k: usize,
    pub rows: usize,
    pub height: usize,
    pub src: *const T,
    pub lds: usize,
    pub dst: *mut T,
    pub ldd: usize,
}

impl<T> Strips<T> {
    /// Elements from one strip to the next: whole vectors are stored, also at the end.
    pub fn stride(height: usize, k: usize, lanes: usize) -> usize {
        height * k + lanes
    }
}

impl<T: Float> SimdOp for Strips<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self {
            k,
            rows,
            height,
            src,
            lds,
            dst,
            ldd,
        } = self;
        let lanes = T::Vec::<S>::LANES;
        // SAFETY: both areas are valid, by the caller's promise. What a vector stores beyond a strip's
        // row is the place of its next row, which comes later, or the strip's end; what it would load
        // beyond the source's row is masked.
        unsafe {
            for p in 0..k {
                let (src, dst) = (src.add(p * lds), dst.add(p * height));
                for (strip, first) in (0..rows).step_by(height).enumerate() {
                    let to = dst.add(strip * ldd);
                    for c in (0..height).step_by(lanes) {
                        let left = rows.saturating_sub(first + c);
                        let from = src.wrapping_add(first + c);
                        let x = match left >= lanes {
                            true => T::Vec::<S>::load(from),
                            false => T::Vec::<S>::load_mask(from, T::Vec::<S>::mask(left)),
                        };
                        x.store(to.add(c));
                    }
                }
            }
        }
    }
}

/// Transposes `rows` × `cols` elements: `dst[c * ldd + r] = src[r * lds + c]`.
pub(super) struct Transpose<T> {
    pub rows: usize,
    pub cols: usize,
    pub src: *const T,
    pub lds: usize,
    pub dst: *mut T,
    pub ldd: usize,
}

impl<T: Float> SimdOp for Transpose<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self {
            rows,
            cols,
            src,
            lds,
            dst,
            ldd,
        } = self;
        // SAFETY: both areas are valid, by the caller's promise, and every block lies inside them.
        unsafe {
            if rows < T::BLOCK || cols < T::BLOCK {
                for r in 0..rows {
                    for c in 0..cols {
                        *dst.add(c * ldd + r) = *src.add(r * lds + c);
                    }
                }
                return;
            }
            // The last block of a row or column overlaps the one before: done twice, to the same
            // end.
            let mut r = 0;
            while r < rows {
                let r0 = r.min(rows - T::BLOCK);
                let mut c = 0;
                while c < cols {
                    let c0 = c.min(cols - T::BLOCK);
                    T::transpose_block::<S>(
                        src.add(r0 * lds + c0),
                        lds,
                        dst.add(c0 * ldd + r0),
                        ldd,
                    );
                    c += T::BLOCK;
                }
                r += T::BLOCK;
            }
        }
    }
}

/// Adds `rows` × `cols` elements: `dst[r * ldd + c] += src[r * lds + c]`.
pub(super) struct Add<T> {
    pub rows: usize,
    pub cols: usize,
    pub src: *const T,
    pub lds: usize,
    pub dst: *mut T,
    pub ldd: usize,
}

impl<T: Float> SimdOp for Add<T> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self {
            rows,
            cols,
            src,
            lds,
            dst,
            ldd,
        } = self;
        for r in 0..rows {
            for c in 0..cols {
                // SAFETY: both areas are valid, by the caller's promise.
                unsafe {
                    let out = dst.add(r * ldd + c);
                    *out = *out + *src.add(r * lds + c);
                }
            }
        }
    }
}
