//! The densely connected layer.

use super::base::{Base, builtin, options};
use super::weight_options::{glorot_uniform, kernel_options, yes, zeros};
use super::{Build, Call, InputShape, Layer};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// `activation(x · kernel + bias)`: every output depends on every input feature.
///
/// * Input: `(batch, …, features)`, output: `(batch, …, units)`.
/// * Weights: `kernel` `(features, units)`, `bias` `(units,)`.
/// * Defaults: no activation (`"linear"`), with bias, kernel `"glorot_uniform"`, bias `"zeros"`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Dense::new(2).activation("relu").kernel_initializer("ones").input_shape([3]));
/// model.build()?;
/// let y = model.predict(&Array::from([[1.0f32, 2.0, 3.0], [-1.0, -1.0, -1.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [6.0, 6.0, 0.0, 0.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    #[serde(skip)]
    base: Base,
    units: usize,
    #[serde(default)]
    activation: Activation,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default = "glorot_uniform")]
    kernel_initializer: Initializer,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    kernel_constraint: Option<Constraint>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
}

impl Dense {
    /// A layer with `units` outputs.
    pub fn new(units: usize) -> Self {
        Self {
            base: Base::default(),
            units,
            activation: Activation::default(),
            use_bias: true,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
        }
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
}

options!(Dense);
kernel_options!(Dense);

impl Layer for Dense {
    builtin!(Dense, masks pass);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if self.units == 0 {
            return Err(Error::new(
                "units must be a positive integer. Received: units=0.",
            ));
        }
        if input.rank() < 2 {
            return Err(Error::shape(format!(
                "Dense expects at least a batch axis and a feature axis. Received: input shape {input}."
            )));
        }
        if input.features()? == 0 {
            return Err(Error::shape(format!(
                "Dense expects at least one feature. Received: input shape {input}."
            )));
        }
        self.activation.check()?;
        cx.weight("kernel", [input.features()?, self.units])
            .initializer(self.kernel_initializer.clone())
            .regularizer(self.kernel_regularizer.clone())
            .constraint(self.kernel_constraint.clone())
            .add()?;
        if self.use_bias {
            cx.weight("bias", [self.units])
                .initializer(self.bias_initializer.clone())
                .regularizer(self.bias_regularizer.clone())
                .constraint(self.bias_constraint.clone())
                .add()?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let mut y = x.matmul(cx.weight("kernel"));
        if self.use_bias {
            y = y + cx.weight("bias");
        }
        self.activation.apply(&y)
    }
}
