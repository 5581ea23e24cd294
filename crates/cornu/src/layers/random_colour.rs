//! Images whose colours change at random, in training.

use super::augmentation::{
    BYTES, Factor, between, bytes, check_colours, check_images, check_range, chosen, draws,
    rescaled, whole, with_channels_last,
};
use super::base::Base;
use super::image_options::{augmentation_options, value_range_option};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::{hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A layer with a `factor` between two bounds and a `value_range`, which does to images in training what its
/// method `changed` says. Its configuration has the ends of the factor as numbers of a type; the factor must be told
/// where no `default` is named.
macro_rules! colour {
    ($(#[$doc:meta])* $layer:ident, $low:literal, $high:literal, $number:ty, $check:expr, $what:literal $(, $default:meta)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            #[serde(default)]
            data_format: DataFormat,
            $(#[serde($default)])?
            factor: Factor,
            #[serde(default = "bytes")]
            value_range: (f64, f64),
            #[serde(default)]
            seed: Option<u32>,
        }

        impl $layer {
            #[doc = $what]
            pub fn new(factor: impl Into<Factor>) -> Self {
                Self {
                    base: Base::default(),
                    data_format: DataFormat::default(),
                    factor: factor.into(),
                    value_range: bytes(),
                    seed: None,
                }
            }

            value_range_option!();

            /// The ends of `factor`.
            fn range(&self) -> (f64, f64) {
                self.factor.range($low, $high)
            }
        }

        augmentation_options!($layer);

        impl Layer for $layer {
            fn class_name(&self) -> &str {
                stringify!($layer)
            }

            fn base(&self) -> Option<&Base> {
                Some(&self.base)
            }

            fn config(&self) -> Map<String, Value> {
                let mut map = super::registry::fields(self);
                let (low, high) = self.range();
                map.insert("factor".into(), json!([low as $number, high as $number]));
                map
            }

            fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
                self.factor.check("factor", $low, $high)?;
                check_range(self.value_range)?;
                $check(stringify!($layer), input, self.data_format)
            }

            fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
                match cx.training() {
                    true => self.changed(cx, x),
                    false => x.clone(),
                }
            }
        }
    };
}

/// Images of any kind.
fn any(class: &str, input: &InputShape, _: DataFormat) -> Result<()> {
    check_images(class, input)
}

/// Images in colour.
fn coloured(class: &str, input: &InputShape, format: DataFormat) -> Result<()> {
    check_colours(class, input, format, false)
}

/// Images in colour, or grey.
fn shaded(class: &str, input: &InputShape, format: DataFormat) -> Result<()> {
    check_colours(class, input, format, true)
}

colour! {
    /// In training, moves the values of each image away from the mean of each of its channels, or towards
    /// it: `(x − mean) · c + mean`, clipped to `value_range`; otherwise does nothing.
    ///
    /// * Input and output: images `(batch, height, width, channels)`, or with channels first.
    /// * `c` is between 1 − the first and 1 + the second of two factors between 0 and 1; one factor stands
    ///   for 0 and itself, as in Keras.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomContrast::new((0.5, 0.5)).value_range(0.0, 1.0).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomContrast, 0.0, 1.0, f64, any, "A layer that changes contrast by up to so much."
}

impl RandomContrast {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (down, up) = self.range();
        let factor = one_each(cx, self.seed, (1.0 - down, 1.0 + up), x);
        let space: [isize; 2] = match self.data_format {
            DataFormat::ChannelsLast => [1, 2],
            DataFormat::ChannelsFirst => [2, 3],
        };
        let mean = x.mean_axes(&space, true);
        let (low, high) = self.value_range;
        ((x - &mean) * factor + mean).clip(low, high)
    }
}

colour! {
    /// In training, adds a number to all values of an image and clips them to `value_range`; otherwise does
    /// nothing.
    ///
    /// * Input and output: images `(batch, height, width, channels)`, or with channels first.
    /// * `factor`: how much, as a share of `value_range`, between −1 and 1.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomBrightness::new(0.2).value_range(0.0, 1.0).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomBrightness, -1.0, 1.0, f64, any, "A layer that changes brightness by up to so much."
}

impl RandomBrightness {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (low, high) = self.value_range;
        let more = one_each(cx, self.seed, self.range(), x) * (high - low);
        (x + more).clip(low, high)
    }
}

colour! {
    /// In training, multiplies the saturation of each image by f / (1 − f); otherwise does nothing.
    ///
    /// * Input and output: images in colour `(batch, height, width, 3)`, or with channels first.
    /// * `factor`: between what f is drawn: 0 makes images grey, 0.5 leaves them, 1 saturates all colours;
    ///   what is below 0 is grey.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomSaturation::new((0.4, 0.6)).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomSaturation, -1.0, 1.0, f64, coloured, "A layer that draws the factor from this range."
}

impl RandomSaturation {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        const LEAST: f64 = 1e-7;
        let f = one_each(cx, self.seed, self.range(), x);
        let factor = &f / (1.0 - &f + LEAST);
        let (low, high) = self.value_range;
        with_channels_last(self.data_format, x, |x| {
            of_hsv(x, 1, |s| (s * factor).clip(low, high))
        })
    }
}

colour! {
    /// In training, turns the hue of each image by up to half a turn; otherwise does nothing.
    ///
    /// * Input and output: images in colour `(batch, height, width, 3)`, or with channels first.
    /// * `factor`: how far, between 0 and 1 of half a turn, in either direction.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomHue::new(0.2).value_range(0.0, 1.0).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomHue, 0.0, 1.0, f64, coloured, "A layer that turns hues by up to so much."
}

impl RandomHue {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let n = x.shape()[0];
        let [way, far] = draws(cx, self.seed, n);
        let far = between(&far, self.range()) * 0.5;
        let turn = way.gt(0.5).select(-&far, far).reshape([n, 1, 1, 1]);
        let turn = turn.cast(cx.dtype());
        with_channels_last(self.data_format, x, |x| {
            let unit = rescaled(x, self.value_range, (0.0, 1.0));
            let turned = of_hsv(&unit, 0, |hue| hue + turn);
            rescaled(&turned.clip(0.0, 1.0), (0.0, 1.0), self.value_range)
        })
    }
}

colour! {
    /// In training, takes colour from each image: a share of the way to its shades of grey; otherwise does
    /// nothing.
    ///
    /// * Input and output: images `(batch, height, width, 3)`, or with channels first.
    /// * `factor`: between what the share is drawn: 0 leaves colours, 1 leaves none, and below 0 there are
    ///   more of them.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomColorDegeneration::new((0.0, 1.0)).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomColorDegeneration, -1.0, 1.0, f64, shaded, "A layer that draws the share from this range."
}

impl RandomColorDegeneration {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let share = one_each(cx, self.seed, self.range(), x);
        let (low, high) = self.value_range;
        with_channels_last(self.data_format, x, |x| {
            (x + share * (rgb_to_grayscale(x) - x)).clip(low, high)
        })
    }
}

colour! {
    /// In training, sharpens each image or softens it: the way from its smoothed version to itself, times
    /// 2 f; otherwise does nothing.
    ///
    /// * Input and output: images `(batch, height, width, channels)`, or with channels first.
    /// * `factor`: between what f is drawn, from 0 to 1: 0 smooths, 0.5 leaves images, 1 sharpens.
    /// * Smoothed, a cell is 5/13 of itself and 1/13 of each of its eight neighbours; outside lies 0.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomSharpness::new((0.3, 0.8)).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomSharpness, 0.0, 1.0, f64, any, "A layer that draws the factor from this range."
}

impl RandomSharpness {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let factor = one_each(cx, self.seed, self.range(), x) * 2.0;
        let (low, high) = self.value_range;
        with_channels_last(self.data_format, x, |x| {
            let around = |x: &Tensor, axis: usize| {
                let mut widths = [(0, 0); 4];
                widths[axis] = (1, 1);
                let padded = x.pad(&widths, 0.0);
                let shifted = |i| padded.narrow(axis as isize, i, x.shape()[axis]);
                shifted(0) + shifted(1) + shifted(2)
            };
            let smooth = around(&around(x, 1), 2) * (1.0 / 13.0) + x * (4.0 / 13.0);
            (x + (1.0 - factor) * (smooth - x)).clip(low, high)
        })
    }
}

colour! {
    /// In training, turns some of the images into their negatives: the largest value of `value_range` less
    /// theirs; otherwise does nothing.
    ///
    /// * Input and output: images `(batch, height, width, channels)`, or with channels first.
    /// * `factor`: which share of the images, between 0 and 1, or from a range.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomInvert::new(0.5).value_range(0.0, 1.0).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomInvert, 0.0, 1.0, f64, any, "A layer that inverts this share of the images.",
    default = "whole"
}

impl RandomInvert {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let [share, draw] = draws(cx, self.seed, x.shape()[0]);
        chosen(&draw, &share, self.factor).select(self.value_range.1 - x, x)
    }
}

colour! {
    /// In training, keeps only the highest bits of each value, as a byte; otherwise does nothing.
    ///
    /// * Input and output: images `(batch, height, width, channels)`, or with channels first.
    /// * `factor`: how many bits, from 1 to 8; of a range its upper end is not drawn.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(RandomPosterization::new((3.0, 8.0)).input_shape([8, 8, 3]));
    /// model.build()?;
    /// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    RandomPosterization, 1.0, 8.0, i64, any, "A layer that keeps so many bits."
}

impl RandomPosterization {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        // What the lowest bit kept counts, for each number of bits.
        let steps = [256.0f32, 128.0, 64.0, 32.0, 16.0, 8.0, 4.0, 2.0, 1.0];
        let bits = one_each(cx, self.seed, self.range(), x).floor();
        let step = Tensor::constant(steps)
            .take(bits.cast(crate::DType::I32), 0)
            .cast(x.dtype());
        let bytes = rescaled(x, self.value_range, BYTES).floor();
        rescaled(&((bytes / &step).floor() * step), BYTES, self.value_range)
    }
}

/// A draw for each image, `(batch, 1, 1, 1)`, from a range.
fn one_each(cx: &mut Call<'_>, seed: Option<u32>, range: (f64, f64), x: &Tensor) -> Tensor {
    let n = x.shape()[0];
    let [draw] = draws(cx, seed, n);
    between(&draw, range).reshape([n, 1, 1, 1]).cast(cx.dtype())
}

/// Images in colour with their hue (0) or saturation (1) changed.
fn of_hsv(x: &Tensor, which: usize, change: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
    let hsv = rgb_to_hsv(x);
    let mut channels = [0, 1, 2].map(|i| hsv.narrow(-1, i, 1));
    channels[which] = change(&channels[which]);
    hsv_to_rgb(&Tensor::concat(&channels, -1))
}
