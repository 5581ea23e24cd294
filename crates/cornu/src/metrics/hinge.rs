//! Margins.

use super::macros::loss_means;
use crate::losses;

loss_means! {
    /// `mean(max(1 − y_true · y_pred, 0))`, labels −1 and 1 (0 and 1 are converted); the string
    /// `"hinge"`.
    ///
    /// ```
    /// use cornu::metrics::{Hinge, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(Hinge::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[0.6f32, 0.4], [0.4, 0.6]], None)?;
    /// assert!((m.host_value().unwrap() - 1.3).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    Hinge = losses::Hinge;

    /// `mean(max(1 − y_true · y_pred, 0)²)`, labels −1 and 1 (0 and 1 are converted); the string
    /// `"squared_hinge"`.
    ///
    /// ```
    /// use cornu::metrics::{Metric, SquaredHinge};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(SquaredHinge::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[0.6f32, 0.4], [0.4, 0.6]], None)?;
    /// assert!((m.host_value().unwrap() - 1.86).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    SquaredHinge = losses::SquaredHinge;

    /// `max(max((1 − y_true) · y_pred) − Σ y_true · y_pred + 1, 0)` over the last axis, labels one-hot;
    /// the string `"categorical_hinge"`.
    ///
    /// ```
    /// use cornu::metrics::{CategoricalHinge, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(CategoricalHinge::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[0.6f32, 0.4], [0.4, 0.6]], None)?;
    /// assert!((m.host_value().unwrap() - 1.4).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    CategoricalHinge = losses::CategoricalHinge;
}
