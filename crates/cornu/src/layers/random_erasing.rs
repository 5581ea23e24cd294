//! Images of which a part is erased at random, in training.

use super::augmentation::{
    BYTES, Factor, between, bytes, check_images, check_range, chosen, draws, whole,
};
use super::base::Base;
use super::image_options::{augmentation_options, ranged, value_range_option};
use super::mixing::inside;
use super::noise::normal;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, erases a rectangle of some of the images (Zhong et al., 2017); otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `factor`: which share of the images, all by default in a range from 0: between 0 and 1.
/// * Defaults: height and width are the square roots of shares drawn between 0.02 and 0.33 (`scale`) of the
///   image's; what is erased becomes noise, normal with the largest value of `value_range` as its deviation,
///   clipped to that range.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomErasing::new((0.5, 0.5)).fill_value(0.0).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomErasing {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "whole")]
    factor: Factor,
    #[serde(default = "some")]
    scale: Factor,
    #[serde(default)]
    fill_value: Option<Fill>,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default)]
    seed: Option<u32>,
}

/// What is erased becomes this: one value, or one for each channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Fill {
    One(f64),
    Each([f64; 3]),
}

fn some() -> Factor {
    Factor::Between(0.02, 0.33)
}

impl RandomErasing {
    /// A layer that erases a part of this share of the images.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            scale: some(),
            fill_value: None,
            value_range: BYTES,
            seed: None,
        }
    }

    /// Which shares of the image the squares of height and width are of its; 0.02 to 0.33 by default.
    pub fn scale(mut self, scale: impl Into<Factor>) -> Self {
        self.scale = scale.into();
        self
    }

    /// The value of what is erased; noise by default.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.fill_value = Some(Fill::One(value));
        self
    }

    /// The colour of what is erased, of images with three channels; noise by default.
    pub fn fill_colour(mut self, colour: [f64; 3]) -> Self {
        self.fill_value = Some(Fill::Each(colour));
        self
    }

    value_range_option!();

    /// The axes of height, width and channels.
    fn axes(&self) -> [usize; 3] {
        match self.data_format {
            DataFormat::ChannelsLast => [1, 2, 3],
            DataFormat::ChannelsFirst => [2, 3, 1],
        }
    }

    fn fill(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (low, high) = self.value_range;
        let fill = match &self.fill_value {
            None => normal(cx, self.seed, x.shape()) * high,
            Some(Fill::One(value)) => Tensor::full([1; 4], *value, x.dtype()),
            Some(Fill::Each(colour)) => {
                let mut shape = [1; 4];
                shape[self.axes()[2]] = 3;
                Tensor::constant(*colour).reshape(shape).cast(x.dtype())
            }
        };
        fill.clip(low, high)
    }
}

augmentation_options!(RandomErasing);

impl Layer for RandomErasing {
    ranged!(RandomErasing, factor, scale from 0.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0)?;
        self.scale.check("scale", 0.0, 1.0)?;
        check_range(self.value_range)?;
        check_images("RandomErasing", input)?;
        let channels = input.0[self.axes()[2]];
        match &self.fill_value {
            Some(Fill::Each(_)) if channels != Some(3) => Err(Error::shape(format!(
                "RandomErasing fills images of three channels with a colour. Received: input shape {input}."
            ))),
            _ => Ok(()),
        }
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let n = x.shape()[0];
        let [height, width, _] = self.axes();
        let [tall, wide, top, left, share, draw] = draws(cx, self.seed, n);
        let chosen = chosen(&draw, &share, self.factor);
        let scale = self.scale.range(0.0, 1.0);
        let rows = inside(height, x.shape()[height], &between(&tall, scale), &top);
        let columns = inside(width, x.shape()[width], &between(&wide, scale), &left);
        let erased = chosen.logical_and(rows).logical_and(columns);
        erased.select(self.fill(cx, x), x)
    }
}
