//! The loops of element functions, over any lane type and function.
//!
//! A loop reads a chunk of every operand into a local array, computes, and writes a chunk. So it may
//! work in place, and the compiler turns a chunk into vector registers without checking for overlap.

use super::isa::Body;
use crate::simd::Isa;
use std::marker::PhantomData;
use std::sync::atomic::{Ordering, compiler_fence};

/// A lane's Rust type.
pub(crate) trait LaneType: Copy + Default {
    /// The most able instruction set that its loops are compiled for: what models compute in has them
    /// all, f64 does with less, and integers, mostly indices and masks, with what every processor has.
    const MOST: Isa;
}
impl LaneType for f32 {
    const MOST: Isa = Isa::Avx512;
}
impl LaneType for f64 {
    const MOST: Isa = Isa::Avx2;
}
impl LaneType for i32 {
    const MOST: Isa = Isa::Scalar;
}
impl LaneType for i64 {
    const MOST: Isa = Isa::Scalar;
}
impl LaneType for u8 {
    const MOST: Isa = Isa::Scalar;
}

/// The instruction set for a loop from lanes `T` to lanes `Out` whose function may be made of calls.
const fn most<T: LaneType, Out: LaneType>(calls: bool) -> Isa {
    match (calls, T::MOST as u8 >= Out::MOST as u8) {
        (true, _) => Isa::Scalar,
        (_, true) => T::MOST,
        (_, false) => Out::MOST,
    }
}

/// A function of one lane.
pub(crate) trait F1<T> {
    type Out: LaneType;
    /// Whether it calls a function per element, so that vectors gain nothing.
    const CALLS: bool = false;
    /// Whether some arguments need [`F1::slow`].
    const HARD: bool = false;
    fn f<const M: bool>(x: T) -> Self::Out;
    /// Whether `f` does not hold for this argument.
    #[inline(always)]
    fn is_hard(_: T) -> bool {
        false
    }
    /// The function of such an argument.
    fn slow(x: T) -> Self::Out {
        Self::f::<false>(x)
    }
}

/// A function of two lanes.
pub(crate) trait F2<T> {
    type Out: LaneType;
    /// As for [`F1::CALLS`].
    const CALLS: bool = false;
    fn f<const M: bool>(a: T, b: T) -> Self::Out;
}

/// A function of three lanes.
pub(crate) trait F3<T> {
    fn f<const M: bool>(a: T, b: T, c: T) -> T;
}

/// A function of four lanes.
pub(crate) trait F4<T> {
    fn f<const M: bool>(a: T, b: T, c: T, d: T) -> T;
}

/// A comparison.
pub(crate) trait Compare<T> {
    fn holds(a: T, b: T) -> bool;
}

/// Chunk `i` of an operand, or the first if it repeats: operand number `k`, of which `repeats`
/// has the bit.
///
/// # Safety
/// See [`Body::run`].
#[inline(always)]
unsafe fn chunk<T: LaneType, const W: usize>(p: *const u8, i: usize, repeats: u8, k: u8) -> [T; W] {
    let step = usize::from(repeats >> k & 1 == 0);
    // SAFETY: as promised by the caller.
    unsafe { p.cast::<[T; W]>().add(i * step).read() }
}

/// Writes chunk `i`. The fence keeps the chunks apart: the loop over them is not to be vectorised,
/// the lanes of a chunk are.
///
/// # Safety
/// See [`Body::run`].
#[inline(always)]
unsafe fn put<T: LaneType, const W: usize>(p: *mut u8, i: usize, v: [T; W]) {
    // SAFETY: as promised by the caller.
    unsafe { p.cast::<[T; W]>().add(i).write(v) };
    compiler_fence(Ordering::SeqCst);
}

pub(super) struct Unary<T, F>(PhantomData<(T, F)>);
impl<T: LaneType, F: F1<T>> Body for Unary<T, F> {
    const MOST: Isa = most::<T, F::Out>(F::CALLS);

    #[inline(always)]
    unsafe fn run<const M: bool, const W: usize>(
        out: *mut u8,
        a: *const u8,
        _: *const u8,
        _: *const u8,
        _: *const u8,
        n: usize,
        repeats: u8,
    ) {
        for i in 0..n / W {
            // SAFETY: chunk i is within n elements.
            let x = unsafe { chunk::<T, W>(a, i, repeats, 0) };
            let mut y = [F::Out::default(); W];
            for j in 0..W {
                y[j] = F::f::<M>(x[j]);
            }
            if F::HARD {
                let mut hard = false;
                for v in x {
                    hard |= F::is_hard(v);
                }
                if hard {
                    for j in 0..W {
                        if F::is_hard(x[j]) {
                            y[j] = F::slow(x[j]);
                        }
                    }
                }
            }
            // SAFETY: as above.
            unsafe { put(out, i, y) };
        }
    }
}

/// Loops over operands, each a type and its number: a chunk of lanes from each, and what becomes of every lane.
macro_rules! loops {
    ($(
        $(#[$doc:meta])*
        $name:ident<T $(, $F:ident: $of:ident)?>: $most:expr,
        |$($x:ident: $X:ty = $number:literal),+| -> $Out:ty { $value:expr }
    )*) => {$(
        $(#[$doc])*
        pub(super) struct $name<T $(, $F)?>(PhantomData<(T, $($F)?)>);
        impl<T: LaneType $(, $F: $of<T>)?> Body for $name<T $(, $F)?> {
            const MOST: Isa = $most;

            #[inline(always)]
            unsafe fn run<const M: bool, const W: usize>(
                out: *mut u8,
                a: *const u8,
                b: *const u8,
                c: *const u8,
                d: *const u8,
                n: usize,
                repeats: u8,
            ) {
                let operands = [a, b, c, d];
                for i in 0..n / W {
                    // SAFETY: chunk i is within n elements.
                    let ($($x,)+) = unsafe {
                        ($(chunk::<$X, W>(operands[$number], i, repeats, $number),)+)
                    };
                    let mut lanes = [<$Out>::default(); W];
                    for j in 0..W {
                        let ($($x,)+) = ($($x[j],)+);
                        lanes[j] = $value;
                    }
                    // SAFETY: as above.
                    unsafe { put(out, i, lanes) };
                }
            }
        }
    )*};
}

loops! {
    Binary<T, F: F2>: most::<T, F::Out>(F::CALLS),
    |x: T = 0, y: T = 1| -> F::Out { F::f::<M>(x, y) }

    Ternary<T, F: F3>: T::MOST,
    |x: T = 0, y: T = 1, z: T = 2| -> T { F::f::<M>(x, y, z) }

    Quaternary<T, F: F4>: T::MOST,
    |x: T = 0, y: T = 1, z: T = 2, u: T = 3| -> T { F::f::<M>(x, y, z, u) }

    Select<T>: T::MOST,
    |chosen: u8 = 0, x: T = 1, y: T = 2| -> T { if chosen != 0 { x } else { y } }

    /// The third operand where the comparison of the first two holds, else the fourth.
    Choose<T, F: Compare>: T::MOST,
    |x: T = 0, y: T = 1, s: T = 2, t: T = 3| -> T { if F::holds(x, y) { s } else { t } }
}

/// Copies `a`.
pub(super) struct Fill<T>(PhantomData<T>);
impl<T: LaneType> Body for Fill<T> {
    const MOST: Isa = Isa::Avx2;

    #[inline(always)]
    unsafe fn run<const M: bool, const W: usize>(
        out: *mut u8,
        a: *const u8,
        _: *const u8,
        _: *const u8,
        _: *const u8,
        n: usize,
        repeats: u8,
    ) {
        for i in 0..n / W {
            // SAFETY: chunk i is within n elements.
            unsafe { put(out, i, chunk::<T, W>(a, i, repeats, 0)) };
        }
    }
}
