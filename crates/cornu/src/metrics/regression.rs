//! Distances of numbers.

use super::MeanFn;
use super::macros::{loss_means, named};
use super::registry::fields;
use super::shape::{float, same_rank};
use crate::losses::{self, LossFn};
use cornu_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

loss_means! {
    /// `mean((y_pred − y_true)²)`; the strings `"mse"` and `"mean_squared_error"`.
    ///
    /// ```
    /// use cornu::metrics::{MeanSquaredError, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(MeanSquaredError::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
    /// assert_eq!(m.host_value(), Some(0.25));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    MeanSquaredError = losses::MeanSquaredError;

    /// `mean(|y_pred − y_true|)`; the strings `"mae"` and `"mean_absolute_error"`.
    ///
    /// ```
    /// use cornu::metrics::{MeanAbsoluteError, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(MeanAbsoluteError::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
    /// assert_eq!(m.host_value(), Some(0.25));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    MeanAbsoluteError = losses::MeanAbsoluteError;

    /// `100 · mean(|y_pred − y_true| / max(|y_true|, 10⁻⁷))`; the strings `"mape"` and
    /// `"mean_absolute_percentage_error"`.
    ///
    /// ```
    /// use cornu::metrics::{MeanAbsolutePercentageError, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(MeanAbsolutePercentageError::new());
    /// m.update_state(&Device::new(Reference), [[2.0f32, 4.0]], [[1.0f32, 4.0]], None)?;
    /// assert!((m.host_value().unwrap() - 25.0).abs() < 1e-4);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    MeanAbsolutePercentageError = losses::MeanAbsolutePercentageError;

    /// `mean((ln(max(y_pred, 10⁻⁷) + 1) − ln(max(y_true, 10⁻⁷) + 1))²)`; the strings `"msle"` and
    /// `"mean_squared_logarithmic_error"`.
    ///
    /// ```
    /// use cornu::metrics::{MeanSquaredLogarithmicError, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(MeanSquaredLogarithmicError::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
    /// assert!((m.host_value().unwrap() - 0.120_113).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    MeanSquaredLogarithmicError = losses::MeanSquaredLogarithmicError;

    /// `mean(ln cosh(y_pred − y_true))`; the string `"log_cosh_error"`, reported as `logcosh`.
    ///
    /// ```
    /// use cornu::metrics::{LogCoshError, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(LogCoshError::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
    /// assert!((m.host_value().unwrap() - 0.108_445).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    LogCoshError("logcosh") = losses::LogCosh;
}

/// `√mean((y_pred − y_true)²)`; the string `"root_mean_squared_error"`.
///
/// ```
/// use cornu::metrics::{Metric, RootMeanSquaredError};
/// use cornu_core::{Device, Reference};
/// let mut m = Metric::from(RootMeanSquaredError::new());
/// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
/// assert_eq!(m.host_value(), Some(0.5));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct RootMeanSquaredError {}

impl RootMeanSquaredError {
    /// The metric; it has no arguments.
    pub fn new() -> Self {
        Self::default()
    }
}
named!(RootMeanSquaredError);

impl MeanFn for RootMeanSquaredError {
    fn class_name(&self) -> &'static str {
        "RootMeanSquaredError"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (y_true, y_pred) = same_rank(&float(y_true), &float(y_pred));
        (y_pred - y_true).square()
    }
    fn finish(&self, mean: Tensor) -> Tensor {
        mean.sqrt()
    }
    fn host_finish(&self, mean: f32) -> f32 {
        mean.sqrt()
    }
}

/// The cosine of the angle between labels and predictions, `Σ t·p / (‖t‖ ‖p‖)` along an axis; the
/// string `"cosine_similarity"`. Unlike the loss it is not negated.
///
/// ```
/// use cornu::metrics::{CosineSimilarity, Metric};
/// use cornu_core::{Device, Reference};
/// let mut m = Metric::from(CosineSimilarity::new());
/// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [1.0, 1.0]],
///     [[1.0f32, 0.0], [1.0, 1.0]], None)?;
/// assert!((m.host_value().unwrap() - 0.5).abs() < 1e-5);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct CosineSimilarity {
    // Keras reads the axis but does not write it.
    #[serde(skip_serializing)]
    axis: isize,
}

impl Default for CosineSimilarity {
    fn default() -> Self {
        Self { axis: -1 }
    }
}

impl CosineSimilarity {
    /// Along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis of the vectors. Default −1.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}
named!(CosineSimilarity);

impl MeanFn for CosineSimilarity {
    fn class_name(&self) -> &'static str {
        "CosineSimilarity"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let loss = losses::CosineSimilarity::new().axis(self.axis);
        -loss.call(y_true, &float(y_pred))
    }
    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}
