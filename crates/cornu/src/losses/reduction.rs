//! From values per sample to the loss: weights, masks and the reduction.

use super::shapes::{align_weight, squeeze_or_expand};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How the (weighted) values per sample become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their sum divided by their number, not by the sum of the weights. Keras' default, also called
    /// `"mean"`.
    #[default]
    SumOverBatchSize,
    /// Their sum.
    Sum,
    /// As they are.
    None,
    /// Their sum divided by the sum of the weights (by their number without weights).
    MeanWithSampleWeight,
}

impl Reduction {
    /// Keras' name.
    pub fn name(self) -> &'static str {
        match self {
            Reduction::SumOverBatchSize => "sum_over_batch_size",
            Reduction::Sum => "sum",
            Reduction::None => "none",
            Reduction::MeanWithSampleWeight => "mean_with_sample_weight",
        }
    }

    /// The reduction with this name; `"mean"` is `"sum_over_batch_size"`.
    ///
    /// # Errors
    /// If no reduction has this name.
    pub fn from_name(name: &str) -> Result<Reduction> {
        Ok(match name {
            "sum_over_batch_size" | "mean" => Reduction::SumOverBatchSize,
            "sum" => Reduction::Sum,
            "none" => Reduction::None,
            "mean_with_sample_weight" => Reduction::MeanWithSampleWeight,
            _ => {
                let known = [
                    "sum_over_batch_size",
                    "sum",
                    "none",
                    "mean_with_sample_weight",
                    "mean",
                ];
                return Err(Error::unknown("reduction", name, &known));
            }
        })
    }
}

impl Serialize for Reduction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Reduction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Reduction, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            Some(name) => Reduction::from_name(&name).map_err(serde::de::Error::custom),
            None => Ok(Reduction::None),
        }
    }
}

/// `values` times `sample_weight`, without the positions where `mask` is false, reduced.
///
/// * A weight has the values' shape, one number per sample (the leading axes), a last axis of 1 more or
///   less, or broadcasts.
/// * With a mean, the weights that the mask leaves are scaled by (all positions / valid positions), so
///   that the mean is over the valid ones; nothing valid gives 0.
#[track_caller]
pub fn reduce_weighted(
    values: &Tensor,
    sample_weight: Option<&Tensor>,
    mask: Option<&Tensor>,
    reduction: Reduction,
) -> Tensor {
    let dtype = values.dtype();
    let weight = sample_weight.map(|w| w.cast(dtype));
    let weight = match mask {
        None => weight,
        Some(mask) => {
            let mask = mask.cast(DType::Bool).cast(dtype);
            let factor = if reduction == Reduction::SumOverBatchSize {
                let total = Tensor::full((), mask.size() as f64, dtype);
                &mask * divide_no_nan(&total, &mask.sum())
            } else {
                mask
            };
            Some(match weight {
                None => factor,
                Some(weight) => {
                    let (factor, weight) = squeeze_or_expand(&factor, &weight);
                    let weight = align_weight(&factor, &weight);
                    weight * factor
                }
            })
        }
    };
    let (values, weight) = match weight {
        None => (values.clone(), None),
        Some(weight) => {
            let (values, weight) = squeeze_or_expand(values, &weight);
            let weight = align_weight(&values, &weight);
            (&values * &weight, Some(weight))
        }
    };
    if reduction == Reduction::None || values.rank() == 0 || values.shape().dims() == [0] {
        return values;
    }
    let sum = values.sum();
    match (reduction, weight) {
        (Reduction::MeanWithSampleWeight, Some(weight)) => divide_no_nan(&sum, &weight.sum()),
        (Reduction::SumOverBatchSize | Reduction::MeanWithSampleWeight, _) => {
            sum * (1.0 / values.size().max(1) as f64)
        }
        _ => sum,
    }
}

/// `a / b`, and 0 where `b` is 0.
#[track_caller]
pub(super) fn divide_no_nan(a: &Tensor, b: &Tensor) -> Tensor {
    let zero = b.eq(0.0);
    // The divisor is made harmless first: an infinity there would poison the gradient.
    zero.select(a.zeros_like(), a / zero.select(b.ones_like(), b))
}
