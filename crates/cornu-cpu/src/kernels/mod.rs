//! Vectorised kernels, one file per family of operations.

pub mod arg_reduce;
pub(crate) mod attention;
pub(crate) mod conv;
pub mod cumulative;
pub mod fused;
pub mod gather;
mod hash;
pub mod matmul;
pub mod movement;
pub mod other;
mod panels;
mod pool;
mod random;
pub mod recurrent;
pub mod reduce;
pub(crate) mod scatter;
pub mod sort;
mod spare;
pub mod tall;

/// Asks for a cache line that will be needed soon; the address need not be valid.
#[inline(always)]
pub(crate) fn prefetch<T>(p: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of every x86-64 processor, and a prefetch never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(p.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = p;
}
