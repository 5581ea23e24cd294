//! Correlations of labels and predictions.

use super::MeanFn;
use super::macros::named;
use super::registry::fields;
use super::shape::{float, same_rank};
use cornu_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! correlations {
    ($($(#[$doc:meta])* $ty:ident = $values:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $ty {
            axis: isize,
        }

        impl Default for $ty {
            fn default() -> Self {
                Self { axis: -1 }
            }
        }

        impl $ty {
            /// Along the last axis.
            pub fn new() -> Self {
                Self::default()
            }

            /// The axis along which values are correlated. Default −1.
            pub fn axis(mut self, axis: isize) -> Self {
                self.axis = axis;
                self
            }
        }
        named!($ty);

        impl MeanFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
                let (y_true, y_pred) = same_rank(&float(y_true), &float(y_pred));
                $values(y_true, y_pred, &[self.axis])
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
        }
    )*};
}

/// What keeps the denominator of the concordance from being 0.
const EPSILON: f64 = 1e-7;

correlations! {
    /// Pearson's correlation of labels and predictions along an axis, averaged over the samples:
    /// `mean((t − mean t)/std t · (p − mean p)/std p)`. Labels and predictions have the shape
    /// (samples, …, values).
    ///
    /// ```
    /// use cornu::metrics::{Metric, PearsonCorrelation};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(PearsonCorrelation::new().axis(-1));
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0, 0.5], [1.0, 1.0, 0.2]],
    ///     [[0.1f32, 0.9, 0.5], [1.0, 0.9, 0.2]], None)?;
    /// assert!((m.host_value().unwrap() - 0.996_699_6).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    PearsonCorrelation = |t: Tensor, p: Tensor, axis: &[isize]| {
        let standard = |x: Tensor| {
            let centred = &x - x.mean_axes(axis, true);
            let std = centred.variance_axes(axis, true).sqrt();
            centred / std
        };
        (standard(t) * standard(p)).mean_axes(axis, false)
    };

    /// Lin's concordance correlation of labels and predictions along an axis, averaged over the samples:
    /// `2·cov(t, p) / (var t + var p + (mean t − mean p)²)`, which is 1 only where they are equal.
    /// Labels and predictions have the shape (samples, …, values).
    ///
    /// ```
    /// use cornu::metrics::{ConcordanceCorrelation, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(ConcordanceCorrelation::new().axis(-1));
    /// m.update_state(&Device::new(Reference), [[0.0f32, 1.0, 0.5], [1.0, 1.0, 0.2]],
    ///     [[0.1f32, 0.9, 0.5], [1.0, 0.9, 0.2]], None)?;
    /// assert!((m.host_value().unwrap() - 0.981_632_0).abs() < 1e-5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    ConcordanceCorrelation = |t: Tensor, p: Tensor, axis: &[isize]| {
        let (mean_t, mean_p) = (t.mean_axes(axis, true), p.mean_axes(axis, true));
        let off = &p - &mean_p;
        // Σ (t − a)(p − mean p) is the same for every a: the mean of the predictions serves.
        let covariance = (&t - &mean_p) * &off;
        let norm = t.variance_axes(axis, true)
            + p.variance_axes(axis, true)
            + (mean_t - mean_p).square();
        (covariance * 2.0 / (norm + EPSILON)).mean_axes(axis, false)
    };
}
