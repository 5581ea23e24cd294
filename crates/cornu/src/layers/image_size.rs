//! Images of a given size: resized, cut out of their middle, or cut out anywhere.

use super::augmentation::{check_images, check_size, draws, with_channels_last};
use super::base::{Base, builtin, options};
use super::image_options::{augmentation_options, interpolation_option};
use super::spatial::{DataFormat, data_format_option};
use super::{Build, Call, InputShape, Layer};
use crate::image::{Interpolation, Resize, resize};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Images of another height and width, in training and afterwards alike.
///
/// * Input: images `(batch, height, width, channels)`, or with channels first; output: the same with the new
///   height and width.
/// * Defaults: bilinear, without antialiasing, the aspect ratio changed.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Resizing::new(4, 6).crop_to_aspect_ratio(true).input_shape([9, 9, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 4, 6, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resizing {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    height: usize,
    width: usize,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    crop_to_aspect_ratio: bool,
    #[serde(default)]
    pad_to_aspect_ratio: bool,
    #[serde(default)]
    fill_mode: Constant,
    #[serde(default)]
    fill_value: f64,
    #[serde(default)]
    antialias: bool,
}

/// The one way in which Keras pads images that are resized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Constant {
    #[default]
    Constant,
}

impl Resizing {
    /// A layer that makes images of this size.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            height,
            width,
            interpolation: Interpolation::default(),
            crop_to_aspect_ratio: false,
            pad_to_aspect_ratio: false,
            fill_mode: Constant::Constant,
            fill_value: 0.0,
            antialias: false,
        }
    }

    interpolation_option!("What lies between cells; bilinear by default.");

    /// Whether what does not fit the new aspect ratio is cut off; not by default.
    pub fn crop_to_aspect_ratio(mut self, crop: bool) -> Self {
        self.crop_to_aspect_ratio = crop;
        self
    }

    /// Whether images are first padded to the new aspect ratio; not by default.
    pub fn pad_to_aspect_ratio(mut self, pad: bool) -> Self {
        self.pad_to_aspect_ratio = pad;
        self
    }

    /// What images are padded with; 0 by default.
    pub fn fill_value(mut self, value: f64) -> Self {
        self.fill_value = value;
        self
    }

    /// Whether images that shrink are averaged over all cells that fall into one; not by default.
    pub fn antialias(mut self, antialias: bool) -> Self {
        self.antialias = antialias;
        self
    }

    data_format_option!(data_format);
}

options!(Resizing);

impl Layer for Resizing {
    builtin!(Resizing);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_size("Resizing", self.height, self.width)?;
        if self.crop_to_aspect_ratio && self.pad_to_aspect_ratio {
            return Err(Error::new(
                "Resizing either crops or pads to the aspect ratio. Received: crop_to_aspect_ratio=true, \
                 pad_to_aspect_ratio=true.",
            ));
        }
        check_images("Resizing", input)
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        let how = Resize {
            interpolation: self.interpolation,
            antialias: self.antialias,
            crop_to_aspect_ratio: self.crop_to_aspect_ratio,
            pad_to_aspect_ratio: self.pad_to_aspect_ratio,
            fill_value: self.fill_value,
        };
        with_channels_last(self.data_format, x, |x| {
            resize(x, [self.height, self.width], how)
        })
    }
}

/// The largest window of the middle with the aspect ratio of a size, brought to that size.
fn fitted(x: &Tensor, size: [usize; 2]) -> Tensor {
    let how = Resize {
        crop_to_aspect_ratio: true,
        ..Resize::default()
    };
    resize(x, size, how)
}

/// The middle of images; of images that are too small, the largest window of the same aspect ratio, made
/// larger.
///
/// * Input: images `(batch, height, width, channels)`, or with channels first; output: the same with the new
///   height and width.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(CenterCrop::new(1, 1).input_shape([1, 3, 1]));
/// model.build()?;
/// let y = model.predict(&Array::from_vec([1, 1, 3, 1], vec![1.0f32, 2.0, 3.0])?)?;
/// assert_eq!(y.to_vec::<f32>(), [2.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CenterCrop {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    height: usize,
    width: usize,
}

impl CenterCrop {
    /// A layer that cuts out this size.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            height,
            width,
        }
    }

    data_format_option!(data_format);
}

options!(CenterCrop);

impl Layer for CenterCrop {
    builtin!(CenterCrop);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_size("CenterCrop", self.height, self.width)?;
        check_images("CenterCrop", input)
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        with_channels_last(self.data_format, x, |x| {
            let (height, width) = (x.shape()[1], x.shape()[2]);
            if height < self.height || width < self.width {
                return fitted(x, [self.height, self.width]);
            }
            x.narrow(1, (height - self.height) / 2, self.height).narrow(
                2,
                (width - self.width) / 2,
                self.width,
            )
        })
    }
}

/// In training, a window of images at a random place, the same for the whole batch; otherwise, and for
/// images that are too small, the largest window of the middle with the same aspect ratio, brought to that
/// size.
///
/// * Input: images `(batch, height, width, channels)`, or with channels first; output: the same with the new
///   height and width.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomCrop::new(24, 24).input_shape([32, 32, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 24, 24, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomCrop {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    height: usize,
    width: usize,
    #[serde(default)]
    seed: Option<u32>,
}

impl RandomCrop {
    /// A layer that cuts out this size.
    pub fn new(height: usize, width: usize) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            height,
            width,
            seed: None,
        }
    }
}

augmentation_options!(RandomCrop);

/// `len` cells along an axis from a place on that is a tensor.
fn window(x: &Tensor, axis: isize, start: &Tensor, len: usize) -> Tensor {
    x.take(Tensor::arange(len, DType::I32) + start, axis)
}

impl Layer for RandomCrop {
    builtin!(RandomCrop);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_size("RandomCrop", self.height, self.width)?;
        check_images("RandomCrop", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let training = cx.training();
        with_channels_last(self.data_format, x, |x| {
            let (height, width) = (x.shape()[1], x.shape()[2]);
            if !training || height < self.height || width < self.width {
                return fitted(x, [self.height, self.width]);
            }
            let [down, across] = draws(cx, self.seed, 1);
            // Rounding in a 16-bit type must not lead past the last place.
            let place = |draw: &Tensor, free: usize| {
                let at = (draw * (free + 1) as f64).floor().minimum(free as f64);
                at.cast(DType::I32)
            };
            let rows = window(x, 1, &place(&down, height - self.height), self.height);
            window(&rows, 2, &place(&across, width - self.width), self.width)
        })
    }
}
