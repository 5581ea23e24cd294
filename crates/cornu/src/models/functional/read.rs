//! A graph read from Keras' JSON.

use super::first_call;
use crate::layers::{self, Add, Layer, LayerOptions, Multiply, Rescaling, Subtract};
use crate::models::carried_masks;
use crate::models::config::{common, unit};
use crate::models::graph::Graph;
use crate::models::model::Model;
use crate::models::symbol::{CallNode, Symbol, Unit};
use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// A tensor that a call names: layer, call, output.
#[derive(Clone, Debug)]
pub struct Named {
    pub layer: String,
    call: usize,
    output: usize,
    rank: Option<usize>,
}

impl Named {
    /// Which tensor it is.
    pub fn place(&self) -> (&str, usize, usize) {
        (&self.layer, self.call, self.output)
    }
}

/// One call of a layer as read from a file.
#[derive(Debug, Default)]
pub struct Node {
    pub inputs: Vec<Named>,
    /// Masks that the call is given.
    pub masks: Vec<Named>,
    /// Numbers among the inputs, with the place of each.
    numbers: Vec<(usize, f64)>,
    kwargs: Map<String, Value>,
}

fn history(value: &Value) -> Option<Named> {
    let [layer, call, output] = value.as_array()?.get(..3)? else {
        return None;
    };
    Some(Named {
        layer: layer.as_str()?.to_string(),
        call: usize::try_from(call.as_u64()?).ok()?,
        output: usize::try_from(output.as_u64()?).ok()?,
        rank: None,
    })
}

impl Node {
    /// From Keras 3's object of arguments, or from Keras 2's list of tensors.
    fn read(value: &Value) -> Result<Node> {
        let mut node = Node::default();
        match value {
            Value::Array(tensors) => {
                let flat: &[Value] = match history(value) {
                    Some(_) => std::slice::from_ref(value),
                    None => tensors,
                };
                for tensor in flat {
                    let named = history(tensor).ok_or_else(|| malformed(tensor))?;
                    node.inputs.push(named);
                    if let Some(Value::Object(kwargs)) = tensor.get(3) {
                        node.keywords(kwargs)?;
                    }
                }
            }
            Value::Object(_) => {
                node.argument(&value["args"])?;
                if let Value::Object(kwargs) = &value["kwargs"] {
                    node.keywords(kwargs)?;
                }
            }
            other => return Err(malformed(other)),
        }
        Ok(node)
    }

    fn argument(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Array(all) => all.iter().try_for_each(|v| self.argument(v)),
            Value::Null => Ok(()),
            Value::Number(n) => {
                let place = self.inputs.len() + self.numbers.len();
                self.numbers.extend(n.as_f64().map(|n| (place, n)));
                Ok(())
            }
            Value::Object(map)
                if map
                    .get("class_name")
                    .is_some_and(|c| c == "__keras_tensor__") =>
            {
                let config = &value["config"];
                let mut named =
                    history(&config["keras_history"]).ok_or_else(|| malformed(value))?;
                named.rank = config["shape"].as_array().map(Vec::len);
                self.inputs.push(named);
                Ok(())
            }
            // A dictionary of inputs, or Keras' `{"class_name": "__tuple__", "config": […]}` and its like.
            Value::Object(map) if map.contains_key("class_name") => self.argument(&value["config"]),
            Value::Object(map) => map.values().try_for_each(|v| self.argument(v)),
            other => Err(malformed(other)),
        }
    }

    fn keywords(&mut self, kwargs: &Map<String, Value>) -> Result<()> {
        // Inputs that may be given by name, in the order in which layers take them.
        for name in [
            "inputs",
            "sequences",
            "sequence",
            "query",
            "value",
            "key",
            "initial_state",
            "attention_mask",
        ] {
            if let Some(value) = kwargs.get(name) {
                self.argument(value)?;
            }
        }
        let mut masks = Node::default();
        for name in carried_masks::ARGUMENTS {
            if let Some(value) = kwargs.get(name) {
                masks.argument(value)?;
            }
        }
        self.masks.append(&mut masks.inputs);
        for (name, value) in kwargs {
            let plain = matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
            let said = !matches!(value, Value::Null | Value::Bool(false));
            match &**name {
                "inputs" | "sequences" | "sequence" | "query" | "value" | "key"
                | "initial_state" | "attention_mask" => {}
                name if carried_masks::ARGUMENTS.contains(&name) => {}
                // Whether a call trains is the step's business.
                "training" if !said => {}
                _ if !said => {}
                _ if plain => {
                    self.kwargs.insert(name.clone(), value.clone());
                }
                _ => {
                    return Err(Error::new(format!(
                        "A layer is called with the argument \"{name}\", which Cornu does not take in a call."
                    )));
                }
            }
        }
        Ok(())
    }
}

fn malformed(value: &Value) -> Error {
    let mut shown = value.to_string();
    if let Some((end, _)) = shown.char_indices().nth(80) {
        shown.truncate(end);
        shown.push('…');
    }
    Error::new(format!(
        "The calls of a layer cannot be understood: {shown}."
    ))
}

/// A layer of a file, and the calls made of it so far.
struct Entry {
    unit: Arc<Unit>,
    nodes: Vec<Node>,
    made: Vec<Arc<CallNode>>,
}

/// A functional model from its configuration; its weights are made.
pub fn from_config(config: &Value) -> Result<Model> {
    let list = config["layers"].as_array().ok_or_else(|| {
        Error::new("The configuration of a functional model has no list of \"layers\".")
    })?;
    let mut named = [Vec::new(), Vec::new()];
    let [of_inputs, of_outputs] = &mut named;
    let arranged = [
        gather(&config["input_layers"], of_inputs)?,
        gather(&config["output_layers"], of_outputs)?,
    ];
    let mut entries: Vec<Entry> = Vec::with_capacity(list.len());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (name, object, nodes) in computed(list, &named)? {
        let unit = called_unit(object, &nodes).map_err(|e| e.in_scope(name))?;
        places.insert(name.to_string(), entries.len());
        entries.push(Entry {
            unit,
            nodes,
            made: Vec::new(),
        });
    }
    make_calls(&mut entries, &places)?;
    let mut ends: [Vec<Symbol>; 2] = Default::default();
    let mut templates = [None, None];
    for (i, (template, mut leaves)) in arranged.into_iter().zip(named).enumerate() {
        for leaf in &mut leaves {
            let layer = places.get(&leaf.layer).map(|at| &entries[*at].unit);
            leaf.call = leaf
                .call
                .saturating_sub(layer.map_or(0, |unit| first_call(unit)));
        }
        ends[i] = leaves
            .iter()
            .map(|n| find(&entries, &places, n))
            .collect::<Result<_>>()?;
        // One by itself, and a list of several, are what is written of itself.
        let plain = template.is_u64()
            || template
                .as_array()
                .is_some_and(|a| a.len() > 1 && a.iter().all(Value::is_u64));
        templates[i] = (!plain).then_some(template);
    }
    let name = config["name"].as_str().unwrap_or("functional");
    let mut graph = Graph::new(name, &ends[0], &ends[1])?;
    let order: Vec<Arc<Unit>> = entries.iter().map(|e| e.unit.clone()).collect();
    graph.reorder(&order);
    for (template, ports) in templates
        .iter()
        .zip([&mut graph.inputs, &mut graph.outputs])
    {
        // As in Keras, what is in a dictionary goes by its key.
        for (key, at) in template.iter().filter_map(Value::as_object).flatten() {
            if let Some(port) = at.as_u64().and_then(|i| ports.get_mut(i as usize)) {
                port.name.clone_from(key);
            }
        }
    }
    graph.arranged = templates;
    let mut model = Model::empty(name);
    model.graph = Some(graph);
    common(&mut model, config);
    Ok(model)
}

/// The layers with their names and calls, without the operations that only find masks.
fn computed<'a>(
    list: &'a [Value],
    ends: &[Vec<Named>; 2],
) -> Result<Vec<(&'a str, &'a Value, Vec<Node>)>> {
    let mut all = Vec::with_capacity(list.len());
    for object in list {
        let name = object["name"]
            .as_str()
            .or_else(|| object["config"]["name"].as_str());
        let name = name.ok_or_else(|| Error::new("A layer of a functional model has no name."))?;
        let nodes = object["inbound_nodes"].as_array().into_iter().flatten();
        let nodes = nodes.map(Node::read).collect::<Result<Vec<_>>>();
        all.push((name, object, nodes.map_err(|e| e.in_scope(name))?));
    }
    let mut known = HashMap::new();
    for (name, object, nodes) in &all {
        if known.insert(*name, (*object, &nodes[..])).is_some() {
            return Err(Error::new(format!("Two layers are named \"{name}\".")));
        }
    }
    let only_masks = carried_masks::operations(&known, &ends.concat())?;
    all.retain(|(name, _, _)| !only_masks.contains(*name));
    Ok(all)
}

/// The tensors that a structure of inputs or outputs names, and the structure with their positions.
fn gather(value: &Value, leaves: &mut Vec<Named>) -> Result<Value> {
    if let Some(named) = history(value) {
        leaves.push(named);
        return Ok(json!(leaves.len() - 1));
    }
    match value {
        Value::Array(all) => all.iter().map(|v| gather(v, leaves)).collect(),
        Value::Object(map) => {
            let all = map.iter().map(|(k, v)| Ok((k.clone(), gather(v, leaves)?)));
            Ok(Value::Object(all.collect::<Result<_>>()?))
        }
        other => Err(malformed(other)),
    }
}

/// Whether an object is a function of tensors that Keras recorded, and no layer.
pub fn is_operation(object: &Value) -> bool {
    let module = object["module"].as_str();
    module.is_some_and(|m| m.starts_with("keras.src.ops"))
}

/// The layer of an object, told what its calls say beside their inputs.
fn called_unit(object: &Value, nodes: &[Node]) -> Result<Arc<Unit>> {
    if is_operation(object) {
        return operation(object, nodes);
    }
    let said = nodes.first().map(|n| &n.kwargs).filter(|k| !k.is_empty());
    let Some(said) = said else {
        return unit(object);
    };
    if nodes.iter().any(|n| n.kwargs != *said) {
        return Err(Error::new(
            "Calls of one layer with different arguments cannot be read.",
        ));
    }
    let mut told = object.clone();
    if let Value::Object(config) = &mut told["config"] {
        config.extend(said.clone());
    }
    let unit = unit(&told)?;
    let known = unit.layer.call_arguments();
    match said.keys().find(|name| !known.contains_key(*name)) {
        None => Ok(unit),
        Some(name) => Err(Error::new(format!(
            "{} is called with the argument {name}={}, which Cornu does not take in a call.",
            unit.layer.class_name(),
            said[name]
        ))),
    }
}

/// Keras' functions of symbolic tensors, as the layers that do the same.
fn operation(object: &Value, nodes: &[Node]) -> Result<Arc<Unit>> {
    let class = object["class_name"].as_str().unwrap_or_default();
    let name = object["name"].as_str().unwrap_or_default();
    let refused = || {
        Error::new(format!(
            "The model uses the operation keras.ops {class} on its tensors, which Cornu does not read; put it into a layer and give that as a custom object."
        ))
    };
    let [node] = nodes else { return Err(refused()) };
    let same_rank = node.inputs.windows(2).all(|w| w[0].rank == w[1].rank);
    let layer: Box<dyn Layer> = match (class, &node.inputs[..], &node.numbers[..]) {
        ("Add", [_, _], []) if same_rank => Add::new().name(name).into(),
        ("Subtract", [_, _], []) if same_rank => Subtract::new().name(name).into(),
        ("Multiply", [_, _], []) if same_rank => Multiply::new().name(name).into(),
        ("Add", [_], [(_, c)]) => Rescaling::new(1.0).offset(*c).name(name).into(),
        ("Subtract", [_], [(1, c)]) => Rescaling::new(1.0).offset(-c).name(name).into(),
        ("Subtract", [_], [(_, c)]) => Rescaling::new(-1.0).offset(*c).name(name).into(),
        ("Multiply", [_], [(_, c)]) => Rescaling::new(*c).name(name).into(),
        ("Divide" | "TrueDivide", [_], [(1, c)]) => Rescaling::new(1.0 / c).name(name).into(),
        ("NanToNum", [_], []) => layers::from_config(object)?,
        ("Negative", [_], []) => Rescaling::new(-1.0).name(name).into(),
        _ => return Err(refused()),
    };
    Ok(Unit::new(layer))
}

fn find(entries: &[Entry], places: &HashMap<String, usize>, named: &Named) -> Result<Symbol> {
    let unknown = || {
        Error::new(format!(
            "The model has no output {} of the call {} of a layer \"{}\".",
            named.output, named.call, named.layer
        ))
    };
    let entry = &entries[*places.get(&named.layer).ok_or_else(unknown)?];
    let node = entry.made.get(named.call).ok_or_else(unknown)?;
    Symbol::of_call(node, named.output).map_err(|e| e.in_scope(&*named.layer))
}

/// Makes every call after those it needs, and the calls of a layer in their order.
fn make_calls(entries: &mut [Entry], places: &HashMap<String, usize>) -> Result<()> {
    for entry in entries.iter_mut().filter(|e| e.unit.is_input()) {
        entry
            .made
            .push(CallNode::new(entry.unit.clone(), Vec::new()));
        entry.nodes.clear();
    }
    // Depth first without recursion; a call that waits for itself is met while it is open.
    let mut open: Vec<Vec<bool>> = entries.iter().map(|e| vec![false; e.nodes.len()]).collect();
    for i in 0..entries.len() {
        for k in 0..entries[i].nodes.len() {
            let mut stack = vec![(i, k, 0usize)];
            while let Some((layer, call, next)) = stack.pop() {
                if entries[layer].made.len() > call {
                    continue;
                }
                let node = &entries[layer].nodes[call];
                if next == 0 && std::mem::replace(&mut open[layer][call], true) {
                    let name = |layer: usize| entries[layer].unit.given_name().unwrap_or_default();
                    let around = stack.iter().map(|(l, c, _)| (*l, *c));
                    let around = around.skip_while(|at| *at != (layer, call));
                    let names = around.map(|(l, _)| l).chain([layer]).map(name);
                    let names: Vec<String> = names.collect();
                    return Err(Error::new(format!(
                        "The calls of the model's layers go in a circle: \"{}\".",
                        names.join("\" needs \"")
                    )));
                }
                let before = call
                    .checked_sub(1)
                    .filter(|_| next == 0)
                    .map(|c| (layer, c));
                let needed = match next.checked_sub(1) {
                    None => before,
                    Some(n) if n < node.inputs.len() => {
                        let named = &node.inputs[n];
                        let at = *places.get(&named.layer).ok_or_else(|| {
                            Error::new(format!("The model has no layer \"{}\".", named.layer))
                        })?;
                        let pending = named.call < entries[at].nodes.len();
                        pending.then_some((at, named.call))
                    }
                    Some(_) => {
                        let inputs = node.inputs.iter().map(|n| find(entries, places, n));
                        let inputs = inputs.collect::<Result<_>>()?;
                        let entry = &mut entries[layer];
                        entry.made.push(CallNode::new(entry.unit.clone(), inputs));
                        continue;
                    }
                };
                stack.push((layer, call, next + 1));
                stack.extend(
                    needed
                        .filter(|(l, c)| entries[*l].made.len() <= *c)
                        .map(|(l, c)| (l, c, 0)),
                );
            }
        }
    }
    Ok(())
}
