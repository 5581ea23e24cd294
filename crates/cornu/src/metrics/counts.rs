//! Counts of true and false decisions.

use super::confusion::{self, Confusion, Part};
use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::thresholds::{Grid, Thresholds};
use cornu_core::{Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The first number, if it is the only one.
pub(super) fn only(values: &[f32]) -> Option<f32> {
    match values {
        [v] => Some(*v),
        _ => None,
    }
}

/// A scalar if there is one threshold, else a value for each.
pub(super) fn per_threshold(values: Tensor) -> Tensor {
    if values.size() == 1 {
        values.reshape(())
    } else {
        values
    }
}

macro_rules! counts {
    ($($(#[$doc:meta])* $ty:ident $field:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $ty {
            thresholds: Option<Thresholds>,
        }

        impl $ty {
            /// With the threshold 0.5.
            pub fn new() -> Self {
                Self::default()
            }

            /// Predictions above a threshold (in [0, 1]) are positive. With several the result has a
            /// count for each. Default 0.5.
            pub fn thresholds(mut self, thresholds: impl Into<Thresholds>) -> Self {
                self.thresholds = Some(thresholds.into());
                self
            }

            fn grid(&self) -> Result<Grid> {
                Grid::given(&self.thresholds, 0.5)
            }
        }
        named!($ty);

        impl MetricFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn state(&self, _: &TensorType, _: &TensorType) -> Result<Vec<State>> {
                Ok(vec![State::zeros("accumulator", self.grid()?.len())])
            }
            fn update(
                &self,
                state: &[Tensor],
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Vec<Tensor> {
                match self.grid() {
                    Ok(grid) => {
                        let part = Part::default();
                        let Confusion { $field: new, .. } =
                            confusion::count(&grid, part, y_true, y_pred, sample_weight);
                        vec![&state[0] + new]
                    }
                    Err(e) => vec![Tensor::error(e)],
                }
            }
            fn result(&self, state: &[Tensor]) -> Tensor {
                per_threshold(state[0].clone())
            }
            fn host_result(&self, state: &[&[f32]]) -> Option<f32> {
                only(state.first()?)
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
        }
    )*};
}

counts! {
    /// How many positives are predicted so: the sum of the weights where `y_true` and
    /// `y_pred > threshold`. Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, TruePositives};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(TruePositives::new());
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 1.0, 1.0], [1.0f32, 0.0, 1.0, 1.0], None)?;
    /// assert_eq!(m.host_value(), Some(2.0));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    TruePositives true_positives;

    /// How many negatives are predicted so: the sum of the weights where `!y_true` and
    /// `y_pred <= threshold`. Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, TrueNegatives};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(TrueNegatives::new());
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 0.0, 0.0], [1.0f32, 1.0, 0.0, 0.0], None)?;
    /// assert_eq!(m.host_value(), Some(2.0));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    TrueNegatives true_negatives;

    /// How many negatives are predicted positive: the sum of the weights where `!y_true` and
    /// `y_pred > threshold`. Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{FalsePositives, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(FalsePositives::new().thresholds([0.2, 0.7]));
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 0.0], [0.4f32, 0.9, 0.8], None)?;
    /// assert_eq!(m.value(&Device::new(Reference))?.to_vec::<f32>(), [2.0, 1.0]);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    FalsePositives false_positives;

    /// How many positives are predicted negative: the sum of the weights where `y_true` and
    /// `y_pred <= threshold`. Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{FalseNegatives, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(FalseNegatives::new());
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 1.0, 1.0], [0.0f32, 1.0, 0.0, 0.0], None)?;
    /// assert_eq!(m.host_value(), Some(2.0));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    FalseNegatives false_negatives;
}
