//! Where data enters a model.

use super::base::{Base, options};
use super::policy::DTypePolicy;
use super::{Call, InputShape, Layer};
use crate::{DType, Shape, Tensor};
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
    #[serde(default, skip_serializing)]
    texts: bool,
}

/// What Keras calls the type of texts.
pub(super) const TEXTS: &str = "string";

impl Input {
    /// An input of samples of this shape (without the batch axis).
    pub fn new(shape: impl Into<Shape>) -> Self {
        Self {
            base: Base::default(),
            batch_shape: InputShape::batch_of(shape).0,
            texts: false,
        }
    }

    /// The shape with the batch axis.
    pub fn shape(&self) -> InputShape {
        InputShape(self.batch_shape.clone())
    }

    /// How many samples every batch has; unknown by default. Stateful layers need it.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// assert_eq!(Input::new([5, 3]).batch_size(2).shape().to_string(), "(2, 5, 3)");
    /// ```
    pub fn batch_size(mut self, samples: usize) -> Self {
        if let Some(batch) = self.batch_shape.first_mut() {
            *batch = Some(samples);
        }
        self
    }

    /// The type to which the model's input is converted, by Keras' name: `"float32"` by default,
    /// `"int32"` for ids, `"string"` for [`Texts`](crate::data::Texts), which only a
    /// [`StringLookup`](super::StringLookup) reads.
    pub fn dtype(mut self, name: &str) -> Self {
        self.texts = name == TEXTS;
        let dtype = match self.texts {
            true => Ok(DType::I64),
            false => DType::from_name(name),
        };
        match dtype {
            Ok(dtype) => self.base.dtype = DTypePolicy::of(dtype),
            Err(e) => self.base.error = Some(e),
        }
        self
    }

    fn dtype_name(&self) -> &'static str {
        match self.texts {
            true => TEXTS,
            false => self.base.dtype.variable.name(),
        }
    }

    /// An input whose extents are not all known, without the batch axis: `[None, Some(3)]` for
    /// sequences of any length.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let input = Input::of_shape([None, Some(3)]);
    /// assert_eq!(input.shape().to_string(), "(None, None, 3)");
    /// ```
    pub fn of_shape(shape: impl IntoIterator<Item = Option<usize>>) -> Self {
        InputShape(std::iter::once(None).chain(shape).collect()).into()
    }
}

/// The input of this shape, with the batch axis.
impl From<InputShape> for Input {
    fn from(shape: InputShape) -> Self {
        Self {
            base: Base::default(),
            batch_shape: shape.0,
            texts: false,
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
        map.insert("dtype".into(), self.dtype_name().into());
        map.insert("sparse".into(), false.into());
        map.insert("ragged".into(), false.into());
        map.insert("optional".into(), false.into());
        map
    }

    fn input_dtype(&self) -> Option<DType> {
        Some(self.base.dtype.variable)
    }

    fn takes_texts(&self) -> bool {
        self.texts
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        x.clone()
    }
}
