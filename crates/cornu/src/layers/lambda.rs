//! A function as a layer.

use super::base::{Base, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Result, Tensor};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value};
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

type Function = dyn Fn(&[Tensor]) -> Tensor + Send + Sync;
type Mask = dyn Fn(&[Tensor], Option<&Tensor>) -> Option<Tensor> + Send + Sync;

/// A function of tensors as a layer without weights.
///
/// No file holds a function: a model with such a layer can be trained, used and exported, and its weights
/// kept, but it cannot be saved as a whole, and a `Lambda` in a file that Keras wrote is refused, for a file
/// never brings code along. What is to be saved implements [`Layer`].
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Lambda::new(|x| x.square() + 1.0).input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[2.0f32, 3.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [5.0, 10.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct Lambda {
    base: Base,
    function: Arc<Function>,
    mask: Option<Arc<Mask>>,
    inputs: RangeInclusive<usize>,
}

impl Lambda {
    /// The layer that computes a function of one tensor.
    pub fn new(function: impl Fn(&Tensor) -> Tensor + Send + Sync + 'static) -> Self {
        Self {
            inputs: 1..=1,
            ..Self::of_many(move |xs| function(&xs[0]))
        }
    }

    /// The layer that computes a function of several tensors.
    pub fn of_many(function: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static) -> Self {
        Self {
            base: Base::default(),
            function: Arc::new(function),
            mask: None,
            inputs: 1..=usize::MAX,
        }
    }

    /// What the output's mask is, given the inputs and the first one's mask; without it a mask ends
    /// here, with a warning.
    pub fn mask(
        mut self,
        mask: impl Fn(&[Tensor], Option<&Tensor>) -> Option<Tensor> + Send + Sync + 'static,
    ) -> Self {
        self.mask = Some(Arc::new(mask));
        self
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lambda")
            .field("base", &self.base)
            .field("inputs", &self.inputs)
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for Lambda {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        Err(D::Error::custom(
            "A Lambda is a function, which no file holds. Make the layer a type of your own that \
             implements Layer.",
        ))
    }
}

options!(Lambda);

impl Layer for Lambda {
    fn class_name(&self) -> &str {
        "Lambda"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        [("function".to_string(), Value::Null)]
            .into_iter()
            .collect()
    }

    fn arity(&self) -> RangeInclusive<usize> {
        self.inputs.clone()
    }

    fn build(&self, _: &mut Build<'_>, _: &InputShape) -> Result<()> {
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, _: &Tensor) -> Tensor {
        if let Some(mask) = &self.mask {
            cx.set_mask(mask(cx.inputs(), cx.mask(0)));
        }
        (self.function)(cx.inputs())
    }
}
