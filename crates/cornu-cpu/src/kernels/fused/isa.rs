//! Compiles the loop of a kernel for each instruction set and picks one, once.

use super::GRANULE;
use crate::simd::Isa;

/// A loop over `n` elements (a multiple of [`GRANULE`](super::GRANULE)): `out[i] = f(a[i], b[i], …)`.
/// An operand that is not used is null; one whose bit is set in the last argument (that of `a` is the
/// lowest) is a granule that repeats.
pub(crate) type Kernel = unsafe fn(*mut u8, *const u8, *const u8, *const u8, *const u8, usize, u8);

/// The source of a [`Kernel`].
pub(crate) trait Body {
    /// The most able instruction set that it is worth compiling for.
    const MOST: Isa;

    /// The loop, to be inlined into a function with the instruction set enabled. `FMA`: whether it
    /// has fused multiply-add; `W`: how many elements to take at a time, a divisor of a granule.
    ///
    /// # Safety
    /// `out` and the operands are valid for `n` elements of their types (a granule where they repeat)
    /// and aligned for them; an operand is `out` itself or does not overlap it.
    unsafe fn run<const FMA: bool, const W: usize>(
        out: *mut u8,
        a: *const u8,
        b: *const u8,
        c: *const u8,
        d: *const u8,
        n: usize,
        repeats: u8,
    );
}

macro_rules! wrapper {
    ($name:ident, $fma:expr, $width:expr $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<B: Body>(
            out: *mut u8,
            a: *const u8,
            b: *const u8,
            c: *const u8,
            d: *const u8,
            n: usize,
            repeats: u8,
        ) {
            // SAFETY: as promised by the caller.
            unsafe { B::run::<{ $fma }, { $width }>(out, a, b, c, d, n, repeats) }
        }
    };
}

/// Where better sets are to be had, the plain one is for few and old processors: one vector at a time,
/// and so a quarter of the code.
const PLAIN_WIDTH: usize = if cfg!(target_arch = "x86_64") {
    4
} else {
    GRANULE
};

wrapper!(
    plain,
    cfg!(any(target_feature = "fma", target_arch = "aarch64")),
    PLAIN_WIDTH
);
#[cfg(target_arch = "x86_64")]
wrapper!(avx2, true, GRANULE, "avx2,fma");
#[cfg(target_arch = "x86_64")]
wrapper!(
    avx512,
    true,
    GRANULE,
    "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
);

/// The kernel for an instruction set, which the processor has to have.
pub(crate) fn pick<B: Body>(isa: Isa) -> Kernel {
    #[cfg(target_arch = "x86_64")]
    if const { B::MOST as u8 >= Isa::Avx512 as u8 } && isa >= Isa::Avx512 {
        return avx512::<B>;
    }
    #[cfg(target_arch = "x86_64")]
    if const { B::MOST as u8 >= Isa::Avx2 as u8 } && isa >= Isa::Avx2 {
        return avx2::<B>;
    }
    let _ = isa;
    plain::<B>
}

/// A loop of a reduction; what the arguments mean is up to it.
pub(crate) type FoldKernel = unsafe fn(*mut u8, *mut u8, [usize; 3]);

/// The source of a [`FoldKernel`].
pub(crate) trait FoldBody {
    /// The most able instruction set that it is worth compiling for.
    const MOST: Isa;

    /// The loop, to be inlined into a function with the instruction set enabled. `MANY`: whether to
    /// keep many partial results.
    ///
    /// # Safety
    /// As each says.
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]);
}

macro_rules! fold_wrapper {
    ($name:ident, $many:expr $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        unsafe fn $name<B: FoldBody>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
            // SAFETY: as promised by the caller.
            unsafe { B::run::<{ $many }>(to, from, n) }
        }
    };
}

fold_wrapper!(fold_plain, PLAIN_WIDTH == GRANULE);
#[cfg(target_arch = "x86_64")]
fold_wrapper!(fold_avx2, true, "avx2,fma");
#[cfg(target_arch = "x86_64")]
fold_wrapper!(
    fold_avx512,
    true,
    "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"
);

/// The kernel for an instruction set, which the processor has to have.
pub(crate) fn pick_fold<B: FoldBody>(isa: Isa) -> FoldKernel {
    #[cfg(target_arch = "x86_64")]
    if const { B::MOST as u8 >= Isa::Avx512 as u8 } && isa >= Isa::Avx512 {
        return fold_avx512::<B>;
    }
    #[cfg(target_arch = "x86_64")]
    if const { B::MOST as u8 >= Isa::Avx2 as u8 } && isa >= Isa::Avx2 {
        return fold_avx2::<B>;
    }
    let _ = isa;
    fold_plain::<B>
}
