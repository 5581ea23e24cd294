//! Recurrent layers: SimpleRNN, LSTM, GRU and any cell over sequences, and the cells.

mod cell;
mod conv_lstm;
mod options;
mod rnn;
mod stacked;
mod walk;

pub use cell::{GRUCell, LSTMCell, RecurrentCell, SimpleRNNCell};
pub use conv_lstm::{ConvLSTM1D, ConvLSTM2D, ConvLSTM3D};
pub use options::{CellOptions, Config, Gru, Kind, Lstm, Simple};
pub use rnn::RNN;
pub use stacked::StackedRNNCells;
pub(super) use stacked::numbered;
pub use walk::{Recurrent, Steps, Walk, Walked};

use super::base::Base;
use super::registry::{fields, penalized};
use super::{Build, Call, InputShape, Layer, LayerOptions};
use crate::{Error, Result, Tensor};
use options::gate_options;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use walk::{Walker, recurrent, walk_options};

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
}

gate_options!(RecurrentLayer);
walk_options!([K: Kind] RecurrentLayer<K>);
recurrent!([K: Kind] RecurrentLayer<K>);

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
        let walk = Walk::take(&mut all).map_err(serde::de::Error::custom)?;
        // Which library computes is the backend's business.
        all.remove("use_cudnn");
        let cell = serde_json::from_value(Value::Object(all));
        Ok(Self {
            base: Base::default(),
            cell: cell.map_err(serde::de::Error::custom)?,
            walk,
        })
    }
}

impl<K: Kind> RecurrentLayer<K> {
    /// The cell as it is inside: of the layer's types, trained if the layer is.
    fn inner(&self) -> RecurrentCell<K> {
        let mut cell = self.cell.clone();
        cell.base.dtype = self.base.dtype;
        cell.base.trainable = self.base.trainable;
        cell
    }

    fn walker<'a>(&self, cell: &'a RecurrentCell<K>) -> Walker<'a> {
        Walker {
            class: K::LAYER,
            cell,
            cell_name: K::NAME,
            walk: self.walk,
        }
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

    fn recurrent(&self) -> Option<&dyn Recurrent> {
        Some(self)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if input.rank() != 3 {
            return Err(Error::shape(format!(
                "{} expects (batch, steps, features). Received: input shape {input}.",
                K::LAYER
            )));
        }
        self.walker(&self.inner()).build(cx, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        self.walker(&self.inner()).call(cx, x)
    }
}
