//! Normalisation over the batch.

use super::affine::{Affine, affine_options, ones};
use super::base::{Base, builtin, options};
use super::normalizing::{moments, normalize, standardize};
use super::weight_options::zeros;
use super::{Build, Call, InputShape, Layer};
use crate::initializers::Initializer;
use crate::{Array, DType, Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Brings each channel to mean 0 and variance 1 over the batch, then scales and shifts it (Ioffe and
/// Szegedy, 2015).
///
/// In training the moments are those of the batch, over all axes but `axis`; a mask leaves steps out
/// of them. Beside it `moving_mean = momentum · moving_mean + (1 − momentum) · mean`, and likewise
/// `moving_variance`; these stand for the moments outside training, and in training too if the layer
/// is frozen.
///
/// * Output: the shape of the input. The mask passes.
/// * Weights: `gamma`, `beta`, and without gradients `moving_mean`, `moving_variance`, one value for
///   each channel.
/// * Defaults: `axis` -1, `momentum` 0.99, `epsilon` 0.001.
///
/// The variance is the biased one everywhere. Sixteen-bit inputs are normalised in `f32`.
///
/// With `renorm`, training corrects what the batch's moments say towards running ones, so that training and
/// use agree also for small batches (Ioffe, 2017): with σ = √(variance + epsilon), the normalised x̂ becomes
/// x̂ · r + d, where r = σ / `renorm_stddev` and d = (mean − `renorm_mean`) / `renorm_stddev`, clipped by
/// `renorm_clipping`, have no gradients. Three weights more follow, moved likewise: `moving_stddev` (by
/// `momentum`, from which `moving_variance` follows), `renorm_mean` and `renorm_stddev` (by
/// `renorm_momentum`, 0.99).
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(BatchNormalization::new().epsilon(1.0).input_shape([2]));
/// model.build()?;
/// // The moving mean starts at 0, the moving variance at 1.
/// let y = model.predict(&Array::from([[3.0f32, 4.0]]))?;
/// assert!((y.to_vec::<f32>()[0] - 3.0 / 2f32.sqrt()).abs() < 1e-6);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNormalization {
    #[serde(skip)]
    base: Base,
    #[serde(default = "last")]
    axis: isize,
    #[serde(default = "momentum")]
    momentum: f64,
    #[serde(default = "epsilon")]
    epsilon: f64,
    #[serde(flatten)]
    affine: Affine,
    #[serde(default = "zeros")]
    moving_mean_initializer: Initializer,
    #[serde(default = "ones")]
    moving_variance_initializer: Initializer,
    #[serde(default)]
    synchronized: bool,
    #[serde(default)]
    renorm: bool,
    #[serde(default)]
    renorm_clipping: Option<BTreeMap<String, f64>>,
    #[serde(default = "momentum")]
    renorm_momentum: f64,
}

fn last() -> isize {
    -1
}

fn momentum() -> f64 {
    0.99
}

fn epsilon() -> f64 {
    1e-3
}

impl Default for BatchNormalization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: last(),
            momentum: momentum(),
            epsilon: epsilon(),
            affine: Affine::default(),
            moving_mean_initializer: zeros(),
            moving_variance_initializer: ones(),
            synchronized: false,
            renorm: false,
            renorm_clipping: None,
            renorm_momentum: momentum(),
        }
    }
}

impl BatchNormalization {
    /// The layer for channels along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis of the channels; negative ones count from the end.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// The share of the old in the moving moments; 0.99 by default.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Added to the variance; 0.001 by default.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// How `moving_mean` starts; `"zeros"` by default.
    pub fn moving_mean_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.moving_mean_initializer = initializer.into();
        self
    }

    /// How `moving_variance` starts; `"ones"` by default.
    pub fn moving_variance_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.moving_variance_initializer = initializer.into();
        self
    }
}

impl BatchNormalization {
    /// Whether training corrects the batch's moments towards running ones; not by default.
    pub fn renorm(mut self, renorm: bool) -> Self {
        self.renorm = renorm;
        self
    }

    /// With the bounds of `renorm` told, as Keras tells them: none, and not null.
    fn explicit(&self) -> Self {
        let mut told = self.clone();
        if told.renorm {
            told.renorm_clipping.get_or_insert_default();
        }
        told
    }

    /// The bounds of the corrections: `"rmin"` and `"rmax"` of r, and `"dmax"` of |d|; none by default.
    pub fn renorm_clipping<'a>(mut self, bounds: impl IntoIterator<Item = (&'a str, f64)>) -> Self {
        let bounds = bounds.into_iter();
        self.renorm_clipping = Some(bounds.map(|(key, bound)| (key.into(), bound)).collect());
        self
    }

    /// The share of the old in the running moments that correct; 0.99 by default.
    pub fn renorm_momentum(mut self, momentum: f64) -> Self {
        self.renorm_momentum = momentum;
        self
    }

    /// A bound of the corrections.
    fn bound(&self, key: &str) -> Option<f64> {
        self.renorm_clipping.as_ref()?.get(key).copied()
    }

    /// Refuses bounds that are none.
    fn check_bounds(&self) -> Result<()> {
        let known = ["rmax", "rmin", "dmax"];
        for key in self.renorm_clipping.iter().flat_map(|bounds| bounds.keys()) {
            if !known.contains(&&**key) {
                return Err(Error::unknown("renorm_clipping key", key, &known));
            }
        }
        if let (Some(low), Some(high)) = (self.bound("rmin"), self.bound("rmax"))
            && low > high
        {
            return Err(Error::new(format!(
                "rmax must be at least rmin. Received: rmax={high}, rmin={low}."
            )));
        }
        match self.bound("dmax") {
            Some(d) if d < 0.0 => Err(Error::new(format!(
                "dmax must not be negative. Received: dmax={d}."
            ))),
            _ => Ok(()),
        }
    }

    /// What `renorm` makes of `gamma` and `beta` in training, given the batch's moments; moves the running
    /// ones.
    fn corrected(
        &self,
        cx: &mut Call<'_>,
        (mean, variance): (&Tensor, &Tensor),
        gamma: Option<&Tensor>,
        beta: Option<&Tensor>,
    ) -> (Tensor, Tensor) {
        let dtype = mean.dtype();
        let deviation = &(variance + self.epsilon).sqrt();
        let kept = |name: &str| cx.weight_as(name, dtype).reshape(mean.shape().clone());
        let (old_mean, old_deviation) = (kept("renorm_mean"), kept("renorm_stddev"));
        let moving = kept("moving_stddev");
        // Not zero early in training.
        let divisor = old_deviation.maximum(self.epsilon.sqrt());
        let (low, high) = (self.bound("rmin"), self.bound("rmax"));
        let r = (deviation / &divisor).clip(
            low.unwrap_or(f64::NEG_INFINITY),
            high.unwrap_or(f64::INFINITY),
        );
        let far = self.bound("dmax").unwrap_or(f64::INFINITY);
        let d = ((mean - &old_mean) / divisor).clip(-far, far);
        let (r, d) = (r.stop_gradient(), d.stop_gradient());

        let moving = moved(&moving, deviation, self.momentum);
        let variance = (moving.square() - self.epsilon).relu();
        let mut keep = |name: &str, value: Tensor| cx.update(name, value.reshape([value.size()]));
        keep("renorm_mean", moved(&old_mean, mean, self.renorm_momentum));
        keep(
            "renorm_stddev",
            moved(&old_deviation, deviation, self.renorm_momentum),
        );
        keep("moving_stddev", moving);
        keep("moving_variance", variance);

        let (scale, offset) = match gamma {
            Some(gamma) => (r * gamma, d * gamma),
            None => (r, d),
        };
        let offset = beta.map_or(offset.clone(), |beta| offset + beta);
        (scale, offset)
    }
}

/// The roots of the values that an initializer gives.
fn square_root(initializer: &Initializer) -> Initializer {
    let of = initializer.clone();
    Initializer::custom("square_root", move |shape, dtype, seed| {
        let values = of.sample(shape, DType::F64, seed, 0)?.to_vec::<f64>();
        let roots: Vec<f64> = values.into_iter().map(f64::sqrt).collect();
        Ok(Array::from_vec(shape.clone(), roots)?.cast(dtype))
    })
}

/// The old value moved towards the new.
fn moved(old: &Tensor, new: &Tensor, momentum: f64) -> Tensor {
    old * momentum + new * (1.0 - momentum)
}

options!(BatchNormalization);
affine_options!(BatchNormalization);

/// Mean and variance over `axes` of the steps that count. Keras' small number in the denominator
/// keeps a batch without any at 0.
fn masked_moments(x: &Tensor, mask: &Tensor, axes: &[isize]) -> (Tensor, Tensor) {
    const EPSILON: f64 = 1e-7;
    let counts = mask.expand_dims(-1).broadcast_to(x.shape().clone());
    let weight = counts.cast(x.dtype()).sum_axes(axes, true) + EPSILON;
    let mean = counts.select(x, 0.0).sum_axes(axes, true) / &weight;
    let squares = counts.select((x - &mean).square(), 0.0);
    (mean, squares.sum_axes(axes, true) / weight)
}

impl Layer for BatchNormalization {
    builtin!(BatchNormalization, config of explicit);

    fn supports_masking(&self) -> bool {
        true
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if self.synchronized {
            return Err(Error::new(
                "BatchNormalization computes on one device; synchronized must be false. Received: \
                 synchronized=true.",
            ));
        }
        let channels = [input.extent(self.axis)?];
        self.affine.build(cx, &channels.into())?;
        let (mean, variance) = (
            &self.moving_mean_initializer,
            &self.moving_variance_initializer,
        );
        let mut weights = vec![
            ("moving_mean", mean.clone()),
            ("moving_variance", variance.clone()),
        ];
        if self.renorm {
            self.check_bounds()?;
            weights.extend([
                ("moving_stddev", square_root(variance)),
                ("renorm_mean", mean.clone()),
                ("renorm_stddev", square_root(variance)),
            ]);
        }
        weights.into_iter().try_for_each(|(name, initializer)| {
            let weight = cx.weight(name, channels).initializer(initializer);
            weight.non_trainable().add()
        })
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let axis = match x.shape().axis(self.axis) {
            Ok(axis) => axis,
            Err(e) => return Tensor::error(e),
        };
        let dtype = x.dtype().promote(DType::F32);
        let x = x.cast(dtype);
        let axes: Vec<isize> = (0..x.rank())
            .filter(|a| *a != axis)
            .map(|a| a as isize)
            .collect();
        let mut shape = vec![1; x.rank()];
        shape[axis] = x.shape()[axis];
        let shape = Shape::from(shape);
        let (gamma, beta) = self.affine.weights(cx, &shape, dtype);
        let (gamma, beta) = (gamma.as_ref(), beta.as_ref());
        let moving_mean = cx.weight_as("moving_mean", dtype).reshape(shape.clone());
        let moving_variance = cx.weight_as("moving_variance", dtype).reshape(shape);

        let mask = cx.mask(0).cloned();
        if let Some(mask) = mask.as_ref().filter(|m| m.rank() + 1 != x.rank()) {
            return Tensor::error(Error::shape(format!(
                "The mask of BatchNormalization has one axis less than the input. Received: mask of \
                 shape {}, input of shape {}.",
                mask.shape(),
                x.shape()
            )));
        }
        if !(cx.training() && cx.trainable()) {
            let statistics = (&moving_mean, &moving_variance);
            return standardize(&x, statistics, gamma, beta, self.epsilon).cast(cx.dtype());
        }
        let (mean, variance) = match &mask {
            None => moments(&x, &axes),
            Some(mask) => masked_moments(&x, mask, &axes),
        };
        let mut keep = |name: &str, value: Tensor| cx.update(name, value.reshape([value.size()]));
        keep("moving_mean", moved(&moving_mean, &mean, self.momentum));
        let corrected = match self.renorm {
            true => Some(self.corrected(cx, (&mean, &variance), gamma, beta)),
            false => {
                let variance = moved(&moving_variance, &variance, self.momentum);
                keep("moving_variance", variance);
                None
            }
        };
        let (gamma, beta) = match &corrected {
            Some((scale, offset)) => (Some(scale), Some(offset)),
            None => (gamma, beta),
        };
        let y = match &mask {
            None => normalize(&x, &axes, gamma, beta, self.epsilon),
            Some(_) => standardize(&x, (&mean, &variance), gamma, beta, self.epsilon),
        };
        y.cast(cx.dtype())
    }
}
