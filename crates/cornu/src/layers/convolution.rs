//! Convolutions over one to three spatial axes: plain, transposed, depthwise and separable.

use super::base::{Base, positive};
use super::registry::penalized;
use super::spatial::{
    DataFormat, Padding, PerAxis, check_sizes, check_space, check_steps, data_format_option,
    extents, padding_option,
};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Tensor};
use cornu_core::ops::conv::ConvOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

    /// The transposed convolution of a tensor with channels last: Keras' extents of the result.
    #[track_caller]
    fn transposed(&self, x: &Tensor, kernel: &Tensor, more: Option<[usize; N]>) -> Tensor {
        let (mut padding, mut spatial) = (Vec::new(), Vec::new());
        for i in 0..N {
            let n = x.shape().get(i + 1).copied().unwrap_or(0);
            let (stride, reach) = (self.strides[i], (self.size[i] - 1) * self.dilation[i] + 1);
            // What lies around the input, `stride` apart, for a plain convolution.
            let (left, right) = match self.padding {
                Padding::Same => {
                    let all = match more {
                        None => (stride + reach).saturating_sub(2),
                        Some(more) => (reach + reach % 2 + more[i]).saturating_sub(2),
                    };
                    let left = all.div_ceil(2).min(reach - 1);
                    (left, all - left)
                }
                _ => {
                    let more = more.map_or(reach.max(stride) - reach, |more| more[i]);
                    (reach - 1, reach - 1 + more)
                }
            };
            let between = n.saturating_sub(1) * stride;
            let extent = (between + 2 + left + right).saturating_sub(reach);
            let low = reach - 1 - left;
            padding.push((low, (between + reach).saturating_sub(extent + low)));
            spatial.push(extent);
        }
        let options = ConvOptions {
            strides: self.strides.to_vec(),
            dilation: self.dilation.to_vec(),
            padding,
            groups: 1,
        };
        x.conv_transpose(kernel, options, &spatial)
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

fn yes() -> bool {
    true
}

fn glorot_uniform() -> Initializer {
    "glorot_uniform".into()
}

fn zeros() -> Initializer {
    "zeros".into()
}

/// What all layers here have: options, and the parts of [`Layer`] that are alike.
macro_rules! common {
    ($layer:ident) => {
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

            /// How the bias starts; `"zeros"` by default.
            pub fn bias_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
                self.bias_initializer = initializer.into();
                self
            }

            /// A penalty on the bias.
            pub fn bias_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
                self.bias_regularizer = Some(regularizer.into());
                self
            }

            /// A constraint on the bias.
            pub fn bias_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
                self.bias_constraint = Some(constraint.into());
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

/// The parts of [`Layer`] that are alike.
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

/// A convolution: every place of the output sees a window of the input through the same kernel. See
/// [`Conv1D`], [`Conv2D`], [`Conv3D`].
///
/// * Input: `(batch, spatial…, channels)`, output: `(batch, places…, filters)`; with channels first,
///   channels come after the batch.
/// * Weights: `kernel` `(size…, channels / groups, filters)`, `bias` `(filters,)`.
/// * Defaults: strides 1, no padding (`"valid"`), dilation 1, one group, no activation, with bias.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv<const N: usize> {
    #[serde(skip)]
    base: Base,
    filters: usize,
    kernel_size: PerAxis<N>,
    #[serde(default = "single")]
    groups: usize,
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
    kernel_initializer: Initializer,
    #[serde(default)]
    kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    kernel_constraint: Option<Constraint>,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
}

impl<const N: usize> Conv<N> {
    /// A layer of so many filters; the kernel's extent may be one number for all axes.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<N>>) -> Self {
        Self {
            base: Base::default(),
            filters,
            kernel_size: kernel_size.into(),
            groups: 1,
            strides: one(),
            padding: Padding::Valid,
            data_format: DataFormat::ChannelsLast,
            dilation_rate: one(),
            activation: Activation::default(),
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            kernel_regularizer: None,
            kernel_constraint: None,
            bias_initializer: zeros(),
            bias_regularizer: None,
            bias_constraint: None,
        }
    }

    /// Into how many groups channels and filters fall; a group sees its own channels only. 1 by default.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// How the kernel starts; `"glorot_uniform"` by default.
    pub fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// A penalty on the kernel.
    pub fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the kernel.
    pub fn kernel_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.kernel_constraint = Some(constraint.into());
        self
    }
}

common!(Conv);

/// A convolution over steps `(batch, steps, channels)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Conv1D::new(32, 3).padding("causal").input_shape([100, 8]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 100, 32)");
/// # Ok::<(), cornu::Error>(())
/// ```
pub type Conv1D = Conv<1>;

/// A convolution over images `(batch, height, width, channels)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Conv2D::new(32, 3).activation("relu").input_shape([28, 28, 1]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 26, 26, 32)");
/// assert_eq!(model.count_params()?, 3 * 3 * 32 + 32);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type Conv2D = Conv<2>;

/// A convolution over volumes `(batch, depth, height, width, channels)`.
pub type Conv3D = Conv<3>;

impl<const N: usize> Conv<N> {
    fn class(&self) -> &'static str {
        ["Conv1D", "Conv2D", "Conv3D"][N - 1]
    }
}

impl<const N: usize> Layer for Conv<N> {
    alike!();

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.activation.check()?;
        positive("filters", self.filters)?;
        positive("groups", self.groups)?;
        let channels = self.moves().check_forward(input)?;
        if !channels.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            return Err(Error::shape(format!(
                "The channels of the input and filters must be multiples of groups. Received: {channels} channels, filters={}, groups={}.",
                self.filters, self.groups
            )));
        }
        let shape = [
            &self.kernel_size.0[..],
            &[channels / self.groups, self.filters],
        ]
        .concat();
        cx.weight("kernel", shape)
            .initializer(self.kernel_initializer.clone())
            .regularizer(self.kernel_regularizer.clone())
            .constraint(self.kernel_constraint.clone())
            .add()?;
        self.add_bias(cx, self.filters)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = self.data_format.to_last(x);
        let y = self.moves().convolve(&x, &cx.weight("kernel"), self.groups);
        self.finish(cx, y)
    }
}

/// A transposed convolution: every place of the input puts the kernel, scaled, into the output, so that
/// strides make it larger. See [`Conv1DTranspose`], [`Conv2DTranspose`], [`Conv3DTranspose`].
///
/// * Input: `(batch, spatial…, channels)`, output: `(batch, extents…, filters)`: with `"same"` the input's
///   extents times the strides, with `"valid"` `(n - 1) · stride + max(kernel, stride)`.
/// * Weights: `kernel` `(size…, filters, channels)`, `bias` `(filters,)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose<const N: usize> {
    #[serde(skip)]
    base: Base,
    filters: usize,
    kernel_size: PerAxis<N>,
    #[serde(default)]
    output_padding: Option<PerAxis<N>>,
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
    kernel_initializer: Initializer,
    #[serde(default)]
    kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    kernel_constraint: Option<Constraint>,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
}

impl<const N: usize> ConvTranspose<N> {
    /// A layer of so many filters; the kernel's extent may be one number for all axes.
    pub fn new(filters: usize, kernel_size: impl Into<PerAxis<N>>) -> Self {
        Self {
            base: Base::default(),
            filters,
            kernel_size: kernel_size.into(),
            output_padding: None,
            strides: one(),
            padding: Padding::Valid,
            data_format: DataFormat::ChannelsLast,
            dilation_rate: one(),
            activation: Activation::default(),
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            kernel_regularizer: None,
            kernel_constraint: None,
            bias_initializer: zeros(),
            bias_regularizer: None,
            bias_constraint: None,
        }
    }

    /// How far the output goes beyond what the padding alone gives, along each axis.
    pub fn output_padding(mut self, more: impl Into<PerAxis<N>>) -> Self {
        self.output_padding = Some(more.into());
        self
    }

    /// How the kernel starts; `"glorot_uniform"` by default.
    pub fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// A penalty on the kernel.
    pub fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the kernel.
    pub fn kernel_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.kernel_constraint = Some(constraint.into());
        self
    }
}

common!(ConvTranspose);

/// A transposed convolution over steps `(batch, steps, channels)`.
pub type Conv1DTranspose = ConvTranspose<1>;

/// A transposed convolution over images `(batch, height, width, channels)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Conv2DTranspose::new(8, 3).strides(2).padding("same").input_shape([7, 7, 4]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 14, 14, 8)");
/// # Ok::<(), cornu::Error>(())
/// ```
pub type Conv2DTranspose = ConvTranspose<2>;

/// A transposed convolution over volumes `(batch, depth, height, width, channels)`.
pub type Conv3DTranspose = ConvTranspose<3>;

impl<const N: usize> ConvTranspose<N> {
    fn class(&self) -> &'static str {
        ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"][N - 1]
    }
}

impl<const N: usize> Layer for ConvTranspose<N> {
    alike!();

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.activation.check()?;
        positive("filters", self.filters)?;
        let channels = self.moves().check(input)?;
        if self.padding == Padding::Causal {
            return Err(Error::new(
                "padding must be \"valid\" or \"same\". Received: padding=\"causal\".",
            ));
        }
        if let Some(more) = self.output_padding
            && more
                .0
                .iter()
                .zip(self.strides.0)
                .any(|(more, stride)| *more >= stride)
        {
            return Err(Error::new(format!(
                "output_padding must be less than strides. Received: output_padding={more:?}, strides={:?}.",
                self.strides
            )));
        }
        let shape = [&self.kernel_size.0[..], &[self.filters, channels]].concat();
        cx.weight("kernel", shape)
            .initializer(self.kernel_initializer.clone())
            .regularizer(self.kernel_regularizer.clone())
            .constraint(self.kernel_constraint.clone())
            .add()?;
        self.add_bias(cx, self.filters)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let x = self.data_format.to_last(x);
        let more = self.output_padding.map(|more| more.0);
        let y = self.moves().transposed(&x, &cx.weight("kernel"), more);
        self.finish(cx, y)
    }
}

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

    /// How the depthwise kernel starts; `"glorot_uniform"` by default.
    pub fn depthwise_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.depthwise_initializer = initializer.into();
        self
    }

    /// A penalty on the depthwise kernel.
    pub fn depthwise_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.depthwise_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the depthwise kernel.
    pub fn depthwise_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.depthwise_constraint = Some(constraint.into());
        self
    }
}

common!(DepthwiseConv);

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

    /// How the depthwise kernel starts; `"glorot_uniform"` by default.
    pub fn depthwise_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.depthwise_initializer = initializer.into();
        self
    }

    /// A penalty on the depthwise kernel.
    pub fn depthwise_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.depthwise_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the depthwise kernel.
    pub fn depthwise_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.depthwise_constraint = Some(constraint.into());
        self
    }

    /// How the pointwise kernel starts; `"glorot_uniform"` by default.
    pub fn pointwise_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.pointwise_initializer = initializer.into();
        self
    }

    /// A penalty on the pointwise kernel.
    pub fn pointwise_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.pointwise_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on the pointwise kernel.
    pub fn pointwise_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.pointwise_constraint = Some(constraint.into());
        self
    }
}

common!(SeparableConv);

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
