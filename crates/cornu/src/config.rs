//! Keras' JSON of an object: `{"module", "class_name", "config", "registered_name"}`.

use crate::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An object of one of Keras' own modules, with its configuration.
pub(crate) fn object(module: &str, class: &str, config: &impl Serialize) -> Value {
    // A configuration is plain numbers, strings and lists, which JSON always holds (NaN as null).
    let config = serde_json::to_value(config).unwrap_or(Value::Null);
    json!({"module": module, "class_name": class, "config": config, "registered_name": null})
}

/// The class name and the configuration (empty if it is missing) of an object; `what` is for the error.
pub(crate) fn parts<'a>(what: &str, value: &'a Value) -> Result<(&'a str, Value)> {
    let class = value.get("class_name").and_then(Value::as_str);
    let class = class.ok_or_else(|| {
        Error::new(format!(
            "The JSON of a {what} is a string or an object with \"class_name\" and \"config\". \
             Received: {value}."
        ))
    })?;
    let config = match value.get("config") {
        None | Some(Value::Null) => json!({}),
        Some(config) => config.clone(),
    };
    Ok((class, config))
}

/// A typed configuration from its JSON; missing fields keep their defaults.
pub(crate) fn read<T: DeserializeOwned>(class: &str, config: &Value) -> Result<T> {
    T::deserialize(config).map_err(|e| Error::new(format!("The configuration of {class}: {e}.")))
}
