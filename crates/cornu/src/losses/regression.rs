//! Losses between numbers.

use super::class::{loss_class, loss_fn_basics};
use super::{EPSILON, LossFn, shapes};
use crate::regularizers::normalize;
use crate::{Result, Tensor};
use cornu_core::TensorType;

/// A class whose targets and predictions meet element by element, and its free function.
macro_rules! elementwise {
    ($class:ident, $(#[$doc:meta])* $function:ident, |$this:ident, $t:ident, $p:ident| $value:expr) => {
        impl LossFn for $class {
            loss_fn_basics!($class);
            fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
                let $this = self;
                let ($t, $p) = &shapes::prepare(y_true, y_pred);
                $value
            }
            fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
                shapes::elementwise(&self.name, y_true, y_pred)
            }
        }

        $(#[$doc])*
        #[track_caller]
        pub fn $function(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
            $class::new().call(y_true, y_pred)
        }
    };
}

pub(super) use elementwise;

loss_class! {
    /// The mean of `(y_true − y_pred)²` over the last axis. Strings `"mse"`, `"mean_squared_error"`.
    MeanSquaredError "mean_squared_error" {}
}

elementwise!(
    MeanSquaredError,
    /// The mean of `(y_true − y_pred)²` over the last axis.
    mean_squared_error,
    |_this, t, p| (p - t).square().mean_axes(&[-1], false)
);

loss_class! {
    /// The mean of `|y_true − y_pred|` over the last axis. Strings `"mae"`, `"mean_absolute_error"`.
    MeanAbsoluteError "mean_absolute_error" {}
}

elementwise!(
    MeanAbsoluteError,
    /// The mean of `|y_true − y_pred|` over the last axis.
    mean_absolute_error,
    |_this, t, p| (p - t).abs().mean_axes(&[-1], false)
);

loss_class! {
    /// `100 ·` the mean of `|y_true − y_pred| / max(|y_true|, 10⁻⁷)` over the last axis. Strings `"mape"`,
    /// `"mean_absolute_percentage_error"`.
    MeanAbsolutePercentageError "mean_absolute_percentage_error" {}
}

elementwise!(
    MeanAbsolutePercentageError,
    /// `100 ·` the mean of `|y_true − y_pred| / max(|y_true|, 10⁻⁷)` over the last axis.
    mean_absolute_percentage_error,
    |_this, t, p| ((p - t) / t.abs().maximum(EPSILON)).abs().mean_axes(&[-1], false) * 100.0
);

loss_class! {
    /// The mean of the squared difference of `ln(max(y, 10⁻⁷) + 1)` over the last axis. Strings
    /// `"msle"`, `"mean_squared_logarithmic_error"`.
    MeanSquaredLogarithmicError "mean_squared_logarithmic_error" {}
}

elementwise!(
    MeanSquaredLogarithmicError,
    /// The mean of the squared difference of `ln(max(y, 10⁻⁷) + 1)` over the last axis.
    mean_squared_logarithmic_error,
    |_this, t, p| {
        let log = |x: &Tensor| (x.maximum(EPSILON) + 1.0).log();
        (log(p) - log(t)).square().mean_axes(&[-1], false)
    }
);

loss_class! {
    /// The mean over the last axis of `e²/2` where `|e| ≤ delta`, else `delta · |e| − delta²/2`, with
    /// `e = y_pred − y_true` (Huber, 1964). Default `delta` 1. String `"huber"`.
    Huber "huber_loss" {
        /// Where the square ends and the line begins.
        delta: f64 = 1.0,
    }
}

elementwise!(
    Huber,
    /// [`Huber`] with `delta` 1, per sample.
    huber,
    |this, t, p| {
        let error = p - t;
        let size = error.abs();
        let line = &size * this.delta - 0.5 * this.delta * this.delta;
        size.le(this.delta).select(error.square() * 0.5, line).mean_axes(&[-1], false)
    }
);

loss_class! {
    /// The mean of `ln cosh(y_pred − y_true)` over the last axis, without overflow. String `"log_cosh"`.
    LogCosh "log_cosh" {}
}

elementwise!(
    LogCosh,
    /// The mean of `ln cosh(y_pred − y_true)` over the last axis.
    log_cosh,
    |_this, t, p| {
        let x = p - t;
        (&x + (&x * -2.0).softplus() - std::f64::consts::LN_2).mean_axes(&[-1], false)
    }
);

loss_class! {
    /// Minus the cosine of the angle between targets and predictions along `axis` (default the last):
    /// −1 where they point the same way, 0 where they are orthogonal. String `"cosine_similarity"`.
    CosineSimilarity "cosine_similarity" {
        /// The axis of the vectors.
        axis: isize = -1isize,
    }
}

elementwise!(
    CosineSimilarity,
    /// Minus the cosine of the angle between targets and predictions along the last axis.
    cosine_similarity,
    |this, t, p| {
        let axis = [this.axis];
        -(normalize(t, &axis) * normalize(p, &axis)).sum_axes(&axis, false)
    }
);
