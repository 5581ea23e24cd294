//! Keras, as a native Rust library: *define → compile → fit → evaluate*.

pub mod callbacks;
pub mod datasets;
mod interrupt;
mod logs;
pub mod metrics;
mod progress;

pub use interrupt::Interrupt;
pub use logs::Logs;
pub use progress::{Progress, Verbose, is_terminal};

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Shape, Tensor, Variable,
    custom_gradient, function::Traced, grad, grad_with,
};
