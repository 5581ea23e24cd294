//! NEON.

use super::{Isa, Simd, SimdOp, Vector};
use std::arch::aarch64::*;

/// 128-bit vectors with fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Neon;

macro_rules! neon_vector {
    ($v:ty, $t:ty, $lanes:literal, $splat:ident, $load:ident, $store:ident, $add:ident,
    $sub:ident, $mul:ident,
     $div:ident, $fma:ident, $gt:ident, $select:ident, $sqrt:ident, $sum:ident) => {
        impl Vector for $v {
            type Elem = $t;
            type Mask = usize;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: by the trait's contract.
                unsafe { $store(p, self) }
            }
            #[inline(always)]
            unsafe fn mask(n: usize) -> usize {
                n.min($lanes)
            }
            #[inline(always)]
            unsafe fn load_mask(p: *const $t, mask: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                for (i, lane) in lanes.iter_mut().enumerate().take(mask) {
                    // SAFETY: by the trait's contract.
                    *lane = unsafe { *p.add(i) };
                }
                // SAFETY: by the trait's contract.
                unsafe { $load(lanes.as_ptr()) }
            }
            #[inline(always)]
            unsafe fn store_mask(self, p: *mut $t, mask: usize) {
                let mut lanes = [0.0; $lanes];
                // SAFETY: by the trait's contract.
                unsafe { $store(lanes.as_mut_ptr(), self) };
                for (i, lane) in lanes.into_iter().enumerate().take(mask) {
                    // SAFETY: by the trait's contract.
                    unsafe { *p.add(i) = lane };
                }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $add(self, b) }
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $sub(self, b) }
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $mul(self, b) }
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $div(self, b) }
            }
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
            unsafe fn sqrt(self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $sqrt(self) }
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                // SAFETY: by the trait's contract.
                unsafe { $sum(self) }
            }
        }
    };
}

neon_vector!(
    float32x4_t,
    f32,
    4,
    vdupq_n_f32,
    vld1q_f32,
    vst1q_f32,
    vaddq_f32,
    vsubq_f32,
    vmulq_f32,
    vdivq_f32,
    vfmaq_f32,
    vcgtq_f32,
    vbslq_f32,
    vsqrtq_f32,
    vaddvq_f32
);
neon_vector!(
    float64x2_t,
    f64,
    2,
    vdupq_n_f64,
    vld1q_f64,
    vst1q_f64,
    vaddq_f64,
    vsubq_f64,
    vmulq_f64,
    vdivq_f64,
    vfmaq_f64,
    vcgtq_f64,
    vbslq_f64,
    vsqrtq_f64,
    vaddvq_f64
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
