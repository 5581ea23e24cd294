//! The lazy tensor handle.

use crate::dtype::DType;
use crate::ops::Op;
use crate::ops::creation::Full;
use crate::shape::Shape;
use crate::{Error, Result};
use std::cell::RefCell;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// Shape and element type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TensorType {
    /// The extents.
    pub shape: Shape,
    /// The element type.
    pub dtype: DType,
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype, self.shape)
    }
}

/// A lazy, immutable tensor: a node of an expression. Cloning copies a pointer.
///
/// Methods and operators build larger expressions and never fail; what cannot be (shapes that do not
/// fit, …) yields a tensor that carries its [`Error`] and the caller's line, and the error comes out
/// of the first call that returns a `Result`, such as an evaluation or [`Tensor::check`].
///
/// ```
/// use cornu_core::{DType, Tensor};
/// let x = Tensor::constant([[1.0f32, 2.0], [3.0, 4.0]]);
/// let y = (x.matmul(&x) + 1.0).relu();
/// assert_eq!(y.shape().dims(), [2, 2]);
/// assert_eq!(y.dtype(), DType::F32);
/// let wrong = x + Tensor::zeros([3], DType::F32);
/// assert!(wrong.check().unwrap_err().to_string().contains("do not broadcast"));
/// ```
#[derive(Clone)]
pub struct Tensor(Arc<Node>);

struct Node {
    op: Op,
    inputs: Vec<Tensor>,
    ty: TensorType,
    error: Option<Arc<Error>>,
    scope: Option<Arc<str>>,
}

thread_local! {
    static SCOPE: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

/// While it lives, tensors built on this thread belong to the named part of the model: errors and
/// plans name it. Scopes nest; the innermost name is the one shown.
#[derive(Debug)]
pub struct Scope(());

impl Scope {
    /// Enters a part of the model.
    pub fn enter(name: &str) -> Scope {
        SCOPE.with_borrow_mut(|s| s.push(name.into()));
        Scope(())
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        SCOPE.with_borrow_mut(|s| s.pop());
    }
}

/// The largest tensor that is taken for one, in bytes: more than any machine has, and little enough that
/// sums of sizes can be counted.
const LARGEST: usize = 1 << (usize::BITS - 18);

/// Refuses a type of which no tensor can be.
fn possible(ty: TensorType) -> Result<TensorType> {
    if ty.shape.size().saturating_mul(ty.dtype.size()) <= LARGEST {
        return Ok(ty);
    }
    Err(Error::shape(format!(
        "A tensor of shape {} is larger than any memory.",
        ty.shape
    )))
}

impl Tensor {
    /// A node; an operand's error, or a failed shape rule, becomes the node's error.
    pub(crate) fn new(op: Op, inputs: Vec<Tensor>, line: &'static Location<'static>) -> Tensor {
        let scope = SCOPE.with_borrow(|s| s.last().cloned());
        let inherited = inputs.iter().find_map(|t| t.0.error.clone());
        let types: Vec<TensorType> = inputs.iter().map(|t| t.0.ty.clone()).collect();
        let unknown = || TensorType {
            shape: Shape::scalar(),
            dtype: DType::F32,
        };
        let (ty, error) = match (inherited, op.rules()) {
            (Some(e), _) => (types.first().cloned().unwrap_or_else(unknown), Some(e)),
            (None, Some(rules)) => match rules.infer(&types).and_then(possible) {
                Ok(ty) => (ty, None),
                Err(e) => {
                    let e = e.at(line);
                    let e = match &scope {
                        Some(s) => e.in_scope(&**s),
                        None => e,
                    };
                    (
                        types.first().cloned().unwrap_or_else(unknown),
                        Some(Arc::new(e)),
                    )
                }
            },
            (None, None) => (unknown(), None),
        };
        let inputs = if error.is_some() { Vec::new() } else { inputs };
        Tensor(Arc::new(Node {
            op,
            inputs,
            ty,
            error,
            scope,
        }))
    }

    /// A leaf with a type given from outside.
    pub(crate) fn leaf(op: Op, ty: TensorType) -> Tensor {
        let error = possible(ty.clone()).err().map(Arc::new);
        Tensor(Arc::new(Node {
            op,
            inputs: Vec::new(),
            ty,
            error,
            scope: None,
        }))
    }

    /// A tensor that carries an error (or the first of its operands').
    pub(crate) fn failed(
        error: Error,
        operands: &[&Tensor],
        line: &'static Location<'static>,
    ) -> Tensor {
        let scope = SCOPE.with_borrow(|s| s.last().cloned());
        let error = operands
            .iter()
            .find_map(|t| t.0.error.clone())
            .unwrap_or_else(|| {
                let e = error.at(line);
                Arc::new(match &scope {
                    Some(s) => e.in_scope(&**s),
                    None => e,
                })
            });
        let ty = operands.first().map_or(
            TensorType {
                shape: Shape::scalar(),
                dtype: DType::F32,
            },
            |t| t.0.ty.clone(),
        );
        let op = Full {
            value: crate::ops::creation::Scalar::Int(0),
            shape: ty.shape.clone(),
            dtype: ty.dtype,
        };
        Tensor(Arc::new(Node {
            op: op.into(),
            inputs: Vec::new(),
            ty,
            error: Some(error),
            scope,
        }))
    }

    /// A tensor that carries this error: how a layer's `call` reports what cannot be.
    #[track_caller]
    pub fn error(error: Error) -> Tensor {
        Tensor::failed(error, &[], Location::caller())
    }

    /// The `index`-th input of a program to be traced.
    pub fn input(index: usize, shape: impl Into<Shape>, dtype: DType) -> Tensor {
        Tensor::leaf(
            Op::Input(index),
            TensorType {
                shape: shape.into(),
                dtype,
            },
        )
    }

    /// The extents. Of a tensor that carries an error: those of its first operand.
    pub fn shape(&self) -> &Shape {
        &self.0.ty.shape
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.shape().size()
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.0.ty.dtype
    }

    /// Shape and element type.
    pub fn ty(&self) -> &TensorType {
        &self.0.ty
    }

    /// The operation of this node.
    pub fn op(&self) -> &Op {
        &self.0.op
    }

    /// The operands of this node.
    pub fn inputs(&self) -> &[Tensor] {
        &self.0.inputs
    }

    /// The part of the model (see [`Scope`]) this node belongs to.
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The error that the expression carries, if any.
    pub fn check(&self) -> Result<()> {
        match &self.0.error {
            Some(e) => Err((**e).clone()),
            None => Ok(()),
        }
    }

    /// The identity of the node: equal for clones only.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }
}

impl Drop for Node {
    /// Frees long chains without recursion, which would overflow the stack.
    fn drop(&mut self) {
        let mut pending = std::mem::take(&mut self.inputs);
        while let Some(Tensor(node)) = pending.pop() {
            if let Some(mut node) = Arc::into_inner(node) {
                pending.append(&mut node.inputs);
            }
        }
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.error {
            Some(e) => write!(f, "Tensor(error: {e})"),
            None => write!(f, "Tensor({} {})", self.0.op.name(), self.0.ty),
        }
    }
}

/// What can stand beside a tensor in an operation: a tensor, a variable, or a Rust number, which
/// takes the tensor's element type (a fractional number beside an integer tensor makes it `f32`).
pub trait IntoTensor {
    /// As a tensor that fits beside `other`.
    fn into_tensor_like(self, other: &Tensor) -> Tensor;
    /// The number, if it is one.
    fn as_number(&self) -> Option<f64> {
        None
    }
}

impl IntoTensor for Tensor {
    fn into_tensor_like(self, _: &Tensor) -> Tensor {
        self
    }
}

impl IntoTensor for &Tensor {
    fn into_tensor_like(self, _: &Tensor) -> Tensor {
        self.clone()
    }
}

impl IntoTensor for &crate::Variable {
    fn into_tensor_like(self, _: &Tensor) -> Tensor {
        self.tensor()
    }
}

macro_rules! number_into_tensor {
    ($($t:ty)*) => {$(
        impl IntoTensor for $t {
            #[track_caller]
            fn into_tensor_like(self, other: &Tensor) -> Tensor {
                let value = self as f64;
                let dtype = match other.dtype() {
                    d if d.is_float() => d,
                    d if value.fract() != 0.0 || d == DType::Bool => DType::F32.promote(d),
                    d => d,
                };
                Tensor::full(Shape::scalar(), value, dtype)
            }
            fn as_number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )*};
}

number_into_tensor!(f32 f64 i32 i64 usize);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_scope_and_line_and_travel() {
        let _scope = Scope::enter("dense_1");
        let bad = Tensor::zeros([2], DType::F32) + Tensor::zeros([3], DType::F32);
        let text = (bad.relu() * 2.0).check().unwrap_err().to_string();
        assert!(
            text.starts_with("Layer \"dense_1\": Shapes (2,) and (3,)"),
            "{text}"
        );
        assert!(text.contains("tensor.rs:"), "{text}");
    }

    #[test]
    fn long_chains_are_freed_without_recursion() {
        let mut t = Tensor::zeros([1], DType::F32);
        for _ in 0..200_000 {
            t = t + 1.0;
        }
        drop(t);
    }
}
