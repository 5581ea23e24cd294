//! The rectifier with a learnt slope.

use super::base::{Base, builtin, options};
use super::weight_options::zeros;
use super::{Build, Call, InputShape, Layer};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// `x` where positive, else `alpha · x`, with a learnt `alpha` for each position of a sample (He and
/// others, 2015).
///
/// * Weights: `alpha`, of a sample's shape, 1 along `shared_axes`; zeros at first.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(PReLU::new().shared_axes([1]).input_shape([4, 3]));
/// model.build()?;
/// assert_eq!(model.count_params()?, 3);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PReLU {
    #[serde(skip)]
    base: Base,
    #[serde(default = "zeros")]
    alpha_initializer: Initializer,
    #[serde(default)]
    alpha_regularizer: Option<Regularizer>,
    #[serde(default)]
    alpha_constraint: Option<Constraint>,
    #[serde(default)]
    shared_axes: Option<Vec<usize>>,
}

impl Default for PReLU {
    fn default() -> Self {
        Self {
            base: Base::default(),
            alpha_initializer: zeros(),
            alpha_regularizer: None,
            alpha_constraint: None,
            shared_axes: None,
        }
    }
}

impl PReLU {
    /// The layer, with an `alpha` for each position, 0 at first.
    pub fn new() -> Self {
        Self::default()
    }

    /// How `alpha` starts; `"zeros"` by default.
    pub fn alpha_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.alpha_initializer = initializer.into();
        self
    }

    /// A penalty on `alpha`.
    pub fn alpha_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.alpha_regularizer = Some(regularizer.into());
        self
    }

    /// A constraint on `alpha`.
    pub fn alpha_constraint(mut self, constraint: impl Into<Constraint>) -> Self {
        self.alpha_constraint = Some(constraint.into());
        self
    }

    /// The axes (from 1) along which one `alpha` serves all positions.
    pub fn shared_axes(mut self, axes: impl Into<Vec<usize>>) -> Self {
        self.shared_axes = Some(axes.into());
        self
    }
}

options!(PReLU);

impl Layer for PReLU {
    builtin!(PReLU, masks pass);

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let mut shape = input.sample()?.to_vec();
        for axis in self.shared_axes.iter().flatten() {
            match axis.checked_sub(1).and_then(|a| shape.get_mut(a)) {
                Some(extent) => *extent = 1,
                None => {
                    return Err(Error::shape(format!(
                        "shared_axes must be axes 1 to {} of the input {input}. Received: {axis}.",
                        input.rank().saturating_sub(1)
                    )));
                }
            }
        }
        cx.weight("alpha", Shape::from(shape))
            .initializer(self.alpha_initializer.clone())
            .regularizer(self.alpha_regularizer.clone())
            .constraint(self.alpha_constraint.clone())
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.relu() - (-x).relu() * cx.weight("alpha")
    }
}
