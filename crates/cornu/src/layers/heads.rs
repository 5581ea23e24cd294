//! What layers that attend share: where steps may look, and what becomes of scores.

use super::base::positive;
use super::{Call, EinsumDense};
use crate::{DType, Error, Result, Tensor};
use cornu_core::ops::attention::attention;
use serde_json::{Map, Value};

/// Which steps a step may look at by its place alone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Places {
    /// Only those that do not come after it.
    pub causal: bool,
    /// Only those nearer than so many steps.
    pub window: Option<usize>,
}

impl Places {
    /// Where each of `steps` may look among `others`: `(1, steps, others)`; `None` for everywhere.
    pub fn mask(self, steps: usize, others: usize) -> Option<Tensor> {
        let at = |axis: usize| Tensor::iota([1, steps, others], axis, DType::I32);
        let before = self.causal.then(|| at(1).ge(at(2)));
        let near = self.window.map(|n| (at(1) - at(2)).abs().lt(n as f64));
        [before, near]
            .into_iter()
            .flatten()
            .reduce(|a, b| a.logical_and(&b))
    }
}

/// Where steps may look by the masks of query, value and key and by the fourth input,
/// `(batch or 1, steps or 1, others or 1)`.
pub(super) fn given(cx: &Call<'_>) -> Option<Tensor> {
    let column = |m: &Tensor| m.expand_dims(-1);
    let row = |m: &Tensor| m.expand_dims(-2);
    let of_value = if cx.inputs().len() == 1 { 0 } else { 1 };
    let masks = [
        cx.mask(0).map(column),
        cx.mask(of_value).map(row),
        cx.mask(2).map(row),
    ];
    masks.into_iter().flatten().reduce(|a, b| a.logical_and(&b))
}

/// Where each step may look, as the fourth input tells it: `(batch, steps, others)`.
pub(super) fn looks(mask: &Tensor, steps: usize, others: usize) -> Result<Tensor> {
    mask.check()?;
    let batch = mask.shape().first().copied().unwrap_or(1);
    if mask.rank() < 3 || mask.size() != batch * steps * others {
        return Err(Error::shape(format!(
            "The attention mask says for each of {steps} steps where among {others} it may look: (batch, {steps}, {others}). Received: shape {}.",
            mask.shape()
        )));
    }
    Ok(mask.ne(0.0).reshape([batch, steps, others]))
}

/// Both masks where there are two.
pub(super) fn both(a: Option<Tensor>, b: Option<Tensor>) -> Option<Tensor> {
    [a, b]
        .into_iter()
        .flatten()
        .reduce(|a, b| a.logical_and(&b))
}

/// The shares of scores `(…, steps, others)` that a mask lets through, whose last axes broadcast. A step
/// that may look nowhere looks everywhere alike, or, with `nowhere`, at nothing.
pub(super) fn shares(scores: &Tensor, mask: Option<&Tensor>, nowhere: bool) -> Tensor {
    let Some(mask) = mask else {
        return scores.softmax(-1);
    };
    let far = if scores.dtype() == DType::F16 {
        -3e4
    } else {
        -1e9
    };
    let shares = mask.select(scores, far).softmax(-1);
    if nowhere {
        return mask.select(shares, 0.0);
    }
    shares
}

/// What queries `(batch, steps, heads, size)` see of values by their keys, all of as many heads, with a
/// mask as [`given`] makes it; `nowhere` as in [`shares`].
pub(super) fn attended(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    mask: Option<&Tensor>,
    nowhere: bool,
) -> Tensor {
    let whole = |m: &Tensor| m.broadcast_to([m.shape()[0], m.shape()[1], k.shape()[1]]);
    attention(q, k, v, mask.map(whole).as_ref(), nowhere)
}

/// Scores of which a share `rate` is dropped in training, the rest scaled up.
pub(super) fn dropped(cx: &mut Call<'_>, scores: &Tensor, rate: f64, seed: Option<u32>) -> Tensor {
    if rate == 0.0 || !cx.training() {
        return scores.clone();
    }
    let shape = scores.shape().clone();
    let draw = match seed {
        None => cx.random_uniform(shape),
        Some(seed) => cx.random_uniform_seeded(seed, shape),
    };
    draw.ge(rate).select(scores * (1.0 / (1.0 - rate)), 0.0)
}

/// Refuses sizes of 0 and rates that drop everything.
pub(super) fn check(sizes: &[(&str, usize)], dropout: f64) -> Result<()> {
    sizes.iter().try_for_each(|(name, n)| positive(name, *n))?;
    if !(0.0..1.0).contains(&dropout) {
        return Err(Error::new(format!(
            "dropout must be at least 0 and less than 1. Received: dropout={dropout}."
        )));
    }
    Ok(())
}

/// A product over the last `from` of some axes, the first `free` of which stay, giving axes `to`; with a
/// bias along all of these if there is one.
pub(super) fn projection(free: usize, from: usize, to: &[usize], use_bias: bool) -> EinsumDense {
    let letters: Vec<char> = ('a'..='z').take(free + from + to.len()).collect();
    let text = |part: &[char]| part.iter().collect::<String>();
    let (kept, new) = (text(&letters[..free]), text(&letters[free + from..]));
    let equation = format!(
        "{},{}->{kept}{new}",
        text(&letters[..free + from]),
        text(&letters[free..])
    );
    let mut output = vec![None; free.saturating_sub(1)];
    output.extend(to.iter().map(|n| Some(*n)));
    let layer = EinsumDense::new(equation, output);
    if use_bias {
        layer.bias_axes(new)
    } else {
        layer
    }
}

/// What Keras is told in the call of attention.
pub(super) fn told(causal: bool, scores: bool) -> Map<String, Value> {
    let all = [
        ("use_causal_mask", causal),
        ("return_attention_scores", scores),
    ];
    let said = all.into_iter().filter(|(_, said)| *said);
    said.map(|(name, said)| (name.to_string(), said.into()))
        .collect()
}

/// The projection with the options of the layer that holds it.
macro_rules! as_told {
    ($inside:ident, $layer:ident) => {
        $inside.kernel_initializer = $layer.kernel_initializer.clone();
        $inside.bias_initializer = $layer.bias_initializer.clone();
        $inside.kernel_regularizer = $layer.kernel_regularizer.clone();
        $inside.bias_regularizer = $layer.bias_regularizer.clone();
        $inside.kernel_constraint = $layer.kernel_constraint.clone();
        $inside.bias_constraint = $layer.bias_constraint.clone();
    };
}

/// The builder methods that layers of several heads have alike.
macro_rules! attention_options {
    ($layer:ident) => {
        $crate::layers::weight_options::kernel_options!($layer);

        impl $layer {
            /// The share of scores that are dropped in training; 0 by default.
            pub fn dropout(mut self, rate: f64) -> Self {
                self.dropout = rate;
                self
            }

            /// Whether the projections have a bias; they do by default.
            pub fn use_bias(mut self, use_bias: bool) -> Self {
                self.use_bias = use_bias;
                self
            }

            /// Whether a sigmoid of a further projection of the query multiplies what is attended to,
            /// before the output projection (Qiu and others, 2025); not by default.
            pub fn use_gate(mut self, gate: bool) -> Self {
                self.use_gate = gate;
                self
            }

            $crate::layers::base::seed_option!();

            /// How many steps to either side a step may look, itself included; all by default.
            pub fn sliding_window(mut self, steps: usize) -> Self {
                self.sliding_window = Some(steps);
                self
            }

            /// Whether a step may look only at itself and what comes before it (in Keras an argument
            /// of the call); not by default.
            pub fn use_causal_mask(mut self, causal: bool) -> Self {
                self.causal = causal;
                self
            }

            /// Whether the scores are a second output (in Keras an argument of the call); not by
            /// default.
            pub fn return_attention_scores(mut self, scores: bool) -> Self {
                self.scores = scores;
                self
            }
        }
    };
}

pub(super) use {as_told, attention_options};
