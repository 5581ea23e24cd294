//! Keras, as a native Rust library: *define → compile → fit → evaluate*.

pub mod activations;
mod axes;
pub mod callbacks;
mod config;
pub mod constraints;
pub mod datasets;
pub mod initializers;
mod interrupt;
mod logs;
pub mod losses;
pub mod metrics;
pub mod optimizers;
mod progress;
pub mod regularizers;
pub mod summary;

pub use axes::Axes;
pub use interrupt::Interrupt;
pub use logs::Logs;
pub use progress::{Progress, Verbose, is_terminal};

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Shape, Tensor, Variable,
    custom_gradient, function::Traced, grad, grad_with,
};
