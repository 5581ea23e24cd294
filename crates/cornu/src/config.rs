//! Keras' JSON of an object: `{"module", "class_name", "config", "registered_name"}`.

use crate::{Error, Result};
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value, json};

/// An object of one of Keras' own modules, with its configuration.
pub(crate) fn object(module: &str, class: &str, config: &impl Serialize) -> Value {
    // A configuration is plain numbers, strings and lists, which JSON always holds (NaN as null).
    with_class(
        module,
        class,
        serde_json::to_value(config).unwrap_or(Value::Null),
    )
}

fn with_class(module: &str, class: &str, config: Value) -> Value {
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
    from_object(config).map_err(|e| refused(class, &e))
}

#[cold]
fn refused(class: &str, e: &serde_json::Error) -> Error {
    Error::new(format!("The configuration of {class}: {e}."))
}

/// A struct from the fields of a JSON object; missing ones keep their defaults.
pub(crate) fn from_object<T: DeserializeOwned>(value: &Value) -> serde_json::Result<T> {
    match value {
        Value::Object(fields) => T::deserialize(by_name(fields)),
        other => Err(no_object(other)),
    }
}

#[cold]
fn no_object(value: &Value) -> serde_json::Error {
    serde_json::Error::custom(format!("Expected an object. Received: {value}"))
}

/// Fields that are read by name only: `Value` itself would have every struct's code for reading it
/// from a list compiled too.
fn by_name<'a>(
    fields: &'a Map<String, Value>,
) -> MapDeserializer<'a, impl Iterator<Item = (&'a str, &'a Value)>, serde_json::Error> {
    MapDeserializer::new(fields.iter().map(|(name, value)| (name.as_str(), value)))
}
