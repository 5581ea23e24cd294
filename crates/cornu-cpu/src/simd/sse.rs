//! The 128-bit vectors that every x86-64 processor has: its plain set.

use super::register::{counted_masks, register};
use std::arch::x86_64::*;

/// A vector whose functions are made of these intrinsics.
macro_rules! sse_vector {
    (
        $v:ty, $t:ty, $lanes:literal,
        splat $splat:ident, load $load:ident, store $store:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident,
        max $max:ident, min $min:ident, gt $gt:ident, and $and:ident
    ) => {
        register!($v, $t, $lanes, usize,
            splat $splat, load $load, store $store,
            add $add, sub $sub, mul $mul, div $div, sqrt $sqrt, [max $max, min $min],
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $add($mul(self, b), c) }
            }
            #[inline(always)]
            unsafe fn where_positive(self, x: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $and($gt(self, $splat(0.0)), x) }
            }
            counted_masks!($t, $lanes, $load, $store);
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
