//! Losses of overlapping regions, for segmentation.

use super::class::{loss_class, loss_fn_basics};
use super::regression::elementwise;
use super::{EPSILON, LossFn, shapes};
use crate::{Axes, Result, Tensor};
use cornu_core::TensorType;

/// The sum over the axes, or over everything.
#[track_caller]
fn sum(x: &Tensor, axis: &Option<Axes>) -> Tensor {
    match axis {
        Some(axes) => x.sum_axes(axes.as_slice(), false),
        None => x.sum(),
    }
}

loss_class! {
    /// `1 − 2 Σ y_true · y_pred / (Σ y_true + Σ y_pred + 10⁻⁷)` over `axis` (default everything, the
    /// batch included). String `"dice"`.
    Dice "dice" {
        /// The axes that are summed over.
        axis: Option<Axes> = None,
    }
}

elementwise!(
    Dice,
    /// [`Dice`] over everything, a scalar.
    dice,
    |this, t, p| {
        let total = sum(t, &this.axis) + sum(p, &this.axis) + EPSILON;
        1.0 - sum(&(t * p), &this.axis) * 2.0 / total
    }
);

loss_class! {
    /// `1 − i / (i + alpha · f + beta · m + 10⁻⁷)` with `i = Σ y_true · y_pred`,
    /// `f = Σ y_true · (1 − y_pred)` and `m = Σ (1 − y_true) · y_pred` over `axis` (default everything,
    /// the batch included) (Salehi et al., 2017). Both weights default to 0.5, which is [`Dice`]. String
    /// `"tversky"`.
    Tversky "tversky" {
        /// The weight of what the predictions miss.
        alpha: f64 = 0.5,
        /// The weight of what they have too much.
        beta: f64 = 0.5,
        /// The axes that are summed over.
        axis: Option<Axes> = None,
    }
}

elementwise!(
    Tversky,
    /// [`Tversky`] with its default arguments over everything, a scalar.
    tversky,
    |this, t, p| {
        let both = sum(&(t * p), &this.axis);
        let missed = sum(&((1.0 - p) * t), &this.axis);
        let extra = sum(&(p * (1.0 - t)), &this.axis);
        1.0 - &both / (&both + missed * this.alpha + extra * this.beta + EPSILON)
    }
);
