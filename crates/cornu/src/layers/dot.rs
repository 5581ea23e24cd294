//! Products of two tensors, sample by sample.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::models::{Functional, IntoSymbols, Symbol};
use crate::{Axes, Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The product of two tensors, sample by sample, over one axis of each.
///
/// * Inputs: `(batch, …)` and `(batch, …)`; output: the axes of the first and then of the second that
///   are left, the batch once. Two vectors for each sample give `(batch, 1)`.
/// * `axes`: one axis for both, or one of each; not the batch's.
/// * With `normalize`, rows along those axes are first brought to length 1, so that two vectors give the
///   cosine between them.
///
/// ```
/// use cornu::prelude::*;
/// let (a, b) = (Input::new([2]).symbol(), Input::new([2]).symbol());
/// let model = Model::new([&a, &b], Dot::new(1).normalize(true).on([&a, &b]))?;
/// let (x, y) = (Array::from([[3.0f32, 0.0]]), Array::from([[5.0f32, 0.0]]));
/// assert_eq!(model.predict((&x, &y))?.to_vec::<f32>(), [1.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dot {
    #[serde(skip)]
    base: Base,
    axes: Axes,
    #[serde(default)]
    normalize: bool,
}

impl Dot {
    /// The layer over one axis of both tensors, or over one of each; negative ones count from the end.
    pub fn new(axes: impl Into<Axes>) -> Self {
        Self {
            base: Base::default(),
            axes: axes.into(),
            normalize: false,
        }
    }

    /// Whether what is multiplied is first brought to length 1; not by default.
    pub fn normalize(mut self, normalize: bool) -> Self {
        self.normalize = normalize;
        self
    }

    /// The axis of each tensor, of these numbers of axes.
    fn axes(&self, ranks: [usize; 2]) -> Result<[usize; 2]> {
        let wanted = match *self.axes.as_slice() {
            [axis] => [axis, axis],
            [a, b] => [a, b],
            ref other => {
                return Err(Error::new(format!(
                    "axes must be one axis or two. Received: {other:?}."
                )));
            }
        };
        let at = |i: usize| match wanted[i] {
            axis if axis < 0 => axis + ranks[i] as isize,
            axis => axis,
        };
        let found = [at(0), at(1)];
        let inside = |i: usize| (1..ranks[i] as isize).contains(&found[i]);
        if !inside(0) || !inside(1) {
            return Err(Error::shape(format!(
                "Dot multiplies over an axis of each tensor that is not the batch's. Received: axes \
                 {wanted:?} of tensors with {} and {} axes.",
                ranks[0], ranks[1]
            )));
        }
        Ok(found.map(|axis| axis as usize))
    }
}

options!(Dot);

/// [`Dot`] of two symbols over `axes`.
pub fn dot(inputs: impl IntoSymbols, axes: impl Into<Axes>) -> Symbol {
    Dot::new(axes).on(inputs)
}

/// Rows along an axis at length 1; rows of zeros stay as they are.
fn unit(x: &Tensor, axis: usize) -> Tensor {
    let squares = x.square().sum_axes(&[axis as isize], true);
    let empty = squares.eq(0.0);
    // As in Keras no factor is above 10⁷; the gradient at zero is then 0 and not NaN.
    let factor = empty.select(1.0, squares).rsqrt().minimum(1e7);
    x * empty.select(0.0, factor)
}

impl Layer for Dot {
    builtin!(Dot, masks pass);

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
        let [a, b] = cx.inputs() else { return Ok(()) };
        let [i, j] = self.axes([a.rank(), b.rank()])?;
        let differ = |a: Option<usize>, b: Option<usize>| a.zip(b).is_some_and(|(a, b)| a != b);
        if differ(a.0[i], b.0[j]) || differ(a.0[0], b.0[0]) {
            return Err(Error::shape(format!(
                "Dot expects equal batches, and equal extents along axis {i} of the first tensor and axis \
                 {j} of the second. Received: {a} and {b}."
            )));
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, _: &Tensor) -> Tensor {
        let (a, b) = (cx.inputs()[0].clone(), cx.inputs()[1].clone());
        cx.set_mask(None);
        let [i, j] = match self.axes([a.rank(), b.rank()]) {
            Ok(axes) => axes,
            Err(e) => return Tensor::error(e),
        };
        let (a, b) = match self.normalize {
            true => (unit(&a, i), unit(&b, j)),
            false => (a, b),
        };
        // The first letter is the batch, the second the axis multiplied over.
        let mut letters = ('c'..='z').chain('A'..='Z');
        let mut name = |rank: usize, over: usize| -> Vec<char> {
            let letter = |axis: usize| match axis {
                0 => Some('a'),
                axis if axis == over => Some('b'),
                _ => letters.next(),
            };
            (0..rank).filter_map(letter).collect()
        };
        let (x, y) = (name(a.rank(), i), name(b.rank(), j));
        let left = x.iter().chain(&y[1..]).filter(|c| **c != 'b');
        let text = |letters: &[char]| letters.iter().collect::<String>();
        let equation = format!("{},{}->{}", text(&x), text(&y), left.collect::<String>());
        let y = Tensor::einsum(&equation, &[&a, &b]);
        match y.rank() {
            1 => y.expand_dims(1),
            _ => y,
        }
    }
}
