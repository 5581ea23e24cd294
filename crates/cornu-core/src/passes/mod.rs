//! Rewrites of a [`Program`](crate::Program) and its grouping into kernels; shared by all backends.
//!
//! * [`simplify`]: common subexpressions (by construction), constant folding, algebraic clean-up, dead
//!   code. Runs while a program is traced.
//! * [`fuse`]: groups of instructions that run as one kernel: chains of element functions, matrix
//!   products with what follows, reductions with what precedes and follows.
//! * [`memory`]: where every value lives: one arena, variables updated in place, outputs written
//!   directly.

pub mod fuse;
pub mod fused;
pub mod memory;
pub mod simplify;
pub mod view;
