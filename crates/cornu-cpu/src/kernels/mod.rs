//! Vectorised kernels, one file per family of operations.

pub mod arg_reduce;
pub mod cumulative;
pub mod fused;
pub mod gather;
pub mod matmul;
pub mod movement;
pub mod other;
pub mod random;
pub mod reduce;
pub mod sort;
