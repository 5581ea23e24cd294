//! Losses between embeddings.

use super::class::{loss_class, loss_fn_basics};
use super::{LossFn, shapes};
use crate::{DType, Result, Tensor};
use cornu_core::TensorType;

loss_class! {
    /// The circle loss (Sun et al., 2020): brings the embeddings of one class together and those of
    /// different classes apart, within a batch. Targets are class numbers `(batch,)`, predictions are
    /// embeddings `(batch, dimensions)` of length 1. Samples whose loss is 0 do not count in a mean.
    /// String `"circle"`.
    Circle "circle" {
        /// The scale; default 80.
        gamma: f64 = 80.0,
        /// The relaxation; default 0.4.
        margin: f64 = 0.4,
        /// Whether a sample is not its own pair; default true.
        remove_diagonal: bool = true,
    }
}

/// Stands for −∞ in the logarithm of a sum over no pairs: then the loss and its gradient are 0.
const NONE: f64 = -1e30;

impl LossFn for Circle {
    loss_fn_basics!(Circle);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let p = y_pred.cast(y_pred.dtype().to_float());
        let n = p.shape().first().copied().unwrap_or(0);
        let labels = y_true.cast(DType::I32).reshape([n]);
        let same = labels.expand_dims(1).eq(labels.expand_dims(0));
        let different = same.logical_not();
        let same = if self.remove_diagonal {
            same.logical_and(Tensor::eye(n, DType::Bool).logical_not())
        } else {
            same
        };
        let distance = (1.0 - p.matmul(p.t())).maximum(0.0);
        let margin = self.margin;
        let pull = (&distance + margin).maximum(0.0) * (margin - &distance) * -self.gamma;
        let push =
            (1.0 + margin - &distance).maximum(0.0) * (1.0 - margin - &distance) * self.gamma;
        let total = |pairs: &Tensor, x: &Tensor| pairs.select(x, NONE).logsumexp(&[1], false);
        (total(&same, &pull) + total(&different, &push)).softplus()
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::labels(&self.name, y_true, y_pred, -1)
    }
    fn mask(&self, _: &Tensor, _: &Tensor, values: &Tensor) -> Option<Tensor> {
        Some(values.gt(0.0))
    }
}

/// [`Circle`] with its default arguments, per sample.
#[track_caller]
pub fn circle(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    Circle::new().call(y_true, y_pred)
}
