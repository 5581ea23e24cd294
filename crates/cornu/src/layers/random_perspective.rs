//! Images seen from elsewhere at random, in training.

use super::augmentation::{
    Factor, check_images, check_interpolation, chosen, draws, whole, with_channels_last,
};
use super::base::Base;
use super::image_options::{augmentation_options, interpolation_option, ranged};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::{Interpolation, perspective_transform};
use crate::{Array, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, shows some of the images in perspective, with their corners moved at random; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first. Those of one row or column
///   stay as they are.
/// * `factor`: which share of the images, all by default in a range from 0: between 0 and 1.
/// * Defaults: each of a corner's numbers is moved by up to half of itself (`scale` 1) in either direction; outside
///   the image lies 0, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomPerspective::new((0.5, 0.5)).scale(0.3).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomPerspective {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "whole")]
    factor: Factor,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    fill_value: f64,
    #[serde(default)]
    seed: Option<u32>,
}

fn one() -> f64 {
    1.0
}

impl RandomPerspective {
    /// A layer that shows this share of the images in perspective.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            scale: one(),
            interpolation: Interpolation::default(),
            fill_value: 0.0,
            seed: None,
        }
    }

    /// How far corners are moved, between 0 and 1; 1 by default.
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    interpolation_option!();

    /// The value outside an image; 0 by default.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.fill_value = value;
        self
    }
}

augmentation_options!(RandomPerspective);

impl Layer for RandomPerspective {
    ranged!(RandomPerspective, factor from 0.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0)?;
        if !(0.0..=1.0).contains(&self.scale) {
            return Err(Error::new(format!(
                "scale must be between 0 and 1. Received: scale={}.",
                self.scale
            )));
        }
        check_interpolation("RandomPerspective", self.interpolation)?;
        check_images("RandomPerspective", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = x.cast(cx.dtype());
        if !cx.training() {
            return x;
        }
        let n = x.shape()[0];
        let [share, draw, moves @ ..] = draws::<10>(cx, self.seed, n);
        let chosen = chosen(&draw, &share, self.factor);
        with_channels_last(self.data_format, &x, |x| {
            let (height, width) = (x.shape()[1], x.shape()[2]);
            if height < 2 || width < 2 {
                return x.clone();
            }
            let (right, bottom) = ((width - 1) as f32, (height - 1) as f32);
            let corners = [[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]];
            let start = Tensor::constant(Array::from(corners));
            let start = start.expand_dims(0).broadcast_to([n, 4, 2]);
            let moves = moves.map(|m| m.reshape([n, 1]));
            let moves = (Tensor::concat(&moves, 1).reshape([n, 4, 2]) - 0.5) * self.scale;
            let end = &start + &start * moves;
            let seen = perspective_transform(x, &start, &end, self.interpolation, self.fill_value);
            chosen.select(seen, x)
        })
    }
}
