//! Layers and what flows between them: the built form of every model.

mod order;

use super::nested::Nested;
use super::symbol::{Symbol, Unit};
use crate::data::Data;
use crate::layers::{
    Built, InputShape, Outputs, Pass, Site, Weight, build_layer, call_layer, output_shapes,
    snake_case,
};
use crate::{DType, Error, Result, Tensor};
use cornu_core::order_by;
use order::{id, keras_order, ordered, sources, unit_id};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Where a tensor enters or leaves a graph.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    /// The name of the layer there.
    pub name: String,
    /// The shape with the batch axis.
    pub shape: InputShape,
    /// The type to which an input is converted.
    pub dtype: DType,
    pub(super) slot: usize,
    /// Whether an input is of texts.
    pub texts: bool,
    /// The layers that look at an input's data before they are read.
    readers: Vec<Arc<Unit>>,
    /// Of an input that is numbers of rows: the layer that reads them, and how many it has.
    pub rows: Option<(String, usize)>,
}

/// An output of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The layer's place among the units.
    pub unit: usize,
    /// Which of its calls gave it, and which output it is.
    pub call: usize,
    pub output: usize,
}

/// One call of a layer: from slots to slots.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub unit: usize,
    pub inputs: Vec<usize>,
    pub outputs: Vec<usize>,
}

/// Where a value comes from: the `output`-th of the `call`-th call of a layer.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub unit: usize,
    pub call: usize,
    pub output: usize,
    pub shape: InputShape,
}

/// A network whose layers have their weights.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub name: String,
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    /// The layers in Keras' order.
    pub units: Vec<Arc<Unit>>,
    pub(super) steps: Vec<Step>,
    pub(super) slots: Vec<Slot>,
    /// What each slot was drawn from, for models of parts of this one.
    pub(super) symbols: Vec<Symbol>,
    /// How inputs and outputs are arranged, if not in lists: Keras' JSON with positions as leaves.
    pub(super) arranged: [Option<Value>; 2],
    /// For each layer, what its calls read, in order.
    pub sources: Vec<Vec<Source>>,
    /// Whether the layers follow each other in one line.
    pub linear: bool,
}

/// The names of layers: those given, else the class in snake case, with a number from the second of a
/// class on.
///
/// # Errors
/// If two layers were given one name.
pub(super) fn names(units: &[Arc<Unit>]) -> Result<Vec<String>> {
    let mut taken: HashSet<String> = HashSet::new();
    for name in units.iter().filter_map(|u| u.given_name()) {
        if let Some(twice) = taken.replace(name) {
            return Err(Error::new(format!(
                "Layer names must be unique. Received: \"{twice}\" twice."
            )));
        }
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    let names = units.iter().map(|unit| {
        unit.given_name().unwrap_or_else(|| {
            let stem = snake_case(unit.layer.class_name());
            loop {
                let n = counts.entry(stem.clone()).or_insert(0);
                let name = match *n {
                    0 => stem.clone(),
                    n => format!("{stem}_{n}"),
                };
                *n += 1;
                if taken.insert(name.clone()) {
                    return name;
                }
            }
        })
    });
    Ok(names.collect())
}

/// As [`names`]; of a model that is not built yet, whose names may not be unique, as they are given.
pub(super) fn given_names(units: &[Arc<Unit>]) -> Vec<String> {
    names(units).unwrap_or_else(|_| {
        let name = |u: &Arc<Unit>| u.given_name().unwrap_or_default();
        units.iter().map(name).collect()
    })
}

/// Refuses an input shape that a layer inside a graph declares, and that is not what comes.
pub(super) fn check_declared(unit: &Unit, name: &str, given: &InputShape) -> Result<()> {
    let declared = unit.layer.base().and_then(|b| b.input_shape.clone());
    match declared.map(InputShape::batch_of) {
        Some(own) if own != *given => Err(Error::shape(format!(
            "input_shape says {own}, but the layer before gives {given}."
        ))
        .in_scope(name)),
        _ => Ok(()),
    }
}

/// What stands for a value that was not given.
fn missing() -> (Tensor, Option<Tensor>) {
    let error = Error::state("The model lacks an input.");
    (Tensor::error(error), None)
}

impl Graph {
    /// The network between these inputs and outputs; layers without weights get them.
    pub fn new(name: &str, inputs: &[Symbol], outputs: &[Symbol]) -> Result<Graph> {
        inputs.iter().chain(outputs).try_for_each(Symbol::check)?;
        if inputs.is_empty() || outputs.is_empty() {
            return Err(Error::state(format!(
                "The model \"{name}\" needs at least one input and one output. Received: {} and {}.",
                inputs.len(),
                outputs.len()
            )));
        }
        if let Some(inner) = inputs.iter().find(|s| !s.node.unit.is_input()) {
            return Err(Error::state(format!(
                "The inputs of a model must come from Input. Received: an output of {}.",
                inner.node.unit.layer.class_name()
            )));
        }
        let order = ordered(inputs, outputs)?;
        let mut calls: Vec<Arc<Unit>> = Vec::new();
        for node in &order {
            if calls.iter().all(|u| !Arc::ptr_eq(u, &node.unit)) {
                calls.push(node.unit.clone());
            }
        }
        let names: HashMap<usize, String> = calls.iter().map(unit_id).zip(names(&calls)?).collect();
        let (units, linear) = keras_order(&order, outputs);
        let place: HashMap<usize, usize> = units.iter().map(unit_id).zip(0..).collect();
        let mut graph = Graph {
            name: name.to_string(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            units,
            sources: sources(&order, &place),
            linear,
            steps: Vec::new(),
            slots: Vec::new(),
            symbols: Vec::new(),
            arranged: [None, None],
        };
        let mut calls: HashMap<usize, usize> = HashMap::new();
        let (mut seed, mut stream) = (None, 0);
        // Weights are kept only if the whole graph fits together.
        let mut fresh: HashMap<usize, Built> = HashMap::new();
        // The slots of each call's outputs, and the shape in each slot.
        let mut slots: HashMap<usize, Vec<usize>> = HashMap::new();
        for node in &order {
            let read: Vec<usize> = node
                .inputs
                .iter()
                .map(|s| {
                    slots
                        .get(&id(&s.node))
                        .and_then(|all| all.get(s.index))
                        .copied()
                })
                .collect::<Option<_>>()
                .ok_or_else(|| Error::state("A layer has fewer outputs than are used of it."))?;
            let shape = |s: &usize| graph.slots[*s].shape.clone();
            let mut given: Vec<InputShape> = read.iter().map(shape).collect();
            if node.unit.is_input() {
                given = vec![super::sequential::input_shape(&*node.unit.layer)?];
            }
            let name = &names[&unit_id(&node.unit)];
            if node.inputs.first().is_some_and(|s| !s.node.unit.is_input()) {
                check_declared(&node.unit, name, &given[0])?;
            }
            let known = node
                .unit
                .built
                .get()
                .or_else(|| fresh.get(&unit_id(&node.unit)));
            let outputs = match known {
                Some(built) => output_shapes(&*node.unit.layer, built, &given)?,
                None => {
                    let site = Site {
                        path: "",
                        // None is taken where all layers have their weights.
                        seed: *seed.get_or_insert_with(crate::utils::next_seed),
                        stream: &mut stream,
                        dry: false,
                    };
                    let built = build_layer(&*node.unit.layer, name, &given, site)?;
                    let outputs = built.outputs.clone();
                    fresh.insert(unit_id(&node.unit), built);
                    outputs
                }
            };
            let (unit, first) = (place[&unit_id(&node.unit)], graph.slots.len());
            let call = calls.entry(unit).or_insert(0);
            let made = outputs.into_iter().enumerate().map(|(output, shape)| Slot {
                unit,
                call: *call,
                output,
                shape,
            });
            graph.slots.extend(made);
            *call += 1;
            let written: Vec<usize> = (first..graph.slots.len()).collect();
            let drawn = written.iter().map(|slot| {
                let Slot { output, shape, .. } = &graph.slots[*slot];
                Symbol::drawn(node, *output, shape.clone())
            });
            graph.symbols.extend(drawn);
            slots.insert(id(node), written.clone());
            if !node.unit.is_input() {
                graph.steps.push(Step {
                    unit,
                    inputs: read,
                    outputs: written,
                });
            }
        }
        let port = |symbol: &Symbol| -> Result<Port> {
            let written = slots.get(&id(&symbol.node));
            let slot = written
                .and_then(|w| w.get(symbol.index))
                .copied()
                .ok_or_else(|| Error::state("A layer has fewer outputs than are used of it."))?;
            Ok(Port {
                name: names[&unit_id(&symbol.node.unit)].clone(),
                shape: graph.slots[slot].shape.clone(),
                dtype: symbol.node.unit.layer.input_dtype().unwrap_or(DType::F32),
                slot,
                texts: symbol.node.unit.layer.takes_texts(),
                readers: Vec::new(),
                rows: None,
            })
        };
        let ends = [inputs, outputs].map(|s| s.iter().map(port).collect::<Result<Vec<Port>>>());
        let [inputs, outputs] = ends;
        (graph.inputs, graph.outputs) = (inputs?, outputs?);
        for i in 0..graph.inputs.len() {
            let slot = graph.inputs[i].slot;
            graph.inputs[i].rows = graph.rows(slot, &names);
            graph.inputs[i].readers = graph.readers(slot);
        }
        graph.check_texts(&names)?;
        for unit in &graph.units {
            if let Some(built) = fresh.remove(&unit_id(unit)) {
                unit.built.get_or_init(|| built);
            }
        }
        graph.warn_of_lost_masks();
        Ok(graph)
    }

    /// Of the layers that read a slot, the one with the fewest rows that its input picks.
    fn rows(&self, slot: usize, names: &HashMap<usize, String>) -> Option<(String, usize)> {
        let readers = self.steps.iter().flat_map(|step| {
            let inputs = step.inputs.iter().enumerate();
            let of_slot = inputs.filter(|(_, s)| **s == slot);
            of_slot.map(|(i, _)| (&self.units[step.unit], i))
        });
        let rows = readers.filter_map(|(unit, i)| match Nested::of(&*unit.layer) {
            Some(inside) => inside.graph.as_ref()?.inputs.get(i)?.rows.clone(),
            None if i > 0 => None,
            None => Some((names.get(&unit_id(unit))?.clone(), unit.layer.rows()?)),
        });
        rows.min_by_key(|(_, n)| *n)
    }

    /// The layers whose first input is a slot, also inside models.
    fn readers(&self, slot: usize) -> Vec<Arc<Unit>> {
        let mut all = Vec::new();
        for step in &self.steps {
            for (i, _) in step.inputs.iter().enumerate().filter(|(_, s)| **s == slot) {
                let unit = &self.units[step.unit];
                match Nested::of(&*unit.layer).and_then(|inside| inside.graph.as_ref()) {
                    Some(inside) => {
                        let port = inside.inputs.get(i);
                        all.extend(port.into_iter().flat_map(|p| p.readers.iter().cloned()));
                    }
                    None if i == 0 => all.push(unit.clone()),
                    None => {}
                }
            }
        }
        all
    }

    /// Refuses texts where numbers are wanted, and numbers where texts are.
    fn check_texts(&self, names: &HashMap<usize, String>) -> Result<()> {
        let texts = |slot: &usize| self.inputs.iter().any(|p| p.texts && p.slot == *slot);
        for step in &self.steps {
            let unit = &self.units[step.unit];
            let given: Vec<bool> = step.inputs.iter().map(texts).collect();
            unit.layer.check_texts(&given).map_err(|e| {
                let name = names.get(&unit_id(unit)).map_or("", String::as_str);
                e.in_scope(name)
            })?;
        }
        match self.outputs.iter().find(|p| texts(&p.slot)) {
            Some(port) => Err(Error::new(format!(
                "The input \"{}\" is of texts, which no model gives as output.",
                port.name
            ))),
            None => Ok(()),
        }
    }

    /// Refuses data that the layers at the `i`-th input do not take: texts for numbers, and what they know not.
    pub fn check_data(&self, i: usize, what: &str, data: &Data<'_>) -> Result<()> {
        let Some(port) = self.inputs.get(i) else {
            return Ok(());
        };
        if port.texts != data.is_texts() {
            let kind = |texts: bool| if texts { "texts" } else { "numbers" };
            return Err(Error::new(format!(
                "{what}: the input \"{}\" takes {}. Received: {}.",
                port.name,
                kind(port.texts),
                kind(data.is_texts())
            )));
        }
        let mut readers = port.readers.iter();
        readers.try_for_each(|unit| {
            let name = unit.given_name().unwrap_or_default();
            unit.layer.check_data(data).map_err(|e| e.in_scope(name))
        })
    }

    /// Says which layers drop a mask that they are given, as Keras does.
    fn warn_of_lost_masks(&self) {
        let mut pass = Pass::default();
        self.forward(&self.examples(), &mut pass);
        for name in pass.unmasked {
            eprintln!(
                "Warning: the layer \"{name}\" does not know masks; the mask of its input ends there."
            );
        }
    }

    /// The layers in another order, which files tell.
    pub(super) fn reorder(&mut self, order: &[Arc<Unit>]) {
        let wanted: HashMap<usize, usize> = order.iter().map(unit_id).zip(0..).collect();
        let rank = |i: usize| {
            wanted
                .get(&unit_id(&self.units[i]))
                .map_or(-1, |r| *r as i64)
        };
        let places = order_by(self.units.len(), &|i| (rank(i), 0));
        let mut moved = vec![0; places.len()];
        for (new, old) in places.iter().enumerate() {
            moved[*old] = new;
        }
        self.units = places.iter().map(|old| self.units[*old].clone()).collect();
        self.steps.iter_mut().for_each(|s| s.unit = moved[s.unit]);
        self.slots.iter_mut().for_each(|s| s.unit = moved[s.unit]);
    }

    fn built(unit: &Unit) -> Result<&Built> {
        unit.built
            .get()
            .ok_or_else(|| Error::state("A layer of the model is not built."))
    }

    /// Whether a layer computes in `float16` and keeps its weights in `float32`.
    pub fn is_mixed_float16(&self) -> bool {
        let base = |u: &Arc<Unit>| u.layer.base().map(|b| b.dtype.name() == "mixed_float16");
        self.units.iter().any(|u| base(u) == Some(true))
    }

    /// All weights in Keras' order; of layers that are frozen none is trainable.
    pub fn weights(&self, trainable: bool) -> Vec<Weight> {
        let mut all = Vec::new();
        for built in self.units.iter().filter_map(|u| u.built.get()) {
            built.collect(trainable, &mut all);
        }
        all
    }

    /// The outputs for inputs that are already of the right types and ranks.
    pub fn forward(&self, inputs: &[Tensor], pass: &mut Pass) -> Outputs {
        let masks = vec![None; inputs.len()];
        self.run(inputs, &masks, true, pass)
    }

    /// The outputs for inputs with masks.
    pub fn run(
        &self,
        inputs: &[Tensor],
        masks: &[Option<Tensor>],
        trainable: bool,
        pass: &mut Pass,
    ) -> Outputs {
        let values = self.values(inputs, masks, trainable, pass);
        let outputs = self.outputs.iter();
        let (tensors, masks) = outputs
            .map(|p| values[p.slot].clone().unwrap_or_else(missing))
            .unzip();
        Outputs { tensors, masks }
    }

    /// The type of what every slot holds.
    pub(super) fn dtypes(&self) -> Vec<DType> {
        let inputs = self.examples();
        let masks = vec![None; inputs.len()];
        let values = self.values(&inputs, &masks, true, &mut Pass::default());
        let dtype = |value: Option<(Tensor, _)>| value.unwrap_or_else(missing).0.dtype();
        values.into_iter().map(dtype).collect()
    }

    /// Inputs of the model's shapes, without values.
    fn examples(&self) -> Vec<Tensor> {
        let ports = self.inputs.iter().enumerate();
        ports
            .map(|(i, p)| Tensor::input(i, p.shape.with(64), p.dtype))
            .collect()
    }

    /// What is in every slot, with its mask.
    fn values(
        &self,
        inputs: &[Tensor],
        masks: &[Option<Tensor>],
        trainable: bool,
        pass: &mut Pass,
    ) -> Vec<Option<(Tensor, Option<Tensor>)>> {
        let mut values: Vec<Option<(Tensor, Option<Tensor>)>> = vec![None; self.slots.len()];
        for (i, port) in self.inputs.iter().enumerate() {
            let mask = masks.get(i).cloned().flatten();
            if port.texts {
                pass.texts.extend(inputs.get(i).cloned());
            }
            values[port.slot] = inputs.get(i).map(|x| (x.clone(), mask));
        }
        for step in &self.steps {
            let unit = &self.units[step.unit];
            let (xs, masks): (Vec<Tensor>, Vec<Option<Tensor>>) = step
                .inputs
                .iter()
                .map(|s| values[*s].clone().unwrap_or_else(missing))
                .unzip();
            let out = match Self::built(unit) {
                Ok(built) => call_layer(&*unit.layer, built, &xs, &masks, trainable, pass),
                Err(e) => Outputs {
                    tensors: vec![Tensor::error(e)],
                    masks: vec![None],
                },
            };
            if let (Some(taps), Some(first)) = (&mut pass.taps, out.tensors.first()) {
                let name = unit.given_name().unwrap_or_default();
                taps.push((name, first.clone()));
            }
            for (slot, value) in step
                .outputs
                .iter()
                .zip(out.tensors.into_iter().zip(out.masks))
            {
                values[*slot] = Some(value);
            }
        }
        values
    }

    /// An input as the network takes it: converted, and with or without a last axis of 1 as needed.
    pub fn adapt(&self, i: usize, x: &Tensor) -> Tensor {
        let Some(port) = self.inputs.get(i) else {
            return x.clone();
        };
        let x = x.cast(port.dtype);
        let rank = port.shape.rank();
        if x.rank() + 1 == rank {
            x.expand_dims(-1)
        } else if x.rank() == rank + 1 && x.shape().last() == Some(&1) {
            x.squeeze(-1)
        } else {
            x
        }
    }

    /// All inputs as the network takes them.
    pub fn adapt_all(&self, xs: &[Tensor]) -> Vec<Tensor> {
        xs.iter()
            .enumerate()
            .map(|(i, x)| self.adapt(i, x))
            .collect()
    }

    /// Refuses data whose samples the `i`-th input cannot take.
    pub fn check_input(&self, i: usize, what: &str, shape: &[usize]) -> Result<()> {
        let Some(port) = self.inputs.get(i) else {
            return Ok(());
        };
        let expected = &port.shape;
        let mut adapted = shape.to_vec();
        if shape.len() + 1 == expected.rank() {
            adapted.push(1);
        } else if shape.len() == expected.rank() + 1 && shape.last() == Some(&1) {
            adapted.pop();
        }
        if expected.accepts(&adapted) {
            return Ok(());
        }
        let of = match self.inputs.len() {
            1 => String::new(),
            _ => format!(" for the input \"{}\"", port.name),
        };
        Err(Error::shape(format!(
            "{what}{of} does not fit the model \"{}\": expected shape {expected}. Received: {}.",
            self.name,
            crate::Shape::from(shape)
        )))
    }
}
