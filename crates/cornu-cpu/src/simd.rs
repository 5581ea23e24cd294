//! Vectors of f32 and f64 for one kernel source on several instruction sets, chosen at run time.
//!
//! A kernel is a [`SimdOp`]: a value whose `call::<S>` is written over the vectors of any [`Simd`].
//! [`dispatch`] (or [`Simd::vectorize`]) compiles it once per instruction set, with that set's
//! instructions enabled. Everything a kernel calls on the way has to be `#[inline(always)]`, else
//! it is compiled without them.

use std::sync::OnceLock;

/// The same pointer, of which the compiler no longer knows how it was computed: it cannot compute others
/// from it in a chain, nor it from others.
#[inline(always)]
pub(crate) fn unrelated<T>(p: *const T) -> *const T {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    let p = {
        let mut same = p;
        // SAFETY: no instruction at all.
        unsafe {
            std::arch::asm!("/* {0} */", inout(reg) same, options(pure, readonly, nostack, preserves_flags));
        }
        same
    };
    p
}

/// An instruction set that kernels are compiled for, from the least to the most able.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Whatever the compiler's target has; runs everywhere.
    Scalar,
    /// 128-bit NEON with fused multiply-add (every 64-bit Arm processor).
    Neon,
    /// 256-bit AVX2 with fused multiply-add.
    Avx2,
    /// 512-bit AVX-512 (F, VL, DQ, BW).
    Avx512,
}

impl Isa {
    /// The instruction set to use: the best that the processor has, unless the environment variable
    /// `CORNU_ISA` (`scalar`, `neon`, `avx2`, `avx512`) names one that it has too. Found out once.
    pub fn get() -> Isa {
        static ISA: OnceLock<Isa> = OnceLock::new();
        *ISA.get_or_init(|| {
            let asked = std::env::var("CORNU_ISA").ok();
            let asked = asked.and_then(|name| Isa::available().find(|isa| isa.name() == name));
            asked
                .or_else(|| Isa::available().last())
                .unwrap_or(Isa::Scalar)
        })
    }

    /// All that this processor has, the best last.
    pub fn available() -> impl Iterator<Item = Isa> {
        [Isa::Scalar, Isa::Neon, Isa::Avx2, Isa::Avx512]
            .into_iter()
            .filter(|isa| isa.is_available())
    }

    /// The name that `CORNU_ISA` knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Neon => "neon",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    pub fn is_available(self) -> bool {
        match self {
            Isa::Scalar => true,
            Isa::Neon => cfg!(target_arch = "aarch64"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

/// f32 or f64.
pub trait Float:
    Copy
    + Default
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + std::ops::Add<Output = Self>
    + std::ops::Mul<Output = Self>
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// The side of the square block that [`Float::transpose_block`] transposes.
    const BLOCK: usize;
    /// The vector of this type on an instruction set.
    type Vec<S: Simd>: Vector<Elem = Self>;
    /// Rounds an f64 to this type.
    fn from_f64(x: f64) -> Self;
    /// Widens to f64.
    fn to_f64(self) -> f64;
    /// Transposes a [`Float::BLOCK`]² block: `dst[c * ldd + r] = src[r * lds + c]`.
    ///
    /// # Safety
    /// `S` must be available; both blocks must be valid and must not overlap.
    unsafe fn transpose_block<S: Simd>(src: *const Self, lds: usize, dst: *mut Self, ldd: usize);
}

/// A vector register of an instruction set.
///
/// # Safety
/// Every function needs the instruction set to be available, and the loads and stores need their
/// pointers to be valid for the lanes they touch (any alignment).
#[allow(clippy::missing_safety_doc)] // said once, above
pub trait Vector: Copy {
    /// What a lane holds.
    type Elem: Float;
    /// Which lanes take part in a masked load or store.
    type Mask: Copy;
    /// Lanes in a vector.
    const LANES: usize;
    /// The same value in all lanes.
    unsafe fn splat(x: Self::Elem) -> Self;
    /// Loads [`Vector::LANES`] values.
    unsafe fn load(p: *const Self::Elem) -> Self;
    /// Stores [`Vector::LANES`] values.
    unsafe fn store(self, p: *mut Self::Elem);
    /// The first `n` lanes (all, if `n` is more than there are).
    unsafe fn mask(n: usize) -> Self::Mask;
    /// Loads the lanes of the mask; the others are zero and their memory is not touched.
    unsafe fn load_mask(p: *const Self::Elem, mask: Self::Mask) -> Self;
    /// Stores the lanes of the mask; the others' memory is not touched.
    unsafe fn store_mask(self, p: *mut Self::Elem, mask: Self::Mask);
    /// `self + b`.
    unsafe fn add(self, b: Self) -> Self;
    /// `self - b`.
    unsafe fn sub(self, b: Self) -> Self;
    /// `self * b`.
    unsafe fn mul(self, b: Self) -> Self;
    /// `self / b`.
    unsafe fn div(self, b: Self) -> Self;
    /// `self * b + c`, rounded once where the instruction set can.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// The greater per lane (`b` where either is NaN).
    unsafe fn max(self, b: Self) -> Self;
    /// The lesser per lane (`b` where either is NaN).
    unsafe fn min(self, b: Self) -> Self;
    /// The square root.
    unsafe fn sqrt(self) -> Self;
    /// The sum of all lanes.
    unsafe fn sum(self) -> Self::Elem;
}

/// An instruction set, as the vectors it has.
pub trait Simd: Copy + 'static {
    /// Its name at run time.
    const ISA: Isa;
    /// Vector registers that a kernel can count on, masks not among them.
    const REGS: usize;
    /// Whether masked loads and stores take no longer than whole ones.
    const FREE_MASKS: bool;
    /// Its vector of f32.
    type F32: Vector<Elem = f32>;
    /// Its vector of f64.
    type F64: Vector<Elem = f64>;
    /// Runs `op` compiled for this instruction set: as a function of its own, so that a kernel that
    /// calls the same part at several places holds its code once.
    ///
    /// # Safety
    /// The processor must have it, and what `op` itself asks for must hold.
    unsafe fn vectorize<O: SimdOp>(op: O) -> O::Output;
    /// Asks for the cache line at `p`, which need not be valid.
    #[inline(always)]
    fn prefetch<T>(p: *const T) {
        let _ = p;
    }
    /// [`Float::transpose_block`] of f32 (8×8).
    ///
    /// # Safety
    /// See there.
    #[inline(always)]
    unsafe fn transpose_f32(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
        // SAFETY: as promised by the caller.
        unsafe { transpose_plain::<f32>(src, lds, dst, ldd) }
    }
    /// [`Float::transpose_block`] of f64 (4×4).
    ///
    /// # Safety
    /// See there.
    #[inline(always)]
    unsafe fn transpose_f64(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
        // SAFETY: as promised by the caller.
        unsafe { transpose_plain::<f64>(src, lds, dst, ldd) }
    }
}

#[inline(always)]
unsafe fn transpose_plain<T: Float>(src: *const T, lds: usize, dst: *mut T, ldd: usize) {
    for r in 0..T::BLOCK {
        for c in 0..T::BLOCK {
            // SAFETY: inside the blocks that the caller vouches for.
            unsafe { *dst.add(c * ldd + r) = *src.add(r * lds + c) };
        }
    }
}

/// A kernel that can be compiled for any instruction set.
pub trait SimdOp {
    /// What it returns.
    type Output;
    /// The most able instruction set that it is worth compiling for, where code would be large and is
    /// rarely run.
    const MOST: Isa = Isa::Avx512;
    /// The kernel's body; mark it `#[inline(always)]`.
    ///
    /// # Safety
    /// `S` must be available, and whatever the kernel itself asks for must hold.
    unsafe fn call<S: Simd>(self) -> Self::Output;
}

/// Runs `op` compiled for `isa`, or for the best that it is compiled for and the processor has.
///
/// # Safety
/// What `op` asks for must hold.
#[inline]
pub unsafe fn dispatch<O: SimdOp>(isa: Isa, op: O) -> O::Output {
    // SAFETY: availability is checked by `Isa::is_available` (a cached look-up); the rest is the
    // caller's promise.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        if const { O::MOST as u8 >= Isa::Avx512 as u8 }
            && isa == Isa::Avx512
            && Isa::Avx512.is_available()
        {
            return Avx512::vectorize(op);
        }
        #[cfg(target_arch = "x86_64")]
        if const { O::MOST as u8 >= Isa::Avx2 as u8 }
            && isa >= Isa::Avx2
            && Isa::Avx2.is_available()
        {
            return Avx2::vectorize(op);
        }
        #[cfg(target_arch = "aarch64")]
        if isa == Isa::Neon {
            return Neon::vectorize(op);
        }
        let _ = isa;
        Scalar::vectorize(op)
    }
}

/// Plain loops over slices, which the compiler vectorises for the instruction set that they run on.
pub trait Loops {
    /// What they return.
    type Output;
    /// The loops; mark it `#[inline(always)]`, and all that it calls. `FMA`: whether `mul_add` is one
    /// instruction there.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs loops compiled for the best instruction set that the processor has.
///
/// ```
/// use cornu_cpu::simd::{Loops, vectorized};
/// struct Double<'a>(&'a mut [f64]);
/// impl Loops for Double<'_> {
///     type Output = ();
///     #[inline(always)]
///     fn run<const FMA: bool>(self) {
///         for x in self.0 {
///             *x *= 2.0;
///         }
///     }
/// }
/// let mut x = [1.0, 2.0, 3.0];
/// vectorized(Double(&mut x));
/// assert_eq!(x, [2.0, 4.0, 6.0]);
/// ```
#[inline]
pub fn vectorized<L: Loops>(loops: L) -> L::Output {
    struct Op<L>(L);
    impl<L: Loops> SimdOp for Op<L> {
        type Output = L::Output;
        #[inline(always)]
        unsafe fn call<S: Simd>(self) -> L::Output {
            match S::ISA {
                Isa::Scalar => self.0.run::<false>(),
                _ => self.0.run::<true>(),
            }
        }
    }
    // SAFETY: safe code asks for nothing.
    unsafe { dispatch(Isa::get(), Op(loops)) }
}

impl Float for f32 {
    const ZERO: f32 = 0.0;
    const BLOCK: usize = 8;
    type Vec<S: Simd> = S::F32;
    #[inline(always)]
    fn from_f64(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    unsafe fn transpose_block<S: Simd>(src: *const f32, lds: usize, dst: *mut f32, ldd: usize) {
        // SAFETY: as promised by the caller.
        unsafe { S::transpose_f32(src, lds, dst, ldd) }
    }
}

impl Float for f64 {
    const ZERO: f64 = 0.0;
    const BLOCK: usize = 4;
    type Vec<S: Simd> = S::F64;
    #[inline(always)]
    fn from_f64(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    unsafe fn transpose_block<S: Simd>(src: *const f64, lds: usize, dst: *mut f64, ldd: usize) {
        // SAFETY: as promised by the caller.
        unsafe { S::transpose_f64(src, lds, dst, ldd) }
    }
}

/// The portable fallback: small arrays that the compiler puts into whatever registers its target
/// has.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

/// `N` values, computed one by one (or as the compiler sees fit).
#[derive(Clone, Copy, Debug)]
pub struct Lanes<T, const N: usize>([T; N]);

macro_rules! scalar_vector {
    ($t:ty, $n:literal) => {
        impl Vector for Lanes<$t, $n> {
            type Elem = $t;
            type Mask = usize;
            const LANES: usize = $n;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                Self([x; $n])
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: valid for all lanes by the trait's contract.
                Self(unsafe { p.cast::<[$t; $n]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: valid for all lanes by the trait's contract.
                unsafe { p.cast::<[$t; $n]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn mask(n: usize) -> usize {
                n.min($n)
            }
            #[inline(always)]
            unsafe fn load_mask(p: *const $t, mask: usize) -> Self {
                let mut lanes = [0.0; $n];
                for (i, lane) in lanes.iter_mut().enumerate().take(mask) {
                    // SAFETY: only the lanes of the mask are read, as the trait's contract allows.
                    *lane = unsafe { *p.add(i) };
                }
                Self(lanes)
            }
            #[inline(always)]
            unsafe fn store_mask(self, p: *mut $t, mask: usize) {
                for (i, x) in self.0.into_iter().enumerate().take(mask) {
                    // SAFETY: only the lanes of the mask are written, as the trait's contract
                    // allows.
                    unsafe { *p.add(i) = x };
                }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] + b.0[i]))
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] - b.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * b.0[i]))
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] / b.0[i]))
            }
            // `mul_add` is a slow library call where the target has no such instruction.
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if self.0[i] > b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if self.0[i] < b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                Self(self.0.map(<$t>::sqrt))
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                self.0.into_iter().sum()
            }
        }
    };
}

scalar_vector!(f32, 4);
scalar_vector!(f64, 2);

impl Simd for Scalar {
    const ISA: Isa = Isa::Scalar;
    const REGS: usize = 12;
    // They do take longer, but one kernel instead of two matters more here.
    const FREE_MASKS: bool = true;
    type F32 = Lanes<f32, 4>;
    type F64 = Lanes<f64, 2>;
    #[inline(never)]
    unsafe fn vectorize<O: SimdOp>(op: O) -> O::Output {
        // SAFETY: as promised by the caller.
        unsafe { op.call::<Self>() }
    }
}

#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Isa, Simd, SimdOp, Vector};
    use std::arch::x86_64::*;

    /// 256-bit vectors with fused multiply-add.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx2;

    /// 512-bit vectors with mask registers.
    #[derive(Clone, Copy, Debug)]
    pub struct Avx512;

    /// The operations that are one intrinsic each.
    macro_rules! x86_vector {
        ($v:ty, $t:ty, $lanes:literal, $mask:ty, splat $splat:ident, load $load:ident,
        store $store:ident,
         add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, fma $fma:ident,
         max $max:ident, min $min:ident, sqrt $sqrt:ident, $($rest:tt)*) => {
            impl Vector for $v {
                type Elem = $t;
                type Mask = $mask;
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
                    unsafe { $fma(self, b, c) }
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
                unsafe fn sqrt(self) -> Self {
                    // SAFETY: by the trait's contract.
                    unsafe { $sqrt(self) }
                }
                $($rest)*
            }
        };
    }

    x86_vector!(__m512, f32, 16, __mmask16, splat _mm512_set1_ps, load _mm512_loadu_ps,
        store _mm512_storeu_ps,
        add _mm512_add_ps, sub _mm512_sub_ps, mul _mm512_mul_ps, div _mm512_div_ps,
        fma _mm512_fmadd_ps,
        max _mm512_max_ps, min _mm512_min_ps, sqrt _mm512_sqrt_ps,
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
    );

    x86_vector!(__m512d, f64, 8, __mmask8, splat _mm512_set1_pd, load _mm512_loadu_pd,
        store _mm512_storeu_pd,
        add _mm512_add_pd, sub _mm512_sub_pd, mul _mm512_mul_pd, div _mm512_div_pd,
        fma _mm512_fmadd_pd,
        max _mm512_max_pd, min _mm512_min_pd, sqrt _mm512_sqrt_pd,
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

    x86_vector!(__m256, f32, 8, __m256i, splat _mm256_set1_ps, load _mm256_loadu_ps,
        store _mm256_storeu_ps,
        add _mm256_add_ps, sub _mm256_sub_ps, mul _mm256_mul_ps, div _mm256_div_ps,
        fma _mm256_fmadd_ps,
        max _mm256_max_ps, min _mm256_min_ps, sqrt _mm256_sqrt_ps,
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
    );

    x86_vector!(__m256d, f64, 4, __m256i, splat _mm256_set1_pd, load _mm256_loadu_pd,
        store _mm256_storeu_pd,
        add _mm256_add_pd, sub _mm256_sub_pd, mul _mm256_mul_pd, div _mm256_div_pd,
        fma _mm256_fmadd_pd,
        max _mm256_max_pd, min _mm256_min_pd, sqrt _mm256_sqrt_pd,
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
                fn prefetch<T>(p: *const T) {
                    // SAFETY: SSE is part of every x86-64 processor, and a prefetch never faults.
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
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
}

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;

#[cfg(target_arch = "aarch64")]
mod arm {
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
}
