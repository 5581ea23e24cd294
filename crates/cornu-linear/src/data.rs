//! What users give: rows of features and their targets, borrowed.

use crate::{Csr, Error, Result};
use ndarray::{Array1, Array2, ArrayBase, ArrayView2, Axis, Data, Ix1, Ix2};
use std::borrow::Cow;

/// Rows of features: dense or sparse, f32 or f64. Made by `into` from references to `ndarray` arrays,
/// from views, and from references to [`Csr`].
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// Dense f64.
    F64(ArrayView2<'a, f64>),
    /// Dense f32.
    F32(ArrayView2<'a, f32>),
    /// Sparse f64.
    Csr64(&'a Csr<f64>),
    /// Sparse f32.
    Csr32(&'a Csr<f32>),
}

impl Rows<'_> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.shape().0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many numbers a row has.
    pub fn features(&self) -> usize {
        self.shape().1
    }

    /// Rows and features.
    pub fn shape(&self) -> (usize, usize) {
        match self {
            Rows::F64(x) => x.dim(),
            Rows::F32(x) => x.dim(),
            Rows::Csr64(x) => x.shape(),
            Rows::Csr32(x) => x.shape(),
        }
    }

    /// How many numbers of a row are stored, in the mean.
    pub(crate) fn entries(&self) -> usize {
        let stored = match self {
            Rows::F64(_) | Rows::F32(_) => return self.features(),
            Rows::Csr64(x) => x.values().len(),
            Rows::Csr32(x) => x.values().len(),
        };
        stored.div_ceil(self.len().max(1))
    }

    /// A copy of some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> OwnedRows {
        match self {
            Rows::F64(x) => OwnedRows::F64(x.select(Axis(0), rows)),
            Rows::F32(x) => OwnedRows::F32(x.select(Axis(0), rows)),
            Rows::Csr64(x) => OwnedRows::Csr64(x.select(rows)),
            Rows::Csr32(x) => OwnedRows::Csr32(x.select(rows)),
        }
    }
}

/// Rows that are not borrowed; see [`Rows::select`].
#[derive(Clone, Debug)]
pub enum OwnedRows {
    /// Dense f64.
    F64(Array2<f64>),
    /// Dense f32.
    F32(Array2<f32>),
    /// Sparse f64.
    Csr64(Csr<f64>),
    /// Sparse f32.
    Csr32(Csr<f32>),
}

impl OwnedRows {
    /// The rows, lent.
    pub fn view(&self) -> Rows<'_> {
        match self {
            OwnedRows::F64(x) => Rows::F64(x.view()),
            OwnedRows::F32(x) => Rows::F32(x.view()),
            OwnedRows::Csr64(x) => Rows::Csr64(x),
            OwnedRows::Csr32(x) => Rows::Csr32(x),
        }
    }
}

impl<'a> From<&'a OwnedRows> for Rows<'a> {
    fn from(rows: &'a OwnedRows) -> Self {
        rows.view()
    }
}

/// f32 or f64: what features may be made of.
pub trait Feature: Sized {
    #[doc(hidden)]
    fn dense(x: ArrayView2<'_, Self>) -> Rows<'_>;
    #[doc(hidden)]
    fn sparse(x: &Csr<Self>) -> Rows<'_>;
}

impl Feature for f64 {
    fn dense(x: ArrayView2<'_, f64>) -> Rows<'_> {
        Rows::F64(x)
    }
    fn sparse(x: &Csr<f64>) -> Rows<'_> {
        Rows::Csr64(x)
    }
}

impl Feature for f32 {
    fn dense(x: ArrayView2<'_, f32>) -> Rows<'_> {
        Rows::F32(x)
    }
    fn sparse(x: &Csr<f32>) -> Rows<'_> {
        Rows::Csr32(x)
    }
}

impl<'a, T: Feature, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix2>> for Rows<'a> {
    fn from(x: &'a ArrayBase<S, Ix2>) -> Self {
        T::dense(x.view())
    }
}

impl<'a, T: Feature> From<ArrayView2<'a, T>> for Rows<'a> {
    fn from(x: ArrayView2<'a, T>) -> Self {
        T::dense(x)
    }
}

impl<'a, T: Feature> From<&'a Csr<T>> for Rows<'a> {
    fn from(x: &'a Csr<T>) -> Self {
        T::sparse(x)
    }
}

/// Targets of a regression or labels of a classification: a row for each row of features, one column
/// or several. Made by `into` from references to one- or two-dimensional arrays, to slices and to vectors,
/// of numbers of any type (labels may be integers or booleans).
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    values: Cow<'a, [f64]>,
    rows: usize,
    columns: usize,
}

impl Targets<'_> {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How many targets a row has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The values of the only column.
    ///
    /// # Errors
    /// If there are several.
    pub fn single(&self) -> Result<&[f64]> {
        match self.columns {
            1 => Ok(&self.values),
            n => Err(Error::shape(format!(
                "y: expected one target for each row. Received: {n} targets."
            ))),
        }
    }

    /// A copy of some of the rows, in the order given.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn select(&self, rows: &[usize]) -> Targets<'static> {
        let row = |&row: &usize| &self.values[row * self.columns..][..self.columns];
        Targets {
            values: rows.iter().flat_map(row).copied().collect(),
            rows: rows.len(),
            columns: self.columns,
        }
    }

    /// The same, borrowed from this.
    pub fn view(&self) -> Targets<'_> {
        Targets {
            values: Cow::Borrowed(&self.values),
            rows: self.rows,
            columns: self.columns,
        }
    }
}

impl<'a> From<&'a Targets<'_>> for Targets<'a> {
    fn from(y: &'a Targets<'_>) -> Self {
        y.view()
    }
}

/// What targets may be made of: numbers of any type, and booleans.
pub trait Target: Copy {
    #[doc(hidden)]
    fn number(self) -> f64;
    /// The numbers themselves, where they are f64 already.
    #[doc(hidden)]
    fn as_f64(numbers: &[Self]) -> Option<&[f64]> {
        let _ = numbers;
        None
    }
}

impl Target for f64 {
    fn number(self) -> f64 {
        self
    }
    fn as_f64(numbers: &[f64]) -> Option<&[f64]> {
        Some(numbers)
    }
}

impl Target for bool {
    fn number(self) -> f64 {
        f64::from(u8::from(self))
    }
}

macro_rules! targets {
    ($($t:ty)*) => {
        $(impl Target for $t {
            fn number(self) -> f64 {
                self as f64
            }
        })*
    };
}

targets! { f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

fn targets<'a, T: Target>(
    slice: Option<&'a [T]>,
    all: impl Iterator<Item = &'a T>,
    shape: (usize, usize),
) -> Targets<'a> {
    let values = match slice.and_then(T::as_f64) {
        Some(numbers) => Cow::Borrowed(numbers),
        None => all.map(|n| n.number()).collect(),
    };
    Targets {
        values,
        rows: shape.0,
        columns: shape.1,
    }
}

impl<'a, T: Target, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix1>> for Targets<'a> {
    fn from(y: &'a ArrayBase<S, Ix1>) -> Self {
        targets(y.as_slice(), y.iter(), (y.len(), 1))
    }
}

impl<'a, T: Target, S: Data<Elem = T>> From<&'a ArrayBase<S, Ix2>> for Targets<'a> {
    fn from(y: &'a ArrayBase<S, Ix2>) -> Self {
        targets(y.as_slice(), y.iter(), y.dim())
    }
}

impl<'a, T: Target> From<&'a [T]> for Targets<'a> {
    fn from(y: &'a [T]) -> Self {
        targets(Some(y), y.iter(), (y.len(), 1))
    }
}

impl<'a, T: Target> From<&'a Vec<T>> for Targets<'a> {
    fn from(y: &'a Vec<T>) -> Self {
        y.as_slice().into()
    }
}

impl<'a, T: Target, const N: usize> From<&'a [T; N]> for Targets<'a> {
    fn from(y: &'a [T; N]) -> Self {
        y.as_slice().into()
    }
}

impl From<Array1<f64>> for Targets<'_> {
    fn from(y: Array1<f64>) -> Self {
        let rows = y.len();
        Targets {
            values: Cow::Owned(y.to_vec()),
            rows,
            columns: 1,
        }
    }
}
