//! Means and sums of values per sample: the base of most metrics.

use super::metric::{MetricFn, State};
use super::shape::{axes, divide_no_nan, float, host_divide_no_nan, same_rank};
use cornu_core::{DType, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A metric that is the mean of values per sample; every such type is a [`MetricFn`] with the state
/// `total` and `count`.
///
/// ```
/// use cornu::metrics::{MeanFn, Metric};
/// use cornu_core::Tensor;
///
/// #[derive(Debug)]
/// struct WithinTenth;
/// impl MeanFn for WithinTenth {
///     fn class_name(&self) -> &'static str {
///         "WithinTenth"
///     }
///     fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
///         (y_true - y_pred).abs().lt(0.1)
///     }
/// }
/// assert_eq!(Metric::from(WithinTenth).name(), "within_tenth");
/// ```
pub trait MeanFn: fmt::Debug + Send + Sync {
    /// Keras' class name.
    fn class_name(&self) -> &'static str;

    /// The name when the user gives none.
    fn default_name(&self) -> String {
        super::registry::snake_case(self.class_name())
    }

    /// What is wrong with labels and predictions of these types, if it shall be said better than by the
    /// error that [`MeanFn::values`] carries.
    ///
    /// # Errors
    /// What is wrong.
    fn validate(&self, _y_true: &TensorType, _y_pred: &TensorType) -> Result<()> {
        Ok(())
    }

    /// The values whose mean is taken: any shape that begins with the samples; numbers or booleans.
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor;

    /// The mean as it is reported; the root for a root mean square.
    fn finish(&self, mean: Tensor) -> Tensor {
        mean
    }

    /// [`MeanFn::finish`] of a number.
    fn host_finish(&self, mean: f32) -> f32 {
        mean
    }

    /// The configuration as in Keras' `get_config`, without `name` and `dtype`.
    fn config(&self) -> Map<String, Value> {
        Map::new()
    }
}

impl<F: MeanFn> MetricFn for F {
    fn class_name(&self) -> &'static str {
        MeanFn::class_name(self)
    }
    fn default_name(&self) -> String {
        MeanFn::default_name(self)
    }
    fn state(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<Vec<State>> {
        self.validate(y_true, y_pred)?;
        Ok(empty())
    }
    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        add(state, &self.values(y_true, y_pred), sample_weight)
    }
    fn result(&self, state: &[Tensor]) -> Tensor {
        self.finish(divide_no_nan(&state[0], &state[1]))
    }
    fn host_result(&self, state: &[&[f32]]) -> Option<f32> {
        host_mean(state).map(|mean| self.host_finish(mean))
    }
    fn config(&self) -> Map<String, Value> {
        MeanFn::config(self)
    }
}

/// The state of a mean of nothing.
fn empty() -> Vec<State> {
    vec![State::zeros("total", ()), State::zeros("count", ())]
}

/// The state with a batch's values.
fn add(state: &[Tensor], values: &Tensor, sample_weight: Option<&Tensor>) -> Vec<Tensor> {
    let (total, count) = total_and_count(values, sample_weight);
    vec![&state[0] + total, &state[1] + count]
}

/// The mean that a state on the host stands for.
fn host_mean(state: &[&[f32]]) -> Option<f32> {
    let (total, count) = (state.first()?.first()?, state.get(1)?.first()?);
    Some(host_divide_no_nan(*total, *count))
}

/// What a batch adds to the sum and to the count of a mean. Without weights every sample counts 1 and
/// its values are averaged; weights multiply the values (averaged over the axes that the weights do
/// not have), and their sum, averaged over further axes, is the count. Keras'
/// `reduce_to_samplewise_values` and `Mean.update_state`.
fn total_and_count(values: &Tensor, sample_weight: Option<&Tensor>) -> (Tensor, Tensor) {
    let values = float(values);
    let samples = values.shape().first().copied().unwrap_or(1);
    let Some(weight) = sample_weight else {
        // The mean over all but the first axis, summed over the first: one reduction.
        let per_sample = (values.size() / samples.max(1)).max(1);
        let sum = values.sum();
        let total = if per_sample == 1 {
            sum
        } else {
            sum * (1.0 / per_sample as f64)
        };
        return (total, Tensor::full((), samples as f64, DType::F32));
    };
    let (values, weight) = weigh(&values, weight, Tensor::mean_axes);
    let rank = weight.rank();
    let total = values.mean_axes(&axes(1, values.rank()), false).sum();
    (total, weight.mean_axes(&axes(1, rank), false).sum())
}

/// The weighted values, and the weights stretched to them.
fn weigh(
    values: &Tensor,
    weight: &Tensor,
    reduce: fn(&Tensor, &[isize], bool) -> Tensor,
) -> (Tensor, Tensor) {
    let (values, weight) = same_rank(values, &float(weight));
    let values = if values.rank() > weight.rank() {
        reduce(&values, &axes(weight.rank(), values.rank()), false)
    } else {
        values
    };
    let weight = weight.broadcast_to(values.shape());
    (values * &weight, weight)
}

/// The (weighted) mean of the values it is given. As a metric of a model it is the mean of the
/// predictions, whatever the labels are.
///
/// `Σ values·weight / Σ weight`; without weights each sample counts 1.
///
/// ```
/// use cornu::metrics::{Mean, Metric};
/// use cornu_core::{Array, Device, Reference};
/// let device = Device::new(Reference);
/// let mut mean = Metric::from(Mean::new());
/// let values = [1.0f32, 3.0, 5.0, 7.0];
/// mean.update_state(&device, values, values, Some(Array::from([1.0f32, 1.0, 0.0, 0.0])))?;
/// assert_eq!(mean.host_value(), Some(2.0));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Mean {}

impl MeanFn for Mean {
    fn class_name(&self) -> &'static str {
        "Mean"
    }
    fn values(&self, _: &Tensor, y_pred: &Tensor) -> Tensor {
        y_pred.clone()
    }
}

/// The (weighted) sum of the values it is given; as a metric of a model, of the predictions.
///
/// ```
/// use cornu::metrics::{Metric, Sum};
/// use cornu_core::{Device, Reference};
/// let mut sum = Metric::from(Sum::new());
/// let values = [1.0f32, 3.0, 5.0, 7.0];
/// sum.update_state(&Device::new(Reference), values, values, None)?;
/// assert_eq!(sum.host_value(), Some(16.0));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Sum {}

impl MetricFn for Sum {
    fn class_name(&self) -> &'static str {
        "Sum"
    }
    fn state(&self, _: &TensorType, _: &TensorType) -> Result<Vec<State>> {
        Ok(vec![State::zeros("total", ())])
    }
    fn update(
        &self,
        state: &[Tensor],
        _: &Tensor,
        values: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let values = float(values);
        let values = match sample_weight {
            Some(weight) => weigh(&values, weight, Tensor::sum_axes).0,
            None => values,
        };
        vec![&state[0] + values.sum()]
    }
    fn result(&self, state: &[Tensor]) -> Tensor {
        state[0].clone()
    }
    fn host_result(&self, state: &[&[f32]]) -> Option<f32> {
        state.first()?.first().copied()
    }
}

/// The mean of the values per sample that a function of (`y_true`, `y_pred`) gives; see
/// [`Metric::custom`](super::Metric::custom).
pub struct MeanMetricWrapper {
    values: Box<Values>,
}

type Values = dyn Fn(&Tensor, &Tensor) -> Tensor + Send + Sync;

impl MeanMetricWrapper {
    /// From a function that gives values per sample: any shape that begins with the samples.
    pub fn new(values: impl Fn(&Tensor, &Tensor) -> Tensor + Send + Sync + 'static) -> Self {
        Self {
            values: Box::new(values),
        }
    }
}

impl fmt::Debug for MeanMetricWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MeanMetricWrapper")
    }
}

impl MeanFn for MeanMetricWrapper {
    fn class_name(&self) -> &'static str {
        "MeanMetricWrapper"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        (self.values)(y_true, y_pred)
    }
}

/// `new` and `name` of metrics without arguments.
macro_rules! no_arguments {
    ($($ty:ident)*) => {$(
        impl $ty {
            /// The metric; it has no arguments.
            pub fn new() -> Self {
                Self::default()
            }
        }
        super::macros::named!($ty);
    )*};
}
no_arguments!(Mean Sum);
