//! Images of another contrast and brightness at random, in training.

use super::augmentation::{Factor, between, check_images, draws};
use super::base::{Base, options};
use super::random_geometry::augmentation_options;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

fn bytes() -> (f64, f64) {
    (0.0, 255.0)
}

macro_rules! colour {
    ($(#[$doc:meta])* $layer:ident, $low:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            #[serde(default)]
            data_format: DataFormat,
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

            /// The least and the largest value of images, to which results are clipped; 0 and 255 by
            /// default.
            pub fn value_range(mut self, low: f64, high: f64) -> Self {
                self.value_range = (low, high);
                self
            }

            /// A draw for each image, `(batch, 1, 1, 1)`, between the ends of `factor` and 0.
            fn change(&self, cx: &mut Call<'_>, range: (f64, f64), n: usize) -> Tensor {
                let [draw] = draws(cx, self.seed, n);
                between(&draw, range).reshape([n, 1, 1, 1]).cast(cx.dtype())
            }

            fn range(&self) -> (f64, f64) {
                self.factor.range($low, 1.0)
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
                map.insert("factor".into(), json!([low, high]));
                map
            }

            fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
                self.factor.check("factor", $low, 1.0)?;
                let (low, high) = self.value_range;
                if low.partial_cmp(&high) != Some(std::cmp::Ordering::Less) {
                    return Err(Error::new(format!(
                        "value_range must go from a lower to a higher value. Received: value_range=\
                         [{low}, {high}]."
                    )));
                }
                check_images(stringify!($layer), input)
            }

            fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
                if !cx.training() {
                    return x.clone();
                }
                self.changed(cx, x).clip(self.value_range.0, self.value_range.1)
            }
        }
    };
}

colour! {
    /// In training, moves the values of each image away from the mean of each of its channels, or towards
    /// it: `(x − mean) · c + mean`; otherwise does nothing.
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
    RandomContrast, 0.0, "A layer that changes contrast by up to so much."
}

colour! {
    /// In training, adds a number to all values of an image; otherwise does nothing.
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
    RandomBrightness, -1.0, "A layer that changes brightness by up to so much."
}

impl RandomContrast {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (down, up) = self.range();
        let factor = self.change(cx, (1.0 - down, 1.0 + up), x.shape()[0]);
        let space: [isize; 2] = match self.data_format {
            DataFormat::ChannelsLast => [1, 2],
            DataFormat::ChannelsFirst => [2, 3],
        };
        let mean = x.mean_axes(&space, true);
        (x - &mean) * factor + mean
    }
}

impl RandomBrightness {
    fn changed(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (low, high) = self.value_range;
        x + self.change(cx, self.range(), x.shape()[0]) * (high - low)
    }
}
