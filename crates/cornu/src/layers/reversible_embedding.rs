//! A table of vectors that also leads back from vectors to numbers.

use super::base::{Base, options, positive};
use super::registry::penalized;
use super::weight_options::{table_options, uniform, yes};
use super::{Build, Call, InputShape, Layer};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An [`Embedding`](super::Embedding) that can also be called in reverse, from vectors to a score for
/// each row of the table, as language models do (Press and Wolf, 2016).
///
/// * Input: integers of any shape, output: the same shape with an axis of `output_dim` behind; in
///   reverse (see [`reversed`](ReversibleEmbedding::reversed)) from `(…, output_dim)` to
///   `(…, input_dim)`, by the transposed table.
/// * Weights: `embeddings` `(input_dim, output_dim)`; without `tie_weights` also `reverse_embeddings`
///   `(output_dim, input_dim)`.
/// * Defaults: `tie_weights`, no `mask_zero`, no `logit_soft_cap`.
///
/// ```
/// use cornu::layers::{Build, Call, InputShape, Layer};
/// use cornu::prelude::*;
///
/// /// Numbers, through their vectors, back to scores.
/// #[derive(Debug)]
/// struct Language {
///     words: ReversibleEmbedding,
/// }
///
/// impl Layer for Language {
///     fn class_name(&self) -> &str {
///         "Language"
///     }
///     fn build(&self, cx: &mut Build, input: &InputShape) -> cornu::Result<()> {
///         cx.layer("words", &self.words, input).map(|_| ())
///     }
///     fn call(&self, cx: &mut Call, ids: &Tensor) -> Tensor {
///         let vectors = cx.layer("words", &self.words, ids);
///         cx.layer("words", &self.words.reversed(), &vectors)
///     }
/// }
///
/// let words = ReversibleEmbedding::new(50, 8);
/// let mut model = Sequential::from_layers(vec![Input::new([7]).into(), Language { words }.into()]);
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 7, 50)");
/// assert_eq!(model.count_params()?, 50 * 8);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReversibleEmbedding {
    #[serde(skip)]
    base: Base,
    #[serde(skip)]
    reverse: bool,
    input_dim: usize,
    output_dim: usize,
    #[serde(default = "uniform")]
    embeddings_initializer: Initializer,
    #[serde(default)]
    embeddings_regularizer: Option<Regularizer>,
    #[serde(default)]
    embeddings_constraint: Option<Constraint>,
    #[serde(default)]
    mask_zero: bool,
    #[serde(default = "yes")]
    tie_weights: bool,
    #[serde(default)]
    reverse_dtype: Option<String>,
    #[serde(default)]
    logit_soft_cap: Option<f64>,
}

impl ReversibleEmbedding {
    /// A table of `input_dim` vectors of `output_dim` numbers.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        Self {
            base: Base::default(),
            reverse: false,
            input_dim,
            output_dim,
            embeddings_initializer: uniform(),
            embeddings_regularizer: None,
            embeddings_constraint: None,
            mask_zero: false,
            tie_weights: true,
            reverse_dtype: None,
            logit_soft_cap: None,
        }
    }

    /// The layer as it is called in reverse (in Keras an argument of the call).
    pub fn reversed(&self) -> Self {
        Self {
            reverse: true,
            ..self.clone()
        }
    }

    /// Whether the way back is by the transposed table rather than by weights of its own; it is by
    /// default.
    pub fn tie_weights(mut self, tie: bool) -> Self {
        self.tie_weights = tie;
        self
    }

    /// The type in which the way back is computed; the layer's by default.
    pub fn reverse_dtype(mut self, name: impl Into<String>) -> Self {
        self.reverse_dtype = Some(name.into());
        self
    }

    /// Keeps scores between −`cap` and `cap`: `cap · tanh(scores / cap)`; not by default.
    pub fn logit_soft_cap(mut self, cap: f64) -> Self {
        self.logit_soft_cap = Some(cap);
        self
    }

    /// The scores of vectors.
    fn scores(&self, cx: &Call<'_>, x: &Tensor) -> Tensor {
        let dtype = match self.reverse_dtype.as_deref().map(DType::from_name) {
            Some(Ok(dtype)) => dtype,
            Some(Err(e)) => return Tensor::error(e),
            None => cx.dtype(),
        };
        let kernel = if self.tie_weights {
            cx.weight("embeddings").t()
        } else {
            cx.weight("reverse_embeddings")
        };
        let scores = x.cast(dtype).matmul(kernel.cast(dtype));
        match self.logit_soft_cap {
            Some(cap) => (scores / cap).tanh() * cap,
            None => scores,
        }
    }
}

options!(ReversibleEmbedding);
table_options!(ReversibleEmbedding);

impl Layer for ReversibleEmbedding {
    fn class_name(&self) -> &str {
        "ReversibleEmbedding"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        penalized(self)
    }

    fn input_dtype(&self) -> Option<DType> {
        Some(DType::I32)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        positive("input_dim", self.input_dim)?;
        positive("output_dim", self.output_dim)?;
        if self
            .logit_soft_cap
            .is_some_and(|cap| cap <= 0.0 || cap.is_nan())
        {
            return Err(Error::new(format!(
                "logit_soft_cap must be above 0. Received: logit_soft_cap={}.",
                self.logit_soft_cap.unwrap_or_default()
            )));
        }
        if let Some(name) = &self.reverse_dtype {
            DType::from_name(name)?;
        }
        if self.reverse && input.features()? != self.output_dim {
            return Err(Error::shape(format!(
                "In reverse, ReversibleEmbedding expects vectors of {} numbers. Received: input shape \
                 {input}.",
                self.output_dim
            )));
        }
        cx.weight("embeddings", [self.input_dim, self.output_dim])
            .initializer(self.embeddings_initializer.clone())
            .regularizer(self.embeddings_regularizer.clone())
            .constraint(self.embeddings_constraint.clone())
            .add()?;
        if !self.tie_weights {
            cx.weight("reverse_embeddings", [self.output_dim, self.input_dim])
                .initializer(self.embeddings_initializer.clone())
                .add()?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if self.reverse {
            cx.set_mask(cx.mask(0).cloned());
            return self.scores(cx, x);
        }
        let ids = match x.dtype() {
            DType::I32 | DType::I64 => x.clone(),
            _ => x.cast(DType::I32),
        };
        cx.set_mask(self.mask_zero.then(|| ids.ne(0)));
        cx.weight("embeddings").take(ids, 0)
    }
}
