//! `.h5`: whole models, and weights, as Keras 2 wrote them and as Keras 3 still does.
//!
//! One HDF5 file: the JSON of the model is the attribute `model_config`, how it is compiled `training_config`;
//! `model_weights` has a group for each layer, whose attribute `weight_names` lists its arrays, trained ones
//! first. Layers of file and model are paired by their order, not by name.

use super::hdf5::File;
use crate::layers::Weight;
use crate::models::Model;
use crate::{Array, Error, Result, Variable};
use serde_json::{Map, Value};

/// With which bytes an HDF5 file begins.
pub(super) const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

/// The model of a file; compiled, with its optimizer's state, if `compile` is set and the file says how.
pub(super) fn model(file: &File, compile: bool) -> Result<Model> {
    let Some(mut object) = json(file, "model_config")? else {
        return Err(Error::io(
            "The HDF5 file holds no model: it has no attribute \"model_config\". For a file of weights make the model and call load_weights.",
        ));
    };
    // Before Keras 2.2 the configuration of a stack was the bare list of its layers.
    if object["config"].is_array() {
        let layers = object["config"].take();
        object["config"] = serde_json::json!({"name": "sequential", "layers": layers});
    }
    if let Some(training) = json(file, "training_config")? {
        object["compile_config"] = compile_config(training);
    }
    let mut model = Model::deserialize(&object, compile)?;
    weights(&model, file, "model_weights", false)?;
    optimizer(&mut model, file)?;
    Ok(model)
}

/// The group in which a file keeps the weights of layers, if it is of this kind.
pub(super) fn group(file: &File) -> Result<Option<&'static str>> {
    for group in ["model_weights", ""] {
        if file.texts(group, "layer_names")?.is_some() {
            return Ok(Some(group));
        }
    }
    Ok(None)
}

fn json(file: &File, attribute: &str) -> Result<Option<Value>> {
    let Some(text) = file.texts("", attribute)? else {
        return Ok(None);
    };
    let parsed = serde_json::from_str(&text.concat());
    parsed
        .map(Some)
        .map_err(|e| Error::new(format!("The attribute \"{attribute}\" is no JSON: {e}.")))
}

/// Sets every weight of the layers. With `skip_mismatch`, layers that the file does not fit keep what they have,
/// and their errors are returned; else nothing is changed if one does not fit.
pub(super) fn weights(
    model: &Model,
    file: &File,
    group: &str,
    skip_mismatch: bool,
) -> Result<Vec<Error>> {
    let mut layers: Vec<(String, Vec<Weight>)> = Vec::new();
    for (path, unit) in model.layer_paths()? {
        let mut all = Vec::new();
        if let Some(built) = unit.built.get() {
            built.collect(true, &mut all);
        }
        // Trained ones first, also across layers inside.
        all.sort_by_key(|w| !w.trainable);
        if !all.is_empty() {
            layers.push((unit.given_name().unwrap_or(path), all));
        }
    }
    let mut saved = Vec::new();
    for name in file.texts(group, "layer_names")?.unwrap_or_default() {
        let place = below(group, &name);
        let names = file.texts(&place, "weight_names")?.unwrap_or_default();
        if !names.is_empty() {
            let paths: Vec<String> = names.iter().map(|n| below(&place, n)).collect();
            saved.push((name, paths));
        }
    }
    if saved.len() != layers.len() {
        return Err(Error::shape(format!(
            "The model has {} layers with weights. Received: {} in the file.",
            layers.len(),
            saved.len()
        )));
    }
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    for ((layer, weights), (_, paths)) in layers.iter().zip(&saved) {
        let variables: Vec<&Variable> = weights.iter().map(|w| &w.variable).collect();
        match values(file, &variables, paths) {
            Ok(values) => found.extend(variables.into_iter().cloned().zip(values)),
            Err(e) if skip_mismatch => skipped.push(e.in_scope(&**layer)),
            Err(e) => return Err(e.in_scope(&**layer)),
        }
    }
    for (variable, value) in found {
        variable.assign(value)?;
    }
    Ok(skipped)
}

fn below(group: &str, name: &str) -> String {
    match group {
        "" => name.to_string(),
        group => format!("{group}/{name}"),
    }
}

/// The arrays at these paths, which must fit the variables one by one.
fn values(file: &File, variables: &[&Variable], paths: &[String]) -> Result<Vec<Array>> {
    if variables.len() != paths.len() {
        return Err(Error::shape(format!(
            "The layer has {} weights in the model. Received: {} in the file.",
            variables.len(),
            paths.len()
        )));
    }
    let mut values = Vec::with_capacity(paths.len());
    for (variable, path) in variables.iter().zip(paths) {
        let set = file
            .dataset(path)?
            .ok_or_else(|| Error::io(format!("\"{path}\" is missing in the file.")))?;
        // Before anything is read: the model says how much that may be.
        if set.shape != *variable.shape() {
            return Err(Error::shape(format!(
                "\"{}\" has shape {} in the model. Received: shape {} in the file.",
                variable.name(),
                variable.shape(),
                set.shape
            )));
        }
        values.push(set.read(path)?);
    }
    Ok(values)
}

/// Sets the optimizer's state. What older optimizers kept otherwise is left out, with a warning, as in Keras.
fn optimizer(model: &mut Model, file: &File) -> Result<()> {
    let group = "optimizer_weights";
    let Some(names) = file.texts(group, "weight_names")? else {
        return Ok(());
    };
    if !model.is_compiled() || names.is_empty() {
        return Ok(());
    }
    model.build_optimizer()?;
    let paths: Vec<String> = names.iter().map(|n| below(group, n)).collect();
    let kept = model.optimizer()?.variables();
    let rate = kept
        .iter()
        .position(|v| v.name().ends_with("/learning_rate"));
    let all: Vec<&Variable> = kept.iter().collect();
    let without_rate: Vec<&Variable> = (0..kept.len())
        .filter(|i| Some(*i) != rate)
        .map(|i| &kept[i])
        .collect();
    let by_slot = in_slots(
        &without_rate,
        model.weights().iter().filter(|w| w.trainable).count(),
    );
    // Keras 3; Keras 2.11, where the rate was no weight; before that, one slot of all weights after another.
    for order in [all, without_rate, by_slot] {
        if let Ok(values) = values(file, &order, &paths) {
            for (variable, value) in order.into_iter().zip(values) {
                variable.assign(value.cast(variable.dtype()))?;
            }
            return Ok(());
        }
    }
    eprintln!(
        "Warning: the file has a state of the optimizer that is laid out otherwise; the optimizer begins anew."
    );
    Ok(())
}

/// The number of steps, then the first slots of all weights, then the second ones.
fn in_slots<'a>(variables: &[&'a Variable], weights: usize) -> Vec<&'a Variable> {
    let (steps, slots) = variables.split_at(variables.len().min(1));
    if weights == 0 || slots.len() % weights != 0 {
        return Vec::new();
    }
    let each = slots.len() / weights;
    let ordered = (0..each).flat_map(|k| slots.iter().skip(k).step_by(each));
    steps.iter().chain(ordered).copied().collect()
}

/// Keras 3's `compile_config` from an older `training_config`.
fn compile_config(mut training: Value) -> Value {
    modern(&mut training);
    let mut optimizer = training["optimizer_config"].take();
    if let Some(config) = optimizer.get_mut("config").and_then(Value::as_object_mut) {
        if let Some(rate) = config.remove("lr") {
            config.insert("learning_rate".into(), rate);
        }
        config.retain(|name, value| !says_nothing(name, value));
    }
    let mut compile = Map::new();
    compile.insert("optimizer".into(), optimizer);
    for key in ["loss", "loss_weights", "metrics", "weighted_metrics"] {
        compile.insert(key.into(), training[key].take());
    }
    Value::Object(compile)
}

/// Arguments of older optimizers that newer ones do not have, with the value that they mostly had.
fn says_nothing(name: &str, value: &Value) -> bool {
    match name {
        "decay" => value.is_null() || value.as_f64() == Some(0.0),
        "epsilon" => value.is_null(),
        "is_legacy_optimizer" | "jit_compile" | "schedule_decay" => true,
        _ => false,
    }
}

/// Older names in losses and metrics, which may be nested in lists and dictionaries.
fn modern(value: &mut Value) {
    let function = |config: &Value| match config["name"].as_str() {
        // Which accuracy that is, the outputs say.
        Some("accuracy" | "acc") => "accuracy".into(),
        _ => config["fn"].clone(),
    };
    match value["class_name"].as_str() {
        Some("MeanMetricWrapper") => *value = function(&value["config"]),
        Some("LossFunctionWrapper") => *value = value["config"]["fn"].take(),
        _ => {}
    }
    match value {
        Value::Array(all) => all.iter_mut().for_each(modern),
        Value::Object(map) => {
            if map.get("reduction").is_some_and(|r| r == "auto") {
                map.insert("reduction".into(), "sum_over_batch_size".into());
            }
            map.values_mut().for_each(modern);
        }
        _ => {}
    }
}
