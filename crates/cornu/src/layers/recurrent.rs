//! Recurrent layers: SimpleRNN, LSTM and GRU over sequences, and their cells.

mod cell;

pub use cell::{
    CellOptions, Config, GRUCell, Gru, Kind, LSTMCell, Lstm, RecurrentCell, Simple, SimpleRNNCell,
};

use super::base::Base;
use super::registry::{fields, penalized};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::activations::Activation;
use crate::{DType, Error, Result, Tensor};
use cell::{Drop, Weights};
use cornu_core::ops::recurrent::{Operands, Recurrent};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// What a layer does with the walk over its sequence.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Walk {
    return_sequences: bool,
    return_state: bool,
    go_backwards: bool,
    stateful: bool,
    unroll: bool,
    zero_output_for_mask: bool,
}

/// A recurrent cell over a sequence; see [`LSTM`], [`GRU`] and [`SimpleRNN`].
#[derive(Clone, Debug)]
pub struct RecurrentLayer<K> {
    base: Base,
    cell: RecurrentCell<K>,
    walk: Walk,
}

/// Long short-term memory: i, f, o = σ(x·W + h·R + b), c̃ = tanh(…); c ← f·c + i·c̃, h ← o·tanh c
/// (Hochreiter and Schmidhuber 1997; Gers et al. 2000).
///
/// * Input: `(batch, steps, features)`; further inputs, if given: the initial h and c,
///   `(batch, units)` each. Output: the last h, or with `return_sequences` each h,
///   `(batch, steps, units)`; with `return_state` also the last h and c.
/// * Weights: `kernel` `(features, 4 · units)`, `recurrent_kernel` `(units, 4 · units)`, `bias`
///   `(4 · units,)`; gates in the order i, f, c̃, o.
/// * A masked step leaves the states as they are.
/// * Defaults: `"tanh"`, gates `"sigmoid"`, kernel `"glorot_uniform"`, recurrent kernel
///   `"orthogonal"`, bias zeros with ones for the forget gate.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(LSTM::new(8).return_sequences(true).input_shape([5, 3]));
/// model.add(LSTM::new(4));
/// model.build()?;
/// let y = model.predict(&Array::zeros(DType::F32, [2, 5, 3]))?;
/// assert_eq!(y.shape().dims(), [2, 4]);
/// assert_eq!(model.weights()[0].variable.name(), "lstm/lstm_cell/kernel");
/// # Ok::<(), cornu::Error>(())
/// ```
pub type LSTM = RecurrentLayer<Lstm>;

/// Gated recurrent unit: z, r = σ(x·W + h·R + b), h ← z·h + (1 − z)·tanh(…), with r applied to the
/// recurrent product, or before it if `reset_after` is false (Cho et al. 2014).
///
/// * Input and output as [`LSTM`], with one state.
/// * Weights: `kernel` `(features, 3 · units)`, `recurrent_kernel` `(units, 3 · units)`, `bias`
///   `(2, 3 · units)`, of the input and of h, or without `reset_after` `(3 · units,)`; gates in the
///   order z, r, h̃.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(GRU::new(4).input_shape([5, 3]));
/// model.build()?;
/// assert_eq!(model.count_params()?, 3 * 12 + 4 * 12 + 2 * 12);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type GRU = RecurrentLayer<Gru>;

/// The plain recurrent layer: h ← tanh(x·W + h·R + b).
///
/// * Input and output as [`LSTM`], with one state.
/// * Weights: `kernel` `(features, units)`, `recurrent_kernel` `(units, units)`, `bias` `(units,)`.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// let ones = SimpleRNN::new(1).activation("linear").kernel_initializer("ones");
/// model.add(ones.recurrent_initializer("ones").input_shape([3, 1]));
/// model.build()?;
/// let y = model.predict(&Array::from([[[1.0f32], [2.0], [3.0]]]))?;
/// assert_eq!(y.to_vec::<f32>(), [6.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type SimpleRNN = RecurrentLayer<Simple>;

impl<K: Kind> RecurrentLayer<K> {
    /// A layer whose states have `units` numbers.
    pub fn new(units: usize) -> Self {
        Self {
            base: Base::default(),
            cell: RecurrentCell::new(units),
            walk: Walk::default(),
        }
    }

    /// Whether the output is h after each step rather than the last; not by default.
    pub fn return_sequences(mut self, all: bool) -> Self {
        self.walk.return_sequences = all;
        self
    }

    /// Whether the last states are outputs too; not by default.
    pub fn return_state(mut self, states: bool) -> Self {
        self.walk.return_state = states;
        self
    }

    /// Whether the sequence is walked from its end (and returned in that order); not by default.
    pub fn go_backwards(mut self, backwards: bool) -> Self {
        self.walk.go_backwards = backwards;
        self
    }

    /// Whether a batch begins with the last states of the one before; not by default. The batch size
    /// must be known.
    pub fn stateful(mut self, stateful: bool) -> Self {
        self.walk.stateful = stateful;
        self
    }

    /// Whether the steps are written out one by one rather than walked by one operation; not by
    /// default. Slower, but differentiable twice.
    pub fn unroll(mut self, unroll: bool) -> Self {
        self.walk.unroll = unroll;
        self
    }

    /// Whether the output of a masked step is zero rather than the one before; not by default.
    pub fn zero_output_for_mask(mut self, zero: bool) -> Self {
        self.walk.zero_output_for_mask = zero;
        self
    }
}

impl<K: Kind> CellOptions for RecurrentLayer<K> {
    fn config_mut(&mut self) -> &mut Config {
        self.cell.config_mut()
    }
}

impl<K: Kind> LayerOptions for RecurrentLayer<K> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl RecurrentLayer<Lstm> {
    /// Whether the forget gate's bias starts at 1; it does by default.
    pub fn unit_forget_bias(mut self, ones: bool) -> Self {
        self.cell = self.cell.unit_forget_bias(ones);
        self
    }

    /// The activation of the gates; `"sigmoid"` by default.
    pub fn recurrent_activation(mut self, activation: impl Into<Activation>) -> Self {
        self.cell = self.cell.recurrent_activation(activation);
        self
    }
}

impl RecurrentLayer<Gru> {
    /// Whether the reset gate is applied to the recurrent product (then the recurrent kernel has a
    /// bias of its own) rather than to h; it is by default.
    pub fn reset_after(mut self, reset_after: bool) -> Self {
        self.cell = self.cell.reset_after(reset_after);
        self
    }

    /// The activation of the gates; `"sigmoid"` by default.
    pub fn recurrent_activation(mut self, activation: impl Into<Activation>) -> Self {
        self.cell = self.cell.recurrent_activation(activation);
        self
    }
}

impl<K: Kind> Serialize for RecurrentLayer<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = fields(&self.cell);
        all.extend(fields(&self.walk));
        all.serialize(serializer)
    }
}

impl<'de, K: Kind> Deserialize<'de> for RecurrentLayer<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Map::deserialize(deserializer)?;
        let names = fields(&Walk::default());
        let mut walk = Map::new();
        for name in names.keys() {
            walk.extend(all.remove(name).map(|value| (name.clone(), value)));
        }
        // Which library computes is the backend's business.
        all.remove("use_cudnn");
        let object = |map| Value::Object(map);
        let custom = serde::de::Error::custom::<serde_json::Error>;
        Ok(Self {
            base: Base::default(),
            cell: serde_json::from_value(object(all)).map_err(custom)?,
            walk: serde_json::from_value(object(walk)).map_err(custom)?,
        })
    }
}

/// The name of the `i`-th state kept between batches.
fn kept(i: usize) -> String {
    match i {
        0 => "rnn_state".to_string(),
        i => format!("rnn_state_{i}"),
    }
}

impl<K: Kind> RecurrentLayer<K> {
    /// The cell as it is inside: named, and of the layer's types.
    fn inner(&self) -> RecurrentCell<K> {
        let mut cell = self.cell.clone();
        cell.base.name = Some(K::NAME.to_string());
        cell.base.dtype = self.base.dtype;
        cell.base.trainable = self.base.trainable;
        cell
    }

    /// h after each step, and the last states.
    fn run(
        &self,
        weights: &Weights,
        x: &[Tensor],
        initial: Option<&[Tensor]>,
        mask: Option<&Tensor>,
        drop: &Drop,
    ) -> (Tensor, Vec<Tensor>) {
        let z = weights.project(x);
        let gates = self
            .cell
            .gates()
            .filter(|_| !self.walk.unroll && drop.is_empty());
        if let Some((activation, recurrent_activation)) = gates {
            let op = Recurrent {
                cell: self.cell.cell(),
                activation,
                recurrent_activation,
                reverse: self.walk.go_backwards,
                masked: false,
            };
            let y = op.run(&Operands {
                z: &z,
                kernel: &weights.recurrent,
                initial,
                bias: weights.recurrent_bias.as_ref(),
                mask,
            });
            return (y.outputs, y.states);
        }
        let (batch, steps) = (z.shape()[0], z.shape()[1]);
        let zeros = Tensor::zeros([batch, weights.recurrent.shape()[0]], z.dtype());
        let mut states = match initial {
            Some(states) => states.to_vec(),
            None => vec![zeros; self.cell.cell().states()],
        };
        let mut outputs = Vec::with_capacity(steps);
        for step in 0..steps {
            let t = if self.walk.go_backwards {
                steps - 1 - step
            } else {
                step
            };
            let at = z.narrow(1, t, 1).squeeze(1);
            let next = self.cell.step(weights, &at, &states, drop);
            let pairs = next.into_iter().zip(&states);
            states = match mask {
                Some(mask) => {
                    let counts = mask.narrow(1, t, 1);
                    pairs.map(|(new, old)| counts.select(new, old)).collect()
                }
                None => pairs.map(|(new, _)| new).collect(),
            };
            outputs.push(states[0].clone());
        }
        (Tensor::stack(&outputs, 1), states)
    }
}

impl<K: Kind> Layer for RecurrentLayer<K> {
    fn class_name(&self) -> &str {
        K::LAYER
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        penalized(self)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=1 + self.cell.cell().states()
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let [batch, _, features] = input.0[..] else {
            return Err(Error::shape(format!(
                "{} expects (batch, steps, features). Received: input shape {input}.",
                K::LAYER
            )));
        };
        let (units, count) = (self.cell.config.units, self.cell.cell().states());
        let given = &cx.inputs()[1..];
        let fits = |s: &InputShape| s.rank() == 2 && s.0[1].is_none_or(|n| n == units);
        if !given.is_empty() && (given.len() != count || !given.iter().all(fits)) {
            let given: Vec<String> = given.iter().map(InputShape::to_string).collect();
            return Err(Error::shape(format!(
                "{} expects {count} initial state(s) of shape (batch, {units}). Received: {}.",
                K::LAYER,
                given.join(", ")
            )));
        }
        // The cell sees one step.
        let state = InputShape(vec![batch, Some(units)]);
        let mut step = vec![InputShape(vec![batch, features])];
        step.extend(vec![state; count]);
        cx.layer_of("cell", &self.inner(), &step)?;
        if self.walk.stateful {
            let Some(batch) = batch else {
                return Err(Error::shape(format!(
                    "A stateful {} needs a known batch size. Received: input shape {input}.",
                    K::LAYER
                )));
            };
            for i in 0..count {
                cx.weight(&kept(i), [batch, units])
                    .initializer("zeros")
                    .non_trainable()
                    .add()?;
            }
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let count = self.cell.cell().states();
        let weights = Weights::of(&self.cell, |name| cx.weight_of("cell", name));
        let (x, drop) = weights.dropped(cx, x, &self.cell);
        let initial = match (cx.inputs().len(), self.walk.stateful) {
            (1, false) => None,
            (1, true) => Some((0..count).map(|i| cx.weight(&kept(i))).collect::<Vec<_>>()),
            _ => Some(cx.inputs()[1..].to_vec()),
        };
        let mask = cx.mask(0).cloned();
        let (mut outputs, states) =
            self.run(&weights, &x, initial.as_deref(), mask.as_ref(), &drop);
        if let (true, Some(mask)) = (self.walk.zero_output_for_mask, &mask) {
            let order = if self.walk.go_backwards {
                mask.flip(1)
            } else {
                mask.clone()
            };
            outputs = order.expand_dims(-1).select(outputs, 0.0);
        }
        if self.walk.stateful {
            for (i, state) in states.iter().enumerate() {
                cx.update(&kept(i), state.cast(DType::F32));
            }
        }
        let mut masks = vec![mask.filter(|_| self.walk.return_sequences)];
        if self.walk.return_state {
            masks.resize(1 + count, None);
            states.iter().for_each(|s| cx.output(s.clone()));
        }
        cx.set_masks(masks);
        if self.walk.return_sequences {
            return outputs;
        }
        let steps = outputs.shape().get(1).copied().unwrap_or_default();
        if steps == 0 || (!self.walk.zero_output_for_mask && outputs.check().is_ok()) {
            return states[0].clone();
        }
        outputs.narrow(1, steps - 1, 1).squeeze(1)
    }
}
