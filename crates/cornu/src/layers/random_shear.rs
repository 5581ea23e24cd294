//! Images sheared at random, in training.

use super::augmentation::{Factor, between, check_images, draws, with_channels_last};
use super::base::Base;
use super::image_options::ranged;
use super::random_geometry::moving_options;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::{FillMode, Interpolation, affine_transform};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, shears each image about its first corner; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `x_factor`, `y_factor`: by how many columns a row, and rows a column, the image is moved, between 0 and
///   1, in either direction (the same for both); neither by default.
/// * Defaults: outside the image lies its reflection, between cells a bilinear mean.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomShear::new((0.1, 0.3), 0.0).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomShear {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "none")]
    x_factor: Factor,
    #[serde(default = "none")]
    y_factor: Factor,
    #[serde(default)]
    fill_mode: FillMode,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    fill_value: f64,
}

fn none() -> Factor {
    Factor::UpTo(0.0)
}

impl RandomShear {
    /// A layer that shears by up to so many columns a row and rows a column.
    pub fn new(x_factor: impl Into<Factor>, y_factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            x_factor: x_factor.into(),
            y_factor: y_factor.into(),
            fill_mode: FillMode::default(),
            interpolation: Interpolation::default(),
            seed: None,
            fill_value: 0.0,
        }
    }
}

moving_options!(RandomShear);

impl Layer for RandomShear {
    ranged!(RandomShear, x_factor, y_factor from -1.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.x_factor.check("x_factor", -1.0, 1.0)?;
        self.y_factor.check("y_factor", -1.0, 1.0)?;
        self.check(input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        let [way, across, down] = draws(cx, self.seed, x.shape()[0]);
        let way = way.gt(0.5).select(-way.ones_like(), way.ones_like());
        let drawn = |draw: &Tensor, factor: Factor| between(draw, factor.range(-1.0, 1.0)) * &way;
        let (across, down) = (drawn(&across, self.x_factor), drawn(&down, self.y_factor));
        self.seen(x, |_, _| {
            let (zero, one) = (way.zeros_like(), way.ones_like());
            [one.clone(), across, zero.clone(), down, one, zero]
        })
    }
}
