//! Images mixed with versions of themselves, in training.

use super::augmentation::{BYTES, Factor, bytes};
use super::base::{Base, positive};
use super::changes::Changes;
use super::gamma::{NUMBERS, log_gamma};
use super::image_options::{
    augmentation_options, interpolation_option, ranged, value_range_option,
};
use super::mix_up::check_alpha;
use super::mixing::numbers;
use super::spatial::DataFormat;
use super::{Build, Call, InputShape, Layer};
use crate::image::Interpolation;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// In training, mixes images with versions of themselves, each of which some layers chosen at random made one after
/// the other (Hendrycks et al., 2019), and clips them to `value_range`; otherwise does nothing.
///
/// * Input and output: images in colour or grey `(batch, height, width, channels)`, or with channels first.
/// * How: at each of `chain_depth` places of each of `num_chains` chains one of the layers of
///   [`RandAugment`](super::RandAugment), or none, changes all images of the batch. The results are weighed by draws
///   from a Dirichlet distribution and mixed with the images by one from Beta(α, α). All layers are worked out for
///   every place.
/// * Defaults: 3 chains of 3 places, a `factor` of the layers between 0 and 0.3, `alpha` 1, all layers;
///   [`all_ops`](AugMix::all_ops) leaves out those of brightness, colour, contrast and sharpness.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(AugMix::new(0.3).num_chains(2).all_ops(false).input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugMix {
    #[serde(skip)]
    base: Base,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "bytes")]
    value_range: (f64, f64),
    #[serde(default = "three")]
    num_chains: usize,
    #[serde(default = "three")]
    chain_depth: usize,
    #[serde(default = "some")]
    factor: Factor,
    #[serde(default = "one")]
    alpha: f64,
    #[serde(default = "yes")]
    all_ops: bool,
    #[serde(default)]
    interpolation: Interpolation,
    #[serde(default)]
    seed: Option<u32>,
}

fn three() -> usize {
    3
}

fn some() -> Factor {
    Factor::UpTo(0.3)
}

fn one() -> f64 {
    1.0
}

fn yes() -> bool {
    true
}

impl AugMix {
    /// A layer whose changes have this `factor`, between 0 and 1.
    pub fn new(factor: impl Into<Factor>) -> Self {
        Self {
            base: Base::default(),
            data_format: DataFormat::default(),
            value_range: BYTES,
            num_chains: three(),
            chain_depth: three(),
            factor: factor.into(),
            alpha: one(),
            all_ops: true,
            interpolation: Interpolation::default(),
            seed: None,
        }
    }

    /// How many chains there are; 3 by default.
    pub fn num_chains(mut self, chains: usize) -> Self {
        self.num_chains = chains;
        self
    }

    /// How many places a chain has; 3 by default. All chains together have at most 64.
    pub fn chain_depth(mut self, depth: usize) -> Self {
        self.chain_depth = depth;
        self
    }

    /// The shape of both distributions, above 0; 1 by default.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Whether brightness, colour, contrast and sharpness change too; so they do by default.
    pub fn all_ops(mut self, all: bool) -> Self {
        self.all_ops = all;
        self
    }

    interpolation_option!();

    value_range_option!();

    fn changes(&self) -> Changes {
        Changes {
            factor: self.factor,
            value_range: self.value_range,
            interpolation: self.interpolation,
            data_format: self.data_format,
            seed: self.seed,
            colours: self.all_ops,
        }
    }

    /// The images, a share of them, and the rest of what the chains made, by their weights.
    fn mixed(
        &self,
        images: &Tensor,
        chains: &[Tensor],
        weights: &Tensor,
        share: &Tensor,
    ) -> Tensor {
        let weight = |i: usize| {
            weights
                .narrow(0, i, 1)
                .reshape([1, 1, 1, 1])
                .cast(images.dtype())
        };
        let parts = chains
            .iter()
            .enumerate()
            .map(|(i, chain)| chain * weight(i));
        let sum = parts.reduce(|a, b| a + b).unwrap_or_else(|| images.clone());
        let share = share.reshape([1, 1, 1, 1]).cast(images.dtype());
        let (low, high) = self.value_range;
        (images * &share + sum * (1.0 - share)).clip(low, high)
    }
}

augmentation_options!(AugMix);

impl Layer for AugMix {
    ranged!(AugMix, factor from 0.0);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_alpha(self.alpha)?;
        positive("num_chains", self.num_chains)?;
        // A chain without places is one that leaves the images.
        let places = self.num_chains.checked_mul(self.chain_depth.max(1));
        self.changes().build("AugMix", cx, input, places)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let images = x.cast(cx.dtype());
        if !cx.training() {
            return images;
        }
        let (changes, n) = (self.changes(), self.num_chains);
        let mut choices = changes
            .choices(cx, n * self.chain_depth, changes.count() + 1)
            .into_iter();
        // The weights of the chains, then the two draws of which the share is made.
        let seed = changes.own_seed(1);
        let drawn = numbers(cx, seed, NUMBERS, n + 2);
        let logs = log_gamma(&drawn, &Tensor::from(self.alpha as f32));
        let weights = logs.narrow(0, 0, n).softmax(0);
        let share = (logs.narrow(0, n, 1) - logs.narrow(0, n + 1, 1)).sigmoid();
        let mut place = 0;
        let mut chain = || {
            (0..self.chain_depth).fold(images.clone(), |y, _| {
                let Some(choice) = choices.next() else {
                    return y;
                };
                place += 1;
                changes.changed(cx, &y, &choice, place - 1)
            })
        };
        let chains: Vec<Tensor> = (0..n).map(|_| chain()).collect();
        self.mixed(&images, &chains, &weights, &share)
    }
}
