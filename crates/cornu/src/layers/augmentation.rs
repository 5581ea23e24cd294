//! What layers that change images share.

use super::spatial::{DataFormat, check_reach};
use super::{Call, InputShape};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

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
