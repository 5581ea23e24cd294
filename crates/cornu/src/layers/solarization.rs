//! Images whose bright values are inverted at random, in training.

use super::augmentation::{
    BYTES, Factor, between, bytes, check_images, check_range, draws, rescaled,
};
use super::base::Base;
use super::image_options::{augmentation_options, ranged, value_range_option};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, adds a number to the values of each image, as bytes, and inverts those that reach a
/// threshold: v becomes 255 − v; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `addition_factor` and `threshold_factor`, between 0 and 1: both numbers are drawn for each image between
///   the first end, as it is, and 255 times the second, as in Keras; one number stands for 0 and itself.
///   Both are 0 by default, which inverts whole images.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Solarization::new().threshold_factor(0.5).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solarization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default = "none")]
    addition_factor: Factor,
    #[serde(default = "none")]
    threshold_factor: Factor,
    #[serde(default)]
    seed: Option<u32>,
}

fn none() -> Factor {
    Factor::UpTo(0.0)
}

impl Default for Solarization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            addition_factor: none(),
            threshold_factor: none(),
            seed: None,
        }
    }
}

impl Solarization {
    /// The layer that inverts whole images of bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// How much is added before, as a share of 255; nothing by default.
    pub fn addition_factor(mut self, factor: impl Into<Factor>) -> Self {
        self.addition_factor = factor.into();
        self
    }

    /// From where values are inverted, as a share of 255; from 0 by default.
    pub fn threshold_factor(mut self, factor: impl Into<Factor>) -> Self {
        self.threshold_factor = factor.into();
        self
    }

    value_range_option!();
}

augmentation_options!(Solarization);

impl Layer for Solarization {
    ranged!(Solarization, addition_factor, threshold_factor from 0.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.addition_factor.check("addition_factor", 0.0, 1.0)?;
        self.threshold_factor.check("threshold_factor", 0.0, 1.0)?;
        check_range(self.value_range)?;
        check_images("Solarization", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let n = x.shape()[0];
        let [more, threshold] = draws(cx, self.seed, n);
        let drawn = |draw: &Tensor, factor: Factor| {
            let (low, high) = factor.range(0.0, 1.0);
            let value = between(draw, (low, high * 255.0)).reshape([n, 1, 1, 1]);
            value.cast(x.dtype())
        };
        let images = rescaled(x, self.value_range, BYTES) + drawn(&more, self.addition_factor);
        let images = images.clip(BYTES.0, BYTES.1);
        let below = images.lt(drawn(&threshold, self.threshold_factor));
        let solarized = below.select(&images, 255.0 - &images);
        rescaled(&solarized, BYTES, self.value_range)
    }
}
