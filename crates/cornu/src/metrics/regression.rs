//! Distances of numbers.

use super::macros::plain_means;
use super::shape::{float, same_rank};
use cornu_core::Tensor;

plain_means! {
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
    MeanSquaredError = |y_true: &Tensor, y_pred: &Tensor| {
        let (y_true, y_pred) = same_rank(&float(y_true), &float(y_pred));
        (y_pred - y_true).square().mean_axes(&[-1], false)
    };

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
    MeanAbsoluteError = |y_true: &Tensor, y_pred: &Tensor| {
        let (y_true, y_pred) = same_rank(&float(y_true), &float(y_pred));
        (y_pred - y_true).abs().mean_axes(&[-1], false)
    };
}
