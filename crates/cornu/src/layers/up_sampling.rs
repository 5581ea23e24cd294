//! Space with more cells.

use super::base::Base;
use super::image_options::interpolation_option;
use super::spatial::{DataFormat, PerAxis, check_sizes, check_space, data_format_option};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::image::{Interpolation, Resize, resize};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Space with every cell several times. See [`UpSampling1D`], [`UpSampling2D`], [`UpSampling3D`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpSampling<const N: usize> {
    #[serde(skip)]
    base: Base,
    #[serde(default = "two")]
    size: PerAxis<N>,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "nearest")]
    interpolation: Interpolation,
}

fn two<const N: usize>() -> PerAxis<N> {
    PerAxis([2; N])
}

fn nearest() -> Interpolation {
    Interpolation::Nearest
}

impl<const N: usize> UpSampling<N> {
    /// A layer that makes so many cells of one along each axis.
    pub fn new(size: impl Into<PerAxis<N>>) -> Self {
        Self {
            base: Base::default(),
            size: size.into(),
            data_format: DataFormat::ChannelsLast,
            interpolation: nearest(),
        }
    }

    fn class(&self) -> &'static str {
        ["UpSampling1D", "UpSampling2D", "UpSampling3D"][N - 1]
    }
}

impl UpSampling<2> {
    interpolation_option!("What the new cells are; copies of the nearest by default.");

    data_format_option!(data_format);
}

impl UpSampling<3> {
    data_format_option!(data_format);
}

impl<const N: usize> LayerOptions for UpSampling<N> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

/// Every cell along an axis `times` over.
fn repeat(x: &Tensor, axis: usize, times: usize) -> Tensor {
    let mut shape = x.shape().to_vec();
    let mut wide = shape.clone();
    wide.insert(axis + 1, times);
    shape[axis] *= times;
    x.expand_dims(axis as isize + 1)
        .broadcast_to(wide)
        .reshape(shape)
}

impl<const N: usize> Layer for UpSampling<N> {
    fn class_name(&self) -> &str {
        self.class()
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = super::registry::fields(self);
        if N != 2 {
            map.remove("interpolation");
        }
        if N == 1 {
            map.remove("data_format");
            map.insert("size".into(), self.size.0[0].into());
        }
        map
    }

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_sizes("size", self.size.0)?;
        check_space(self.class(), input, N, self.data_format)
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        if self.interpolation == Interpolation::Nearest {
            let first = match self.data_format {
                DataFormat::ChannelsLast => 1,
                DataFormat::ChannelsFirst => 2,
            };
            let axes = self.size.0.iter().enumerate();
            return axes.fold(x.clone(), |x, (i, times)| repeat(&x, first + i, *times));
        }
        let x = self.data_format.to_last(x);
        let size = [
            x.shape()[1] * self.size.0[0],
            x.shape()[2] * self.size.0[N - 1],
        ];
        let how = Resize {
            interpolation: self.interpolation,
            ..Resize::default()
        };
        self.data_format.restore(&resize(&x, size, how))
    }
}

/// Every step of `(batch, steps, channels)` so many times, twice by default.
pub type UpSampling1D = UpSampling<1>;
/// Images `(batch, height, width, channels)` with so many cells for each along both axes, or what lies
/// between them.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(UpSampling2D::new((2, 3)).input_shape([1, 2, 1]));
/// model.build()?;
/// let y = model.predict(&Array::from_vec([1, 1, 2, 1], vec![1.0f32, 2.0])?)?;
/// assert_eq!(y.shape().dims(), [1, 2, 6, 1]);
/// assert_eq!(y.to_vec::<f32>()[..6], [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type UpSampling2D = UpSampling<2>;
/// Volumes with so many cells for each along every axis.
pub type UpSampling3D = UpSampling<3>;
