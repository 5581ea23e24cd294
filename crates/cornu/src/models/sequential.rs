//! A stack of layers.

use super::network::{Network, Pass};
use super::trainer::Trainer;
use crate::layers::{self, Build, Call, Input, InputShape, Layer, Weight};
use crate::summary::{Count, Row, Summary};
use crate::{Array, DType, Error, Result, Scope, Tensor};
use serde_json::{Value, json};

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
#[derive(Debug)]
pub struct Sequential {
    name: String,
    layers: Vec<Box<dyn Layer>>,
    built: Option<Built>,
    pub(super) trainer: Option<Trainer>,
    pub(super) predictor: super::predict::Predictor,
}

/// What is known once the input shape is.
#[derive(Debug)]
pub(super) struct Built {
    input: InputShape,
    dtype: DType,
    layers: Vec<BuiltLayer>,
}

#[derive(Debug)]
struct BuiltLayer {
    name: String,
    weights: Vec<Weight>,
    output: InputShape,
    compute: DType,
}

impl Default for Sequential {
    fn default() -> Self {
        Self::new()
    }
}

impl Sequential {
    /// A model without layers.
    pub fn new() -> Self {
        Self {
            name: "sequential".to_string(),
            layers: Vec::new(),
            built: None,
            trainer: None,
            predictor: super::predict::Predictor::default(),
        }
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
        Self {
            layers,
            ..Self::new()
        }
    }

    /// The model under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The model's name; `sequential` by default.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a layer at the end. A built model is built anew; the layers there were keep their weights.
    pub fn add(&mut self, layer: impl Into<Box<dyn Layer>>) -> &mut Self {
        self.layers.push(layer.into());
        self.unbuild();
        self
    }

    /// Removes the last layer and returns it.
    ///
    /// # Errors
    /// If there is none.
    pub fn pop(&mut self) -> Result<Box<dyn Layer>> {
        self.unbuild();
        self.layers
            .pop()
            .ok_or_else(|| Error::state("There are no layers in the model to pop."))
    }

    fn unbuild(&mut self) {
        self.predictor.clear();
        if let Some(built) = &mut self.built {
            built.layers.truncate(self.layers.len());
        }
        if let Some(trainer) = &mut self.trainer {
            trainer.forget_programs();
        }
    }

    /// The layers.
    pub fn layers(&self) -> &[Box<dyn Layer>] {
        &self.layers
    }

    /// The names of the layers: those given, else the class in snake case, with a number from the
    /// second of a class on. They are unique within the model.
    pub fn layer_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.layers.len());
        let mut counts: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
        for layer in &self.layers {
            let name = layer
                .base()
                .and_then(|b| b.name.clone())
                .unwrap_or_else(|| {
                    let stem = snake_case(layer.class_name());
                    let n = counts.entry(stem.clone()).or_insert(0);
                    *n += 1;
                    if *n == 1 {
                        stem
                    } else {
                        format!("{stem}_{}", *n - 1)
                    }
                });
            names.push(name);
        }
        names
    }

    /// The layer of this name, or at this position.
    ///
    /// # Errors
    /// If there is none; lists the names.
    pub fn get_layer<'a>(&self, which: impl Into<LayerId<'a>>) -> Result<&dyn Layer> {
        let names = self.layer_names();
        let found = match which.into() {
            LayerId::Index(i) => self.layers.get(i).ok_or_else(|| {
                Error::new(format!(
                    "There are {} layers. Asked for: index {i}.",
                    self.layers.len()
                ))
            }),
            LayerId::Name(name) => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let at = names.iter().position(|n| n == name);
                at.map(|i| &self.layers[i])
                    .ok_or_else(|| Error::unknown("layer", name, &known))
            }
        };
        found.map(|l| &**l)
    }

    /// Makes the weights, for the input shape that the first layer gives.
    ///
    /// # Errors
    /// If no layer gives an input shape, or a layer cannot take what the one before gives.
    pub fn build(&mut self) -> Result<()> {
        if self.is_built() {
            return Ok(());
        }
        self.some_layers()?;
        let shape = match &self.built {
            Some(built) => built.input.clone(),
            None => self.declared_input().ok_or_else(|| {
                Error::state(format!(
                    "The model \"{}\" does not know its input shape: give the first layer .input_shape([…]), start with Input::new([…]), or fit it.",
                    self.name
                ))
            })?,
        };
        self.build_for(&shape)
    }

    fn some_layers(&self) -> Result<()> {
        if !self.layers.is_empty() {
            return Ok(());
        }
        Err(Error::state(format!(
            "The model \"{}\" has no layers: add some first.",
            self.name
        )))
    }

    /// The input shape that the first layer gives, with the batch axis.
    fn declared_input(&self) -> Option<InputShape> {
        let first = self.layers.first()?;
        if first.class_name() == "InputLayer" {
            let shape = &first.config()["batch_shape"];
            return InputShape::from_json(shape).ok();
        }
        first.base()?.input_shape.clone().map(InputShape::batch_of)
    }

    /// Whether the weights are made.
    pub fn is_built(&self) -> bool {
        self.built
            .as_ref()
            .is_some_and(|b| b.layers.len() == self.layers.len())
            && !self.layers.is_empty()
    }

    /// Makes the weights for inputs of a shape (with the batch axis, whose extent may be `None`).
    ///
    /// # Errors
    /// If a layer cannot take what the one before gives, or two layers have one name.
    pub fn build_for(&mut self, input: &InputShape) -> Result<()> {
        self.some_layers()?;
        let names = self.layer_names();
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(Error::new(format!(
                    "Layer names must be unique. Received: \"{name}\" twice."
                )));
            }
        }
        let dtype = match self.layers[0].base() {
            Some(b) if self.layers[0].class_name() == "InputLayer" => b.dtype,
            _ => DType::F32,
        };
        let mut kept = self
            .built
            .take()
            .map(|b| b.layers)
            .unwrap_or_default()
            .into_iter();
        let mut built = Built {
            input: input.clone(),
            dtype,
            layers: Vec::new(),
        };
        let (seed, mut stream) = (crate::utils::next_seed(), 0);
        let mut shape = input.clone();
        for (layer, name) in self.layers.iter().zip(names) {
            if let Some(known) = kept.next() {
                shape = known.output.clone();
                built.layers.push(known);
                continue;
            }
            let base = layer.base().cloned().unwrap_or_default();
            let in_layer = |e: Error| e.in_scope(name.as_str());
            if let Some(e) = base.error {
                return Err(in_layer(e));
            }
            if let Some(r) = &base.activity_regularizer {
                r.check().map_err(in_layer)?;
            }
            if let Some(own) = base.input_shape.filter(|_| !built.layers.is_empty()) {
                let own = InputShape::batch_of(own);
                if own != shape {
                    return Err(in_layer(Error::shape(format!(
                        "input_shape says {own}, but the layer before gives {shape}."
                    ))));
                }
            }
            let mut cx = Build {
                layer: &name,
                dtype: base.dtype,
                trainable: base.trainable,
                seed,
                stream: &mut stream,
                weights: Vec::new(),
            };
            layer.build(&mut cx, &shape).map_err(in_layer)?;
            let weights = cx.weights;
            let mut entry = BuiltLayer {
                name: name.clone(),
                weights,
                output: shape.clone(),
                compute: base.dtype,
            };
            shape = output_shape(&**layer, &entry, &shape)?;
            entry.output = shape.clone();
            built.layers.push(entry);
        }
        self.built = Some(built);
        Ok(())
    }

    pub(super) fn built(&self) -> Result<&Built> {
        match &self.built {
            Some(b) if self.is_built() => Ok(b),
            _ => Err(Error::state(format!(
                "The model \"{}\" is not built yet: call build(), or fit it on data first.",
                self.name
            ))),
        }
    }

    /// The shape of the model's output.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn output_shape(&self) -> Result<InputShape> {
        let built = self.built()?;
        Ok(built
            .layers
            .last()
            .map_or_else(|| built.input.clone(), |l| l.output.clone()))
    }

    /// The number of weights' elements.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn count_params(&self) -> Result<usize> {
        self.built()?;
        Ok(self
            .weights()
            .iter()
            .map(|w| w.variable.shape().size())
            .sum())
    }

    /// The weights in Keras' order: layer by layer, as declared (kernel, bias). Empty before building.
    pub fn weights(&self) -> Vec<&Weight> {
        self.built
            .iter()
            .flat_map(|b| &b.layers)
            .flat_map(|l| &l.weights)
            .collect()
    }

    /// The weights' values, in the order of [`Sequential::weights`].
    ///
    /// # Errors
    /// If the model is not built.
    pub fn get_weights(&self) -> Result<Vec<Array>> {
        self.built()?;
        Ok(self.weights().iter().map(|w| w.variable.value()).collect())
    }

    /// Sets all weights, in the order of [`Sequential::weights`].
    ///
    /// # Errors
    /// If the number or a shape differs: names the weight, expected and received. Nothing is set then.
    pub fn set_weights(&mut self, values: &[Array]) -> Result<()> {
        self.built()?;
        set_weights(&self.weights(), values)
    }

    /// Keras' table of layers, output shapes and parameters.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(10).input_shape([784]));
    /// model.build()?;
    /// assert!(model.summary().to_string().contains("(None, 10)"));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn summary(&self) -> Summary {
        let built = self.built().ok();
        let rows = self
            .layers
            .iter()
            .zip(self.layer_names())
            .enumerate()
            .filter(|(_, (l, _))| l.class_name() != "InputLayer")
            .map(|(i, (layer, name))| {
                let known = built.map(|b| &b.layers[i]);
                let params = known.map_or_else(
                    || (!declares_weights(&**layer)).then_some(0),
                    |l| Some(l.weights.iter().map(|w| w.variable.shape().size()).sum()),
                );
                Row {
                    name,
                    class: layer.class_name().to_string(),
                    shape: known.map_or("?".to_string(), |l| l.output.to_string()),
                    params,
                    trainable: params
                        .filter(|n| *n > 0)
                        .map(|_| layer.base().is_none_or(|b| b.trainable)),
                    level: 0,
                }
            })
            .collect();
        let mut summary = Summary {
            rows,
            ..Summary::new(&self.name)
        };
        for w in self.weights() {
            let total = if w.trainable {
                &mut summary.trainable
            } else {
                &mut summary.non_trainable
            };
            total.add(w.variable.shape().size(), w.variable.dtype().size());
        }
        if let Some(optimizer) = self
            .trainer
            .as_ref()
            .map(|t| &t.optimizer)
            .filter(|o| o.is_built())
        {
            let total = summary.optimizer.insert(Count::default());
            for v in optimizer.variables() {
                total.add(v.shape().size(), v.dtype().size());
            }
        }
        summary
    }

    /// The model as Keras' JSON.
    pub fn to_config(&self) -> Value {
        let names = self.layer_names();
        let mut layers: Vec<Value> = self
            .layers
            .iter()
            .zip(&names)
            .map(|(l, n)| layers::to_config(&**l, n))
            .collect();
        let Ok(built) = self.built() else {
            return json!({"name": self.name, "trainable": true, "layers": layers});
        };
        // As in Keras, a built model begins with its input.
        if self.layers[0].class_name() != "InputLayer" {
            let input = Input::from(built.input.clone());
            layers.insert(0, layers::to_config(&input, "input_layer"));
        }
        json!({
            "name": self.name,
            "trainable": true,
            "layers": layers,
            "build_input_shape": built.input.to_json(),
        })
    }

    /// A model from Keras' JSON of a `Sequential` (its `config`); built if the JSON says for which
    /// shape.
    ///
    /// # Errors
    /// An unknown layer or argument, named.
    pub fn from_config(config: &Value) -> Result<Self> {
        let list = config["layers"].as_array().ok_or_else(|| {
            Error::new("The configuration of a Sequential has no list of \"layers\".")
        })?;
        let layers = list
            .iter()
            .map(layers::from_config)
            .collect::<Result<Vec<_>>>()?;
        let mut model = Self::from_layers(layers);
        if let Some(name) = config["name"].as_str() {
            model.name = name.to_string();
        }
        match &config["build_input_shape"] {
            Value::Null => {
                if model.declared_input().is_some() {
                    model.build()?;
                }
            }
            shape => model.build_for(&InputShape::from_json(shape)?)?,
        }
        Ok(model)
    }
}

/// Whether a layer that is not built yet will have weights: it is asked to declare them for some
/// small input.
fn declares_weights(layer: &dyn Layer) -> bool {
    let mut cx = Build {
        layer: "",
        dtype: DType::F32,
        trainable: true,
        seed: 0,
        stream: &mut 0,
        weights: Vec::new(),
    };
    layer.build(&mut cx, &InputShape::batch_of([1])).is_err() || !cx.weights.is_empty()
}

/// Sets weights after checking all of them.
pub(super) fn set_weights(weights: &[&Weight], values: &[Array]) -> Result<()> {
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

/// The shape a layer gives: its expression is traced for two sizes of what is unknown, and what
/// differs between the two is unknown in the result.
fn output_shape(layer: &dyn Layer, entry: &BuiltLayer, input: &InputShape) -> Result<InputShape> {
    let trace = |n: usize| {
        let x = Tensor::input(0, input.with(n), entry.compute);
        let mut pass = Pass::default();
        let y = call(layer, entry, &x, &mut pass);
        y.check().map(|()| y.shape().clone())
    };
    let (two, three) = (trace(2)?, trace(3)?);
    if two.rank() != three.rank() {
        return Err(
            Error::shape("The rank of the output depends on the batch size.")
                .in_scope(&*entry.name),
        );
    }
    let unknown = input.0.first() == Some(&None);
    if unknown && (two.first(), three.first()) != (Some(&2), Some(&3)) {
        return Err(Error::shape(format!(
            "The first axis of the output must be the batch, as in the input. Received: shape \
             {two} for a batch of 2."
        ))
        .in_scope(&*entry.name));
    }
    Ok(InputShape(
        two.iter()
            .zip(three.iter())
            .map(|(a, b)| (a == b).then_some(*a))
            .collect(),
    ))
}

fn call(layer: &dyn Layer, entry: &BuiltLayer, x: &Tensor, pass: &mut Pass) -> Tensor {
    let _scope = Scope::enter(&entry.name);
    let x = if x.dtype().is_float() {
        x.cast(entry.compute)
    } else {
        x.clone()
    };
    let mut cx = Call {
        weights: &entry.weights,
        dtype: entry.compute,
        training: pass.training,
        random_state: pass.random_state.as_ref(),
        stream: &mut pass.stream,
        losses: &mut pass.losses,
        updates: &mut pass.updates,
    };
    let y = layer.call(&mut cx, &x);
    if let Some(r) = layer.base().and_then(|b| b.activity_regularizer.as_ref()) {
        let batch = y.shape().first().copied().unwrap_or(1).max(1) as f64;
        pass.losses.push(r.penalty(&y) / batch);
    }
    y
}

impl Network for Sequential {
    fn name(&self) -> &str {
        &self.name
    }

    fn input_shape(&self) -> &InputShape {
        static NONE: InputShape = InputShape(Vec::new());
        self.built.as_ref().map_or(&NONE, |b| &b.input)
    }

    fn output(&self) -> Option<&InputShape> {
        let built = self.built().ok()?;
        built.layers.last().map(|l| &l.output)
    }

    fn input_dtype(&self) -> DType {
        self.built.as_ref().map_or(DType::F32, |b| b.dtype)
    }

    fn weights(&self) -> Vec<&Weight> {
        Sequential::weights(self)
    }

    fn forward(&self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let mut x = x.clone();
        for (layer, entry) in self
            .layers
            .iter()
            .zip(self.built.iter().flat_map(|b| &b.layers))
        {
            x = call(&**layer, entry, &x, pass);
            if let Some(taps) = &mut pass.taps {
                taps.push((entry.name.clone(), x.clone()));
            }
        }
        x
    }
}

/// Keras' snake case of a class name: `Dense` → `dense`, `ReLU` → `re_lu`, `LSTM` → `lstm`.
fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut out = String::new();
    for (i, c) in letters.iter().enumerate() {
        let after_lower = i > 0 && letters[i - 1].is_lowercase();
        let before_lower = i > 0 && letters.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c.is_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Lets [`Sequential::build_for`] know an input by its layer.
impl From<&Input> for InputShape {
    fn from(input: &Input) -> Self {
        input.shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake_case_is_keras() {
        for (class, name) in [
            ("Dense", "dense"),
            ("ReLU", "re_lu"),
            ("PReLU", "p_re_lu"),
            ("LeakyReLU", "leaky_re_lu"),
            ("Conv2D", "conv2d"),
            ("Conv2DTranspose", "conv2d_transpose"),
            ("ConvLSTM2D", "conv_lstm2d"),
            ("LSTM", "lstm"),
            ("ELU", "elu"),
            ("InputLayer", "input_layer"),
            ("RepeatVector", "repeat_vector"),
        ] {
            assert_eq!(snake_case(class), name);
        }
    }
}
