//! Vectors of f32 and f64 for one kernel source on several instruction sets, chosen at run time.
//!
//! A kernel is a [`SimdOp`]: a value whose `call::<S>` is written over the vectors of any [`Simd`].
//! [`dispatch`] (or [`Simd::vectorize`]) compiles it once per instruction set, with that set's
//! instructions enabled. Everything a kernel calls on the way has to be `#[inline(always)]`, else
//! it is compiled without them.

#[cfg(target_arch = "aarch64")]
mod arm;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod lanes;
mod plain;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod register;
#[cfg(target_arch = "x86_64")]
mod sse;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
pub use arm::Neon;
#[cfg(not(target_arch = "x86_64"))]
pub use lanes::Lanes;
pub use plain::Scalar;
use std::sync::OnceLock;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

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
    /// What the compiler's target has without asking (SSE2 on x86-64); runs everywhere.
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
    /// `x` in the lanes that are greater than 0, else 0.
    unsafe fn where_positive(self, x: Self) -> Self;
    /// The square root.
    unsafe fn sqrt(self) -> Self;
    /// 1 / √self within one and a half units in the last place, as a root and a division are. The estimate
    /// that some processors begin with is their maker's, and with it the last bit.
    #[inline(always)]
    unsafe fn rsqrt(self) -> Self {
        // SAFETY: by the trait's contract.
        unsafe { Self::splat(Self::Elem::from_f64(1.0)).div(self.sqrt()) }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the functions of a vector make of two stretches of numbers, vector by vector; the last one is
    /// not whole.
    fn all<V: Vector>(a: &[V::Elem], b: &[V::Elem]) -> Vec<Vec<f64>> {
        let mut results = vec![Vec::new(); 9];
        let zero = V::Elem::ZERO;
        for at in (0..a.len()).step_by(V::LANES) {
            let n = V::LANES.min(a.len() - at);
            let mut out = [zero; 64];
            // SAFETY: masks leave out what is beyond the end; the instruction set is the test's caller's care.
            unsafe {
                let mask = V::mask(n);
                let x = V::load_mask(a.as_ptr().add(at), mask);
                let y = V::load_mask(b.as_ptr().add(at), mask);
                let functions = [
                    x.add(y),
                    x.sub(y),
                    x.mul(y),
                    x.div(y),
                    x.max(y),
                    x.min(y),
                    x.where_positive(y),
                    x.mul(x).sqrt(),
                    x.fma(y, V::splat(V::Elem::from_f64(0.5))),
                ];
                for (result, v) in results.iter_mut().zip(functions) {
                    v.store_mask(out.as_mut_ptr(), mask);
                    result.extend(out[..n].iter().map(|x| x.to_f64()));
                    assert!(out[n..].iter().all(|x| *x == zero), "stored too much");
                }
                let ones = V::splat(V::Elem::from_f64(1.0));
                assert_eq!(ones.sum().to_f64(), V::LANES as f64);
            }
        }
        results
    }

    fn numbers<T: Float>(seed: usize) -> Vec<T> {
        let special = [f64::NAN, f64::INFINITY, 0.0, -0.0];
        let number = |i: usize| match (i * 7 + seed) % 23 {
            n @ 0..4 => special[n],
            n => (n as f64 - 11.0) * 0.75,
        };
        (0..77).map(|i| T::from_f64(number(i))).collect()
    }

    fn agree<T: Float, A: Vector<Elem = T>, B: Vector<Elem = T>>() {
        let (a, b) = (numbers::<T>(0), numbers::<T>(5));
        for (x, y) in all::<A>(&a, &b).iter().zip(&all::<B>(&a, &b)) {
            let same =
                |(x, y): (&f64, &f64)| x.to_bits() == y.to_bits() || x.is_nan() && y.is_nan();
            assert!(x.iter().zip(y).all(same), "{x:?} {y:?}");
        }
    }

    /// The vectors of targets without intrinsics and those of this one.
    #[test]
    fn vectors_agree() {
        agree::<f32, lanes::Lanes<f32, 4>, <Scalar as Simd>::F32>();
        agree::<f64, lanes::Lanes<f64, 2>, <Scalar as Simd>::F64>();
    }
}
