//! Noise in training: whole channels dropped, Gaussian noise, dropout that keeps mean and variance.

use super::base::{Base, builtin, options, seed_option};
use super::spatial::{DataFormat, check_space, data_format_option};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::{Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// Uniform draws, by the layer's own seed if it has one.
fn uniform(cx: &mut Call<'_>, seed: Option<u32>, shape: Shape) -> Tensor {
    match seed {
        None => cx.random_uniform(shape),
        Some(seed) => cx.random_uniform_seeded(seed, shape),
    }
}

/// Normal draws, by the layer's own seed if it has one.
pub(super) fn normal(cx: &mut Call<'_>, seed: Option<u32>, shape: &Shape) -> Tensor {
    match seed {
        None => cx.random_normal(shape.clone()),
        Some(seed) => cx.random_normal_seeded(seed, shape.clone()),
    }
}

fn check_share(value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::new(format!(
        "rate must be between 0 and 1. Received: rate={value}."
    )))
}

/// The same where something must be left: with a rate of 1 the noise would be infinite.
fn check_part(value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::new(format!(
        "rate must be at least 0 and less than 1. Received: rate={value}."
    )))
}

macro_rules! noise {
    ($(#[$doc:meta])* $layer:ident, $amount:ident, $new:literal, |$this:ident| $check:expr, |$self:ident, $cx:ident, $x:ident| $call:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            $amount: f64,
            #[serde(default)]
            seed: Option<u32>,
        }

        impl $layer {
            #[doc = $new]
            pub fn new($amount: f64) -> Self {
                Self {
                    base: Base::default(),
                    $amount,
                    seed: None,
                }
            }

            seed_option!();
        }

        options!($layer);

        impl Layer for $layer {
            builtin!($layer, masks pass);

            fn build(&self, _: &mut Build<'_>, _: &InputShape) -> Result<()> {
                let $this = self;
                $check
            }

            fn call(&self, $cx: &mut Call<'_>, $x: &Tensor) -> Tensor {
                if !$cx.training() || self.$amount == 0.0 {
                    return $x.clone();
                }
                let $self = self;
                $call
            }
        }
    };
}

noise! {
    /// In training, adds noise of mean 0 and this standard deviation; otherwise does nothing.
    GaussianNoise, stddev,
    "Noise of this standard deviation.",
    |layer| match layer.stddev >= 0.0 && layer.stddev.is_finite() {
        true => Ok(()),
        false => Err(Error::new(format!(
            "stddev must not be negative. Received: stddev={}.",
            layer.stddev
        ))),
    },
    |layer, cx, x| x + normal(cx, layer.seed, x.shape()) * layer.stddev
}

noise! {
    /// In training, multiplies by noise of mean 1 and the standard deviation `√(rate / (1 − rate))`;
    /// otherwise does nothing.
    GaussianDropout, rate,
    "Noise as strong as dropping the share `rate`, at least 0 and less than 1.",
    |layer| check_part(layer.rate),
    |layer, cx, x| {
        let stddev = (layer.rate / (1.0 - layer.rate)).sqrt();
        x * (normal(cx, layer.seed, x.shape()) * stddev + 1.0)
    }
}

/// In training, sets a share `rate` of the inputs to SELU's lowest value and scales all so that mean
/// and variance stay (Klambauer and others, 2017); otherwise does nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlphaDropout {
    #[serde(skip)]
    base: Base,
    rate: f64,
    #[serde(default)]
    seed: Option<u32>,
    #[serde(default)]
    noise_shape: Option<Vec<Option<usize>>>,
}

impl AlphaDropout {
    /// Drops the share `rate`, at least 0 and less than 1.
    pub fn new(rate: f64) -> Self {
        Self {
            base: Base::default(),
            rate,
            seed: None,
            noise_shape: None,
        }
    }

    seed_option!();

    /// The shape of the mask, broadcast over the input; `None` for the input's own extent.
    pub fn noise_shape(mut self, shape: impl Into<Vec<Option<usize>>>) -> Self {
        self.noise_shape = Some(shape.into());
        self
    }
}

options!(AlphaDropout);

impl Layer for AlphaDropout {
    builtin!(AlphaDropout, masks pass);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        check_part(self.rate)?;
        match &self.noise_shape {
            Some(shape) if shape.len() != input.rank() => Err(Error::shape(format!(
                "noise_shape must have one extent per axis of the input {input}. Received: {}.",
                InputShape(shape.clone())
            ))),
            _ => Ok(()),
        }
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() || self.rate == 0.0 {
            return x.clone();
        }
        let shape: Shape = match &self.noise_shape {
            None => x.shape().clone(),
            Some(s) => s
                .iter()
                .zip(x.shape().iter())
                .map(|(d, n)| d.unwrap_or(*n))
                .collect(),
        };
        const LOWEST: f64 = -1.673_263_242_354_377_3 * 1.050_700_987_355_480_5;
        let a = ((1.0 - self.rate) * (1.0 + self.rate * LOWEST * LOWEST)).powf(-0.5);
        let b = -a * LOWEST * self.rate;
        let kept = uniform(cx, self.seed, shape).ge(self.rate);
        kept.select(x, LOWEST) * a + b
    }
}

/// In training, drops whole channels: all of space together. See [`SpatialDropout1D`],
/// [`SpatialDropout2D`], [`SpatialDropout3D`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpatialDropout<const N: usize> {
    #[serde(skip)]
    base: Base,
    rate: f64,
    #[serde(default)]
    seed: Option<u32>,
    // Keras' layer for steps has none.
    #[serde(default = "format_of::<N>", skip_serializing_if = "Option::is_none")]
    data_format: Option<DataFormat>,
}

/// The format unless told.
fn format_of<const N: usize>() -> Option<DataFormat> {
    (N > 1).then_some(DataFormat::ChannelsLast)
}

/// Drops channels of `(batch, steps, channels)`.
pub type SpatialDropout1D = SpatialDropout<1>;
/// Drops channels of `(batch, height, width, channels)`.
pub type SpatialDropout2D = SpatialDropout<2>;
/// Drops channels of `(batch, depth, height, width, channels)`.
pub type SpatialDropout3D = SpatialDropout<3>;

impl<const N: usize> SpatialDropout<N> {
    /// Drops the share `rate` of channels, between 0 and 1.
    pub fn new(rate: f64) -> Self {
        Self {
            base: Base::default(),
            rate,
            seed: None,
            data_format: format_of::<N>(),
        }
    }

    seed_option!();

    data_format_option!(data_format);
}

impl<const N: usize> LayerOptions for SpatialDropout<N> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl<const N: usize> Layer for SpatialDropout<N> {
    fn class_name(&self) -> &str {
        ["SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"][N - 1]
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> serde_json::Map<String, serde_json::Value> {
        super::registry::fields(self)
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let format = self.data_format.unwrap_or_default();
        check_space(self.class_name(), input, N, format)?;
        check_share(self.rate)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if !cx.training() || self.rate == 0.0 {
            return x.clone();
        }
        if self.rate >= 1.0 {
            return x.zeros_like();
        }
        let channels = self.data_format.unwrap_or_default().channels(x.rank());
        let keep = |(i, n): (usize, &usize)| if i == 0 || i == channels { *n } else { 1 };
        let shape: Shape = x.shape().iter().enumerate().map(keep).collect();
        let kept = uniform(cx, self.seed, shape).ge(self.rate);
        kept.select(x * (1.0 / (1.0 - self.rate)), 0.0)
    }
}
