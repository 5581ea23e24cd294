//! The cells: one step of SimpleRNN, LSTM and GRU.

use super::options::{CellOptions, Config, Gru, Kind, Lstm, Simple, check_rates, gate_options};
use super::walk::{Steps, Walked, step_by_step};
use crate::activations::Activation;
use crate::initializers::Initializer;
use crate::layers::base::Base;
use crate::layers::registry::fields;
use crate::layers::{Build, Call, InputShape, Layer, LayerOptions};
use crate::{Array, DType, Result, Shape, Tensor};
use cornu_core::ops::recurrent::{Cell, Gate, Operands, Recurrent};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// One step of a recurrent layer: from an input `(batch, features)` and the states before, each
/// `(batch, units)`, to the output and the states after. See [`LSTMCell`], [`GRUCell`],
/// [`SimpleRNNCell`].
#[derive(Clone, Debug)]
pub struct RecurrentCell<K> {
    pub(super) base: Base,
    pub(super) config: Config,
    kind: PhantomData<K>,
}

/// One step of an [`LSTM`](super::LSTM): inputs x, h, c; outputs h, h, c.
pub type LSTMCell = RecurrentCell<Lstm>;
/// One step of a [`GRU`](super::GRU): inputs x, h; outputs h, h.
pub type GRUCell = RecurrentCell<Gru>;
/// One step of a [`SimpleRNN`](super::SimpleRNN): inputs x, h; outputs h, h.
pub type SimpleRNNCell = RecurrentCell<Simple>;

impl<K: Kind> RecurrentCell<K> {
    /// A cell whose states have `units` numbers.
    pub fn new(units: usize) -> Self {
        Self {
            base: Base::default(),
            config: Config::new::<K>(units),
            kind: PhantomData,
        }
    }

    pub(super) fn cell(&self) -> Cell {
        K::cell(&self.config)
    }
}

gate_options!(RecurrentCell);

impl<K: Kind> CellOptions for RecurrentCell<K> {
    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

impl<K: Kind> LayerOptions for RecurrentCell<K> {
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
}

impl<K: Kind> Serialize for RecurrentCell<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.config.serialize(serializer)
    }
}

impl<'de, K: Kind> Deserialize<'de> for RecurrentCell<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Map::deserialize(deserializer)?;
        let mut config: Config = serde_json::from_value(Value::Object(given.clone()))
            .map_err(serde::de::Error::custom)?;
        K::defaults(&mut config);
        let mut cell = Self::new(config.units);
        // What this kind of cell has not.
        let known = fields(&cell);
        if let Some(field) = given.keys().find(|k| !known.contains_key(*k)) {
            let message = format!("{} has no field `{field}`", K::CELL);
            return Err(serde::de::Error::custom(message));
        }
        cell.config = config;
        Ok(cell)
    }
}

/// What is kept of a tensor of this shape: 0, or what makes up for those that are dropped.
pub(super) fn mask_of(cx: &mut Call<'_>, rate: f64, seed: Option<u32>, shape: &[usize]) -> Tensor {
    let draw = match seed {
        None => cx.random_uniform(shape),
        Some(seed) => cx.random_uniform_seeded(seed, shape),
    };
    draw.ge(rate).select(1.0 / (1.0 - rate), draw.zeros_like())
}

/// The initializer of the bias, with ones for an LSTM's forget gate.
pub(super) fn forgetful(inner: Initializer, units: usize) -> Initializer {
    Initializer::custom("unit_forget_bias", move |shape, dtype, seed| {
        let mut values = inner.sample(shape, DType::F64, seed, 0)?.to_vec::<f64>();
        values
            .iter_mut()
            .skip(units)
            .take(units)
            .for_each(|v| *v = 1.0);
        Ok(Array::from(values).cast(dtype))
    })
}

impl<K: Kind> Layer for RecurrentCell<K> {
    fn class_name(&self) -> &str {
        K::CELL
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        fields(self)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        let n = 1 + self.cell().states();
        n..=n
    }

    fn state_shapes(&self, _: &InputShape) -> Vec<Shape> {
        vec![[self.config.units].into(); self.cell().states()]
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let c = &self.config;
        check_rates("units", c)?;
        let cell = self.cell();
        let columns = c.units * cell.gates();
        cx.weight("kernel", [input.features()?, columns])
            .initializer(c.kernel_initializer.clone())
            .regularizer(c.kernel_regularizer.clone())
            .constraint(c.kernel_constraint.clone())
            .add()?;
        cx.weight("recurrent_kernel", [c.units, columns])
            .initializer(c.recurrent_initializer.clone())
            .regularizer(c.recurrent_regularizer.clone())
            .constraint(c.recurrent_constraint.clone())
            .add()?;
        if !c.use_bias {
            return Ok(());
        }
        let shape = match cell.has_bias() {
            true => Shape::from([2, columns]),
            false => Shape::from([columns]),
        };
        let initializer = match c.unit_forget_bias {
            Some(true) => forgetful(c.bias_initializer.clone(), c.units),
            _ => c.bias_initializer.clone(),
        };
        cx.weight("bias", shape)
            .initializer(initializer)
            .regularizer(c.bias_regularizer.clone())
            .constraint(c.bias_constraint.clone())
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let weights = Weights::of(self, |name| cx.weight(name));
        let (x, drop) = weights.dropped(cx, x, self);
        let states = self.step(&weights, &weights.project(&x), &cx.inputs()[1..], &drop);
        states.iter().for_each(|s| cx.output(s.clone()));
        states[0].clone()
    }

    fn walk(&self, cx: &mut Call<'_>, walk: Steps) -> Option<Walked> {
        let weights = Weights::of(self, |name| cx.weight(name));
        let x = cx.inputs().first()?.clone();
        let (x, drop) = weights.dropped(cx, &x, self);
        let z = weights.project(&x);
        let (initial, mask) = (cx.inputs()[1..].to_vec(), cx.mask(0));
        let gates = self.gates().filter(|_| !walk.unroll && drop.is_empty());
        if let Some((activation, recurrent_activation)) = gates {
            let op = Recurrent {
                cell: self.cell(),
                activation,
                recurrent_activation,
                reverse: walk.backwards,
                masked: false,
                taped: true,
            };
            let y = op.run(&Operands {
                z: &z,
                kernel: &weights.recurrent,
                initial: Some(&initial[..]).filter(|states| !states.is_empty()),
                bias: weights.recurrent_bias.as_ref(),
                mask,
            });
            return Some(Walked {
                last: y.states[0].clone(),
                outputs: y.outputs,
                states: y.states,
            });
        }
        let zeros = Tensor::zeros([z.shape()[0], self.config.units], z.dtype());
        let initial = match initial.is_empty() {
            true => vec![zeros; self.cell().states()],
            false => initial,
        };
        Some(step_by_step(
            &z,
            initial,
            mask,
            walk.backwards,
            |z, states| {
                let states = self.step(&weights, z, states, &drop);
                (states[0].clone(), states)
            },
        ))
    }
}

/// A cell's weights, ready for a walk.
struct Weights {
    cell: Cell,
    units: usize,
    kernel: Tensor,
    recurrent: Tensor,
    /// What is added to the input's product.
    bias: Option<Tensor>,
    /// What is added to the recurrent product of h̃, of a GRU that resets after.
    recurrent_bias: Option<Tensor>,
}

/// What is left of the states on their way into each gate: one mask per gate, or none.
type Drop = Vec<Tensor>;

impl Weights {
    fn of<K: Kind>(cell: &RecurrentCell<K>, weight: impl Fn(&str) -> Tensor) -> Weights {
        let (kind, u) = (cell.cell(), cell.config.units);
        let bias = cell.config.use_bias.then(|| weight("bias"));
        let (bias, recurrent_bias) = match bias {
            Some(both) if kind.has_bias() => {
                let row = |i| both.narrow(0, i, 1).squeeze(0);
                // Of z and r the two biases are one.
                let gates = row(1).narrow(0, 0, 2 * u).pad(&[(0, u)], 0.0);
                (Some(row(0) + gates), Some(row(1).narrow(0, 2 * u, u)))
            }
            other => (other, None),
        };
        Weights {
            cell: kind,
            units: u,
            kernel: weight("kernel"),
            recurrent: weight("recurrent_kernel"),
            bias,
            recurrent_bias,
        }
    }

    /// The input's product and bias, over all steps at once. One input per gate if each is dropped
    /// by itself.
    fn project(&self, x: &[Tensor]) -> Tensor {
        let z = match x {
            [x] => x.matmul(&self.kernel),
            all => {
                let gate = |(i, x): (usize, &Tensor)| {
                    x.matmul(self.kernel.narrow(1, i * self.units, self.units))
                };
                Tensor::concat(&all.iter().enumerate().map(gate).collect::<Vec<_>>(), -1)
            }
        };
        match &self.bias {
            Some(bias) => z + bias,
            None => z,
        }
    }

    /// The input with features dropped, and the masks for the states.
    fn dropped<K: Kind>(
        &self,
        cx: &mut Call<'_>,
        x: &Tensor,
        cell: &RecurrentCell<K>,
    ) -> (Vec<Tensor>, Drop) {
        let c = &cell.config;
        if !cx.training() {
            return (vec![x.clone()], Vec::new());
        }
        let mut draws = 0;
        let mut mask = |cx: &mut Call<'_>, rate: f64, shape: Vec<usize>| {
            draws += 1;
            let seed = c.seed.map(|seed| seed.wrapping_add(draws - 1));
            mask_of(cx, rate, seed, &shape)
        };
        let partly = |rate: f64| rate > 0.0 && rate < 1.0;
        // As in Keras: a mask for each gate where states are dropped too.
        let count = match c.recurrent_dropout > 0.0 && self.cell != Cell::Simple {
            true => self.cell.gates(),
            false => 1,
        };
        let mut features = x.shape().to_vec();
        let last = features.len() - 1;
        features[1..last].fill(1);
        let inputs = match partly(c.dropout) {
            true => (0..count)
                .map(|_| x * mask(cx, c.dropout, features.clone()))
                .collect(),
            false => vec![x.clone()],
        };
        let states = match partly(c.recurrent_dropout) {
            true => (0..count)
                .map(|_| mask(cx, c.recurrent_dropout, vec![x.shape()[0], self.units]))
                .collect(),
            false => Vec::new(),
        };
        (inputs, states)
    }
}

impl<K: Kind> RecurrentCell<K> {
    /// The states after a step, from the projected input `(batch, gates · units)` and the states
    /// before; made of small operations, for any activation.
    fn step(&self, weights: &Weights, z: &Tensor, states: &[Tensor], drop: &Drop) -> Vec<Tensor> {
        let (u, cell) = (self.config.units, self.cell());
        let (Some(h), kernel) = (states.first(), &weights.recurrent) else {
            return Vec::new();
        };
        let columns = |i: usize, n: usize| kernel.narrow(1, i * u, n * u);
        let masked = |i: usize, h: &Tensor| match drop.get(i.min(drop.len().saturating_sub(1))) {
            Some(mask) => h * mask,
            None => h.clone(),
        };
        let whole = drop.is_empty().then(|| h.matmul(kernel));
        let product = |i: usize| match &whole {
            Some(q) => q.narrow(1, i * u, u),
            None => masked(i, h).matmul(columns(i, 1)),
        };
        let x = |i: usize| z.narrow(1, i * u, u);
        let a = |x: Tensor| self.config.activation.apply(&x);
        let s = |x: Tensor| match &self.config.recurrent_activation {
            Some(activation) => activation.apply(&x),
            None => x,
        };
        match cell {
            Cell::Simple => vec![a(x(0) + product(0))],
            Cell::Lstm => {
                let [i, f] = [0, 1].map(|k| s(x(k) + product(k)));
                let kept = states.get(1).map_or_else(|| h.zeros_like(), |c| f * c);
                let c = kept + i * a(x(2) + product(2));
                vec![s(x(3) + product(3)) * a(c.clone()), c]
            }
            Cell::Gru { reset_after } => {
                let [z, r] = [0, 1].map(|k| s(x(k) + product(k)));
                let inner = match (reset_after, &weights.recurrent_bias) {
                    (true, Some(bias)) => r * (product(2) + bias),
                    (true, None) => r * product(2),
                    (false, _) => (r * masked(2, h)).matmul(columns(2, 1)),
                };
                let candidate = a(x(2) + inner);
                vec![&z * h + (1.0 - &z) * candidate]
            }
        }
    }

    /// The activations, if the whole walk is one operation of the engine's.
    fn gates(&self) -> Option<(Gate, Gate)> {
        let gate = |a: &Activation| match a.name() {
            _ if *a != Activation::from(a.name()) => None,
            "linear" => Some(Gate::Linear),
            "tanh" => Some(Gate::Tanh),
            "sigmoid" => Some(Gate::Sigmoid),
            "relu" => Some(Gate::Relu),
            "hard_sigmoid" => Some(Gate::HardSigmoid),
            _ => None,
        };
        let recurrent = self.config.recurrent_activation.as_ref();
        Some((
            gate(&self.config.activation)?,
            recurrent.map_or(Some(Gate::Linear), gate)?,
        ))
    }
}
