//! Losses of margins.

use super::class::{loss_class, loss_fn_basics};
use super::regression::elementwise;
use super::{LossFn, shapes};
use crate::{Result, Tensor};
use cornu_core::TensorType;

/// Labels 0 and 1 as −1 and 1, if all labels are 0 or 1; others stay as they are.
#[track_caller]
fn signed_labels(t: &Tensor) -> Tensor {
    let axes: Vec<isize> = (0..t.rank() as isize).collect();
    let binary = t.eq(0.0).logical_or(t.eq(1.0)).all_axes_of(&axes, false);
    binary.select(t * 2.0 - 1.0, t)
}

loss_class! {
    /// The mean of `max(1 − y_true · y_pred, 0)` over the last axis. Labels are −1 and 1, or 0 and 1.
    /// String `"hinge"`.
    Hinge "hinge" {}
}

elementwise!(
    Hinge,
    /// The mean of `max(1 − y_true · y_pred, 0)` over the last axis.
    hinge,
    |_this, t, p| (1.0 - signed_labels(t) * p).maximum(0.0).mean_axes(&[-1], false)
);

loss_class! {
    /// The mean of `max(1 − y_true · y_pred, 0)²` over the last axis. Labels are −1 and 1, or 0 and 1.
    /// String `"squared_hinge"`.
    SquaredHinge "squared_hinge" {}
}

elementwise!(
    SquaredHinge,
    /// The mean of `max(1 − y_true · y_pred, 0)²` over the last axis.
    squared_hinge,
    |_this, t, p| (1.0 - signed_labels(t) * p).maximum(0.0).square().mean_axes(&[-1], false)
);

loss_class! {
    /// `max(1 + max((1 − y_true) · y_pred) − Σ y_true · y_pred, 0)` over the last axis, for one-hot
    /// targets. String `"categorical_hinge"`.
    CategoricalHinge "categorical_hinge" {}
}

impl LossFn for CategoricalHinge {
    loss_fn_basics!(CategoricalHinge);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = &shapes::prepare(y_true, y_pred);
        let right = (t * p).sum_axes(&[-1], false);
        let wrong = ((1.0 - t) * p).max_axes(&[-1], false);
        (wrong - right + 1.0).maximum(0.0)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::one_hot(&self.name, y_true, y_pred)
    }
}

/// `max(1 + max((1 − y_true) · y_pred) − Σ y_true · y_pred, 0)` over the last axis.
#[track_caller]
pub fn categorical_hinge(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    CategoricalHinge::new().call(y_true, y_pred)
}
