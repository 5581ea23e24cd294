//! What layers that change images share.

use super::spatial::{DataFormat, check_reach};
use super::{Call, InputShape};
use crate::image::Interpolation;
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How far a random change goes: up to `f` in both directions, or between two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Factor {
    /// Up to this in both directions.
    UpTo(f64),
    /// Between these two.
    Between(f64, f64),
}

impl From<f64> for Factor {
    fn from(factor: f64) -> Self {
        Factor::UpTo(factor)
    }
}

impl From<(f64, f64)> for Factor {
    fn from((a, b): (f64, f64)) -> Self {
        Factor::Between(a, b)
    }
}

impl Factor {
    /// The least and the largest change, of which neither is beyond `low` and `high`; one number goes
    /// below 0 only as far as `low`.
    pub(super) fn range(self, low: f64, high: f64) -> (f64, f64) {
        match self {
            Factor::UpTo(f) => ((-f.abs()).max(low), f.abs().min(high)),
            Factor::Between(a, b) => (a.min(b), a.max(b)),
        }
    }

    /// Refuses what is not within these bounds.
    pub(super) fn check(self, name: &str, low: f64, high: f64) -> Result<()> {
        let numbers = match self {
            Factor::UpTo(f) => [f, f],
            Factor::Between(a, b) => [a, b],
        };
        if numbers.iter().all(|f| (low..=high).contains(f)) {
            return Ok(());
        }
        Err(Error::new(format!(
            "{name} must be a number, or two, between {low} and {high}. Received: {name}={numbers:?}."
        )))
    }
}

/// Refuses what is no batch of images, and images whose height or width is not positive.
pub(super) fn check_images(class: &str, input: &InputShape) -> Result<()> {
    if input.rank() == 4 {
        return Ok(());
    }
    Err(Error::shape(format!(
        "{class} expects images: (batch, height, width, channels), or with channels first. Received: \
         input shape {input}."
    )))
}

/// As [`check_images`], of images in colour; with `grey`, or of one channel.
pub(super) fn check_colours(
    class: &str,
    input: &InputShape,
    format: DataFormat,
    grey: bool,
) -> Result<()> {
    check_images(class, input)?;
    let channels = input.0[format.channels(4)];
    if channels.is_none_or(|n| n == 3 || (grey && n == 1)) {
        return Ok(());
    }
    let expected = match grey {
        true => "three channels, or one",
        false => "three channels",
    };
    Err(Error::shape(format!(
        "{class} expects images of {expected}. Received: input shape {input}."
    )))
}

/// Refuses what is no way between cells of images that are moved.
pub(super) fn check_interpolation(class: &str, interpolation: Interpolation) -> Result<()> {
    match interpolation {
        Interpolation::Nearest | Interpolation::Bilinear => Ok(()),
        other => Err(Error::new(format!(
            "{class} knows the interpolations Nearest and Bilinear. Received: {other:?}."
        ))),
    }
}

/// Refuses ranges of values that do not go up.
pub(super) fn check_range((low, high): (f64, f64)) -> Result<()> {
    if low.partial_cmp(&high) == Some(std::cmp::Ordering::Less) {
        return Ok(());
    }
    Err(Error::new(format!(
        "value_range must go from a lower to a higher value. Received: value_range=[{low}, {high}]."
    )))
}

/// The values of images that lie in one range, in another.
pub(super) fn rescaled(x: &Tensor, from: (f64, f64), to: (f64, f64)) -> Tensor {
    if from == to {
        return x.clone();
    }
    (x - from.0) / (from.1 - from.0) * (to.1 - to.0) + to.0
}

/// The values of most images.
pub(super) const BYTES: (f64, f64) = (0.0, 255.0);

/// [`BYTES`], as the default of a field.
pub(super) fn bytes() -> (f64, f64) {
    BYTES
}

/// Up to all, as the default of a field.
pub(super) fn whole() -> Factor {
    Factor::UpTo(1.0)
}

/// Which images are changed, by draws for each: as many as a share between 0 and 1, itself drawn, says.
pub(super) fn chosen(draw: &Tensor, share: &Tensor, factor: Factor) -> Tensor {
    let chosen = draw.lt(between(share, factor.range(0.0, 1.0)));
    chosen.reshape([draw.size(), 1, 1, 1])
}

/// A layer's fields, with ranges, which begin at `low` at the lowest, instead of the factors from which they
/// were made.
pub(super) fn with_ranges<L: Serialize, const N: usize>(
    layer: &L,
    factors: [(&str, Factor); N],
    low: f64,
) -> Map<String, Value> {
    let mut map = super::registry::fields(layer);
    map.extend(factors.map(|(name, factor)| {
        let (low, high) = factor.range(low, 1.0);
        (name.to_string(), json!([low, high]))
    }));
    map
}

/// Refuses sizes of 0.
pub(super) fn check_size(class: &str, height: usize, width: usize) -> Result<()> {
    if height > 0 && width > 0 {
        return check_reach("height and width", &[height, width]);
    }
    Err(Error::new(format!(
        "{class} needs a positive height and width. Received: height={height}, width={width}."
    )))
}

/// `N` draws in [0, 1) for each of `n` images, in `f32`: `(n,)` each.
pub(super) fn draws<const N: usize>(cx: &mut Call<'_>, seed: Option<u32>, n: usize) -> [Tensor; N] {
    let all = match seed {
        None => cx.random_uniform([N, n]),
        Some(seed) => cx.random_uniform_seeded(seed, [N, n]),
    };
    let all = all.cast(DType::F32);
    std::array::from_fn(|i| all.narrow(0, i, 1).reshape([n]))
}

/// A draw in [0, 1) brought to a range.
pub(super) fn between(draw: &Tensor, (low, high): (f64, f64)) -> Tensor {
    draw * (high - low) + low
}

/// What a function of images with channels last makes of images of some format.
pub(super) fn with_channels_last(
    format: DataFormat,
    images: &Tensor,
    function: impl FnOnce(&Tensor) -> Tensor,
) -> Tensor {
    format.restore(&function(&format.to_last(images)))
}
