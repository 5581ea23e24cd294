//! The set that runs everywhere.

use super::{Isa, Simd, SimdOp};

/// What the compiler's target has without asking: SSE2 on x86-64, elsewhere small arrays.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl Simd for Scalar {
    const ISA: Isa = Isa::Scalar;
    const REGS: usize = 12;
    // They take a little longer, but one kernel instead of two matters more here.
    const FREE_MASKS: bool = true;
    #[cfg(target_arch = "x86_64")]
    type F32 = std::arch::x86_64::__m128;
    #[cfg(target_arch = "x86_64")]
    type F64 = std::arch::x86_64::__m128d;
    #[cfg(not(target_arch = "x86_64"))]
    type F32 = super::Lanes<f32, 4>;
    #[cfg(not(target_arch = "x86_64"))]
    type F64 = super::Lanes<f64, 2>;
    #[inline(never)]
    unsafe fn vectorize<O: SimdOp>(op: O) -> O::Output {
        // SAFETY: as promised by the caller.
        unsafe { op.call::<Self>() }
    }
}
