//! Layers by class name, to and from Keras' JSON.

use super::base::{Base, LayerOptions};
use super::input::TEXTS;
use super::policy::DTypePolicy;
use super::{InputShape, Layer, REGISTRY, legacy};
use crate::config::from_object;
use crate::regularizers::Regularizer;
use crate::{DType, Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A class name and how to make the layer from its own configuration.
pub(crate) type Entry = (
    &'static str,
    fn(&Value, &mut Base) -> serde_json::Result<Box<dyn Layer>>,
);

/// A layer from its own fields; it takes the base.
pub(crate) fn construct<L>(fields: &Value, base: &mut Base) -> serde_json::Result<Box<dyn Layer>>
where
    L: Layer + LayerOptions + DeserializeOwned + 'static,
{
    let mut layer: L = from_object(fields)?;
    std::mem::swap(layer.base_mut(), base);
    Ok(Box::new(layer))
}

/// A layer's own fields.
pub(crate) fn fields<L: Serialize>(layer: &L) -> Map<String, Value> {
    match serde_json::to_value(layer) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// A layer's own fields and the penalty on its output, which Keras names in some classes even if
/// there is none.
pub(crate) fn penalized<L: Layer + Serialize>(layer: &L) -> Map<String, Value> {
    with_penalty(fields(layer), layer.base())
}

fn with_penalty(mut map: Map<String, Value>, base: Option<&Base>) -> Map<String, Value> {
    let penalty = base.and_then(|b| b.activity_regularizer.as_ref());
    let penalty = penalty.map_or(Value::Null, Regularizer::to_config);
    map.insert("activity_regularizer".into(), penalty);
    map
}

/// Classes that Keras' files name otherwise than its Python does.
const EXPORTED: [(&str, &str); 2] = [
    ("InputLayer", "Input"),
    ("GroupQueryAttention", "GroupedQueryAttention"),
];

/// Classes whose results may be whole numbers, which are then their type.
const WHOLE: [&str; 2] = ["HashedCrossing", "Hashing"];

/// Keras' own classes that do not take the argument `trainable`, as all others do.
const NEVER_TRAINED: [&str; 6] = [
    "Discretization",
    "HashedCrossing",
    "Pipeline",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
];

/// Functions of tensors that are layers here and operations in Keras, where no such thing has a policy or is
/// trained.
pub(crate) const OPERATIONS: [&str; 1] = ["NanToNum"];

fn policy(dtype: DTypePolicy) -> Value {
    json!({
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": dtype.name()},
        "registered_name": null,
    })
}

/// The layer as Keras' JSON object: module, class, configuration.
pub fn to_config(layer: &dyn Layer, name: &str) -> Value {
    let mut config = Map::new();
    if layer.class_name() != "InputLayer" {
        let base = layer.base().cloned().unwrap_or_default();
        config.insert("name".into(), name.into());
        config.insert("trainable".into(), base.trainable.into());
        if !matches!(layer.class_name(), "Functional" | "Pipeline") {
            config.insert("dtype".into(), policy(base.dtype));
        }
        if let Some(r) = &base.activity_regularizer {
            config.insert("activity_regularizer".into(), r.to_config());
        }
    }
    let operation = OPERATIONS.contains(&layer.class_name());
    if operation || NEVER_TRAINED.contains(&layer.class_name()) {
        config.remove("trainable");
    }
    if operation {
        config.remove("dtype");
    }
    config.extend(layer.config());
    if layer.class_name() == "InputLayer" {
        config.insert("name".into(), name.into());
    }
    let module = match layer.class_name() {
        "Sequential" => "keras",
        "Functional" => "keras.src.models.functional",
        _ if operation => "keras.src.ops.numpy",
        _ => "keras.layers",
    };
    let own = layer.class_name();
    let registered = operation || own == "Functional";
    let exported = EXPORTED.iter().find(|(_, class)| *class == own);
    json!({
        "module": module,
        "class_name": exported.map_or(own, |(name, _)| *name),
        "config": config,
        "registered_name": registered.then_some(own),
    })
}

/// A layer from Keras' JSON object.
///
/// # Errors
/// An unknown class or field, or a value that does not fit, named.
pub fn from_config(value: &Value) -> Result<Box<dyn Layer>> {
    let class = value["class_name"].as_str().unwrap_or_default();
    if let Some(layer) = crate::saving::custom_layer(class, value) {
        return layer;
    }
    if matches!(class, "Sequential" | "Functional" | "Model") {
        return crate::models::layer_from_config(value);
    }
    let Some(mut config) = value["config"].as_object().cloned() else {
        return Err(Error::new(format!(
            "A layer's configuration has no \"config\": {value}."
        )));
    };
    let mut base = Base::default();
    let name = config
        .remove("name")
        .and_then(|n| n.as_str().map(str::to_string));
    let in_layer = |e: Error| e.in_scope(name.clone().unwrap_or_else(|| class.to_string()));
    base.name = name.clone();
    if let Some(trainable) = config.remove("trainable") {
        base.trainable = trainable.as_bool().unwrap_or(true);
    }
    let numbers = config.get("output_mode").is_none_or(|mode| mode == "int");
    if WHOLE.contains(&class) && numbers {
        base.dtype = DTypePolicy::of(DType::I64);
    }
    if let Some(dtype) = config.remove("dtype") {
        let text = dtype.as_str().or_else(|| dtype["config"]["name"].as_str());
        if let Some(text) = text {
            base.dtype = if class == "InputLayer" && text == TEXTS {
                config.insert("texts".into(), true.into());
                DTypePolicy::of(DType::I64)
            } else if class == "InputLayer" || (WHOLE.contains(&class) && text.starts_with("int")) {
                DTypePolicy::of(DType::from_name(text).map_err(in_layer)?)
            } else {
                DTypePolicy::from_name(text).map_err(in_layer)?
            };
        }
    }
    match config.remove("activity_regularizer") {
        None | Some(Value::Null) => {}
        Some(r) => {
            base.activity_regularizer = Some(Regularizer::from_config(&r).map_err(in_layer)?)
        }
    }
    for key in ["batch_shape", "batch_input_shape"] {
        if class == "InputLayer" {
            continue;
        }
        if let Some(shape) = config.remove(key).filter(|s| !s.is_null()) {
            base.input_shape = Some(InputShape::from_json(&shape)?.sample()?);
        }
    }
    // Always null in what Cornu can read: quantisation is another matter.
    if config.get("quantization_config") == Some(&Value::Null) {
        config.remove("quantization_config");
    }
    legacy::forget(class, &mut config);
    let exported = EXPORTED.iter().find(|(name, _)| *name == class);
    let class = exported.map_or(class, |(_, class)| *class);
    let (_, make) = REGISTRY
        .iter()
        .find(|(n, _)| *n == class)
        .ok_or_else(|| in_layer(unknown(class)))?;
    let made = make(&Value::Object(config), &mut base);
    made.map_err(|e| in_layer(Error::new(e.to_string())))
}

/// What is said of a class that Cornu does not bring.
fn unknown(class: &str) -> Error {
    let told = "implement the layer in Rust and give it as a custom object";
    let known: Vec<&str> = REGISTRY.iter().map(|(n, _)| *n).collect();
    let e = Error::unknown("layer class", class, &known);
    Error::with_kind(
        e.kind(),
        format!("{} If it is your own, {told}.", e.message()),
    )
}
