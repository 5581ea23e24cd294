//! The 128-bit vectors that every x86-64 processor has: its plain set.

use super::register::register;
use std::arch::x86_64::*;

/// The first lanes from memory, the others zero; whole vectors are the usual case. Calls, since kernels do this
/// at many places.
#[cold]
#[inline(never)]
unsafe fn load_some<T: Default + Copy, const N: usize>(p: *const T, n: usize) -> [T; N] {
    let mut lanes = [T::default(); N];
    // SAFETY: the caller vouches for the first `n`, which are not more than there are.
    unsafe { std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n.min(N)) };
    lanes
}

/// The first lanes to memory.
#[cold]
#[inline(never)]
unsafe fn store_some<T, const N: usize>(lanes: &[T; N], p: *mut T, n: usize) {
    // SAFETY: the caller vouches for the first `n`, which are not more than there are.
    unsafe { std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n.min(N)) };
}

/// A vector of SSE2: what it has no instruction for is the same for both types of element.
macro_rules! sse_vector {
    (
        $v:ty, $t:ty, $lanes:literal,
        splat $splat:ident, load $load:ident, store $store:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident,
        max $max:ident, min $min:ident, gt $gt:ident, and $and:ident
    ) => {
        register!($v, $t, $lanes, usize,
            splat $splat, load $load, store $store,
            add $add, sub $sub, mul $mul, div $div, sqrt $sqrt, [],
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $add($mul(self, b), c) }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $max(self, b) }
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $min(self, b) }
            }
            #[inline(always)]
            unsafe fn where_positive(self, x: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $and($gt(self, $splat(0.0)), x) }
            }
            #[inline(always)]
            unsafe fn mask(n: usize) -> usize {
                n.min($lanes)
            }
            #[inline(always)]
            unsafe fn load_mask(p: *const $t, mask: usize) -> Self {
                // SAFETY: by the trait's contract.
                unsafe {
                    match mask {
                        $lanes => $load(p),
                        _ => $load(load_some::<$t, $lanes>(p, mask).as_ptr()),
                    }
                }
            }
            #[inline(always)]
            unsafe fn store_mask(self, p: *mut $t, mask: usize) {
                // SAFETY: by the trait's contract.
                unsafe {
                    if mask == $lanes {
                        $store(p, self);
                    } else {
                        let mut lanes = [0.0; $lanes];
                        $store(lanes.as_mut_ptr(), self);
                        store_some::<$t, $lanes>(&lanes, p, mask);
                    }
                }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                let mut lanes = [0.0; $lanes];
                // SAFETY: by the trait's contract.
                unsafe { $store(lanes.as_mut_ptr(), self) };
                lanes.into_iter().sum()
            }
        );
    };
}

sse_vector!(__m128, f32, 4,
    splat _mm_set1_ps, load _mm_loadu_ps, store _mm_storeu_ps,
    add _mm_add_ps, sub _mm_sub_ps, mul _mm_mul_ps, div _mm_div_ps, sqrt _mm_sqrt_ps,
    max _mm_max_ps, min _mm_min_ps, gt _mm_cmpgt_ps, and _mm_and_ps
);

sse_vector!(__m128d, f64, 2,
    splat _mm_set1_pd, load _mm_loadu_pd, store _mm_storeu_pd,
    add _mm_add_pd, sub _mm_sub_pd, mul _mm_mul_pd, div _mm_div_pd, sqrt _mm_sqrt_pd,
    max _mm_max_pd, min _mm_min_pd, gt _mm_cmpgt_pd, and _mm_and_pd
);
