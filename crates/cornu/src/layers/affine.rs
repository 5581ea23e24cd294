//! The scale and the offset of layers that normalise.

use super::weight_options::{yes, zeros};
use super::{Build, Call};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{DType, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// What a layer that normalises says of its weights `gamma` (a factor) and `beta` (a summand); part of
/// its configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Affine {
    #[serde(default = "yes")]
    pub center: bool,
    #[serde(default = "yes")]
    pub scale: bool,
    #[serde(default = "zeros")]
    pub beta_initializer: Initializer,
    #[serde(default = "ones")]
    pub gamma_initializer: Initializer,
    #[serde(default)]
    pub beta_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub gamma_regularizer: Option<Regularizer>,
    #[serde(default)]
    pub beta_constraint: Option<Constraint>,
    #[serde(default)]
    pub gamma_constraint: Option<Constraint>,
}

pub(super) fn ones() -> Initializer {
    "ones".into()
}

impl Default for Affine {
    fn default() -> Self {
        Self {
            center: true,
            scale: true,
            beta_initializer: zeros(),
            gamma_initializer: ones(),
            beta_regularizer: None,
            gamma_regularizer: None,
            beta_constraint: None,
            gamma_constraint: None,
        }
    }
}

impl Affine {
    /// Declares the weights that there are, `gamma` first.
    pub fn build(&self, cx: &mut Build<'_>, shape: &Shape) -> Result<()> {
        if self.scale {
            cx.weight("gamma", shape.clone())
                .initializer(self.gamma_initializer.clone())
                .regularizer(self.gamma_regularizer.clone())
                .constraint(self.gamma_constraint.clone())
                .add()?;
        }
        if self.center {
            cx.weight("beta", shape.clone())
                .initializer(self.beta_initializer.clone())
                .regularizer(self.beta_regularizer.clone())
                .constraint(self.beta_constraint.clone())
                .add()?;
        }
        Ok(())
    }

    /// `gamma` and `beta`, if there are, reshaped to go with the input.
    pub fn weights(
        &self,
        cx: &Call<'_>,
        shape: &Shape,
        dtype: DType,
    ) -> (Option<Tensor>, Option<Tensor>) {
        let weight = |name| cx.weight_as(name, dtype).reshape(shape.clone());
        (
            self.scale.then(|| weight("gamma")),
            self.center.then(|| weight("beta")),
        )
    }
}

/// The builder methods for a layer with a field `affine`.
macro_rules! affine_options {
    ($layer:ident) => {
        impl $layer {
            /// Whether an offset `beta` is added; it is by default.
            pub fn center(mut self, center: bool) -> Self {
                self.affine.center = center;
                self
            }

            /// Whether the result is multiplied by `gamma`; it is by default.
            pub fn scale(mut self, scale: bool) -> Self {
                self.affine.scale = scale;
                self
            }

            /// How `beta` starts; `"zeros"` by default.
            pub fn beta_initializer(
                mut self,
                initializer: impl Into<$crate::initializers::Initializer>,
            ) -> Self {
                self.affine.beta_initializer = initializer.into();
                self
            }

            /// How `gamma` starts; `"ones"` by default.
            pub fn gamma_initializer(
                mut self,
                initializer: impl Into<$crate::initializers::Initializer>,
            ) -> Self {
                self.affine.gamma_initializer = initializer.into();
                self
            }

            /// A penalty on `beta`.
            pub fn beta_regularizer(
                mut self,
                regularizer: impl Into<$crate::regularizers::Regularizer>,
            ) -> Self {
                self.affine.beta_regularizer = Some(regularizer.into());
                self
            }

            /// A penalty on `gamma`.
            pub fn gamma_regularizer(
                mut self,
                regularizer: impl Into<$crate::regularizers::Regularizer>,
            ) -> Self {
                self.affine.gamma_regularizer = Some(regularizer.into());
                self
            }

            /// A constraint on `beta`.
            pub fn beta_constraint(
                mut self,
                constraint: impl Into<$crate::constraints::Constraint>,
            ) -> Self {
                self.affine.beta_constraint = Some(constraint.into());
                self
            }

            /// A constraint on `gamma`.
            pub fn gamma_constraint(
                mut self,
                constraint: impl Into<$crate::constraints::Constraint>,
            ) -> Self {
                self.affine.gamma_constraint = Some(constraint.into());
                self
            }
        }
    };
}

pub(super) use affine_options;
