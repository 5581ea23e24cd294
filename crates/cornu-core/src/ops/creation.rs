//! Tensors made from nothing: constants, one value everywhere, and counting.

use super::Operation;
use crate::array::Array;
use crate::dtype::{DType, Element};
use crate::ops::elementwise::{ints, map};
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::hash::{Hash, Hasher};
use std::panic::Location;
use std::sync::Arc;

/// A number of unspecified width, compared and hashed by its bits.
#[derive(Clone, Copy, Debug)]
pub enum Scalar {
    /// A floating-point number.
    Float(f64),
    /// An integer or boolean.
    Int(i64),
}

impl Scalar {
    /// As `f64`.
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Float(v) => v,
            Scalar::Int(v) => v as f64,
        }
    }

    /// As `i64`, truncated toward zero.
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Float(v) => v as i64,
            Scalar::Int(v) => v,
        }
    }

    /// As an element type.
    pub fn to<T: Element>(self) -> T {
        match self {
            Scalar::Float(v) => T::from_f64(v),
            Scalar::Int(v) => T::from_i64(v),
        }
    }

    fn bits(self) -> (u8, u64) {
        match self {
            Scalar::Float(v) => (0, v.to_bits()),
            Scalar::Int(v) => (1, v as u64),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}
impl Eq for Scalar {}
impl Hash for Scalar {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

/// A constant array. Two are the same constant if they share the array, or hold the same few values.
#[derive(Clone, Debug)]
pub struct Constant(pub Arc<Array>);

/// Constants up to this many elements are compared by value.
const SMALL: usize = 64;

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.size() <= SMALL
                && self.0.dtype() == other.0.dtype()
                && self.0.shape() == other.0.shape()
                && self.bits() == other.bits())
    }
}
impl Eq for Constant {}
impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.shape().hash(state);
        self.0.dtype().hash(state);
    }
}

impl Constant {
    fn bits(&self) -> Vec<u64> {
        if self.0.dtype().is_float() {
            self.0.to_vec::<f64>().iter().map(|v| v.to_bits()).collect()
        } else {
            self.0.to_vec::<i64>().iter().map(|v| *v as u64).collect()
        }
    }
}

/// One value everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Full {
    /// The value.
    pub value: Scalar,
    /// The extents.
    pub shape: Shape,
    /// The element type.
    pub dtype: DType,
}

/// The index along `axis`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Iota {
    /// The extents.
    pub shape: Shape,
    /// The axis counted along.
    pub axis: usize,
    /// The element type.
    pub dtype: DType,
}

impl Operation for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }
    fn infer(&self, _: &[TensorType]) -> Result<TensorType> {
        Ok(TensorType {
            shape: self.0.shape().clone(),
            dtype: self.0.dtype(),
        })
    }
    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        Vec::new()
    }
    fn reference(&self, _: &[&Array], _: &TensorType) -> Array {
        (*self.0).clone()
    }
}

impl Operation for Full {
    fn name(&self) -> &'static str {
        "full"
    }
    fn infer(&self, _: &[TensorType]) -> Result<TensorType> {
        Ok(TensorType {
            shape: self.shape.clone(),
            dtype: self.dtype,
        })
    }
    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        Vec::new()
    }
    fn reference(&self, _: &[&Array], ty: &TensorType) -> Array {
        let n = ty.shape.size();
        match self.value {
            Scalar::Float(v) => map(ty, std::iter::repeat_n(v, n)),
            Scalar::Int(v) => ints(ty, vec![v; n]),
        }
    }
}

impl Operation for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }
    fn infer(&self, _: &[TensorType]) -> Result<TensorType> {
        if self.axis >= self.shape.rank() {
            return Err(Error::shape(format!(
                "Axis {} is out of range for {}.",
                self.axis, self.shape
            )));
        }
        Ok(TensorType {
            shape: self.shape.clone(),
            dtype: self.dtype,
        })
    }
    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        Vec::new()
    }
    fn reference(&self, _: &[&Array], ty: &TensorType) -> Array {
        let stride = self.shape.strides()[self.axis];
        let n = self.shape[self.axis];
        ints(
            ty,
            (0..ty.shape.size())
                .map(|i| (i / stride % n) as i64)
                .collect(),
        )
    }
}

impl Tensor {
    /// A constant tensor from host data.
    ///
    /// ```
    /// use cornu_core::Tensor;
    /// let t = Tensor::constant([[1.0f32, 2.0], [3.0, 4.0]]);
    /// assert_eq!(t.shape().dims(), [2, 2]);
    /// ```
    #[track_caller]
    pub fn constant(array: impl Into<Array>) -> Tensor {
        let array = array.into();
        Tensor::new(
            Constant(Arc::new(array)).into(),
            Vec::new(),
            Location::caller(),
        )
    }

    /// `value` everywhere, converted to `dtype`.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: f64, dtype: DType) -> Tensor {
        let line = Location::caller();
        let value = if dtype.is_float() {
            Scalar::Float(value)
        } else {
            Scalar::Int(value as i64)
        };
        Tensor::new(
            Full {
                value,
                shape: shape.into(),
                dtype,
            }
            .into(),
            Vec::new(),
            line,
        )
    }

    /// Zeros (`false` for booleans).
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>, dtype: DType) -> Tensor {
        Tensor::full(shape, 0.0, dtype)
    }

    /// Ones (`true` for booleans).
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>, dtype: DType) -> Tensor {
        Tensor::full(shape, 1.0, dtype)
    }

    /// Zeros of the shape and type of `self`.
    #[track_caller]
    pub fn zeros_like(&self) -> Tensor {
        Tensor::zeros(self.shape().clone(), self.dtype())
    }

    /// Ones of the shape and type of `self`.
    #[track_caller]
    pub fn ones_like(&self) -> Tensor {
        Tensor::ones(self.shape().clone(), self.dtype())
    }

    /// The index along `axis` at each position.
    #[track_caller]
    pub fn iota(shape: impl Into<Shape>, axis: usize, dtype: DType) -> Tensor {
        Tensor::new(
            Iota {
                shape: shape.into(),
                axis,
                dtype,
            }
            .into(),
            Vec::new(),
            Location::caller(),
        )
    }

    /// 0, 1, …, `n` − 1.
    #[track_caller]
    pub fn arange(n: usize, dtype: DType) -> Tensor {
        Tensor::iota([n], 0, dtype)
    }

    /// The `n`×`n` matrix with ones on the diagonal.
    #[track_caller]
    pub fn eye(n: usize, dtype: DType) -> Tensor {
        Tensor::iota([n, n], 0, DType::I32)
            .eq(Tensor::iota([n, n], 1, DType::I32))
            .cast(dtype)
    }
}

impl<T: Element> From<T> for Tensor {
    #[track_caller]
    fn from(value: T) -> Tensor {
        let value = if T::DTYPE.is_float() {
            Scalar::Float(value.to_f64())
        } else {
            Scalar::Int(value.to_i64())
        };
        let op = Full {
            value,
            shape: Shape::scalar(),
            dtype: T::DTYPE,
        };
        Tensor::new(op.into(), Vec::new(), Location::caller())
    }
}

impl From<&Tensor> for Tensor {
    fn from(t: &Tensor) -> Tensor {
        t.clone()
    }
}

impl From<&crate::Variable> for Tensor {
    fn from(v: &crate::Variable) -> Tensor {
        v.tensor()
    }
}
