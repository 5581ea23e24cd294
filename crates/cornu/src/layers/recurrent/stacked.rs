//! Cells on top of each other.

use super::walk::{Steps, Walked, over};
use crate::layers::base::{Base, builtin, options};
use crate::layers::{Build, Call, InputShape, Layer, Wrapper, snake_case};
use crate::{Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Cells on top of each other, as one cell: each takes what the one before gives.
///
/// * Inputs: a step `(batch, features)` and the states of all cells, in order. Outputs: what the last
///   cell gives, and all states. Weights are those of the cells.
///
/// ```
/// use cornu::prelude::*;
/// let cells = StackedRNNCells::new([LSTMCell::new(16), LSTMCell::new(8)]);
/// let mut model = Sequential::new();
/// model.add(RNN::new(cells).input_shape([5, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8)");
/// assert_eq!(model.weights()[0].variable.name(), "rnn/stacked_rnn_cells/lstm_cell/kernel");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackedRNNCells {
    #[serde(skip)]
    base: Base,
    cells: Vec<Wrapper>,
}

options!(StackedRNNCells);

/// Names of which the second of a kind has a number, and so on.
pub(in crate::layers) fn numbered(stems: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for stem in stems {
        let numbers = (1..).map(|i| format!("{stem}_{i}"));
        let mut free = [stem.clone()].into_iter().chain(numbers);
        names.extend(free.find(|name| !names.contains(name)));
    }
    names
}

impl StackedRNNCells {
    /// These cells, the first at the bottom.
    pub fn new<C: Into<Box<dyn Layer>>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self {
            base: Base::default(),
            cells: cells.into_iter().map(Wrapper::new).collect(),
        }
    }

    /// The name of each cell.
    fn names(&self) -> Vec<String> {
        numbered(self.cells.iter().map(Wrapper::name))
    }

    /// Each cell's field: where Keras' files keep it.
    fn fields(&self) -> Vec<String> {
        let classes = self.cells.iter().map(|c| snake_case(c.class_name()));
        numbered(classes.map(|class| format!("cells/{class}")))
    }

    /// The states of each cell, for a step of this shape.
    fn states(&self, step: &InputShape) -> Vec<Vec<Shape>> {
        let mut step = step.clone();
        let mut all = Vec::new();
        for cell in &self.cells {
            let states = cell.state_shapes(&step);
            // As in Keras: what a cell gives has the shape of its first state.
            if let Some(first) = states.first() {
                let extents = first.iter().map(|n| Some(*n));
                step.0 = step.0.first().copied().into_iter().chain(extents).collect();
            }
            all.push(states);
        }
        all
    }
}

impl Layer for StackedRNNCells {
    builtin!(StackedRNNCells);

    fn arity(&self) -> RangeInclusive<usize> {
        2..=usize::MAX
    }

    fn state_shapes(&self, step: &InputShape) -> Vec<Shape> {
        self.states(step).concat()
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let states = self.states(input);
        if let Some(i) = states.iter().position(Vec::is_empty) {
            return Err(Error::new(format!(
                "StackedRNNCells expects cells, layers that say their state_shapes. Received: {} as cell {i}.",
                self.cells[i].class_name()
            )));
        }
        let given = cx.inputs()[1..].to_vec();
        let count = states.iter().flatten().count();
        if given.len() != count {
            return Err(Error::shape(format!(
                "StackedRNNCells expects {count} states. Received: {}.",
                given.len()
            )));
        }
        let (mut step, mut given) = (input.clone(), given.into_iter());
        let each = self.cells.iter().zip(&states);
        for ((cell, states), (field, name)) in each.zip(self.fields().iter().zip(self.names())) {
            let mut inputs = vec![step.clone()];
            inputs.extend(given.by_ref().take(states.len()));
            let outputs = cx.layer_named(field, &name, &**cell, &inputs)?;
            step = outputs.into_iter().next().unwrap_or(step);
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let known = InputShape(x.shape().iter().map(|n| Some(*n)).collect());
        let given: Vec<Tensor> = cx.inputs()[1..].to_vec();
        let mut given = given.into_iter();
        let mut y = x.clone();
        let each = self.cells.iter().zip(self.fields());
        for ((cell, field), states) in each.zip(self.states(&known)) {
            let mut inputs = vec![y.clone()];
            inputs.extend(given.by_ref().take(states.len()));
            let masks = vec![None; inputs.len()];
            let mut outputs = cx
                .layer_of(&field, &**cell, &inputs, &masks)
                .tensors
                .into_iter();
            y = outputs.next().unwrap_or(y);
            outputs.for_each(|state| cx.output(state));
        }
        y
    }

    /// One cell after the other, each over the whole sequence.
    fn walk(&self, cx: &mut Call<'_>, walk: Steps) -> Option<Walked> {
        let x = cx.inputs().first()?.clone();
        let known: Vec<Option<usize>> = x.shape().iter().map(|n| Some(*n)).collect();
        let step = InputShape([&known[..1], &known[2..]].concat());
        let mask = cx.mask(0).cloned();
        let given: Vec<Tensor> = cx.inputs()[1..].to_vec();
        let mut given = given.into_iter();
        let mut all = Vec::new();
        let mut walked: Option<Walked> = None;
        let each = self.cells.iter().zip(self.fields());
        for ((cell, field), states) in each.zip(self.states(&step)) {
            // Only the first cell meets the sequence in its own order.
            let (x, mask, backwards) = match &walked {
                None => (x.clone(), mask.clone(), walk.backwards),
                Some(below) => {
                    let mask = mask.as_ref();
                    let order = |m: &Tensor| if walk.backwards { m.flip(1) } else { m.clone() };
                    (below.outputs.clone(), mask.map(order), false)
                }
            };
            let initial: Vec<Tensor> = given.by_ref().take(states.len()).collect();
            let walk = Steps { backwards, ..walk };
            let next = over(cx, &field, &**cell, &x, &initial, mask.as_ref(), walk);
            all.extend(next.states.iter().cloned());
            walked = Some(next);
        }
        walked.map(|walked| Walked {
            states: all,
            ..walked
        })
    }
}
