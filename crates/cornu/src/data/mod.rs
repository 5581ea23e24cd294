//! What `fit`, `evaluate` and `predict` are given: arrays, borrowed where they can be and never copied
//! per batch, or a [`Dataset`] that makes batches one after the other.
//!
//! ```
//! use cornu::data::{Dataset, from_tensor_slices};
//! use cornu::prelude::*;
//! let x = ndarray::Array2::from_shape_fn((100, 3), |(i, j)| (i * j) as f32 / 100.0);
//! let y = ndarray::Array1::from_shape_fn(100, |i| i as f32);
//! let data = from_tensor_slices(x, y).shuffle(50).batch(16).prefetch(2);
//!
//! let mut model = Sequential::from_layers(vec![Input::new([3]).into(), Dense::new(1).into()]);
//! model.compile("sgd", "mse", ())?;
//! let history = model.fit_dataset(&data, Fit::new().epochs(3).verbose(0))?;
//! assert_eq!(history["loss"].len(), 3);
//! # Ok::<(), cornu::Error>(())
//! ```

mod augment;
mod batch;
mod cache;
mod dataset;
mod example;
mod inputs;
mod prefetch;
mod shuffle;
mod sources;
mod texts;
mod transforms;

pub use augment::Augment;
pub use batch::Batch;
pub use cache::Cache;
pub use dataset::{Cardinality, Dataset, Examples};
pub use example::{Example, IntoExample};
pub use inputs::{Inputs, IntoInputs};
pub use prefetch::Prefetch;
pub use shuffle::ShuffleBuffer;
pub use sources::{
    FromGenerator, FromIterator, TensorSlices, from_generator, from_iterator, from_tensor_slices,
};
pub use texts::Texts;
pub use transforms::{Map, Repeat, Skip, Take, Zip};

use crate::{Array, DType, Element, Error, Result};
use cornu_core::{Slice, View, with_values};
use ndarray::{ArrayBase, Dimension};
use std::borrow::Borrow;
use std::ops::Range;

/// An array given by the user: samples along the first axis.
#[derive(Clone, Debug)]
pub struct Data<'a> {
    shape: Vec<usize>,
    values: Values<'a>,
    /// Whether the values are the fingerprints of texts.
    texts: bool,
}

#[derive(Clone, Debug)]
enum Values<'a> {
    Borrowed(Slice<'a>),
    Owned(Array),
}

/// What can be given as data: `ndarray` arrays and views of any element type (borrowed when in
/// standard order, or given away), [`Array`], vectors and slices of labels.
pub trait IntoData<'a> {
    /// As data.
    fn into_data(self) -> Data<'a>;
}

impl<'a> Data<'a> {
    fn borrowed<T: Element>(shape: Vec<usize>, values: &'a [T]) -> Self {
        Data {
            shape,
            values: Values::Borrowed(T::view(values)),
            texts: false,
        }
    }

    fn owned(array: Array) -> Data<'a> {
        Data {
            shape: array.shape().to_vec(),
            values: Values::Owned(array),
            texts: false,
        }
    }

    /// The same values, said to be fingerprints of texts or not.
    pub(crate) fn marked_texts(self, texts: bool) -> Self {
        Data { texts, ..self }
    }

    /// Whether these are [`Texts`], whose values are fingerprints.
    pub fn is_texts(&self) -> bool {
        self.texts
    }

    /// The extents.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of samples: the first extent.
    ///
    /// # Errors
    /// If there is no axis.
    pub fn samples(&self, what: &str) -> Result<usize> {
        self.shape.first().copied().ok_or_else(|| {
            Error::shape(format!(
                "{what} needs an axis of samples. Received: a scalar."
            ))
        })
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.slice().dtype()
    }

    fn slice(&self) -> Slice<'_> {
        match &self.values {
            Values::Borrowed(s) => *s,
            Values::Owned(a) => a.view().data,
        }
    }

    /// The whole array.
    pub fn view(&self) -> View<'_> {
        View {
            shape: &self.shape,
            data: self.slice(),
        }
    }

    /// Samples of a range, under a shape that the caller keeps.
    pub(crate) fn rows<'s>(&'s self, range: Range<usize>, shape: &'s [usize]) -> View<'s> {
        let row: usize = self.shape.iter().skip(1).product();
        let part = range.start * row..range.end * row;
        let data = with_values!(Slice, self.slice(), v => Element::view(&v[part]));
        View { shape, data }
    }

    /// Copies of the samples at these places.
    pub(crate) fn select(&self, rows: &[usize]) -> Result<Array> {
        fn picked<T: Element>(all: &[T], rows: &[usize], row: usize) -> Option<Vec<T>> {
            let mut values = Vec::with_capacity(rows.len() * row);
            for r in rows {
                values.extend_from_slice(all.get(r * row..(r + 1) * row)?);
            }
            Some(values)
        }
        let row: usize = self.shape.iter().skip(1).product();
        let mut shape = self.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first = rows.len();
        }
        with_values!(Slice, self.slice(), v => match picked(v, rows, row) {
            Some(values) => Array::from_vec(shape, values),
            None => Err(Error::shape(format!(
                "A sample beyond the last of {} was asked for.",
                self.shape.first().copied().unwrap_or(0)
            ))),
        })
    }

    /// The first samples, and the rest, without a copy.
    pub(crate) fn split(&self, at: usize) -> (Data<'_>, Data<'_>) {
        let part = |range: Range<usize>| {
            let mut shape = self.shape.clone();
            shape[0] = range.len();
            Data {
                shape,
                values: Values::Borrowed(self.rows(range, &[]).data),
                texts: self.texts,
            }
        };
        let n = self.shape[0];
        (part(0..at), part(at..n))
    }

    /// A copy, as an array of its own.
    pub fn to_array(&self) -> Array {
        self.view().to_array()
    }

    /// As an array of its own; copied only if it is borrowed.
    pub fn into_array(self) -> Array {
        match self.values {
            Values::Borrowed(_) => self.to_array(),
            Values::Owned(array) => array,
        }
    }

    /// As data that borrows nothing.
    pub(crate) fn into_owned(self) -> Data<'static> {
        let texts = self.texts;
        Data::owned(self.into_array()).marked_texts(texts)
    }

    /// The values converted to a type.
    pub(crate) fn to_vec<T: Element>(&self) -> Vec<T> {
        self.view().to_array().to_vec()
    }

    /// Arrays one after the other along their first axis.
    pub(crate) fn concat(arrays: &[Data<'a>]) -> Result<Array> {
        let Some(first) = arrays.first() else {
            return Err(Error::new("The dataset gave no batch."));
        };
        let fits = |a: &Data<'a>| a.shape.get(1..) == first.shape.get(1..);
        if let Some(other) = arrays.iter().find(|a| !fits(a)) {
            return Err(Error::shape(format!(
                "The results of all batches must have one shape to be put together. Received: {} and {}.",
                crate::Shape::from(&first.shape[..]),
                crate::Shape::from(&other.shape[..])
            )));
        }
        let mut shape = first.shape.clone();
        if let Some(n) = shape.first_mut() {
            *n = arrays.iter().map(|a| a.shape[0]).sum();
        }
        first.joined(arrays, shape)
    }

    /// The values of arrays of this array's type, one after the other, as one array.
    pub(crate) fn joined(
        &self,
        arrays: &[impl Borrow<Data<'a>>],
        shape: Vec<usize>,
    ) -> Result<Array> {
        fn join<'a, T: Element>(
            _: &[T],
            arrays: &[impl Borrow<Data<'a>>],
            shape: Vec<usize>,
        ) -> Result<Array> {
            let mut values: Vec<T> = Vec::with_capacity(shape.iter().product());
            for array in arrays {
                array.borrow().append_to(&mut values)?;
            }
            Array::from_vec(shape, values)
        }
        with_values!(Slice, self.slice(), v => join(v, arrays, shape))
    }

    /// Adds the values, which are of this type, to a list.
    fn append_to<T: Element>(&self, list: &mut Vec<T>) -> Result<()> {
        match &self.values {
            Values::Owned(array) => list.extend_from_slice(array.as_slice()?),
            Values::Borrowed(_) => list.extend(self.to_array().into_vec::<T>()?),
        }
        Ok(())
    }

    /// Another handle to the same data.
    pub(crate) fn by_ref(&self) -> Data<'_> {
        Data {
            shape: self.shape.clone(),
            values: Values::Borrowed(self.slice()),
            texts: self.texts,
        }
    }
}

impl<'a, T: Element, S: ndarray::Data<Elem = T>, D: Dimension> IntoData<'a>
    for &'a ArrayBase<S, D>
{
    fn into_data(self) -> Data<'a> {
        match self.as_slice() {
            Some(values) => Data::borrowed(self.shape().to_vec(), values),
            None => Data::owned(Array::from(self)),
        }
    }
}

impl<'a, T: Element, D: Dimension> IntoData<'a> for ndarray::Array<T, D> {
    fn into_data(self) -> Data<'a> {
        let shape = self.shape().to_vec();
        let (values, offset) = match self.is_standard_layout() {
            true => self.into_raw_vec_and_offset(),
            false => (self.iter().copied().collect(), None),
        };
        let size: usize = shape.iter().product();
        let values = match offset.unwrap_or(0) {
            0 if values.len() == size => values,
            at => values[at..at + size].to_vec(),
        };
        // There are as many values as the shape says.
        Data::owned(Array::from_vec(shape, values).unwrap_or_else(|_| Array::zeros(T::DTYPE, [0])))
    }
}

impl<'a> IntoData<'a> for &'a Array {
    fn into_data(self) -> Data<'a> {
        Data {
            shape: self.shape().to_vec(),
            values: Values::Borrowed(self.view().data),
            texts: false,
        }
    }
}

impl<'a> IntoData<'a> for Array {
    fn into_data(self) -> Data<'a> {
        Data::owned(self)
    }
}

impl<'a, T: Element> IntoData<'a> for &'a Vec<T> {
    fn into_data(self) -> Data<'a> {
        Data::borrowed(vec![self.len()], self)
    }
}

impl<'a, T: Element> IntoData<'a> for &'a [T] {
    fn into_data(self) -> Data<'a> {
        Data::borrowed(vec![self.len()], self)
    }
}

impl<'a, T: Element, const N: usize> IntoData<'a> for &'a [T; N] {
    fn into_data(self) -> Data<'a> {
        Data::borrowed(vec![N], self)
    }
}

impl<'a> IntoData<'a> for Data<'a> {
    fn into_data(self) -> Data<'a> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_order_is_borrowed_and_other_orders_are_copied_right() {
        let a = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        let d = (&a).into_data();
        assert!(matches!(d.values, Values::Borrowed(_)));
        let t = a.t();
        let d = (&t).into_data();
        assert_eq!(d.shape(), [2, 3]);
        assert_eq!(d.to_vec::<f32>(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn rows_and_splits() {
        let d = Array::from([[1, 2], [3, 4], [5, 6]]).into_data();
        let (a, b) = d.split(1);
        assert_eq!((a.shape(), b.shape()), (&[1, 2][..], &[2, 2][..]));
        assert_eq!(b.to_vec::<i32>(), [3, 4, 5, 6]);
    }
}
