//! Models as Keras' JSON: stacks, and what every model shares. Graphs are in [`super::functional`].

use super::functional;
use super::graph::{Graph, names};
use super::model::Model;
use super::sequential::stack_input;
use super::symbol::Unit;
use crate::layers::{self, Base, Input, InputShape, Layer, snake_case};
#[cfg(feature = "saving")]
use crate::optimizers::LossScale;
use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Model {
    /// Keras' `get_config()` of the model: its layers, and what flows between them.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = Input::new([3]).name("x").symbol();
    /// let model = Model::new(&x, Dense::new(2).name("y").on(&x))?;
    /// let config = model.to_config();
    /// assert_eq!(config["input_layers"].to_string(), r#"["x",0,0]"#);
    /// assert_eq!(config["layers"][1]["inbound_nodes"].as_array().map(Vec::len), Some(1));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn to_config(&self) -> Value {
        of(&self.base, self.stack.as_deref(), self.graph.as_ref())
    }

    /// The model as the object that files hold: module, class, configuration, the shape it is built for, and
    /// how it is compiled.
    pub(crate) fn serialize(&self) -> Value {
        let _sharing = Sharing::enter();
        let (module, class, registered) = match self.stack {
            Some(_) => ("keras", "Sequential", Value::Null),
            None => (
                "keras.src.models.functional",
                "Functional",
                json!("Functional"),
            ),
        };
        let mut object = json!({
            "module": module,
            "class_name": class,
            "config": self.to_config(),
            "registered_name": registered,
        });
        if let Some(graph) = &self.graph {
            let shape = match (&self.stack, graph.inputs.first()) {
                (Some(_), Some(port)) => port.shape.to_json(),
                _ => Value::Null,
            };
            object["build_config"] = json!({"input_shape": shape});
        }
        if let Some(trainer) = &self.trainer {
            object["compile_config"] = trainer.to_config();
        }
        forget_lone_ids(&mut object);
        object
    }

    /// The model's architecture as Keras' JSON text, without weights; how it is compiled is told, but not the
    /// optimizer's state.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// use cornu::saving::model_from_json;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(2).input_shape([3]));
    /// model.build()?;
    /// assert_eq!(model_from_json(&model.to_json())?.count_params()?, 8);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn to_json(&self) -> String {
        self.serialize().to_string()
    }

    /// A model from the object that files hold; compiled if the object says how and `compile` is set.
    pub(crate) fn deserialize(object: &Value, compile: bool) -> Result<Model> {
        let _sharing = Sharing::enter();
        let config = &object["config"];
        let mut model = match object["class_name"].as_str() {
            Some("Sequential") => sequential(config)?,
            Some("Functional" | "Model") => functional::from_config(config)?,
            Some(other) => {
                return Err(Error::new(format!(
                    "The model is of the class \"{other}\", which is Python code; only Sequential and functional models can be read."
                )));
            }
            None => {
                return Err(Error::new(
                    "The JSON of a model is an object with \"class_name\" and \"config\".",
                ));
            }
        };
        let compiled = &object["compile_config"];
        if compile && compiled.get("optimizer").is_some_and(|o| !o.is_null()) {
            model.compile_with(super::Compile::from_config(
                compiled,
                &model.output_names().unwrap_or_default(),
            )?)?;
        }
        Ok(model)
    }
}

/// Keras' configuration of a stack or a graph.
pub(super) fn of(base: &Base, stack: Option<&[Arc<Unit>]>, graph: Option<&Graph>) -> Value {
    match (stack, graph) {
        (Some(stack), graph) => stack_config(base, stack, graph),
        (None, Some(graph)) => functional::to_config(base, graph),
        (None, None) => json!({}),
    }
}

fn stack_config(base: &Base, stack: &[Arc<Unit>], graph: Option<&Graph>) -> Value {
    let unnamed = || {
        stack
            .iter()
            .map(|u| u.given_name().unwrap_or_default())
            .collect()
    };
    let names = names(stack).unwrap_or_else(|_| unnamed());
    let mut layers: Vec<Value> = Vec::new();
    for (unit, name) in stack.iter().zip(&names) {
        let fed = graph.and_then(|g| g.fed(unit));
        layers.push(unit_config(unit, name, fed.as_deref()));
    }
    let name = base.name.as_deref().unwrap_or_default();
    let Some(graph) = graph else {
        return json!({"name": name, "trainable": base.trainable, "layers": layers});
    };
    // As in Keras, a built model begins with its input.
    let input = graph.inputs.first().map(|p| p.shape.clone());
    let input = input.unwrap_or(InputShape(Vec::new()));
    if stack.first().is_some_and(|u| !u.is_input()) {
        let own = graph.units.iter().find(|u| u.is_input());
        let own = own.map(|u| layers::to_config(&*u.layer, "input_layer"));
        let of_shape = || layers::to_config(&Input::from(input.clone()), "input_layer");
        layers.insert(0, own.unwrap_or_else(of_shape));
    }
    json!({
        "name": name,
        "trainable": base.trainable,
        "layers": layers,
        "build_input_shape": input.to_json(),
    })
}

/// A layer of a model as Keras' JSON object, with the shape it is built for if it has one input.
pub(super) fn unit_config(unit: &Arc<Unit>, name: &str, fed: Option<&[InputShape]>) -> Value {
    let mut object = layers::to_config(&*unit.layer, name);
    if let (Some(built), Some(trainable)) =
        (unit.built.get(), object["config"].get_mut("trainable"))
    {
        *trainable = built.trainable.load(Ordering::Relaxed).into();
    }
    let class = unit.layer.class_name();
    if class == "Functional" {
        object["build_config"] = json!({"input_shape": null});
    }
    // Keras names the shapes of attention's inputs, and finds them again in the call.
    let own_way = class == "Functional" || functional::ATTENTION.contains(&class);
    let built_by_call = unit.is_input() || own_way || layers::OPERATIONS.contains(&class);
    if let Some([shape]) = fed.filter(|_| !built_by_call) {
        object["build_config"] = json!({"input_shape": shape.to_json()});
    }
    if let Some(id) = Sharing::id_of(unit) {
        object["shared_object_id"] = id.into();
    }
    object
}

/// Where the layers of a model are in Keras' files: by class and position, never by name.
pub(crate) fn paths(units: &[Arc<Unit>], stack: bool) -> Vec<(String, Arc<Unit>)> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let listed = units.iter().filter(|u| !(stack && u.is_input()));
    let path = |unit: &Arc<Unit>| {
        let class = snake_case(unit.layer.class_name());
        let n = counts.entry(class.clone()).or_insert(0);
        let path = match *n {
            0 => format!("layers/{class}"),
            n => format!("layers/{class}_{n}"),
        };
        *n += 1;
        (path, unit.clone())
    };
    listed.map(path).collect()
}

/// What reading and writing files asks of a model.
#[cfg(feature = "saving")]
impl Model {
    /// Refuses a model without weights.
    pub(crate) fn graph_is_built(&self) -> Result<()> {
        self.graph().map(|_| ())
    }

    /// Makes the optimizer's state, as the first step of training does.
    pub(crate) fn build_optimizer(&mut self) -> Result<()> {
        let variables = self.trainable_variables();
        let (graph, trainer) = self.parts()?;
        trainer.build_optimizer(graph, &variables)
    }

    /// How the loss is scaled, if it is.
    pub(crate) fn loss_scaling(&self) -> Option<&LossScale> {
        self.trainer.as_ref()?.loss_scale.as_ref()
    }

    /// Has the loss scaled from here on, if the model is compiled.
    pub(crate) fn scale_loss(&mut self) {
        if let Some(trainer) = &mut self.trainer {
            trainer.loss_scale.get_or_insert_with(LossScale::new);
        }
    }

    /// The layers and where they are in Keras' files.
    pub(crate) fn layer_paths(&self) -> Result<Vec<(String, Arc<Unit>)>> {
        Ok(paths(&self.graph()?.units, self.stack.is_some()))
    }
}

/// A stack from its configuration, built if that says for which shape.
pub(super) fn sequential(config: &Value) -> Result<Model> {
    let list = config["layers"].as_array().ok_or_else(|| {
        Error::new("The configuration of a Sequential has no list of \"layers\".")
    })?;
    let mut model = Model::empty("sequential");
    model.stack = Some(list.iter().map(unit).collect::<Result<_>>()?);
    common(&mut model, config);
    match &config["build_input_shape"] {
        Value::Null => {
            if stack_input(model.units()).is_some() {
                model.build()?;
            }
        }
        shape => model.build_for(&InputShape::from_json(shape)?)?,
    }
    Ok(model)
}

/// The options that every model has.
pub(super) fn common(model: &mut Model, config: &Value) {
    if let Some(name) = config["name"].as_str() {
        model.rename(name.to_string());
    }
    model.base.trainable = config["trainable"].as_bool().unwrap_or(true);
}

/// A layer with its place for weights; one that the file says is shared is the same one each time.
pub(super) fn unit(object: &Value) -> Result<Arc<Unit>> {
    let id = object["shared_object_id"].as_u64();
    if let Some(known) = id.and_then(Sharing::known) {
        return Ok(known);
    }
    let unit = Unit::new(layers::from_config(object)?);
    if let Some(id) = id {
        Sharing::remember(id, &unit);
    }
    Ok(unit)
}

/// A model as a layer, from its JSON object.
pub(crate) fn layer(object: &Value) -> Result<Box<dyn Layer>> {
    Model::deserialize(object, false).map(Into::into)
}

/// What one file says of layers in several models at once: they are known by a number.
#[derive(Default)]
struct Shared {
    depth: usize,
    numbers: HashMap<usize, u64>,
    units: HashMap<u64, Arc<Unit>>,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::default();
}

/// While one lives, layers are written with numbers, and read layers are remembered by theirs.
pub(crate) struct Sharing;

impl Sharing {
    pub fn enter() -> Sharing {
        SHARED.with_borrow_mut(|s| s.depth += 1);
        Sharing
    }

    fn id_of(unit: &Arc<Unit>) -> Option<u64> {
        SHARED.with_borrow_mut(|s| {
            let next = s.numbers.len() as u64 + 1;
            let id = || *s.numbers.entry(Arc::as_ptr(unit) as usize).or_insert(next);
            (s.depth > 0).then(id)
        })
    }

    fn known(id: u64) -> Option<Arc<Unit>> {
        SHARED.with_borrow(|s| s.units.get(&id).cloned())
    }

    fn remember(id: u64, unit: &Arc<Unit>) {
        SHARED.with_borrow_mut(|s| {
            if s.depth > 0 {
                s.units.insert(id, unit.clone());
            }
        });
    }
}

impl Drop for Sharing {
    fn drop(&mut self) {
        SHARED.with_borrow_mut(|s| {
            s.depth -= 1;
            if s.depth == 0 {
                *s = Shared::default();
            }
        });
    }
}

/// Numbers are only for layers that are told of twice.
fn forget_lone_ids(object: &mut Value) {
    fn count(value: &Value, met: &mut HashMap<u64, usize>) {
        match value {
            Value::Array(all) => all.iter().for_each(|v| count(v, met)),
            Value::Object(map) => {
                if let Some(id) = map.get("shared_object_id").and_then(Value::as_u64) {
                    *met.entry(id).or_insert(0) += 1;
                }
                map.values().for_each(|v| count(v, met));
            }
            _ => {}
        }
    }
    fn strip(value: &mut Value, met: &HashMap<u64, usize>) {
        match value {
            Value::Array(all) => all.iter_mut().for_each(|v| strip(v, met)),
            Value::Object(map) => {
                let lone = |map: &Map<String, Value>| {
                    let id = map.get("shared_object_id")?.as_u64()?;
                    (met.get(&id) == Some(&1)).then_some(())
                };
                if lone(map).is_some() {
                    map.remove("shared_object_id");
                }
                map.values_mut().for_each(|v| strip(v, met));
            }
            _ => {}
        }
    }
    let mut met = HashMap::new();
    count(object, &mut met);
    strip(object, &met);
}
