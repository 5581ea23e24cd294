//! Reading and summing by index.

use super::Operation;
use super::elementwise::{ints, map};
use crate::array::Array;
use crate::dtype::{DType, Element};
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result, with_dtype};
use std::panic::Location;

/// Slices of the first operand along `axis` by the indices of the second: result shape
/// `x[..axis] + indices + x[axis+1..]`. A negative index counts from the end; one out of range gives
/// NaN (0 for integers) and never reads outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Take {
    /// The axis indexed.
    pub axis: usize,
}

/// The transpose of [`Take`]: zeros with extent `len` along `axis`, to which the slices of the first
/// operand are added where the indices (second operand) say. Indices out of range add nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAdd {
    /// The axis indexed.
    pub axis: usize,
    /// The extent of the result along it.
    pub len: usize,
}

/// The element of the first operand, along `axis`, at the index given at each position by the second
/// operand, whose other axes are equal. Indices as in [`Take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TakeAlong {
    /// The axis indexed.
    pub axis: usize,
}

/// The transpose of [`TakeAlong`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAddAlong {
    /// The axis indexed.
    pub axis: usize,
    /// The extent of the result along it.
    pub len: usize,
}

/// The place of an index along an axis of `n`; negative ones count from the end.
pub fn resolve(index: i64, n: usize) -> Option<usize> {
    let i = if index < 0 { index + n as i64 } else { index };
    usize::try_from(i).ok().filter(|i| *i < n)
}

/// What a read out of range gives.
fn outside<T: Element>() -> T {
    if T::DTYPE.is_float() {
        T::from_f64(f64::NAN)
    } else {
        T::default()
    }
}

fn check_indices(what: &str, indices: &TensorType) -> Result<()> {
    match indices.dtype {
        DType::I32 | DType::I64 | DType::U8 => Ok(()),
        d => Err(Error::dtype(format!(
            "{what} needs integer indices. Received: {d}."
        ))),
    }
}

fn check_axis(what: &str, axis: usize, x: &TensorType) -> Result<()> {
    if axis < x.shape.rank() {
        return Ok(());
    }
    Err(Error::shape(format!(
        "{what}: axis {axis} is out of range for {x}."
    )))
}

/// Adds `values[i]` to `out[places[i]]`, in order.
fn add_at(ty: &TensorType, values: &Array, places: impl Iterator<Item = Option<usize>>) -> Array {
    let n = ty.shape.size();
    if ty.dtype.is_float() {
        let mut out = vec![0.0; n];
        for (v, p) in values.to_vec::<f64>().into_iter().zip(places) {
            if let Some(p) = p {
                out[p] += v;
            }
        }
        map(ty, out.into_iter())
    } else {
        let mut out = vec![0i64; n];
        for (v, p) in values.to_vec::<i64>().into_iter().zip(places) {
            if let Some(p) = p {
                out[p] = out[p].wrapping_add(v);
            }
        }
        ints(ty, out)
    }
}

fn read_at(ty: &TensorType, x: &Array, places: impl Iterator<Item = Option<usize>>) -> Array {
    let places: Vec<_> = places.collect();
    with_dtype!(ty.dtype, T => {
        let x = x.as_slice::<T>().expect("same type");
        let values = places.iter().map(|p| p.map_or_else(outside::<T>, |p| x[p])).collect();
        Array::from_vec(ty.shape.clone(), values).expect("one value per element")
    })
}

/// For each element of a `Take` of `x_shape`, its place in `x`.
fn take_places<'a>(
    x_shape: &'a [usize],
    axis: usize,
    indices: &'a [i64],
) -> impl Iterator<Item = Option<usize>> + 'a {
    let inner: usize = x_shape[axis + 1..].iter().product();
    let outer: usize = x_shape[..axis].iter().product();
    let n = x_shape[axis];
    (0..outer).flat_map(move |o| {
        indices.iter().flat_map(move |i| {
            let row = resolve(*i, n).map(|i| (o * n + i) * inner);
            (0..inner).map(move |j| row.map(|r| r + j))
        })
    })
}

/// For each element of a `TakeAlong`, its place in `x`.
fn along_places<'a>(
    x_shape: &'a [usize],
    axis: usize,
    indices: &'a Array,
) -> impl Iterator<Item = Option<usize>> + 'a {
    let inner: usize = x_shape[axis + 1..].iter().product();
    let n = x_shape[axis];
    let count = indices.shape()[axis];
    indices
        .to_vec::<i64>()
        .into_iter()
        .enumerate()
        .map(move |(p, i)| {
            let (outer, j) = (p / (count * inner), p % inner);
            resolve(i, n).map(|i| (outer * n + i) * inner + j)
        })
}

impl Operation for Take {
    fn name(&self) -> &'static str {
        "take"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (x, i) = (&inputs[0], &inputs[1]);
        check_indices("take", i)?;
        check_axis("take", self.axis, x)?;
        let mut shape = x.shape[..self.axis].to_vec();
        shape.extend_from_slice(&i.shape);
        shape.extend_from_slice(&x.shape[self.axis + 1..]);
        Ok(TensorType {
            shape: shape.into(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let (x, i) = (&inputs[0], &inputs[1]);
        let mut shape = x.shape()[..self.axis].to_vec();
        shape.push(i.size());
        shape.extend_from_slice(&x.shape()[self.axis + 1..]);
        let op = ScatterAdd {
            axis: self.axis,
            len: x.shape()[self.axis],
        };
        let operands = vec![g.reshape(shape), i.reshape([i.size()])];
        vec![
            Some(Tensor::new(op.into(), operands, Location::caller())),
            None,
        ]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let indices = inputs[1].to_vec::<i64>();
        read_at(
            ty,
            inputs[0],
            take_places(inputs[0].shape(), self.axis, &indices),
        )
    }
}

impl Operation for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (x, i) = (&inputs[0], &inputs[1]);
        check_indices("scatter_add", i)?;
        check_axis("scatter_add", self.axis, x)?;
        if i.shape.rank() != 1 || i.shape[0] != x.shape[self.axis] || x.dtype == DType::Bool {
            return Err(Error::shape(format!(
                "scatter_add needs numbers and one index per slice along axis {}. Received: {x} and {i}.",
                self.axis
            )));
        }
        let mut shape = x.shape.to_vec();
        shape[self.axis] = self.len;
        Ok(TensorType {
            shape: shape.into(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let i = &inputs[1];
        let read = g.take(i, self.axis as isize);
        // Slices whose index is out of range went nowhere: their gradient is 0, not NaN.
        let mut shape = vec![1; read.rank()];
        shape[self.axis] = i.size();
        let n = self.len as i64;
        let inside = i.ge(-n).logical_and(i.lt(n)).reshape(shape);
        vec![Some(inside.select(&read, 0.0)), None]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let indices = inputs[1].to_vec::<i64>();
        add_at(ty, inputs[0], take_places(&ty.shape, self.axis, &indices))
    }
}

impl Operation for TakeAlong {
    fn name(&self) -> &'static str {
        "take_along_axis"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (x, i) = (&inputs[0], &inputs[1]);
        check_indices("take_along_axis", i)?;
        check_axis("take_along_axis", self.axis, x)?;
        let fits = x.shape.rank() == i.shape.rank()
            && (0..x.shape.rank()).all(|a| a == self.axis || x.shape[a] == i.shape[a]);
        if !fits {
            return Err(Error::shape(format!(
                "take_along_axis needs equal axes but {}. Received: {x} and {i}.",
                self.axis
            )));
        }
        Ok(TensorType {
            shape: i.shape.clone(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let op = ScatterAddAlong {
            axis: self.axis,
            len: inputs[0].shape()[self.axis],
        };
        let operands = vec![g.clone(), inputs[1].clone()];
        vec![
            Some(Tensor::new(op.into(), operands, Location::caller())),
            None,
        ]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        read_at(
            ty,
            inputs[0],
            along_places(inputs[0].shape(), self.axis, inputs[1]),
        )
    }
}

impl Operation for ScatterAddAlong {
    fn name(&self) -> &'static str {
        "scatter_add_along_axis"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let (x, i) = (&inputs[0], &inputs[1]);
        check_indices("scatter_add_along_axis", i)?;
        check_axis("scatter_add_along_axis", self.axis, x)?;
        if x.shape != i.shape || x.dtype == DType::Bool {
            return Err(Error::shape(format!(
                "scatter_add_along_axis needs numbers and one index each. Received: {x} and {i}."
            )));
        }
        let mut shape = x.shape.to_vec();
        shape[self.axis] = self.len;
        Ok(TensorType {
            shape: shape.into(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let i = &inputs[1];
        let n = self.len as i64;
        let read = g.take_along(i, self.axis as isize);
        vec![Some(i.ge(-n).logical_and(i.lt(n)).select(&read, 0.0)), None]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        add_at(ty, inputs[0], along_places(&ty.shape, self.axis, inputs[1]))
    }
}

impl Tensor {
    /// Slices along `axis` by integer indices (see [`Take`]). Keras' `take`.
    #[track_caller]
    pub fn take(&self, indices: impl Into<Tensor>, axis: isize) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(axis) => Tensor::new(
                Take { axis }.into(),
                vec![self.clone(), indices.into()],
                line,
            ),
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// One element per position along `axis` by integer indices (see [`TakeAlong`]). Keras'
    /// `take_along_axis`.
    #[track_caller]
    pub fn take_along(&self, indices: impl Into<Tensor>, axis: isize) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(axis) => Tensor::new(
                TakeAlong { axis }.into(),
                vec![self.clone(), indices.into()],
                line,
            ),
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// Sums the slices along axis 0 whose segment (an integer for each slice) is the same: the result
    /// has `segments` slices. Slices of a segment outside add nothing; negative ones count from the
    /// end. Keras' `segment_sum`.
    ///
    /// ```
    /// use cornu_core::{Device, Reference, Tensor};
    /// let x = Tensor::constant([1.0f32, 2.0, 4.0]);
    /// let sums = x.segment_sum(Tensor::constant([2i32, 0, 2]), 3);
    /// let y = Device::new(Reference).eval(&[sums]).unwrap();
    /// assert_eq!(y[0].to_vec::<f32>(), [2.0, 0.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn segment_sum(&self, ids: impl Into<Tensor>, segments: usize) -> Tensor {
        let op = ScatterAdd {
            axis: 0,
            len: segments,
        };
        Tensor::new(
            op.into(),
            vec![self.clone(), ids.into()],
            Location::caller(),
        )
    }

    /// 1 at the class given by each integer, 0 elsewhere, along a new last axis of `classes`. An
    /// integer outside the classes gives zeros.
    #[track_caller]
    pub fn one_hot(&self, classes: usize, dtype: DType) -> Tensor {
        let range = Tensor::arange(classes, self.dtype());
        self.expand_dims(-1).eq(&range).cast(dtype)
    }
}
