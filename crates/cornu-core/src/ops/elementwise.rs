//! Functions of elements: unary, binary, selection and conversion.

use super::Operation;
use crate::array::Array;
use crate::dtype::{DType, Element};
use crate::tensor::{IntoTensor, Tensor, TensorType};
use crate::{Error, Result, with_dtype};
use std::panic::Location;

/// Functions of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it; the methods of `Tensor` have the formulas
pub enum UnaryFn {
    Neg,
    Abs,
    Sign,
    Exp,
    Expm1,
    Log,
    Log1p,
    Sqrt,
    Rsqrt,
    Reciprocal,
    Square,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Sigmoid,
    Erf,
    ErfInv,
    Floor,
    Ceil,
    Round,
    Relu,
    Not,
    IsNan,
    IsInf,
    IsFinite,
}

/// Functions of two elements of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinaryFn {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Pow,
    Max,
    Min,
    Atan2,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// `select(condition, a, b)`: `a` where the condition holds, else `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Select;

/// Conversion to an element type, as [`Array::cast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cast(pub DType);

impl UnaryFn {
    /// Every unary function.
    pub const ALL: [UnaryFn; 34] = {
        use UnaryFn::*;
        [
            Neg, Abs, Sign, Exp, Expm1, Log, Log1p, Sqrt, Rsqrt, Reciprocal, Square, Sin, Cos, Tan,
            Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sigmoid, Erf, ErfInv, Floor,
            Ceil, Round, Relu, Not, IsNan, IsInf, IsFinite,
        ]
    };

    /// Whether the result is boolean whatever the operand is.
    pub const fn is_predicate(self) -> bool {
        use UnaryFn::*;
        matches!(self, Not | IsNan | IsInf | IsFinite)
    }

    /// Whether integers are operands too; every other function needs floats.
    pub const fn takes_ints(self) -> bool {
        use UnaryFn::*;
        matches!(self, Neg | Abs | Sign | Square | Relu)
    }

    /// The function of an `f64`.
    pub fn eval(self, x: f64) -> f64 {
        use UnaryFn::*;
        let flag = |b: bool| f64::from(u8::from(b));
        match self {
            Neg => -x,
            Abs => x.abs(),
            Sign if x == 0.0 || x.is_nan() => x,
            Sign => x.signum(),
            Exp => x.exp(),
            Expm1 => x.exp_m1(),
            Log => x.ln(),
            Log1p => x.ln_1p(),
            Sqrt => x.sqrt(),
            Rsqrt => 1.0 / x.sqrt(),
            Reciprocal => 1.0 / x,
            Square => x * x,
            Sin => x.sin(),
            Cos => x.cos(),
            Tan => x.tan(),
            Asin => x.asin(),
            Acos => x.acos(),
            Atan => x.atan(),
            Sinh => x.sinh(),
            Cosh => x.cosh(),
            Tanh => x.tanh(),
            Asinh => x.asinh(),
            Acosh => x.acosh(),
            Atanh => x.atanh(),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Erf => super::super::reference::erf(x),
            ErfInv => super::super::reference::erfinv(x),
            Floor => x.floor(),
            Ceil => x.ceil(),
            Round => x.round_ties_even(),
            Relu if x < 0.0 => 0.0,
            Relu => x,
            Not => flag(x == 0.0),
            IsNan => flag(x.is_nan()),
            IsInf => flag(x.is_infinite()),
            IsFinite => flag(x.is_finite()),
        }
    }

    /// The function of an integer, for those that take integers; wraps on overflow.
    fn eval_int(self, x: i64) -> i64 {
        match self {
            UnaryFn::Neg => x.wrapping_neg(),
            UnaryFn::Abs => x.wrapping_abs(),
            UnaryFn::Sign => x.signum(),
            UnaryFn::Square => x.wrapping_mul(x),
            UnaryFn::Relu => x.max(0),
            UnaryFn::Not => i64::from(x == 0),
            _ => self.eval(x as f64) as i64,
        }
    }
}

impl Operation for UnaryFn {
    fn name(&self) -> &'static str {
        use UnaryFn::*;
        match self {
            Neg => "negative",
            Abs => "absolute",
            Sign => "sign",
            Exp => "exp",
            Expm1 => "expm1",
            Log => "log",
            Log1p => "log1p",
            Sqrt => "sqrt",
            Rsqrt => "rsqrt",
            Reciprocal => "reciprocal",
            Square => "square",
            Sin => "sin",
            Cos => "cos",
            Tan => "tan",
            Asin => "arcsin",
            Acos => "arccos",
            Atan => "arctan",
            Sinh => "sinh",
            Cosh => "cosh",
            Tanh => "tanh",
            Asinh => "arcsinh",
            Acosh => "arccosh",
            Atanh => "arctanh",
            Sigmoid => "sigmoid",
            Erf => "erf",
            ErfInv => "erfinv",
            Floor => "floor",
            Ceil => "ceil",
            Round => "round",
            Relu => "relu",
            Not => "logical_not",
            IsNan => "isnan",
            IsInf => "isinf",
            IsFinite => "isfinite",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        let dtype = match self {
            UnaryFn::Not if x.dtype != DType::Bool => {
                return Err(Error::dtype(format!(
                    "logical_not needs bool. Received: {}.",
                    x.dtype
                )));
            }
            f if f.is_predicate() => DType::Bool,
            f if x.dtype.is_float() || (f.takes_ints() && x.dtype.is_int()) => x.dtype,
            f => {
                return Err(Error::dtype(format!(
                    "{} needs a {} operand. Received: {}.",
                    f.name(),
                    if f.takes_ints() {
                        "numeric"
                    } else {
                        "floating-point"
                    },
                    x.dtype
                )));
            }
        };
        Ok(TensorType {
            shape: x.shape.clone(),
            dtype,
        })
    }

    fn grad(&self, inputs: &[Tensor], y: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        use UnaryFn::*;
        let x = &inputs[0];
        let dx = match self {
            Neg => -g,
            Abs => g * x.sign(),
            Sign | Floor | Ceil | Round | Not | IsNan | IsInf | IsFinite => return vec![None],
            Exp => g * y,
            Expm1 => g * (y + 1.0),
            Log => g / x,
            Log1p => g / (x + 1.0),
            Sqrt => g / y * 0.5,
            Rsqrt => g * y / x * -0.5,
            Reciprocal => -(g * y.square()),
            Square => g * x * 2.0,
            Sin => g * x.cos(),
            Cos => -(g * x.sin()),
            Tan => g * (y.square() + 1.0),
            Asin => g * (1.0 - x.square()).rsqrt(),
            Acos => -(g * (1.0 - x.square()).rsqrt()),
            Atan => g / (x.square() + 1.0),
            Relu => y.gt(0.0).select(g, g.zeros_like()),
            Sinh => g * x.cosh(),
            Cosh => g * x.sinh(),
            Tanh => g * (1.0 - y.square()),
            Asinh => g * (x.square() + 1.0).rsqrt(),
            Acosh => g * (x.square() - 1.0).rsqrt(),
            Atanh => g / (1.0 - x.square()),
            Sigmoid => g * y * (1.0 - y),
            Erf => g * (-x.square()).exp() * std::f64::consts::FRAC_2_SQRT_PI,
            ErfInv => g * y.square().exp() * (1.0 / std::f64::consts::FRAC_2_SQRT_PI),
        };
        vec![Some(dx)]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let x = inputs[0];
        if x.dtype().is_float() {
            map(ty, x.to_vec::<f64>().into_iter().map(|v| self.eval(v)))
        } else {
            let values: Vec<i64> = x
                .to_vec::<i64>()
                .into_iter()
                .map(|v| self.eval_int(v))
                .collect();
            ints(ty, values)
        }
    }
}

/// Collects `f64` values into an array of the given type.
pub(crate) fn map(ty: &TensorType, values: impl Iterator<Item = f64>) -> Array {
    floats(ty, values.collect())
}

// Takes a list, and no iterator: else every caller's loop would be compiled for every type.
fn floats(ty: &TensorType, values: Vec<f64>) -> Array {
    // Named in full: the half types have a function of this name that rounds otherwise.
    with_dtype!(ty.dtype, T => collect(ty, values.into_iter().map(<T as Element>::from_f64)))
}

/// Collects `i64` values into an array of the given type.
pub(crate) fn ints(ty: &TensorType, values: Vec<i64>) -> Array {
    with_dtype!(ty.dtype, T => collect(ty, values.into_iter().map(T::from_i64)))
}

fn collect<T: Element>(ty: &TensorType, values: impl Iterator<Item = T>) -> Array {
    Array::from_vec(ty.shape.clone(), values.collect()).expect("one value per element")
}

impl BinaryFn {
    /// Every binary function.
    pub const ALL: [BinaryFn; 18] = {
        use BinaryFn::*;
        [
            Add, Sub, Mul, Div, Rem, Pow, Max, Min, Atan2, And, Or, Xor, Eq, Ne, Lt, Le, Gt, Ge,
        ]
    };

    /// Whether the result is boolean whatever the operands are.
    pub const fn is_comparison(self) -> bool {
        use BinaryFn::*;
        matches!(self, Eq | Ne | Lt | Le | Gt | Ge)
    }

    /// Whether this takes booleans and nothing else.
    pub const fn is_logical(self) -> bool {
        matches!(self, BinaryFn::And | BinaryFn::Or | BinaryFn::Xor)
    }

    /// Whether integers are operands too.
    pub const fn takes_ints(self) -> bool {
        !matches!(self, BinaryFn::Div | BinaryFn::Atan2 | BinaryFn::Pow) && !self.is_logical()
    }

    /// The function of two `f64`. `Max` and `Min` give NaN if either operand is NaN; `Rem` has the
    /// sign of the divisor (Python's `%`).
    pub fn eval(self, a: f64, b: f64) -> f64 {
        use BinaryFn::*;
        let flag = |b: bool| f64::from(u8::from(b));
        match self {
            Add => a + b,
            Sub => a - b,
            Mul => a * b,
            Div => a / b,
            Rem => {
                let r = a % b;
                if r != 0.0 && (r < 0.0) != (b < 0.0) {
                    r + b
                } else {
                    r
                }
            }
            Pow => a.powf(b),
            Max if a.is_nan() || b.is_nan() => f64::NAN,
            Min if a.is_nan() || b.is_nan() => f64::NAN,
            Max => a.max(b),
            Min => a.min(b),
            Atan2 => a.atan2(b),
            And => flag(a != 0.0 && b != 0.0),
            Or => flag(a != 0.0 || b != 0.0),
            Xor => flag((a != 0.0) != (b != 0.0)),
            Eq => flag(a == b),
            Ne => flag(a != b),
            Lt => flag(a < b),
            Le => flag(a <= b),
            Gt => flag(a > b),
            Ge => flag(a >= b),
        }
    }

    /// The function of two integers: wraps on overflow; the remainder by 0 is 0.
    pub fn eval_int(self, a: i64, b: i64) -> i64 {
        use BinaryFn::*;
        match self {
            Add => a.wrapping_add(b),
            Sub => a.wrapping_sub(b),
            Mul => a.wrapping_mul(b),
            Rem if b == 0 => 0,
            Rem => {
                let r = a.wrapping_rem(b);
                if r != 0 && (r < 0) != (b < 0) {
                    r.wrapping_add(b)
                } else {
                    r
                }
            }
            Max => a.max(b),
            Min => a.min(b),
            Eq => i64::from(a == b),
            Ne => i64::from(a != b),
            Lt => i64::from(a < b),
            Le => i64::from(a <= b),
            Gt => i64::from(a > b),
            Ge => i64::from(a >= b),
            And => i64::from(a != 0 && b != 0),
            Or => i64::from(a != 0 || b != 0),
            Xor => i64::from((a != 0) != (b != 0)),
            Div | Pow | Atan2 => self.eval(a as f64, b as f64) as i64,
        }
    }
}

impl Operation for BinaryFn {
    fn name(&self) -> &'static str {
        use BinaryFn::*;
        match self {
            Add => "add",
            Sub => "subtract",
            Mul => "multiply",
            Div => "divide",
            Rem => "mod",
            Pow => "power",
            Max => "maximum",
            Min => "minimum",
            Atan2 => "arctan2",
            And => "logical_and",
            Or => "logical_or",
            Xor => "logical_xor",
            Eq => "equal",
            Ne => "not_equal",
            Lt => "less",
            Le => "less_equal",
            Gt => "greater",
            Ge => "greater_equal",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (a, b) = (&inputs[0], &inputs[1]);
        if a.dtype != b.dtype || a.shape != b.shape {
            return Err(Error::shape(format!(
                "{} needs operands of one shape and type. Received: {a} and {b}.",
                self.name()
            )));
        }
        let fits = if self.is_logical() {
            a.dtype == DType::Bool
        } else if matches!(
            self,
            BinaryFn::Eq | BinaryFn::Ne | BinaryFn::Max | BinaryFn::Min
        ) {
            true
        } else {
            a.dtype.is_float() || (self.takes_ints() && a.dtype.is_int())
        };
        if !fits {
            let expected = match self {
                f if f.is_logical() => "bool",
                f if f.takes_ints() => "numeric",
                _ => "floating-point",
            };
            return Err(Error::dtype(format!(
                "{} needs {expected} operands. Received: {}.",
                self.name(),
                a.dtype
            )));
        }
        let dtype = if self.is_comparison() {
            DType::Bool
        } else {
            a.dtype
        };
        Ok(TensorType {
            shape: a.shape.clone(),
            dtype,
        })
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        y: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        use BinaryFn::*;
        let (a, b) = (&inputs[0], &inputs[1]);
        let pair = |da: &dyn Fn() -> Tensor, db: &dyn Fn() -> Tensor| {
            vec![wanted[0].then(da), wanted[1].then(db)]
        };
        match self {
            Add => pair(&|| g.clone(), &|| g.clone()),
            Sub => pair(&|| g.clone(), &|| -g),
            Mul => pair(&|| g * b, &|| g * a),
            Div => pair(&|| g / b, &|| -(g * y / b)),
            Rem => pair(&|| g.clone(), &|| -(g * ((a - y) / b).round())),
            // d(a^b)/da at b = 0 is 0 even where a = 0; d(a^b)/db is 0 where a = 0 < b.
            Pow => pair(
                &|| b.eq(0.0).select(g * 0.0, g * b * a.pow(b - 1.0)),
                &|| {
                    let safe = a.gt(0.0).select(a, 1.0);
                    a.gt(0.0)
                        .select(g * y * safe.log(), a.eq(0.0).select(g * 0.0, f64::NAN))
                },
            ),
            // Ties share the gradient equally, as in JAX and TensorFlow.
            Max | Min => {
                let share = |first: &Tensor, other: &Tensor| {
                    let wins = if *self == Max {
                        first.gt(other)
                    } else {
                        first.lt(other)
                    };
                    g * wins
                        .select(1.0, first.eq(other).select(0.5, g.zeros_like()))
                        .cast(g.dtype())
                };
                pair(&|| share(a, b), &|| share(b, a))
            }
            Atan2 => {
                let norm = a.square() + b.square();
                pair(&|| g * b / &norm, &|| -(g * a / &norm))
            }
            And | Or | Xor | Eq | Ne | Lt | Le | Gt | Ge => vec![None, None],
        }
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (a, b) = (inputs[0], inputs[1]);
        if a.dtype().is_float() {
            let (a, b) = (a.to_vec::<f64>(), b.to_vec::<f64>());
            map(ty, a.into_iter().zip(b).map(|(a, b)| self.eval(a, b)))
        } else {
            let (a, b) = (a.to_vec::<i64>(), b.to_vec::<i64>());
            ints(
                ty,
                a.into_iter()
                    .zip(b)
                    .map(|(a, b)| self.eval_int(a, b))
                    .collect(),
            )
        }
    }
}

impl Operation for Select {
    fn name(&self) -> &'static str {
        "where"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (c, a, b) = (&inputs[0], &inputs[1], &inputs[2]);
        if c.dtype != DType::Bool {
            return Err(Error::dtype(format!(
                "where needs a bool condition. Received: {}.",
                c.dtype
            )));
        }
        if a != b || a.shape != c.shape {
            return Err(Error::shape(format!(
                "where needs operands of one shape and type. Received: {c}, {a} and {b}."
            )));
        }
        Ok(a.clone())
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let zero = g.zeros_like();
        vec![
            None,
            wanted[1].then(|| inputs[0].select(g, &zero)),
            wanted[2].then(|| inputs[0].select(&zero, g)),
        ]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let c = inputs[0].to_vec::<bool>();
        with_dtype!(ty.dtype, T => {
            let (mut a, b) = (inputs[1].to_vec::<T>(), inputs[2].to_vec::<T>());
            for (i, c) in c.iter().enumerate() {
                if !c {
                    a[i] = b[i];
                }
            }
            collect(ty, a.into_iter())
        })
    }
}

impl Operation for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        Ok(TensorType {
            shape: inputs[0].shape.clone(),
            dtype: self.0,
        })
    }

    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let from = inputs[0].dtype();
        vec![(from.is_float() && self.0.is_float()).then(|| g.cast(from))]
    }

    fn reference(&self, inputs: &[&Array], _: &TensorType) -> Array {
        inputs[0].cast(self.0)
    }
}

impl Tensor {
    #[track_caller]
    fn unary(&self, f: UnaryFn) -> Tensor {
        Tensor::new(f.into(), vec![self.clone()], Location::caller())
    }

    /// A binary function after promotion of the types and broadcasting of the shapes. A Rust number
    /// takes the tensor's type.
    #[track_caller]
    fn binary(&self, f: BinaryFn, other: impl IntoTensor) -> Tensor {
        let other = other.into_tensor_like(self);
        self.binary_at(f, &other, Location::caller())
    }

    fn binary_at(&self, f: BinaryFn, other: &Tensor, line: &'static Location<'static>) -> Tensor {
        let mut dtype = self.dtype().promote(other.dtype());
        if matches!(f, BinaryFn::Div | BinaryFn::Pow | BinaryFn::Atan2) {
            dtype = dtype.to_float();
        }
        let shape = match self.shape().broadcast(other.shape()) {
            Ok(s) => s,
            Err(e) => return Tensor::failed(e, &[self, other], line),
        };
        let fit = |t: &Tensor| t.cast_at(dtype, line).broadcast_at(&shape, line);
        Tensor::new(f.into(), vec![fit(self), fit(other)], line)
    }

    pub(crate) fn cast_at(&self, dtype: DType, line: &'static Location<'static>) -> Tensor {
        if self.dtype() == dtype {
            return self.clone();
        }
        Tensor::new(Cast(dtype).into(), vec![self.clone()], line)
    }

    /// The same values in another element type: rounded to floats, truncated toward zero and
    /// saturating from floats to integers, wrapping between integers.
    #[track_caller]
    pub fn cast(&self, dtype: DType) -> Tensor {
        self.cast_at(dtype, Location::caller())
    }

    /// `a` where `self` (of type bool) holds, else `b`; all three broadcast. Keras' `where`.
    #[track_caller]
    pub fn select(&self, a: impl IntoTensor, b: impl IntoTensor) -> Tensor {
        let line = Location::caller();
        let (a, b) = match (a.as_number(), b.as_number()) {
            (Some(_), None) => {
                let b = b.into_tensor_like(self);
                (a.into_tensor_like(&b), b)
            }
            (None, _) => {
                let a = a.into_tensor_like(self);
                let b = b.into_tensor_like(&a);
                (a, b)
            }
            (Some(x), Some(y)) => (Tensor::from(x as f32), Tensor::from(y as f32)),
        };
        self.select_at(a, b, line)
    }

    fn select_at(&self, a: Tensor, b: Tensor, line: &'static Location<'static>) -> Tensor {
        let dtype = a.dtype().promote(b.dtype());
        let shape = a
            .shape()
            .broadcast(b.shape())
            .and_then(|s| s.broadcast(self.shape()));
        let shape = match shape {
            Ok(s) => s,
            Err(e) => return Tensor::failed(e, &[self, &a, &b], line),
        };
        let inputs = vec![
            self.broadcast_at(&shape, line),
            a.cast_at(dtype, line).broadcast_at(&shape, line),
            b.cast_at(dtype, line).broadcast_at(&shape, line),
        ];
        Tensor::new(Select.into(), inputs, line)
    }
}

macro_rules! unary_methods {
    ($($(#[$doc:meta])* $name:ident => $f:ident;)*) => {
        impl Tensor {
            $($(#[$doc])*
            #[track_caller]
            pub fn $name(&self) -> Tensor {
                self.unary(UnaryFn::$f)
            })*
        }
    };
}

unary_methods! {
    /// `|x|`.
    abs => Abs;
    /// −1, 0 or 1; NaN stays NaN.
    sign => Sign;
    /// `eˣ`.
    exp => Exp;
    /// `eˣ − 1`, exact near 0.
    expm1 => Expm1;
    /// Natural logarithm.
    log => Log;
    /// `ln(1 + x)`, exact near 0.
    log1p => Log1p;
    /// Square root.
    sqrt => Sqrt;
    /// `1 / √x`.
    rsqrt => Rsqrt;
    /// `1 / x`.
    reciprocal => Reciprocal;
    /// `x²`.
    square => Square;
    /// Sine (radians).
    sin => Sin;
    /// Cosine (radians).
    cos => Cos;
    /// Tangent (radians).
    tan => Tan;
    /// Inverse sine, radians.
    asin => Asin;
    /// Inverse cosine, radians.
    acos => Acos;
    /// Inverse tangent, radians.
    atan => Atan;
    /// Hyperbolic sine.
    sinh => Sinh;
    /// Hyperbolic cosine.
    cosh => Cosh;
    /// Hyperbolic tangent.
    tanh => Tanh;
    /// Inverse hyperbolic sine.
    asinh => Asinh;
    /// Inverse hyperbolic cosine.
    acosh => Acosh;
    /// Inverse hyperbolic tangent.
    atanh => Atanh;
    /// `1 / (1 + e⁻ˣ)`.
    sigmoid => Sigmoid;
    /// The error function.
    erf => Erf;
    /// The inverse of the error function; ±∞ at ±1, NaN beyond.
    erfinv => ErfInv;
    /// The largest integer not above.
    floor => Floor;
    /// The smallest integer not below.
    ceil => Ceil;
    /// The nearest integer, halves to even.
    round => Round;
    /// `!x` of booleans.
    logical_not => Not;
    /// `max(x, 0)`, with gradient 0 at 0 (unlike [`Tensor::maximum`], which shares ties).
    relu => Relu;
    /// Whether NaN, as booleans.
    is_nan => IsNan;
    /// Whether infinite, as booleans.
    is_inf => IsInf;
    /// Whether neither NaN nor infinite, as booleans.
    is_finite => IsFinite;
}

macro_rules! binary_methods {
    ($($(#[$doc:meta])* $name:ident => $f:ident;)*) => {
        impl Tensor {
            $($(#[$doc])*
            #[track_caller]
            pub fn $name(&self, other: impl IntoTensor) -> Tensor {
                self.binary(BinaryFn::$f, other)
            })*
        }
    };
}

binary_methods! {
    /// `selfᵒᵗʰᵉʳ`, as floats.
    pow => Pow;
    /// The larger of the two; NaN if either is NaN.
    maximum => Max;
    /// The smaller of the two; NaN if either is NaN.
    minimum => Min;
    /// The angle of the point (`other`, `self`), radians.
    atan2 => Atan2;
    /// Both, of booleans.
    logical_and => And;
    /// Either, of booleans.
    logical_or => Or;
    /// Exactly one, of booleans.
    logical_xor => Xor;
    /// Whether equal, as booleans.
    eq => Eq;
    /// Whether different, as booleans.
    ne => Ne;
    /// Whether less, as booleans.
    lt => Lt;
    /// Whether less or equal, as booleans.
    le => Le;
    /// Whether greater, as booleans.
    gt => Gt;
    /// Whether greater or equal, as booleans.
    ge => Ge;
}

impl Tensor {
    /// `self` limited to `low..=high`; NaN stays NaN.
    #[track_caller]
    pub fn clip(&self, low: f64, high: f64) -> Tensor {
        self.maximum(low).minimum(high)
    }

    /// `ln(1 + eˣ)`, without overflow.
    #[track_caller]
    pub fn softplus(&self) -> Tensor {
        self.maximum(0.0) + (-self.abs()).exp().log1p()
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident $f:ident;)*) => {$(
        impl<T: IntoTensor> std::ops::$trait<T> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: T) -> Tensor {
                self.binary(BinaryFn::$f, other)
            }
        }
        impl<T: IntoTensor> std::ops::$trait<T> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: T) -> Tensor {
                self.binary(BinaryFn::$f, other)
            }
        }
        operators!(@number $trait $method $f f64 i32);
    )*};
    (@number $trait:ident $method:ident $f:ident $($n:ty)*) => {$(
        impl std::ops::$trait<&Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Tensor) -> Tensor {
                IntoTensor::into_tensor_like(self, other).binary(BinaryFn::$f, other)
            }
        }
        impl std::ops::$trait<Tensor> for $n {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: Tensor) -> Tensor {
                IntoTensor::into_tensor_like(self, &other).binary(BinaryFn::$f, other)
            }
        }
    )*};
}

operators! {
    Add add Add;
    Sub sub Sub;
    Mul mul Mul;
    Div div Div;
    Rem rem Rem;
}

impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        self.unary(UnaryFn::Neg)
    }
}

impl std::ops::Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        self.unary(UnaryFn::Neg)
    }
}
