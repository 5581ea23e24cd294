//! What a picture shows: layers, what they say of themselves, and what flows between them.

use crate::models::graph::{Graph, given_names};
use crate::models::model::Model;
use crate::models::nested::Nested;
use crate::models::summarise::{row, shown_shapes};
use crate::models::symbol::Unit;
use crate::{DType, Result};
use std::sync::Arc;

/// A layer as its box tells of it.
pub(super) struct Layer {
    pub name: String,
    pub class: String,
    pub activation: Option<String>,
    pub inputs: String,
    pub outputs: String,
    pub dtypes: String,
    /// Whether it is trained; `None` if it has no weights.
    pub trainable: Option<bool>,
}

/// A box, or a frame around boxes.
pub(super) enum Part {
    Layer(Layer),
    Model(String, Network),
}

/// What flows from an output of a part to an input of another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Flow {
    pub from: usize,
    pub output: usize,
    pub to: usize,
    pub input: usize,
}

/// The parts of a model, and where data enter and leave.
pub(super) struct Network {
    pub parts: Vec<Part>,
    pub flows: Vec<Flow>,
    /// For each input, the part where it enters, and which of its inputs that is.
    pub inputs: Vec<(usize, usize)>,
    /// For each output, the part that it leaves, and which of its outputs that is.
    pub outputs: Vec<(usize, usize)>,
}

impl Network {
    /// A model's, with those of the models inside it if they are to be shown.
    pub fn of(model: &Model, expand: bool) -> Result<Network> {
        Self::drawn(model.graph()?, model.is_stack(), expand)
    }

    fn drawn(graph: &Graph, stack: bool, expand: bool) -> Result<Network> {
        let names = given_names(&graph.units);
        let dtypes = graph.dtypes();
        // As in Keras, a stack does not show where data enter.
        let shown = |unit: usize| !(stack && graph.units[unit].is_input());
        let mut place = vec![0; graph.units.len()];
        let mut parts = Vec::new();
        for (i, unit) in graph.units.iter().enumerate().filter(|(i, _)| shown(*i)) {
            place[i] = parts.len();
            let fed = graph.fed(unit).unwrap_or_default();
            let inside = Nested::of(&*unit.layer).filter(|_| expand);
            parts.push(match inside {
                Some(nested) => {
                    let graph = nested.graph_for(&fed)?;
                    let inside = Self::drawn(&graph, nested.stack.is_some(), expand)?;
                    Part::Model(names[i].clone(), inside)
                }
                None => {
                    let own = graph.slots.iter().zip(&dtypes);
                    let own = own.filter(|(slot, _)| slot.unit == i && slot.call == 0);
                    let dtypes: Vec<DType> = own.map(|(_, dtype)| *dtype).collect();
                    Part::Layer(Layer {
                        name: names[i].clone(),
                        inputs: shown_shapes(&fed),
                        dtypes: shown_dtypes(&dtypes),
                        ..described(unit)
                    })
                }
            });
        }
        let mut network = Network {
            parts,
            flows: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        for unit in 0..graph.units.len() {
            for step in graph.steps.iter().filter(|s| s.unit == unit) {
                for (input, slot) in step.inputs.iter().enumerate() {
                    let from = &graph.slots[*slot];
                    let flow = Flow {
                        from: place[from.unit],
                        output: from.output,
                        to: place[unit],
                        input,
                    };
                    if !shown(from.unit) {
                        network.inputs.push((flow.to, input));
                    } else if !network.flows.contains(&flow) {
                        network.flows.push(flow);
                    }
                }
            }
        }
        if !stack {
            let enters = graph.inputs.iter().map(|p| graph.slots[p.slot].unit);
            network.inputs = enters.map(|unit| (place[unit], 0)).collect();
        }
        let leaves = graph.outputs.iter().map(|p| &graph.slots[p.slot]);
        network.outputs = leaves.map(|slot| (place[slot.unit], slot.output)).collect();
        Ok(network)
    }
}

/// What is said of a layer wherever it stands.
fn described(unit: &Arc<Unit>) -> Layer {
    let row = row(unit);
    let config = unit.layer.config();
    let activation = config.get("activation");
    let activation = activation.and_then(|a| a.as_str().or_else(|| a["config"].as_str()));
    Layer {
        name: row.name,
        class: row.class,
        activation: activation.map(str::to_string),
        inputs: String::new(),
        outputs: row.shape,
        dtypes: String::new(),
        trainable: row.trainable,
    }
}

fn shown_dtypes(dtypes: &[DType]) -> String {
    match dtypes {
        [one] => one.name().to_string(),
        several => {
            let all: Vec<String> = several.iter().map(|d| format!("'{}'", d.name())).collect();
            format!("[{}]", all.join(", "))
        }
    }
}
