//! The loops of all element functions, by function and lane type.

use super::isa::{Kernel, pick};
use super::loops::{Binary, F1, F2, Fill, LaneType, Unary};
use super::rsqrt::{Of, rsqrt};
use super::{Lane, half};
use crate::math::{float32, float64};
use crate::simd::Isa;
use cornu_core::DType;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};
use std::marker::PhantomData;

/// The kernel that copies a granule, which repeats, everywhere.
pub(crate) fn fill(lane: Lane, isa: Isa) -> Kernel {
    match lane {
        Lane::F32 => pick::<Fill<f32>>(isa),
        Lane::F64 => pick::<Fill<f64>>(isa),
        Lane::I32 => pick::<Fill<i32>>(isa),
        Lane::I64 => pick::<Fill<i64>>(isa),
        Lane::U8 => pick::<Fill<u8>>(isa),
    }
}

/// Whether a line of the tables below is marked with `calls`.
macro_rules! calls {
    () => {
        false
    };
    (calls) => {
        true
    };
}

/// `fn name(f, isa)`: the kernel of a unary function on one lane type.
macro_rules! unary_table {
    ($name:ident, $t:ty, $m:ident, $x:ident, $($f:ident -> $out:ty = $e:expr $(=> $calls:ident)? $(; hard $hard:expr => $slow:expr)?,)*) => {
        fn $name(f: UnaryFn, isa: Isa) -> Option<Kernel> {
            match f {
                $(UnaryFn::$f => {
                    struct S;
                    impl F1<$t> for S {
                        type Out = $out;
                        const CALLS: bool = calls!($($calls)?);
                        #[inline(always)]
                        fn f<const $m: bool>($x: $t) -> $out {
                            $e
                        }
                        $(
                            const HARD: bool = true;
                            #[inline(always)]
                            fn is_hard($x: $t) -> bool {
                                $hard
                            }
                            fn slow($x: $t) -> $out {
                                $slow
                            }
                        )?
                    }
                    Some(pick::<Unary<$t, S>>(isa))
                })*
                #[allow(unreachable_patterns)]
                _ => None,
            }
        }
    };
}

unary_table! { unary_f32, f32, M, x,
    Neg -> f32 = -x,
    Abs -> f32 = x.abs(),
    Sign -> f32 = if x == 0.0 || x.is_nan() { x } else { 1f32.copysign(x) },
    Exp -> f32 = float32::exp::<M>(x),
    Expm1 -> f32 = float32::expm1::<M>(x),
    Log -> f32 = float32::log::<M>(x),
    Log1p -> f32 = float32::log1p::<M>(x),
    Sqrt -> f32 = x.sqrt(),
    Reciprocal -> f32 = 1.0 / x,
    Square -> f32 = x * x,
    Sin -> f32 = float32::sin::<M>(x); hard x.abs() > float32::TRIG_LIMIT => x.sin(),
    Cos -> f32 = float32::cos::<M>(x); hard x.abs() > float32::TRIG_LIMIT => x.cos(),
    Tan -> f32 = float32::tan::<M>(x); hard x.abs() > float32::TRIG_LIMIT => x.tan(),
    Asin -> f32 = float32::asin::<M>(x),
    Acos -> f32 = float32::acos::<M>(x),
    Atan -> f32 = float32::atan::<M>(x),
    Sinh -> f32 = float32::sinh::<M>(x),
    Cosh -> f32 = float32::cosh::<M>(x),
    Tanh -> f32 = float32::tanh::<M>(x),
    Asinh -> f32 = float32::asinh::<M>(x),
    Acosh -> f32 = float32::acosh::<M>(x),
    Atanh -> f32 = float32::atanh::<M>(x),
    Sigmoid -> f32 = float32::sigmoid::<M>(x),
    Erf -> f32 = float32::erf::<M>(x),
    ErfInv -> f32 = float32::erfinv::<M>(x),
    Floor -> f32 = x.floor(),
    Ceil -> f32 = x.ceil(),
    Round -> f32 = x.round_ties_even(),
    Relu -> f32 = if x < 0.0 { 0.0 } else { x },
    IsNan -> u8 = u8::from(x.is_nan()),
    IsInf -> u8 = u8::from(x.is_infinite()),
    IsFinite -> u8 = u8::from(x.is_finite()),
}

unary_table! { unary_f64, f64, M, x,
    Neg -> f64 = -x,
    Abs -> f64 = x.abs(),
    Sign -> f64 = if x == 0.0 || x.is_nan() { x } else { 1f64.copysign(x) },
    Exp -> f64 = float64::exp::<M>(x),
    Expm1 -> f64 = x.exp_m1() => calls,
    Log -> f64 = float64::log::<M>(x),
    Log1p -> f64 = x.ln_1p() => calls,
    Sqrt -> f64 = x.sqrt(),
    Rsqrt -> f64 = 1.0 / x.sqrt(),
    Reciprocal -> f64 = 1.0 / x,
    Square -> f64 = x * x,
    Sin -> f64 = x.sin() => calls,
    Cos -> f64 = x.cos() => calls,
    Tan -> f64 = x.tan() => calls,
    Asin -> f64 = x.asin() => calls,
    Acos -> f64 = x.acos() => calls,
    Atan -> f64 = x.atan() => calls,
    Sinh -> f64 = x.sinh() => calls,
    Cosh -> f64 = x.cosh() => calls,
    Tanh -> f64 = x.tanh() => calls,
    Asinh -> f64 = x.asinh() => calls,
    Acosh -> f64 = x.acosh() => calls,
    Atanh -> f64 = x.atanh() => calls,
    Sigmoid -> f64 = float64::sigmoid::<M>(x),
    Erf -> f64 = UnaryFn::Erf.eval(x) => calls,
    ErfInv -> f64 = UnaryFn::ErfInv.eval(x) => calls,
    Floor -> f64 = x.floor(),
    Ceil -> f64 = x.ceil(),
    Round -> f64 = x.round_ties_even(),
    Relu -> f64 = if x < 0.0 { 0.0 } else { x },
    IsNan -> u8 = u8::from(x.is_nan()),
    IsInf -> u8 = u8::from(x.is_infinite()),
    IsFinite -> u8 = u8::from(x.is_finite()),
}

unary_table! { unary_i32, i32, M, x,
    Neg -> i32 = x.wrapping_neg(),
    Abs -> i32 = x.wrapping_abs(),
    Sign -> i32 = x.signum(),
    Square -> i32 = x.wrapping_mul(x),
    Relu -> i32 = x.max(0),
}

unary_table! { unary_i64, i64, M, x,
    Neg -> i64 = x.wrapping_neg(),
    Abs -> i64 = x.wrapping_abs(),
    Sign -> i64 = x.signum(),
    Square -> i64 = x.wrapping_mul(x),
    Relu -> i64 = x.max(0),
}

unary_table! { unary_u8, u8, M, x,
    Neg -> u8 = x.wrapping_neg(),
    Abs -> u8 = x,
    Sign -> u8 = u8::from(x != 0),
    Square -> u8 = x.wrapping_mul(x),
    Relu -> u8 = x,
    Not -> u8 = u8::from(x == 0),
}

/// The kernel of a unary function.
pub(crate) fn unary(f: UnaryFn, lane: Lane, isa: Isa) -> Option<Kernel> {
    match lane {
        Lane::F32 if f == UnaryFn::Rsqrt => Some(rsqrt(Of::One, isa)),
        Lane::F32 => unary_f32(f, isa),
        Lane::F64 => unary_f64(f, isa),
        Lane::I32 => unary_i32(f, isa),
        Lane::I64 => unary_i64(f, isa),
        Lane::U8 => unary_u8(f, isa),
    }
}

/// `fn name(f, isa)`: the kernel of a binary function on one lane type.
macro_rules! binary_table {
    ($name:ident, $t:ty, $m:ident, $a:ident, $b:ident, $($f:ident -> $out:ty = $e:expr $(=> $calls:ident)?,)*) => {
        fn $name(f: BinaryFn, isa: Isa) -> Option<Kernel> {
            match f {
                $(BinaryFn::$f => {
                    struct S;
                    impl F2<$t> for S {
                        type Out = $out;
                        const CALLS: bool = calls!($($calls)?);
                        #[inline(always)]
                        fn f<const $m: bool>($a: $t, $b: $t) -> $out {
                            $e
                        }
                    }
                    Some(pick::<Binary<$t, S>>(isa))
                })*
                #[allow(unreachable_patterns)]
                _ => None,
            }
        }
    };
}

binary_table! { binary_f32, f32, M, a, b,
    Add -> f32 = a + b,
    Sub -> f32 = a - b,
    Mul -> f32 = a * b,
    Div -> f32 = a / b,
    Rem -> f32 = {
        let r = a % b;
        if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
    } => calls,
    Pow -> f32 = float32::pow::<M>(a, b),
    Max -> f32 = if a > b || a.is_nan() { a } else { b },
    Min -> f32 = if a < b || a.is_nan() { a } else { b },
    Atan2 -> f32 = float32::atan2::<M>(a, b),
    Eq -> u8 = u8::from(a == b),
    Ne -> u8 = u8::from(a != b),
    Lt -> u8 = u8::from(a < b),
    Le -> u8 = u8::from(a <= b),
    Gt -> u8 = u8::from(a > b),
    Ge -> u8 = u8::from(a >= b),
}

binary_table! { binary_f64, f64, M, a, b,
    Add -> f64 = a + b,
    Sub -> f64 = a - b,
    Mul -> f64 = a * b,
    Div -> f64 = a / b,
    Rem -> f64 = {
        let r = a % b;
        if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
    } => calls,
    Pow -> f64 = a.powf(b) => calls,
    Max -> f64 = if a > b || a.is_nan() { a } else { b },
    Min -> f64 = if a < b || a.is_nan() { a } else { b },
    Atan2 -> f64 = a.atan2(b) => calls,
    Eq -> u8 = u8::from(a == b),
    Ne -> u8 = u8::from(a != b),
    Lt -> u8 = u8::from(a < b),
    Le -> u8 = u8::from(a <= b),
    Gt -> u8 = u8::from(a > b),
    Ge -> u8 = u8::from(a >= b),
}

binary_table! { binary_i32, i32, M, a, b,
    Add -> i32 = a.wrapping_add(b),
    Sub -> i32 = a.wrapping_sub(b),
    Mul -> i32 = a.wrapping_mul(b),
    Rem -> i32 = if b == 0 {
        0
    } else {
        let r = a.wrapping_rem(b);
        if r != 0 && (r < 0) != (b < 0) { r.wrapping_add(b) } else { r }
    } => calls,
    Max -> i32 = a.max(b),
    Min -> i32 = a.min(b),
    Eq -> u8 = u8::from(a == b),
    Ne -> u8 = u8::from(a != b),
    Lt -> u8 = u8::from(a < b),
    Le -> u8 = u8::from(a <= b),
    Gt -> u8 = u8::from(a > b),
    Ge -> u8 = u8::from(a >= b),
}

binary_table! { binary_i64, i64, M, a, b,
    Add -> i64 = a.wrapping_add(b),
    Sub -> i64 = a.wrapping_sub(b),
    Mul -> i64 = a.wrapping_mul(b),
    Rem -> i64 = if b == 0 {
        0
    } else {
        let r = a.wrapping_rem(b);
        if r != 0 && (r < 0) != (b < 0) { r.wrapping_add(b) } else { r }
    } => calls,
    Max -> i64 = a.max(b),
    Min -> i64 = a.min(b),
    Eq -> u8 = u8::from(a == b),
    Ne -> u8 = u8::from(a != b),
    Lt -> u8 = u8::from(a < b),
    Le -> u8 = u8::from(a <= b),
    Gt -> u8 = u8::from(a > b),
    Ge -> u8 = u8::from(a >= b),
}

binary_table! { binary_u8, u8, M, a, b,
    Add -> u8 = a.wrapping_add(b),
    Sub -> u8 = a.wrapping_sub(b),
    Mul -> u8 = a.wrapping_mul(b),
    Rem -> u8 = if b == 0 { 0 } else { a % b } => calls,
    Max -> u8 = a.max(b),
    Min -> u8 = a.min(b),
    And -> u8 = a & b,
    Or -> u8 = a | b,
    Xor -> u8 = a ^ b,
    Eq -> u8 = u8::from(a == b),
    Ne -> u8 = u8::from(a != b),
    Lt -> u8 = u8::from(a < b),
    Le -> u8 = u8::from(a <= b),
    Gt -> u8 = u8::from(a > b),
    Ge -> u8 = u8::from(a >= b),
}

/// The kernel of a binary function of operands of type `lane`.
pub(crate) fn binary(f: BinaryFn, lane: Lane, isa: Isa) -> Option<Kernel> {
    match lane {
        Lane::F32 => binary_f32(f, isa),
        Lane::F64 => binary_f64(f, isa),
        Lane::I32 => binary_i32(f, isa),
        Lane::I64 => binary_i64(f, isa),
        Lane::U8 => binary_u8(f, isa),
    }
}

/// The conversion between two lane types.
trait Convert<To> {
    fn convert(self) -> To;
}

macro_rules! converts {
    ($($from:ty => $($to:ty),*;)*) => {
        $($(
            impl Convert<$to> for $from {
                #[inline(always)]
                fn convert(self) -> $to {
                    self as $to
                }
            }
        )*)*
    };
}
converts! {
    f32 => f32, f64, i32, i64, u8;
    f64 => f32, f64, i32, i64, u8;
    i32 => f32, f64, i32, i64, u8;
    i64 => f32, f64, i32, i64, u8;
    u8 => f32, f64, i32, i64, u8;
}

struct Cast<From, To>(PhantomData<(From, To)>);
impl<From: LaneType + Convert<To>, To: LaneType> F1<From> for Cast<From, To> {
    type Out = To;
    #[inline(always)]
    fn f<const M: bool>(x: From) -> To {
        x.convert()
    }
}

struct ToBool;
macro_rules! to_bool {
    ($($t:ty),*) => {
        $(impl F1<$t> for ToBool {
            type Out = u8;
            #[inline(always)]
            fn f<const M: bool>(x: $t) -> u8 {
                u8::from(x != 0 as $t)
            }
        })*
    };
}
to_bool!(f32, f64, i32, i64, u8);

/// The kernel that converts lanes of type `from` to the lanes of `to` (not rounded to half precision).
pub(crate) fn cast(from: Lane, to: DType, isa: Isa) -> Kernel {
    macro_rules! of {
        ($t:ty) => {
            match (to, Lane::of(to)) {
                (DType::Bool, _) => pick::<Unary<$t, ToBool>>(isa),
                (_, Lane::F32) => pick::<Unary<$t, Cast<$t, f32>>>(isa),
                (_, Lane::F64) => pick::<Unary<$t, Cast<$t, f64>>>(isa),
                (_, Lane::I32) => pick::<Unary<$t, Cast<$t, i32>>>(isa),
                (_, Lane::I64) => pick::<Unary<$t, Cast<$t, i64>>>(isa),
                (_, Lane::U8) => pick::<Unary<$t, Cast<$t, u8>>>(isa),
            }
        };
    }
    match from {
        Lane::F32 => of!(f32),
        Lane::F64 => of!(f64),
        Lane::I32 => of!(i32),
        Lane::I64 => of!(i64),
        Lane::U8 => of!(u8),
    }
}

/// The kernel that rounds f32 lanes to a half format, if `dtype` is one.
pub(crate) fn round(dtype: DType, isa: Isa) -> Option<Kernel> {
    struct Bf16;
    impl F1<f32> for Bf16 {
        type Out = f32;
        #[inline(always)]
        fn f<const M: bool>(x: f32) -> f32 {
            half::bf16_to_f32(half::f32_to_bf16(x))
        }
    }
    struct F16;
    impl F1<f32> for F16 {
        type Out = f32;
        #[inline(always)]
        fn f<const M: bool>(x: f32) -> f32 {
            half::f16_to_f32(half::f32_to_f16(x))
        }
    }
    match dtype {
        DType::BF16 => Some(pick::<Unary<f32, Bf16>>(isa)),
        DType::F16 => Some(pick::<Unary<f32, F16>>(isa)),
        _ => None,
    }
}
