//! What a `Tensor` has of them: methods and operators, with promotion and broadcasting.

use super::{BinaryFn, Cast, Select, UnaryFn};
use crate::dtype::DType;
use crate::tensor::{IntoTensor, Tensor};
use std::panic::Location;

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
