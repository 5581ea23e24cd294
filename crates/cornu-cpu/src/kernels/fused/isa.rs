//! Compiles the loop of a kernel for each instruction set and picks one, once.

use crate::simd::Isa;

/// A loop over `n` elements (a multiple of [`GRANULE`](super::GRANULE)): `out[i] = f(a[i], b[i], …)`,
/// where an operand that is not used is null and one that is the same everywhere is one element.
pub(crate) type Kernel = unsafe fn(*mut u8, *const u8, *const u8, *const u8, *const u8, usize);

/// The source of a [`Kernel`].
pub(crate) trait Body {
    /// The loop, to be inlined into a function with the instruction set enabled. `FMA`: whether it
    /// has fused multiply-add.
    ///
    /// # Safety
    /// `out` and the operands are valid for `n` elements of their types (one where the kernel reads
    /// one) and aligned for them; an operand is `out` itself or does not overlap it.
    unsafe fn run<const FMA: bool>(
        out: *mut u8,
        a: *const u8,
        b: *const u8,
        c: *const u8,
        d: *const u8,
        n: usize,
    );
}

macro_rules! wrapper {
    ($name:ident, $fma:expr $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<B: Body>(
            out: *mut u8,
            a: *const u8,
            b: *const u8,
            c: *const u8,
            d: *const u8,
            n: usize,
        ) {
            // SAFETY: as promised by the caller.
            unsafe { B::run::<{ $fma }>(out, a, b, c, d, n) }
        }
    };
}

wrapper!(
    plain,
    cfg!(any(target_feature = "fma", target_arch = "aarch64"))
);
#[cfg(target_arch = "x86_64")]
wrapper!(avx2, true, "avx2,fma");
#[cfg(target_arch = "x86_64")]
wrapper!(avx512, true, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");

/// The kernel for an instruction set, which the processor has to have.
pub(crate) fn pick<B: Body>(isa: Isa) -> Kernel {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::<B>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::<B>,
        _ => plain::<B>,
    }
}

/// A loop of a reduction; what the arguments mean is up to it.
pub(crate) type FoldKernel = unsafe fn(*mut u8, *mut u8, [usize; 3]);

/// The source of a [`FoldKernel`].
pub(crate) trait FoldBody {
    /// The loop, to be inlined into a function with the instruction set enabled.
    ///
    /// # Safety
    /// As each says.
    unsafe fn run(to: *mut u8, from: *mut u8, n: [usize; 3]);
}

macro_rules! fold_wrapper {
    ($name:ident $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<B: FoldBody>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
            // SAFETY: as promised by the caller.
            unsafe { B::run(to, from, n) }
        }
    };
}

fold_wrapper!(fold_plain);
#[cfg(target_arch = "x86_64")]
fold_wrapper!(fold_avx2, "avx2,fma");
#[cfg(target_arch = "x86_64")]
fold_wrapper!(fold_avx512, "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma");

/// The kernel for an instruction set, which the processor has to have.
pub(crate) fn pick_fold<B: FoldBody>(isa: Isa) -> FoldKernel {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => fold_avx512::<B>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => fold_avx2::<B>,
        _ => fold_plain::<B>,
    }
}
