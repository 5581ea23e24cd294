//! Walking over steps: what is the same for every recurrent layer, whatever its cell.

use crate::layers::budget::written_out;
use crate::layers::registry::fields;
use crate::layers::{Build, Call, InputShape, Layer};
use crate::{DType, Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a recurrent layer does with the walk over its sequence; all `false` by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Walk {
    /// Whether the output is that of each step rather than the last.
    pub return_sequences: bool,
    /// Whether the last states are outputs too.
    pub return_state: bool,
    /// Whether the sequence is walked from its end, and returned in that order.
    pub go_backwards: bool,
    /// Whether a batch begins with the last states of the one before.
    pub stateful: bool,
    /// Whether the steps are written out one by one where one operation could walk them all.
    pub unroll: bool,
    /// Whether the output of a masked step is zero rather than the one before.
    pub zero_output_for_mask: bool,
}

impl Walk {
    /// Takes the walk's own fields out of a layer's configuration.
    pub(super) fn take(config: &mut Map<String, Value>) -> serde_json::Result<Walk> {
        let mut own = Map::new();
        for name in fields(&Walk::default()).keys() {
            own.extend(config.remove(name).map(|value| (name.clone(), value)));
        }
        serde_json::from_value(Value::Object(own))
    }
}

/// A layer over steps, as [`Bidirectional`](super::super::Bidirectional) needs it; see
/// [`Layer::recurrent`].
pub trait Recurrent {
    /// How it walks.
    fn walk(&self) -> Walk;

    /// The same layer, walking in another way.
    fn walking(&self, walk: Walk) -> Box<dyn Layer>;
}

/// The builder methods of a layer with a field `walk`.
macro_rules! walk_options {
    ([$($generics:tt)*] $layer:ty) => {
        impl<$($generics)*> $layer {
            /// Whether the output is that of each step rather than the last; not by default.
            pub fn return_sequences(mut self, all: bool) -> Self {
                self.walk.return_sequences = all;
                self
            }

            /// Whether the last states are outputs too; not by default.
            pub fn return_state(mut self, states: bool) -> Self {
                self.walk.return_state = states;
                self
            }

            /// Whether the sequence is walked from its end (and returned in that order); not by
            /// default.
            pub fn go_backwards(mut self, backwards: bool) -> Self {
                self.walk.go_backwards = backwards;
                self
            }

            /// Whether a batch begins with the last states of the one before, until
            /// [`reset_states`](crate::models::Model::reset_states); not by default. The batch size
            /// must be known.
            pub fn stateful(mut self, stateful: bool) -> Self {
                self.walk.stateful = stateful;
                self
            }

            /// Whether the steps are written out one by one where one operation could walk them all;
            /// not by default. Slower, but differentiable twice.
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
    };
}

/// [`Recurrent`] for a layer with a field `walk`.
macro_rules! recurrent {
    ([$($generics:tt)*] $layer:ty) => {
        impl<$($generics)*> $crate::layers::Recurrent for $layer {
            fn walk(&self) -> $crate::layers::Walk {
                self.walk
            }

            fn walking(&self, walk: $crate::layers::Walk) -> Box<dyn $crate::layers::Layer> {
                let mut layer = self.clone();
                layer.walk = walk;
                Box::new(layer)
            }
        }
    };
}

pub(super) use {recurrent, walk_options};

/// What a walk over a sequence gives.
#[doc(hidden)]
#[derive(Debug)]
pub struct Walked {
    /// What each step gives, in the order of the walk: `(batch, steps, …)`.
    pub outputs: Tensor,
    /// What the last step gives.
    pub last: Tensor,
    /// The states after it.
    pub states: Vec<Tensor>,
}

/// A recurrent layer: a cell, kept in the field `cell`, and how it walks.
pub(super) struct Walker<'a> {
    pub class: &'a str,
    pub cell: &'a dyn Layer,
    pub cell_name: &'a str,
    pub walk: Walk,
}

/// The name of the `i`-th state kept between batches.
fn kept(i: usize) -> String {
    match i {
        0 => "rnn_state".to_string(),
        i => format!("rnn_state_{i}"),
    }
}

/// A sequence's shape without its steps.
fn step_of(sequence: &InputShape) -> InputShape {
    let axes = sequence.0.iter().enumerate();
    InputShape(axes.filter(|(i, _)| *i != 1).map(|(_, n)| *n).collect())
}

/// The shape of a state with the batch.
fn batched(batch: Option<usize>, state: &Shape) -> InputShape {
    let extents = state.iter().map(|n| Some(*n));
    InputShape(std::iter::once(batch).chain(extents).collect())
}

impl Walker<'_> {
    /// Builds the cell, for one step, and the states that are kept.
    pub fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let class = self.class;
        if input.rank() < 3 {
            return Err(Error::shape(format!(
                "{class} expects (batch, steps, features). Received: input shape {input}."
            )));
        }
        let step = step_of(input);
        let states = self.cell.state_shapes(&step);
        if states.is_empty() {
            return Err(Error::new(format!(
                "{class} expects a cell, a layer that says its state_shapes. Received: {}.",
                self.cell.class_name()
            )));
        }
        let expected: Vec<InputShape> = states.iter().map(|s| batched(None, s)).collect();
        let given = &cx.inputs()[1..];
        let fits = |(own, given): (&InputShape, &InputShape)| {
            let known = own.0.iter().zip(&given.0);
            let fits =
                |(a, b): (&Option<usize>, &Option<usize>)| a.is_none() || b.is_none() || a == b;
            own.rank() == given.rank() && known.into_iter().all(fits)
        };
        let count = given.len();
        if count > 0 && (count != states.len() || !expected.iter().zip(given).all(fits)) {
            let all = |shapes: &[InputShape]| {
                let shapes: Vec<String> = shapes.iter().map(InputShape::to_string).collect();
                shapes.join(", ")
            };
            return Err(Error::shape(format!(
                "{class} expects {} initial state(s) of shape {}. Received: {}.",
                states.len(),
                all(&expected),
                all(given)
            )));
        }
        let mut inputs = vec![step.clone()];
        inputs.extend(states.iter().map(|s| batched(step.0[0], s)));
        let outputs = cx.layer_named("cell", self.cell_name, self.cell, &inputs)?;
        if outputs.len() != 1 + states.len() {
            return Err(Error::new(format!(
                "The cell {} must give its output and {} state(s). Received: {} output(s).",
                self.cell.class_name(),
                states.len(),
                outputs.len()
            )));
        }
        if self.walk.stateful {
            let Some(batch) = step.0[0] else {
                return Err(Error::shape(format!(
                    "A stateful {class} needs a known batch size. Received: input shape {input}."
                )));
            };
            for (i, state) in states.iter().enumerate() {
                let shape = [&[batch], &state[..]].concat();
                cx.weight(&kept(i), shape)
                    .initializer("zeros")
                    .state()
                    .add()?;
            }
        }
        Ok(())
    }

    /// The initial states, none for zeros.
    fn initial(&self, cx: &Call<'_>, x: &Tensor, states: &[Shape]) -> Result<Vec<Tensor>> {
        let given = cx.inputs()[1..].to_vec();
        if !given.is_empty() || !self.walk.stateful {
            return Ok(given);
        }
        let kept: Vec<Tensor> = (0..states.len()).map(|i| cx.weight(&kept(i))).collect();
        match kept.first().and_then(|s| s.shape().first().copied()) {
            Some(batch) if batch != x.shape()[0] => Err(Error::shape(format!(
                "This stateful {} keeps the states of batches of {batch}. Received: a batch of {}.",
                self.class,
                x.shape()[0]
            ))),
            _ => Ok(kept),
        }
    }

    /// The output; further outputs, masks and states that are kept go to `cx`.
    pub fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if let Err(e) = x.check() {
            return Tensor::error(e);
        }
        let mask = cx.mask(0).cloned();
        let steps = x.shape()[1];
        if let Err(e) = checked(self.class, x.shape(), mask.as_ref()) {
            return Tensor::error(e);
        }
        let known = InputShape(x.shape().iter().map(|n| Some(*n)).collect());
        let states = self.cell.state_shapes(&step_of(&known));
        let initial = match self.initial(cx, x, &states) {
            Ok(initial) => initial,
            Err(e) => return Tensor::error(e),
        };
        let walk = Steps {
            backwards: self.walk.go_backwards,
            unroll: self.walk.unroll,
        };
        let walked = over(cx, "cell", self.cell, x, &initial, mask.as_ref(), walk);
        let Walked {
            mut outputs,
            mut last,
            states,
        } = walked;
        if let (true, Some(mask)) = (self.walk.zero_output_for_mask, &mask) {
            let order = match self.walk.go_backwards {
                true => mask.flip(1),
                false => mask.clone(),
            };
            outputs = counts(&order, outputs.rank()).select(&outputs, 0.0);
            last = outputs.narrow(1, steps - 1, 1).squeeze(1);
        }
        if self.walk.stateful {
            for (i, state) in states.iter().enumerate() {
                cx.update(&kept(i), state.clone());
            }
        }
        let mut masks = vec![mask.filter(|_| self.walk.return_sequences)];
        if self.walk.return_state {
            masks.resize(1 + states.len(), None);
            states.into_iter().for_each(|s| cx.output(s));
        }
        cx.set_masks(masks);
        match self.walk.return_sequences {
            true => outputs,
            false => last,
        }
    }
}

/// Refuses a sequence without steps and a mask that is not of its steps.
fn checked(class: &str, x: &Shape, mask: Option<&Tensor>) -> Result<()> {
    if x[1] == 0 {
        return Err(Error::shape(format!(
            "{class} expects at least one step. Received: input shape {x}."
        )));
    }
    let Some(mask) = mask else { return Ok(()) };
    mask.check()?;
    if mask.shape()[..] != x[..2] || mask.dtype() != DType::Bool {
        return Err(Error::shape(format!(
            "The mask of {class} must be bool of shape (batch, steps), here {}. Received: {} of shape {}.",
            Shape::from(&x[..2]),
            mask.dtype(),
            mask.shape()
        )));
    }
    Ok(())
}

/// A mask `(batch, …)` reshaped to go with tensors of a rank.
fn counts(mask: &Tensor, rank: usize) -> Tensor {
    let mut shape = mask.shape().to_vec();
    shape.resize(rank, 1);
    mask.reshape(shape)
}

/// The order and the manner of a walk.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// From the end.
    pub backwards: bool,
    /// By small operations only.
    pub unroll: bool,
}

/// The walk of a cell that was built in a field of the layer of `cx`: by the cell's own way over whole
/// sequences, if it has one, else step by step. `initial` is empty for zeros.
pub(super) fn over(
    cx: &mut Call<'_>,
    field: &str,
    cell: &dyn Layer,
    x: &Tensor,
    initial: &[Tensor],
    mask: Option<&Tensor>,
    walk: Steps,
) -> Walked {
    let inputs: Vec<Tensor> = [x].into_iter().chain(initial).cloned().collect();
    let mut masks = vec![None; inputs.len()];
    masks[0] = mask.cloned();
    // A penalty on a cell's output is one on each step's.
    let penalized = cell
        .base()
        .is_some_and(|b| b.activity_regularizer.is_some());
    if !penalized {
        match cx.inside(field, &inputs, &masks, |cx| cell.walk(cx, walk)) {
            Ok(Some(walked)) => return walked,
            Ok(None) => {}
            Err(e) => {
                let failed = Tensor::error(e);
                return Walked {
                    outputs: failed.clone(),
                    last: failed,
                    states: Vec::new(),
                };
            }
        }
    }
    let known = InputShape(x.shape().iter().map(|n| Some(*n)).collect());
    let zeros = |s: &Shape| Tensor::zeros([&x.shape()[..1], &s[..]].concat(), cx.dtype());
    let states = match initial {
        [] => cell
            .state_shapes(&step_of(&known))
            .iter()
            .map(zeros)
            .collect(),
        given => given.to_vec(),
    };
    // What is dropped at one step is dropped at all of them.
    let draws = cx.draws();
    step_by_step(x, states, mask, walk.backwards, |at, states| {
        cx.draw_again(draws);
        let inputs: Vec<Tensor> = [at].into_iter().chain(states).cloned().collect();
        let mut outputs = cx
            .layer_of(field, cell, &inputs, &vec![None; inputs.len()])
            .tensors;
        let states = outputs.split_off(1);
        (outputs.swap_remove(0), states)
    })
}

/// A walk one step after the other; `step` gives the output and the states after it. A masked step
/// leaves the states as they are and repeats the output before it: before the first, that is the first
/// state if it is of the output's shape, else zeros.
pub(super) fn step_by_step(
    x: &Tensor,
    mut states: Vec<Tensor>,
    mask: Option<&Tensor>,
    backwards: bool,
    mut step: impl FnMut(&Tensor, &[Tensor]) -> (Tensor, Vec<Tensor>),
) -> Walked {
    let steps = x.shape()[1];
    if let Err(e) = written_out(steps) {
        let failed = Tensor::error(e);
        return Walked {
            outputs: failed.clone(),
            last: failed,
            states,
        };
    }
    let mut outputs: Vec<Tensor> = Vec::with_capacity(steps);
    for i in 0..steps {
        let t = if backwards { steps - 1 - i } else { i };
        let at = x.narrow(1, t, 1).squeeze(1);
        let (mut y, next) = step(&at, &states);
        let Some(mask) = mask else {
            outputs.push(y);
            states = next;
            continue;
        };
        let mask = mask.narrow(1, t, 1).squeeze(1);
        let before = match (outputs.last(), states.first()) {
            (Some(y), _) => y.clone(),
            (None, Some(state)) if state.shape() == y.shape() => state.clone(),
            _ => y.zeros_like(),
        };
        y = counts(&mask, y.rank()).select(&y, &before);
        let pairs = next.iter().zip(&states);
        states = pairs
            .map(|(new, old)| counts(&mask, new.rank()).select(new, old))
            .collect();
        outputs.push(y);
    }
    let last = outputs.last().cloned();
    Walked {
        last: last.unwrap_or_else(|| x.clone()),
        outputs: Tensor::stack(&outputs, 1),
        states,
    }
}
