//! Keras, as a native Rust library: *define → compile → fit → evaluate*.
//!
//! ```
//! use cornu::prelude::*;
//!
//! # fn main() -> cornu::Result<()> {
//! set_random_seed(1);
//! // Is the sum of two numbers positive?
//! let x = Array::from([[1.0f32, 2.0], [-1.0, -3.0], [4.0, -1.0], [-2.0, 1.0]]);
//! let y = Array::from([[1.0f32], [0.0], [1.0], [0.0]]);
//!
//! let mut model = Sequential::new();
//! model.add(Dense::new(8).activation("relu").input_shape([2]));
//! model.add(Dense::new(1).activation("sigmoid"));
//! model.compile(Adam::new().learning_rate(0.05), "binary_crossentropy", ["accuracy"])?;
//!
//! let history = model.fit(&x, &y, Fit::new().epochs(100).verbose(0))?;
//! assert!(history["loss"][99] < history["loss"][0]);
//! let scores = model.evaluate_with(&x, &y, Evaluate::new().verbose(0))?;
//! assert_eq!(scores["accuracy"], 1.0);
//! let answer = model.predict(&Array::from([[3.0f32, 3.0]]))?.item::<f32>()?;
//! assert!(answer > 0.5);
//! # Ok(())
//! # }
//! ```
//!
//! * [`prelude`] is what most programs need. The modules have Keras' names: [`layers`], [`losses`],
//!   [`metrics`], [`optimizers`], [`callbacks`], …; [`models`] holds [`Sequential`](models::Sequential)
//!   and the options of [`Fit`](models::Fit).
//! * Where Keras takes a string, so does Cornu, and a typed value too: `"adam"` or
//!   `Adam::new().learning_rate(1e-4)`.
//! * What users give may be `ndarray` arrays and views, [`Array`], vectors or slices ([`IntoData`]).
//! * Of one's own: a layer is a [`Layer`](layers::Layer), a loss or an activation a closure, a metric a
//!   closure or a [`MetricFn`](metrics::MetricFn), an optimizer a [`Rule`](optimizers::Rule).
//! * Below all this are lazy tensors: [`Tensor`], [`Variable`], [`grad`], [`scan`], [`custom_gradient`],
//!   [`function()`], [`try_function`] and [`Eval::eval`].
//!
//! Bad input gives an [`Error`] that names the layer or argument, what was expected and what came.
//! Environment variables: `CORNU_NUM_THREADS`, `CORNU_PROFILE=1` (where time goes),
//! `CORNU_BACKEND=reference` (see [`device()`]), `CORNU_ISA`, `CORNU_DATA` (see [`datasets`]).

pub mod activations;
mod axes;
pub mod callbacks;
mod config;
pub mod constraints;
pub mod data;
pub mod datasets;
mod device;
mod files;
pub mod image;
pub mod initializers;
mod interrupt;
pub mod layers;
#[cfg(feature = "linear")]
pub mod linear;
mod logs;
pub mod losses;
pub mod metrics;
pub mod models;
pub mod optimizers;
pub mod prelude;
pub mod preprocessing;
mod progress;
pub mod regularizers;
pub mod saving;
pub mod summary;
pub mod utils;

pub use axes::Axes;
pub use data::{Data, Inputs, IntoData, IntoInputs};
pub use device::{Eval, device, function, set_num_threads, try_function};
pub use interrupt::Interrupt;
pub use logs::Logs;
pub use progress::{Progress, Verbose, is_terminal};

pub use cornu_core::{
    Array, DType, Device, Element, Error, ErrorKind, Function, Result, Scope, Shape, Tensor,
    Variable, custom_gradient, function::Traced, grad, grad_with, scan,
};

/// The listings of the README, so that they go on to compile and hold.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The listings of `docs/`.
#[cfg(all(doctest, feature = "linear", feature = "saving"))]
#[doc = include_str!("../../../docs/least_squares.md")]
struct LeastSquares;
