//! Features at mean 0 and variance 1, by moments known beforehand.

use super::base::{Base, options};
use super::{Build, Call, InputShape, Layer};
use crate::initializers::Initializer;
use crate::{Array, Axes, DType, Error, IntoData, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// `(x − mean) / max(√variance, 10⁻⁷)` by moments that are given or found by
/// [`adapt`](Normalization::adapt), not learned.
///
/// * Output: the shape of the input; the mask passes.
/// * The moments are those of every place along `axis`, the last by default; without axes there is one
///   mean and one variance for all.
/// * Weights, none of them trained: if the moments are not given, `mean`, `variance` and `count`, which
///   Keras keeps for old files.
/// * With `invert`, the way back: `mean + x · max(√variance, 10⁻⁷)`.
///
/// ```
/// use cornu::prelude::*;
/// let data = Array::from([[1.0f32, 10.0], [3.0, 30.0]]);
/// let mut model = Sequential::new();
/// model.add(Normalization::new().adapt(&data)?.input_shape([2]));
/// model.build()?;
/// assert_eq!(model.predict(&data)?.to_vec::<f32>(), [-1.0, -1.0, 1.0, 1.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    #[serde(skip)]
    base: Base,
    #[serde(skip)]
    adapted: Option<Adapted>,
    #[serde(default = "last")]
    axis: Option<Axes>,
    #[serde(default)]
    invert: bool,
    #[serde(default)]
    mean: Option<Moments>,
    #[serde(default)]
    variance: Option<Moments>,
}

/// One number, or one for each place along the last of the axes kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moments {
    /// For all places.
    One(f64),
    /// For each place.
    Each(Vec<f64>),
}

impl From<f64> for Moments {
    fn from(value: f64) -> Self {
        Moments::One(value)
    }
}

impl<const N: usize> From<[f64; N]> for Moments {
    fn from(values: [f64; N]) -> Self {
        Moments::Each(values.to_vec())
    }
}

impl From<Vec<f64>> for Moments {
    fn from(values: Vec<f64>) -> Self {
        Moments::Each(values)
    }
}

impl Moments {
    fn values(&self) -> &[f64] {
        match self {
            Moments::One(value) => std::slice::from_ref(value),
            Moments::Each(values) => values,
        }
    }
}

/// What was found in data.
#[derive(Clone, Debug)]
struct Adapted {
    mean: Array,
    variance: Array,
}

fn last() -> Option<Axes> {
    Some(Axes::One(-1))
}

impl Default for Normalization {
    fn default() -> Self {
        Self {
            base: Base::default(),
            adapted: None,
            axis: last(),
            invert: false,
            mean: None,
            variance: None,
        }
    }
}

impl Normalization {
    /// The layer along the last axis, whose moments are to be found.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis, or axes, whose places have moments of their own; negative ones count from the end.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = Some(axis.into());
        self
    }

    /// One mean and one variance for all places.
    pub fn without_axis(mut self) -> Self {
        self.axis = None;
        self
    }

    /// The moments, known beforehand.
    pub fn moments(mut self, mean: impl Into<Moments>, variance: impl Into<Moments>) -> Self {
        self.mean = Some(mean.into());
        self.variance = Some(variance.into());
        self
    }

    /// Whether the layer leads back from mean 0 and variance 1; not by default.
    pub fn invert(mut self, invert: bool) -> Self {
        self.invert = invert;
        self
    }

    /// Finds the moments in data, whose first axis is the batch. NaN is left out: it stands for what is missing, of
    /// which a [`NanToNum`](super::NanToNum) behind this layer makes the mean.
    ///
    /// # Errors
    /// If the moments were given, the data are empty or an axis is none of theirs.
    pub fn adapt<'a>(mut self, data: impl IntoData<'a>) -> Result<Self> {
        let data = &data.into_data().into_array();
        if self.mean.is_some() {
            return Err(Error::state(
                "Normalization adapts only if its mean and variance were not given.",
            ));
        }
        let kept = self.kept(data.shape())?;
        let shape: Shape = kept.iter().map(|a| data.shape()[*a]).collect();
        let groups = shape.size();
        if data.size() == 0 {
            return Err(Error::shape(format!(
                "Normalization adapts to at least one number. Received: shape {}.",
                data.shape()
            )));
        }
        let values: Vec<f64> = data.to_vec();
        let strides = data.shape().strides();
        // The group of an element: its place along the axes that are kept.
        let group = |flat: usize| {
            kept.iter().fold(0, |at, a| {
                at * data.shape()[*a] + flat / strides[*a] % data.shape()[*a]
            })
        };
        let present = || values.iter().enumerate().filter(|(_, v)| !v.is_nan());
        let mut each = vec![0.0; groups];
        present().for_each(|(i, _)| each[group(i)] += 1.0);
        let mut mean = vec![0.0; groups];
        for (i, v) in present() {
            let g = group(i);
            mean[g] += v / each[g];
        }
        let mut variance = vec![0.0; groups];
        for (i, v) in present() {
            let g = group(i);
            variance[g] += (v - mean[g]).powi(2) / each[g];
        }
        self.adapted = Some(Adapted {
            mean: Array::from_vec(shape.clone(), mean)?,
            variance: Array::from_vec(shape, variance)?,
        });
        Ok(self)
    }

    /// The axes kept, in order, of tensors of this shape.
    fn kept(&self, shape: &Shape) -> Result<Vec<usize>> {
        let axes = self.axis.as_ref().map_or(&[][..], Axes::as_slice);
        let mut kept: Vec<usize> = axes.iter().map(|a| shape.axis(*a)).collect::<Result<_>>()?;
        kept.sort_unstable();
        kept.dedup();
        Ok(kept)
    }

    /// The moments given, ready to broadcast over tensors of this shape.
    fn given(&self, moments: &Moments, shape: &Shape, dtype: DType) -> Tensor {
        let kept = self.kept(shape).unwrap_or_default();
        let mut wide = vec![1; shape.rank()];
        if let (Moments::Each(values), Some(axis)) = (moments, kept.last()) {
            wide[*axis] = values.len();
        }
        Tensor::constant(moments.values().to_vec())
            .cast(dtype)
            .reshape(wide)
    }
}

options!(Normalization);

/// A fixed value as an initializer.
fn constant(name: &str, value: Array) -> Initializer {
    Initializer::custom(name, move |_, dtype, _| Ok(value.cast(dtype)))
}

impl Layer for Normalization {
    fn class_name(&self) -> &str {
        "Normalization"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn supports_masking(&self) -> bool {
        true
    }

    /// Keras writes the axes as a list.
    fn config(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut map = super::registry::fields(self);
        let axes = self.axis.as_ref().map_or(&[][..], Axes::as_slice);
        map.insert("axis".into(), axes.into());
        map
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let kept = self.kept(&input.with(1))?;
        let extents: Vec<usize> = kept
            .iter()
            .map(|a| input.extent(*a as isize))
            .collect::<Result<_>>()?;
        match (&self.mean, &self.variance) {
            (None, None) => {}
            (Some(mean), Some(variance)) => {
                let (a, b) = (mean.values().len(), variance.values().len());
                let fits = match mean {
                    Moments::One(_) => true,
                    Moments::Each(_) => a == 1 || extents.last() == Some(&a),
                };
                if a != b || !fits {
                    return Err(Error::shape(format!(
                        "Normalization needs as many means and variances as there are places along the \
                         last of its axes, or one. Received: {a} and {b} for input shape {input}."
                    )));
                }
                return Ok(());
            }
            _ => {
                return Err(Error::new(
                    "Normalization needs both mean and variance if one of them is given.",
                ));
            }
        }
        let (mut mean, mut variance) = ("zeros".into(), "ones".into());
        if let Some(adapted) = &self.adapted {
            if adapted.mean.shape()[..] != extents {
                return Err(Error::shape(format!(
                    "Normalization was adapted to data with {} places. Received: input shape {input}.",
                    adapted.mean.shape()
                )));
            }
            mean = constant("adapted_mean", adapted.mean.clone());
            variance = constant("adapted_variance", adapted.variance.clone());
        }
        let count: Initializer = "zeros".into();
        for (name, shape, initializer) in [
            ("mean", extents.clone(), mean),
            ("variance", extents, variance),
        ] {
            cx.weight(name, shape)
                .initializer(initializer)
                .non_trainable()
                .add()?;
        }
        cx.weight("count", [])
            .dtype(DType::I32)
            .initializer(count)
            .non_trainable()
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        const LEAST: f64 = 1e-7;
        let dtype = cx.dtype();
        let x = x.cast(dtype);
        let (mean, variance) = match (&self.mean, &self.variance) {
            (Some(mean), Some(variance)) => (
                self.given(mean, x.shape(), dtype),
                self.given(variance, x.shape(), dtype),
            ),
            _ => {
                let kept = self.kept(x.shape()).unwrap_or_default();
                let extent = |axis: usize| match kept.contains(&axis) {
                    true => x.shape()[axis],
                    false => 1,
                };
                let wide: Shape = (0..x.rank()).map(extent).collect();
                let weight = |name| cx.weight(name).reshape(wide.clone());
                (weight("mean"), weight("variance"))
            }
        };
        let deviation = variance.sqrt().maximum(LEAST);
        match self.invert {
            true => mean + x * deviation,
            false => (x - mean) / deviation,
        }
    }
}
