//! Attention whose heads share keys and values in groups.

use super::base::{Base, options};
use super::heads::{
    Places, as_told, attention_options, both, check, dropped, given, projection, shares, told,
};
use super::registry::penalized;
use super::weight_options::{glorot_uniform, yes, zeros};
use super::{Build, Call, EinsumDense, InputShape, Layer, LayerOptions};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// [`MultiHeadAttention`](super::MultiHeadAttention) in which groups of query heads look at the same keys
/// and values (Ainslie and others, 2023). Keras' `GroupQueryAttention`.
///
/// * Inputs: `query` `(batch, steps, features)`, `value` `(batch, others, features)` and, if it is not the
///   value, `key`; one input alone attends to itself. A fourth input, `(batch, steps, others)`, is not 0
///   where a step may look.
/// * Output: `(batch, steps, features)`, with the query's mask; after it the scores
///   `(batch, query heads, steps, others)` if they are asked for.
/// * Weights, in layers `query`, `key`, `value`, `attention_output`: `kernel`
///   `(features, heads, head_dim)` (the last `(query heads, head_dim, features)`), `bias`; with `use_gate`
///   also `gate`.
/// * Masks as in `MultiHeadAttention`.
///
/// ```
/// use cornu::prelude::*;
/// let x = Input::new([10, 16]).symbol();
/// let y = GroupedQueryAttention::new(4, 6, 2).on(&x);
/// // Six heads of queries, two of keys and values.
/// let biases = 6 * 4 + 2 * 2 * 4 + 16;
/// let kernels = 16 * 6 * 4 + 2 * 16 * 2 * 4 + 6 * 4 * 16;
/// assert_eq!(Model::new(&x, &y)?.count_params()?, kernels + biases);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupedQueryAttention {
    #[serde(skip)]
    base: Base,
    #[serde(default, skip_serializing, rename = "use_causal_mask")]
    causal: bool,
    #[serde(default, skip_serializing, rename = "return_attention_scores")]
    scores: bool,
    head_dim: usize,
    num_query_heads: usize,
    num_key_value_heads: usize,
    #[serde(default)]
    dropout: f64,
    #[serde(default = "yes")]
    use_bias: bool,
    #[serde(default)]
    use_gate: bool,
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

impl GroupedQueryAttention {
    /// A layer of heads of `head_dim`, so many of queries, which share so many of keys and values.
    pub fn new(head_dim: usize, num_query_heads: usize, num_key_value_heads: usize) -> Self {
        Self {
            base: Base::default(),
            causal: false,
            scores: false,
            head_dim,
            num_query_heads,
            num_key_value_heads,
            dropout: 0.0,
            use_bias: true,
            use_gate: false,
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

    /// The projection that a field holds, for so many features of the query.
    fn inside(&self, field: &str, features: usize) -> EinsumDense {
        let (n, few, size) = (
            self.num_query_heads,
            self.num_key_value_heads,
            self.head_dim,
        );
        let (name, from, to) = match field {
            "_query_dense" => ("query", 1, vec![n, size]),
            "_key_dense" => ("key", 1, vec![few, size]),
            "_value_dense" => ("value", 1, vec![few, size]),
            "_gate_dense" => ("gate", 1, vec![n, size]),
            _ => ("attention_output", 2, vec![features]),
        };
        let mut layer = projection(2, from, &to, self.use_bias).name(name);
        as_told!(layer, self);
        layer.base_mut().dtype = self.base.dtype;
        if name == "gate" {
            layer = layer.activation("sigmoid");
        }
        layer
    }
}

options!(GroupedQueryAttention);
attention_options!(GroupedQueryAttention);

impl Layer for GroupedQueryAttention {
    fn class_name(&self) -> &str {
        "GroupedQueryAttention"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        penalized(self)
    }

    fn call_arguments(&self) -> Map<String, Value> {
        told(self.causal, self.scores)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=4
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn build(&self, cx: &mut Build<'_>, query: &InputShape) -> Result<()> {
        let (n, few) = (self.num_query_heads, self.num_key_value_heads);
        let sizes = [
            ("head_dim", self.head_dim),
            ("num_query_heads", n),
            ("num_key_value_heads", few),
            ("sliding_window", self.sliding_window.unwrap_or(1)),
        ];
        check(&sizes, self.dropout)?;
        if n % few != 0 {
            return Err(Error::new(format!(
                "num_query_heads must be a multiple of num_key_value_heads. Received: \
                 num_query_heads={n}, num_key_value_heads={few}."
            )));
        }
        let shapes = cx.inputs().to_vec();
        let value = shapes.get(1).unwrap_or(query);
        let key = shapes.get(2).unwrap_or(value);
        for (name, shape) in [("query", query), ("value", value), ("key", key)] {
            if shape.rank() != 3 || shape.features().is_err() {
                return Err(Error::shape(format!(
                    "GroupedQueryAttention expects query, value and key of shape (batch, steps, \
                     features), whose features are known. Received: {name} {shape}."
                )));
            }
        }
        if key.0[1].zip(value.0[1]).is_some_and(|(a, b)| a != b) {
            return Err(Error::shape(format!(
                "Key and value must have the same steps. Received: {key} and {value}."
            )));
        }
        let features = query.features()?;
        for (field, input) in [("_query_dense", query), ("_key_dense", key)] {
            cx.layer(field, &self.inside(field, features), input)?;
        }
        if self.use_gate {
            cx.layer("_gate_dense", &self.inside("_gate_dense", features), query)?;
        }
        cx.layer(
            "_value_dense",
            &self.inside("_value_dense", features),
            value,
        )?;
        let attended = vec![query.0[0], query.0[1], Some(n), Some(self.head_dim)];
        let output = self.inside("_output_dense", features);
        cx.layer("_output_dense", &output, &InputShape(attended))?;
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, query: &Tensor) -> Tensor {
        let inputs = cx.inputs().to_vec();
        let value = inputs.get(1).unwrap_or(query);
        let key = inputs.get(2).unwrap_or(value);
        let [batch, steps, features] = query.shape()[..] else {
            return query.clone();
        };
        let others = value.shape()[1];
        let (n, few, size) = (
            self.num_query_heads,
            self.num_key_value_heads,
            self.head_dim,
        );
        let mut project = |field: &str, x: &Tensor| {
            let layer = self.inside(field, features);
            // (batch, heads, steps, size)
            cx.layer(field, &layer, x).transpose(&[0, 2, 1, 3])
        };
        let (q, k) = (project("_query_dense", query), project("_key_dense", key));
        let v = project("_value_dense", value);
        let gate = self.use_gate.then(|| project("_gate_dense", query));
        // The queries of a group, one under the other, so that nothing is repeated.
        let q = q * (1.0 / (size as f64).sqrt());
        let scores = q.reshape([batch, few, n / few * steps, size]).matmul(k.t());
        let scores = scores.reshape([batch, n, steps, others]);
        let places = Places {
            causal: self.causal,
            window: self.sliding_window,
        };
        let mut mask = both(given(cx), places.mask(steps, others));
        if let Some(own) = inputs.get(3) {
            mask = both(Some(own.ne(0.0)), mask);
        }
        let mask = mask.map(|m| m.expand_dims(1));
        let nowhere = self.scores || self.dropout > 0.0;
        let scores = shares(&scores, mask.as_ref(), nowhere);
        let kept = dropped(cx, &scores, self.dropout, self.seed);
        let attended = kept
            .reshape([batch, few, n / few * steps, others])
            .matmul(&v);
        let mut attended = attended.reshape([batch, n, steps, size]);
        if let Some(gate) = gate {
            attended = attended * gate;
        }
        let output = self.inside("_output_dense", features);
        let y = cx.layer("_output_dense", &output, &attended.transpose(&[0, 2, 1, 3]));
        cx.set_mask(cx.mask(0).cloned());
        if self.scores {
            cx.output(scores);
        }
        y
    }
}
