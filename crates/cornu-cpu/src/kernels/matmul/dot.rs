//! Micro-kernels of dot products: both operands contiguous along K. They serve products with few
//! rows or columns, where vectors along N would be mostly empty.

use crate::simd::{Float, Simd, SimdOp, Vector};

/// `c[i * rsc + j * csc]` (`+`)`= Σ_p a[i * lda + p] · b[j * ldb + p]` for `rows` × `cols`
/// elements.
#[derive(Clone, Copy)]
pub(super) struct DotArgs<T> {
    pub k: usize,
    pub rows: usize,
    pub a: *const T,
    pub lda: usize,
    pub b: *const T,
    pub ldb: usize,
    pub c: *mut T,
    pub rsc: usize,
    pub csc: usize,
    /// Add to `c` instead of overwriting it.
    pub accumulate: bool,
}

/// The kernel for a number of columns.
pub(super) type DotFn<T> = unsafe fn(&DotArgs<T>);

/// The most columns that there is a kernel for.
pub(super) const DOT_COLS: usize = 12;

/// The dot kernels of an element type and instruction set.
pub(super) struct Dot<T, S>(std::marker::PhantomData<(T, S)>);

impl<T: Float, S: Simd> Dot<T, S> {
    const COLS: [DotFn<T>; DOT_COLS] = [
        dots::<S, T, 8, 1>,
        dots::<S, T, 6, 2>,
        dots::<S, T, 6, 3>,
        dots::<S, T, 4, 4>,
        dots::<S, T, 4, 5>,
        dots::<S, T, 4, 6>,
        dots::<S, T, 3, 7>,
        dots::<S, T, 3, 8>,
        dots::<S, T, 2, 9>,
        dots::<S, T, 2, 10>,
        dots::<S, T, 2, 11>,
        dots::<S, T, 2, 12>,
    ];

    /// The kernel for `cols` columns, 1 to [`DOT_COLS`].
    #[inline(always)]
    pub(super) fn get(cols: usize) -> DotFn<T> {
        Self::COLS[cols - 1]
    }
}

struct Dots<'a, T, const MR: usize, const NC: usize>(&'a DotArgs<T>);

unsafe fn dots<S: Simd, T: Float, const MR: usize, const NC: usize>(args: &DotArgs<T>) {
    // SAFETY: as promised by the caller.
    unsafe { S::vectorize(Dots::<T, MR, NC>(args)) }
}

impl<T: Float, const MR: usize, const NC: usize> SimdOp for Dots<'_, T, MR, NC> {
    type Output = ();
    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let args = self.0;
        // SAFETY: rows below `args.rows` are valid, by the caller's promise.
        unsafe {
            let mut i = 0;
            while i + MR <= args.rows {
                rows::<S, T, MR, NC>(args, i);
                i += MR;
            }
            if MR > 4 && i + 4 <= args.rows {
                rows::<S, T, 4, NC>(args, i);
                i += 4;
            }
            if MR > 2 && i + 2 <= args.rows {
                rows::<S, T, 2, NC>(args, i);
                i += 2;
            }
            while i < args.rows {
                rows::<S, T, 1, NC>(args, i);
                i += 1;
            }
        }
    }
}

/// `MR` rows from row `i` on.
#[inline(always)]
unsafe fn rows<S: Simd, T: Float, const MR: usize, const NC: usize>(args: &DotArgs<T>, i: usize) {
    let DotArgs {
        k,
        a,
        lda,
        b,
        ldb,
        c,
        rsc,
        csc,
        accumulate,
        ..
    } = *args;
    let lanes = T::Vec::<S>::LANES;
    // SAFETY: the rows, columns and `k` elements of each are valid, by the caller's promise; the
    // last vector is masked.
    unsafe {
        let a = a.add(i * lda);
        let mut acc = [[T::Vec::<S>::splat(T::ZERO); MR]; NC];
        let mut p = 0;
        while p + lanes <= k {
            let mut av = [T::Vec::<S>::splat(T::ZERO); MR];
            for (r, v) in av.iter_mut().enumerate() {
                *v = Vector::load(a.add(r * lda + p));
            }
            for (j, sums) in acc.iter_mut().enumerate() {
                let bv = T::Vec::<S>::load(b.add(j * ldb + p));
                for (sum, x) in sums.iter_mut().zip(av) {
                    *sum = x.fma(bv, *sum);
                }
            }
            p += lanes;
        }
        if p < k {
            let mask = T::Vec::<S>::mask(k - p);
            let mut av = [T::Vec::<S>::splat(T::ZERO); MR];
            for (r, v) in av.iter_mut().enumerate() {
                *v = Vector::load_mask(a.add(r * lda + p), mask);
            }
            for (j, sums) in acc.iter_mut().enumerate() {
                let bv = T::Vec::<S>::load_mask(b.add(j * ldb + p), mask);
                for (sum, x) in sums.iter_mut().zip(av) {
                    *sum = x.fma(bv, *sum);
                }
            }
        }
        for (j, sums) in acc.iter().enumerate() {
            for (r, v) in sums.iter().enumerate() {
                let out = c.add((i + r) * rsc + j * csc);
                *out = if accumulate { *out + v.sum() } else { v.sum() };
            }
        }
    }
}
