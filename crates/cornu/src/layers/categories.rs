//! Numbers of classes as vectors.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What becomes of the numbers of classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// They stay (not in [`CategoryEncoding`]).
    Int,
    /// Each is a vector with a 1 at its place.
    OneHot,
    /// All of a sample are a vector with a 1 at the place of each.
    #[default]
    #[serde(alias = "binary")]
    MultiHot,
    /// All of a sample are a vector with how often each occurs.
    Count,
}

/// Numbers of `depth` classes as a mode says, with a weight for each if they are counted.
pub(super) fn encode(
    ids: &Tensor,
    mode: OutputMode,
    depth: usize,
    dtype: DType,
    weights: Option<&Tensor>,
) -> Tensor {
    let ids = ids.cast(DType::I32);
    match mode {
        OutputMode::Int => ids,
        OutputMode::OneHot if ids.rank() > 1 && ids.shape().last() == Some(&1) => {
            ids.squeeze(-1).one_hot(depth, dtype)
        }
        OutputMode::OneHot => ids.one_hot(depth, dtype),
        OutputMode::MultiHot => ids.one_hot(depth, dtype).max_axes(&[1], false),
        OutputMode::Count => {
            let ones = ids.one_hot(depth, dtype);
            let ones = match weights {
                Some(weights) => ones * weights.cast(dtype).expand_dims(-1),
                None => ones,
            };
            ones.sum_axes(&[1], false)
        }
    }
}

/// Refuses inputs that have nothing to sum over.
pub(super) fn check(class: &str, mode: OutputMode, input: &InputShape) -> Result<()> {
    let sums = matches!(mode, OutputMode::MultiHot | OutputMode::Count);
    if sums && input.rank() < 2 {
        return Err(Error::shape(format!(
            "{class} expects several numbers for each sample to put together. Received: input shape \
             {input}."
        )));
    }
    Ok(())
}

/// Turns numbers of classes into vectors.
///
/// * Input: integers in `[0, num_tokens)`, `(batch, n)`; others are left out. A second input of the same
///   shape weighs what is counted.
/// * Output: `(batch, num_tokens)`: 1 where a class occurs (`MultiHot`, the default) or how often
///   (`Count`). With `OneHot` each number is a vector of its own: `(batch, n, num_tokens)`, without the axis
///   `n` if it is 1.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(CategoryEncoding::new(4).output_mode(OutputMode::Count).input_shape([3]));
/// model.build()?;
/// let y = model.predict(&Array::from([[0, 1, 1]]))?;
/// assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 0.0, 0.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryEncoding {
    #[serde(skip)]
    base: Base,
    num_tokens: usize,
    #[serde(default)]
    output_mode: OutputMode,
    // What Keras makes of it depends on the backend, and its files have it in no case.
    #[serde(default, skip_serializing)]
    sparse: bool,
}

impl CategoryEncoding {
    /// A layer for so many classes.
    pub fn new(num_tokens: usize) -> Self {
        Self {
            base: Base::default(),
            num_tokens,
            output_mode: OutputMode::default(),
            sparse: false,
        }
    }

    /// What becomes of the numbers; `MultiHot` by default.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        self.output_mode = mode;
        self
    }
}

options!(CategoryEncoding);

impl Layer for CategoryEncoding {
    builtin!(CategoryEncoding);

    fn arity(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn input_dtype(&self) -> Option<DType> {
        Some(DType::I32)
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if self.num_tokens == 0 {
            return Err(Error::new(
                "num_tokens must be a positive integer. Received: num_tokens=0.",
            ));
        }
        if self.sparse {
            return Err(Error::new(
                "CategoryEncoding gives dense tensors; sparse must be false. Received: sparse=true.",
            ));
        }
        if self.output_mode == OutputMode::Int {
            return Err(Error::new(
                "CategoryEncoding makes vectors: output_mode must be \"one_hot\", \"multi_hot\" or \
                 \"count\". Received: output_mode=\"int\".",
            ));
        }
        if let Some(weights) = cx.inputs().get(1) {
            if self.output_mode != OutputMode::Count {
                return Err(Error::new(
                    "Only what is counted has weights: a second input needs output_mode \"count\".",
                ));
            }
            if weights != input {
                return Err(Error::shape(format!(
                    "Each number has a weight. Received: numbers {input} and weights {weights}."
                )));
            }
        }
        check("CategoryEncoding", self.output_mode, input)
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let weights = cx.inputs().get(1);
        encode(
            x,
            self.output_mode,
            self.num_tokens,
            self.base.dtype.variable,
            weights,
        )
    }
}
