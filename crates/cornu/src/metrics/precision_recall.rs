//! Precision and recall.

use super::confusion::{self, NEVER, Part};
use super::counts::{only, per_threshold};
use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::{divide_no_nan, host_divide_no_nan};
use super::thresholds::{Grid, Thresholds};
use cornu_core::{Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! ratios {
    ($($(#[$doc:meta])* $ty:ident $other:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $ty {
            thresholds: Option<Thresholds>,
            top_k: Option<usize>,
            class_id: Option<usize>,
        }

        impl $ty {
            /// With the threshold 0.5 over all entries.
            pub fn new() -> Self {
                Self::default()
            }

            /// Predictions above a threshold (in [0, 1]) are positive. With several the result has a
            /// value for each. Default 0.5; with [`Self::top_k`] none.
            pub fn thresholds(mut self, thresholds: impl Into<Thresholds>) -> Self {
                self.thresholds = Some(thresholds.into());
                self
            }

            /// Only the `k` largest predictions of each sample can be positive.
            pub fn top_k(mut self, k: usize) -> Self {
                self.top_k = Some(k);
                self
            }

            /// Only this entry of the last axis is counted.
            pub fn class_id(mut self, id: usize) -> Self {
                self.class_id = Some(id);
                self
            }

            fn grid(&self) -> Result<Grid> {
                let default = if self.top_k.is_some() { NEVER } else { 0.5 };
                Grid::given(&self.thresholds, default)
            }
        }
        named!($ty);

        impl MetricFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn state(&self, _: &TensorType, _: &TensorType) -> Result<Vec<State>> {
                let n = self.grid()?.len();
                Ok(vec![
                    State::zeros("true_positives", n),
                    State::zeros(stringify!($other), n),
                ])
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
                        let part = Part {
                            top_k: self.top_k,
                            class_id: self.class_id,
                            ..Part::default()
                        };
                        let new = confusion::count(&grid, part, y_true, y_pred, sample_weight);
                        vec![&state[0] + new.true_positives, &state[1] + new.$other]
                    }
                    Err(e) => vec![Tensor::error(e)],
                }
            }
            fn result(&self, state: &[Tensor]) -> Tensor {
                per_threshold(divide_no_nan(&state[0], &(&state[0] + &state[1])))
            }
            fn host_result(&self, state: &[&[f32]]) -> Option<f32> {
                let (right, wrong) = (only(state.first()?)?, only(state.get(1)?)?);
                Some(host_divide_no_nan(right, right + wrong))
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
        }
    )*};
}

ratios! {
    /// Which part of the predicted positives are positive:
    /// `true positives / (true positives + false positives)`, 0 if nothing is predicted positive.
    /// Labels and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, Precision};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(Precision::new().thresholds(0.5).name("p"));
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 1.0, 1.0], [0.9f32, 0.0, 0.8, 0.7], None)?;
    /// assert!((m.host_value().unwrap() - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    Precision false_positives;

    /// Which part of the positives are predicted so:
    /// `true positives / (true positives + false negatives)`, 0 if there are no positives. Labels and
    /// predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, Recall};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(Recall::new());
    /// m.update_state(&Device::new(Reference), [0.0f32, 1.0, 1.0, 1.0], [0.9f32, 0.0, 0.8, 0.7], None)?;
    /// assert!((m.host_value().unwrap() - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    Recall false_negatives;
}
