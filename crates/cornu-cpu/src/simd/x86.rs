//! AVX2 and AVX-512.

use super::register::register;
use super::{Isa, Simd, SimdOp, Vector};
use std::arch::x86_64::*;

/// 256-bit vectors with fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

/// 512-bit vectors with mask registers.
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

register!(__m512, f32, 16, __mmask16,
    splat _mm512_set1_ps, load _mm512_loadu_ps, store _mm512_storeu_ps,
    add _mm512_add_ps, sub _mm512_sub_ps, mul _mm512_mul_ps, div _mm512_div_ps, sqrt _mm512_sqrt_ps,
    [fma _mm512_fmadd_ps, max _mm512_max_ps, min _mm512_min_ps],
    #[inline(always)]
    unsafe fn where_positive(self, x: Self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(self, Self::splat(0.0)), x) }
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __mmask16 {
        ((1_u32 << n.min(16)) - 1) as __mmask16
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const f32, mask: __mmask16) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_maskz_loadu_ps(mask, p) }
    }
    #[inline(always)]
    unsafe fn store_mask(self, p: *mut f32, mask: __mmask16) {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_mask_storeu_ps(p, mask, self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: by the trait's contract.
        unsafe {
            let high = _mm512_extractf32x8_ps::<1>(self);
            _mm256_add_ps(_mm512_castps512_ps256(self), high).sum()
        }
    }
    #[inline(always)]
    unsafe fn rsqrt(self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe {
            let y = refine_rsqrt(self, _mm512_rsqrt14_ps(self));
            let normal = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(self, Self::splat(f32::MIN_POSITIVE))
                & _mm512_cmp_ps_mask::<_CMP_LE_OQ>(self, Self::splat(f32::MAX));
            match normal {
                0xffff => y,
                _ => _mm512_mask_blend_ps(normal, Self::splat(1.0).div(self.sqrt()), y),
            }
        }
    }
);

register!(__m512d, f64, 8, __mmask8,
    splat _mm512_set1_pd, load _mm512_loadu_pd, store _mm512_storeu_pd,
    add _mm512_add_pd, sub _mm512_sub_pd, mul _mm512_mul_pd, div _mm512_div_pd, sqrt _mm512_sqrt_pd,
    [fma _mm512_fmadd_pd, max _mm512_max_pd, min _mm512_min_pd],
    #[inline(always)]
    unsafe fn where_positive(self, x: Self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(self, Self::splat(0.0)), x) }
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __mmask8 {
        ((1_u32 << n.min(8)) - 1) as __mmask8
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const f64, mask: __mmask8) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_maskz_loadu_pd(mask, p) }
    }
    #[inline(always)]
    unsafe fn store_mask(self, p: *mut f64, mask: __mmask8) {
        // SAFETY: by the trait's contract.
        unsafe { _mm512_mask_storeu_pd(p, mask, self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        // SAFETY: by the trait's contract.
        unsafe {
            let high = _mm512_extractf64x4_pd::<1>(self);
            _mm256_add_pd(_mm512_castpd512_pd256(self), high).sum()
        }
    }
);

register!(__m256, f32, 8, __m256i,
    splat _mm256_set1_ps, load _mm256_loadu_ps, store _mm256_storeu_ps,
    add _mm256_add_ps, sub _mm256_sub_ps, mul _mm256_mul_ps, div _mm256_div_ps, sqrt _mm256_sqrt_ps,
    [fma _mm256_fmadd_ps, max _mm256_max_ps, min _mm256_min_ps],
    #[inline(always)]
    unsafe fn where_positive(self, x: Self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(self, Self::splat(0.0)), x) }
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        // SAFETY: by the trait's contract.
        unsafe {
            let lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), lane)
        }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const f32, mask: __m256i) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_maskload_ps(p, mask) }
    }
    #[inline(always)]
    unsafe fn store_mask(self, p: *mut f32, mask: __m256i) {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_maskstore_ps(p, mask, self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f32 {
        // SAFETY: by the trait's contract.
        unsafe {
            let x = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let x = _mm_add_ps(x, _mm_movehl_ps(x, x));
            _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)))
        }
    }
    #[inline(always)]
    unsafe fn rsqrt(self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe {
            let y = refine_rsqrt(self, _mm256_rsqrt_ps(self));
            let normal = _mm256_and_ps(
                _mm256_cmp_ps::<_CMP_GE_OQ>(self, Self::splat(f32::MIN_POSITIVE)),
                _mm256_cmp_ps::<_CMP_LE_OQ>(self, Self::splat(f32::MAX)),
            );
            match _mm256_movemask_ps(normal) {
                0xff => y,
                _ => _mm256_blendv_ps(Self::splat(1.0).div(self.sqrt()), y, normal),
            }
        }
    }
);

register!(__m256d, f64, 4, __m256i,
    splat _mm256_set1_pd, load _mm256_loadu_pd, store _mm256_storeu_pd,
    add _mm256_add_pd, sub _mm256_sub_pd, mul _mm256_mul_pd, div _mm256_div_pd, sqrt _mm256_sqrt_pd,
    [fma _mm256_fmadd_pd, max _mm256_max_pd, min _mm256_min_pd],
    #[inline(always)]
    unsafe fn where_positive(self, x: Self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(self, Self::splat(0.0)), x) }
    }
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        // SAFETY: by the trait's contract.
        unsafe {
            let lane = _mm256_setr_epi64x(0, 1, 2, 3);
            _mm256_cmpgt_epi64(_mm256_set1_epi64x(n.min(4) as i64), lane)
        }
    }
    #[inline(always)]
    unsafe fn load_mask(p: *const f64, mask: __m256i) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_maskload_pd(p, mask) }
    }
    #[inline(always)]
    unsafe fn store_mask(self, p: *mut f64, mask: __m256i) {
        // SAFETY: by the trait's contract.
        unsafe { _mm256_maskstore_pd(p, mask, self) }
    }
    #[inline(always)]
    unsafe fn sum(self) -> f64 {
        // SAFETY: by the trait's contract.
        unsafe {
            let x = _mm_add_pd(_mm256_castpd256_pd128(self), _mm256_extractf128_pd::<1>(self));
            _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)))
        }
    }
);

/// 1/√x from an estimate that is right to 11 bits or more: two terms of its correction's series leave
/// nothing but rounding.
#[inline(always)]
unsafe fn refine_rsqrt<V: Vector<Elem = f32>>(x: V, y: V) -> V {
    // SAFETY: by the trait's contract.
    unsafe {
        let error = x.mul(y).fma(y, V::splat(-1.0));
        let series = error.fma(V::splat(0.375), V::splat(-0.5));
        y.mul(error).fma(series, y)
    }
}

/// Four values at `p` (low half) and four at `p + apart` (high half).
#[inline(always)]
unsafe fn join_ps(p: *const f32, apart: usize) -> __m256 {
    // SAFETY: AVX is available and both ends are valid, as promised by the caller.
    unsafe {
        let low = _mm256_castps128_ps256(_mm_loadu_ps(p));
        _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(p.add(apart)))
    }
}

/// Two values at `p` (low half) and two at `p + apart` (high half).
#[inline(always)]
unsafe fn join_pd(p: *const f64, apart: usize) -> __m256d {
    // SAFETY: AVX is available and both ends are valid, as promised by the caller.
    unsafe {
        let low = _mm256_castpd128_pd256(_mm_loadu_pd(p));
        _mm256_insertf128_pd::<1>(low, _mm_loadu_pd(p.add(apart)))
    }
}

/// Transposes 8×8 f32: halves of rows are joined at load, then two rounds of shuffles.
#[inline(always)]
unsafe fn transpose_8x8(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
    // SAFETY: AVX is available and both blocks are valid, as promised by the caller.
    unsafe {
        for h in 0..2 {
            let (p, four) = (src.add(4 * h), 4 * lds);
            let (r0, r1) = (join_ps(p, four), join_ps(p.add(lds), four));
            let (r2, r3) = (join_ps(p.add(2 * lds), four), join_ps(p.add(3 * lds), four));
            let (a, b) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
            let (c, d) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
            let dst = dst.add(4 * h * ldd);
            _mm256_storeu_ps(dst, _mm256_shuffle_ps::<0x44>(a, c));
            _mm256_storeu_ps(dst.add(ldd), _mm256_shuffle_ps::<0xEE>(a, c));
            _mm256_storeu_ps(dst.add(2 * ldd), _mm256_shuffle_ps::<0x44>(b, d));
            _mm256_storeu_ps(dst.add(3 * ldd), _mm256_shuffle_ps::<0xEE>(b, d));
        }
    }
}

/// Transposes 4×4 f64 in the same way.
#[inline(always)]
unsafe fn transpose_4x4(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
    // SAFETY: AVX is available and both blocks are valid, as promised by the caller.
    unsafe {
        for h in 0..2 {
            let p = src.add(2 * h);
            let (r0, r1) = (join_pd(p, 2 * lds), join_pd(p.add(lds), 2 * lds));
            let dst = dst.add(2 * h * ldd);
            _mm256_storeu_pd(dst, _mm256_unpacklo_pd(r0, r1));
            _mm256_storeu_pd(dst.add(ldd), _mm256_unpackhi_pd(r0, r1));
        }
    }
}

macro_rules! x86_simd {
    ($s:ty, $isa:expr, $regs:literal, $free_masks:literal, $f32:ty, $f64:ty, $features:literal) => {
        impl Simd for $s {
            const ISA: Isa = $isa;
            const REGS: usize = $regs;
            const FREE_MASKS: bool = $free_masks;
            type F32 = $f32;
            type F64 = $f64;
            #[inline(always)]
            unsafe fn vectorize<O: SimdOp>(op: O) -> O::Output {
                #[target_feature(enable = $features)]
                #[inline(never)]
                unsafe fn inner<O: SimdOp>(op: O) -> O::Output {
                    // SAFETY: as promised by the caller.
                    unsafe { op.call::<$s>() }
                }
                // SAFETY: as promised by the caller.
                unsafe { inner(op) }
            }
            #[inline(always)]
            unsafe fn transpose_f32(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
                // SAFETY: as promised by the caller.
                unsafe { transpose_8x8(src, lds, dst, ldd) }
            }
            #[inline(always)]
            unsafe fn transpose_f64(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
                // SAFETY: as promised by the caller.
                unsafe { transpose_4x4(src, lds, dst, ldd) }
            }
        }
    };
}

// AVX2 counts one register less: a mask of the edge lives in one.
x86_simd!(Avx2, Isa::Avx2, 15, false, __m256, __m256d, "avx2,fma");
x86_simd!(
    Avx512,
    Isa::Avx512,
    32,
    true,
    __m512,
    __m512d,
    "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
);
