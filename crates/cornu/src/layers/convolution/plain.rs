//! The same kernel at every place.

use super::{Moves, finish, one, single};
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
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
}

common!(Conv);
weight_options!(
    [const N] Conv, "the kernel", "`\"glorot_uniform\"`",
    kernel_initializer, kernel_regularizer, kernel_constraint
);

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
