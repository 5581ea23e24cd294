//! Functions of one and two numbers, branch-free, so that a loop over them becomes vector code.
//!
//! Every function is `#[inline(always)]` and takes a `const FMA: bool`: whether the code it is inlined into
//! is compiled with fused multiply-add (without it, `mul_add` is a slow call). Selections are written as
//! `if a < b { a } else { b }`, which keep a NaN in `b` and become one instruction.
//!
//! Accuracy, in units in the last place: f32 `exp`, `log`, `log1p`, `expm1`, `tanh`, `sigmoid`, `erf` within
//! 2, the others within 1 (they are computed in f64); f64 `exp`, `log`, `sigmoid` within 2.
//! Other functions of f64 are left to the standard library.

pub mod float32;
pub mod float64;

use crate::simd::{Float, Isa};
use std::ops::{Div, Sub};

/// f32 or f64, with the functions that kernels write for both.
pub(crate) trait Real: Float + Sub<Output = Self> + Div<Output = Self> {
    /// The most able instruction set to compile for: models compute in f32.
    const MOST: Isa;
    fn tanh<const FMA: bool>(self) -> Self;
    fn sigmoid<const FMA: bool>(self) -> Self;
    fn exp<const FMA: bool>(self) -> Self;
}

impl Real for f32 {
    const MOST: Isa = Isa::Avx512;
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> f32 {
        float32::tanh::<FMA>(self)
    }
    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> f32 {
        float32::sigmoid::<FMA>(self)
    }
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> f32 {
        float32::exp::<FMA>(self)
    }
}

impl Real for f64 {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> f64 {
        float64::sigmoid::<FMA>(self)
    }
    #[inline(always)]
    fn exp<const FMA: bool>(self) -> f64 {
        float64::exp::<FMA>(self)
    }
}

/// `a·b + c`, rounded once if `FMA`.
#[inline(always)]
pub fn fma32<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `a·b + c`, rounded once if `FMA`.
#[inline(always)]
pub fn fma64<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// The polynomial with these coefficients, the highest power first.
#[inline(always)]
pub(crate) fn poly32<const FMA: bool, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut p = c[0];
    let mut i = 1;
    while i < N {
        p = fma32::<FMA>(p, x, c[i]);
        i += 1;
    }
    p
}

/// The polynomial with these coefficients, the highest power first.
#[inline(always)]
pub(crate) fn poly64<const FMA: bool, const N: usize>(x: f64, c: [f64; N]) -> f64 {
    let mut p = c[0];
    let mut i = 1;
    while i < N {
        p = fma64::<FMA>(p, x, c[i]);
        i += 1;
    }
    p
}

#[cfg(test)]
mod tests;
