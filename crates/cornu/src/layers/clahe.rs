//! Contrast spread tile by tile.

use super::augmentation::{BYTES, bytes, check_images, check_range, rescaled, with_channels_last};
use super::base::{Base, builtin, options, positive};
use super::image_options::value_range_option;
use super::spatial::{DataFormat, PerAxis, check_reach, data_format_option};
use super::{Build, Call, InputShape, Layer, budget};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Spreads the values of each channel of an image tile by tile (CLAHE; Zuiderveld, 1994), in training and outside
/// it: a value becomes the share of the tile's values not above it, and between the middles of tiles the mean of the
/// nearest four. What a tile has of one value beyond a limit counts for all values alike, so that flat regions stay
/// flat.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first; values are counted as bytes.
///   Where tiles do not fit, the image is continued by its reflection.
/// * Defaults: `clip_limit` 4 times the mean count of a value (0: none); 8 by 8 tiles.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// let layer = ContrastLimitedAdaptiveHistogramEqualization::new().tile_grid_size(1).clip_limit(0.0);
/// model.add(layer.input_shape([1, 4, 1]));
/// model.build()?;
/// let x = Array::from_vec([1, 1, 4, 1], vec![10.0f32, 10.0, 12.0, 14.0])?;
/// assert_eq!(model.predict(&x)?.to_vec::<f32>(), [127.5, 127.5, 191.25, 255.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContrastLimitedAdaptiveHistogramEqualization {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default = "four")]
    clip_limit: f64,
    #[serde(default = "eight")]
    tile_grid_size: PerAxis<2>,
}

fn four() -> f64 {
    4.0
}

fn eight() -> PerAxis<2> {
    PerAxis([8, 8])
}

options!(ContrastLimitedAdaptiveHistogramEqualization);

impl Default for ContrastLimitedAdaptiveHistogramEqualization {
    fn default() -> Self {
        Self::new()
    }
}

impl ContrastLimitedAdaptiveHistogramEqualization {
    /// The layer for images of bytes, with channels last.
    pub fn new() -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            clip_limit: four(),
            tile_grid_size: eight(),
        }
    }

    value_range_option!();

    /// How often a value counts at most, in means of all values; 4 by default, without a limit if not above 0.
    pub fn clip_limit(mut self, limit: f64) -> Self {
        self.clip_limit = limit;
        self
    }

    /// How many tiles there are down and across; 8 each by default.
    pub fn tile_grid_size(mut self, tiles: impl Into<PerAxis<2>>) -> Self {
        self.tile_grid_size = tiles.into();
        self
    }

    data_format_option!(data_format);

    /// What each value becomes in each tile, for whole bytes `ids`, `(batch, rows, columns, channels)`, of tiles of
    /// this height and width: `(batch, down, across, channels, 256)`.
    fn tables(&self, ids: &Tensor, [tall, wide]: [usize; 2]) -> Tensor {
        let [down, across] = self.tile_grid_size.0;
        let (n, channels) = (ids.shape()[0], ids.shape()[3]);
        let shape = [n, down, across, channels, VALUES];
        let tiles: usize = shape[..4].iter().product();
        let cells = ids.reshape([n, down, tall, across, wide, channels]);
        let cells = cells.transpose(&[0, 1, 3, 5, 2, 4]);
        let tile = Tensor::iota([tiles], 0, DType::I32).reshape([n, down, across, channels, 1, 1]);
        let at = cells + tile * VALUES as i32;
        let ones = Tensor::ones([at.size()], DType::F32);
        let counts = ones.segment_sum(at.reshape([at.size()]), tiles * VALUES);
        let counts = counts.reshape(shape);
        let all = (tall * wide) as f64;
        let counts = match self.clip_limit > 0.0 {
            true => {
                let kept = counts.clip(0.0, self.clip_limit * all / VALUES as f64);
                let excess = (&counts - &kept).sum_axes(&[4], true);
                kept + excess / VALUES as f64
            }
            false => counts,
        };
        let below = counts.cumsum(4);
        let least = below.min_axes(&[4], true);
        let rest = all - &least;
        let rest = rest.eq(0.0).select(1.0, &rest);
        ((below - least) * 255.0 / rest).clip(0.0, 255.0)
    }

    /// Images of bytes, `(batch, height, width, channels)`, equalised.
    fn equalized(&self, images: &Tensor) -> Tensor {
        let &[n, height, width, channels] = &images.shape()[..] else {
            return images.clone();
        };
        if images.size() == 0 {
            return images.clone();
        }
        let [down, across] = self.tile_grid_size.0;
        let [tall, wide] = [height.div_ceil(down), width.div_ceil(across)];
        let images = continued(&continued(images, 1, tall * down), 2, wide * across);
        let ids = images.clip(0.0, 255.0).cast(DType::I32);
        // Tiles beyond the border are those at it.
        let tables = self.tables(&ids, [tall, wide]);
        let tables = bordered(&bordered(&tables, 1), 2);
        let flat = tables.reshape([tables.size()]);
        let place = |axis: usize, extent: usize| {
            let mut shape = [1; 4];
            shape[axis] = extent;
            Tensor::iota(shape, axis, DType::I32)
        };
        let (row, column) = (near(1, tall, down), near(2, wide, across));
        let own = place(0, n) * ((down + 2) * (across + 2)) as i32;
        let read = |row: &Tensor, column: &Tensor| {
            let tile = (&own + row * (across as i32 + 2) + column) * channels as i32;
            let at = (tile + place(3, channels)) * VALUES as i32 + &ids;
            flat.take(at, 0)
        };
        let between = |a: Tensor, b: Tensor, share: &Tensor| a * (1.0 - share) + b * share;
        let top = between(read(&row.0, &column.0), read(&row.0, &column.1), &column.2);
        let bottom = between(read(&row.1, &column.0), read(&row.1, &column.1), &column.2);
        let seen = between(top, bottom, &row.2);
        seen.narrow(1, 0, height).narrow(2, 0, width)
    }
}

/// Values of a byte.
const VALUES: usize = 256;

/// The images continued along an axis to some length by their reflection, again and again.
fn continued(images: &Tensor, axis: usize, length: usize) -> Tensor {
    let n = images.shape()[axis];
    if n == length {
        return images.clone();
    }
    let place = |i: usize| {
        let along = i % (2 * n);
        along.min(2 * n - 1 - along) as i32
    };
    let places: Vec<i32> = (0..length).map(place).collect();
    images.take(Tensor::constant(places), axis as isize)
}

/// The first and the last along an axis once more.
fn bordered(x: &Tensor, axis: usize) -> Tensor {
    let n = x.shape()[axis];
    let along = axis as isize;
    let ends = [x.narrow(along, 0, 1), x.narrow(along, n - 1, 1)];
    Tensor::concat(&[ends[0].clone(), x.clone(), ends[1].clone()], along)
}

/// For each cell along an axis of `tiles` tiles of a size: the tiles, with the one beyond the border, between whose
/// middles it lies, and how far it is from the first to the second.
fn near(axis: usize, size: usize, tiles: usize) -> (Tensor, Tensor, Tensor) {
    let mut shape = [1; 4];
    shape[axis] = size * tiles;
    let at = Tensor::iota(shape, axis, DType::F32);
    let at = (at - size as f64 / 2.0) / size as f64 + 1.0;
    let first = at.floor();
    let tile = |t: &Tensor| t.clip(0.0, tiles as f64 + 1.0).cast(DType::I32);
    (tile(&first), tile(&(&first + 1.0)), at - first)
}

impl Layer for ContrastLimitedAdaptiveHistogramEqualization {
    builtin!(ContrastLimitedAdaptiveHistogramEqualization);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_range(self.value_range)?;
        let [down, across] = self.tile_grid_size.0;
        positive("tile_grid_size", down.min(across))?;
        check_reach("tile_grid_size", &[down, across])?;
        if self.clip_limit.is_nan() {
            return Err(Error::new(
                "clip_limit must be a number. Received: clip_limit=NaN.",
            ));
        }
        check_images("ContrastLimitedAdaptiveHistogramEqualization", input)?;
        let channels = input.0[self.data_format.channels(4)].unwrap_or(1);
        let tiles = (down + 2).saturating_mul(across + 2);
        budget::table(tiles, channels.saturating_mul(VALUES))
    }

    /// The type of the images stays, as in Keras.
    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        with_channels_last(self.data_format, x, |x| {
            let images = rescaled(&x.cast(DType::F32), self.value_range, BYTES);
            rescaled(&self.equalized(&images), BYTES, self.value_range).cast(x.dtype())
        })
    }
}
