//! Focal cross-entropies: easy samples count less (Lin et al., 2017).

use super::class::{loss_class, loss_fn_basics};
use super::crossentropy::{binary, clip, last_extent, normalise, smooth};
use super::{LossFn, shapes};
use crate::{Error, Result, Tensor};
use cornu_core::TensorType;
use serde::{Deserialize, Serialize};

loss_class! {
    /// The mean over `axis` of `(1 − pₜ)^gamma ·` the binary cross-entropy, where `pₜ` is the probability
    /// of the truth; with class balancing also times `alpha` for ones and `1 − alpha` for zeros. String
    /// `"binary_focal_crossentropy"`.
    BinaryFocalCrossentropy "binary_focal_crossentropy" {
        /// Whether predictions are logits; default false: probabilities.
        from_logits: bool = false,
        /// Moves targets toward ½ by this share; default 0.
        label_smoothing: f64 = 0.0,
        /// The axis that is averaged; default the last.
        axis: isize = -1isize,
        /// Whether `alpha` is applied; default false.
        apply_class_balancing: bool = false,
        /// The weight of ones; default 0.25.
        alpha: f64 = 0.25,
        /// How much easy samples are turned down; default 2.
        gamma: f64 = 2.0,
    }
}

impl LossFn for BinaryFocalCrossentropy {
    loss_fn_basics!(BinaryFocalCrossentropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = &shapes::prepare(y_true, y_pred);
        let t = &smooth(t, self.label_smoothing, 2.0);
        let p = &if self.from_logits {
            p.sigmoid()
        } else {
            p.clone()
        };
        let of_truth = t * p + (1.0 - t) * (1.0 - p);
        let mut each = (1.0 - of_truth).pow(self.gamma) * binary(t, p);
        if self.apply_class_balancing {
            each = (t * self.alpha + (1.0 - t) * (1.0 - self.alpha)) * each;
        }
        each.mean_axes(&[self.axis], false)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::binary(&self.name, y_true, y_pred)
    }
}

/// [`BinaryFocalCrossentropy`] with its default arguments, per sample.
#[track_caller]
pub fn binary_focal_crossentropy(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    BinaryFocalCrossentropy::new().call(y_true, y_pred)
}

/// One weight for all classes, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Alpha {
    /// One for all.
    One(f64),
    /// One for each class.
    Each(Vec<f64>),
}

impl From<f64> for Alpha {
    fn from(alpha: f64) -> Alpha {
        Alpha::One(alpha)
    }
}

impl From<Vec<f64>> for Alpha {
    fn from(alpha: Vec<f64>) -> Alpha {
        Alpha::Each(alpha)
    }
}

impl<const N: usize> From<[f64; N]> for Alpha {
    fn from(alpha: [f64; N]) -> Alpha {
        Alpha::Each(alpha.to_vec())
    }
}

loss_class! {
    /// `−Σ alpha · (1 − p)^gamma · y_true · ln p` over the classes along `axis`, for one-hot (or soft)
    /// targets. String `"categorical_focal_crossentropy"`.
    CategoricalFocalCrossentropy "categorical_focal_crossentropy" {
        /// Whether predictions are logits; default false: probabilities, which need not sum to 1.
        from_logits: bool = false,
        /// Moves targets toward equal shares by this share; default 0.
        label_smoothing: f64 = 0.0,
        /// The axis of the classes; default the last.
        axis: isize = -1isize,
        /// A weight for all classes or for each; default 0.25.
        alpha: Alpha = Alpha::One(0.25),
        /// How much easy samples are turned down; default 2.
        gamma: f64 = 2.0,
    }
}

impl LossFn for CategoricalFocalCrossentropy {
    loss_fn_basics!(CategoricalFocalCrossentropy);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let (t, p) = &shapes::prepare(y_true, y_pred);
        let t = smooth(t, self.label_smoothing, last_extent(t));
        let p = if self.from_logits {
            crate::activations::softmax_with(p, &[self.axis])
        } else {
            p.clone()
        };
        let p = clip(&normalise(&p, self.axis));
        let each = (1.0 - &p).pow(self.gamma) * -(t * p.log());
        let weighted = match &self.alpha {
            Alpha::One(alpha) => each * *alpha,
            Alpha::Each(alpha) => each * Tensor::constant(alpha.clone()).cast(p.dtype()),
        };
        weighted.sum_axes(&[self.axis], false)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        shapes::one_hot(&self.name, y_true, y_pred)?;
        let classes = y_pred.shape.last().copied().unwrap_or(1);
        match &self.alpha {
            Alpha::Each(alpha) if alpha.len() != classes && alpha.len() != 1 => {
                Err(Error::shape(format!(
                    "Loss \"{}\": alpha needs one weight for each of the {classes} classes. Received: {}.",
                    self.name,
                    alpha.len()
                )))
            }
            _ => Ok(()),
        }
    }
}

/// [`CategoricalFocalCrossentropy`] with its default arguments, per sample.
#[track_caller]
pub fn categorical_focal_crossentropy(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    CategoricalFocalCrossentropy::new().call(y_true, y_pred)
}
