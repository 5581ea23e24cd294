//! Rewrites of a [`Program`](crate::Program) and its grouping into kernels; shared by all backends.
//!
//! * [`simplify`]: common subexpressions (by construction), constant folding, algebraic clean-up, dead
//!   code. Runs while a program is traced.
//! * [`tape`]: what operations keep for a way back that no one takes is left out.
//! * [`fuse`]: groups of instructions that run as one kernel: chains of element functions, matrix
//!   products with what follows, reductions with what precedes and follows.
//! * [`schedule`]: when they run.
//! * [`memory`]: where every value lives: one arena, variables updated in place, outputs written
//!   directly.
//! * [`verify`]: checks such a plan.

pub mod fuse;
pub mod fused;
#[cfg(test)]
mod interpret;
pub mod memory;
pub mod schedule;
pub mod simplify;
pub mod tape;
pub mod verify;
pub mod view;
