//! Metrics: what is measured of a model while it trains and when it is evaluated.
//!
//! Names, strings, defaults and formulas are Keras 3's. Every metric is tensor expressions over a few
//! state variables, so that its updates are part of the compiled training step and its sums stay on
//! the device until they are shown.
//!
//! `compile` takes a [`Metric`], which is made from
//! * a string: `"accuracy"` (by the shapes, see [`Metric::resolve`]), a class name, its snake case, or
//!   one of Keras' short forms (`"mse"`, `"mae"`, …),
//! * a metric type with its arguments: `BinaryAccuracy::new().threshold(0.7).name("sure")`,
//! * a name and a closure that gives a value per sample ([`Metric::custom`]),
//! * a type of one's own that implements [`MeanFn`] or [`MetricFn`].

mod accuracy;
mod macros;
mod mean;
mod metric;
mod registry;
mod regression;
mod resolve;
mod shape;

pub use accuracy::{
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
};
pub use mean::{Mean, MeanFn, MeanMetricWrapper, Sum};
pub use metric::{Metric, MetricFn, State};
pub use regression::{MeanAbsoluteError, MeanSquaredError};
