//! Attention with several heads.

use super::base::{Base, options};
use super::registry::fields;
use super::{Build, Call, InputShape, Layer};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Attention with several heads (Vaswani and others, 2017): for each head,
/// `softmax(q · kᵀ / √key_dim) · v` of projections of query, key and value, and a projection of all heads
/// together.
///
/// * Inputs: `query` `(batch, steps, features)`, `value` `(batch, others, features)` and, if it is not the
///   value, `key`; one input alone attends to itself. A fourth input, `(batch, steps, others)`, says where
///   each step may look.
/// * Output: `(batch, steps, features)`, with the query's mask; after it the scores
///   `(batch, heads, steps, others)` if they are asked for.
/// * Weights, in layers `query`, `key`, `value`, `attention_output`: `kernel` `(features, heads, size)` (the
///   last `(heads, size, features)`), `bias` `(heads, size)`.
/// * Steps that the masks of query, value or key leave out are not attended to.
///
/// ```
/// use cornu::prelude::*;
/// let x = Input::new([10, 16]).symbol();
/// let y = MultiHeadAttention::new(2, 8).use_causal_mask(true).on(&x);
/// let model = Model::new(&x, &x + &y)?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 10, 16)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiHeadAttention {
    #[serde(skip)]
    base: Base,
    #[serde(skip)]
    causal: bool,
    #[serde(skip)]
    scores: bool,
    num_heads: usize,
    key_dim: usize,
    #[serde(default)]
    value_dim: Option<usize>,
    #[serde(default)]
    dropout: f64,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default)]
    use_gate: bool,
    #[serde(default)]
    output_shape: Option<Vec<usize>>,
    #[serde(default = "steps")]
    attention_axes: Option<Vec<usize>>,
    #[serde(default)]
    sliding_window: Option<usize>,
    #[serde(default = "glorot_uniform")]
    kernel_initializer: Initializer,
    #[serde(default = "zeros")]
    bias_initializer: Initializer,
    #[serde(default)]
    kernel_regularizer: Option<Regularizer>,
    #[serde(default)]
    bias_regularizer: Option<Regularizer>,
    #[serde(default)]
    kernel_constraint: Option<Constraint>,
    #[serde(default)]
    bias_constraint: Option<Constraint>,
    #[serde(default)]
    seed: Option<u32>,
}

fn yes() -> bool {
    true
}

fn steps() -> Option<Vec<usize>> {
    Some(vec![1])
}

fn glorot_uniform() -> Initializer {
    "glorot_uniform".into()
}

fn zeros() -> Initializer {
    "zeros".into()
}

impl MultiHeadAttention {
    /// A layer of so many heads, whose queries and keys have the size `key_dim`.
    pub fn new(num_heads: usize, key_dim: usize) -> Self {
        Self {
            base: Base::default(),
            causal: false,
            scores: false,
            num_heads,
            key_dim,
            value_dim: Some(key_dim),
            dropout: 0.0,
            use_bias: true,
            use_gate: false,
            output_shape: None,
            attention_axes: steps(),
            sliding_window: None,
            kernel_initializer: glorot_uniform(),
            bias_initializer: zeros(),
            kernel_regularizer: None,
            bias_regularizer: None,
            kernel_constraint: None,
            bias_constraint: None,
            seed: None,
        }
    }

    /// The size of each head's values; `key_dim` by default.
    pub fn value_dim(mut self, size: usize) -> Self {
        self.value_dim = Some(size);
        self
    }

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

    /// The features of the output; the query's by default.
    pub fn output_features(mut self, features: usize) -> Self {
        self.output_shape = Some(vec![features]);
        self
    }

    /// How many steps to either side a step may look, itself included; all by default.
    pub fn sliding_window(mut self, steps: usize) -> Self {
        self.sliding_window = Some(steps);
        self
    }

    /// Whether a step may look only at itself and what comes before it (in Keras an argument of the
    /// call); not by default.
    pub fn use_causal_mask(mut self, causal: bool) -> Self {
        self.causal = causal;
        self
    }

    /// Whether the scores are a second output (in Keras an argument of the call); not by default.
    pub fn return_attention_scores(mut self, scores: bool) -> Self {
        self.scores = scores;
        self
    }

    /// How the kernels start; `"glorot_uniform"` by default.
    pub fn kernel_initializer(mut self, initializer: impl Into<Initializer>) -> Self {
        self.kernel_initializer = initializer.into();
        self
    }

    /// A penalty on the kernels.
    pub fn kernel_regularizer(mut self, regularizer: impl Into<Regularizer>) -> Self {
        self.kernel_regularizer = Some(regularizer.into());
        self
    }

    fn values(&self) -> usize {
        self.value_dim.unwrap_or(self.key_dim)
    }

    /// A projection of the last axis, or of the last two, with this layer's options.
    fn projection(&self, name: &str, from: &[usize], to: &[usize]) -> Projection {
        Projection {
            base: Base {
                name: Some(name.to_string()),
                dtype: self.base.dtype,
                ..Base::default()
            },
            from: from.to_vec(),
            to: to.to_vec(),
            of: self.clone(),
        }
    }

    /// The four projections for these features of query, key and value.
    fn projections(&self, q: usize, k: usize, v: usize) -> [(&'static str, Projection); 4] {
        let (n, size, values) = (self.num_heads, self.key_dim, self.values());
        let out = self.output_shape.clone().unwrap_or_else(|| vec![q]);
        [
            ("query_dense", self.projection("query", &[q], &[n, size])),
            ("key_dense", self.projection("key", &[k], &[n, size])),
            ("value_dense", self.projection("value", &[v], &[n, values])),
            (
                "output_dense",
                self.projection("attention_output", &[n, values], &out),
            ),
        ]
    }

    /// Where each step may look, `(batch or 1, steps, others)`.
    fn mask(&self, cx: &Call<'_>, steps: usize, others: usize) -> Option<Tensor> {
        let over = |mask: &Tensor, axis: isize| mask.expand_dims(axis);
        let mut masks: Vec<Tensor> = Vec::new();
        masks.extend(cx.mask(0).map(|m| over(m, -1)));
        masks.extend(cx.mask(1).map(|m| over(m, -2)));
        masks.extend(cx.mask(2).map(|m| over(m, -2)));
        if cx.inputs().len() == 1 {
            masks.extend(cx.mask(0).map(|m| over(m, -2)));
        }
        let at = |axis: usize| Tensor::iota([1, steps, others], axis, DType::I32);
        if self.causal {
            masks.push(at(1).ge(at(2)));
        }
        if let Some(window) = self.sliding_window {
            masks.push((at(1) - at(2)).abs().lt(window as f64));
        }
        masks.extend(cx.inputs().get(3).map(|m| m.ne(0.0)));
        masks.into_iter().reduce(|a, b| a.logical_and(&b))
    }
}

options!(MultiHeadAttention);

fn features(name: &str, shape: &InputShape) -> Result<usize> {
    match shape.0[..] {
        [_, _, Some(n)] => Ok(n),
        _ => Err(Error::shape(format!(
            "MultiHeadAttention expects a {name} of shape (batch, steps, features). Received: input shape {shape}."
        ))),
    }
}

impl Layer for MultiHeadAttention {
    fn class_name(&self) -> &str {
        "MultiHeadAttention"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = fields(self);
        map.insert("value_dim".into(), self.values().into());
        let penalty = self.base.activity_regularizer.as_ref();
        let penalty = penalty.map_or(Value::Null, Regularizer::to_config);
        map.insert("activity_regularizer".into(), penalty);
        map
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=4
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn build(&self, cx: &mut Build<'_>, query: &InputShape) -> Result<()> {
        for (name, n) in [
            ("num_heads", self.num_heads),
            ("key_dim", self.key_dim),
            ("value_dim", self.values()),
            ("sliding_window", self.sliding_window.unwrap_or(1)),
        ] {
            if n == 0 {
                return Err(Error::new(format!(
                    "{name} must be a positive integer. Received: {name}=0."
                )));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::new(format!(
                "dropout must be at least 0 and less than 1. Received: dropout={}.",
                self.dropout
            )));
        }
        let one_axis = self.output_shape.as_ref().is_none_or(|s| s.len() == 1);
        if self.use_gate || !one_axis || self.attention_axes.as_ref().is_some_and(|a| *a != [1]) {
            return Err(Error::new(
                "MultiHeadAttention attends over the steps of (batch, steps, features), to one axis of features, without a gate.",
            ));
        }
        let shapes = cx.inputs().to_vec();
        let value = shapes.get(1).unwrap_or(query);
        let key = shapes.get(2).unwrap_or(value);
        let [q, k, v] = [
            features("query", query)?,
            features("key", key)?,
            features("value", value)?,
        ];
        if let (Some(a), Some(b)) = (key.0[1], value.0[1])
            && a != b
        {
            return Err(Error::shape(format!(
                "Key and value must have the same steps. Received: {key} and {value}."
            )));
        }
        for (field, projection) in self.projections(q, k, v) {
            // Keras' paths name query, key, value; the result's features come last.
            let mut input = query.0[..2].to_vec();
            input.extend(projection.from.iter().map(|n| Some(*n)));
            cx.layer(field, &projection, &InputShape(input))?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, query: &Tensor) -> Tensor {
        let inputs = cx.inputs().to_vec();
        let value = inputs.get(1).unwrap_or(query);
        let key = inputs.get(2).unwrap_or(value);
        let last = |t: &Tensor| t.shape().last().copied().unwrap_or(0);
        let [q, k, v, out] = self.projections(last(query), last(key), last(value));
        let mask = self.mask(cx, query.shape()[1], value.shape()[1]);
        // (batch, heads, steps, size)
        let mut heads = |(field, projection): &(&str, Projection), x: &Tensor| {
            cx.layer(field, projection, x).transpose(&[0, 2, 1, 3])
        };
        let (q, k, v) = (heads(&q, query), heads(&k, key), heads(&v, value));
        let q = q * (1.0 / (self.key_dim as f64).sqrt());
        let mut scores = q.matmul(k.transpose(&[0, 1, 3, 2]));
        if let Some(mask) = mask {
            let far = if scores.dtype() == DType::F16 {
                -3e4
            } else {
                -1e9
            };
            scores = mask.expand_dims(1).select(&scores, far);
        }
        let scores = scores.softmax(-1);
        let mut kept = scores.clone();
        if self.dropout > 0.0 && cx.training() {
            let shape = scores.shape().clone();
            let draw = match self.seed {
                None => cx.random_uniform(shape),
                Some(seed) => cx.random_uniform_seeded(seed, shape),
            };
            kept = draw
                .ge(self.dropout)
                .select(&scores * (1.0 / (1.0 - self.dropout)), 0.0);
        }
        let attended = kept.matmul(&v).transpose(&[0, 2, 1, 3]);
        let y = cx.layer(out.0, &out.1, &attended);
        cx.set_mask(cx.mask(0).cloned());
        if self.scores {
            cx.output(scores);
        }
        y
    }
}

/// A product over the last axes and a bias: what Keras' `EinsumDense` is here.
#[derive(Debug)]
struct Projection {
    base: Base,
    from: Vec<usize>,
    to: Vec<usize>,
    of: MultiHeadAttention,
}

impl Layer for Projection {
    fn class_name(&self) -> &str {
        "EinsumDense"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        cx.weight("kernel", [&self.from[..], &self.to[..]].concat())
            .initializer(self.of.kernel_initializer.clone())
            .regularizer(self.of.kernel_regularizer.clone())
            .constraint(self.of.kernel_constraint.clone())
            .add()?;
        if self.of.use_bias {
            cx.weight("bias", self.to.clone())
                .initializer(self.of.bias_initializer.clone())
                .regularizer(self.of.bias_regularizer.clone())
                .constraint(self.of.bias_constraint.clone())
                .add()?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (from, to): (usize, usize) = (self.from.iter().product(), self.to.iter().product());
        let steps = x.shape()[..2].to_vec();
        let flat = x.reshape([&steps[..], &[from]].concat());
        let mut y = flat.matmul(cx.weight("kernel").reshape([from, to]));
        if self.of.use_bias {
            y = y + cx.weight("bias").reshape([to]);
        }
        y.reshape([&steps[..], &self.to[..]].concat())
    }
}
