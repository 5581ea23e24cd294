//! What datasets are made of.

use super::{Data, Inputs, IntoInputs};
use crate::{Array, Result};

/// One element of a [`Dataset`](super::Dataset): a sample, or a batch of them. Inputs, and, where there
/// are any, targets and the weights of samples; each by position or by name, as `fit` takes them.
///
/// ```
/// use cornu::data::Example;
/// use cornu::{Array, Inputs};
/// let (image, age) = (Array::from([0.5f32, 0.25]), Array::from([30.0f32]));
/// let sample = Example::new(Inputs::new().with("image", image).with("age", age))
///     .targets(Array::scalar(1.0f32));
/// assert_eq!((sample.x.len(), sample.y.len(), sample.weight.len()), (2, 1, 0));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Inputs.
    pub x: Inputs<'static>,
    /// Targets.
    pub y: Inputs<'static>,
    /// How much the sample counts; one number, or one for each target.
    pub weight: Inputs<'static>,
}

impl Example {
    /// Inputs alone.
    pub fn new<'a>(x: impl IntoInputs<'a>) -> Self {
        Self {
            x: x.into_inputs().into_owned(),
            ..Self::default()
        }
    }

    /// With targets.
    pub fn targets<'a>(mut self, y: impl IntoInputs<'a>) -> Self {
        self.y = y.into_inputs().into_owned();
        self
    }

    /// With a weight.
    pub fn sample_weight<'a>(mut self, weight: impl IntoInputs<'a>) -> Self {
        self.weight = weight.into_inputs().into_owned();
        self
    }

    /// With other inputs, made from each of those there are.
    ///
    /// # Errors
    /// The function's.
    pub fn map_x(mut self, mut change: impl FnMut(Array) -> Result<Array>) -> Result<Self> {
        let changed = self.x.try_map(|x| change(x.to_array()).map(Data::owned));
        self.x = changed?;
        Ok(self)
    }

    /// All arrays, whatever their names: inputs, then targets, then weights.
    ///
    /// ```
    /// use cornu::data::Example;
    /// use cornu::Array;
    /// let batch = Example::new(Array::from([0.5f32, 0.25])).targets(Array::from([1i32, 0]));
    /// assert_eq!(batch.into_arrays()[1].to_vec::<i32>(), [1, 0]);
    /// ```
    pub fn into_arrays(self) -> Vec<Array> {
        let parts = [self.x, self.y, self.weight].into_iter();
        let data = parts.flat_map(Inputs::into_data);
        data.map(Data::into_array).collect()
    }

    /// Inputs, targets and weights, with their names in messages.
    pub(super) fn parts(&self) -> [(&'static str, &Inputs<'static>); 3] {
        [
            ("x", &self.x),
            ("y", &self.y),
            ("sample_weight", &self.weight),
        ]
    }
}

/// What is an [`Example`]: `(x, y)`, `(x, y, sample_weight)`, each as [`IntoInputs`]; `(x, ())` without
/// targets.
pub trait IntoExample {
    /// As one.
    fn into_example(self) -> Example;
}

impl IntoExample for Example {
    fn into_example(self) -> Example {
        self
    }
}

impl<X: IntoInputs<'static>, Y: IntoInputs<'static>> IntoExample for (X, Y) {
    fn into_example(self) -> Example {
        Example::new(self.0).targets(self.1)
    }
}

impl<X, Y, W> IntoExample for (X, Y, W)
where
    X: IntoInputs<'static>,
    Y: IntoInputs<'static>,
    W: IntoInputs<'static>,
{
    fn into_example(self) -> Example {
        Example::new(self.0).targets(self.1).sample_weight(self.2)
    }
}
