//! Attention with several heads.

use super::base::{Base, options};
use super::heads::{
    Places, as_told, attended, attention_options, both, check, dropped, given, looks, projection,
    shares, told,
};
use super::registry::penalized;
use super::weight_options::{glorot_uniform, yes, zeros};
use super::{Build, Call, EinsumDense, InputShape, Layer, LayerOptions};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{Axes, Error, Result, Tensor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Attention with several heads (Vaswani and others, 2017): for each head,
/// `softmax(q · kᵀ / √key_dim) · v` of projections of query, key and value, and a projection of all heads
/// together.
///
/// * Inputs: `query` `(batch, steps, features)`, `value` `(batch, others, features)` and, if it is not the
///   value, `key`; one input alone attends to itself. A fourth input, `(batch, steps, others)`, is not 0
///   where a step may look. There may be several axes of steps: see
///   [`attention_axes`](MultiHeadAttention::attention_axes).
/// * Output: `(batch, steps, features)`, with the query's mask; after it the scores
///   `(batch, heads, steps, others)` if they are asked for.
/// * Weights, in layers `query`, `key`, `value`, `attention_output`: `kernel` `(features, heads, size)` (the
///   last `(heads, size, features)`), `bias` `(heads, size)`; with `use_gate` also `gate`.
/// * Steps that the masks of query, value or key leave out are not attended to. As in Keras, a step that
///   may look nowhere sees the mean of all values, or nothing if scores are returned or dropped.
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
    #[serde(default, skip_serializing, rename = "use_causal_mask")]
    causal: bool,
    #[serde(default, skip_serializing, rename = "return_attention_scores")]
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
    #[serde(default, deserialize_with = "one_or_all")]
    output_shape: Option<Vec<usize>>,
    #[serde(default)]
    attention_axes: Option<Axes>,
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

/// The extents of the output, of which one may stand alone.
fn one_or_all<'de, D: Deserializer<'de>>(
    extents: D,
) -> std::result::Result<Option<Vec<usize>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Extents {
        One(usize),
        All(Vec<usize>),
    }
    let extents = Option::<Extents>::deserialize(extents)?;
    Ok(extents.map(|extents| match extents {
        Extents::One(n) => vec![n],
        Extents::All(all) => all,
    }))
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
            attention_axes: None,
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

    /// The features of the output; the query's by default. Several extents give as many axes.
    pub fn output_features(mut self, features: impl Into<crate::Shape>) -> Self {
        self.output_shape = Some(features.into().to_vec());
        self
    }

    /// The axes of steps over which a step looks, of `(batch, steps…, features)`; all by default. Over
    /// the other ones it does not look beyond its own place. Masks need one axis of steps.
    pub fn attention_axes(mut self, axes: impl Into<Axes>) -> Self {
        self.attention_axes = Some(axes.into());
        self
    }

    fn values(&self) -> usize {
        self.value_dim.unwrap_or(self.key_dim)
    }

    /// The projection that a field holds, for a query of these axes.
    fn inside(&self, field: &str, query: &[usize]) -> EinsumDense {
        let (n, size, values) = (self.num_heads, self.key_dim, self.values());
        let features = query.last().copied().unwrap_or_default();
        let out = self.output_shape.clone().unwrap_or_else(|| vec![features]);
        let (name, from, to) = match field {
            "query_dense" => ("query", 1, vec![n, size]),
            "key_dense" => ("key", 1, vec![n, size]),
            "value_dense" => ("value", 1, vec![n, values]),
            "_gate_dense" => ("gate", 1, vec![n, values]),
            _ => ("attention_output", 2, out),
        };
        let mut layer = projection(query.len() - 1, from, &to, self.use_bias).name(name);
        as_told!(layer, self);
        layer.base_mut().dtype = self.base.dtype;
        if name == "gate" {
            layer = layer.activation("sigmoid");
        }
        layer
    }

    /// The axes looked over in tensors of so many axes.
    fn axes(&self, rank: usize) -> Result<Vec<usize>> {
        let Some(axes) = &self.attention_axes else {
            return Ok((1..rank - 1).collect());
        };
        let at = |a: &isize| if *a < 0 { a + rank as isize } else { *a };
        let axes: Vec<isize> = axes.as_slice().iter().map(at).collect();
        let inside = axes.iter().all(|a| (1..rank as isize - 1).contains(a));
        let ordered = axes.windows(2).all(|pair| pair[0] < pair[1]);
        if axes.is_empty() || !inside || !ordered {
            return Err(Error::shape(format!(
                "attention_axes must be axes of steps, in order. Received: {axes:?} for an input of \
                 {rank} axes."
            )));
        }
        Ok(axes.into_iter().map(|a| a as usize).collect())
    }

    /// Where each step may look, `(batch or 1, steps, others)`.
    fn mask(
        &self,
        cx: &Call<'_>,
        axes: &[usize],
        steps: usize,
        others: usize,
    ) -> Result<Option<Tensor>> {
        let places = Places {
            causal: self.causal,
            window: self.sliding_window,
        };
        let by_place = places.mask(steps, others);
        let mut mask = both(given(cx), by_place);
        if mask.is_some() && (axes.len() > 1 || (given(cx).is_some() && axes != [1])) {
            return Err(Error::state(
                "Masks of steps, use_causal_mask and sliding_window need one axis of steps, the first. \
                 Received: other attention_axes.",
            ));
        }
        if let Some(own) = cx.inputs().get(3) {
            mask = both(Some(looks(own, steps, others)?), mask);
        }
        Ok(mask)
    }

    /// Steps of heads, `(batch, other axes, heads, steps, size)`, of `(batch, …, heads, size)`.
    fn heads(x: &Tensor, axes: &[usize]) -> Tensor {
        let order = Self::order(x.rank(), axes);
        let x = x.transpose(&order);
        let kept = x.rank() - 1 - axes.len();
        let steps: usize = x.shape()[kept..x.rank() - 1].iter().product();
        let mut shape = x.shape()[..kept].to_vec();
        shape.extend([steps, x.shape()[x.rank() - 1]]);
        x.reshape(shape)
    }

    /// Axes in the order of [`Self::heads`].
    fn order(rank: usize, axes: &[usize]) -> Vec<usize> {
        let kept = (0..rank - 1).filter(|a| !axes.contains(a));
        kept.chain(axes.iter().copied()).chain([rank - 1]).collect()
    }
}

options!(MultiHeadAttention);
attention_options!(MultiHeadAttention);

impl Layer for MultiHeadAttention {
    fn class_name(&self) -> &str {
        "MultiHeadAttention"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = penalized(self);
        map.insert("value_dim".into(), self.values().into());
        if let Some(axes) = &self.attention_axes {
            map.insert("attention_axes".into(), axes.as_slice().into());
        }
        map
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
        let sizes = [
            ("num_heads", self.num_heads),
            ("key_dim", self.key_dim),
            ("value_dim", self.values()),
            ("sliding_window", self.sliding_window.unwrap_or(1)),
        ];
        check(&sizes, self.dropout)?;
        let shapes = cx.inputs().to_vec();
        let value = shapes.get(1).unwrap_or(query);
        let key = shapes.get(2).unwrap_or(value);
        let rank = query.rank();
        for (name, shape) in [("query", query), ("value", value), ("key", key)] {
            if rank < 3 || shape.rank() != rank || shape.features().is_err() {
                return Err(Error::shape(format!(
                    "MultiHeadAttention expects a query (batch, steps, features), and a value and a key \
                     of as many axes, whose features are known. Received: {name} {shape}."
                )));
            }
        }
        let axes = self.axes(rank)?;
        let agree = |a: &InputShape, b: &InputShape, axis: usize| {
            let (a, b) = (a.0[axis], b.0[axis]);
            a.is_none() || b.is_none() || a == b
        };
        let steps = 1..rank - 1;
        if !steps.clone().all(|axis| agree(key, value, axis)) {
            return Err(Error::shape(format!(
                "Key and value must have the same steps. Received: {key} and {value}."
            )));
        }
        if !steps
            .clone()
            .all(|axis| axes.contains(&axis) || agree(query, value, axis))
        {
            return Err(Error::shape(format!(
                "Query and value must be alike along the axes that are not looked over. Received: {query} \
                 and {value}."
            )));
        }
        if let Some(mask) = shapes.get(3).filter(|m| m.rank() != 1 + 2 * axes.len()) {
            return Err(Error::shape(format!(
                "The mask must be (batch, steps of the query, steps of the value). Received: {mask}."
            )));
        }
        let known = query.with(1);
        for (field, input) in [("query_dense", query), ("key_dense", key)] {
            cx.layer(field, &self.inside(field, &known), input)?;
        }
        if self.use_gate {
            cx.layer("_gate_dense", &self.inside("_gate_dense", &known), query)?;
        }
        cx.layer("value_dense", &self.inside("value_dense", &known), value)?;
        let mut attended = query.0[..rank - 1].to_vec();
        attended.extend([Some(self.num_heads), Some(self.values())]);
        let output = self.inside("output_dense", &known);
        cx.layer("output_dense", &output, &InputShape(attended))?;
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, query: &Tensor) -> Tensor {
        let inputs = cx.inputs().to_vec();
        let value = inputs.get(1).unwrap_or(query);
        let key = inputs.get(2).unwrap_or(value);
        let axes = match self.axes(query.rank()) {
            Ok(axes) => axes,
            Err(e) => return Tensor::error(e),
        };
        let mut project = |field: &str, x: &Tensor| {
            let layer = self.inside(field, query.shape());
            cx.layer(field, &layer, x)
        };
        let q = project("query_dense", query);
        let (k, v) = (project("key_dense", key), project("value_dense", value));
        let gate = self.use_gate.then(|| project("_gate_dense", query));
        if let Some(failed) = [&q, &k, &v].into_iter().find(|x| x.check().is_err()) {
            return failed.clone();
        }
        let (places, others) = (q.shape().clone(), k.shape().clone());
        let q = q * (1.0 / (self.key_dim as f64).sqrt());
        let count = |shape: &crate::Shape| axes.iter().map(|a| shape[*a]).product();
        let mask = match self.mask(cx, &axes, count(&places), count(&others)) {
            Ok(mask) => mask,
            Err(e) => return Tensor::error(e),
        };
        let nowhere = self.scores || self.dropout > 0.0 || query.rank() != 3;
        let drops = self.dropout > 0.0 && cx.training();
        let (mut attended, shares) = if places.rank() == 4 && !self.scores && !drops {
            (attended(&q, &k, &v, mask.as_ref(), nowhere), None)
        } else {
            let (q, k) = (Self::heads(&q, &axes), Self::heads(&k, &axes));
            let scores = q.matmul(k.t());
            let mask = mask.map(|m| (3..scores.rank()).fold(m, |m, _| m.expand_dims(1)));
            let shares = shares(&scores, mask.as_ref(), nowhere);
            let kept = dropped(cx, &shares, self.dropout, self.seed);
            let attended = kept.matmul(Self::heads(&v, &axes));
            // Back to (batch, steps, heads, size).
            let order = Self::order(places.rank(), &axes);
            let mut shape: Vec<usize> = order.iter().map(|a| places[*a]).collect();
            shape[places.rank() - 1] = self.values();
            let mut back = vec![0; order.len()];
            order.iter().enumerate().for_each(|(i, a)| back[*a] = i);
            (attended.reshape(shape).transpose(&back), Some(shares))
        };
        if let Some(gate) = gate {
            attended = attended * gate;
        }
        let y = cx.layer(
            "output_dense",
            &self.inside("output_dense", query.shape()),
            &attended,
        );
        cx.set_mask(cx.mask(0).cloned());
        if let (true, Some(shares)) = (self.scores, shares) {
            let order = Self::order(places.rank(), &axes);
            let looked = axes.iter().map(|a| others[*a]);
            let shape = order[..order.len() - 1].iter().map(|a| places[*a]);
            cx.output(shares.reshape(shape.chain(looked).collect::<crate::Shape>()));
        }
        y
    }
}
