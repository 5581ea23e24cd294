//! NEON.

use super::register::{counted_masks, register};
use super::{Isa, Simd, SimdOp};
use std::arch::aarch64::*;

/// 128-bit vectors with fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Neon;

/// A vector whose functions are made of these intrinsics.
macro_rules! neon_vector {
    (
        $v:ty, $t:ty, $lanes:literal,
        splat $splat:ident, load $load:ident, store $store:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident,
        fma $fma:ident, gt $gt:ident, select $select:ident, sum $sum:ident
    ) => {
        register!($v, $t, $lanes, usize,
            splat $splat, load $load, store $store,
            add $add, sub $sub, mul $mul, div $div, sqrt $sqrt, [],
            counted_masks!($t, $lanes, $load, $store);
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $fma(c, self, b) }
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $select($gt(self, b), self, b) }
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $select($gt(b, self), self, b) }
            }
            #[inline(always)]
            unsafe fn where_positive(self, x: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe {
                    let zero = $splat(0.0);
                    $select($gt(self, zero), x, zero)
                }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                // SAFETY: by the trait's contract.
                unsafe { $sum(self) }
            }
        );
    };
}

neon_vector!(float32x4_t, f32, 4,
    splat vdupq_n_f32, load vld1q_f32, store vst1q_f32,
    add vaddq_f32, sub vsubq_f32, mul vmulq_f32, div vdivq_f32, sqrt vsqrtq_f32,
    fma vfmaq_f32, gt vcgtq_f32, select vbslq_f32, sum vaddvq_f32
);

neon_vector!(float64x2_t, f64, 2,
    splat vdupq_n_f64, load vld1q_f64, store vst1q_f64,
    add vaddq_f64, sub vsubq_f64, mul vmulq_f64, div vdivq_f64, sqrt vsqrtq_f64,
    fma vfmaq_f64, gt vcgtq_f64, select vbslq_f64, sum vaddvq_f64
);

impl Simd for Neon {
    const ISA: Isa = Isa::Neon;
    const REGS: usize = 32;
    const FREE_MASKS: bool = false;
    type F32 = float32x4_t;
    type F64 = float64x2_t;
    #[inline(never)]
    unsafe fn vectorize<O: SimdOp>(op: O) -> O::Output {
        // SAFETY: as promised by the caller.
        unsafe { op.call::<Self>() }
    }
}
