//! Recurrent cells over whole sequences: SimpleRNN, LSTM and GRU, forward and back through time.
//!
//! What depends on the input alone is one product over all steps and done outside; what is left, the
//! recurrence, is one operation. Its result is a *tape*, rows of `units` numbers:
//!
//! * first `(batch, 1 + steps + e, units)`, the *states*: the initial h, the h after each step, and of
//!   an LSTM (`e` = 1) the last c;
//! * then `(steps, batch, k, units)`, what the way back needs of each step: `i f c̃ o c` of an LSTM,
//!   `z r q h̃` of a GRU (`q` what the recurrent kernel makes of h, if reset after), nothing of a
//!   SimpleRNN.
//!
//! Gradients flow to the states only, so that no cotangent is as large as the tape. Steps count in the
//! order in which they are walked; with `reverse` the first is the input's last.
//!
//! Formulas: Hochreiter and Schmidhuber (1997) with forget gates; Cho et al. (2014).

mod loops;

use super::Operation;
use super::elementwise::map;
use crate::array::Array;
use crate::dtype::DType;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;
use std::sync::Arc;

/// What is computed at each step; `a` is the activation, `s` the recurrent activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cell {
    /// h ← a(x + h·R).
    Simple,
    /// i, f, o = s(…), c̃ = a(…); c ← f·c + i·c̃, h ← o·a(c).
    Lstm,
    /// z, r = s(…), h ← z·h + (1 − z)·h̃, where h̃ = a(x + r·(h·R + b)) if `reset_after`, else
    /// a(x + (r·h)·R).
    Gru {
        /// Whether r is applied to the product rather than to h.
        reset_after: bool,
    },
}

/// A function of gates and states whose derivative is known from its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// x.
    Linear,
    /// tanh x.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// max(x, 0).
    Relu,
    /// x / 6 + ½, between 0 and 1.
    HardSigmoid,
}

impl Gate {
    /// The function of an `f64`.
    pub fn eval(self, x: f64) -> f64 {
        match self {
            Gate::Linear => x,
            Gate::Tanh => x.tanh(),
            Gate::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Gate::Relu if x < 0.0 => 0.0,
            Gate::Relu => x,
            Gate::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        }
    }

    /// The derivative where the function's value is `y`.
    pub fn slope(self, y: f64) -> f64 {
        match self {
            Gate::Linear => 1.0,
            Gate::Tanh => 1.0 - y * y,
            Gate::Sigmoid => y * (1.0 - y),
            Gate::Relu => f64::from(u8::from(y > 0.0)),
            Gate::HardSigmoid if y > 0.0 && y < 1.0 => 1.0 / 6.0,
            Gate::HardSigmoid => 0.0,
        }
    }
}

/// A recurrence over a sequence: from the projected input `(batch, steps, gates · units)`, the
/// recurrent kernel `(units, gates · units)`, the initial h `(batch, units)`, an LSTM's initial c, the
/// recurrent bias `(units,)` of h̃ of a GRU that resets after, and the mask `(batch, steps)` if
/// `masked`, to the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recurrent {
    /// The cell.
    pub cell: Cell,
    /// The activation of the new state.
    pub activation: Gate,
    /// The activation of the gates.
    pub recurrent_activation: Gate,
    /// Whether the sequence is walked from its end.
    pub reverse: bool,
    /// Whether there is a mask. A step that it does not have leaves the states as they are.
    pub masked: bool,
    /// Whether the tape has what the way back needs. Programs in which nothing reads it leave it out.
    pub taped: bool,
}

/// What flows back to the projected input, from the tape, the gradient of the states, the recurrent
/// kernel, an LSTM's initial c and the mask. With `initial` the gradients of the initial states, h and
/// an LSTM's c, follow as further rows of `units`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecurrentGrad {
    /// The way there.
    pub forward: Recurrent,
    /// Whether the initial states' gradients are wanted too.
    pub initial: bool,
}

/// The extents of a recurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// Sequences.
    pub batch: usize,
    /// Steps of each.
    pub steps: usize,
    /// Numbers in a state.
    pub units: usize,
}

impl Cell {
    /// How many gates (and candidates) the kernels make.
    pub fn gates(self) -> usize {
        match self {
            Cell::Simple => 1,
            Cell::Lstm => 4,
            Cell::Gru { .. } => 3,
        }
    }

    /// How many states there are.
    pub fn states(self) -> usize {
        1 + usize::from(self == Cell::Lstm)
    }

    /// How many rows the tape keeps of each step beside h.
    pub fn kept(self) -> usize {
        match self {
            Cell::Simple => 0,
            Cell::Lstm => 5,
            Cell::Gru { reset_after } => 3 + usize::from(reset_after),
        }
    }

    /// Rows of states per sequence on the tape.
    pub fn state_rows(self, steps: usize) -> usize {
        steps + self.states()
    }

    /// Whether there is a recurrent bias.
    pub fn has_bias(self) -> bool {
        self == Cell::Gru { reset_after: true }
    }
}

fn expect(name: &str, inputs: &[TensorType], expected: &[(&[usize], DType)]) -> Result<()> {
    let fits = inputs.len() == expected.len()
        && inputs
            .iter()
            .zip(expected)
            .all(|(a, (shape, dtype))| a.shape[..] == **shape && a.dtype == *dtype);
    if fits {
        return Ok(());
    }
    let list = |types: Vec<String>| types.join(", ");
    Err(Error::shape(format!(
        "{name} expects {}. Received: {}.",
        list(
            expected
                .iter()
                .map(|(s, d)| format!("{d}{}", Shape::from(*s)))
                .collect()
        ),
        list(inputs.iter().map(TensorType::to_string).collect())
    )))
}

impl Recurrent {
    /// The extents for a projected input and a recurrent kernel of these shapes.
    ///
    /// # Errors
    /// If they cannot belong to this cell.
    pub fn extents(&self, z: &Shape, kernel: &Shape) -> Result<Extents> {
        match (&z[..], &kernel[..]) {
            ([batch, steps, columns], [units, _]) if *columns == units * self.cell.gates() => {
                Ok(Extents {
                    batch: *batch,
                    steps: *steps,
                    units: *units,
                })
            }
            _ => Err(Error::shape(format!(
                "a recurrence needs a projected input (batch, steps, {g} · units) and a recurrent kernel (units, {g} · units). Received: {z} and {kernel}.",
                g = self.cell.gates()
            ))),
        }
    }
}

impl Operation for Recurrent {
    fn name(&self) -> &'static str {
        match self.cell {
            Cell::Simple => "simple_rnn",
            Cell::Lstm => "lstm",
            Cell::Gru { .. } => "gru",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (z, kernel) = (&inputs[0], &inputs[1]);
        if !matches!(z.dtype, DType::F32 | DType::F64) {
            return Err(Error::dtype(format!(
                "{} computes in float32 or float64. Received: {z}.",
                self.name()
            )));
        }
        let Extents {
            batch,
            steps,
            units,
        } = self.extents(&z.shape, &kernel.shape)?;
        let (columns, state) = (units * self.cell.gates(), [batch, units]);
        let (z_shape, kernel_shape, mask) =
            ([batch, steps, columns], [units, columns], [batch, steps]);
        let mut expected: Vec<(&[usize], DType)> =
            vec![(&z_shape, z.dtype), (&kernel_shape, z.dtype)];
        expected.extend(vec![(&state[..], z.dtype); self.cell.states()]);
        expected.extend(self.cell.has_bias().then_some((&state[1..], z.dtype)));
        expected.extend(self.masked.then_some((&mask[..], DType::Bool)));
        expect(self.name(), inputs, &expected)?;
        let kept = if self.taped { self.cell.kept() } else { 0 };
        let rows = batch * self.cell.state_rows(steps) + steps * batch * kept;
        Ok(TensorType {
            shape: [rows, units].into(),
            dtype: z.dtype,
        })
    }

    /// Only the states are differentiated, by the rule that [`Recurrent::run`] gives them.
    fn grad(&self, inputs: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None; inputs.len()]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let tape = loops::forward(self, inputs).into_iter();
        map(ty, tape.take(ty.shape.size()))
    }

    fn without_tape(&self) -> Option<super::Op> {
        let lean = Recurrent {
            taped: false,
            ..*self
        };
        self.taped.then(|| lean.into())
    }
}

impl Operation for RecurrentGrad {
    fn name(&self) -> &'static str {
        match self.forward.cell {
            Cell::Simple => "simple_rnn_grad",
            Cell::Lstm => "lstm_grad",
            Cell::Gru { .. } => "gru_grad",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let cell = self.forward.cell;
        let (tape, g, kernel) = (&inputs[0], &inputs[1], &inputs[2]);
        let ([batch, rows, units], [_, _]) = (&g.shape[..], &kernel.shape[..]) else {
            return Err(Error::shape(format!(
                "{} expects the states' gradient (batch, rows, units). Received: {g}.",
                self.name()
            )));
        };
        let (batch, units) = (*batch, *units);
        let steps = rows.checked_sub(cell.states()).unwrap_or_default();
        let state = [batch, units];
        let tape_shape = [
            batch * cell.state_rows(steps) + steps * batch * cell.kept(),
            units,
        ];
        let g_shape = [batch, cell.state_rows(steps), units];
        let (kernel_shape, mask) = ([units, units * cell.gates()], [batch, steps]);
        let mut expected: Vec<(&[usize], DType)> = vec![
            (&tape_shape, tape.dtype),
            (&g_shape, tape.dtype),
            (&kernel_shape, tape.dtype),
        ];
        expected.extend((cell == Cell::Lstm).then_some((&state[..], tape.dtype)));
        expected.extend(self.forward.masked.then_some((&mask[..], DType::Bool)));
        expect(self.name(), inputs, &expected)?;
        let initial = usize::from(self.initial) * cell.states() * batch;
        Ok(TensorType {
            shape: [batch * steps * cell.gates() + initial, units].into(),
            dtype: tape.dtype,
        })
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        _: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let refused = Tensor::error(Error::new(format!(
            "Second derivatives of {} over a whole sequence are not known; unroll it (unroll=true).",
            self.forward.name()
        )));
        let given = |(_, wanted): (&Tensor, &bool)| wanted.then(|| refused.clone());
        inputs.iter().zip(wanted).map(given).collect()
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        map(ty, loops::backward(self, inputs).into_iter())
    }
}

/// What a recurrence gives.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// h after each step, in the order of the walk: `(batch, steps, units)`.
    pub outputs: Tensor,
    /// The last states, each `(batch, units)`: h, and an LSTM's c.
    pub states: Vec<Tensor>,
}

/// What goes into a recurrence.
#[derive(Clone, Debug)]
pub struct Operands<'a> {
    /// The projected input with its bias, `(batch, steps, gates · units)`.
    pub z: &'a Tensor,
    /// The recurrent kernel, `(units, gates · units)`.
    pub kernel: &'a Tensor,
    /// The initial states, each `(batch, units)`; zeros if `None`.
    pub initial: Option<&'a [Tensor]>,
    /// The recurrent bias of h̃, `(units,)`, of a GRU that resets after; zeros if `None`.
    pub bias: Option<&'a Tensor>,
    /// Which steps count, `(batch, steps)`; all if `None`.
    pub mask: Option<&'a Tensor>,
}

impl Recurrent {
    /// Walks the sequence. Computes in `float32` what comes in 16 bits. Whether there is a mask is
    /// taken from the operands.
    ///
    /// ```
    /// use cornu_core::ops::recurrent::{Cell, Gate, Operands, Recurrent};
    /// use cornu_core::{Device, Reference, Tensor};
    /// // h ← x + 2·h.
    /// let op = Recurrent {
    ///     cell: Cell::Simple,
    ///     activation: Gate::Linear,
    ///     recurrent_activation: Gate::Linear,
    ///     reverse: false,
    ///     masked: false,
    ///     taped: true,
    /// };
    /// let z = Tensor::constant([1.0f32, 1.0, 1.0]).reshape([1, 3, 1]);
    /// let kernel = Tensor::constant([[2.0f32]]);
    /// let operands = Operands { z: &z, kernel: &kernel, initial: None, bias: None, mask: None };
    /// let h = op.run(&operands).outputs;
    /// let h = Device::new(Reference).eval(&[h]).unwrap();
    /// assert_eq!(h[0].to_vec::<f32>(), [1.0, 3.0, 7.0]);
    /// ```
    #[track_caller]
    pub fn run(self, operands: &Operands<'_>) -> Sequence {
        let line = Location::caller();
        let op = Recurrent {
            masked: operands.mask.is_some(),
            ..self
        };
        let (given, dtype) = (
            operands.z.dtype(),
            match operands.z.dtype() {
                DType::BF16 | DType::F16 => DType::F32,
                other => other,
            },
        );
        let of = |t: &Tensor| t.cast(dtype);
        let (z, kernel) = (of(operands.z), of(operands.kernel));
        let Extents {
            batch,
            steps,
            units,
        } = match op.extents(z.shape(), kernel.shape()) {
            Ok(extents) => extents,
            Err(e) => {
                let failed = Tensor::failed(e, &[&z, &kernel], line);
                return Sequence {
                    states: vec![failed.clone(); op.cell.states()],
                    outputs: failed,
                };
            }
        };
        let mut inputs = vec![z, kernel];
        match operands.initial {
            Some(states) => inputs.extend(states.iter().map(of)),
            None => inputs.extend(vec![Tensor::zeros([batch, units], dtype); op.cell.states()]),
        }
        if op.cell.has_bias() {
            let zeros = || Tensor::zeros([units], dtype);
            inputs.push(operands.bias.map_or_else(zeros, of));
        }
        inputs.extend(operands.mask.cloned());
        let tape = Tensor::new(op.into(), inputs.clone(), line);
        let rows = op.cell.state_rows(steps);
        let states = tape
            .narrow(0, 0, batch * rows)
            .reshape([batch, rows, units]);
        let way_back = Back {
            op,
            tape,
            extents: Extents {
                batch,
                steps,
                units,
            },
            initial: operands.initial.is_some(),
        };
        let states = Tensor::with_rule(
            &states,
            &inputs,
            Arc::new(move |inputs, _, g| way_back.gradients(inputs, g)),
        );
        let state = |row| states.narrow(1, row, 1).reshape([batch, units]).cast(given);
        Sequence {
            outputs: states.narrow(1, 1, steps).cast(given),
            states: (steps..rows).map(state).collect(),
        }
    }
}

/// The way back from the states to the operands.
struct Back {
    op: Recurrent,
    tape: Tensor,
    extents: Extents,
    /// Whether initial states were given, to which something may flow.
    initial: bool,
}

impl Back {
    fn gradients(&self, inputs: &[Tensor], g: &Tensor) -> Vec<Option<Tensor>> {
        let Extents {
            batch,
            steps,
            units,
        } = self.extents;
        let (cell, count) = (self.op.cell, self.op.cell.states());
        let columns = units * cell.gates();
        let op = RecurrentGrad {
            forward: self.op,
            initial: self.initial,
        };
        let mut operands = vec![self.tape.clone(), g.clone(), inputs[1].clone()];
        operands.extend((cell == Cell::Lstm).then(|| inputs[3].clone()));
        operands.extend(self.op.masked.then(|| inputs[inputs.len() - 1].clone()));
        let flow = Tensor::new(op.into(), operands, Location::caller());
        let rows = batch * steps * cell.gates();
        let dz = flow.narrow(0, 0, rows).reshape([batch, steps, columns]);
        let (dkernel, dbias) = self.kernel_gradient(&dz);
        let mut gradients = vec![Some(dz), Some(dkernel)];
        gradients.extend(
            (0..count).map(|i| op.initial.then(|| flow.narrow(0, rows + i * batch, batch))),
        );
        gradients.extend(dbias.map(Some));
        gradients.extend(self.op.masked.then_some(None));
        gradients
    }

    /// Of the recurrent kernel and bias, given that of the projected input: one product over all
    /// steps.
    fn kernel_gradient(&self, dz: &Tensor) -> (Tensor, Option<Tensor>) {
        let Extents {
            batch,
            steps,
            units,
        } = self.extents;
        let cell = self.op.cell;
        let ordered = |t: Tensor| if self.op.reverse { t.flip(1) } else { t };
        let rows = cell.state_rows(steps);
        let states = self.tape.narrow(0, 0, batch * rows);
        let states = states.reshape([batch, rows, units]);
        let before = ordered(states.narrow(1, 0, steps));
        let tall = |t: &Tensor| t.reshape([batch * steps, t.shape()[2]]);
        let product = |h: &Tensor, dz: &Tensor| tall(h).t().matmul(tall(dz));
        let Cell::Gru { reset_after } = cell else {
            return (product(&before, dz), None);
        };
        let kept = self
            .tape
            .narrow(0, batch * rows, batch * steps * cell.kept());
        let kept = kept.reshape([steps, batch, cell.kept(), units]);
        let reset = kept.narrow(2, 1, 1).reshape([steps, batch, units]);
        let reset = ordered(reset.transpose(&[1, 0, 2]));
        let gates = product(&before, dz).narrow(1, 0, 2 * units);
        let candidate = dz.narrow(2, 2 * units, units);
        if reset_after {
            let through = candidate * reset;
            let dkernel = Tensor::concat(&[gates, product(&before, &through)], 1);
            return (dkernel, Some(through.sum_axes(&[0, 1], false)));
        }
        let dkernel = Tensor::concat(&[gates, product(&(before * reset), &candidate)], 1);
        (dkernel, None)
    }
}
