//! Images blurred at random, in training.

use super::augmentation::{
    BYTES, Factor, between, bytes, check_images, check_range, chosen, draws, whole,
    with_channels_last,
};
use super::base::Base;
use super::image_options::{augmentation_options, ranged, value_range_option};
use super::spatial::{DataFormat, PerAxis, check_reach};
use super::{Build, Call, InputShape, Layer, budget};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, blurs some of the images: each cell becomes the mean of those around it, weighted by
/// exp(−d² / 2 σ²) of their distances, where what is outside is 0; otherwise does nothing.
///
/// * Input and output: images `(batch, height, width, channels)`, or with channels first.
/// * `factor`: which share of the images, between 0 and 1; one number stands for a range from 0.
/// * Defaults: `kernel_size` 3; `sigma`, drawn once for height and width of all images, up to 1.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(RandomGaussianBlur::new((0.5, 0.5)).kernel_size(5).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomGaussianBlur {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "whole")]
    factor: Factor,
    #[serde(default = "three")]
    kernel_size: PerAxis<2>,
    #[serde(default = "whole")]
    sigma: Factor,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default)]
    seed: Option<u32>,
}

fn three() -> PerAxis<2> {
    PerAxis([3, 3])
}

impl RandomGaussianBlur {
    /// A layer that blurs this share of the images.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            factor: factor.into(),
            kernel_size: three(),
            sigma: whole(),
            value_range: BYTES,
            seed: None,
        }
    }

    /// How many cells are seen across and down, odd numbers; 3 by default.
    pub fn kernel_size(mut self, size: impl Into<PerAxis<2>>) -> Self {
        self.kernel_size = size.into();
        self
    }

    /// How wide the weights are, in cells, between 0 and 1; up to 1 by default.
    pub fn sigma(mut self, sigma: impl Into<Factor>) -> Self {
        self.sigma = sigma.into();
        self
    }

    value_range_option!(
        "The least and the largest value of images, to which results are clipped; 0 and 255 by default."
    );
}

augmentation_options!(RandomGaussianBlur);

/// What `size` cells around each of `n` count: a matrix that blurs lines.
fn weights(size: usize, sigma: &Tensor, n: usize) -> Tensor {
    let bell = |distance: &Tensor| ((distance / sigma).square() * -0.5).exp();
    let reach = (size as f64 - 1.0) / 2.0;
    let sum = bell(&(Tensor::iota([size], 0, DType::F32) - reach)).sum();
    let at = |axis| Tensor::iota([n, n], axis, DType::F32);
    let distance = at(0) - at(1);
    let seen = distance.abs().le(reach);
    seen.select(bell(&distance), 0.0) / sum
}

impl Layer for RandomGaussianBlur {
    ranged!(RandomGaussianBlur, factor, sigma from 0.0);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.factor.check("factor", 0.0, 1.0)?;
        self.sigma.check("sigma", 0.0, 1.0)?;
        let sizes = self.kernel_size.0;
        if sizes.iter().any(|n| n.is_multiple_of(2)) {
            return Err(Error::new(format!(
                "kernel_size must be odd numbers. Received: kernel_size={sizes:?}."
            )));
        }
        check_reach("kernel_size", &sizes)?;
        sizes.iter().try_for_each(|n| budget::table(*n, 1))?;
        check_range(self.value_range)?;
        check_images("RandomGaussianBlur", input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() {
            return x.clone();
        }
        const LEAST: f64 = 1e-6;
        let n = x.shape()[0];
        let [share, draw, across, down] = draws(cx, self.seed, n);
        let chosen = chosen(&draw, &share, self.factor);
        // One for all images.
        let sigma = |draws: &Tensor| {
            let first = draws.narrow(0, 0, n.min(1));
            between(&first, self.sigma.range(0.0, 1.0)) + LEAST
        };
        let [wide, tall] = self.kernel_size.0;
        let (low, high) = self.value_range;
        let blurred = with_channels_last(self.data_format, x, |x| {
            let across = weights(wide, &sigma(&across), x.shape()[2]).cast(x.dtype());
            let down = weights(tall, &sigma(&down), x.shape()[1]).cast(x.dtype());
            let lines = Tensor::einsum("nhwc,vw->nhvc", &[x, &across]);
            Tensor::einsum("nhwc,vh->nvwc", &[&lines, &down])
        });
        chosen.select(blurred, x).clip(low, high)
    }
}
