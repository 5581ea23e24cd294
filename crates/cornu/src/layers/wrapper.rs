//! A layer inside another.

use super::{Build, Call, InputShape, Layer, from_config, snake_case, to_config};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::ops::Deref;
use std::sync::Arc;

/// A layer that another one wraps: what [`TimeDistributed`](super::TimeDistributed),
/// [`Bidirectional`](super::Bidirectional), [`SpectralNormalization`](super::SpectralNormalization) and
/// wrappers of your own are made with, as those of Keras are of its class `Wrapper`.
///
/// It stands for the layer (by `Deref`), and as a field of a configuration it is Keras' JSON object of it,
/// so that a wrapper which derives its JSON can be saved and read again.
///
/// ```
/// use cornu::layers::{Build, Call, InputShape, Layer, Wrapper};
/// use cornu::prelude::*;
/// use cornu::saving::{CustomObjects, LoadModel, model_from_json_with};
/// use serde::{Deserialize, Serialize};
///
/// /// A way around a layer: `x + layer(x)`.
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Residual {
///     layer: Wrapper,
/// }
///
/// impl Layer for Residual {
///     fn class_name(&self) -> &str {
///         "Residual"
///     }
///     fn config(&self) -> serde_json::Map<String, serde_json::Value> {
///         serde_json::to_value(self).unwrap().as_object().cloned().unwrap_or_default()
///     }
///     fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
///         self.layer.build_inside(cx, input).map(|_| ())
///     }
///     fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
///         x + self.layer.call_inside(cx, x)
///     }
/// }
///
/// let around = Residual { layer: Wrapper::new(Dense::new(3)) };
/// let mut model = Sequential::from_layers(vec![Input::new([3]).into(), around.into()]);
/// model.build()?;
/// assert_eq!(model.weights()[0].variable.name(), "residual/dense/kernel");
/// let own = CustomObjects::new().layer("Residual", |config| {
///     let layer: Residual = serde_json::from_value(serde_json::json!({"layer": config["layer"]}))
///         .map_err(|e| cornu::Error::new(e.to_string()))?;
///     Ok(layer.into())
/// });
/// let options = LoadModel::new().custom_objects(own);
/// assert_eq!(model_from_json_with(&model.to_json(), &options)?.count_params()?, 12);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Wrapper(Arc<dyn Layer>);

/// The field that Keras' wrappers keep their layer in.
const FIELD: &str = "layer";

impl Wrapper {
    /// A layer to be wrapped.
    pub fn new(layer: impl Into<Box<dyn Layer>>) -> Self {
        Self(Arc::from(layer.into()))
    }

    /// Builds the layer inside the one that wraps it, for an input of this shape; returns the shape of its
    /// (first) output.
    ///
    /// # Errors
    /// As [`Build::layer`].
    pub fn build_inside(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<InputShape> {
        let input = std::slice::from_ref(input);
        let outputs = cx.layer_named(FIELD, &self.name(), &*self.0, input)?;
        outputs
            .into_iter()
            .next()
            .ok_or_else(|| Error::shape(format!("{} gives no output.", self.class_name())))
    }

    /// The (first) output of the layer, built by [`Wrapper::build_inside`].
    #[track_caller]
    pub fn call_inside(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        cx.layer(FIELD, &*self.0, x)
    }

    /// The layer's name: the one it was given, or its class in snake case.
    pub(super) fn name(&self) -> String {
        let given = self.base().and_then(|b| b.name.clone());
        given.unwrap_or_else(|| snake_case(self.class_name()))
    }
}

impl<L: Into<Box<dyn Layer>>> From<L> for Wrapper {
    fn from(layer: L) -> Self {
        Self::new(layer)
    }
}

impl Deref for Wrapper {
    type Target = dyn Layer;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Serialize for Wrapper {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_config(&*self.0, &self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Wrapper {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Value::deserialize(deserializer)?;
        let layer = from_config(&object).map_err(serde::de::Error::custom)?;
        Ok(Self::new(layer))
    }
}
