//! Images of which a part is another's.

use super::augmentation::{Factor, between, whole};
use super::base::Base;
use super::gamma::{NUMBERS, symmetric_beta};
use super::image_options::{augmentation_options, ranged};
use super::mixing::{check_batch, inside, labels, mixed, numbers, order, pasted};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// In training, replaces a rectangle of each image by that of another of its batch (Yun et al., 2019); otherwise
/// does nothing. Of the image a share `λ` is left, drawn for each image from Beta(α, α), with an `α` that is drawn
/// for the batch.
///
/// * Inputs: images `(batch, height, width, channels)`, or with channels first; and, if there are any, labels as
///   vectors, `(batch, classes)`, which become `λ` of themselves and `1 − λ` of the other's. Outputs: images, and
///   labels.
/// * `factor`: between what `α` is drawn, from 0 to 1; one number stands for a range from 0. Near 0 an image is left
///   as it is or replaced as a whole, as in Keras.
/// * Keras' layer takes a dictionary of images and labels; this one takes one input or two.
///   [`Dataset::augment`](crate::data::Dataset::augment) gives it the inputs and targets of a batch.
///
/// ```
/// use cornu::prelude::*;
/// let images = Input::new([8, 8, 3]).symbol();
/// let labels = Input::new([10]).symbol();
/// let cut = CutMix::new(1.0).on_all([&images, &labels]);
/// assert_eq!(cut[0].shape().to_string(), "(None, 8, 8, 3)");
/// assert_eq!(cut[1].shape().to_string(), "(None, 10)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutMix {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "whole")]
    factor: Factor,
    #[serde(default)]
    seed: Option<u32>,
}

impl CutMix {
    /// A layer that draws `α` up to this, or between two numbers.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            seed: None,
        }
    }
}

augmentation_options!(CutMix);

impl Layer for CutMix {
    ranged!(CutMix, factor from 0.0);

    fn arity(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0)?;
        check_batch("CutMix", cx, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (x, labels) = (x.cast(cx.dtype()), labels(cx));
        let n = x.shape()[0];
        if !cx.training() || n == 0 {
            labels.into_iter().for_each(|labels| cx.output(labels));
            return x;
        }
        // So that a factor of 0 is a distribution, as in Keras.
        const LEAST: f64 = 1e-6;
        let drawn = numbers(cx, self.seed, 4 + 2 * NUMBERS, n);
        let row = |i: usize| drawn.narrow(0, i, 1).reshape([n]);
        let alpha = between(&row(1).narrow(0, 0, 1), self.factor.range(0.0, 1.0)) + LEAST;
        let weight = symmetric_beta(&drawn.narrow(0, 4, 2 * NUMBERS), &alpha);
        let (order, share) = (order(&drawn, 0), 1.0 - &weight);
        let [height, width] = match self.data_format {
            DataFormat::ChannelsLast => [1, 2],
            DataFormat::ChannelsFirst => [2, 3],
        };
        let rows = inside(height, x.shape()[height], &share, &row(2));
        let columns = inside(width, x.shape()[width], &share, &row(3));
        if let Some(labels) = labels {
            cx.output(mixed(&labels, &order, &weight));
        }
        pasted(&x, &order, &rows.logical_and(columns))
    }
}
