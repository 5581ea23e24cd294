//! The tensor program of Cornu: what a model does, as one expression that is differentiated,
//! optimised and compiled as a whole.
//!
//! * [`Tensor`] is a lazy, immutable, typed handle to a node of an expression. Building an
//!   expression never fails: an impossible one carries its [`Error`], with the caller's line, to the
//!   first thing that returns a [`Result`].
//! * [`grad`] differentiates an expression; the gradient is an expression again. [`scan`] walks along an
//!   axis.
//! * [`Program`] is a traced expression: inputs, variables, instructions, outputs, updates.
//! * [`passes`] rewrite a program and group it into kernels with all memory laid out.
//! * A [`Backend`] compiles a program to an [`Executable`]; [`Reference`] is the plain interpreter
//!   that every backend is compared with.
//!
//! Users normally meet these through the crate `cornu`, which adds the Keras layer and evaluation on
//! the CPU backend.

pub mod array;
pub mod backend;
mod compiled;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod dtype;
pub mod error;
pub mod function;
mod grad;
pub mod hash;
pub mod ops;
mod order;
pub mod passes;
pub mod program;
pub mod random;
mod reference;
mod scan;
pub mod shape;
mod tensor;
mod variable;

pub use array::{Array, Slice, SliceMut, View, ViewMut};
pub use backend::{Backend, Executable};
pub use compiled::{Compiled, CompiledForms};
pub use dtype::{DType, Element};
pub use error::{Error, ErrorKind, Result};
pub use function::{Device, Function};
pub use grad::{custom_gradient, grad, grad_with};
pub use ops::Op;
#[doc(hidden)]
pub use order::order_by;
pub use program::Program;
pub use reference::Reference;
pub use scan::scan;
pub use shape::Shape;
pub use tensor::{IntoTensor, Scope, Tensor, TensorType};
pub use variable::Variable;

pub use half::{bf16, f16};
