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
type DotFn<T> = unsafe fn(&DotArgs<T>);

/// The most columns that a product is computed by dot products with.
pub(super) const DOT_COLS: usize = 12;

/// The dot kernels of an element type and instruction set.
pub(super) struct Dot<T, S>(std::marker::PhantomData<(T, S)>);

impl<T: Float, S: Simd> Dot<T, S> {
    /// The kernels of 1, 2, 4 and 8 columns, with as many rows as the registers allow.
    const COLS: [DotFn<T>; 4] = if S::REGS >= 32 {
        [
            dots::<S, T, 8, 1>,
            dots::<S, T, 6, 2>,
            dots::<S, T, 4, 4>,
            dots::<S, T, 2, 8>,
        ]
    } else {
        [
            dots::<S, T, 6, 1>,
            dots::<S, T, 4, 2>,
            dots::<S, T, 2, 4>,
            dots::<S, T, 1, 8>,
        ]
    };

    /// Computes `cols` columns, of few enough rows that these stay in the cache.
    ///
    /// # Safety
    /// The processor must have the instruction set, and all elements that the arguments span must be
    /// valid.
    #[inline(always)]
    pub(super) unsafe fn run(mut cols: usize, mut args: DotArgs<T>) {
        while cols > 0 {
            let power = cols.ilog2().min(3);
            // SAFETY: as promised by the caller; parts lie within the whole.
            unsafe { Self::COLS[power as usize](&args) };
            args.b = args.b.wrapping_add(args.ldb << power);
            args.c = args.c.wrapping_add(args.csc << power);
            cols -= 1 << power;
        }
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
            while MR > 2 && i + 2 <= args.rows {
                rows::<S, T, 2, NC>(args, i);
                i += 2;
            }
            while MR > 1 && i < args.rows {
                rows::<S, T, 1, NC>(args, i);
                i += 1;
            }
        }
    }
}

/// `MR` rows from row `i` on. Registers are counted by index, as in the kernels of outer products.
#[allow(clippy::needless_range_loop)]
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
            let mut r = 0;
            while r < MR {
                av[r] = Vector::load(a.add(r * lda + p));
                r += 1;
            }
            let mut j = 0;
            while j < NC {
                let bv = T::Vec::<S>::load(b.add(j * ldb + p));
                let mut r = 0;
                while r < MR {
                    acc[j][r] = av[r].fma(bv, acc[j][r]);
                    r += 1;
                }
                j += 1;
            }
            p += lanes;
        }
        if p < k {
            let mask = T::Vec::<S>::mask(k - p);
            let mut av = [T::Vec::<S>::splat(T::ZERO); MR];
            let mut r = 0;
            while r < MR {
                av[r] = Vector::load_mask(a.add(r * lda + p), mask);
                r += 1;
            }
            let mut j = 0;
            while j < NC {
                let bv = T::Vec::<S>::load_mask(b.add(j * ldb + p), mask);
                let mut r = 0;
                while r < MR {
                    acc[j][r] = av[r].fma(bv, acc[j][r]);
                    r += 1;
                }
                j += 1;
            }
        }
        let mut j = 0;
        while j < NC {
            let mut r = 0;
            while r < MR {
                let out = c.add((i + r) * rsc + j * csc);
                let sum = acc[j][r].sum();
                *out = if accumulate { *out + sum } else { sum };
                r += 1;
            }
            j += 1;
        }
    }
}
