//! The coefficient of determination.

use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::{float, same_rank};
use cornu_core::{Error, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// R², how much of the variance of the labels the predictions explain:
/// `1 − Σ(y_true − y_pred)² / Σ(y_true − mean(y_true))²` for each output, then averaged. Labels and
/// predictions have the shape (samples, outputs).
///
/// ```
/// use cornu::metrics::{Metric, R2Score};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(R2Score::new());
/// m.update_state(&device, [[1.0f32], [4.0], [3.0]], [[2.0f32], [4.0], [4.0]], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 0.571_428).abs() < 1e-5);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct R2Score {
    class_aggregation: Option<String>,
    num_regressors: usize,
}

impl Default for R2Score {
    fn default() -> Self {
        Self {
            class_aggregation: Some("uniform_average".into()),
            num_regressors: 0,
        }
    }
}

impl R2Score {
    /// The mean over the outputs, not adjusted.
    pub fn new() -> Self {
        Self::default()
    }

    /// `"uniform_average"` (default), `"variance_weighted_average"`, or `None` for a score of each
    /// output.
    pub fn class_aggregation<'a>(mut self, aggregation: impl Into<Option<&'a str>>) -> Self {
        self.class_aggregation = aggregation.into().map(String::from);
        self
    }

    /// The number p of independent regressors, for the adjusted score
    /// `1 − (1 − R²)(n − 1)/(n − p − 1)`. Default 0. Where n − 1 ≤ p the score is not adjusted.
    pub fn num_regressors(mut self, n: usize) -> Self {
        self.num_regressors = n;
        self
    }
}
named!(R2Score);

impl MetricFn for R2Score {
    fn class_name(&self) -> &'static str {
        "R2Score"
    }

    fn state(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<Vec<State>> {
        if let Some(a) = self.class_aggregation.as_deref() {
            let known = ["uniform_average", "variance_weighted_average"];
            if !known.contains(&a) {
                return Err(Error::unknown("class_aggregation", a, &known));
            }
        }
        let column = y_pred.shape.last() == Some(&1) && y_true.shape.rank() == 1;
        let fits = y_true.shape == y_pred.shape || (column && y_true.shape[0] == y_pred.shape[0]);
        if y_pred.shape.rank() != 2 || !fits {
            return Err(Error::shape(
                "Expected: labels and predictions of one shape (samples, outputs).",
            ));
        }
        let outputs = &y_pred.shape[1..];
        Ok(vec![
            State::zeros("num_samples", ()),
            State::zeros("squared_sum", outputs),
            State::zeros("sum", outputs),
            State::zeros("residual", outputs),
            State::zeros("count", outputs),
        ])
    }

    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let (y_true, y_pred) = same_rank(&float(y_true), &float(y_pred));
        let weight = match sample_weight {
            Some(w) if w.rank() == 1 => float(w).expand_dims(-1),
            Some(w) => float(w),
            None => y_true.ones_like(),
        };
        let weight = weight.broadcast_to(y_true.shape());
        let weighted = &y_true * &weight;
        let sum = |values: Tensor| values.sum_axes(&[0], false);
        vec![
            &state[0] + y_true.size(),
            &state[1] + sum(&y_true * &weighted),
            &state[2] + sum(weighted),
            &state[3] + sum((&y_true - &y_pred).square() * &weight),
            &state[4] + sum(weight),
        ]
    }

    fn result(&self, state: &[Tensor]) -> Tensor {
        let (samples, squared_sum, sum) = (&state[0], &state[1], &state[2]);
        let (residual, count) = (&state[3], &state[4]);
        let total = squared_sum - sum * (sum / count);
        let scores = 1.0 - residual / &total;
        let scores = scores.is_inf().select(0.0, &scores);
        let score = match self.class_aggregation.as_deref() {
            Some("variance_weighted_average") => (&total * &scores).sum() / total.sum(),
            Some(_) => scores.mean(),
            None => scores,
        };
        if self.num_regressors == 0 {
            return score;
        }
        let p = self.num_regressors as f64;
        let spare = samples - p - 1.0;
        let adjusted = 1.0 - (1.0 - &score) * (samples - 1.0) / &spare;
        spare.gt(0.0).select(adjusted, score)
    }

    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}
