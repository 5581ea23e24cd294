//! The typed initializers and their arguments. Their JSON is Keras' `config`.

use super::{Distribution, Rule};
use crate::{Error, Result, Shape};
use serde::{Deserialize, Deserializer, Serialize};

/// The standard deviation of a unit normal distribution cut at ±2.
const CUT: f64 = 0.879_625_661_034_239_8;

/// A seed from JSON: null, a number, or Keras' SeedGenerator object.
fn seed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    let inner = value.pointer("/config/seed").unwrap_or(&value);
    Ok(inner.as_u64().or_else(|| inner.as_i64().map(|s| s as u64)))
}

fn is_one(gain: &f64) -> bool {
    *gain == 1.0
}

macro_rules! new_by_default {
    ($($class:ident)*) => {$(
        impl $class {
            /// With the default arguments.
            pub fn new() -> Self {
                Self::default()
            }
        }
    )*};
}

macro_rules! seeded {
    ($($class:ident)*) => {$(
        impl $class {
            /// A seed of its own: the same values at each use.
            pub fn seed(mut self, seed: u64) -> Self {
                self.seed = Some(seed);
                self
            }
        }
    )*};
}

/// 0 everywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Zeros {}

/// 1 everywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ones {}

/// One value everywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Constant {
    value: f64,
}

impl Constant {
    /// With this value.
    pub fn new(value: f64) -> Self {
        Self { value }
    }
}

/// `gain` (default 1) on the diagonal of a matrix, 0 elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    // Keras' own configuration leaves the gain out; ours says it where it is not 1.
    #[serde(skip_serializing_if = "is_one")]
    gain: f64,
}

impl Default for Identity {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Identity {
    /// The value on the diagonal.
    pub fn gain(mut self, gain: f64) -> Self {
        self.gain = gain;
        self
    }
}

/// Orthogonal columns (rows, if there are fewer rows) of norm `gain` (default 1): Q of the QR
/// decomposition of a random normal matrix, with the signs that make R's diagonal positive (Saxe et
/// al., 2014). All axes but the last count as rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Orthogonal {
    #[serde(deserialize_with = "seed")]
    seed: Option<u64>,
    gain: f64,
}

impl Default for Orthogonal {
    fn default() -> Self {
        Self {
            seed: None,
            gain: 1.0,
        }
    }
}

impl Orthogonal {
    /// The norm of the vectors.
    pub fn gain(mut self, gain: f64) -> Self {
        self.gain = gain;
        self
    }
}

macro_rules! normal {
    ($(#[$doc:meta])* $class:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $class {
            #[serde(deserialize_with = "seed")]
            seed: Option<u64>,
            mean: f64,
            stddev: f64,
        }

        impl Default for $class {
            fn default() -> Self {
                Self { seed: None, mean: 0.0, stddev: 0.05 }
            }
        }

        impl $class {
            /// The mean.
            pub fn mean(mut self, mean: f64) -> Self {
                self.mean = mean;
                self
            }
            /// The standard deviation.
            pub fn stddev(mut self, stddev: f64) -> Self {
                self.stddev = stddev;
                self
            }
            pub(super) fn rule(&self) -> Result<Rule> {
                let (mean, stddev) = (self.mean, self.stddev);
                Ok(Rule::Random(self.seed, Distribution::$class { mean, stddev }))
            }
        }
    };
}

normal! {
    /// The normal distribution. Defaults: mean 0, standard deviation 0.05.
    RandomNormal
}

normal! {
    /// The normal distribution without what lies beyond two standard deviations (of the distribution
    /// before the cut). Defaults: mean 0, standard deviation 0.05.
    TruncatedNormal
}

/// Uniform in `[minval, maxval)`. Defaults: −0.05 and 0.05.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomUniform {
    #[serde(deserialize_with = "seed")]
    seed: Option<u64>,
    minval: f64,
    maxval: f64,
}

impl Default for RandomUniform {
    fn default() -> Self {
        Self {
            seed: None,
            minval: -0.05,
            maxval: 0.05,
        }
    }
}

impl RandomUniform {
    /// The lower end.
    pub fn minval(mut self, minval: f64) -> Self {
        self.minval = minval;
        self
    }
    /// The upper end.
    pub fn maxval(mut self, maxval: f64) -> Self {
        self.maxval = maxval;
        self
    }
    pub(super) fn rule(&self) -> Result<Rule> {
        let (low, high) = (self.minval, self.maxval);
        Ok(Rule::Random(self.seed, Distribution::Uniform { low, high }))
    }
}

/// What [`VarianceScaling`] divides its scale by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    /// The number of inputs of a unit.
    #[default]
    FanIn,
    /// The number of outputs it feeds.
    FanOut,
    /// The mean of the two.
    FanAvg,
}

/// What [`VarianceScaling`] draws from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaledDistribution {
    /// Normal, cut at two standard deviations, then of the asked variance. Keras' `"normal"` too.
    #[default]
    #[serde(alias = "normal")]
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform around 0.
    Uniform,
}

/// Variance `scale / n`, where `n` is the number of inputs, outputs, or the mean of the two (at least
/// 1): a kernel's last two axes are inputs and outputs, each times the extents of the axes before them.
/// Defaults: scale 1, fan-in, truncated normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VarianceScaling {
    #[serde(deserialize_with = "seed")]
    seed: Option<u64>,
    scale: f64,
    mode: FanMode,
    distribution: ScaledDistribution,
    input_axes: Option<Vec<usize>>,
    output_axes: Option<Vec<usize>>,
}

impl Default for VarianceScaling {
    fn default() -> Self {
        Self {
            seed: None,
            scale: 1.0,
            mode: FanMode::FanIn,
            distribution: ScaledDistribution::TruncatedNormal,
            input_axes: None,
            output_axes: None,
        }
    }
}

impl VarianceScaling {
    /// The scale, above 0.
    pub fn scale(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }
    /// What the scale is divided by.
    pub fn mode(mut self, mode: FanMode) -> Self {
        self.mode = mode;
        self
    }
    /// What is drawn from.
    pub fn distribution(mut self, distribution: ScaledDistribution) -> Self {
        self.distribution = distribution;
        self
    }
    pub(super) fn rule(&self) -> Result<Rule> {
        if self.scale > 0.0 {
            return Ok(Rule::Scaled(self.seed, self.clone()));
        }
        Err(Error::new(format!(
            "VarianceScaling: scale must be above 0. Received: {}.",
            self.scale
        )))
    }

    /// The same with these axes as inputs and outputs, unless it has both.
    pub(super) fn with_fans(mut self, inputs: &[usize], outputs: &[usize]) -> Self {
        if self.input_axes.is_none() || self.output_axes.is_none() {
            self.input_axes = Some(inputs.to_vec());
            self.output_axes = Some(outputs.to_vec());
        }
        self
    }

    /// The distribution for a weight of this shape.
    pub(super) fn distribution_for(&self, shape: &Shape) -> Result<Distribution> {
        let (fan_in, fan_out) = match (&self.input_axes, &self.output_axes) {
            (Some(i), Some(o)) => (product(shape, i)?, product(shape, o)?),
            _ => fans(shape),
        };
        let n = match self.mode {
            FanMode::FanIn => fan_in,
            FanMode::FanOut => fan_out,
            FanMode::FanAvg => (fan_in + fan_out) / 2.0,
        };
        let variance = self.scale / n.max(1.0);
        let mean = 0.0;
        Ok(match self.distribution {
            ScaledDistribution::TruncatedNormal => Distribution::TruncatedNormal {
                mean,
                stddev: variance.sqrt() / CUT,
            },
            ScaledDistribution::UntruncatedNormal => Distribution::RandomNormal {
                mean,
                stddev: variance.sqrt(),
            },
            ScaledDistribution::Uniform => {
                let limit = (3.0 * variance).sqrt();
                Distribution::Uniform {
                    low: -limit,
                    high: limit,
                }
            }
        })
    }
}

/// The numbers of inputs and outputs of a kernel of this shape.
fn fans(shape: &Shape) -> (f64, f64) {
    match **shape {
        [] => (1.0, 1.0),
        [n] => (n as f64, n as f64),
        [ref field @ .., i, o] => {
            let field: usize = field.iter().product();
            ((i * field) as f64, (o * field) as f64)
        }
    }
}

fn product(shape: &Shape, axes: &[usize]) -> Result<f64> {
    axes.iter().try_fold(1.0, |p, axis| match shape.get(*axis) {
        Some(n) => Ok(p * *n as f64),
        None => Err(Error::shape(format!(
            "The initializer names axis {axis}. Received: shape {shape}."
        ))),
    })
}

macro_rules! scaled {
    ($($(#[$doc:meta])* $class:ident $scale:literal $mode:ident $distribution:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $class {
            #[serde(deserialize_with = "seed")]
            seed: Option<u64>,
            input_axes: Option<Vec<usize>>,
            output_axes: Option<Vec<usize>>,
        }

        new_by_default!($class);
        seeded!($class);
        with_axes!($class);

        impl $class {
            pub(super) fn rule(&self) -> Result<Rule> {
                Ok(Rule::Scaled(self.seed, VarianceScaling {
                    seed: self.seed,
                    scale: $scale,
                    mode: FanMode::$mode,
                    distribution: ScaledDistribution::$distribution,
                    input_axes: self.input_axes.clone(),
                    output_axes: self.output_axes.clone(),
                }))
            }
        }
    )*};
}

macro_rules! with_axes {
    ($class:ident) => {
        impl $class {
            /// The axes that count as inputs and as outputs, where the kernel's last two are not they.
            pub fn fan_axes(
                mut self,
                inputs: impl Into<Vec<usize>>,
                outputs: impl Into<Vec<usize>>,
            ) -> Self {
                self.input_axes = Some(inputs.into());
                self.output_axes = Some(outputs.into());
                self
            }
        }
    };
}

with_axes!(VarianceScaling);

scaled! {
    /// Truncated normal of variance 2 / (inputs + outputs) (Glorot and Bengio, 2010).
    GlorotNormal 1.0 FanAvg TruncatedNormal;
    /// Uniform within ±√(6 / (inputs + outputs)), Keras' default for kernels (Glorot and Bengio, 2010).
    GlorotUniform 1.0 FanAvg Uniform;
    /// Truncated normal of variance 2 / inputs (He et al., 2015).
    HeNormal 2.0 FanIn TruncatedNormal;
    /// Uniform within ±√(6 / inputs) (He et al., 2015).
    HeUniform 2.0 FanIn Uniform;
    /// Truncated normal of variance 1 / inputs (LeCun et al., 1998).
    LecunNormal 1.0 FanIn TruncatedNormal;
    /// Uniform within ±√(3 / inputs) (LeCun et al., 1998).
    LecunUniform 1.0 FanIn Uniform;
}

new_by_default!(Zeros Ones Identity Orthogonal RandomNormal TruncatedNormal RandomUniform VarianceScaling);
seeded!(Orthogonal RandomNormal TruncatedNormal RandomUniform VarianceScaling);

impl Zeros {
    pub(super) fn rule(&self) -> Result<Rule> {
        Ok(Rule::Fill(0.0))
    }
}

impl Ones {
    pub(super) fn rule(&self) -> Result<Rule> {
        Ok(Rule::Fill(1.0))
    }
}

impl Constant {
    pub(super) fn rule(&self) -> Result<Rule> {
        Ok(Rule::Fill(self.value))
    }
}

impl Identity {
    pub(super) fn rule(&self) -> Result<Rule> {
        Ok(Rule::Identity(self.gain))
    }
}

impl Orthogonal {
    pub(super) fn rule(&self) -> Result<Rule> {
        Ok(Rule::Orthogonal(self.seed, self.gain))
    }
}
