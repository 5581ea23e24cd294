//! The loops of several functions at once, which spare the values between them their way through memory.

use super::Lane;
use super::isa::{Kernel, pick};
use super::loops::{Binary, Choose, Compare, F2, F3, F4, Quaternary, Select, Ternary};
use super::rsqrt::{Of, rsqrt};
use crate::math::{float32, fma32, fma64};
use crate::simd::Isa;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};

/// Two functions in one loop, of three operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pair {
    /// `a·b + c`, rounded once where the instruction set can.
    MulAdd,
    /// `a·b − c`, likewise.
    MulSub,
    /// `c − a·b`, likewise.
    SubMul,
    /// `a·b·c`.
    MulMul,
    /// `a·b / c`.
    MulDiv,
    /// `(a − b)·c`.
    DifferenceMul,
}

struct PairOf<const KIND: u8>;
macro_rules! pair_of {
    ($t:ty, $fma:ident) => {
        impl<const KIND: u8> F3<$t> for PairOf<KIND> {
            #[inline(always)]
            fn f<const M: bool>(a: $t, b: $t, c: $t) -> $t {
                match KIND {
                    0 => $fma::<M>(a, b, c),
                    1 => $fma::<M>(a, b, -c),
                    2 => $fma::<M>(-a, b, c),
                    3 => a * b * c,
                    4 => a * b / c,
                    _ => (a - b) * c,
                }
            }
        }
    };
}
pair_of!(f32, fma32);
pair_of!(f64, fma64);

/// The kernel of two functions.
pub(crate) fn pair(kind: Pair, lane: Lane, isa: Isa) -> Option<Kernel> {
    macro_rules! of {
        ($t:ty) => {
            match kind {
                Pair::MulAdd => pick::<Ternary<$t, PairOf<0>>>(isa),
                Pair::MulSub => pick::<Ternary<$t, PairOf<1>>>(isa),
                Pair::SubMul => pick::<Ternary<$t, PairOf<2>>>(isa),
                Pair::MulMul => pick::<Ternary<$t, PairOf<3>>>(isa),
                Pair::MulDiv => pick::<Ternary<$t, PairOf<4>>>(isa),
                Pair::DifferenceMul => pick::<Ternary<$t, PairOf<5>>>(isa),
            }
        };
    }
    Some(match lane {
        Lane::F32 => of!(f32),
        Lane::F64 => of!(f64),
        _ => return None,
    })
}

/// Three functions in one loop, of four operands. They round as the functions alone do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Triple {
    /// `a·b·c + d`.
    MulMulAdd,
    /// `d − a·b·c`.
    SubMulMul,
    /// `d − a·b / c`.
    SubMulDiv,
    /// `(a − b)·c + d`.
    DifferenceMulAdd,
    /// `a·b + c²·d`.
    MulAddSquareMul,
}

struct TripleOf<const KIND: u8>;
macro_rules! triple_of {
    ($t:ty, $fma:ident) => {
        impl<const KIND: u8> F4<$t> for TripleOf<KIND> {
            #[inline(always)]
            fn f<const M: bool>(a: $t, b: $t, c: $t, d: $t) -> $t {
                match KIND {
                    0 => $fma::<M>(a * b, c, d),
                    1 => $fma::<M>(-(a * b), c, d),
                    2 => d - a * b / c,
                    3 => $fma::<M>(a - b, c, d),
                    _ => $fma::<M>(a, b, c * c * d),
                }
            }
        }
    };
}
triple_of!(f32, fma32);
triple_of!(f64, fma64);

/// The kernel of three functions.
pub(crate) fn triple(kind: Triple, lane: Lane, isa: Isa) -> Option<Kernel> {
    macro_rules! of {
        ($t:ty) => {
            match kind {
                Triple::MulMulAdd => pick::<Quaternary<$t, TripleOf<0>>>(isa),
                Triple::SubMulMul => pick::<Quaternary<$t, TripleOf<1>>>(isa),
                Triple::SubMulDiv => pick::<Quaternary<$t, TripleOf<2>>>(isa),
                Triple::DifferenceMulAdd => pick::<Quaternary<$t, TripleOf<3>>>(isa),
                Triple::MulAddSquareMul => pick::<Quaternary<$t, TripleOf<4>>>(isa),
            }
        };
    }
    Some(match lane {
        Lane::F32 => of!(f32),
        Lane::F64 => of!(f64),
        _ => return None,
    })
}

/// A unary function of a sum or difference, or the like, in one loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapped {
    /// The function of `a + b`.
    OfSum(UnaryFn),
    /// The function of `a − b`.
    OfDifference(UnaryFn),
    /// `√a + b`.
    SqrtAdd,
}

/// The kernel of a wrapped function of `f32`, if there is one.
pub(crate) fn wrapped(f: Wrapped, isa: Isa) -> Option<Kernel> {
    macro_rules! table {
        ($m:ident, $x:ident, $($name:ident = $e:expr,)*) => {
            match f {
                Wrapped::OfSum(UnaryFn::Rsqrt) => Some(rsqrt(Of::Sum, isa)),
                Wrapped::OfDifference(UnaryFn::Rsqrt) => Some(rsqrt(Of::Difference, isa)),
                $(Wrapped::OfSum(UnaryFn::$name) => {
                    struct S;
                    impl F2<f32> for S {
                        type Out = f32;
                        #[inline(always)]
                        fn f<const $m: bool>(a: f32, b: f32) -> f32 {
                            let $x = a + b;
                            $e
                        }
                    }
                    Some(pick::<Binary<f32, S>>(isa))
                }
                Wrapped::OfDifference(UnaryFn::$name) => {
                    struct S;
                    impl F2<f32> for S {
                        type Out = f32;
                        #[inline(always)]
                        fn f<const $m: bool>(a: f32, b: f32) -> f32 {
                            let $x = a - b;
                            $e
                        }
                    }
                    Some(pick::<Binary<f32, S>>(isa))
                })*
                Wrapped::SqrtAdd => {
                    struct S;
                    impl F2<f32> for S {
                        type Out = f32;
                        #[inline(always)]
                        fn f<const $m: bool>(a: f32, b: f32) -> f32 {
                            a.sqrt() + b
                        }
                    }
                    Some(pick::<Binary<f32, S>>(isa))
                }
                _ => None,
            }
        };
    }
    table! { M, x,
        Sqrt = x.sqrt(),
        Square = x * x,
        Relu = if x < 0.0 { 0.0 } else { x },
        Exp = float32::exp::<M>(x),
        Tanh = float32::tanh::<M>(x),
        Sigmoid = float32::sigmoid::<M>(x),
    }
}

/// Whether there is a kernel of this function of a sum or a difference.
pub(crate) fn wraps(f: UnaryFn) -> bool {
    use UnaryFn::*;
    matches!(f, Sqrt | Rsqrt | Square | Relu | Exp | Tanh | Sigmoid)
}

/// The kernel of a selection by booleans.
pub(crate) fn select(lane: Lane, isa: Isa) -> Kernel {
    match lane {
        Lane::F32 => pick::<Select<f32>>(isa),
        Lane::F64 => pick::<Select<f64>>(isa),
        Lane::I32 => pick::<Select<i32>>(isa),
        Lane::I64 => pick::<Select<i64>>(isa),
        Lane::U8 => pick::<Select<u8>>(isa),
    }
}

macro_rules! comparisons {
    ($($name:ident $op:tt),*) => {
        $(
            struct $name;
            impl<T: PartialOrd> Compare<T> for $name {
                #[inline(always)]
                fn holds(a: T, b: T) -> bool {
                    a $op b
                }
            }
        )*
    };
}
comparisons!(Eq ==, Ne !=, Lt <, Le <=, Gt >, Ge >=);

/// The kernel of a selection by a comparison of `a` and `b`.
pub(crate) fn choose(f: BinaryFn, lane: Lane, isa: Isa) -> Option<Kernel> {
    macro_rules! of {
        ($t:ty) => {
            match f {
                BinaryFn::Eq => pick::<Choose<$t, Eq>>(isa),
                BinaryFn::Ne => pick::<Choose<$t, Ne>>(isa),
                BinaryFn::Lt => pick::<Choose<$t, Lt>>(isa),
                BinaryFn::Le => pick::<Choose<$t, Le>>(isa),
                BinaryFn::Gt => pick::<Choose<$t, Gt>>(isa),
                BinaryFn::Ge => pick::<Choose<$t, Ge>>(isa),
                _ => return None,
            }
        };
    }
    Some(match lane {
        Lane::F32 => of!(f32),
        Lane::F64 => of!(f64),
        _ => return None,
    })
}
