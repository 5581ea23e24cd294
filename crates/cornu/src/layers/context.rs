//! What a layer meets when it is built and when it is called.

use super::built::{Built, Outputs, Pass, Site, build_layer, call_layer, enter};
use super::policy::DTypePolicy;
use super::{InputShape, Layer};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::models::Graph;
use crate::regularizers::Regularizer;
use crate::{Array, DType, Error, Result, Shape, Tensor, Variable};
use std::sync::atomic::Ordering;

/// A weight of a layer: its variable and what training does with it.
#[derive(Clone, Debug)]
pub struct Weight {
    /// The name within the layer, such as `kernel`.
    pub name: String,
    /// The value; its name is the path, such as `dense/kernel`.
    pub variable: Variable,
    /// Whether training changes it.
    pub trainable: bool,
    /// Penalises the value in the loss.
    pub regularizer: Option<Regularizer>,
    /// Applied to the value after each update.
    pub constraint: Option<Constraint>,
}

/// Collects the weights that a layer declares in [`Layer::build`], and the layers inside it.
#[derive(Debug)]
pub struct Build<'a> {
    pub(super) path: &'a str,
    pub(super) inputs: &'a [InputShape],
    pub(super) policy: DTypePolicy,
    pub(super) seed: u64,
    pub(super) stream: &'a mut u32,
    pub(super) dry: bool,
    pub(super) weights: Vec<Weight>,
    pub(super) states: Vec<Weight>,
    pub(super) children: Vec<(String, Built)>,
}

impl Build<'_> {
    /// The shapes of all inputs, for a layer that takes several.
    pub fn inputs(&self) -> &[InputShape] {
        self.inputs
    }

    /// Builds a layer inside this one, kept under the name of the field that holds it, for an input
    /// of this shape; returns the shape of its output. It is called by [`Call::layer`].
    ///
    /// # Errors
    /// What the layer inside refuses, or a field named twice.
    pub fn layer(
        &mut self,
        field: &str,
        layer: &dyn Layer,
        input: &InputShape,
    ) -> Result<InputShape> {
        let outputs = self.layer_of(field, layer, std::slice::from_ref(input))?;
        outputs
            .into_iter()
            .next()
            .ok_or_else(|| Error::shape(format!("The layer in \"{field}\" gives no output.")))
    }

    /// As [`Build::layer`], for a layer of several inputs or outputs.
    ///
    /// # Errors
    /// As [`Build::layer`].
    pub fn layer_of(
        &mut self,
        field: &str,
        layer: &dyn Layer,
        inputs: &[InputShape],
    ) -> Result<Vec<InputShape>> {
        // A field's own name tells two layers of a class apart.
        let name = match layer.base().and_then(|b| b.name.clone()) {
            Some(name) => name,
            None => field.to_string(),
        };
        self.layer_named(field, &name, layer, inputs)
    }

    /// As [`Build::layer_of`], under a name of its own.
    pub(crate) fn layer_named(
        &mut self,
        field: &str,
        name: &str,
        layer: &dyn Layer,
        inputs: &[InputShape],
    ) -> Result<Vec<InputShape>> {
        if self.children.iter().any(|(known, _)| known == field) {
            return Err(Error::new(format!(
                "The layer inside \"{field}\" is built twice."
            )));
        }
        let site = Site {
            path: self.path,
            seed: self.seed,
            stream: self.stream,
            dry: self.dry,
        };
        let built = build_layer(layer, name, inputs, site)?;
        let outputs = built.outputs.clone();
        self.children.push((field.to_string(), built));
        Ok(outputs)
    }

    /// Lists a weight of a layer inside among this layer's own too; returns its shape, if there is one of
    /// this name.
    pub(crate) fn share(&mut self, field: &str, name: &str) -> Option<Shape> {
        let (_, child) = self.children.iter().find(|(known, _)| known == field)?;
        let mut weight = child.weights.iter().find(|w| w.name == name)?.clone();
        weight.trainable &= child.trainable.load(Ordering::Relaxed);
        let shape = weight.variable.shape().clone();
        self.weights.push(weight);
        Some(shape)
    }

    /// Takes in a layer that is already built: it shares its weights.
    pub(crate) fn adopt(&mut self, field: &str, built: Built) {
        self.children.push((field.to_string(), built));
    }

    /// Declares a weight: trainable, `glorot_uniform`, neither regularized nor constrained, unless
    /// said otherwise; finish with [`WeightSpec::add`].
    pub fn weight(&mut self, name: &str, shape: impl Into<Shape>) -> WeightSpec<'_> {
        WeightSpec {
            path: self.path,
            weights: &mut self.weights,
            states: &mut self.states,
            kept: false,
            stream: self.stream,
            seed: self.seed,
            dry: self.dry,
            name: name.to_string(),
            shape: shape.into(),
            dtype: self.policy.variable,
            trainable: true,
            initializer: "glorot_uniform".into(),
            regularizer: None,
            constraint: None,
        }
    }
}

/// A weight about to be declared.
#[derive(Debug)]
pub struct WeightSpec<'a> {
    path: &'a str,
    weights: &'a mut Vec<Weight>,
    states: &'a mut Vec<Weight>,
    kept: bool,
    stream: &'a mut u32,
    seed: u64,
    dry: bool,
    name: String,
    shape: Shape,
    dtype: DType,
    trainable: bool,
    initializer: Initializer,
    regularizer: Option<Regularizer>,
    constraint: Option<Constraint>,
}

impl WeightSpec<'_> {
    /// How the first value is made.
    pub fn initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.initializer = initializer.into();
        self
    }

    /// A penalty on the value.
    pub fn regularizer(mut self, regularizer: Option<Regularizer>) -> Self {
        self.regularizer = regularizer;
        self
    }

    /// A constraint on the value.
    pub fn constraint(mut self, constraint: Option<Constraint>) -> Self {
        self.constraint = constraint;
        self
    }

    /// The type of the value; the layer's for weights by default.
    pub(crate) fn dtype(mut self, dtype: DType) -> Self {
        self.dtype = dtype;
        self
    }

    /// State that training does not change by gradients.
    pub fn non_trainable(mut self) -> Self {
        self.trainable = false;
        self
    }

    /// State that is kept from one call to the next and is no weight: it is neither counted nor saved,
    /// and [`Model::reset_states`](crate::models::Model::reset_states) sets it back to zeros.
    pub fn state(mut self) -> Self {
        self.kept = true;
        self.non_trainable()
    }

    /// Makes the weight.
    ///
    /// # Errors
    /// An initializer, regularizer or constraint that is not known or does not fit the shape; a name
    /// used twice.
    pub fn add(self) -> Result<()> {
        let mut known = self.weights.iter().chain(&*self.states);
        if known.any(|w| w.name == self.name) {
            return Err(Error::new(format!(
                "Weight \"{}\" is declared twice.",
                self.name
            )));
        }
        let limit = isize::MAX as usize / self.dtype.size();
        let size = self.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        let fits = |n: &usize| *n <= limit && super::budget::grant(n * self.dtype.size());
        if size.filter(fits).is_none() {
            return Err(Error::shape(format!(
                "Weight \"{}\" of shape {} needs more memory than there is, or than what it is read from may ask for.",
                self.name, self.shape
            )));
        }
        self.initializer.check()?;
        self.regularizer
            .as_ref()
            .map_or(Ok(()), Regularizer::check)?;
        self.constraint.as_ref().map_or(Ok(()), Constraint::check)?;
        let value = if self.dry || super::budget::values_follow() {
            Array::zeros(self.dtype, self.shape)
        } else {
            self.initializer
                .sample(&self.shape, self.dtype, self.seed, *self.stream)?
        };
        *self.stream += 1;
        let into = match self.kept {
            true => self.states,
            false => self.weights,
        };
        into.push(Weight {
            variable: Variable::new(format!("{}/{}", self.path, self.name), value),
            name: self.name,
            trainable: self.trainable,
            regularizer: self.regularizer,
            constraint: self.constraint,
        });
        Ok(())
    }
}

/// What a layer's [`call`](super::Layer::call) may use beside its input.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) built: &'a Built,
    pub(super) inputs: &'a [Tensor],
    pub(super) masks: &'a [Option<Tensor>],
    pub(super) trainable: bool,
    pub(super) pass: &'a mut Pass,
    pub(super) more: Vec<Tensor>,
    pub(super) own_masks: Option<Vec<Option<Tensor>>>,
}

impl Call<'_> {
    /// All inputs, for a layer that takes several.
    pub fn inputs(&self) -> &[Tensor] {
        self.inputs
    }

    /// The mask of the `i`-th input, if it has one: `bool`, usually `(batch, steps)`, false where a
    /// step does not count.
    pub fn mask(&self, i: usize) -> Option<&Tensor> {
        self.masks.get(i).and_then(Option::as_ref)
    }

    /// Whether the `i`-th input is the fingerprints of texts.
    pub(crate) fn is_texts(&self, i: usize) -> bool {
        let of = |x: &Tensor| self.pass.texts.iter().any(|t| t.id() == x.id());
        self.inputs.get(i).is_some_and(of)
    }

    /// Says what the mask of the (first) output is; without it, see
    /// [`Layer::supports_masking`].
    pub fn set_mask(&mut self, mask: Option<Tensor>) {
        self.own_masks = Some(vec![mask]);
    }

    /// Says what the masks of all outputs are.
    pub(crate) fn set_masks(&mut self, masks: Vec<Option<Tensor>>) {
        self.own_masks = Some(masks);
    }

    /// Gives a further output, after the one that `call` returns.
    pub fn output(&mut self, y: Tensor) {
        self.more.push(y);
    }

    /// The value of a weight that the layer declared, in the type in which the layer computes.
    #[track_caller]
    pub fn weight(&self, name: &str) -> Tensor {
        self.weight_as(name, self.built.compute)
    }

    /// The value of a weight in another type, for what a 16-bit type is too narrow for.
    #[track_caller]
    pub(crate) fn weight_as(&self, name: &str, dtype: DType) -> Tensor {
        let variable = match self.find(name) {
            Ok(w) => &w.variable,
            Err(e) => return Tensor::error(e),
        };
        let value = self.pass.value(variable);
        match variable.dtype().is_float() {
            true => value.cast(dtype),
            false => value,
        }
    }

    /// Whether the layer has a weight of this name.
    pub(crate) fn has_weight(&self, name: &str) -> bool {
        self.built.weights.iter().any(|w| w.name == name)
    }

    fn find(&self, name: &str) -> Result<&Weight> {
        let own = || self.built.weights.iter().chain(&self.built.states);
        own().find(|w| w.name == name).ok_or_else(|| {
            let known: Vec<&str> = own().map(|w| w.name.as_str()).collect();
            Error::unknown("weight", name, &known)
        })
    }

    /// What `f` gives, as a layer inside this one: its weights, and inputs and masks of its own.
    pub(crate) fn inside<T>(
        &mut self,
        field: &str,
        inputs: &[Tensor],
        masks: &[Option<Tensor>],
        f: impl FnOnce(&mut Call<'_>) -> T,
    ) -> Result<T> {
        let child = self.built.child(field)?;
        Ok(enter(child, inputs, masks, self.trainable, self.pass, f))
    }

    /// Whether a layer inside this one has weights that training moves other than by gradients, such as
    /// running means; and whether it keeps states from call to call.
    pub(crate) fn moves(&self, field: &str) -> (bool, bool) {
        self.built.child(field).map_or((false, false), Built::moves)
    }

    /// Where random draws are; [`Call::draw_again`] goes back to it.
    pub(crate) fn draws(&self) -> u32 {
        self.pass.stream
    }

    /// Goes back to earlier draws, so that the next ones are the same.
    pub(crate) fn draw_again(&mut self, draws: u32) {
        self.pass.stream = draws;
    }

    /// The output of a layer inside this one, built by [`Build::layer`] under the same field name.
    #[track_caller]
    pub fn layer(&mut self, field: &str, layer: &dyn Layer, x: &Tensor) -> Tensor {
        let outputs = self.layer_of(field, layer, std::slice::from_ref(x), &[None]);
        let first = outputs.tensors.into_iter().next();
        first.unwrap_or_else(|| {
            Tensor::error(Error::state(format!(
                "The layer in \"{field}\" gives no output."
            )))
        })
    }

    /// As [`Call::layer`], for a layer of several inputs or outputs, with their masks.
    #[track_caller]
    pub(crate) fn layer_of(
        &mut self,
        field: &str,
        layer: &dyn Layer,
        inputs: &[Tensor],
        masks: &[Option<Tensor>],
    ) -> Outputs {
        match self.built.child(field) {
            Ok(built) => call_layer(layer, built, inputs, masks, self.trainable, self.pass),
            Err(e) => Outputs {
                tensors: vec![Tensor::error(e)],
                masks: vec![None],
            },
        }
    }

    /// The outputs of a network inside this layer, for the layer's own inputs.
    pub(crate) fn graph(&mut self, graph: &Graph) -> Outputs {
        let inputs = graph.adapt_all(self.inputs);
        graph.run(&inputs, self.masks, self.trainable, self.pass)
    }

    /// Whether this is a step of training (dropout drops, statistics move).
    pub fn training(&self) -> bool {
        self.pass.training
    }

    /// Whether training may change this layer: neither it nor a layer around it is frozen.
    pub fn trainable(&self) -> bool {
        self.trainable
    }

    /// The type in which the layer computes.
    pub fn dtype(&self) -> DType {
        self.built.compute
    }

    /// Uniform random numbers in [0, 1), new ones in every step.
    #[track_caller]
    pub fn random_uniform(&mut self, shape: impl Into<Shape>) -> Tensor {
        let stream = self.pass.stream;
        self.pass.stream += 1;
        self.draw(stream, shape, Tensor::random)
    }

    /// As [`Call::random_uniform`], with a seed that tells these draws apart from all others; the
    /// same for every call with the same seed in a step.
    #[track_caller]
    pub fn random_uniform_seeded(&mut self, seed: u32, shape: impl Into<Shape>) -> Tensor {
        // Unseeded draws count up from 0; seeded ones take the upper half of the streams.
        self.draw(seed | 1 << 31, shape, Tensor::random)
    }

    /// Random numbers of the standard normal distribution, new ones in every step.
    #[track_caller]
    pub fn random_normal(&mut self, shape: impl Into<Shape>) -> Tensor {
        let stream = self.pass.stream;
        self.pass.stream += 1;
        self.draw(stream, shape, Tensor::random_normal)
    }

    /// As [`Call::random_normal`], with a seed, as [`Call::random_uniform_seeded`].
    #[track_caller]
    pub fn random_normal_seeded(&mut self, seed: u32, shape: impl Into<Shape>) -> Tensor {
        self.draw(seed | 1 << 31, shape, Tensor::random_normal)
    }

    #[track_caller]
    fn draw<S: Into<Shape>>(
        &self,
        stream: u32,
        shape: S,
        of: fn(&Tensor, u32, S, DType) -> Tensor,
    ) -> Tensor {
        match &self.pass.random_state {
            Some(state) => of(state, stream, shape, self.built.compute),
            None => Tensor::error(Error::state(
                "Random numbers are drawn in training only; ask Call::training() first.",
            )),
        }
    }

    /// Adds a scalar to the loss.
    pub fn add_loss(&mut self, loss: Tensor) {
        self.pass.losses.push(loss);
    }

    /// Assigns a weight after this step (running statistics and the like).
    #[track_caller]
    pub fn update(&mut self, name: &str, value: Tensor) {
        match self.find(name) {
            Ok(w) => {
                let variable = w.variable.clone();
                let value = value.cast(variable.dtype());
                self.pass.updates.retain(|(known, _)| *known != variable);
                self.pass.updates.push((variable, value));
            }
            Err(e) => self.pass.losses.push(Tensor::error(e)),
        }
    }
}
