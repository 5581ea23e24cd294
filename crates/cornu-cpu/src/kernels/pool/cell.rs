//! What is pooled.

use super::BLOCK;
use crate::simd::Isa;
use cornu_core::{bf16, f16};
use std::num::Wrapping;
use std::ops::AddAssign;

/// What can be pooled.
pub(super) trait Cell: Copy + PartialOrd + Default {
    /// The most able instruction set to compile for.
    const MOST: Isa;
    /// Whether whole blocks are compiled apart.
    const WIDE: bool = !matches!(Self::MOST, Isa::Scalar);
    /// Channels of a block: one of integers, which are rarely pooled, for that is a third of the code.
    const TOGETHER: usize;
    /// What sums are carried in.
    type Sum: Copy + Default + AddAssign;
    fn widen(self) -> Self::Sum;
    fn narrow(sum: Self::Sum) -> Self;
}

macro_rules! cells {
    ($($T:ty, $most:expr, $together:expr; $Sum:ty, $widen:expr, $narrow:expr;)*) => {$(
        impl Cell for $T {
            const MOST: Isa = $most;
            const TOGETHER: usize = $together;
            type Sum = $Sum;
            #[inline(always)]
            fn widen(self) -> $Sum {
                let widen: fn($T) -> $Sum = $widen;
                widen(self)
            }
            #[inline(always)]
            fn narrow(sum: $Sum) -> $T {
                let narrow: fn($Sum) -> $T = $narrow;
                narrow(sum)
            }
        }
    )*};
}

// Pictures are f32; of all other types there is one plain form, for each is 20 KB of code.
cells! {
    f32, Isa::Avx512, BLOCK; f32, |v| v, |s| s;
    f64, Isa::Scalar, BLOCK; f64, |v| v, |s| s;
    bf16, Isa::Scalar, BLOCK; f32, bf16::to_f32, bf16::from_f32;
    f16, Isa::Scalar, BLOCK; f32, f16::to_f32, f16::from_f32;
    i32, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(i64::from(v)), |s| s.0 as i32;
    i64, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(v), |s| s.0;
    u8, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(i64::from(v)), |s| s.0 as u8;
}

#[inline(always)]
pub(super) fn added<T: Cell>(a: T, b: T) -> T {
    let mut sum = a.widen();
    sum += b.widen();
    T::narrow(sum)
}

/// Whether `x` comes before `best` as the largest: NaN is larger than any number, and the first
/// stays.
#[inline(always)]
#[allow(clippy::eq_op)] // NaN is not equal to itself
pub(super) fn larger<T: Copy + PartialOrd>(x: T, best: T) -> bool {
    (x > best) | ((x != x) & (best == best))
}
