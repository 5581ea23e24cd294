//! Features crossed: what several say together, sorted into bins.

use super::base::{Base, LayerOptions};
use super::categories::{OutputMode, encode};
use super::hashing::{binned_options, check_bins, int, policy_of, unsigned_remainder};
use super::policy::DTypePolicy;
use super::registry::fields;
use super::{Build, Call, InputShape, Layer};
use crate::{Array, DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Sorts what several features say together into bins, by one hash of all of them: a model can then learn of
/// each combination by itself, and no vocabulary is needed. Texts count by their fingerprints, integers as they
/// are, joined in the order of the inputs as TensorFlow's `cross_hashed` does.
///
/// * Inputs: two or more of the same shape, `(batch, 1)` or `(batch,)`: integers, or
///   [`Texts`](crate::data::Texts) from an [`Input`](super::Input) of the type `"string"`.
/// * Output: numbers of bins (`int64`) of the same shape, or, with [`OutputMode::OneHot`], `(batch, num_bins)`.
/// * Arguments, defaults and results are those of `keras.layers.HashedCrossing`; sparse tensors are refused.
///
/// ```
/// use cornu::data::Texts;
/// use cornu::prelude::*;
/// let (a, b) = (Input::new([1]).dtype("string").symbol(), Input::new([1]).dtype("int64").symbol());
/// let model = Model::new([&a, &b], HashedCrossing::new(5).on([&a, &b]))?;
/// let colour = Texts::new(["A", "B", "A", "B", "A"]);
/// let size = Array::from(vec![101i64, 101, 101, 102, 102]);
/// assert_eq!(model.predict((&colour, &size))?.to_vec::<i64>(), [1, 4, 1, 1, 3]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashedCrossing {
    #[serde(skip)]
    base: Base,
    num_bins: usize,
    #[serde(default = "int")]
    output_mode: OutputMode,
    #[serde(default)]
    sparse: bool,
}

binned_options!(
    HashedCrossing,
    "What becomes of the numbers of bins: they stay, the default, or are vectors ([`OutputMode::OneHot`])."
);

impl HashedCrossing {
    /// A layer of so many bins.
    pub fn new(num_bins: usize) -> Self {
        Self {
            base: Base {
                dtype: policy_of(OutputMode::Int),
                ..Base::default()
            },
            num_bins,
            output_mode: int(),
            sparse: false,
        }
    }
}

impl Layer for HashedCrossing {
    fn class_name(&self) -> &str {
        "HashedCrossing"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    /// Keras' class takes its type by name, and nothing else that layers share.
    fn config(&self) -> Map<String, Value> {
        let mut map = fields(self);
        map.insert("dtype".into(), self.base.dtype.variable.name().into());
        map
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=usize::MAX
    }

    fn input_dtype(&self) -> Option<DType> {
        Some(DType::I64)
    }

    /// Each input may be either.
    fn check_texts(&self, _: &[bool]) -> Result<()> {
        Ok(())
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let mode = self.output_mode;
        if !matches!(mode, OutputMode::Int | OutputMode::OneHot) {
            return Err(Error::new(format!(
                "HashedCrossing knows the output modes \"int\" and \"one_hot\". Received: {mode:?}."
            )));
        }
        let dtype = self.base.dtype.compute;
        check_bins("HashedCrossing", self.num_bins, mode, dtype, self.sparse)?;
        let one = input.rank() == 1 || (input.rank() == 2 && input.0[1] == Some(1));
        if !one || cx.inputs().iter().any(|other| other != input) {
            let shapes: Vec<String> = cx.inputs().iter().map(InputShape::to_string).collect();
            return Err(Error::shape(format!(
                "HashedCrossing crosses features of one number or text each, of the same shape: (batch, 1) or \
                 (batch,). Received: input shapes {}.",
                shapes.join(", ")
            )));
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        // TensorFlow begins with this number.
        const KEY: i64 = 0x00DE_CAFC_AFFE;
        let key = Tensor::constant(Array::scalar(KEY)).broadcast_to(x.shape().clone());
        let crossed = cx.inputs().iter().fold(key, |hash, feature| {
            hash.hash_joined(&feature.cast(DType::I64))
        });
        let bins = unsigned_remainder(&crossed, self.num_bins as i64);
        match self.output_mode {
            OutputMode::Int => bins.cast(cx.dtype()),
            mode => encode(&bins, mode, self.num_bins, cx.dtype(), None),
        }
    }
}
