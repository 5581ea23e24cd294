//! A stack of layers.

use super::graph::Graph;
use super::model::Model;
use super::symbol::{Symbol, Unit};
use crate::layers::{Input, InputShape, Layer, Site, build_layer};
use crate::{DType, Error, Result};
use serde_json::Value;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Layers one after another: the simplest form of a model.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Dense::new(16).activation("relu").input_shape([4]));
/// model.add(Dense::new(3).activation("softmax"));
/// model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])?;
/// assert_eq!(model.count_params()?, 4 * 16 + 16 + 16 * 3 + 3);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// Everything that a [`Model`] does, a stack does.
#[derive(Debug)]
pub struct Sequential(pub(super) Model);

impl Default for Sequential {
    fn default() -> Self {
        Self::new()
    }
}

impl Deref for Sequential {
    type Target = Model;
    fn deref(&self) -> &Model {
        &self.0
    }
}

impl DerefMut for Sequential {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.0
    }
}

/// A stack is a model.
impl From<Sequential> for Model {
    fn from(stack: Sequential) -> Model {
        stack.0
    }
}

impl Sequential {
    /// A model without layers.
    pub fn new() -> Self {
        Self::from_layers(Vec::new())
    }

    /// A model of these layers.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::from_layers(vec![
    ///     Input::new([784]).into(),
    ///     Dense::new(10).into(),
    /// ]);
    /// assert_eq!(model.layers().len(), 2);
    /// ```
    pub fn from_layers(layers: Vec<Box<dyn Layer>>) -> Self {
        let mut model = Model::empty("sequential");
        model.stack = Some(layers.into_iter().map(Unit::new).collect());
        Self(model)
    }

    /// The model under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.0.rename(name.into());
        self
    }

    /// Adds a layer at the end. A built model is built anew; the layers there were keep their weights.
    pub fn add(&mut self, layer: impl Into<Box<dyn Layer>>) -> &mut Self {
        let unit = Unit::new(layer);
        self.change().push(unit);
        self
    }

    /// Removes the last layer and returns it.
    ///
    /// # Errors
    /// If there is none.
    pub fn pop(&mut self) -> Result<Arc<dyn Layer>> {
        self.change()
            .pop()
            .map(|unit| unit.layer.clone())
            .ok_or_else(|| Error::state("There are no layers in the model to pop."))
    }

    /// The layers, to be changed: the graph must be drawn anew.
    fn change(&mut self) -> &mut Vec<Arc<Unit>> {
        self.0.graph = None;
        self.0.forget_programs();
        self.0.stack.get_or_insert_default()
    }

    /// A model from Keras' JSON of a `Sequential` (its `config`); built if the JSON says for which
    /// shape.
    ///
    /// # Errors
    /// An unknown layer or argument, named.
    pub fn from_config(config: &Value) -> Result<Self> {
        super::config::sequential(config).map(Self)
    }
}

/// The shape that an input layer declares, with the batch axis.
pub(super) fn input_shape(layer: &dyn Layer) -> Result<InputShape> {
    InputShape::from_json(&layer.config()["batch_shape"])
}

/// The input shape that the first layer of a stack gives.
pub(super) fn stack_input(stack: &[Arc<Unit>]) -> Option<InputShape> {
    let first = stack.first()?;
    if first.is_input() {
        return input_shape(&*first.layer).ok();
    }
    first
        .layer
        .base()?
        .input_shape
        .clone()
        .map(InputShape::batch_of)
}

/// The graph of a stack for inputs of these shapes.
pub(super) fn built_stack(name: &str, stack: &[Arc<Unit>], shapes: &[InputShape]) -> Result<Graph> {
    super::graph::names(stack)?;
    let first = stack.first();
    let inputs: Vec<Symbol> = match first.filter(|u| u.is_input()) {
        Some(unit) => vec![Symbol::of_input(unit.clone(), input_shape(&*unit.layer)?)],
        None => {
            let dtype = first.and_then(|u| match u.layer.takes_texts() {
                true => Some("string"),
                false => u.layer.input_dtype().map(DType::name),
            });
            let input = |shape: &InputShape| {
                let input = Input::from(shape.clone());
                Unit::new(dtype.into_iter().fold(input, Input::dtype))
            };
            let inputs = shapes.iter().map(|s| Symbol::of_input(input(s), s.clone()));
            inputs.collect()
        }
    };
    if let [first, second, ..] = stack
        && first.is_input()
    {
        let name = &super::graph::names(stack)?[1];
        super::graph::check_declared(second, name, &input_shape(&*first.layer)?)?;
    }
    let mut flowing = inputs.clone();
    for (i, unit) in stack.iter().enumerate() {
        if unit.is_input() && i == 0 {
            continue;
        }
        flowing = vec![Symbol::deferred(unit, flowing)];
    }
    Graph::new(name, &inputs, &flowing)
}

/// Whether a layer that is not built yet will have weights: it is asked to declare them for some
/// small input.
pub(super) fn declares_weights(layer: &dyn Layer) -> bool {
    let site = Site {
        path: "",
        seed: 0,
        stream: &mut 0,
        dry: true,
    };
    let inputs = vec![InputShape::batch_of([1]); *layer.arity().start()];
    build_layer(layer, "", &inputs, site).map_or(true, |b| !b.all_weights().is_empty())
}

/// A layer by name or position.
#[derive(Clone, Copy, Debug)]
pub enum LayerId<'a> {
    /// By name.
    Name(&'a str),
    /// By position, from 0.
    Index(usize),
}

impl<'a> From<&'a str> for LayerId<'a> {
    fn from(name: &'a str) -> Self {
        LayerId::Name(name)
    }
}

impl From<usize> for LayerId<'_> {
    fn from(index: usize) -> Self {
        LayerId::Index(index)
    }
}
