//! Images whose brightness, contrast, saturation and hue change at random, in training.

use super::augmentation::{BYTES, Factor, bytes, check_images, check_range};
use super::base::{Base, builtin};
use super::image_options::{augmentation_options, value_range_option};
use super::spatial::DataFormat;
use super::{
    Build, Call, InputShape, Layer, RandomBrightness, RandomContrast, RandomHue, RandomSaturation,
};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, changes images as [`RandomBrightness`], [`RandomContrast`], [`RandomSaturation`] and
/// [`RandomHue`] do, one after the other, each of those that are given a factor; otherwise does nothing.
///
/// * Input and output: images in colour `(batch, height, width, 3)`, or with channels first.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomColorJitter::new().brightness_factor(0.2).hue_factor(0.1).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomColorJitter {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default)]
    brightness_factor: Option<Factor>,
    #[serde(default)]
    contrast_factor: Option<Factor>,
    #[serde(default)]
    saturation_factor: Option<Factor>,
    #[serde(default)]
    hue_factor: Option<Factor>,
    #[serde(default)]
    seed: Option<u32>,
}

impl Default for RandomColorJitter {
    fn default() -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            brightness_factor: None,
            contrast_factor: None,
            saturation_factor: None,
            hue_factor: None,
            seed: None,
        }
    }
}

/// Methods that give a factor.
macro_rules! factors {
    ($($(#[$doc:meta])* $name:ident),*) => {
        impl RandomColorJitter {
            $($(#[$doc])*
            pub fn $name(mut self, factor: impl Into<Factor>) -> Self {
                self.$name = Some(factor.into());
                self
            })*
        }
    };
}

factors! {
    /// How much brightness changes, as of [`RandomBrightness`]; not at all by default.
    brightness_factor,
    /// How much contrast changes, as of [`RandomContrast`]; not at all by default.
    contrast_factor,
    /// How much saturation changes, as of [`RandomSaturation`]; not at all by default.
    saturation_factor,
    /// How much the hue changes, as of [`RandomHue`]; not at all by default.
    hue_factor
}

augmentation_options!(RandomColorJitter);

impl RandomColorJitter {
    /// The layer that changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    value_range_option!();

    /// The layers that are asked for, by Keras' names of the fields that hold them.
    fn parts(&self) -> Vec<(&'static str, Box<dyn Layer>)> {
        let (low, high) = self.value_range;
        let mut parts: Vec<(&'static str, Box<dyn Layer>)> = Vec::new();
        macro_rules! part {
            ($field:literal, $layer:ident, $factor:expr) => {
                if let Some(factor) = $factor {
                    let mut layer = $layer::new(factor).value_range(low, high);
                    layer = layer.data_format(self.data_format);
                    // Draws of their own for each.
                    if let Some(seed) = self.seed {
                        layer = layer.seed(seed.wrapping_mul(4).wrapping_add(parts.len() as u32));
                    }
                    parts.push(($field, layer.into()));
                }
            };
        }
        part!(
            "random_brightness",
            RandomBrightness,
            self.brightness_factor
        );
        part!("random_contrast", RandomContrast, self.contrast_factor);
        part!(
            "random_saturation",
            RandomSaturation,
            self.saturation_factor
        );
        part!("random_hue", RandomHue, self.hue_factor);
        parts
    }
}

impl Layer for RandomColorJitter {
    builtin!(RandomColorJitter);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_range(self.value_range)?;
        check_images("RandomColorJitter", input)?;
        let mut parts = self.parts().into_iter();
        parts.try_for_each(|(field, layer)| cx.layer(field, &*layer, input).map(|_| ()))
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let parts = self.parts().into_iter();
        parts.fold(x.clone(), |x, (field, layer)| cx.layer(field, &*layer, &x))
    }
}
