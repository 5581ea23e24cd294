//! Intersection over union, from a confusion matrix.

use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::float;
use cornu_core::{Array, DType, Error, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What all metrics of this file are: a confusion matrix of `classes`, of which the classes `targets`
/// are averaged.
struct Overlap<'a> {
    classes: usize,
    targets: Option<&'a [usize]>,
    ignore_class: Option<i64>,
    /// The axis of one-hot labels; `None` if labels are classes.
    one_hot_true: Option<isize>,
    /// The axis of scores; `None` if predictions are classes.
    scores: Option<isize>,
    /// Predictions from here on are class 1.
    threshold: Option<f64>,
}

const EPSILON: f64 = 1e-7;

impl Overlap<'_> {
    fn state(&self) -> Result<Vec<State>> {
        if let Some(id) = self
            .targets
            .and_then(|t| t.iter().find(|id| **id >= self.classes))
        {
            return Err(Error::new(format!(
                "Expected: target_class_ids below the number of classes {}. Received: {id}.",
                self.classes
            )));
        }
        Ok(vec![State {
            name: "total_confusion_matrix",
            initial: Array::zeros(DType::I32, [self.classes, self.classes]),
        }])
    }

    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let class = |t: &Tensor, axis: Option<isize>| match axis {
            Some(axis) => t.argmax(axis),
            None => t.cast(DType::I32),
        };
        let y_true = class(y_true, self.one_hot_true);
        let y_pred = match self.threshold {
            Some(t) => float(y_pred).ge(t).cast(DType::I32),
            None => class(y_pred, self.scores),
        };
        if y_true.size() != y_pred.size() {
            return vec![Tensor::error(Error::shape(format!(
                "Expected: as many labels as predictions. Received: classes of shape {} and {}.",
                y_true.shape(),
                y_pred.shape()
            )))];
        }
        let n = y_true.size();
        let weight = match sample_weight {
            Some(w) => {
                let mut shape = w.shape().to_vec();
                shape.resize(shape.len().max(y_true.rank()), 1);
                // The matrix counts: fractions of weights are cut off, as in Keras.
                w.cast(DType::I32)
                    .reshape(shape)
                    .broadcast_to(y_true.shape())
            }
            None => Tensor::ones(y_true.shape(), DType::I32),
        };
        let (y_true, y_pred) = (y_true.reshape([n]), y_pred.reshape([n]));
        let inside = |t: &Tensor| t.ge(0).logical_and(t.lt(self.classes));
        let mut counted = inside(&y_true).logical_and(inside(&y_pred));
        if let Some(ignored) = self.ignore_class {
            counted = counted.logical_and(y_true.ne(ignored));
        }
        let cells = self.classes * self.classes;
        // The cell after the last is none: what is not counted adds nothing there.
        let cell = counted.select(y_true * self.classes + y_pred, cells);
        let new = weight
            .reshape([n])
            .segment_sum(cell.cast(DType::I32), cells);
        vec![&state[0] + new.reshape([self.classes, self.classes])]
    }

    fn result(&self, state: &[Tensor]) -> Tensor {
        let matrix = &state[0];
        let right = (matrix * Tensor::eye(self.classes, DType::I32)).sum_axes(&[0], false);
        let either = matrix.sum_axes(&[0], false) + matrix.sum_axes(&[1], false) - &right;
        let (right, either) = (float(&right), float(&either));
        let (right, either) = match self.targets {
            Some(ids) => {
                let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
                let ids = Tensor::constant(Array::from(ids));
                (right.take(&ids, 0), either.take(&ids, 0))
            }
            None => (right, either),
        };
        let seen = either.gt(1e-9);
        let overlap = seen.select(right / (either + EPSILON), 0.0);
        overlap.sum() / (float(&seen).sum() + EPSILON)
    }
}

fn yes() -> bool {
    true
}

fn last() -> isize {
    -1
}

/// The [`MetricFn`] of a metric that is an [`Overlap`].
macro_rules! overlap {
    ($ty:ident, $self:ident => $overlap:expr) => {
        named!($ty);

        impl $ty {
            fn overlap(&$self) -> Overlap<'_> {
                $overlap
            }
        }

        impl MetricFn for $ty {
            fn class_name(&self) -> &'static str {
                stringify!($ty)
            }
            fn state(&self, _: &TensorType, _: &TensorType) -> Result<Vec<State>> {
                self.overlap().state()
            }
            fn update(
                &self,
                state: &[Tensor],
                y_true: &Tensor,
                y_pred: &Tensor,
                sample_weight: Option<&Tensor>,
            ) -> Vec<Tensor> {
                self.overlap().update(state, y_true, y_pred, sample_weight)
            }
            fn result(&self, state: &[Tensor]) -> Tensor {
                self.overlap().result(state)
            }
            fn config(&self) -> Map<String, Value> {
                fields(self)
            }
            fn dtype(&self) -> DType {
                DType::I32
            }
        }
    };
}

/// The builders shared by the metrics with an `ignore_class`, scores and an axis.
macro_rules! class_builders {
    ($($ty:ident)*) => {$(
        impl $ty {
            /// Labels of this class are not counted. Default: none.
            pub fn ignore_class(mut self, class: i64) -> Self {
                self.ignore_class = Some(class);
                self
            }

            /// Whether predictions are classes (true) or scores, whose largest is taken (false).
            pub fn sparse_y_pred(mut self, sparse: bool) -> Self {
                self.sparse_y_pred = sparse;
                self
            }

            /// The axis of one-hot labels and of scores. Default −1.
            pub fn axis(mut self, axis: isize) -> Self {
                self.axis = axis;
                self
            }
        }
    )*};
}
class_builders!(IoU MeanIoU OneHotIoU OneHotMeanIoU);

/// Intersection over union, averaged over some classes:
/// `true positives / (true positives + false positives + false negatives)` of each of them that
/// occurs. Labels and predictions are classes of any equal shape; weights are whole numbers.
///
/// ```
/// use cornu::metrics::{IoU, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(IoU::new(2, [0]));
/// m.update_state(&device, [0i32, 0, 1, 1], [0i32, 1, 0, 1], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IoU {
    num_classes: usize,
    target_class_ids: Vec<usize>,
    #[serde(default)]
    ignore_class: Option<i64>,
    #[serde(default = "yes")]
    sparse_y_true: bool,
    #[serde(default = "yes")]
    sparse_y_pred: bool,
    #[serde(default = "last")]
    axis: isize,
}

impl IoU {
    /// Of `num_classes` classes, those of which the mean is taken.
    pub fn new(num_classes: usize, target_class_ids: impl Into<Vec<usize>>) -> Self {
        Self {
            num_classes,
            target_class_ids: target_class_ids.into(),
            ignore_class: None,
            sparse_y_true: true,
            sparse_y_pred: true,
            axis: -1,
        }
    }

    /// Whether labels are classes (true, the default) or one-hot (false).
    pub fn sparse_y_true(mut self, sparse: bool) -> Self {
        self.sparse_y_true = sparse;
        self
    }
}

overlap!(IoU, self => Overlap {
    classes: self.num_classes,
    targets: Some(&self.target_class_ids),
    ignore_class: self.ignore_class,
    one_hot_true: (!self.sparse_y_true).then_some(self.axis),
    scores: (!self.sparse_y_pred).then_some(self.axis),
    threshold: None,
});

/// [`IoU`] averaged over all classes that occur.
///
/// ```
/// use cornu::metrics::{MeanIoU, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(MeanIoU::new(2));
/// m.update_state(&device, [0i32, 0, 1, 1], [0i32, 1, 0, 1], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeanIoU {
    num_classes: usize,
    #[serde(default)]
    ignore_class: Option<i64>,
    #[serde(default = "yes")]
    sparse_y_true: bool,
    #[serde(default = "yes")]
    sparse_y_pred: bool,
    #[serde(default = "last")]
    axis: isize,
}

impl MeanIoU {
    /// Of `num_classes` classes.
    pub fn new(num_classes: usize) -> Self {
        Self {
            num_classes,
            ignore_class: None,
            sparse_y_true: true,
            sparse_y_pred: true,
            axis: -1,
        }
    }

    /// Whether labels are classes (true, the default) or one-hot (false).
    pub fn sparse_y_true(mut self, sparse: bool) -> Self {
        self.sparse_y_true = sparse;
        self
    }
}

overlap!(MeanIoU, self => Overlap {
    classes: self.num_classes,
    targets: None,
    ignore_class: self.ignore_class,
    one_hot_true: (!self.sparse_y_true).then_some(self.axis),
    scores: (!self.sparse_y_pred).then_some(self.axis),
    threshold: None,
});

/// [`IoU`] of two classes, where predictions of at least the threshold are class 1.
///
/// ```
/// use cornu::metrics::{BinaryIoU, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(BinaryIoU::new().threshold(0.3));
/// m.update_state(&device, [0.0f32, 1.0, 0.0, 1.0], [0.1f32, 0.2, 0.4, 0.7], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0 / 3.0).abs() < 1e-6);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct BinaryIoU {
    target_class_ids: Vec<usize>,
    threshold: f64,
}

impl Default for BinaryIoU {
    fn default() -> Self {
        Self {
            target_class_ids: vec![0, 1],
            threshold: 0.5,
        }
    }
}

impl BinaryIoU {
    /// The mean over both classes with the threshold 0.5.
    pub fn new() -> Self {
        Self::default()
    }

    /// The classes of which the mean is taken: of 0 and 1. Default both.
    pub fn target_class_ids(mut self, ids: impl Into<Vec<usize>>) -> Self {
        self.target_class_ids = ids.into();
        self
    }

    /// Predictions from here on are class 1. Default 0.5.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }
}

overlap!(BinaryIoU, self => Overlap {
    classes: 2,
    targets: Some(&self.target_class_ids),
    ignore_class: None,
    one_hot_true: None,
    scores: None,
    threshold: Some(self.threshold),
});

/// [`IoU`] of one-hot labels, and of scores whose largest is the class.
///
/// ```
/// use cornu::metrics::{Metric, OneHotIoU};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(OneHotIoU::new(2, [0, 1]));
/// m.update_state(&device, [[1.0f32, 0.0], [0.0, 1.0]], [[0.9f32, 0.1], [0.2, 0.8]], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0).abs() < 1e-6);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OneHotIoU {
    num_classes: usize,
    target_class_ids: Vec<usize>,
    #[serde(default)]
    ignore_class: Option<i64>,
    #[serde(default)]
    sparse_y_pred: bool,
    #[serde(default = "last")]
    axis: isize,
}

impl OneHotIoU {
    /// Of `num_classes` classes, those of which the mean is taken.
    pub fn new(num_classes: usize, target_class_ids: impl Into<Vec<usize>>) -> Self {
        Self {
            num_classes,
            target_class_ids: target_class_ids.into(),
            ignore_class: None,
            sparse_y_pred: false,
            axis: -1,
        }
    }
}

overlap!(OneHotIoU, self => Overlap {
    classes: self.num_classes,
    targets: Some(&self.target_class_ids),
    ignore_class: self.ignore_class,
    one_hot_true: Some(self.axis),
    scores: (!self.sparse_y_pred).then_some(self.axis),
    threshold: None,
});

/// [`OneHotIoU`] averaged over all classes that occur.
///
/// ```
/// use cornu::metrics::{Metric, OneHotMeanIoU};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(OneHotMeanIoU::new(2));
/// m.update_state(&device, [[1.0f32, 0.0], [0.0, 1.0]], [[0.9f32, 0.1], [0.2, 0.8]], None)?;
/// assert!((m.value(&device)?.item::<f32>()? - 1.0).abs() < 1e-6);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OneHotMeanIoU {
    num_classes: usize,
    #[serde(default)]
    ignore_class: Option<i64>,
    #[serde(default)]
    sparse_y_pred: bool,
    #[serde(default = "last")]
    axis: isize,
}

impl OneHotMeanIoU {
    /// Of `num_classes` classes.
    pub fn new(num_classes: usize) -> Self {
        Self {
            num_classes,
            ignore_class: None,
            sparse_y_pred: false,
            axis: -1,
        }
    }
}

overlap!(OneHotMeanIoU, self => Overlap {
    classes: self.num_classes,
    targets: None,
    ignore_class: self.ignore_class,
    one_hot_true: Some(self.axis),
    scores: (!self.sparse_y_pred).then_some(self.axis),
    threshold: None,
});
