//! Images that lose their colours at random, in training.

use super::augmentation::{Factor, check_colours, draws, with_channels_last};
use super::base::{Base, builtin};
use super::image_options::augmentation_options;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::rgb_to_grayscale;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, turns some of the images into shades of grey, all three channels alike; otherwise does
/// nothing.
///
/// * Input and output: images `(batch, height, width, 3)`, or with channels first.
/// * `factor`: which share of the images, 0.5 by default.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomGrayscale::new(0.3).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomGrayscale {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "half")]
    factor: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u32>,
}

fn half() -> f64 {
    0.5
}

impl RandomGrayscale {
    /// A layer that takes the colours of this share of the images.
    pub fn new(factor: f64) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor,
            seed: None,
        }
    }
}

augmentation_options!(RandomGrayscale);

impl Layer for RandomGrayscale {
    builtin!(RandomGrayscale);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        Factor::from(self.factor).check("factor", 0.0, 1.0)?;
        check_colours("RandomGrayscale", input, self.data_format, true)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let n = x.shape()[0];
        let [draw] = draws(cx, self.seed, n);
        let chosen = draw.lt(self.factor).reshape([n, 1, 1, 1]);
        with_channels_last(self.data_format, x, |x| {
            chosen.select(rgb_to_grayscale(x), x)
        })
    }
}
