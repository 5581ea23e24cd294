//! Convolutions the other way: every place of the input puts the kernel into the output.

use super::{Moves, finish, one};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::base::{Base, positive};
use crate::layers::registry::penalized;
use crate::layers::spatial::{DataFormat, Padding, PerAxis, data_format_option, padding_option};
use crate::layers::weight_options::{glorot_uniform, weight_options, yes, zeros};
use crate::layers::{Build, Call, InputShape, Layer, LayerOptions};
use crate::regularizers::Regularizer;
use crate::{Error, Result, Tensor};
use cornu_core::ops::conv::ConvOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

impl<const N: usize> Moves<N> {
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
}

common!(ConvTranspose);
weight_options!(
    [const N] ConvTranspose, "the kernel", "`\"glorot_uniform\"`",
    kernel_initializer, kernel_regularizer, kernel_constraint
);

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
