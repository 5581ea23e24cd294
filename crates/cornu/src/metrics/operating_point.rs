//! The best of one rate where another reaches a given value.

use super::confusion::{self, Part};
use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::divide_no_nan;
use super::thresholds::Grid;
use cornu_core::{Error, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The counts at each threshold, and the rates made of them.
struct Rates<'a> {
    tp: &'a Tensor,
    fp: &'a Tensor,
    tn: &'a Tensor,
    fn_: &'a Tensor,
}

impl Rates<'_> {
    /// True positives among positives.
    fn recall(&self) -> Tensor {
        divide_no_nan(self.tp, &(self.tp + self.fn_))
    }
    /// True negatives among negatives.
    fn specificity(&self) -> Tensor {
        divide_no_nan(self.tn, &(self.tn + self.fp))
    }
    /// True positives among predicted positives.
    fn precision(&self) -> Tensor {
        divide_no_nan(self.tp, &(self.tp + self.fp))
    }
}

fn default_thresholds() -> usize {
    200
}

macro_rules! operating_points {
    ($($(#[$doc:meta])* $ty:ident: $best:ident where $bound:ident is $rate:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub struct $ty {
            $bound: f64,
            #[serde(default = "default_thresholds")]
            num_thresholds: usize,
            #[serde(default)]
            class_id: Option<usize>,
        }

        impl $ty {
            /// Where the given rate (in [0, 1]) is reached, at 200 thresholds.
            pub fn new($bound: f64) -> Self {
                Self {
                    $bound,
                    num_thresholds: default_thresholds(),
                    class_id: None,
                }
            }

            /// How many thresholds divide [0, 1]; one alone is 0.5. Default 200.
            pub fn num_thresholds(mut self, n: usize) -> Self {
                self.num_thresholds = n;
                self
            }

            /// Only this entry of the last axis is counted.
            pub fn class_id(mut self, id: usize) -> Self {
                self.class_id = Some(id);
                self
            }
        }
        named!($ty);

        impl MetricFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn state(&self, _: &TensorType, _: &TensorType) -> Result<Vec<State>> {
                if !(0.0..=1.0).contains(&self.$bound) {
                    return Err(Error::new(format!(
                        "Expected: {} in [0, 1]. Received: {}.",
                        stringify!($bound),
                        self.$bound
                    )));
                }
                counts_at(self.num_thresholds)
            }
            fn update(
                &self,
                state: &[Tensor],
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Vec<Tensor> {
                let part = Part {
                    class_id: self.class_id,
                    ..Part::default()
                };
                add(self.num_thresholds, part, state, y_true, y_pred, sample_weight)
            }
            fn result(&self, state: &[Tensor]) -> Tensor {
                let [tp, fp, tn, fn_] = state else {
                    return Tensor::error(Error::state("The metric has four state variables."));
                };
                let rates = Rates { tp, fp, tn, fn_ };
                let reached = rates.$rate().ge(self.$bound);
                reached.select(rates.$best(), 0.0).max()
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
        }
    )*};
}

fn counts_at(num_thresholds: usize) -> Result<Vec<State>> {
    let n = Grid::over_unit(num_thresholds)?.len();
    Ok([
        "true_positives",
        "false_positives",
        "true_negatives",
        "false_negatives",
    ]
    .map(|name| State::zeros(name, n))
    .into())
}

fn add(
    num_thresholds: usize,
    part: Part<'_>,
    state: &[Tensor],
    y_true: &Tensor,
    y_pred: &Tensor,
    sample_weight: Option<&Tensor>,
) -> Vec<Tensor> {
    match Grid::over_unit(num_thresholds) {
        Ok(grid) => {
            let new = confusion::count(&grid, part, y_true, y_pred, sample_weight);
            vec![
                &state[0] + new.true_positives,
                &state[1] + new.false_positives,
                &state[2] + new.true_negatives,
                &state[3] + new.false_negatives,
            ]
        }
        Err(e) => vec![Tensor::error(e)],
    }
}

operating_points! {
    /// The best sensitivity (true positives among positives) at the thresholds where the specificity
    /// (true negatives among negatives) is at least the given value; 0 if none reaches it. Labels and
    /// predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, SensitivityAtSpecificity};
    /// use cornu_core::{Device, Reference};
    /// let device = Device::new(Reference);
    /// let mut m = Metric::from(SensitivityAtSpecificity::new(0.5));
    /// m.update_state(&device, [0.0f32, 0.0, 0.0, 1.0, 1.0], [0.0f32, 0.3, 0.8, 0.3, 0.8], None)?;
    /// assert_eq!(m.value(&device)?.item::<f32>()?, 0.5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    SensitivityAtSpecificity: recall where specificity is specificity;

    /// The best specificity (true negatives among negatives) at the thresholds where the sensitivity
    /// (true positives among positives) is at least the given value; 0 if none reaches it. Labels and
    /// predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, SpecificityAtSensitivity};
    /// use cornu_core::{Device, Reference};
    /// let device = Device::new(Reference);
    /// let mut m = Metric::from(SpecificityAtSensitivity::new(0.5));
    /// m.update_state(&device, [0.0f32, 0.0, 0.0, 1.0, 1.0], [0.0f32, 0.3, 0.8, 0.3, 0.8], None)?;
    /// assert!((m.value(&device)?.item::<f32>()? - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    SpecificityAtSensitivity: specificity where sensitivity is recall;

    /// The best precision (true positives among predicted positives) at the thresholds where the recall
    /// (true positives among positives) is at least the given value; 0 if none reaches it. Labels and
    /// predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, PrecisionAtRecall};
    /// use cornu_core::{Device, Reference};
    /// let device = Device::new(Reference);
    /// let mut m = Metric::from(PrecisionAtRecall::new(0.5));
    /// m.update_state(&device, [0.0f32, 0.0, 0.0, 1.0, 1.0], [0.0f32, 0.3, 0.8, 0.3, 0.8], None)?;
    /// assert_eq!(m.value(&device)?.item::<f32>()?, 0.5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    PrecisionAtRecall: precision where recall is recall;

    /// The best recall (true positives among positives) at the thresholds where the precision (true
    /// positives among predicted positives) is at least the given value; 0 if none reaches it. Labels
    /// and predictions have the same shape.
    ///
    /// ```
    /// use cornu::metrics::{Metric, RecallAtPrecision};
    /// use cornu_core::{Device, Reference};
    /// let device = Device::new(Reference);
    /// let mut m = Metric::from(RecallAtPrecision::new(0.8));
    /// m.update_state(&device, [0.0f32, 0.0, 1.0, 1.0], [0.0f32, 0.5, 0.3, 0.9], None)?;
    /// assert_eq!(m.value(&device)?.item::<f32>()?, 0.5);
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    RecallAtPrecision: recall where precision is precision;
}
