//! A recurrent layer in both directions.

use super::base::{Base, options};
use super::registry::fields;
use super::{Build, Call, InputShape, Layer, Outputs, Walk, Wrapper, to_config};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// How the outputs of both directions are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Merge {
    Concat,
    Sum,
    Mul,
    Ave,
}

impl Merge {
    fn of(self, a: &Tensor, b: &Tensor) -> Tensor {
        match self {
            Merge::Concat => Tensor::concat(&[a.clone(), b.clone()], -1),
            Merge::Sum => a + b,
            Merge::Mul => a * b,
            Merge::Ave => (a + b) * 0.5,
        }
    }
}

/// A recurrent layer and another one that walks from the end: [`LSTM`](super::LSTM),
/// [`GRU`](super::GRU), [`SimpleRNN`](super::SimpleRNN), [`RNN`](super::RNN), ConvLSTM, or any layer that
/// says it is [`recurrent`](Layer::recurrent).
///
/// * Inputs: a sequence `(batch, steps, features)` and, if given, the initial states of the forward and
///   then of the backward layer. Output: both layers' outputs, merged along the last axis (`"concat"`, the
///   default) or element by element (`"sum"`, `"mul"`, `"ave"`), or unmerged, as two outputs. With
///   `return_sequences` those of the same step meet. With `return_state` the states of both follow.
/// * Weights: those of the layers `forward_…` and `backward_…`, which share none.
/// * The mask goes to both; with `return_sequences` the output of a masked step is zero.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Bidirectional::new(LSTM::new(8).return_sequences(true)).input_shape([5, 3]));
/// model.add(Bidirectional::new(GRU::new(4)).merge_mode("sum"));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 4)");
/// let names = model.weights();
/// assert_eq!(names[0].variable.name(), "bidirectional/forward_lstm/lstm_cell/kernel");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bidirectional {
    #[serde(skip)]
    base: Base,
    layer: Wrapper,
    #[serde(default = "concat")]
    merge_mode: Option<Merge>,
    #[serde(default)]
    backward_layer: Option<Wrapper>,
}

options!(Bidirectional);

fn concat() -> Option<Merge> {
    Some(Merge::Concat)
}

/// A layer's name with a direction before it, once.
fn directed(direction: &str, layer: &Wrapper) -> String {
    let name = layer.name();
    format!(
        "{direction}_{}",
        name.strip_prefix(&format!("{direction}_")).unwrap_or(&name)
    )
}

/// Both layers, ready to be built and called.
struct Pair {
    forward: Box<dyn Layer>,
    forward_name: String,
    backward: Box<dyn Layer>,
    backward_name: String,
    walk: Walk,
}

impl Bidirectional {
    /// A layer and its mirror image, with weights of its own.
    pub fn new(layer: impl Into<Box<dyn Layer>>) -> Self {
        Self {
            base: Base::default(),
            layer: Wrapper::new(layer),
            merge_mode: concat(),
            backward_layer: None,
        }
    }

    /// How outputs are merged: `"concat"` (the default), `"sum"`, `"mul"` or `"ave"`.
    pub fn merge_mode(mut self, mode: &str) -> Self {
        self.merge_mode = match mode {
            "concat" => Some(Merge::Concat),
            "sum" => Some(Merge::Sum),
            "mul" => Some(Merge::Mul),
            "ave" => Some(Merge::Ave),
            other => {
                let known = ["concat", "sum", "mul", "ave"];
                self.base.error = Some(Error::unknown("merge_mode", other, &known));
                None
            }
        };
        self
    }

    /// Both outputs, one after the other, rather than one: Keras' `merge_mode=None`.
    pub fn unmerged(mut self) -> Self {
        self.merge_mode = None;
        self
    }

    /// Another layer for the way back, which walks from the end (`go_backwards`).
    pub fn backward_layer(mut self, layer: impl Into<Box<dyn Layer>>) -> Self {
        self.backward_layer = Some(Wrapper::new(layer));
        self
    }

    fn pair(&self) -> Result<Pair> {
        let no_walk = |layer: &Wrapper| {
            Error::new(format!(
                "Bidirectional expects a recurrent layer. Received: {}.",
                layer.class_name()
            ))
        };
        let forward = self.layer.recurrent().ok_or_else(|| no_walk(&self.layer))?;
        let back = self.backward_layer.as_ref().unwrap_or(&self.layer);
        let backward = back.recurrent().ok_or_else(|| no_walk(back))?;
        let ahead = forward.walk();
        let behind = match &self.backward_layer {
            Some(_) => backward.walk(),
            None => Walk {
                go_backwards: true,
                ..ahead
            },
        };
        if ahead.go_backwards == behind.go_backwards {
            return Err(Error::new(format!(
                "The layers of Bidirectional must walk in opposite directions. Received: go_backwards={} of both.",
                ahead.go_backwards
            )));
        }
        for (name, a, b) in [
            ("stateful", ahead.stateful, behind.stateful),
            (
                "return_sequences",
                ahead.return_sequences,
                behind.return_sequences,
            ),
            ("return_state", ahead.return_state, behind.return_state),
        ] {
            if a != b {
                return Err(Error::new(format!(
                    "The layers of Bidirectional must have the same {name}. Received: {a} forward and {b} backward."
                )));
            }
        }
        let zeros = |walk: Walk| Walk {
            zero_output_for_mask: walk.return_sequences,
            ..walk
        };
        Ok(Pair {
            forward: forward.walking(zeros(ahead)),
            forward_name: directed("forward", &self.layer),
            backward: backward.walking(zeros(behind)),
            backward_name: match &self.backward_layer {
                Some(own) => own.name(),
                None => directed("backward", &self.layer),
            },
            walk: ahead,
        })
    }
}

impl Layer for Bidirectional {
    fn class_name(&self) -> &str {
        "Bidirectional"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = fields(self);
        // As they are inside, which is how Keras writes them.
        if let Ok(pair) = self.pair() {
            let layers = [
                ("layer", &pair.forward, &pair.forward_name),
                ("backward_layer", &pair.backward, &pair.backward_name),
            ];
            map.extend(layers.map(|(key, l, name)| (key.to_string(), to_config(&**l, name))));
        }
        map
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let pair = self.pair()?;
        let states = cx.inputs()[1..].to_vec();
        if !states.len().is_multiple_of(2) {
            return Err(Error::shape(format!(
                "Bidirectional expects as many initial states forward as backward. Received: {}.",
                states.len()
            )));
        }
        let (ahead, behind) = states.split_at(states.len() / 2);
        let with = |states: &[InputShape]| [std::slice::from_ref(input), states].concat();
        cx.layer_named(
            "forward_layer",
            &pair.forward_name,
            &*pair.forward,
            &with(ahead),
        )?;
        cx.layer_named(
            "backward_layer",
            &pair.backward_name,
            &*pair.backward,
            &with(behind),
        )?;
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let pair = match self.pair() {
            Ok(pair) => pair,
            Err(e) => return Tensor::error(e),
        };
        let mask = cx.mask(0).cloned();
        let states = cx.inputs()[1..].to_vec();
        let (ahead, behind) = states.split_at(states.len() / 2);
        let mut run = |field: &str, layer: &dyn Layer, states: &[Tensor]| {
            let inputs = [std::slice::from_ref(x), states].concat();
            let mut masks = vec![None; inputs.len()];
            masks[0] = mask.clone();
            let Outputs { mut tensors, .. } = cx.layer_of(field, layer, &inputs, &masks);
            let states = tensors.split_off(1);
            (tensors.swap_remove(0), states)
        };
        let (y, states) = run("forward_layer", &*pair.forward, ahead);
        let (mut back, more) = run("backward_layer", &*pair.backward, behind);
        if pair.walk.return_sequences {
            back = back.flip(1);
        }
        let mask = mask.filter(|_| pair.walk.return_sequences);
        let y = match self.merge_mode {
            Some(merge) => {
                cx.set_mask(mask);
                merge.of(&y, &back)
            }
            None => {
                cx.set_masks(vec![mask.clone(), mask]);
                cx.output(back);
                y
            }
        };
        states.into_iter().chain(more).for_each(|s| cx.output(s));
        y
    }
}
