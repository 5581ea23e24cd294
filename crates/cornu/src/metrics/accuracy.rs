//! How often predictions equal labels.

use super::MeanFn;
use super::macros::{named, plain_means};
use super::registry::fields;
use super::shape::same_rank;
use cornu_core::{DType, Error, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

plain_means! {
    /// How often predictions equal labels exactly: the mean of `y_true == y_pred`.
    ///
    /// The string `"accuracy"` in `compile` is not this metric but one of [`BinaryAccuracy`],
    /// [`CategoricalAccuracy`] and [`SparseCategoricalAccuracy`], by the shapes; see
    /// [`Metric::resolve`](super::Metric::resolve).
    ///
    /// ```
    /// use cornu::metrics::{Accuracy, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(Accuracy::new());
    /// m.update_state(&Device::new(Reference), [[1.0f32], [2.0], [3.0], [4.0]],
    ///     [[0.0f32], [2.0], [3.0], [4.0]], None)?;
    /// assert_eq!(m.host_value(), Some(0.75));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    Accuracy = |y_true, y_pred| {
        let (y_true, y_pred) = same_rank(y_true, y_pred);
        y_true.eq(y_pred)
    };

    /// How often the largest prediction is at the class of one-hot labels: the mean of
    /// `argmax(y_true) == argmax(y_pred)` over the last axis. Labels and predictions have the shape
    /// (samples, …, classes); of equal predictions the first counts.
    ///
    /// ```
    /// use cornu::metrics::{CategoricalAccuracy, Metric};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(CategoricalAccuracy::new());
    /// m.update_state(&Device::new(Reference), [[0.0f32, 0.0, 1.0], [0.0, 1.0, 0.0]],
    ///     [[0.1f32, 0.9, 0.8], [0.05, 0.95, 0.0]], None)?;
    /// assert_eq!(m.host_value(), Some(0.5));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    CategoricalAccuracy = |y_true: &Tensor, y_pred: &Tensor| {
        match one_hot_class(y_true, y_pred) {
            Ok(class) => class.eq(y_pred.argmax(-1)),
            Err(e) => Tensor::error(e),
        }
    };

    /// How often the largest prediction is at the class that an integer label names: the mean of
    /// `y_true == argmax(y_pred)`. Labels have the shape (samples, …) or (samples, …, 1), predictions
    /// (samples, …, classes); labels may be integers or whole floats.
    ///
    /// ```
    /// use cornu::metrics::{Metric, SparseCategoricalAccuracy};
    /// use cornu_core::{Device, Reference};
    /// let mut m = Metric::from(SparseCategoricalAccuracy::new());
    /// m.update_state(&Device::new(Reference), [2i32, 1],
    ///     [[0.1f32, 0.6, 0.3], [0.05, 0.95, 0.0]], None)?;
    /// assert_eq!(m.host_value(), Some(0.5));
    /// # Ok::<(), cornu_core::Error>(())
    /// ```
    SparseCategoricalAccuracy = |y_true: &Tensor, y_pred: &Tensor| {
        match class_ids(y_true, y_pred) {
            Ok(class) => class.eq(y_pred.argmax(-1)),
            Err(e) => Tensor::error(e),
        }
    };
}

/// The classes of one-hot labels that have the shape of the predictions.
fn one_hot_class(y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor, Error> {
    if y_true.shape() != y_pred.shape() || y_true.rank() == 0 {
        let hint = match y_pred.shape().split_last() {
            Some((_, outer)) if class_shape(y_true) == *outer => {
                " Integer labels need the sparse categorical metric."
            }
            _ => "",
        };
        return Err(Error::shape(format!(
            "Expected: one-hot labels of the shape of the predictions {}. Received: {}.{hint}",
            y_pred.shape(),
            y_true.shape()
        )));
    }
    Ok(y_true.argmax(-1))
}

/// The shape of integer labels without a last extent of 1.
fn class_shape(y_true: &Tensor) -> Vec<usize> {
    match y_true.shape().split_last() {
        Some((1, outer)) if !outer.is_empty() => outer.to_vec(),
        _ => y_true.shape().to_vec(),
    }
}

/// Integer labels, one for each row of classes of the predictions.
fn class_ids(y_true: &Tensor, y_pred: &Tensor) -> Result<Tensor, Error> {
    let Some((_, outer)) = y_pred.shape().split_last() else {
        return Err(Error::shape(
            "Expected: predictions with an axis of classes.",
        ));
    };
    let squeezed = if y_true.rank() == y_pred.rank() {
        y_true.shape().split_last().filter(|(last, _)| **last == 1)
    } else {
        None
    };
    match squeezed {
        _ if y_true.shape().dims() == outer => Ok(y_true.clone()),
        Some((_, shape)) if shape == outer => Ok(y_true.reshape(shape)),
        _ => {
            let hint = if y_true.shape() == y_pred.shape() {
                " One-hot labels need the categorical metric."
            } else {
                ""
            };
            Err(Error::shape(format!(
                "Expected: one integer label per row of classes, shape {}. Received: {}.{hint}",
                cornu_core::Shape::from(outer),
                y_true.shape()
            )))
        }
    }
}

/// How often predictions of two classes are right: the mean of `y_true == (y_pred > threshold)`,
/// element by element. The comparison is strict.
///
/// ```
/// use cornu::metrics::{BinaryAccuracy, Metric};
/// use cornu_core::{Device, Reference};
/// let mut m = Metric::from(BinaryAccuracy::new());
/// m.update_state(&Device::new(Reference), [[1.0f32], [1.0], [0.0], [0.0]],
///     [[0.98f32], [1.0], [0.0], [0.6]], None)?;
/// assert_eq!(m.host_value(), Some(0.75));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct BinaryAccuracy {
    threshold: f64,
}

impl Default for BinaryAccuracy {
    fn default() -> Self {
        Self { threshold: 0.5 }
    }
}

impl BinaryAccuracy {
    /// With the threshold 0.5.
    pub fn new() -> Self {
        Self::default()
    }

    /// Predictions above this value are the class 1. Default 0.5.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}
named!(BinaryAccuracy);

impl MeanFn for BinaryAccuracy {
    fn class_name(&self) -> &'static str {
        "BinaryAccuracy"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (y_true, y_pred) = same_rank(y_true, y_pred);
        y_true.eq(y_pred.gt(self.threshold).cast(y_true.dtype()))
    }
    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}

/// Whether fewer than `k` predictions are larger than that of the class: ties count as within.
fn in_top_k(class: &Tensor, y_pred: &Tensor, k: usize) -> Tensor {
    let at_class = y_pred.take_along(class.cast(DType::I32).expand_dims(-1), -1);
    let at_class = at_class.is_nan().select(f64::NEG_INFINITY, &at_class);
    let larger = y_pred.gt(&at_class).cast(DType::F32).sum_axes(&[-1], false);
    larger.lt(k as f64)
}

/// How often the class of one-hot labels is among the `k` largest predictions. Labels and predictions have
/// the shape (samples, …, classes).
///
/// ```
/// use cornu::metrics::{Metric, TopKCategoricalAccuracy};
/// use cornu_core::{Device, Reference};
/// let mut m = Metric::from(TopKCategoricalAccuracy::new().k(2));
/// m.update_state(&Device::new(Reference), [[0.0f32, 0.0, 1.0], [0.0, 1.0, 0.0]],
///     [[0.5f32, 0.9, 0.1], [0.05, 0.95, 0.0]], None)?;
/// assert_eq!(m.host_value(), Some(0.5));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct TopKCategoricalAccuracy {
    k: usize,
}

impl Default for TopKCategoricalAccuracy {
    fn default() -> Self {
        Self { k: 5 }
    }
}

impl TopKCategoricalAccuracy {
    /// With `k` 5.
    pub fn new() -> Self {
        Self::default()
    }

    /// Among how many of the largest predictions the class may be. Default 5.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }
}
named!(TopKCategoricalAccuracy);

impl MeanFn for TopKCategoricalAccuracy {
    fn class_name(&self) -> &'static str {
        "TopKCategoricalAccuracy"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        match one_hot_class(y_true, y_pred) {
            Ok(class) => in_top_k(&class, y_pred, self.k),
            Err(e) => Tensor::error(e),
        }
    }
    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}

/// How often the class that an integer label names is among the `k` largest predictions. Labels have the
/// shape (samples, …) or (samples, …, 1), predictions (samples, …, classes).
///
/// ```
/// use cornu::metrics::{Metric, SparseTopKCategoricalAccuracy};
/// use cornu_core::{Device, Reference};
/// let mut m = Metric::from(SparseTopKCategoricalAccuracy::new().k(2));
/// m.update_state(&Device::new(Reference), [2i32, 1],
///     [[0.5f32, 0.9, 0.1], [0.05, 0.95, 0.0]], None)?;
/// assert_eq!(m.host_value(), Some(0.5));
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct SparseTopKCategoricalAccuracy {
    k: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    from_sorted_ids: bool,
}

impl Default for SparseTopKCategoricalAccuracy {
    fn default() -> Self {
        Self {
            k: 5,
            from_sorted_ids: false,
        }
    }
}

impl SparseTopKCategoricalAccuracy {
    /// With `k` 5, of predictions for all classes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Among how many of the largest predictions the class may be. Default 5.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// Whether the predictions are the numbers of the likeliest classes, the likeliest first, and not
    /// figures for all classes. Default `false`.
    pub fn from_sorted_ids(mut self, sorted: bool) -> Self {
        self.from_sorted_ids = sorted;
        self
    }
}
named!(SparseTopKCategoricalAccuracy);

impl MeanFn for SparseTopKCategoricalAccuracy {
    fn class_name(&self) -> &'static str {
        "SparseTopKCategoricalAccuracy"
    }
    fn values(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let class = match class_ids(y_true, y_pred) {
            Ok(class) => class,
            Err(e) => return Tensor::error(e),
        };
        if !self.from_sorted_ids {
            return in_top_k(&class, y_pred, self.k);
        }
        let given = y_pred.shape().last().copied().unwrap_or(0);
        let likeliest = y_pred.narrow(-1, 0, self.k.min(given));
        let met = likeliest.eq(class.cast(y_pred.dtype()).expand_dims(-1));
        met.cast(DType::F32).sum_axes(&[-1], false).gt(0.0)
    }
    fn config(&self) -> Map<String, Value> {
        fields(self)
    }
}
