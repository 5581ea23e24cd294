//! Images turned round, turned, zoomed and moved at random, in training.

use super::augmentation::{Factor, between, check_images, draws, with_channels_last};
use super::base::{Base, builtin};
use super::image_options::{augmentation_options, ranged};
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::{FillMode, Interpolation, affine_transform};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Which way images are turned round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlipMode {
    /// Left to right.
    Horizontal,
    /// Top to bottom.
    Vertical,
    /// Both, the default.
    #[default]
    HorizontalAndVertical,
}

/// In training, turns about half of the images round; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * Defaults: both left to right and top to bottom (together, as in Keras).
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomFlip::new(FlipMode::Horizontal).input_shape([1, 2, 1]));
/// model.build()?;
/// let x = Array::from_vec([1, 1, 2, 1], vec![1.0f32, 2.0])?;
/// assert_eq!(model.predict(&x)?, x);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFlip {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    mode: FlipMode,
}

impl RandomFlip {
    /// The layer that turns images round this way.
    pub fn new(mode: FlipMode) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            seed: None,
            mode,
        }
    }
}

impl Layer for RandomFlip {
    builtin!(RandomFlip);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_images("RandomFlip", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let [draw] = draws(cx, self.seed, x.shape()[0]);
        let turn = draw.le(0.5).reshape([x.shape()[0], 1, 1, 1]);
        with_channels_last(self.data_format, x, |x| {
            let x = match self.mode {
                FlipMode::Vertical => x.clone(),
                _ => turn.select(x.flip(2), x),
            };
            match self.mode {
                FlipMode::Horizontal => x,
                _ => turn.select(x.flip(1), x),
            }
        })
    }
}

augmentation_options!(RandomFlip);

/// The options of a layer that moves what is in images.
macro_rules! moving_options {
    ($layer:ident) => {
        $crate::layers::image_options::augmentation_options!($layer);

        impl $layer {
            $crate::layers::image_options::fill_options!();
            $crate::layers::image_options::interpolation_option!();

            fn check(&self, input: &InputShape) -> Result<()> {
                check_images(stringify!($layer), input)?;
                if self.fill_mode == FillMode::Mirror {
                    return Err(Error::new(format!(
                        "{} knows the fill modes Reflect, Wrap, Constant and Nearest. Received: Mirror.",
                        stringify!($layer)
                    )));
                }
                $crate::layers::augmentation::check_interpolation(
                    stringify!($layer),
                    self.interpolation,
                )
            }

            /// The images seen through maps of these numbers, one for each image or for all.
            fn seen(&self, x: &Tensor, maps: impl FnOnce(f64, f64) -> [Tensor; 6]) -> Tensor {
                with_channels_last(self.data_format, x, |x| {
                    let &[n, height, width, _] = &x.shape()[..] else {
                        return x.clone();
                    };
                    let columns = maps(height as f64, width as f64)
                        .map(|t| t.cast(DType::F32).reshape([n, 1]));
                    let maps = Tensor::concat(&columns, 1);
                    affine_transform(
                        x,
                        &maps,
                        self.interpolation,
                        self.fill_mode,
                        self.fill_value,
                    )
                })
            }
        }
    };
}

pub(super) use moving_options;

/// In training, turns each image about its centre; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `factor`: how far, in whole turns; `0.2` is up to 72 degrees in either direction. Positive is against
///   the clock.
/// * Defaults: outside the image lies its reflection, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomRotation::new(0.1).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomRotation {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    factor: Factor,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    fill_value: f64,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
}

impl RandomRotation {
    /// A layer that turns images by up to this share of a whole turn.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            fill_mode: FillMode::default(),
            fill_value: 0.0,
            interpolation: Interpolation::default(),
            seed: None,
        }
    }
}

moving_options!(RandomRotation);

impl Layer for RandomRotation {
    ranged!(RandomRotation, factor from -1.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", -1.0, 1.0)?;
        self.check(input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let [draw] = draws(cx, self.seed, x.shape()[0]);
        let angle = between(&draw, self.factor.range(-1.0, 1.0)) * std::f64::consts::TAU;
        self.seen(x, |height, width| {
            let (sin, cos) = (angle.sin(), angle.cos());
            let (middle, centre) = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
            let across = middle - (&cos * middle - &sin * centre);
            let down = centre - (&sin * middle + &cos * centre);
            [cos.clone(), -&sin, across, sin, cos, down]
        })
    }
}

/// In training, zooms each image about its centre; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `height_factor`, `width_factor`: how far; `0.2` makes what is seen up to 20 % higher or lower, so that
///   what is in it shrinks or grows. Without a width factor both change alike.
/// * Defaults: outside the image lies its reflection, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomZoom::new((-0.3, -0.1)).input_shape([8, 8, 3])); // always nearer
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomZoom {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    height_factor: Factor,
    #[serde(default)]
    width_factor: Option<Factor>,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    fill_value: f64,
}

impl RandomZoom {
    /// A layer that zooms by up to so much.
    pub fn new(height_factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            height_factor: height_factor.into(),
            width_factor: None,
            fill_mode: FillMode::default(),
            interpolation: Interpolation::default(),
            seed: None,
            fill_value: 0.0,
        }
    }

    /// How far the width changes by itself; as the height by default.
    pub fn width_factor(mut self, factor: impl Into<Factor>) -> Self {
        self.width_factor = Some(factor.into());
        self
    }
}

moving_options!(RandomZoom);

impl Layer for RandomZoom {
    builtin!(RandomZoom);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        // A factor of -1 leaves nothing to be seen.
        self.height_factor
            .check("height_factor", -1.0 + f64::EPSILON, 1.0)?;
        let width = self.width_factor.unwrap_or(self.height_factor);
        width.check("width_factor", -1.0 + f64::EPSILON, 1.0)?;
        self.check(input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let [down, across] = draws(cx, self.seed, x.shape()[0]);
        let tall = between(&down, self.height_factor.range(-1.0, 1.0)) + 1.0;
        let wide = match self.width_factor {
            Some(factor) => between(&across, factor.range(-1.0, 1.0)) + 1.0,
            None => tall.clone(),
        };
        self.seen(x, |height, width| {
            let zero = tall.zeros_like();
            let left = (1.0 - &wide) * ((width - 1.0) / 2.0);
            let top = (1.0 - &tall) * ((height - 1.0) / 2.0);
            [wide, zero.clone(), left, zero, tall, top]
        })
    }
}

/// In training, moves each image; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `height_factor`, `width_factor`: how far, in heights and widths; positive is down and to the right.
/// * Defaults: outside the image lies its reflection, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomTranslation::new(0.1, (0.0, 0.2)).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomTranslation {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    height_factor: Factor,
    width_factor: Factor,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    fill_value: f64,
}

impl RandomTranslation {
    /// A layer that moves by up to so many heights down and widths to the right.
    pub fn new(height_factor: impl Into<Factor>, width_factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            height_factor: height_factor.into(),
            width_factor: width_factor.into(),
            fill_mode: FillMode::default(),
            interpolation: Interpolation::default(),
            seed: None,
            fill_value: 0.0,
        }
    }
}

moving_options!(RandomTranslation);

impl Layer for RandomTranslation {
    builtin!(RandomTranslation);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.height_factor.check("height_factor", -1.0, 1.0)?;
        self.width_factor.check("width_factor", -1.0, 1.0)?;
        self.check(input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let [down, across] = draws(cx, self.seed, x.shape()[0]);
        let down = between(&down, self.height_factor.range(-1.0, 1.0));
        let across = between(&across, self.width_factor.range(-1.0, 1.0));
        self.seen(x, |height, width| {
            let (zero, one) = (down.zeros_like(), down.ones_like());
            let (left, top) = (&across * -width, &down * -height);
            [one.clone(), zero.clone(), left, zero, one, top]
        })
    }
}
