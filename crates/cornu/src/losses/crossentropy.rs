//! Cross-entropies: minus the log-likelihood of the targets.
//!
//! Probabilities are limited to `[10⁻⁷, 1 − 10⁻⁷]` before the logarithm (divided by their sum first, for
//! classes), so that values and gradients are finite for predictions of exactly 0 and 1. With
//! `from_logits` the predictions are what a softmax or sigmoid would be applied to.

use super::class::{loss_class, loss_fn_basics};
use super::{ClassNumbers, EPSILON, LossFn, shapes};
use crate::{DType, Result, Tensor};
use cornu_core::TensorType;

/// Probabilities kept away from 0 and 1. By selection: its gradient is two selections more, where that
/// of a minimum of a maximum shares ties.
#[track_caller]
pub(super) fn clip(p: &Tensor) -> Tensor {
    let (low, high) = (EPSILON, 1.0 - EPSILON);
    p.lt(low).select(low, p.gt(high).select(high, p))
}

/// Numbers that may not sum to 1 along the axis, divided by their sum.
#[track_caller]
pub(super) fn normalise(p: &Tensor, axis: isize) -> Tensor {
    p * p.sum_axes(&[axis], true).reciprocal()
}

/// `y (1 − s) + s / C`: a little of the probability for every class.
#[track_caller]
pub(super) fn smooth(t: &Tensor, smoothing: f64, classes: f64) -> Tensor {
    if smoothing == 0.0 {
        return t.clone();
    }
    t * (1.0 - smoothing) + smoothing / classes
}

/// The extent of the last axis.
pub(super) fn last_extent(t: &Tensor) -> f64 {
    t.shape().last().map_or(1.0, |n| *n as f64)
}

loss_class! {
    /// The mean over `axis` of `−y_true · ln p − (1 − y_true) · ln(1 − p)`: independent yes-or-no
    /// predictions. Strings `"binary_crossentropy"`, `"bce"`.
    BinaryCrossentropy "binary_crossentropy" {
        /// Whether predictions are logits; default false: probabilities.
        from_logits: bool = false,
        /// Moves targets toward ½ by this share; default 0.
        label_smoothing: f64 = 0.0,
        /// The axis that is averaged; default the last.
        axis: isize = -1isize,
    }
}

impl LossFn for BinaryCrossentropy {
    loss_fn_basics!(BinaryCrossentropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = &shapes::prepare(y_true, y_pred);
        let t = &smooth(t, self.label_smoothing, 2.0);
        let each = if self.from_logits {
            // −t ln σ(p) − (1 − t) ln σ(−p), in one stable form.
            p.maximum(0.0) - p * t + (-p.abs()).exp().log1p()
        } else {
            binary(t, p)
        };
        each.mean_axes(&[self.axis], false)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::binary(&self.name, y_true, y_pred)
    }
}

/// The binary cross-entropy of each element, from probabilities.
#[track_caller]
pub(super) fn binary(t: &Tensor, p: &Tensor) -> Tensor {
    let p = clip(p);
    -(t * p.log() + (1.0 - t) * (1.0 - &p).log())
}

/// [`BinaryCrossentropy`] of probabilities, averaged over the last axis.
///
/// ```
/// use cornu::{losses, Tensor};
/// # use cornu_core::{Device, Reference};
/// let y = losses::binary_crossentropy(
///     &Tensor::constant([[1.0f32, 0.0]]),
///     &Tensor::constant([[0.5f32, 0.5]]),
/// );
/// # let y = Device::new(Reference).eval(&[y]).unwrap()[0].to_vec::<f32>();
/// # assert!((y[0] - std::f32::consts::LN_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn binary_crossentropy(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    BinaryCrossentropy::new().call(y_true, y_pred)
}

loss_class! {
    /// `−Σ y_true · ln p` over the classes along `axis`, for one-hot (or soft) targets. String
    /// `"categorical_crossentropy"`.
    CategoricalCrossentropy "categorical_crossentropy" {
        /// Whether predictions are logits; default false: probabilities, which need not sum to 1.
        from_logits: bool = false,
        /// Moves targets toward equal shares by this share; default 0.
        label_smoothing: f64 = 0.0,
        /// The axis of the classes; default the last.
        axis: isize = -1isize,
    }
}

impl LossFn for CategoricalCrossentropy {
    loss_fn_basics!(CategoricalCrossentropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = &shapes::prepare(y_true, y_pred);
        let t = smooth(t, self.label_smoothing, last_extent(t));
        let log = if self.from_logits {
            crate::activations::log_softmax_with(p, &[self.axis])
        } else {
            clip(&normalise(p, self.axis)).log()
        };
        -(t * log).sum_axes(&[self.axis], false)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::one_hot(&self.name, y_true, y_pred)
    }
}

/// [`CategoricalCrossentropy`] of probabilities along the last axis.
///
/// ```
/// use cornu::{losses, Tensor};
/// # use cornu_core::{Device, Reference};
/// let y = losses::categorical_crossentropy(
///     &Tensor::constant([[0.0f32, 1.0, 0.0]]),
///     &Tensor::constant([[0.25f32, 0.5, 0.25]]),
/// );
/// # let y = Device::new(Reference).eval(&[y]).unwrap()[0].to_vec::<f32>();
/// # assert!((y[0] - std::f32::consts::LN_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn categorical_crossentropy(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    CategoricalCrossentropy::new().call(y_true, y_pred)
}

loss_class! {
    /// `−ln p` of the right class along `axis`, for targets that are class numbers: the predictions'
    /// shape without that axis, or with 1 there. A number outside the classes gives not-a-number, never
    /// silently 0. String `"sparse_categorical_crossentropy"`.
    SparseCategoricalCrossentropy "sparse_categorical_crossentropy" {
        /// Whether predictions are logits; default false: probabilities, which need not sum to 1.
        from_logits: bool = false,
        /// Positions with this number count nothing, neither in the sum nor in the mean.
        ignore_class: Option<i64> = None,
        /// The axis of the classes; default the last.
        axis: isize = -1isize,
    }
}

impl SparseCategoricalCrossentropy {
    /// The class numbers, without the axis of classes, as `i32`.
    #[track_caller]
    fn labels(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let column = y_true.rank() == y_pred.rank()
            && y_true
                .shape()
                .axis(self.axis)
                .is_ok_and(|a| y_true.shape()[a] == 1);
        let labels = if column {
            y_true.squeeze(self.axis)
        } else {
            y_true.clone()
        };
        labels.cast(DType::I32)
    }
}

impl LossFn for SparseCategoricalCrossentropy {
    loss_fn_basics!(SparseCategoricalCrossentropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let p = &y_pred.cast(y_pred.dtype().to_float());
        let (axis, classes) = match p.shape().axis(self.axis) {
            Ok(a) => (a, p.shape()[a]),
            Err(e) => return Tensor::error(e),
        };
        let labels = self.labels(y_true, p);
        // One comparison per score: it joins the other passes over the scores, forward and backward.
        let right = Tensor::iota(p.shape(), axis, DType::I32).eq(labels.expand_dims(axis as isize));
        let of_right = |x: &Tensor| right.select(x, 0.0).sum_axes(&[self.axis], false);
        let loss = if self.from_logits {
            let top = p.max_axes(&[self.axis], true).stop_gradient();
            let shifted = p - top;
            shifted.exp().sum_axes(&[self.axis], false).log() - of_right(&shifted)
        } else {
            -clip(&(of_right(p) / p.sum_axes(&[self.axis], false))).log()
        };
        let inside = labels.ge(0).logical_and(labels.lt(classes));
        let loss = inside.select(loss, f64::NAN);
        match self.ignore_class {
            Some(ignored) => labels.eq(ignored).select(loss.zeros_like(), loss),
            None => loss,
        }
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::labels(&self.name, y_true, y_pred, self.axis)
    }
    fn class_numbers(&self, _: &TensorType, y_pred: &TensorType) -> Option<ClassNumbers> {
        let axis = y_pred.shape.axis(self.axis).ok()?;
        Some(ClassNumbers {
            classes: y_pred.shape[axis],
            ignored: self.ignore_class,
        })
    }
    fn mask(&self, y_true: &Tensor, y_pred: &Tensor, _: &Tensor) -> Option<Tensor> {
        self.ignore_class
            .map(|ignored| self.labels(y_true, y_pred).ne(ignored))
    }
}

/// [`SparseCategoricalCrossentropy`] of probabilities along the last axis.
///
/// ```
/// use cornu::{losses, Tensor};
/// # use cornu_core::{Device, Reference};
/// let y = losses::sparse_categorical_crossentropy(
///     &Tensor::constant([1i32]),
///     &Tensor::constant([[0.25f32, 0.5, 0.25]]),
/// );
/// # let y = Device::new(Reference).eval(&[y]).unwrap()[0].to_vec::<f32>();
/// # assert!((y[0] - std::f32::consts::LN_2).abs() < 1e-6);
/// ```
#[track_caller]
pub fn sparse_categorical_crossentropy(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    SparseCategoricalCrossentropy::new().call(y_true, y_pred)
}

loss_class! {
    /// `(1 − pᑫ) / q` of the right class: between mean absolute error (q = 1) and cross-entropy (q → 0),
    /// robust to wrong labels (Zhang and Sabuncu, 2018). Targets are class numbers. Default `q` 0.5.
    CategoricalGeneralizedCrossEntropy "categorical_generalized_cross_entropy" {
        /// Between 0 and 1.
        q: f64 = 0.5,
    }
}

impl LossFn for CategoricalGeneralizedCrossEntropy {
    loss_fn_basics!(CategoricalGeneralizedCrossEntropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let p = y_pred.cast(y_pred.dtype().to_float());
        let column = y_true.rank() == p.rank() && y_true.shape().last() == Some(&1);
        let labels = if column {
            y_true.squeeze(-1)
        } else {
            y_true.clone()
        };
        let last = p.rank().saturating_sub(1);
        let right =
            Tensor::iota(p.shape(), last, DType::I32).eq(labels.cast(DType::I32).expand_dims(-1));
        let p = right.select(&p, 0.0).sum_axes(&[-1], false);
        (1.0 - p.pow(self.q)) * (1.0 / self.q)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::labels(&self.name, y_true, y_pred, -1)
    }
    fn class_numbers(&self, _: &TensorType, y_pred: &TensorType) -> Option<ClassNumbers> {
        Some(ClassNumbers {
            classes: *y_pred.shape.last()?,
            ignored: None,
        })
    }
}

/// [`CategoricalGeneralizedCrossEntropy`] with this `q`, per sample.
#[track_caller]
pub fn categorical_generalized_cross_entropy(y_true: &Tensor, y_pred: &Tensor, q: f64) -> Tensor {
    CategoricalGeneralizedCrossEntropy::new()
        .q(q)
        .call(y_true, y_pred)
}
