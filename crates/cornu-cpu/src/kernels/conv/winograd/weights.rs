//! The sums that minimal filtering takes, of vectors, and of whole kernels.
//!
//! Along one axis: of four neighbours and of three cells come four numbers each, whose products give two results.
//! Both axes after each other make 4×4 of 4×4 and of 3×3.

use crate::simd::{Float, Simd, SimdOp, Vector};

/// Of four neighbours: the differences and sums whose products give two results.
#[inline(always)]
pub(super) unsafe fn of_source<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 4] {
    // SAFETY: the caller has the instruction set.
    unsafe { [a.sub(c), b.add(c), c.sub(b), b.sub(d)] }
}

/// Of three cells: what the above is multiplied by.
#[inline(always)]
unsafe fn of_cells<V: Vector>([a, b, c]: [V; 3], half: V) -> [V; 4] {
    // SAFETY: as above.
    unsafe {
        let ends = a.add(c);
        [a, ends.add(b).mul(half), ends.sub(b).mul(half), c]
    }
}

/// Two results of four products.
#[inline(always)]
pub(super) unsafe fn results<V: Vector>([a, b, c, d]: [V; 4]) -> [V; 2] {
    // SAFETY: as above.
    unsafe { [a.add(b).add(c), b.sub(c).sub(d)] }
}

/// What the gradients of two results give to four products.
#[inline(always)]
pub(super) unsafe fn of_results<V: Vector>([a, b]: [V; 2], zero: V) -> [V; 4] {
    // SAFETY: as above.
    unsafe { [a, a.add(b), a.sub(b), zero.sub(b)] }
}

/// What the gradients of four products give to three cells.
#[inline(always)]
unsafe fn cells<V: Vector>([a, b, c, d]: [V; 4], half: V) -> [V; 3] {
    // SAFETY: as above.
    unsafe {
        let sum = b.add(c).mul(half);
        [a.add(sum), b.sub(c).mul(half), sum.add(d)]
    }
}

/// A kernel's nine matrices of `n` elements become 16.
pub(super) struct Ready<T> {
    pub n: usize,
    pub kernel: *const T,
    pub to: *mut T,
}

#[allow(clippy::needless_range_loop)] // as in the products: nothing but intrinsics has to be inlined
impl<T: Float> SimdOp for Ready<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self { n, kernel, to } = self;
        let mut i = 0;
        // SAFETY: `n` is a multiple of all vectors' lengths, and inside the matrices.
        unsafe {
            let zero = T::Vec::<S>::splat(T::ZERO);
            let half = T::Vec::<S>::splat(T::from_f64(0.5));
            while i < n {
                let mut down = [[zero; 3]; 4];
                for c in 0..3 {
                    let mut column = [zero; 3];
                    for r in 0..3 {
                        column[r] = Vector::load(kernel.add((3 * r + c) * n + i));
                    }
                    let four = of_cells(column, half);
                    for r in 0..4 {
                        down[r][c] = four[r];
                    }
                }
                for r in 0..4 {
                    let four = of_cells(down[r], half);
                    for c in 0..4 {
                        four[c].store(to.add((4 * r + c) * n + i));
                    }
                }
                i += T::Vec::<S>::LANES;
            }
        }
    }
}

/// The gradient of 16 matrices of `n` elements becomes that of nine.
pub(super) struct KernelOf<T> {
    pub n: usize,
    pub sums: *const T,
    pub to: *mut T,
}

#[allow(clippy::needless_range_loop)] // as above
impl<T: Float> SimdOp for KernelOf<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Self { n, sums, to } = self;
        let mut i = 0;
        // SAFETY: as for `Ready`.
        unsafe {
            let zero = T::Vec::<S>::splat(T::ZERO);
            let half = T::Vec::<S>::splat(T::from_f64(0.5));
            while i < n {
                let mut down = [[zero; 4]; 3];
                for c in 0..4 {
                    let mut column = [zero; 4];
                    for r in 0..4 {
                        column[r] = Vector::load(sums.add((4 * r + c) * n + i));
                    }
                    let three = cells(column, half);
                    for r in 0..3 {
                        down[r][c] = three[r];
                    }
                }
                for r in 0..3 {
                    let three = cells(down[r], half);
                    for c in 0..3 {
                        three[c].store(to.add((3 * r + c) * n + i));
                    }
                }
                i += T::Vec::<S>::LANES;
            }
        }
    }
}
