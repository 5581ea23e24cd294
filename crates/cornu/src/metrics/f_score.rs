//! The weighted harmonic mean of precision and recall.

use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::float;
use cornu_core::{Error, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What keeps a denominator from being 0.
const EPSILON: f64 = 1e-7;

/// The F-beta score: `(1 + β²) · precision · recall / (β² · precision + recall)`, for each class or
/// averaged. Labels (one-hot or 0/1) and predictions have the shape (samples, classes).
///
/// A class is predicted where its prediction is the largest of the sample, or above the threshold if
/// there is one.
///
/// ```
/// use cornu::metrics::{FBetaScore, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(FBetaScore::new().beta(2.0).threshold(0.5));
/// let labels = [[1.0f32, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0]];
/// let predictions = [[0.2f32, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]];
/// m.update_state(&device, labels, predictions, None)?;
/// let scores = m.value(&device)?.to_vec::<f32>();
/// assert!((scores[0] - 0.384_615).abs() < 1e-5 && (scores[1] - 0.909_091).abs() < 1e-5);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct FBetaScore {
    average: Option<String>,
    beta: f64,
    threshold: Option<f64>,
}

impl Default for FBetaScore {
    fn default() -> Self {
        Self {
            average: None,
            beta: 1.0,
            threshold: None,
        }
    }
}

/// The F1 score, the harmonic mean of precision and recall: [`FBetaScore`] with β = 1.
///
/// ```
/// use cornu::metrics::{F1Score, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(F1Score::new().average("macro"));
/// m.update_state(&device, [[1.0f32, 0.0], [0.0, 1.0]], [[0.9f32, 0.1], [0.2, 0.8]], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0).abs() < 1e-5);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct F1Score {
    average: Option<String>,
    threshold: Option<f64>,
}

macro_rules! builders {
    ($($ty:ident)*) => {$(
        impl $ty {
            /// A score for each class.
            pub fn new() -> Self {
                Self::default()
            }

            /// How classes are averaged: `"micro"` counts all decisions together, `"macro"` is the mean
            /// of the classes' scores, `"weighted"` their mean weighted by the number of positives.
            /// Default: no average, a score for each class.
            pub fn average(mut self, average: impl Into<String>) -> Self {
                self.average = Some(average.into());
                self
            }

            /// A class is predicted where its prediction is above this (0 < threshold ≤ 1). Default: none,
            /// the largest prediction is the class.
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.threshold = Some(threshold);
                self
            }
        }
        named!($ty);
    )*};
}
builders!(FBetaScore F1Score);

impl FBetaScore {
    /// How much more recall weighs than precision, above 0. Default 1.
    pub fn beta(mut self, beta: f64) -> Self {
        self.beta = beta;
        self
    }

    fn average_of(&self) -> Option<&str> {
        self.average.as_deref()
    }

    /// The sum over the samples (and the classes, for `micro`).
    fn total(&self, values: &Tensor, sample_weight: Option<&Tensor>) -> Tensor {
        let values = match sample_weight {
            Some(w) if w.rank() == values.rank() => values * float(w),
            Some(w) => values * float(w).expand_dims(-1),
            None => values.clone(),
        };
        if self.average_of() == Some("micro") {
            values.sum()
        } else {
            values.sum_axes(&[0], false)
        }
    }
}

impl MetricFn for FBetaScore {
    fn class_name(&self) -> &'static str {
        "FBetaScore"
    }

    fn default_name(&self) -> String {
        "fbeta_score".into()
    }

    fn state(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<Vec<State>> {
        if let Some(average) = self.average_of() {
            let known = ["micro", "macro", "weighted"];
            if !known.contains(&average) {
                return Err(Error::unknown("average", average, &known));
            }
        }
        if self.beta.is_nan() || self.beta <= 0.0 {
            return Err(Error::new(format!(
                "Expected: beta > 0. Received: {}.",
                self.beta
            )));
        }
        if let Some(t) = self.threshold.filter(|t| !(*t > 0.0 && *t <= 1.0)) {
            return Err(Error::new(format!(
                "Expected: 0 < threshold <= 1. Received: {t}."
            )));
        }
        if y_pred.shape.rank() != 2 || y_true.shape != y_pred.shape {
            return Err(Error::shape(
                "Expected: labels and predictions of one shape (samples, classes).",
            ));
        }
        let shape: &[usize] = match self.average_of() {
            Some("micro") => &[],
            _ => &y_pred.shape[1..],
        };
        Ok([
            "true_positives",
            "false_positives",
            "false_negatives",
            "intermediate_weights",
        ]
        .map(|name| State::zeros(name, shape))
        .into())
    }

    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let (y_true, y_pred) = (float(y_true), float(y_pred));
        let chosen = match self.threshold {
            Some(t) => y_pred.gt(t),
            None => y_pred
                .ge(y_pred.max_axes(&[-1], true))
                .logical_and(y_pred.abs().gt(1e-9)),
        };
        let chosen = float(&chosen);
        let sum = |values: Tensor| self.total(&values, sample_weight);
        vec![
            &state[0] + sum(&chosen * &y_true),
            &state[1] + sum(&chosen * (1.0 - &y_true)),
            &state[2] + sum((1.0 - &chosen) * &y_true),
            &state[3] + sum(y_true),
        ]
    }

    fn result(&self, state: &[Tensor]) -> Tensor {
        let (tp, fp, fn_, weights) = (&state[0], &state[1], &state[2], &state[3]);
        let precision = tp / (tp + fp + EPSILON);
        let recall = tp / (tp + fn_ + EPSILON);
        let square = self.beta * self.beta;
        let mean = &precision * &recall / (&precision * square + &recall + EPSILON);
        let scores = mean * (1.0 + square);
        match self.average_of() {
            Some("weighted") => (scores * (weights / (weights.sum() + EPSILON))).sum(),
            Some(_) => scores.mean(),
            None => scores,
        }
    }

    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}

impl F1Score {
    fn general(&self) -> FBetaScore {
        FBetaScore {
            average: self.average.clone(),
            beta: 1.0,
            threshold: self.threshold,
        }
    }
}

impl MetricFn for F1Score {
    fn class_name(&self) -> &'static str {
        "F1Score"
    }
    fn state(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<Vec<State>> {
        self.general().state(y_true, y_pred)
    }
    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        self.general().update(state, y_true, y_pred, sample_weight)
    }
    fn result(&self, state: &[Tensor]) -> Tensor {
        self.general().result(state)
    }
    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}
