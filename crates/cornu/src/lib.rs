//! Keras, as a native Rust library: *define → compile → fit → evaluate*.

pub mod callbacks;
pub mod datasets;
mod logs;
pub mod optimizers;

pub use logs::Logs;

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Shape, Tensor, Variable,
    custom_gradient, function::Traced, grad, grad_with,
};
