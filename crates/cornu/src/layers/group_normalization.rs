//! Normalisation over groups of channels.

use super::affine::{Affine, affine_options};
use super::base::{Base, builtin, options};
use super::normalizing::normalize;
use super::{Build, Call, InputShape, Layer};
use crate::{DType, Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// Brings each group of channels of each sample to mean 0 and variance 1, then scales and shifts each
/// channel (Wu and He, 2018).
///
/// * Output: the shape of the input. The mask passes.
/// * Weights: `gamma` and `beta`, one value for each channel.
/// * Defaults: 32 groups, `axis` -1, `epsilon` 0.001.
///
/// One group is layer normalisation of the whole sample; as many groups as channels (also written
/// `-1`) is instance normalisation. Sixteen-bit inputs are normalised in `f32`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(GroupNormalization::new(2).epsilon(0.0).input_shape([4]));
/// model.build()?;
/// let y = model.predict(&Array::from([[3.0f32, 5.0, 10.0, 30.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0, -1.0, 1.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNormalization {
    #[serde(skip)]
    base: Base,
    #[serde(default = "groups")]
    groups: isize,
    #[serde(default = "last")]
    axis: isize,
    #[serde(default = "epsilon")]
    epsilon: f64,
    #[serde(flatten)]
    affine: Affine,
}

fn groups() -> isize {
    32
}

fn last() -> isize {
    -1
}

fn epsilon() -> f64 {
    1e-3
}

impl Default for GroupNormalization {
    fn default() -> Self {
        Self::new(groups())
    }
}

impl GroupNormalization {
    /// The layer for so many groups, which must divide the number of channels; `-1` for a group for
    /// each channel.
    pub fn new(groups: isize) -> Self {
        Self {
            base: Base::default(),
            groups,
            axis: last(),
            epsilon: epsilon(),
            affine: Affine::default(),
        }
    }

    /// The axis of the channels, the last by default; negative ones count from the end.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// Added to the variance; 0.001 by default.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The number of groups among so many channels.
    fn groups(&self, channels: usize) -> Result<usize> {
        let groups = match usize::try_from(self.groups) {
            Ok(groups) if groups > 0 => groups,
            _ if self.groups == -1 => channels,
            _ => {
                return Err(Error::new(format!(
                    "groups must be a positive integer, or -1 for a group for each channel. \
                     Received: groups={}.",
                    self.groups
                )));
            }
        };
        if groups == 0 || !channels.is_multiple_of(groups) || channels == 0 {
            return Err(Error::shape(format!(
                "groups must divide the number of channels, {channels}. Received: groups={groups}."
            )));
        }
        Ok(groups)
    }

    /// The axis, the input's shape with its channels in groups, and the shape of the weights for it.
    fn grouped(&self, input: &Shape) -> Result<(usize, Shape, Shape)> {
        let axis = input.axis(self.axis)?;
        if axis == 0 {
            return Err(Error::shape(format!(
                "The axis of the channels is not that of the batch. Received: axis={} for an input \
                 of rank {}.",
                self.axis,
                input.rank()
            )));
        }
        let groups = self.groups(input[axis])?;
        let split = [groups, input[axis] / groups];
        let mut shape = input.to_vec();
        let mut weights = vec![1; input.rank()];
        for extents in [&mut shape, &mut weights] {
            extents.splice(axis..=axis, split);
        }
        Ok((axis, shape.into(), weights.into()))
    }
}

options!(GroupNormalization);
affine_options!(GroupNormalization);

impl Layer for GroupNormalization {
    builtin!(GroupNormalization, masks pass);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let channels = input.extent(self.axis)?;
        self.groups(channels)?;
        self.affine.build(cx, &[channels].into())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let dtype = x.dtype().promote(DType::F32);
        let (axis, grouped, weights) = match self.grouped(x.shape()) {
            Ok(found) => found,
            Err(e) => return Tensor::error(e),
        };
        let (gamma, beta) = self.affine.weights(cx, &weights, dtype);
        let axes: Vec<isize> = (1..grouped.rank())
            .filter(|a| *a != axis)
            .map(|a| a as isize)
            .collect();
        let y = x.cast(dtype).reshape(grouped);
        let y = normalize(&y, &axes, gamma.as_ref(), beta.as_ref(), self.epsilon);
        y.reshape(x.shape().clone()).cast(cx.dtype())
    }
}
