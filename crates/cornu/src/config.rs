//! Keras' JSON of an object: `{"module", "class_name", "config", "registered_name"}`.

use crate::{Error, Result};
use serde::Serialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Value, json};

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
    T::deserialize(Fields::of(value)?)
}

/// Fields of a JSON object, which structs are read from by name only: `Value` itself would have every struct's
/// code for reading it from a list compiled too. Some hundred structs are read so; what is the same for all of
/// them is compiled once.
struct Fields<'a> {
    left: serde_json::map::Iter<'a>,
    value: &'a Value,
}

impl<'a> Fields<'a> {
    fn of(value: &'a Value) -> serde_json::Result<Self> {
        match value {
            Value::Object(fields) => Ok(Self {
                left: fields.iter(),
                value,
            }),
            other => Err(serde_json::Error::custom(format!(
                "Expected an object. Received: {other}"
            ))),
        }
    }

    /// The next field's name; its value waits to be asked for.
    #[inline(never)]
    fn step(&mut self) -> Option<&'a str> {
        let (name, value) = self.left.next()?;
        self.value = value;
        Some(name)
    }
}

impl<'a> MapAccess<'a> for Fields<'a> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> serde_json::Result<Option<K::Value>> {
        match self.step() {
            Some(name) => seed.deserialize(StrDeserializer::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> serde_json::Result<V::Value> {
        seed.deserialize(self.value)
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> serde_json::Result<V::Value> {
        visitor.visit_map(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
