//! Where data enters a model.

use super::base::{Base, options};
use super::{Call, InputShape, Layer};
use crate::{DType, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Declares the shape of one sample; arrays given to the model are converted to its dtype
/// (`float32`).
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Input::new([784]));
/// model.add(Dense::new(10));
/// model.build()?;
/// assert_eq!(model.count_params()?, 7850);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Input {
    #[serde(skip)]
    base: Base,
    batch_shape: Vec<Option<usize>>,
}

impl Input {
    /// An input of samples of this shape (without the batch axis).
    pub fn new(shape: impl Into<Shape>) -> Self {
        Self {
            base: Base::default(),
            batch_shape: InputShape::batch_of(shape).0,
        }
    }

    /// The shape with the batch axis.
    pub fn shape(&self) -> InputShape {
        InputShape(self.batch_shape.clone())
    }

    /// The dtype of the model's input.
    pub fn input_dtype(&self) -> DType {
        self.base.dtype
    }
}

/// The input of this shape, with the batch axis.
impl From<InputShape> for Input {
    fn from(shape: InputShape) -> Self {
        Self {
            base: Base::default(),
            batch_shape: shape.0,
        }
    }
}

options!(Input);

impl Layer for Input {
    fn class_name(&self) -> &str {
        "InputLayer"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        let mut map = super::registry::fields(self);
        map.insert("dtype".into(), self.base.dtype.name().into());
        map.insert("sparse".into(), false.into());
        map.insert("ragged".into(), false.into());
        map.insert("optional".into(), false.into());
        map
    }

    fn build(&self, _: &mut super::Build<'_>, input: &InputShape) -> Result<()> {
        input.sample().map(|_| ())
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.clone()
    }
}
