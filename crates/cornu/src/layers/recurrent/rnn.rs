//! Any cell over a sequence.

use super::stacked::StackedRNNCells;
use super::walk::{Recurrent, Walk, Walker, recurrent, walk_options};
use crate::layers::base::{Base, builtin, options};
use crate::layers::{Build, Call, InputShape, Layer, Wrapper, from_config};
use crate::{Result, Tensor};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use std::ops::RangeInclusive;

/// A cell over a sequence: one of [`LSTMCell`](super::LSTMCell), [`GRUCell`](super::GRUCell),
/// [`SimpleRNNCell`](super::SimpleRNNCell), several of them ([`StackedRNNCells`]), or your own.
///
/// * Input: `(batch, steps, features…)`; further inputs, if given: the initial states. Output: what the
///   cell gives at the last step, or with `return_sequences` at each, `(batch, steps, …)`; with
///   `return_state` also the last states.
/// * Weights: the cell's.
/// * A masked step leaves the states as they are.
///
/// A cell is a layer that says its [`state_shapes`](Layer::state_shapes). It takes a step and the states
/// before it, and gives its output and the states after it:
///
/// ```
/// use cornu::layers::{Build, Call, InputShape, Layer};
/// use cornu::prelude::*;
/// use cornu::Shape;
///
/// /// h ← x·W + h·R.
/// #[derive(Debug)]
/// struct MinimalCell {
///     units: usize,
/// }
///
/// impl Layer for MinimalCell {
///     fn class_name(&self) -> &str {
///         "MinimalCell"
///     }
///     fn arity(&self) -> std::ops::RangeInclusive<usize> {
///         2..=2
///     }
///     fn state_shapes(&self, _: &InputShape) -> Vec<Shape> {
///         vec![[self.units].into()]
///     }
///     fn build(&self, cx: &mut Build, step: &InputShape) -> cornu::Result<()> {
///         cx.weight("kernel", [step.features()?, self.units]).add()?;
///         cx.weight("recurrent_kernel", [self.units, self.units]).add()
///     }
///     fn call(&self, cx: &mut Call, x: &Tensor) -> Tensor {
///         let before = cx.inputs()[1].matmul(cx.weight("recurrent_kernel"));
///         let h = x.matmul(cx.weight("kernel")) + before;
///         cx.output(h.clone());
///         h
///     }
/// }
///
/// # fn main() -> cornu::Result<()> {
/// let mut model = Sequential::new();
/// model.add(RNN::new(MinimalCell { units: 32 }).input_shape([10, 5]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 32)");
/// assert_eq!(model.weights()[0].variable.name(), "rnn/minimal_cell/kernel");
/// # Ok(())
/// # }
/// ```
///
/// The steps of your own cell are written out one by one, so that a program for long sequences is large;
/// cells of the library walk by one operation. Random numbers are the same at each step.
#[derive(Clone, Debug, Serialize)]
pub struct RNN {
    #[serde(skip)]
    base: Base,
    cell: Wrapper,
    #[serde(flatten)]
    walk: Walk,
}

impl<'de> Deserialize<'de> for RNN {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Own {
            cell: Value,
        }
        let mut all = Map::deserialize(deserializer)?;
        let walk = Walk::take(&mut all).map_err(D::Error::custom)?;
        let own: Own = serde_json::from_value(Value::Object(all)).map_err(D::Error::custom)?;
        // A list of cells is a stack of them.
        let cell = match own.cell {
            Value::Array(cells) => {
                json!({"class_name": "StackedRNNCells", "config": {"cells": cells}})
            }
            cell => cell,
        };
        Ok(Self {
            base: Base::default(),
            cell: Wrapper::new(from_config(&cell).map_err(D::Error::custom)?),
            walk,
        })
    }
}

options!(RNN);
walk_options!([] RNN);
recurrent!([] RNN);

impl RNN {
    /// A layer of this cell.
    pub fn new(cell: impl Into<Box<dyn Layer>>) -> Self {
        Self {
            base: Base::default(),
            cell: Wrapper::new(cell),
            walk: Walk::default(),
        }
    }

    /// A layer of these cells on top of each other.
    pub fn stacked<C: Into<Box<dyn Layer>>>(cells: impl IntoIterator<Item = C>) -> Self {
        Self::new(StackedRNNCells::new(cells))
    }

    fn with<T>(&self, f: impl FnOnce(Walker<'_>) -> T) -> T {
        f(Walker {
            class: "RNN",
            cell: &*self.cell,
            cell_name: &self.cell.name(),
            walk: self.walk,
        })
    }
}

impl Layer for RNN {
    builtin!(RNN);

    fn arity(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn recurrent(&self) -> Option<&dyn Recurrent> {
        Some(self)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        self.with(|walker| walker.build(cx, input))
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        self.with(|walker| walker.call(cx, x))
    }
}
