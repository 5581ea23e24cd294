//! Vectorised kernels, one file per family of operations.

pub mod fused;
pub mod matmul;
pub mod reduce;
