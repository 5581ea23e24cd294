//! Functions of one element.

use super::{Operation, ints, map};
use crate::array::Array;
use crate::dtype::DType;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};

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
            Erf => crate::reference::erf(x),
            ErfInv => crate::reference::erfinv(x),
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
