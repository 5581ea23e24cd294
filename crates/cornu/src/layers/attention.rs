//! Attention without projections: by products, and by sums.

use super::base::{Base, builtin, options, seed_option};
use super::heads::{Places, both, dropped, told};
use super::{Build, Call, InputShape, Layer};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// How a score is made of a query and a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMode {
    /// Their product, the default.
    #[default]
    Dot,
    /// A weight times the sum of tanh(query + key).
    Concat,
}

macro_rules! attention {
    ($(#[$doc:meta])* $layer:ident, $scale:ident, $default:literal, $scale_doc:literal, { $($(#[$more:meta])* $field:ident: $ty:ty),* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
            #[serde(default, skip_serializing, rename = "use_causal_mask")]
            causal: bool,
            #[serde(default, skip_serializing, rename = "return_attention_scores")]
            scores: bool,
            #[serde(default = $default)]
            use_scale: bool,
            $($(#[$more])* $field: $ty,)*
            #[serde(default)]
            dropout: f64,
            #[serde(default)]
            seed: Option<u32>,
        }

        impl Default for $layer {
            fn default() -> Self {
                Self {
                    base: Base::default(),
                    causal: false,
                    scores: false,
                    use_scale: $scale(),
                    $($field: <$ty>::default(),)*
                    dropout: 0.0,
                    seed: None,
                }
            }
        }

        impl $layer {
            /// The layer.
            pub fn new() -> Self {
                Self::default()
            }

            #[doc = $scale_doc]
            pub fn use_scale(mut self, scale: bool) -> Self {
                self.use_scale = scale;
                self
            }

            /// The share of scores that are dropped in training; 0 by default.
            pub fn dropout(mut self, rate: f64) -> Self {
                self.dropout = rate;
                self
            }

            seed_option!();

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

            /// The mean of values, by the shares that scores give, of what may be seen.
            fn attend(&self, cx: &mut Call<'_>, scores: &Tensor, value: &Tensor) -> Tensor {
                let steps = scores.shape().len();
                let (steps, others) = (scores.shape()[steps - 2], scores.shape()[steps - 1]);
                let places = Places { causal: self.causal, window: None };
                let by_place = places.mask(steps, others);
                let by_value = cx.mask(1).map(|m| m.expand_dims(-2));
                let mut scores = scores.clone();
                if let Some(mask) = both(by_value, by_place) {
                    // What must not be seen is put far below; a step that may look nowhere then looks
                    // everywhere. In half precision the bottom is where numbers end.
                    let far = match scores.dtype() {
                        DType::F16 => (&scores - 65504.0).maximum(-65504.0),
                        _ => &scores - 1e9,
                    };
                    scores = mask.select(scores, far);
                }
                let shares = scores.softmax(-1);
                let kept = dropped(cx, &shares, self.dropout, self.seed);
                let mut y = kept.matmul(value);
                if let Some(mask) = cx.mask(0) {
                    y = mask.expand_dims(-1).select(y, 0.0);
                }
                cx.set_mask(cx.mask(0).cloned());
                if self.scores {
                    cx.output(kept);
                }
                y
            }
        }

        options!($layer);
    };
}

fn unscaled() -> bool {
    false
}

fn scaled() -> bool {
    true
}

attention! {
    /// Attention by products (Luong and others, 2015): `softmax(query · keyᵀ) · value`.
    ///
    /// * Inputs: `query` `(batch, steps, features)`, `value` `(batch, others, size)` and, if it is
    ///   not the value, `key` `(batch, others, features)`.
    /// * Output: `(batch, steps, size)`, with the query's mask, and 0 where that leaves a step out;
    ///   after it the scores `(batch, steps, others)` if they are asked for.
    /// * Weights: `scale`, one number, with `use_scale`; `concat_score_weight`, one number, with
    ///   the score mode `Concat`.
    /// * Steps that the value's mask leaves out are not attended to.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let (query, value) = (Input::new([5, 8]).symbol(), Input::new([7, 8]).symbol());
    /// let y = Attention::new().on([&query, &value]);
    /// assert_eq!(y.shape().to_string(), "(None, 5, 8)");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    Attention, unscaled, "unscaled", "Whether scores are multiplied by a weight; not by default.",
    { #[serde(default)] score_mode: ScoreMode }
}

attention! {
    /// Attention by sums (Bahdanau, Cho and Bengio, 2014): the score of a query and a key is
    /// `Σ scale · tanh(query + key)`.
    ///
    /// * Inputs and output as [`Attention`]'s.
    /// * Weights: `scale` `(features,)`, with `use_scale`.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let (query, value) = (Input::new([5, 8]).symbol(), Input::new([7, 8]).symbol());
    /// let y = AdditiveAttention::new().on([&query, &value]);
    /// assert_eq!(Model::new([&query, &value], &y)?.count_params()?, 8);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    AdditiveAttention, scaled, "scaled", "Whether each feature has a weight in the sum; it has by default.", {}
}

/// Refuses inputs that do not go together; gives the features of query and key.
fn check(class: &str, inputs: &[InputShape], dropout: f64) -> Result<usize> {
    super::heads::check(&[], dropout)?;
    let [query, value] = [&inputs[0], &inputs[1]];
    let key = inputs.get(2).unwrap_or(value);
    let agree = |a: Option<usize>, b: Option<usize>| a.is_none() || b.is_none() || a == b;
    let fits = [query, value, key].iter().all(|s| s.rank() == 3)
        && agree(query.0[2], key.0[2])
        && agree(value.0[1], key.0[1]);
    if !fits {
        let all: Vec<String> = inputs.iter().map(InputShape::to_string).collect();
        return Err(Error::shape(format!(
            "{class} expects a query (batch, steps, features), a value (batch, others, size) and a key \
             (batch, others, features), which is the value if it is not given. Received: {}.",
            all.join(", ")
        )));
    }
    query.features()
}

/// The sum of every query and every key: `(batch, steps, others, features)`.
fn sums(query: &Tensor, key: &Tensor) -> Tensor {
    query.expand_dims(2) + key.expand_dims(1)
}

impl Attention {
    /// How scores are made; by products by default.
    pub fn score_mode(mut self, mode: ScoreMode) -> Self {
        self.score_mode = mode;
        self
    }
}

impl Layer for Attention {
    builtin!(Attention, masks pass);

    fn call_arguments(&self) -> Map<String, Value> {
        told(self.causal, self.scores)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=3
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        check("Attention", cx.inputs(), self.dropout)?;
        if self.use_scale {
            cx.weight("scale", []).initializer("ones").add()?;
        }
        if self.score_mode == ScoreMode::Concat {
            cx.weight("concat_score_weight", [])
                .initializer("ones")
                .add()?;
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, query: &Tensor) -> Tensor {
        let value = cx.inputs()[1].clone();
        let key = cx.inputs().get(2).unwrap_or(&value);
        let scaled = |x: Tensor| match self.use_scale {
            true => x * cx.weight("scale"),
            false => x,
        };
        let scores = match self.score_mode {
            ScoreMode::Dot => scaled(query.matmul(key.t())),
            ScoreMode::Concat => {
                let sums = scaled(sums(query, key)).tanh().sum_axes(&[-1], false);
                sums * cx.weight("concat_score_weight")
            }
        };
        self.attend(cx, &scores, &value)
    }
}

impl Layer for AdditiveAttention {
    builtin!(AdditiveAttention, masks pass);

    fn call_arguments(&self) -> Map<String, Value> {
        told(self.causal, self.scores)
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=3
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        let features = check("AdditiveAttention", cx.inputs(), self.dropout)?;
        match self.use_scale {
            true => cx.weight("scale", [features]).add(),
            false => Ok(()),
        }
    }

    fn call(&self, cx: &mut Call<'_>, query: &Tensor) -> Tensor {
        let value = cx.inputs()[1].clone();
        let key = cx.inputs().get(2).unwrap_or(&value);
        let mut terms = sums(query, key).tanh();
        if self.use_scale {
            terms = terms * cx.weight("scale");
        }
        self.attend(cx, &terms.sum_axes(&[-1], false), &value)
    }
}
