//! The layers among which RandAugment and AugMix choose.

use super::augmentation::{Factor, check_images, check_interpolation, check_range};
use super::spatial::DataFormat;
use super::{
    AutoContrast, Build, Call, Equalization, InputShape, Layer, RandomBrightness,
    RandomColorDegeneration, RandomContrast, RandomPosterization, RandomRotation, RandomSharpness,
    RandomShear, RandomTranslation, Solarization,
};
use crate::image::Interpolation;
use crate::{DType, Error, Result, Tensor};

/// What they are told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changes {
    pub factor: Factor,
    pub value_range: (f64, f64),
    pub interpolation: Interpolation,
    pub data_format: DataFormat,
    pub seed: Option<u32>,
    /// Whether colours change too.
    pub colours: bool,
}

/// More changes one after the other than this are refused: each is worked out for every choice.
const MOST: usize = 64;

/// Seeds of one place where a choice is made.
const SEEDS: u32 = 16;

impl Changes {
    /// The layers for the `place`-th choice, by Keras' names of the fields that hold them.
    fn layers(&self, place: u32) -> Vec<(&'static str, Box<dyn Layer>)> {
        let (low, high) = self.factor.range(0.0, 1.0);
        let factor = Factor::Between(low, high);
        let bits = (8.0 * high).floor().max(1.0);
        let (least, most) = self.value_range;
        let mut layers: Vec<(&'static str, Box<dyn Layer>)> = Vec::new();
        macro_rules! add {
            ($field:literal, $layer:expr) => {
                layers.push(($field, $layer.data_format(self.data_format).into()));
            };
            ($field:literal, seeded $layer:expr) => {
                let mut layer = $layer;
                if let Some(seed) = self.seed_of(place, 1 + layers.len() as u32) {
                    layer = layer.seed(seed);
                }
                add!($field, layer);
            };
        }
        let way = self.interpolation;
        add!("random_shear", seeded RandomShear::new(factor, factor).interpolation(way));
        add!("random_translation", seeded RandomTranslation::new(factor, factor).interpolation(way));
        add!("random_rotation", seeded RandomRotation::new(factor).interpolation(way));
        if self.colours {
            let brightness = RandomBrightness::new(factor).value_range(least, most);
            add!("random_brightness", seeded brightness);
            let colour = RandomColorDegeneration::new(factor).value_range(least, most);
            add!("random_color_degeneration", seeded colour);
            add!("random_contrast", seeded RandomContrast::new(factor).value_range(least, most));
            add!("random_sharpness", seeded RandomSharpness::new(factor).value_range(least, most));
        }
        let posterization = RandomPosterization::new(bits).value_range(least, most);
        add!("random_posterization", seeded posterization);
        let solarization = Solarization::new().addition_factor(factor);
        let solarization = solarization.threshold_factor(factor);
        add!("solarization", seeded solarization.value_range(least, most));
        add!(
            "auto_contrast",
            AutoContrast::new().value_range(least, most)
        );
        add!("equalization", Equalization::new().value_range(least, most));
        layers
    }

    /// A seed for draws that no layer makes, if there are seeds.
    pub fn own_seed(&self, draw: u32) -> Option<u32> {
        self.seed_of(MOST as u32, draw)
    }

    /// A seed for draws of the layers of the `place`-th choice.
    fn seed_of(&self, place: u32, draw: u32) -> Option<u32> {
        let seed = self.seed?.wrapping_mul(SEEDS * (1 + MOST as u32));
        Some(seed.wrapping_add(SEEDS * place + draw))
    }

    /// Builds the layers, for so many choices one after the other by a layer of this class.
    pub fn build(
        &self,
        class: &str,
        cx: &mut Build<'_>,
        input: &InputShape,
        choices: Option<usize>,
    ) -> Result<()> {
        check_range(self.value_range)?;
        check_interpolation(class, self.interpolation)?;
        check_images(class, input)?;
        self.factor.check("factor", 0.0, 1.0)?;
        if choices.is_none_or(|n| n > MOST) {
            return Err(Error::new(format!(
                "At most {MOST} changes can be made of an image. Received: {}.",
                choices.map_or("more".to_string(), |n| n.to_string())
            )));
        }
        let mut layers = self.layers(0).into_iter();
        layers.try_for_each(|(field, layer)| cx.layer(field, &*layer, input).map(|_| ()))
    }

    /// The images as the layer of this number changes them, or as they are if there is none:
    /// every layer is asked, and one answer taken.
    pub fn changed(
        &self,
        cx: &mut Call<'_>,
        images: &Tensor,
        number: &Tensor,
        place: u32,
    ) -> Tensor {
        let mut taken = images.clone();
        for (i, (field, layer)) in self.layers(place).into_iter().enumerate() {
            let changed = cx.layer(field, &*layer, images);
            taken = number.eq(i as f64).select(changed, taken);
        }
        taken
    }

    /// How many layers there are.
    pub fn count(&self) -> usize {
        if self.colours { 11 } else { 7 }
    }

    /// Random choices among `n`, `count` of them, each of the shape `(1, 1, 1, 1)`, in `f32`.
    pub fn choices(&self, cx: &mut Call<'_>, count: usize, n: usize) -> Vec<Tensor> {
        let drawn = match self.own_seed(0) {
            None => cx.random_uniform([count]),
            Some(seed) => cx.random_uniform_seeded(seed, [count]),
        };
        let chosen = (drawn.cast(DType::F32) * n as f64)
            .floor()
            .clip(0.0, n as f64 - 1.0);
        let one = |i| chosen.narrow(0, i, 1).reshape([1, 1, 1, 1]);
        (0..count).map(one).collect()
    }
}
