//! A model as a layer of another.

use super::graph::Graph;
use super::model::Model;
use super::sequential::{Sequential, built_stack, stack_input};
use super::symbol::Unit;
use crate::layers::{Base, Build, Call, InputShape, Layer, texts_or_numbers};
use crate::{DType, Error, Result, Tensor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The network of a model, whose layers share their weights with it.
#[derive(Clone, Debug)]
pub(super) struct Nested {
    base: Base,
    pub(super) stack: Option<Vec<Arc<Unit>>>,
    pub(super) graph: Option<Graph>,
}

/// A model is a layer: its layers keep their weights wherever it is used.
///
/// ```
/// use cornu::prelude::*;
/// let x = Input::new([4]).symbol();
/// let encoder = Model::new(&x, Dense::new(2).on(&x))?.named("encoder");
/// let image = Input::new([4]).symbol();
/// let autoencoder = Model::new(&image, Dense::new(4).on((&encoder).on(&image)))?;
/// assert_eq!(autoencoder.count_params()?, encoder.count_params()? + 2 * 4 + 4);
/// # Ok::<(), cornu::Error>(())
/// ```
impl From<&Model> for Box<dyn Layer> {
    fn from(model: &Model) -> Self {
        // A stack that knows its input is built, as in Keras; what is wrong with one comes out later.
        let drawn = || {
            let stack = model.stack.as_ref()?;
            built_stack(model.name(), stack, &[stack_input(stack)?]).ok()
        };
        Box::new(Nested {
            base: model.base.clone(),
            stack: model.stack.clone(),
            graph: model.graph.clone().or_else(drawn),
        })
    }
}

impl From<Model> for Box<dyn Layer> {
    fn from(model: Model) -> Self {
        (&model).into()
    }
}

impl From<Sequential> for Box<dyn Layer> {
    fn from(stack: Sequential) -> Self {
        (&*stack).into()
    }
}

impl From<&Sequential> for Box<dyn Layer> {
    fn from(stack: &Sequential) -> Self {
        (&**stack).into()
    }
}

impl Nested {
    /// The model that a layer is, if it is one.
    pub(super) fn of(layer: &dyn Layer) -> Option<&Nested> {
        layer.as_model()?.downcast_ref()
    }

    /// The graph for inputs of these shapes: the one there is, or one drawn of a stack that is not
    /// built yet.
    pub(super) fn graph_for(&self, inputs: &[InputShape]) -> Result<Cow<'_, Graph>> {
        let name = self.base.name.as_deref().unwrap_or_default();
        match (&self.graph, &self.stack) {
            (Some(graph), _) => Ok(Cow::Borrowed(graph)),
            (None, Some(stack)) => built_stack(name, stack, inputs).map(Cow::Owned),
            (None, None) => Err(Error::state(format!("The model \"{name}\" has no layers."))),
        }
    }
}

impl Layer for Nested {
    fn class_name(&self) -> &str {
        match self.stack {
            Some(_) => "Sequential",
            None => "Functional",
        }
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        let n = self.graph.as_ref().map_or(1, |g| g.inputs.len());
        n..=n
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn config(&self) -> Map<String, Value> {
        match super::config::of(&self.base, self.stack.as_deref(), self.graph.as_ref()) {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    fn as_model(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }

    fn input_dtype(&self) -> Option<DType> {
        self.graph.as_ref()?.inputs.first().map(|p| p.dtype)
    }

    fn takes_texts(&self) -> bool {
        match (&self.graph, &self.stack) {
            (Some(graph), _) => graph.inputs.first().is_some_and(|p| p.texts),
            (None, stack) => {
                let first = stack.as_ref().and_then(|stack| stack.first());
                first.is_some_and(|unit| unit.layer.takes_texts())
            }
        }
    }

    fn check_texts(&self, texts: &[bool]) -> Result<()> {
        let wanted: Vec<bool> = match &self.graph {
            Some(graph) => graph.inputs.iter().map(|p| p.texts).collect(),
            None => vec![self.takes_texts(); texts.len()],
        };
        let wrong = wanted.iter().zip(texts).find(|(a, b)| a != b);
        wrong.map_or(Ok(()), |(wanted, _)| Err(texts_or_numbers(*wanted)))
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        let graph = self.graph_for(cx.inputs())?;
        for (port, shape) in graph.inputs.iter().zip(cx.inputs()) {
            if !port.shape.accepts(&shape.with(64)) {
                return Err(Error::shape(format!(
                    "The model expects {} for its input \"{}\". Received: {shape}.",
                    port.shape, port.name
                )));
            }
        }
        for (path, unit) in super::config::paths(&graph.units, self.stack.is_some()) {
            if let Some(built) = unit.built.get() {
                cx.adopt(&path, built.clone());
            }
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let shape = |x: &Tensor| InputShape(x.shape().iter().map(|d| Some(*d)).collect());
        let shapes: Vec<InputShape> = cx.inputs().iter().map(shape).collect();
        let mut outputs = match self.graph_for(&shapes) {
            Ok(graph) => cx.graph(&graph),
            Err(e) => return Tensor::error(e),
        };
        cx.set_masks(std::mem::take(&mut outputs.masks));
        let mut tensors = outputs.tensors.into_iter();
        let first = tensors.next();
        tensors.for_each(|y| cx.output(y));
        first.unwrap_or_else(|| x.clone())
    }
}
