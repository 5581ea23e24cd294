//! An activation as a layer.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::activations::Activation as Function;
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};

/// Applies an activation function, by name or as a value; the shape stays.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Activation::new("relu").input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[-1.0f32, 2.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.0, 2.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    #[serde(skip)]
    base: Base,
    activation: Function,
}

impl Activation {
    /// The layer of an activation function.
    pub fn new(activation: impl Into<Function>) -> Self {
        Self {
            base: Base::default(),
            activation: activation.into(),
        }
    }
}

options!(Activation);

impl Layer for Activation {
    builtin!(Activation, masks pass);

    fn build(&self, _: &mut Build<'_>, _: &InputShape) -> Result<()> {
        self.activation.check()
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        self.activation.apply(x)
    }
}
