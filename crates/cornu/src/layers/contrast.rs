//! Images brought to full contrast, which leaves nothing to chance.

use super::augmentation::{BYTES, bytes, check_images, check_range, rescaled, with_channels_last};
use super::base::{Base, builtin, options, positive};
use super::image_options::value_range_option;
use super::spatial::{DataFormat, data_format_option};
use super::{Build, Call, InputShape, Layer, budget};
use crate::{DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Stretches the values of each channel of an image to the whole of `value_range`, in training and outside
/// it. A channel of one value stays as it is.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(AutoContrast::new().input_shape([1, 3, 1]));
/// model.build()?;
/// let y = model.predict(&Array::from_vec([1, 1, 3, 1], vec![10.0f32, 20.0, 30.0])?)?;
/// assert_eq!(y.to_vec::<f32>(), [0.0, 127.5, 255.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoContrast {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
}

/// In training, gives the values of each channel equal shares of `value_range` (histogram equalisation): a
/// value becomes the share of the values not above it, all images of the batch counted together, as in
/// Keras; otherwise does nothing. A channel whose values fall into one bin stays as it is.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * Default: 256 `bins`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Equalization::new().bins(64).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equalization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default = "one_a_byte")]
    bins: usize,
}

fn one_a_byte() -> usize {
    256
}

macro_rules! contrast_options {
    ($layer:ident) => {
        options!($layer);

        impl Default for $layer {
            fn default() -> Self {
                Self::new()
            }
        }

        impl $layer {
            value_range_option!();

            data_format_option!(data_format);
        }
    };
}

contrast_options!(AutoContrast);
contrast_options!(Equalization);

impl AutoContrast {
    /// The layer for images of bytes, with channels last.
    pub fn new() -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
        }
    }
}

impl Layer for AutoContrast {
    builtin!(AutoContrast);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_range(self.value_range)?;
        check_images("AutoContrast", input)
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        with_channels_last(self.data_format, x, |x| {
            let images = rescaled(x, self.value_range, BYTES);
            let (low, high) = (
                images.min_axes(&[1, 2], true),
                images.max_axes(&[1, 2], true),
            );
            let flat = high.eq(&low);
            let scale = 255.0 / flat.select(1.0, high - &low);
            let stretched = (images * &scale - low * scale).clip(BYTES.0, BYTES.1);
            flat.select(x, rescaled(&stretched, BYTES, self.value_range))
        })
    }
}

impl Equalization {
    /// The layer for images of bytes, with channels last.
    pub fn new() -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            bins: one_a_byte(),
        }
    }

    /// Into how many bins values are counted; 256 by default.
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// Images of bytes, `(batch, height, width, channels)`, equalised.
    fn equalized(&self, images: &Tensor) -> Tensor {
        let (channels, bins) = (images.shape()[3], self.bins);
        let last = bins as f64 - 1.0;
        // The bins of a channel follow those of the channel before it.
        let first = Tensor::iota([channels], 0, DType::I32) * bins as i32;
        let bin = |scaled: Tensor| scaled.clip(0.0, last).cast(DType::I32) + &first;
        let ids = bin(images * last / 255.0);
        let ones = Tensor::ones([ids.size()], DType::I32);
        let counts = ones.segment_sum(ids.reshape([ids.size()]), channels * bins);
        let counts = counts.reshape([channels, bins]);
        let filled = counts.gt(0i32).cast(DType::I32).sum_axes(&[1], true);
        let below = counts.cumsum(1);
        let all = below.narrow(1, bins - 1, 1);
        // Of the lowest value that there is.
        let least = below.gt(0i32).select(&below, &all).min_axes(&[1], true);
        let rest = (all - &least).maximum(1i32).cast(images.dtype());
        let shares = (below - least).cast(images.dtype()) * 255.0 / rest;
        let table = shares
            .round()
            .clip(BYTES.0, BYTES.1)
            .reshape([channels * bins]);
        let found = table.take(bin(images / 255.0 * last), 0);
        filled.reshape([channels]).le(1i32).select(images, found)
    }
}

impl Layer for Equalization {
    builtin!(Equalization);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_range(self.value_range)?;
        positive("bins", self.bins)?;
        check_images("Equalization", input)?;
        let channels = input.0[self.data_format.channels(4)];
        budget::table(self.bins, channels.unwrap_or(1))
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        with_channels_last(self.data_format, x, |x| {
            let equalized = self.equalized(&rescaled(x, self.value_range, BYTES));
            rescaled(&equalized, BYTES, self.value_range)
        })
    }
}
