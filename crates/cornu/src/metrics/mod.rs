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
mod auc;
mod confusion;
mod correlation;
mod counts;
mod f_score;
mod hinge;
mod iou;
mod macros;
mod mean;
mod metric;
mod operating_point;
mod precision_recall;
mod probabilistic;
mod r2_score;
mod registry;
mod regression;
mod resolve;
mod shape;
mod thresholds;

pub use accuracy::{
    Accuracy, BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy,
};
pub use auc::AUC;
pub use correlation::{ConcordanceCorrelation, PearsonCorrelation};
pub use counts::{FalseNegatives, FalsePositives, TrueNegatives, TruePositives};
pub use f_score::{F1Score, FBetaScore};
pub use hinge::{CategoricalHinge, Hinge, SquaredHinge};
pub use iou::{BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU};
pub use mean::{Mean, MeanFn, MeanMetricWrapper, Sum};
pub use metric::{Metric, MetricFn, State};
pub use operating_point::{
    PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity,
};
pub use precision_recall::{Precision, Recall};
pub use probabilistic::{
    BinaryCrossentropy, CategoricalCrossentropy, KLDivergence, Poisson,
    SparseCategoricalCrossentropy,
};
pub use r2_score::R2Score;
pub use regression::{
    CosineSimilarity, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError,
    MeanSquaredError, MeanSquaredLogarithmicError, RootMeanSquaredError,
};
pub use thresholds::Thresholds;
