//! Convolutions over one to three spatial axes: plain, transposed, depthwise and separable.

use super::InputShape;
use super::spatial::{
    DataFormat, Padding, PerAxis, check_sizes, check_space, check_steps, extents,
};
use crate::activations::Activation;
use crate::{Error, Result, Tensor};
use cornu_core::ops::conv::ConvOptions;

/// How a kernel moves over `N` axes.
struct Moves<const N: usize> {
    class: &'static str,
    size: [usize; N],
    strides: [usize; N],
    dilation: [usize; N],
    padding: Padding,
    format: DataFormat,
}

impl<const N: usize> Moves<N> {
    /// Refuses what cannot be; returns the channels of the input.
    fn check(&self, input: &InputShape) -> Result<usize> {
        check_space(self.class, input, N, self.format)?;
        check_sizes("kernel_size", self.size)?;
        check_sizes("strides", self.strides)?;
        check_sizes("dilation_rate", self.dilation)?;
        if self.padding == Padding::Causal && (N > 1 || self.format == DataFormat::ChannelsFirst) {
            return Err(Error::new(
                "padding=\"causal\" is for Conv1D with channels last.",
            ));
        }
        check_steps(self.strides, self.dilation)?;
        match input.0[self.format.channels(input.rank())] {
            Some(channels) if channels > 0 => Ok(channels),
            _ => Err(Error::shape(format!(
                "{} expects a known number of channels. Received: input shape {input}.",
                self.class
            ))),
        }
    }

    /// The same for a layer whose kernel must fit into the input.
    fn check_forward(&self, input: &InputShape) -> Result<usize> {
        let channels = self.check(input)?;
        for (i, n) in extents(input, self.format).enumerate() {
            let reach = (self.size[i] - 1) * self.dilation[i] + 1;
            if self.padding == Padding::Valid && n.is_some_and(|n| n < reach) {
                return Err(Error::shape(format!(
                    "kernel_size {:?} with dilation_rate {:?} is larger than the input {input}: the output would be empty. Use padding=\"same\" or a smaller kernel.",
                    self.size, self.dilation
                )));
            }
        }
        Ok(channels)
    }

    /// The convolution of a tensor with channels last.
    #[track_caller]
    fn convolve(&self, x: &Tensor, kernel: &Tensor, groups: usize) -> Tensor {
        let cells = |i: usize| {
            let n = x.shape().get(i + 1).copied().unwrap_or(0);
            self.padding
                .cells(n, self.size[i], self.strides[i], self.dilation[i])
        };
        let options = ConvOptions {
            strides: self.strides.to_vec(),
            dilation: self.dilation.to_vec(),
            padding: (0..N).map(cells).collect(),
            groups,
        };
        x.conv(kernel, options)
    }
}

/// A depthwise kernel `(size…, channels, multiplier)` as one of as many groups as channels.
fn by_channel(kernel: &Tensor) -> (Tensor, usize) {
    let shape = kernel.shape();
    let (axes, channels) = (shape.rank() - 2, shape[shape.rank() - 2]);
    let mut grouped = shape[..axes].to_vec();
    grouped.extend([1, channels * shape[axes + 1]]);
    (kernel.reshape(grouped), channels)
}

/// Bias and activation, and the way back to the layer's format.
fn finish(y: Tensor, bias: Option<Tensor>, activation: &Activation, format: DataFormat) -> Tensor {
    let y = bias.into_iter().fold(y, |y, bias| y + bias);
    // An activation over an axis (softmax) is over the last one of the layer's own format.
    match format {
        DataFormat::ChannelsLast => activation.apply(&y),
        DataFormat::ChannelsFirst => activation.apply(&format.restore(&y)),
    }
}

fn one<const N: usize>() -> PerAxis<N> {
    PerAxis([1; N])
}

fn single() -> usize {
    1
}

/// What all layers here have: options, and what they are made of.
macro_rules! common {
    ($layer:ident) => {
        $crate::layers::weight_options::weight_options!(
            [const N] $layer, "the bias", "`\"zeros\"`",
            bias_initializer, bias_regularizer, bias_constraint
        );

        impl<const N: usize> $layer<N> {
            /// How far apart the kernel's places are; 1 by default.
            pub fn strides(mut self, strides: impl Into<PerAxis<N>>) -> Self {
                self.strides = strides.into();
                self
            }

            padding_option!(
                "`\"valid\"` (the default), `\"same\"`, or, over steps, `\"causal\"`.",
                padding
            );

            data_format_option!(data_format);

            /// How far apart the kernel's cells are; 1 by default.
            pub fn dilation_rate(mut self, rate: impl Into<PerAxis<N>>) -> Self {
                self.dilation_rate = rate.into();
                self
            }

            /// The activation; none by default.
            pub fn activation(mut self, activation: impl Into<Activation>) -> Self {
                self.activation = activation.into();
                self
            }

            /// Whether a bias is added; it is by default.
            pub fn use_bias(mut self, use_bias: bool) -> Self {
                self.use_bias = use_bias;
                self
            }

            fn moves(&self) -> Moves<N> {
                Moves {
                    class: self.class(),
                    size: self.kernel_size.0,
                    strides: self.strides.0,
                    dilation: self.dilation_rate.0,
                    padding: self.padding,
                    format: self.data_format,
                }
            }

            fn add_bias(&self, cx: &mut Build<'_>, n: usize) -> Result<()> {
                if !self.use_bias {
                    return Ok(());
                }
                cx.weight("bias", [n])
                    .initializer(self.bias_initializer.clone())
                    .regularizer(self.bias_regularizer.clone())
                    .constraint(self.bias_constraint.clone())
                    .add()
            }

            fn finish(&self, cx: &Call<'_>, y: Tensor) -> Tensor {
                let bias = self.use_bias.then(|| cx.weight("bias"));
                finish(y, bias, &self.activation, self.data_format)
            }
        }

        impl<const N: usize> LayerOptions for $layer<N> {
            fn base_mut(&mut self) -> &mut Base {
                &mut self.base
            }
        }
    };
}

/// The parts of the trait `Layer` that are alike.
macro_rules! alike {
    () => {
        fn class_name(&self) -> &str {
            self.class()
        }
        fn base(&self) -> Option<&Base> {
            Some(&self.base)
        }
        fn config(&self) -> Map<String, Value> {
            penalized(self)
        }
    };
}

mod depthwise;
mod plain;
mod separable;
mod transposed;

pub use depthwise::{DepthwiseConv1D, DepthwiseConv2D};
pub use plain::{Conv1D, Conv2D, Conv3D};
pub use separable::{SeparableConv1D, SeparableConv2D};
pub use transposed::{Conv1DTranspose, Conv2DTranspose, Conv3DTranspose};
