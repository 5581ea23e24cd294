//! The CPU backend of Cornu.

pub mod kernels;
pub mod simd;
pub mod team;
