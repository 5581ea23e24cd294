//! Losses between distributions and counts.

use super::class::{loss_class, loss_fn_basics};
use super::regression::elementwise;
use super::{EPSILON, LossFn, shapes};
use crate::{Result, Tensor};
use cornu_core::TensorType;

loss_class! {
    /// The Kullback–Leibler divergence `Σ y_true · ln(y_true / y_pred)` over the last axis, both limited
    /// to `[10⁻⁷, 1]`. Strings `"kl_divergence"`, `"kld"`.
    KLDivergence "kl_divergence" {}
}

elementwise!(
    KLDivergence,
    /// The Kullback–Leibler divergence over the last axis.
    kl_divergence,
    |_this, t, p| {
        let (t, p) = (t.clip(EPSILON, 1.0), p.clip(EPSILON, 1.0));
        (&t * (&t / p).log()).sum_axes(&[-1], false)
    }
);

loss_class! {
    /// The mean of `y_pred − y_true · ln(y_pred + 10⁻⁷)` over the last axis: the negative
    /// log-likelihood of counts. String `"poisson"`.
    Poisson "poisson" {}
}

elementwise!(
    Poisson,
    /// The mean of `y_pred − y_true · ln(y_pred + 10⁻⁷)` over the last axis.
    poisson,
    |_this, t, p| (p - t * (p + EPSILON).log()).mean_axes(&[-1], false)
);
