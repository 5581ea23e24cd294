//! Functions of elements: unary, binary, selection and conversion.

mod binary;
mod methods;
mod unary;

use super::Operation;
use crate::array::Array;
use crate::dtype::{DType, Element};
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result, with_dtype};

pub use binary::BinaryFn;
pub use unary::UnaryFn;

/// `select(condition, a, b)`: `a` where the condition holds, else `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Select;

/// Conversion to an element type, as [`Array::cast`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cast(pub DType);

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
