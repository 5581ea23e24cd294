//! Keras, as a native Rust library: *define → compile → fit → evaluate*.

pub mod activations;
mod axes;
pub mod callbacks;
mod config;
pub mod constraints;
mod data;
pub mod datasets;
mod device;
pub mod initializers;
mod interrupt;
pub mod layers;
mod logs;
pub mod losses;
pub mod metrics;
pub mod models;
pub mod optimizers;
pub mod prelude;
mod progress;
pub mod regularizers;
pub mod summary;
pub mod utils;

pub use axes::Axes;
pub use data::{Data, IntoData};
pub use device::{Eval, device, function};
pub use interrupt::Interrupt;
pub use logs::Logs;
pub use progress::{Progress, Verbose, is_terminal};

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Scope, Shape, Tensor,
    Variable, custom_gradient, function::Traced, grad, grad_with,
};
