//! Normalisation over the batch.

use super::affine::{Affine, affine_options, ones, zeros};
use super::base::{Base, builtin, options};
use super::normalizing::{moments, normalize, standardize};
use super::{Build, Call, InputShape, Layer};
use crate::initializers::Initializer;
use crate::{DType, Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

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
    renorm_clipping: Option<serde_json::Value>,
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
    builtin!(BatchNormalization, masks pass);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if self.renorm {
            return Err(Error::new(
                "BatchNormalization knows no batch renormalization; renorm must be false. Received: \
                 renorm=true.",
            ));
        }
        if self.synchronized {
            return Err(Error::new(
                "BatchNormalization computes on one device; synchronized must be false. Received: \
                 synchronized=true.",
            ));
        }
        let channels = [input.extent(self.axis)?];
        self.affine.build(cx, &channels.into())?;
        cx.weight("moving_mean", channels)
            .initializer(self.moving_mean_initializer.clone())
            .non_trainable()
            .add()?;
        cx.weight("moving_variance", channels)
            .initializer(self.moving_variance_initializer.clone())
            .non_trainable()
            .add()
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
        let (y, (mean, variance)) = match &mask {
            None => (
                normalize(&x, &axes, gamma, beta, self.epsilon),
                moments(&x, &axes),
            ),
            Some(mask) => {
                let (mean, variance) = masked_moments(&x, mask, &axes);
                let y = standardize(&x, (&mean, &variance), gamma, beta, self.epsilon);
                (y, (mean, variance))
            }
        };
        for (name, old, new) in [
            ("moving_mean", moving_mean, mean),
            ("moving_variance", moving_variance, variance),
        ] {
            let moved = old * self.momentum + new * (1.0 - self.momentum);
            cx.update(name, moved.reshape([moved.size()]));
        }
        y.cast(cx.dtype())
    }
}
