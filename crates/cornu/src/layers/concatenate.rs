//! Tensors joined along an axis.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::models::{Functional, IntoSymbols, Symbol};
use crate::{DType, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Joins tensors along an axis, the last by default; all other extents are equal. A step counts if it
/// does in all that are joined.
///
/// ```
/// use cornu::prelude::*;
/// let (a, b) = (Input::new([2]).symbol(), Input::new([3]).symbol());
/// let model = Model::new([&a, &b], Concatenate::new().on([&a, &b]))?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 5)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concatenate {
    #[serde(skip)]
    base: Base,
    #[serde(default = "last")]
    axis: isize,
}

fn last() -> isize {
    -1
}

impl Default for Concatenate {
    fn default() -> Self {
        Self {
            base: Base::default(),
            axis: last(),
        }
    }
}

impl Concatenate {
    /// The layer along the last axis.
    pub fn new() -> Self {
        Self::default()
    }

    /// The axis; negative ones count from the end.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }
}

options!(Concatenate);

/// [`Concatenate`] of symbols along an axis.
pub fn concatenate(inputs: impl IntoSymbols, axis: isize) -> Symbol {
    Concatenate::new().axis(axis).on(inputs)
}

impl Layer for Concatenate {
    builtin!(Concatenate, masks pass);

    fn arity(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let rank = input.rank() as isize;
        let fail = || {
            let shapes: Vec<String> = cx.inputs().iter().map(InputShape::to_string).collect();
            Err(Error::shape(format!(
                "Concatenate expects inputs of equal shape but for axis {}, which is not the batch's. Received: {}.",
                self.axis,
                shapes.join(", ")
            )))
        };
        let axis = if self.axis < 0 {
            self.axis + rank
        } else {
            self.axis
        };
        if !(1..rank).contains(&axis) {
            return fail();
        }
        let fits = |other: &InputShape| {
            let pairs = input.0.iter().zip(&other.0).enumerate();
            other.rank() == input.rank()
                && pairs
                    .filter(|(i, _)| *i as isize != axis)
                    .all(|(_, (a, b))| a.is_none() || b.is_none() || a == b)
        };
        if cx.inputs().iter().all(fits) {
            Ok(())
        } else {
            fail()
        }
    }

    fn call(&self, cx: &mut Call<'_>, _: &Tensor) -> Tensor {
        let inputs = cx.inputs().to_vec();
        let any = (0..inputs.len()).any(|i| cx.mask(i).is_some());
        let mask = any.then(|| {
            let masks: Vec<Tensor> = (0..inputs.len())
                .map(|i| {
                    let shape = inputs[i].shape().clone();
                    match cx.mask(i) {
                        None => Tensor::full(shape, 1.0, DType::Bool),
                        Some(m) if m.rank() < shape.rank() => m.expand_dims(-1).broadcast_to(shape),
                        Some(m) => m.clone(),
                    }
                })
                .collect();
            // As Keras: a step counts if any of its features does.
            Tensor::concat(&masks, self.axis).any_axes_of(&[-1], false)
        });
        cx.set_mask(mask);
        Tensor::concat(&inputs, self.axis)
    }
}
