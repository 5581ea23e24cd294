//! Convolutions of each channel by itself.

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
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A convolution of each channel by itself. See [`DepthwiseConv1D`], [`DepthwiseConv2D`].
///
/// * Input: `(batch, spatial…, channels)`, output: `(batch, places…, channels · depth_multiplier)`.
/// * Weights: `kernel` `(size…, channels, depth_multiplier)`, `bias` `(channels · depth_multiplier,)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthwiseConv<const N: usize> {
    #[serde(skip)]
    base: Base,
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
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
}

impl<const N: usize> DepthwiseConv<N> {
    /// A layer whose kernel has this extent (one number for all axes).
    pub fn new(kernel_size: impl Into<PerAxis<N>>) -> Self {
        Self {
            base: Base::default(),
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

common!(DepthwiseConv);
weight_options!(
    [const N] DepthwiseConv, "the depthwise kernel", "`\"glorot_uniform\"`",
    depthwise_initializer, depthwise_regularizer, depthwise_constraint
);

/// A convolution over steps of each channel by itself.
pub type DepthwiseConv1D = DepthwiseConv<1>;

/// A convolution over images of each channel by itself.
pub type DepthwiseConv2D = DepthwiseConv<2>;

impl<const N: usize> DepthwiseConv<N> {
    fn class(&self) -> &'static str {
        ["DepthwiseConv1D", "DepthwiseConv2D", "DepthwiseConv3D"][N - 1]
    }
}

impl<const N: usize> Layer for DepthwiseConv<N> {
    alike!();

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.activation.check()?;
        positive("depth_multiplier", self.depth_multiplier)?;
        let channels = self.moves().check_forward(input)?;
        let shape = [&self.kernel_size.0[..], &[channels, self.depth_multiplier]].concat();
        cx.weight("kernel", shape)
            .initializer(self.depthwise_initializer.clone())
            .regularizer(self.depthwise_regularizer.clone())
            .constraint(self.depthwise_constraint.clone())
            .add()?;
        self.add_bias(cx, channels * self.depth_multiplier)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = self.data_format.to_last(x);
        let (kernel, channels) = by_channel(&cx.weight("kernel"));
        let y = self.moves().convolve(&x, &kernel, channels);
        self.finish(cx, y)
    }
}
