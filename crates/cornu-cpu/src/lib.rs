//! The CPU backend of Cornu.

pub mod kernels;
pub mod math;
pub mod simd;
pub mod team;
