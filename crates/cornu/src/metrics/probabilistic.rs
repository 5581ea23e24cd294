//! How likely the predictions make the labels.

use super::MeanFn;
use super::macros::{loss_means, named};
use super::registry::fields;
use super::shape::float;
use crate::losses::{self, LossFn};
use cornu_core::{Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

loss_means! {
    /// The Kullback-Leibler divergence `Σ y_true · ln(y_true / y_pred)` over the last axis, both limited
    /// to [10⁻⁷, 1]; the string `"kl_divergence"`.
    ///
    /// ```
    /// use cornu::metrics::{KLDivergence, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(KLDivergence::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[0.6f32, 0.4], [0.4, 0.6]], None)?;
    /// assert!((m.host_value().unwrap() - 0.458_14).abs() < 1e-4);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    KLDivergence = losses::KLDivergence;

    /// `mean(y_pred − y_true · ln(y_pred + 10⁻⁷))`; the string `"poisson"`.
    ///
    /// ```
    /// use cornu::metrics::{Metric, Poisson};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(Poisson::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[1.0f32, 1.0], [0.0, 0.0]], None)?;
    /// assert!((m.host_value().unwrap() - 0.5).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    Poisson = losses::Poisson;
}

/// A cross-entropy: its fields, and the loss of the same name that they make.
macro_rules! crossentropies {
    ($($(#[$doc:meta])* $ty:ident {
        $($(#[$field_doc:meta])* $field:ident: $field_ty:ty = $default:expr, $argument:ty;)*
    } |$this:ident| $loss:expr)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $ty {
            $($field: $field_ty,)*
        }

        impl Default for $ty {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $ty {
            /// Of probabilities, without smoothing.
            pub fn new() -> Self {
                Self::default()
            }

            $($(#[$field_doc])*
            pub fn $field(mut self, $field: $argument) -> Self {
                self.$field = $field.into();
                self
            })*
        }
        named!($ty);

        impl MeanFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
                let $this = self;
                $loss.validate(y_true, y_pred)
            }
            fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
                let $this = self;
                $loss.call(y_true, &float(y_pred))
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
        }
    )*};
}

crossentropies! {
    /// The cross-entropy of independent decisions: `−mean(t·ln p + (1 − t)·ln(1 − p))`; the strings
    /// `"binary_crossentropy"` and `"bce"`. Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{BinaryCrossentropy, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(BinaryCrossentropy::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0], [0.0, 0.0]],
    ///     [[0.6f32, 0.4], [0.4, 0.6]], None)?;
    /// assert!((m.host_value().unwrap() - 0.814_92).abs() < 1e-4);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    BinaryCrossentropy {
        /// Whether predictions are logits. Default false: probabilities.
        from_logits: bool = false, bool;
        /// How far labels are moved towards ½. Default 0.
        label_smoothing: f64 = 0.0, f64;
    } |this| losses::BinaryCrossentropy::new()
        .from_logits(this.from_logits)
        .label_smoothing(this.label_smoothing)

    /// The cross-entropy of one-hot labels: `−Σ t·ln p` over the classes; the string
    /// `"categorical_crossentropy"`. Labels and predictions have the shape (samples, …, classes).
    ///
    /// ```
    /// use cornu::metrics::{CategoricalCrossentropy, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(CategoricalCrossentropy::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0, 0.0], [0.0, 0.0, 1.0]],
    ///     [[0.05f32, 0.95, 0.0], [0.1, 0.8, 0.1]], None)?;
    /// assert!((m.host_value().unwrap() - 1.176_94).abs() < 1e-4);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    CategoricalCrossentropy {
        /// Whether predictions are logits. Default false: probabilities.
        from_logits: bool = false, bool;
        /// How far labels are moved towards equal shares. Default 0.
        label_smoothing: f64 = 0.0, f64;
        /// The axis of the classes. Default −1.
        axis: isize = -1, isize;
    } |this| losses::CategoricalCrossentropy::new()
        .from_logits(this.from_logits)
        .label_smoothing(this.label_smoothing)
        .axis(this.axis)

    /// The cross-entropy of integer labels: `−ln p` of the label's class; the string
    /// `"sparse_categorical_crossentropy"`. Labels have the shape (samples, …) or (samples, …, 1),
    /// predictions (samples, …, classes).
    ///
    /// ```
    /// use cornu::metrics::{Metric, SparseCategoricalCrossentropy};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(SparseCategoricalCrossentropy::new());
    /// m.update_state(&Device::new(Reference), [1i32, 2],
    ///     [[0.05f32, 0.95, 0.0], [0.1, 0.8, 0.1]], None)?;
    /// assert!((m.host_value().unwrap() - 1.176_94).abs() < 1e-4);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    SparseCategoricalCrossentropy {
        /// Whether predictions are logits. Default false: probabilities.
        from_logits: bool = false, bool;
        /// Labels of this class give 0. Default: none.
        ignore_class: Option<i64> = None, impl Into<Option<i64>>;
        /// The axis of the classes. Default −1.
        axis: isize = -1, isize;
    } |this| losses::SparseCategoricalCrossentropy::new()
        .from_logits(this.from_logits)
        .ignore_class(this.ignore_class)
        .axis(this.axis)
}
