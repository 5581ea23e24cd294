//! Texts as data.

use super::{Data, IntoData};
use crate::{Array, Error, Result, Shape};
use cornu_core::hash::fingerprint;
use ndarray::{ArrayBase, Dimension};

/// Texts for a model's input of the type `"string"`, which a [`StringLookup`](crate::layers::StringLookup) reads.
///
/// Programs know numbers only. On its way into a model each text becomes its FarmHash64 fingerprint, the
/// number by which TensorFlow and Keras tell texts apart that are in no vocabulary; a vocabulary is looked up
/// by the fingerprints of its terms. Two different texts have the same one with a chance of 2⁻⁶⁴.
///
/// ```
/// use cornu::data::Texts;
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(Input::new([1]).dtype("string"));
/// model.add(StringLookup::new().vocabulary(["red", "blue"]));
/// model.build()?;
/// let y = model.predict(Texts::new(["blue", "green", "red"]))?;
/// assert_eq!(y.to_vec::<i32>(), [2, 0, 1]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Texts(Array);

impl Texts {
    /// Texts in a row: one for each sample.
    pub fn new<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        let texts = texts
            .into_iter()
            .map(|t| fingerprint(t.as_ref().as_bytes()) as i64);
        Self(Array::from(texts.collect::<Vec<i64>>()))
    }

    /// Texts of this shape, row by row; the first axis is that of the samples.
    ///
    /// # Errors
    /// If there are more or fewer texts than the shape has places.
    pub fn of_shape<T: AsRef<str>>(
        shape: impl Into<Shape>,
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Self> {
        let shape = shape.into();
        let Texts(flat) = Texts::new(texts);
        match flat.size() == shape.size() {
            true => Ok(Self(Array::from_vec(shape, flat.to_vec::<i64>())?)),
            false => Err(Error::shape(format!(
                "Texts of shape {shape} are {}. Received: {}.",
                shape.size(),
                flat.size()
            ))),
        }
    }

    /// The fingerprints (`int64`), for [`Model::call`](crate::models::Model::call), which takes tensors.
    pub fn fingerprints(&self) -> &Array {
        &self.0
    }
}

impl<S: ndarray::Data<Elem: AsRef<str>>, D: Dimension> From<&ArrayBase<S, D>> for Texts {
    fn from(texts: &ArrayBase<S, D>) -> Self {
        let Texts(flat) = Texts::new(texts);
        Self(Array::from_vec(texts.shape(), flat.to_vec::<i64>()).unwrap_or(flat))
    }
}

impl<'a> IntoData<'a> for Texts {
    fn into_data(self) -> Data<'a> {
        Data::owned(self.0).marked_texts(true)
    }
}

impl<'a> IntoData<'a> for &'a Texts {
    fn into_data(self) -> Data<'a> {
        (&self.0).into_data().marked_texts(true)
    }
}
