//! Rows of a table by number: words as vectors.

use super::base::{Base, options, positive};
use super::registry::penalized;
use super::weight_options::{table_options, uniform};
use super::{Build, Call, InputShape, Layer};
use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use crate::{DType, Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Turns whole numbers into vectors, rows of a table that is learned.
///
/// * Input: integers in `[0, input_dim)` of any shape; other types are converted to `int32`. Output:
///   the same shape with an axis of `output_dim` behind. A number outside the table is
///   refused where it is given to a model that begins with this layer; elsewhere it gives NaN.
/// * Weights: `embeddings` `(input_dim, output_dim)`, `"uniform"` by default.
/// * With `mask_zero`, 0 stands for what is not there: the output's mask is where the input is not 0.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Embedding::new(10, 3).embeddings_initializer("ones").input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[4, 9]]))?;
/// assert_eq!(y.shape().dims(), [1, 2, 3]);
/// assert_eq!(y.to_vec::<f32>(), [1.0; 6]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    #[serde(skip)]
    base: Base,
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
}

impl Embedding {
    /// A table of `input_dim` vectors of `output_dim` numbers.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        Self {
            base: Base::default(),
            input_dim,
            output_dim,
            embeddings_initializer: uniform(),
            embeddings_regularizer: None,
            embeddings_constraint: None,
            mask_zero: false,
        }
    }
}

options!(Embedding);
table_options!(Embedding);

impl Layer for Embedding {
    fn class_name(&self) -> &str {
        "Embedding"
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

    fn rows(&self) -> Option<usize> {
        Some(self.input_dim)
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        positive("input_dim", self.input_dim)?;
        positive("output_dim", self.output_dim)?;
        cx.weight("embeddings", [self.input_dim, self.output_dim])
            .initializer(self.embeddings_initializer.clone())
            .regularizer(self.embeddings_regularizer.clone())
            .constraint(self.embeddings_constraint.clone())
            .add()
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let ids = match x.dtype() {
            DType::I32 | DType::I64 => x.clone(),
            _ => x.cast(DType::I32),
        };
        cx.set_mask(self.mask_zero.then(|| ids.ne(0)));
        cx.weight("embeddings").take(ids, 0)
    }
}
