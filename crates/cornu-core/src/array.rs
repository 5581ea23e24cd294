//! Host arrays: what goes into a program and what comes out.

use crate::dtype::{DType, Element};
use crate::shape::Shape;
use crate::tensor::TensorType;
use crate::{Error, Result};
use half::{bf16, f16};

/// Calls `$body` with `$v` bound to the typed values of any variant of [`Data`] (or of a slice enum).
#[macro_export]
#[doc(hidden)]
macro_rules! with_values {
    ($enum:ident, $data:expr, $v:ident => $body:expr) => {
        match $data {
            $enum::Bool($v) => $body,
            $enum::U8($v) => $body,
            $enum::I32($v) => $body,
            $enum::I64($v) => $body,
            $enum::BF16($v) => $body,
            $enum::F16($v) => $body,
            $enum::F32($v) => $body,
            $enum::F64($v) => $body,
        }
    };
}

/// Calls `$body` with the type alias `$T` bound to the Rust type of a [`DType`].
#[macro_export]
macro_rules! with_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $T = bool;
                $body
            }
            $crate::DType::U8 => {
                type $T = u8;
                $body
            }
            $crate::DType::I32 => {
                type $T = i32;
                $body
            }
            $crate::DType::I64 => {
                type $T = i64;
                $body
            }
            $crate::DType::BF16 => {
                type $T = $crate::bf16;
                $body
            }
            $crate::DType::F16 => {
                type $T = $crate::f16;
                $body
            }
            $crate::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::DType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}

macro_rules! data_enum {
    ($(#[$doc:meta])* $name:ident $(<$lt:lifetime>)?, $wrap:ident) => {
        $(#[$doc])*
        #[allow(missing_docs)] // the variants are the element types
        pub enum $name $(<$lt>)? {
            Bool($wrap!($($lt)? bool)),
            U8($wrap!($($lt)? u8)),
            I32($wrap!($($lt)? i32)),
            I64($wrap!($($lt)? i64)),
            BF16($wrap!($($lt)? bf16)),
            F16($wrap!($($lt)? f16)),
            F32($wrap!($($lt)? f32)),
            F64($wrap!($($lt)? f64)),
        }
        impl $(<$lt>)? $name $(<$lt>)? {
            /// The element type.
            pub fn dtype(&self) -> DType {
                match self {
                    Self::Bool(_) => DType::Bool,
                    Self::U8(_) => DType::U8,
                    Self::I32(_) => DType::I32,
                    Self::I64(_) => DType::I64,
                    Self::BF16(_) => DType::BF16,
                    Self::F16(_) => DType::F16,
                    Self::F32(_) => DType::F32,
                    Self::F64(_) => DType::F64,
                }
            }
            /// Number of elements.
            pub fn len(&self) -> usize {
                with_values!(Self, self, v => v.len())
            }
            /// Whether there are no elements.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}
macro_rules! owned {
    ($t:ty) => { Vec<$t> };
}
macro_rules! shared {
    ($lt:lifetime $t:ty) => {
        &$lt[$t]
    };
}
macro_rules! unique {
    ($lt:lifetime $t:ty) => { &$lt mut [$t] };
}
data_enum! {
    /// The owned values of an [`Array`].
    #[derive(Clone, Debug, PartialEq)]
    Data, owned
}
data_enum! {
    /// Borrowed values of any element type.
    #[derive(Clone, Copy, Debug)]
    Slice<'a>, shared
}
data_enum! {
    /// Mutably borrowed values of any element type.
    #[derive(Debug)]
    SliceMut<'a>, unique
}

/// A dense array in host memory, row-major, of any element type.
///
/// ```
/// use cornu_core::Array;
/// let a = Array::from_vec([2, 2], vec![1.0f32, 2.0, 3.0, 4.0]).unwrap();
/// assert_eq!(a.shape().dims(), [2, 2]);
/// assert_eq!(a.as_slice::<f32>().unwrap()[3], 4.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    shape: Shape,
    data: Data,
}

/// A borrowed array: what an [`Executable`](crate::Executable) takes as input.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The extents.
    pub shape: &'a [usize],
    /// The values, row-major.
    pub data: Slice<'a>,
}

/// A mutably borrowed array: where an [`Executable`](crate::Executable) writes an output.
#[derive(Debug)]
pub struct ViewMut<'a> {
    /// The extents.
    pub shape: &'a [usize],
    /// The values, row-major.
    pub data: SliceMut<'a>,
}

impl Array {
    /// An array of this shape from its values in row-major order.
    pub fn from_vec<T: Element>(shape: impl Into<Shape>, values: Vec<T>) -> Result<Self> {
        let shape = shape.into();
        if shape.size() != values.len() {
            return Err(Error::shape(format!(
                "Shape {shape} holds {} elements. Received: {} values.",
                shape.size(),
                values.len()
            )));
        }
        Ok(Self {
            shape,
            data: T::wrap(values),
        })
    }

    /// An array of zeros (`false` for booleans).
    pub fn zeros(dtype: DType, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let n = shape.size();
        let data = with_dtype!(dtype, T => T::wrap(vec![T::default(); n]));
        Self { shape, data }
    }

    /// An array that has `value` everywhere, converted to `dtype`.
    pub fn full(dtype: DType, shape: impl Into<Shape>, value: f64) -> Self {
        let shape = shape.into();
        let n = shape.size();
        let data = with_dtype!(dtype, T => T::wrap(vec![<T as Element>::from_f64(value); n]));
        Self { shape, data }
    }

    /// An array of no axes.
    pub fn scalar<T: Element>(value: T) -> Self {
        Self {
            shape: Shape::scalar(),
            data: T::wrap(vec![value]),
        }
    }

    /// The extents.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.data.dtype()
    }

    /// Number of elements.
    pub fn size(&self) -> usize {
        self.data.len()
    }

    /// The values, if they are of type `T`.
    pub fn as_slice<T: Element>(&self) -> Result<&[T]> {
        T::slice(&self.data).ok_or_else(|| wrong_type(T::DTYPE, self.dtype()))
    }

    /// The values, mutably, if they are of type `T`.
    pub fn as_slice_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        let dtype = self.dtype();
        T::slice_mut(&mut self.data).ok_or_else(|| wrong_type(T::DTYPE, dtype))
    }

    /// The values converted to `T` (as by [`Array::cast`]).
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        match T::slice(&self.data) {
            Some(v) => v.to_vec(),
            None if T::DTYPE.is_float() || self.dtype().is_float() => {
                self.convert(floats, T::from_f64)
            }
            None => self.convert(ints, T::from_i64),
        }
    }

    /// The values by way of a type that holds them all, some at a time: so there is code from each
    /// type and code to each type, and not from each to each.
    fn convert<W: Copy + Default, T>(
        &self,
        widen: fn(&Data, usize, &mut [W]),
        narrow: impl Fn(W) -> T,
    ) -> Vec<T> {
        let mut values = Vec::with_capacity(self.size());
        let mut wide = [W::default(); 512];
        while values.len() < self.size() {
            let some = &mut wide[..512.min(self.size() - values.len())];
            widen(&self.data, values.len(), some);
            values.extend(some.iter().map(|v| narrow(*v)));
        }
        values
    }

    /// The values as they are, without a copy, if they are of type `T`.
    pub fn into_vec<T: Element>(self) -> Result<Vec<T>> {
        let dtype = self.dtype();
        T::unwrap(self.data).ok_or_else(|| wrong_type(T::DTYPE, dtype))
    }

    /// The only element of an array of one element, converted to `T`.
    pub fn item<T: Element>(&self) -> Result<T> {
        if self.size() != 1 {
            return Err(Error::shape(format!(
                "item() needs an array of one element. Received: shape {}.",
                self.shape
            )));
        }
        Ok(self.to_vec::<T>()[0])
    }

    /// The same values in another element type: rounded to floats, truncated toward zero and
    /// saturating from floats to integers, wrapping between integers.
    pub fn cast(&self, dtype: DType) -> Array {
        let data = with_dtype!(dtype, T => T::wrap(self.to_vec::<T>()));
        Array {
            shape: self.shape.clone(),
            data,
        }
    }

    /// The same values under another shape of the same size.
    pub fn reshape(mut self, shape: impl Into<Shape>) -> Result<Array> {
        let shape = shape.into();
        if shape.size() != self.size() {
            return Err(Error::shape(format!(
                "Cannot reshape an array of shape {} ({} elements) to {shape}.",
                self.shape,
                self.size()
            )));
        }
        self.shape = shape;
        Ok(self)
    }

    /// Borrows the array.
    pub fn view(&self) -> View<'_> {
        let data = match &self.data {
            Data::Bool(v) => Slice::Bool(v),
            Data::U8(v) => Slice::U8(v),
            Data::I32(v) => Slice::I32(v),
            Data::I64(v) => Slice::I64(v),
            Data::BF16(v) => Slice::BF16(v),
            Data::F16(v) => Slice::F16(v),
            Data::F32(v) => Slice::F32(v),
            Data::F64(v) => Slice::F64(v),
        };
        View {
            shape: &self.shape,
            data,
        }
    }

    /// Borrows the array mutably.
    pub fn view_mut(&mut self) -> ViewMut<'_> {
        let data = match &mut self.data {
            Data::Bool(v) => SliceMut::Bool(v),
            Data::U8(v) => SliceMut::U8(v),
            Data::I32(v) => SliceMut::I32(v),
            Data::I64(v) => SliceMut::I64(v),
            Data::BF16(v) => SliceMut::BF16(v),
            Data::F16(v) => SliceMut::F16(v),
            Data::F32(v) => SliceMut::F32(v),
            Data::F64(v) => SliceMut::F64(v),
        };
        ViewMut {
            shape: &self.shape,
            data,
        }
    }

    /// As an `ndarray` of the same element type, without a copy.
    pub fn into_ndarray<T: Element>(self) -> Result<ndarray::ArrayD<T>> {
        let shape = self.shape.to_vec();
        Ok(ndarray::ArrayD::from_shape_vec(
            shape,
            self.into_vec::<T>()?,
        )?)
    }
}

impl View<'_> {
    /// The type.
    pub fn ty(&self) -> TensorType {
        TensorType {
            shape: self.shape.into(),
            dtype: self.data.dtype(),
        }
    }

    /// An owned copy.
    pub fn to_array(&self) -> Array {
        let data = with_values!(Slice, self.data, v => Element::wrap(v.to_vec()));
        Array {
            shape: self.shape.into(),
            data,
        }
    }
}

/// The values from `start` on.
fn floats(data: &Data, start: usize, to: &mut [f64]) {
    with_values!(Data, data, v => to.iter_mut().zip(&v[start..]).for_each(|(to, x)| *to = x.to_f64()));
}

/// As [`floats`].
fn ints(data: &Data, start: usize, to: &mut [i64]) {
    with_values!(Data, data, v => to.iter_mut().zip(&v[start..]).for_each(|(to, x)| *to = x.to_i64()));
}

fn wrong_type(asked: DType, is: DType) -> Error {
    Error::dtype(format!("The array holds {is}. Asked for: {asked}."))
}

impl<T: Element, S: ndarray::Data<Elem = T>, D: ndarray::Dimension> From<&ndarray::ArrayBase<S, D>>
    for Array
{
    fn from(a: &ndarray::ArrayBase<S, D>) -> Self {
        Array {
            shape: a.shape().into(),
            data: T::wrap(a.iter().copied().collect()),
        }
    }
}

/// An array as an `ndarray` of as many axes, without a copy.
///
/// ```
/// use cornu_core::Array;
/// let rows = ndarray::Array2::<f32>::try_from(Array::from([[1.0f32, 2.0], [3.0, 4.0]]))?;
/// assert_eq!(rows[[1, 0]], 3.0);
/// # Ok::<(), cornu_core::Error>(())
/// ```
impl<T: Element, D: ndarray::Dimension> TryFrom<Array> for ndarray::Array<T, D> {
    type Error = Error;

    /// # Errors
    /// If the array holds another type or has another number of axes.
    fn try_from(array: Array) -> Result<Self> {
        let array = array.into_ndarray::<T>()?;
        let shape = Shape::from(array.shape());
        array.into_dimensionality().map_err(|_| {
            Error::shape(format!(
                "The array has the shape {shape}. Asked for: {} axes.",
                D::NDIM.unwrap_or_default()
            ))
        })
    }
}

impl<T: Element> From<T> for Array {
    fn from(value: T) -> Self {
        Array::scalar(value)
    }
}

impl<T: Element> From<Vec<T>> for Array {
    fn from(values: Vec<T>) -> Self {
        Array {
            shape: values.len().into(),
            data: T::wrap(values),
        }
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Array {
    fn from(values: [T; N]) -> Self {
        values.to_vec().into()
    }
}

impl<T: Element, const N: usize, const M: usize> From<[[T; M]; N]> for Array {
    fn from(values: [[T; M]; N]) -> Self {
        let flat: Vec<T> = values.iter().flatten().copied().collect();
        Array {
            shape: [N, M].into(),
            data: T::wrap(flat),
        }
    }
}

impl<T: Element, const N: usize, const M: usize, const L: usize> From<[[[T; L]; M]; N]> for Array {
    fn from(values: [[[T; L]; M]; N]) -> Self {
        let flat: Vec<T> = values.iter().flatten().flatten().copied().collect();
        Array {
            shape: [N, M, L].into(),
            data: T::wrap(flat),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_saturate_and_round() {
        let a = Array::from([300.7f32, -1.0, f32::NAN]);
        assert_eq!(a.cast(DType::U8).to_vec::<u8>(), [255, 0, 0]);
        assert_eq!(
            Array::from([1.0f64 + 1e-9])
                .cast(DType::F32)
                .to_vec::<f32>(),
            [1.0]
        );
        assert_eq!(Array::from([257i32]).cast(DType::U8).to_vec::<u8>(), [1]);
    }

    #[test]
    fn wrong_size_and_type_are_errors() {
        assert!(Array::from_vec([2, 2], vec![1.0f32]).is_err());
        assert!(Array::from([1i32]).as_slice::<f32>().is_err());
        assert!(Array::from([1i32, 2]).item::<f32>().is_err());
    }
}
