//! What `compile` was given, as Keras' JSON.

use super::compile::{Compile, ForOutput};
use super::trainer::Trainer;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::optimizers::{LossScale, Optimizer};
use crate::{Error, Result};
use serde_json::{Map, Value, json};

impl Trainer {
    /// Keras' `get_compile_config()`: strings as they were given, values as objects.
    pub(super) fn to_config(&self) -> Value {
        let own: Vec<(&str, ForOutput)> = self.own_of_outputs();
        let one = |make: &dyn Fn(&ForOutput) -> Value| match own.is_empty() {
            true => make(&self.common),
            false => {
                let own = own.iter().map(|(name, own)| (name.to_string(), make(own)));
                let own: Map<String, Value> = own.filter(|(_, v)| !v.is_null()).collect();
                match own.is_empty() {
                    true => Value::Null,
                    false => Value::Object(own),
                }
            }
        };
        let metrics = |all: &[Metric]| match all.is_empty() {
            true => Value::Null,
            false => all.iter().map(Metric::to_config).collect(),
        };
        json!({
            "optimizer": match &self.loss_scale {
                Some(scale) => scale.serialize(self.optimizer.serialize()),
                None => self.optimizer.serialize(),
            },
            "loss": one(&|o| o.loss.as_ref().map_or(Value::Null, Loss::to_config)),
            "loss_weights": one(&|o| json!(o.weight)),
            "metrics": one(&|o| metrics(&o.metrics)),
            "weighted_metrics": one(&|o| metrics(&o.weighted_metrics)),
            "run_eagerly": false,
            "steps_per_execution": 1,
            "jit_compile": false,
        })
    }
}

/// What is given for each output: one thing for all, a list in their order, or a dictionary by name.
fn spread(
    value: &Value,
    outputs: &[String],
    is_one: &dyn Fn(&Value) -> bool,
    put: &mut dyn FnMut(Option<&str>, &Value) -> Result<()>,
) -> Result<()> {
    match value {
        Value::Null => Ok(()),
        one if is_one(one) => put(None, one),
        Value::Array(all) => {
            let several = outputs.len() > 1;
            for (i, one) in all.iter().enumerate().filter(|(_, v)| !v.is_null()) {
                match outputs.get(i) {
                    Some(name) if several => put(Some(name), one)?,
                    _ => put(None, one)?,
                }
            }
            Ok(())
        }
        Value::Object(map) => {
            let said = map.iter().filter(|(_, v)| !v.is_null());
            said.into_iter()
                .try_for_each(|(name, one)| put(Some(name), one))
        }
        other => Err(Error::new(format!(
            "How the model was compiled cannot be understood: {other}."
        ))),
    }
}

/// An object of a class, not a dictionary by outputs.
fn is_object(value: &Value) -> bool {
    value.is_string() || value.get("class_name").is_some()
}

fn metric(value: &Value) -> Result<Metric> {
    if let Some(name) = value.as_str().or_else(|| value.get("config")?.as_str()) {
        let metric = crate::saving::custom_metric(name).unwrap_or_else(|| name.into());
        return metric.check().map(|()| metric);
    }
    let (class, config) = crate::config::parts("metric", value)?;
    match crate::saving::custom_metric(class) {
        Some(metric) => Ok(metric),
        None => Metric::from_config(class, &config),
    }
}

fn metrics(value: &Value) -> Result<Vec<Metric>> {
    match value {
        Value::Array(all) => all.iter().map(metric).collect(),
        one => Ok(vec![metric(one)?]),
    }
}

impl Compile {
    /// From Keras' `compile_config`, for a model of these outputs.
    pub(super) fn from_config(config: &Value, outputs: &[String]) -> Result<Compile> {
        let (scale, optimizer) = LossScale::deserialize(&config["optimizer"])?;
        let mut compile = Compile::optimizer(Optimizer::deserialize(optimizer)?);
        compile.loss_scale = scale;
        let at =
            |compile: &mut Compile, name: Option<&str>, set: &dyn Fn(&mut ForOutput)| match name {
                // With one output there is nothing to tell apart.
                Some(name) if outputs.len() != 1 => set(compile.of(name)),
                _ => set(&mut compile.common),
            };
        spread(&config["loss"], outputs, &is_object, &mut |name, value| {
            let loss = Loss::from_config(value)?;
            at(&mut compile, name, &|o| o.loss = Some(loss.clone()));
            Ok(())
        })?;
        spread(
            &config["loss_weights"],
            outputs,
            &Value::is_number,
            &mut |name, value| {
                at(&mut compile, name, &|o| o.weight = value.as_f64());
                Ok(())
            },
        )?;
        // One list of metrics is for the only output; a list of lists has one for each.
        let flat = |v: &Value| {
            let all = v.as_array();
            is_object(v) || (outputs.len() < 2 && all.is_some_and(|all| all.iter().all(is_object)))
        };
        for key in ["metrics", "weighted_metrics"] {
            spread(&config[key], outputs, &flat, &mut |name, value| {
                let metrics = metrics(value)?;
                at(&mut compile, name, &|o| match key {
                    "metrics" => o.metrics.clone_from(&metrics),
                    _ => o.weighted_metrics.clone_from(&metrics),
                });
                Ok(())
            })?;
        }
        Ok(compile)
    }
}
