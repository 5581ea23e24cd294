//! The model: a network with what trains it.

use super::compile::not_compiled;
use super::graph::{Graph, given_names};
use super::sequential::{LayerId, built_stack, stack_input};
use super::symbol::{IntoSymbols, Unit};
use super::trainer::Trainer;
use crate::layers::{Base, Built, InputShape, Layer, Weight};
use crate::{Array, Error, Result, Variable};
use std::sync::Arc;

/// A network of layers, to be compiled, fitted, evaluated, asked, and used as a layer of others.
///
/// [`Sequential`](super::Sequential) is one whose layers follow each other; any other is made from
/// symbols:
///
/// ```
/// use cornu::prelude::*;
/// let image = Input::new([8]).name("image").symbol();
/// let age = Input::new([1]).name("age").symbol();
/// let seen = Dense::new(4).activation("relu").on(&image);
/// let both = Dense::new(4).on(&age) + seen;
/// let kind = Dense::new(3).activation("softmax").name("kind").on(&both);
/// let price = Dense::new(1).name("price").on(&both);
///
/// let mut model = Model::new([&image, &age], [&kind, &price])?;
/// model.compile_with(
///     Compile::optimizer("adam")
///         .loss_for("kind", "sparse_categorical_crossentropy")
///         .loss_for("price", "mse")
///         .loss_weight_for("price", 0.5)
///         .metrics_for("kind", ["accuracy"]),
/// )?;
/// let (images, ages) = (Array::zeros(DType::F32, [6, 8]), Array::zeros(DType::F32, [6, 1]));
/// let (kinds, prices) = ([0, 1, 2, 0, 1, 2], [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// let history = model.fit((&images, &ages), (&kinds, &prices), Fit::new().verbose(0))?;
/// assert!(history["kind_accuracy"].len() == 1 && history["price_loss"].len() == 1);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct Model {
    pub(super) base: Base,
    /// The layers of a stack; their graph is drawn when the input's shape is known.
    pub(super) stack: Option<Vec<Arc<Unit>>>,
    pub(super) graph: Option<Graph>,
    /// The shape for which a stack was built last.
    pub(super) input: Option<InputShape>,
    pub(super) trainer: Option<Trainer>,
    pub(super) predictor: super::predictor::Predictor,
}

impl Model {
    /// The model of everything between some inputs and some outputs.
    ///
    /// # Errors
    /// What a layer refused when it was called; an output that depends on an input that is not given;
    /// two layers of one name.
    pub fn new(inputs: impl IntoSymbols, outputs: impl IntoSymbols) -> Result<Self> {
        let (inputs, outputs) = (inputs.into_symbols(), outputs.into_symbols());
        let mut model = Self::empty("functional");
        model.graph = Some(Graph::new("functional", &inputs, &outputs)?);
        Ok(model)
    }

    pub(super) fn empty(name: &str) -> Self {
        Self {
            base: Base {
                name: Some(name.to_string()),
                ..Base::default()
            },
            stack: None,
            graph: None,
            input: None,
            trainer: None,
            predictor: super::predictor::Predictor::default(),
        }
    }

    pub(super) fn rename(&mut self, name: String) {
        if let Some(graph) = &mut self.graph {
            graph.name.clone_from(&name);
        }
        self.base.name = Some(name);
    }

    /// The model under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.rename(name.into());
        self
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        self.base.name.as_deref().unwrap_or_default()
    }

    pub(super) fn units(&self) -> &[Arc<Unit>] {
        match (&self.stack, &self.graph) {
            (Some(stack), _) => stack,
            (None, Some(graph)) => &graph.units,
            (None, None) => &[],
        }
    }

    /// Whether this is a stack of layers.
    pub(crate) fn is_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// The layers: a stack's as they were added, others in Keras' order.
    pub fn layers(&self) -> Vec<Arc<dyn Layer>> {
        self.units().iter().map(|u| u.layer.clone()).collect()
    }

    /// The names of the layers: those given, else the class in snake case, with a number from the
    /// second of a class on. They are unique within the model.
    pub fn layer_names(&self) -> Vec<String> {
        given_names(self.units())
    }

    /// The layer of this name, or at this position.
    ///
    /// # Errors
    /// If there is none; lists the names.
    pub fn get_layer<'a>(&self, which: impl Into<LayerId<'a>>) -> Result<&dyn Layer> {
        self.find(which.into()).map(|u| &*u.layer)
    }

    pub(super) fn find(&self, which: LayerId<'_>) -> Result<&Arc<Unit>> {
        let units = self.units();
        match which {
            LayerId::Index(i) => units.get(i).ok_or_else(|| {
                Error::new(format!(
                    "There are {} layers. Asked for: index {i}.",
                    units.len()
                ))
            }),
            LayerId::Name(name) => {
                let names = self.layer_names();
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let at = names.iter().position(|n| n == name);
                at.and_then(|i| units.get(i))
                    .ok_or_else(|| Error::unknown("layer", name, &known))
            }
        }
    }

    /// Freezes a layer (and those inside it) or lets training change it again. Layers shared with
    /// other models are frozen there too.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(4).input_shape([2]).name("base"));
    /// model.add(Dense::new(1));
    /// model.build()?;
    /// model.set_layer_trainable("base", false)?;
    /// assert_eq!(model.weights().iter().filter(|w| w.trainable).count(), 2);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such layer, or the model is not built.
    pub fn set_layer_trainable<'a>(
        &mut self,
        which: impl Into<LayerId<'a>>,
        trainable: bool,
    ) -> Result<()> {
        self.graph()?;
        let unit = self.find(which.into())?;
        if let Some(built) = unit.built.get() {
            built.set_trainable(trainable);
        }
        self.forget_programs();
        Ok(())
    }

    /// Freezes the whole model, with all its layers, or lets training change all of them again, also those
    /// that were frozen by themselves.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(4).input_shape([2]).trainable(false));
    /// model.add(Dense::new(1));
    /// model.build()?;
    /// assert_eq!(model.trainable_variables().len(), 2);
    /// model.set_trainable(true);
    /// assert_eq!(model.trainable_variables().len(), 4);
    /// model.set_trainable(false);
    /// assert_eq!(model.trainable_variables().len(), 0);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn set_trainable(&mut self, trainable: bool) {
        self.base.trainable = trainable;
        for unit in self.graph.iter().flat_map(|graph| &graph.units) {
            if let Some(built) = unit.built.get() {
                built.set_trainable(trainable);
            }
        }
        if let Some(trainer) = &mut self.trainer {
            trainer.frozen = !trainable;
        }
        self.forget_programs();
    }

    pub(super) fn forget_programs(&mut self) {
        self.predictor.clear();
        if let Some(trainer) = &mut self.trainer {
            trainer.forget_programs();
        }
    }

    /// Makes the weights, for the input shape that the first layer gives.
    ///
    /// # Errors
    /// If no layer gives an input shape, or a layer cannot take what the one before gives.
    pub fn build(&mut self) -> Result<()> {
        let Some(stack) = self.stack.as_ref().filter(|_| !self.is_built()) else {
            return Ok(());
        };
        let shape = match self.input.clone().or_else(|| stack_input(stack)) {
            Some(shape) => shape,
            None if stack.is_empty() => return Err(self.no_layers()),
            None => {
                return Err(Error::state(format!(
                    "The model \"{}\" does not know its input shape: give the first layer .input_shape([…]), start with Input::new([…]), or fit it.",
                    self.name()
                )));
            }
        };
        self.build_for(&shape)
    }

    fn no_layers(&self) -> Error {
        Error::state(format!(
            "The model \"{}\" has no layers: add some first.",
            self.name()
        ))
    }

    /// Whether the weights are made.
    pub fn is_built(&self) -> bool {
        self.graph.is_some()
    }

    /// Makes the weights for inputs of a shape (with the batch axis, whose extent may be `None`).
    ///
    /// # Errors
    /// If a layer cannot take what the one before gives, or two layers have one name.
    pub fn build_for(&mut self, input: &InputShape) -> Result<()> {
        self.build_for_all(std::slice::from_ref(input))
    }

    /// As [`Model::build_for`], for a first layer of several inputs.
    ///
    /// # Errors
    /// As [`Model::build_for`].
    pub fn build_for_all(&mut self, inputs: &[InputShape]) -> Result<()> {
        let Some(stack) = &self.stack else {
            return Ok(());
        };
        if stack.is_empty() {
            return Err(self.no_layers());
        }
        let graph = built_stack(self.name(), stack, inputs)?;
        self.input = inputs.first().cloned();
        self.graph = Some(graph);
        Ok(())
    }

    pub(super) fn graph(&self) -> Result<&Graph> {
        let not_built = || not_built(self.name());
        self.graph.as_ref().ok_or_else(not_built)
    }

    /// The network, and what trains it.
    pub(super) fn parts(&mut self) -> Result<(&Graph, &mut Trainer)> {
        let name = self.base.name.as_deref().unwrap_or_default();
        match (&self.graph, &mut self.trainer) {
            (Some(graph), Some(trainer)) => Ok((graph, trainer)),
            (None, _) => Err(not_built(name)),
            (_, None) => Err(not_compiled(name)),
        }
    }

    /// Every variable that a training changes: weights, states of layers, and what the trainer keeps.
    pub(super) fn training_variables(&self) -> Vec<Variable> {
        let mut all: Vec<Variable> = self.weights().into_iter().map(|w| w.variable).collect();
        let units = self.graph.iter().flat_map(|graph| &graph.units);
        for built in units.filter_map(|unit| unit.built.get()) {
            built.collect_states(&mut all);
        }
        all.extend(self.trainer.iter().flat_map(Trainer::variables));
        all
    }

    /// The shape of the model's (first) output.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn output_shape(&self) -> Result<InputShape> {
        let outputs = self.output_shapes()?;
        Ok(outputs.into_iter().next().unwrap_or(InputShape(Vec::new())))
    }

    /// The shapes of all outputs.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn output_shapes(&self) -> Result<Vec<InputShape>> {
        Ok(self
            .graph()?
            .outputs
            .iter()
            .map(|p| p.shape.clone())
            .collect())
    }

    /// The names of the inputs: of the layers where they enter.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn input_names(&self) -> Result<Vec<String>> {
        Ok(self
            .graph()?
            .inputs
            .iter()
            .map(|p| p.name.clone())
            .collect())
    }

    /// The names of the outputs: of the layers that give them.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn output_names(&self) -> Result<Vec<String>> {
        Ok(self
            .graph()?
            .outputs
            .iter()
            .map(|p| p.name.clone())
            .collect())
    }

    /// The number of weights' elements.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn count_params(&self) -> Result<usize> {
        self.graph()?;
        let size = |w: &Weight| w.variable.shape().size();
        Ok(self.weights().iter().map(size).sum())
    }

    /// The weights in Keras' order: layer by layer, as declared (kernel, bias). Empty before building.
    pub fn weights(&self) -> Vec<Weight> {
        self.graph
            .as_ref()
            .map(|g| g.weights(self.base.trainable))
            .unwrap_or_default()
    }

    /// The variables of the weights that training changes, in the order of [`Model::weights`]: what an
    /// optimizer of one's own loop is built for.
    pub fn trainable_variables(&self) -> Vec<Variable> {
        let trained = self.weights().into_iter().filter(|w| w.trainable);
        trained.map(|w| w.variable).collect()
    }

    /// The weights' values, in the order of [`Model::weights`].
    ///
    /// # Errors
    /// If the model is not built.
    pub fn get_weights(&self) -> Result<Vec<Array>> {
        self.graph()?;
        Ok(self.weights().iter().map(|w| w.variable.value()).collect())
    }

    /// Sets all weights, in the order of [`Model::weights`].
    ///
    /// # Errors
    /// If the number or a shape differs: names the weight, expected and received. Nothing is set then.
    pub fn set_weights(&mut self, values: &[Array]) -> Result<()> {
        self.graph()?;
        set_weights(&self.weights(), values)
    }

    /// Sets the states of stateful recurrent layers back to zeros: the next batch begins anew.
    ///
    /// # Errors
    /// If the model is not built.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = Input::new([2, 3]).batch_size(1).symbol();
    /// let model = Model::new(&x, LSTM::new(4).stateful(true).on(&x))?;
    /// let batch = Array::from([[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]]);
    /// let first = model.predict(&batch)?;
    /// assert_ne!(model.predict(&batch)?, first);
    /// model.reset_states()?;
    /// assert_eq!(model.predict(&batch)?, first);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn reset_states(&self) -> Result<()> {
        let built = self.graph()?.units.iter().filter_map(|u| u.built.get());
        built.into_iter().try_for_each(Built::reset_states)
    }
}

fn not_built(name: &str) -> Error {
    Error::state(format!(
        "The model \"{name}\" is not built yet: call build(), or fit it on data first."
    ))
}

/// Sets weights after checking all of them.
pub(super) fn set_weights(weights: &[Weight], values: &[Array]) -> Result<()> {
    if weights.len() != values.len() {
        return Err(Error::shape(format!(
            "The model has {} weights. Received: {} arrays.",
            weights.len(),
            values.len()
        )));
    }
    for (w, v) in weights.iter().zip(values) {
        if w.variable.shape() != v.shape() {
            return Err(Error::shape(format!(
                "Weight \"{}\" has shape {}. Received: shape {}.",
                w.variable.name(),
                w.variable.shape(),
                v.shape()
            )));
        }
    }
    weights
        .iter()
        .zip(values)
        .try_for_each(|(w, v)| w.variable.assign(v.clone()))
}
