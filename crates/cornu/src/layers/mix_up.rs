//! Images and labels mixed with others of their batch.

use super::base::{Base, builtin};
use super::gamma::{NUMBERS, symmetric_beta};
use super::image_options::augmentation_options;
use super::mixing::{check_batch, labels, mixed, numbers, order};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// In training, mixes each image with another of its batch: `λ` of itself and `1 − λ` of the other, with `λ` drawn
/// for each image from Beta(α, α) (Zhang et al., 2017); otherwise does nothing.
///
/// * Inputs: images `(batch, height, width, channels)`, or with channels first; and, if there are any, labels as
///   vectors, `(batch, classes)`, which are mixed alike. Outputs: images, and labels.
/// * Default: `alpha` 0.2; the smaller it is the less is mixed.
/// * Keras' layer takes a dictionary of images and labels; this one takes one input or two.
///   [`Dataset::augment`](crate::data::Dataset::augment) gives it the inputs and targets of a batch.
///
/// ```
/// use cornu::prelude::*;
/// let x = ndarray::Array4::<f32>::from_elem((6, 4, 4, 3), 0.5);
/// let y = to_categorical(&ndarray::arr1(&[0i64, 1, 2, 0, 1, 2]), 3)?;
/// let data = from_tensor_slices(x, y).batch(3).augment(MixUp::new(0.4));
/// let batch = data.examples()?.next().unwrap()?;
/// let labels = batch.y.first().unwrap().to_array();
/// let sums: Vec<f32> = labels.to_vec::<f32>().chunks(3).map(|l| l.iter().sum()).collect();
/// assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixUp {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "fifth")]
    alpha: f64,
    #[serde(default)]
    seed: Option<u32>,
}

fn fifth() -> f64 {
    0.2
}

impl MixUp {
    /// A layer that draws how much of each image is left from Beta(α, α), with `alpha` above 0.
    pub fn new(alpha: f64) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            alpha,
            seed: None,
        }
    }
}

augmentation_options!(MixUp);

impl Layer for MixUp {
    builtin!(MixUp);

    fn arity(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_alpha(self.alpha)?;
        check_batch("MixUp", cx, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (x, labels) = (x.cast(cx.dtype()), labels(cx));
        if !cx.training() {
            labels.into_iter().for_each(|labels| cx.output(labels));
            return x;
        }
        let drawn = numbers(cx, self.seed, 1 + 2 * NUMBERS, x.shape()[0]);
        let order = order(&drawn, 0);
        let alpha = Tensor::from(self.alpha as f32);
        let weight = symmetric_beta(&drawn.narrow(0, 1, 2 * NUMBERS), &alpha);
        if let Some(labels) = labels {
            cx.output(mixed(&labels, &order, &weight));
        }
        mixed(&x, &order, &weight)
    }
}

/// Refuses shapes of distributions that are not positive.
pub(super) fn check_alpha(alpha: f64) -> Result<()> {
    if alpha > 0.0 && alpha.is_finite() {
        return Ok(());
    }
    Err(Error::new(format!(
        "alpha must be a number above 0. Received: alpha={alpha}."
    )))
}
