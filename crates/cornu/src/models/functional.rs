//! Graphs of layers as Keras' JSON: every layer with the calls that were made of it.

mod read;

use super::config::unit_config;
use super::graph::{Graph, Slot};
use super::symbol::Unit;
use crate::DType;
use crate::layers::{Base, InputShape, Layer};
pub(super) use read::{Named, Node, from_config, is_operation};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Layers that take their first input by itself and all others as initial states.
const RECURRENT: [&str; 8] = [
    "RNN",
    "SimpleRNN",
    "LSTM",
    "GRU",
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
];

/// Layers that take each input as an argument of its own: query, value, key and a mask.
pub(super) const ATTENTION: [&str; 2] = ["MultiHeadAttention", "GroupedQueryAttention"];

impl Graph {
    fn unit_name(&self, unit: usize) -> String {
        self.units[unit].given_name().unwrap_or_default()
    }

    fn history(&self, slot: &Slot) -> Value {
        json!([self.unit_name(slot.unit), slot.call, slot.output])
    }

    /// As [`Graph::history`], where a model's inputs and outputs are told: there, and nowhere else, Keras counts
    /// a functional model's own making as its first call.
    fn end(&self, slot: &Slot) -> Value {
        let call = slot.call + first_call(&self.units[slot.unit]);
        json!([self.unit_name(slot.unit), call, slot.output])
    }

    /// A tensor as Keras writes it into the call of a layer.
    fn tensor(&self, slot: usize) -> Value {
        let slot = &self.slots[slot];
        let unit = &self.units[slot.unit];
        let dtype = match (unit.is_input(), unit.built.get()) {
            (false, Some(built)) => built.compute.name(),
            _ if unit.layer.takes_texts() => "string",
            _ => unit.layer.input_dtype().unwrap_or(DType::F32).name(),
        };
        json!({
            "class_name": "__keras_tensor__",
            "config": {
                "shape": slot.shape.to_json(),
                "dtype": dtype,
                "keras_history": self.history(slot),
            },
        })
    }

    /// The shapes of what a layer is given in its first call.
    pub(super) fn fed(&self, unit: &Arc<Unit>) -> Option<Vec<InputShape>> {
        let step = self
            .steps
            .iter()
            .find(|s| Arc::ptr_eq(&self.units[s.unit], unit))?;
        Some(
            step.inputs
                .iter()
                .map(|s| self.slots[*s].shape.clone())
                .collect(),
        )
    }

    /// The inputs or outputs in their arrangement.
    fn ends(&self, which: usize) -> Value {
        let ports = [&self.inputs, &self.outputs][which];
        let leaves: Vec<Value> = ports
            .iter()
            .map(|p| self.end(&self.slots[p.slot]))
            .collect();
        match &self.arranged[which] {
            Some(template) => arranged(template, &leaves),
            None if leaves.len() == 1 => leaves[0].clone(),
            None => Value::Array(leaves),
        }
    }
}

/// The number of the first call of a layer, where a model's ends are told.
fn first_call(unit: &Unit) -> usize {
    usize::from(unit.layer.class_name() == "Functional")
}

/// The template with leaves in place of their positions.
fn arranged(template: &Value, leaves: &[Value]) -> Value {
    match template {
        Value::Array(all) => all.iter().map(|v| arranged(v, leaves)).collect(),
        Value::Object(map) => {
            let all = map.iter().map(|(k, v)| (k.clone(), arranged(v, leaves)));
            Value::Object(all.collect())
        }
        at => {
            let at = at.as_u64().and_then(|i| leaves.get(i as usize));
            at.cloned().unwrap_or(Value::Null)
        }
    }
}

/// Keras' `get_config()` of a functional model.
pub(super) fn to_config(base: &Base, graph: &Graph) -> Value {
    let mut layers = Vec::new();
    for (i, unit) in graph.units.iter().enumerate() {
        let name = graph.unit_name(i);
        let mut object = unit_config(unit, &name, graph.fed(unit).as_deref());
        let calls = graph.steps.iter().filter(|s| s.unit == i);
        let calls = calls
            .map(|s| call(graph, &*unit.layer, &s.inputs))
            .collect();
        object["name"] = name.into();
        object["inbound_nodes"] = Value::Array(calls);
        layers.push(object);
    }
    json!({
        "name": base.name.as_deref().unwrap_or_default(),
        "trainable": base.trainable,
        "layers": layers,
        "input_layers": graph.ends(0),
        "output_layers": graph.ends(1),
    })
}

/// One call of a layer as Keras' arguments.
fn call(graph: &Graph, layer: &dyn Layer, inputs: &[usize]) -> Value {
    let class = layer.class_name();
    let mut kwargs = layer.call_arguments();
    let mut tensors: Vec<Value> = inputs.iter().map(|s| graph.tensor(*s)).collect();
    let args = if ATTENTION.contains(&class) {
        if tensors.len() == 1 {
            tensors.push(tensors[0].clone());
        }
        if tensors.len() == 4 {
            kwargs.extend(tensors.pop().map(|mask| ("attention_mask".into(), mask)));
        }
        tensors
    } else if RECURRENT.contains(&class) && tensors.len() > 1 {
        kwargs.insert("initial_state".into(), tensors.drain(1..).collect());
        tensors
    } else if class == "Functional" && layer.config()["input_layers"].is_object() {
        // The keys are in the order in which the inputs are.
        let config = layer.config();
        let keys = config["input_layers"]
            .as_object()
            .into_iter()
            .flat_map(Map::keys);
        vec![Value::Object(keys.cloned().zip(tensors).collect())]
    } else if tensors.len() == 1 {
        tensors
    } else {
        vec![Value::Array(tensors)]
    };
    json!({"args": args, "kwargs": kwargs})
}
