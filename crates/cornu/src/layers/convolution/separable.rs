//! Convolutions of each channel by itself, and mixes of the channels.

use super::{Moves, by_channel, finish, one, single};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::base::{Base, positive};
use crate::layers::registry::penalized;
use crate::layers::spatial::{DataFormat, Padding, PerAxis, data_format_option, padding_option};
use crate::layers::weight_options::{glorot_uniform, weight_options, yes, zeros};
use crate::layers::{Build, Call, InputShape, Layer, LayerOptions};
use crate::regularizers::Regularizer;
use crate::{Result, Tensor};
use cornu_core::ops::conv::ConvOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A convolution of each channel by itself, and then a mix of the channels at each place. See
/// [`SeparableConv1D`], [`SeparableConv2D`].
///
/// * Input: `(batch, spatial…, channels)`, output: `(batch, places…, filters)`.
/// * Weights: `depthwise_kernel` `(size…, channels, depth_multiplier)`, `pointwise_kernel` `(1…, channels ·
///   depth_multiplier, filters)`, `bias` `(filters,)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeparableConv<const N: usize> {
    #[serde(skip)]
    base: Base,
    filters: usize,
    kernel_size: PerAxis<N>,
    #[serde(default = "single")]
    depth_multiplier: usize,
    #[serde(default = "one")]
    strides: PerAxis<N>,
    #[serde(default)]
    padding: Padding,
    #[serde(default)]
    data_format: DataFormat,
    #[serde(default = "one")]
    dilation_rate: PerAxis<N>,
    #[serde(default)]
    activation: Activation,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default = "glorot_uniform")]
    depthwise_initializer: Initializer,
    #[serde(default)]
    depthwise_regularizer: Option<Regularizer>,
    #[serde(default)]
    depthwise_constraint: Option<Constraint>,
    #[serde(default = "glorot_uniform")]
    pointwise_initializer: Initializer,
    #[serde(default)]
    pointwise_regularizer: Option<Regularizer>,
    #[serde(default)]
    pointwise_constraint: Option<Constraint>,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
}

impl<const N: usize> SeparableConv<N> {
    /// A layer of so many filters; the kernel's extent may be one number for all axes.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<N>>) -> Self {
        Self {
            base: Base::default(),
            filters,
            kernel_size: kernel_size.into(),
            depth_multiplier: 1,
            strides: one(),
            padding: Padding::Valid,
            data_format: DataFormat::ChannelsLast,
            dilation_rate: one(),
            activation: Activation::default(),
            use_bias: true,
            depthwise_initializer: glorot_uniform(),
            depthwise_regularizer: None,
            depthwise_constraint: None,
            pointwise_initializer: glorot_uniform(),
            pointwise_regularizer: None,
            pointwise_constraint: None,
            bias_initializer: zeros(),
            bias_regularizer: None,
            bias_constraint: None,
        }
    }

    /// How many outputs each channel has; 1 by default.
    pub fn depth_multiplier(mut self, multiplier: usize) -> Self {
        self.depth_multiplier = multiplier;
        self
    }
}

common!(SeparableConv);
weight_options!(
    [const N] SeparableConv, "the depthwise kernel", "`\"glorot_uniform\"`",
    depthwise_initializer, depthwise_regularizer, depthwise_constraint
);
weight_options!(
    [const N] SeparableConv, "the pointwise kernel", "`\"glorot_uniform\"`",
    pointwise_initializer, pointwise_regularizer, pointwise_constraint
);

/// A separable convolution over steps.
pub type SeparableConv1D = SeparableConv<1>;

/// A separable convolution over images.
pub type SeparableConv2D = SeparableConv<2>;

impl<const N: usize> SeparableConv<N> {
    fn class(&self) -> &'static str {
        ["SeparableConv1D", "SeparableConv2D", "SeparableConv3D"][N - 1]
    }
}

impl<const N: usize> Layer for SeparableConv<N> {
    alike!();

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.activation.check()?;
        positive("filters", self.filters)?;
        positive("depth_multiplier", self.depth_multiplier)?;
        let channels = self.moves().check_forward(input)?;
        let shape = [&self.kernel_size.0[..], &[channels, self.depth_multiplier]].concat();
        cx.weight("depthwise_kernel", shape)
            .initializer(self.depthwise_initializer.clone())
            .regularizer(self.depthwise_regularizer.clone())
            .constraint(self.depthwise_constraint.clone())
            .add()?;
        let shape = [
            &[1; N][..],
            &[channels * self.depth_multiplier, self.filters],
        ]
        .concat();
        cx.weight("pointwise_kernel", shape)
            .initializer(self.pointwise_initializer.clone())
            .regularizer(self.pointwise_regularizer.clone())
            .constraint(self.pointwise_constraint.clone())
            .add()?;
        self.add_bias(cx, self.filters)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = self.data_format.to_last(x);
        let (kernel, channels) = by_channel(&cx.weight("depthwise_kernel"));
        let y = self.moves().convolve(&x, &kernel, channels);
        let y = y.conv(cx.weight("pointwise_kernel"), ConvOptions::new(N));
        self.finish(cx, y)
    }
}
