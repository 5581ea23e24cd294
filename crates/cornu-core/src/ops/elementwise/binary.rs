//! Functions of two elements.

use super::{Operation, ints, map};
use crate::array::Array;
use crate::dtype::DType;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};

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
