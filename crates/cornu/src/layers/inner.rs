//! A layer in a field of another layer's configuration.

use super::{Layer, from_config, snake_case, to_config};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::ops::Deref;
use std::sync::Arc;

/// A layer inside another. Its JSON is Keras' object of it.
#[derive(Clone, Debug)]
pub(super) struct Inner(Arc<dyn Layer>);

impl Inner {
    /// The layer's name: the one it was given, or its class in snake case.
    pub fn name(&self) -> String {
        let given = self.base().and_then(|b| b.name.clone());
        given.unwrap_or_else(|| snake_case(self.class_name()))
    }
}

impl<L: Into<Box<dyn Layer>>> From<L> for Inner {
    fn from(layer: L) -> Self {
        Self(Arc::from(layer.into()))
    }
}

impl Deref for Inner {
    type Target = dyn Layer;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl Serialize for Inner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        to_config(&*self.0, &self.name()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Inner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Value::deserialize(deserializer)?;
        let layer = from_config(&object).map_err(serde::de::Error::custom)?;
        Ok(layer.into())
    }
}
