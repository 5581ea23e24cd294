//! Softmax as a layer.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::{Axes, Error, Result, Tensor};
use serde::{Deserialize, Serialize};

/// `eˣ / Σ eˣ` along an axis, the last by default.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Softmax::new().input_shape([2]));
/// model.build()?;
/// let y = model.predict(&Array::from([[1.0f32, 1.0]]))?;
/// assert_eq!(y.to_vec::<f32>(), [0.5, 0.5]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Softmax {
    #[serde(skip)]
    base: Base,
    #[serde(default = "last")]
    axis: Axes,
}

fn last() -> Axes {
    Axes::One(-1)
}

impl Default for Softmax {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: last(),
        }
    }
}

impl Softmax {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis, or several that are normalised together; negative ones count from the end.
    pub fn axis(mut self, axis: impl Into<Axes>) -> Self {
        self.axis = axis.into();
        self
    }
}

options!(Softmax);

impl Layer for Softmax {
    builtin!(Softmax, masks pass);

    fn build(&self, _: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let rank = input.rank() as isize;
        match self
            .axis
            .as_slice()
            .iter()
            .find(|a| !(-rank..rank).contains(*a))
        {
            None => Ok(()),
            Some(axis) => Err(Error::shape(format!(
                "axis {axis} is out of range for the input {input}."
            ))),
        }
    }

    fn call(&self, _: &mut Call<'_>, x: &Tensor) -> Tensor {
        match *self.axis.as_slice() {
            [axis] => x.softmax(axis),
            ref axes => (x - x.logsumexp(axes, true)).exp(),
        }
    }
}
