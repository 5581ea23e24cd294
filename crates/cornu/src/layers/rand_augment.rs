//! Images changed by some of many layers, in training.

use super::augmentation::{BYTES, Factor, bytes};
use super::base::Base;
use super::changes::Changes;
use super::image_options::{
    augmentation_options, interpolation_option, ranged, value_range_option,
};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::Interpolation;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, changes each batch of images by some layers that are chosen at random (Cubuk et al., 2019); otherwise
/// does nothing.
///
/// * Input and output: images in colour or grey `(batch, height, width, channels)`, or with channels first.
/// * The layers: [`RandomShear`](super::RandomShear), [`RandomTranslation`](super::RandomTranslation),
///   [`RandomRotation`](super::RandomRotation), [`RandomBrightness`](super::RandomBrightness),
///   [`RandomColorDegeneration`](super::RandomColorDegeneration), [`RandomContrast`](super::RandomContrast),
///   [`RandomSharpness`](super::RandomSharpness), [`RandomPosterization`](super::RandomPosterization),
///   [`Solarization`](super::Solarization), [`AutoContrast`](super::AutoContrast),
///   [`Equalization`](super::Equalization). All are worked out for every choice, as in Keras.
/// * Defaults: 2 choices, the same for all images of a batch, and a `factor` of all layers between 0 and 0.5.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandAugment::new(0.3).num_ops(1).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandAugment {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default = "two")]
    num_ops: usize,
    #[serde(default = "half")]
    factor: Factor,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
}

fn two() -> usize {
    2
}

fn half() -> Factor {
    Factor::UpTo(0.5)
}

impl RandAugment {
    /// A layer whose changes have this `factor`, between 0 and 1.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            num_ops: two(),
            factor: factor.into(),
            interpolation: Interpolation::default(),
            seed: None,
        }
    }

    /// How many layers change an image, one after the other; 2 by default, at most 64.
    pub fn num_ops(mut self, num_ops: usize) -> Self {
        self.num_ops = num_ops;
        self
    }

    interpolation_option!();

    value_range_option!();

    fn changes(&self) -> Changes {
        Changes {
            factor: self.factor,
            value_range: self.value_range,
            interpolation: self.interpolation,
            data_format: self.data_format,
            seed: self.seed,
            colours: true,
        }
    }
}

augmentation_options!(RandAugment);

impl Layer for RandAugment {
    ranged!(RandAugment, factor from 0.0);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let choices = Some(self.num_ops);
        self.changes().build("RandAugment", cx, input, choices)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let mut images = x.cast(cx.dtype());
        if !cx.training() {
            return images;
        }
        let changes = self.changes();
        let choices = changes.choices(cx, self.num_ops, changes.count());
        let draws = cx.draws();
        for choice in choices {
            // A layer that is chosen again does the same again, as in Keras.
            cx.draw_again(draws);
            images = changes.changed(cx, &images, &choice, 0);
        }
        images
    }
}
