//! Operations that move elements and compute nothing: reshape, transpose, broadcast, slice, pad,
//! concatenate.

use super::Operation;
use crate::array::Array;
use crate::dtype::DType;
use crate::ops::creation::Scalar;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result, with_dtype};
use std::panic::Location;

/// The same elements in row-major order under another shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reshape(pub Shape);

/// Axis `i` of the result is axis `.0[i]` of the operand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transpose(pub Vec<usize>);

/// The operand stretched to a shape by the broadcasting rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast(pub Shape);

/// Elements `start`, `start + step`, … along each axis; `len` of them. A negative step walks back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SliceOp {
    /// First index along each axis.
    pub start: Vec<usize>,
    /// Number of elements along each axis.
    pub len: Vec<usize>,
    /// Distance between elements along each axis; not 0.
    pub step: Vec<isize>,
}

/// A margin of `value` around the operand, and `interior` elements between its neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pad {
    /// Elements before, along each axis.
    pub low: Vec<usize>,
    /// Elements after, along each axis.
    pub high: Vec<usize>,
    /// Elements between neighbours, along each axis.
    pub interior: Vec<usize>,
    /// What the margin holds.
    pub value: Scalar,
}

/// The operands one after another along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concat(pub usize);

/// For each position of `shape` its place in an operand with these strides.
fn places(shape: &Shape, strides: &[isize], offset: usize) -> Vec<usize> {
    let row = shape.strides();
    (0..shape.size())
        .map(|i| {
            let at: isize = (0..shape.rank())
                .map(|a| (i / row[a] % shape[a]) as isize * strides[a])
                .sum();
            (offset as isize + at) as usize
        })
        .collect()
}

fn strided(x: &Array, ty: &TensorType, strides: &[isize], offset: usize) -> Array {
    let places = places(&ty.shape, strides, offset);
    with_dtype!(ty.dtype, T => {
        let x = x.as_slice::<T>().expect("same type");
        let values = places.iter().map(|p| x[*p]).collect();
        Array::from_vec(ty.shape.clone(), values).expect("one value per element")
    })
}

/// How a view reads its operand: strides per axis of the result and the offset, in elements of a
/// contiguous operand of shape `from`. `None` for operations that are no view of this kind.
pub fn view_strides(op: &crate::Op, from: &Shape) -> Option<(Vec<isize>, usize)> {
    let strides: Vec<isize> = from.strides().into_iter().map(|s| s as isize).collect();
    match op {
        crate::Op::Transpose(Transpose(order)) => {
            Some((order.iter().map(|a| strides[*a]).collect(), 0))
        }
        crate::Op::Broadcast(Broadcast(to)) => {
            let missing = to.rank() - from.rank();
            let stride = |i: usize| match i.checked_sub(missing) {
                Some(a) if from[a] != 1 => strides[a],
                _ => 0,
            };
            Some(((0..to.rank()).map(stride).collect(), 0))
        }
        crate::Op::SliceOp(s) => {
            let offset = s
                .start
                .iter()
                .zip(&strides)
                .map(|(a, b)| a * *b as usize)
                .sum();
            let offset = if s.len.contains(&0) { 0 } else { offset };
            Some((
                s.step.iter().zip(&strides).map(|(a, b)| a * b).collect(),
                offset,
            ))
        }
        _ => None,
    }
}

impl Operation for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if x.shape.size() != self.0.size() {
            return Err(Error::shape(format!(
                "Cannot reshape {} ({} elements) to {} ({} elements).",
                x.shape,
                x.shape.size(),
                self.0,
                self.0.size()
            )));
        }
        Ok(TensorType {
            shape: self.0.clone(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![Some(g.reshape(inputs[0].shape()))]
    }
    fn reference(&self, inputs: &[&Array], _: &TensorType) -> Array {
        inputs[0]
            .clone()
            .reshape(self.0.clone())
            .expect("same size")
    }
}

impl Operation for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        if sorted != (0..x.shape.rank()).collect::<Vec<_>>() {
            return Err(Error::shape(format!(
                "transpose of {} needs an order of its {} axes. Received: {:?}.",
                x.shape,
                x.shape.rank(),
                self.0
            )));
        }
        let shape = self.0.iter().map(|a| x.shape[*a]).collect();
        Ok(TensorType {
            shape,
            dtype: x.dtype,
        })
    }
    fn grad(&self, _: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let mut inverse = vec![0; self.0.len()];
        for (i, a) in self.0.iter().enumerate() {
            inverse[*a] = i;
        }
        vec![Some(g.transpose(&inverse))]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (strides, offset) =
            view_strides(&self.clone().into(), inputs[0].shape()).expect("a view");
        strided(inputs[0], ty, &strides, offset)
    }
}

impl Operation for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if !x.shape.broadcasts_to(&self.0) {
            return Err(Error::shape(format!(
                "Shape {} does not broadcast to {}.",
                x.shape, self.0
            )));
        }
        Ok(TensorType {
            shape: self.0.clone(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let x = &inputs[0];
        let missing = self.0.rank() - x.rank();
        let axes: Vec<isize> = (0..self.0.rank())
            .filter(|i| *i < missing || (x.shape()[i - missing] == 1 && self.0[*i] != 1))
            .map(|i| i as isize)
            .collect();
        vec![Some(g.sum_axes(&axes, false).reshape(x.shape()))]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (strides, offset) =
            view_strides(&self.clone().into(), inputs[0].shape()).expect("a view");
        strided(inputs[0], ty, &strides, offset)
    }
}

impl Operation for SliceOp {
    fn name(&self) -> &'static str {
        "slice"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        let rank = x.shape.rank();
        let whole = self.start.len() == rank && self.len.len() == rank && self.step.len() == rank;
        let inside = whole
            && (0..rank).all(|a| {
                let last =
                    self.start[a] as isize + self.len[a].saturating_sub(1) as isize * self.step[a];
                self.step[a] != 0
                    && (self.len[a] == 0
                        || (self.start[a] < x.shape[a] && (0..x.shape[a] as isize).contains(&last)))
            });
        if !inside {
            return Err(Error::shape(format!(
                "A slice from {:?} of {:?} elements by steps {:?} is not inside shape {}.",
                self.start, self.len, self.step, x.shape
            )));
        }
        Ok(TensorType {
            shape: self.len.clone().into(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        // Walk back axes are turned first; then the slice is undone by padding.
        let x = inputs[0].shape();
        let mut g = g.clone();
        let mut pad = Pad {
            low: Vec::new(),
            high: Vec::new(),
            interior: Vec::new(),
            value: Scalar::Float(0.0),
        };
        for a in 0..x.rank() {
            if self.len[a] == 0 {
                return vec![Some(inputs[0].zeros_like())];
            }
            let span = (self.len[a] - 1) * self.step[a].unsigned_abs();
            let first = if self.step[a] < 0 {
                self.start[a] - span
            } else {
                self.start[a]
            };
            if self.step[a] < 0 {
                g = g.flip(a as isize);
            }
            pad.low.push(first);
            pad.high.push(x[a] - first - span - 1);
            pad.interior.push(self.step[a].unsigned_abs() - 1);
        }
        vec![Some(g.pad_with(pad))]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (strides, offset) =
            view_strides(&self.clone().into(), inputs[0].shape()).expect("a view");
        strided(inputs[0], ty, &strides, offset)
    }
}

impl Operation for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        let rank = x.shape.rank();
        if [&self.low, &self.high, &self.interior]
            .iter()
            .any(|v| v.len() != rank)
        {
            return Err(Error::shape(format!(
                "pad needs one width per axis of {}. Received: {:?}, {:?}, {:?}.",
                x.shape, self.low, self.high, self.interior
            )));
        }
        let extent = |a: usize| {
            let n = x.shape[a];
            let inside = n.saturating_sub(1).saturating_mul(self.interior[a]);
            [n, inside, self.high[a]]
                .into_iter()
                .fold(self.low[a], usize::saturating_add)
        };
        Ok(TensorType {
            shape: (0..rank).map(extent).collect(),
            dtype: x.dtype,
        })
    }
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let step = self.interior.iter().map(|i| *i as isize + 1).collect();
        let len = inputs[0].shape().to_vec();
        vec![Some(g.slice_with(SliceOp {
            start: self.low.clone(),
            len,
            step,
        }))]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let (x, to) = (inputs[0], ty.shape.strides());
        let start = self.low.iter().zip(&to).map(|(low, to)| low * to).sum();
        let apart = self.interior.iter().zip(&to);
        let strides: Vec<isize> = apart.map(|(i, to)| ((i + 1) * to) as isize).collect();
        let places = places(x.shape(), &strides, start);
        with_dtype!(ty.dtype, T => {
            let mut out = vec![self.value.to::<T>(); ty.shape.size()];
            for (v, at) in x.as_slice::<T>().expect("same type").iter().zip(&places) {
                out[*at] = *v;
            }
            Array::from_vec(ty.shape.clone(), out).expect("one value per element")
        })
    }
}

impl Operation for Concat {
    fn name(&self) -> &'static str {
        "concatenate"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let Some(first) = inputs.first() else {
            return Err(Error::new("concatenate needs at least one tensor."));
        };
        let axis = self.0;
        let mut shape = first.shape.to_vec();
        for other in &inputs[1..] {
            let fits = other.dtype == first.dtype
                && other.shape.rank() == first.shape.rank()
                && (0..shape.len()).all(|a| a == axis || other.shape[a] == first.shape[a]);
            if !fits || axis >= shape.len() {
                return Err(Error::shape(format!(
                    "concatenate along axis {axis} needs equal other axes and types. Received: {first} and {other}."
                )));
            }
            shape[axis] += other.shape[axis];
        }
        Ok(TensorType {
            shape: shape.into(),
            dtype: first.dtype,
        })
    }
    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let mut start = 0;
        inputs
            .iter()
            .zip(wanted)
            .map(|(x, wanted)| {
                let from = start;
                start += x.shape()[self.0];
                wanted.then(|| g.narrow(self.0 as isize, from, x.shape()[self.0]))
            })
            .collect()
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        with_dtype!(ty.dtype, T => {
            let inner: usize = ty.shape[self.0 + 1..].iter().product();
            let outer: usize = ty.shape[..self.0].iter().product();
            let mut out: Vec<T> = Vec::with_capacity(ty.shape.size());
            for o in 0..outer {
                for x in inputs {
                    let row = x.shape()[self.0] * inner;
                    let values = x.as_slice::<T>().expect("same type");
                    out.extend_from_slice(&values[o * row..(o + 1) * row]);
                }
            }
            Array::from_vec(ty.shape.clone(), out).expect("one value per element")
        })
    }
}

impl Tensor {
    pub(crate) fn broadcast_at(&self, shape: &Shape, line: &'static Location<'static>) -> Tensor {
        if self.shape() == shape {
            return self.clone();
        }
        Tensor::new(Broadcast(shape.clone()).into(), vec![self.clone()], line)
    }

    /// The same elements, row-major, under another shape of the same size.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into();
        if *self.shape() == shape {
            return self.clone();
        }
        Tensor::new(
            Reshape(shape).into(),
            vec![self.clone()],
            Location::caller(),
        )
    }

    /// Axis `i` of the result is axis `order[i]` of `self`.
    #[track_caller]
    pub fn transpose(&self, order: &[usize]) -> Tensor {
        if order.iter().enumerate().all(|(i, a)| i == *a) && order.len() == self.rank() {
            return self.clone();
        }
        Tensor::new(
            Transpose(order.to_vec()).into(),
            vec![self.clone()],
            Location::caller(),
        )
    }

    /// The last two axes exchanged.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        let rank = self.rank();
        if rank < 2 {
            let e = Error::shape(format!(
                "t() needs two axes. Received: shape {}.",
                self.shape()
            ));
            return Tensor::failed(e, &[self], Location::caller());
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 1, rank - 2);
        self.transpose(&order)
    }

    /// Stretched to `shape` by the broadcasting rule.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Tensor {
        self.broadcast_at(&shape.into(), Location::caller())
    }

    /// An axis of extent 1 inserted so that it becomes axis `axis`.
    #[track_caller]
    pub fn expand_dims(&self, axis: isize) -> Tensor {
        let rank = self.rank() as isize + 1;
        let at = if axis < 0 { axis + rank } else { axis };
        if !(0..rank).contains(&at) {
            let e = Error::shape(format!(
                "expand_dims: axis {axis} is out of range for {}.",
                self.shape()
            ));
            return Tensor::failed(e, &[self], Location::caller());
        }
        let mut shape = self.shape().to_vec();
        shape.insert(at as usize, 1);
        self.reshape(shape)
    }

    /// The axis `axis`, of extent 1, removed.
    #[track_caller]
    pub fn squeeze(&self, axis: isize) -> Tensor {
        match self.shape().axis(axis) {
            Ok(a) if self.shape()[a] == 1 => {
                let mut shape = self.shape().to_vec();
                shape.remove(a);
                self.reshape(shape)
            }
            Ok(_) => {
                let e = Error::shape(format!(
                    "squeeze: axis {axis} of {} is not 1.",
                    self.shape()
                ));
                Tensor::failed(e, &[self], Location::caller())
            }
            Err(e) => Tensor::failed(e, &[self], Location::caller()),
        }
    }

    /// A slice with steps (see [`SliceOp`]).
    #[track_caller]
    pub fn slice_with(&self, slice: SliceOp) -> Tensor {
        Tensor::new(slice.into(), vec![self.clone()], Location::caller())
    }

    /// Elements `start..start + len` along `axis`.
    #[track_caller]
    pub fn narrow(&self, axis: isize, start: usize, len: usize) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(a) => {
                let mut slice = SliceOp {
                    start: vec![0; self.rank()],
                    len: self.shape().to_vec(),
                    step: vec![1; self.rank()],
                };
                slice.start[a] = start;
                slice.len[a] = len;
                Tensor::new(slice.into(), vec![self.clone()], line)
            }
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// The elements along `axis` in reverse order.
    #[track_caller]
    pub fn flip(&self, axis: isize) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(a) => {
                let mut slice = SliceOp {
                    start: vec![0; self.rank()],
                    len: self.shape().to_vec(),
                    step: vec![1; self.rank()],
                };
                slice.start[a] = self.shape()[a].saturating_sub(1);
                slice.step[a] = -1;
                Tensor::new(slice.into(), vec![self.clone()], line)
            }
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// A margin, with elements between neighbours (see [`Pad`]).
    #[track_caller]
    pub fn pad_with(&self, pad: Pad) -> Tensor {
        Tensor::new(pad.into(), vec![self.clone()], Location::caller())
    }

    /// A margin of `value`: `(before, after)` along each axis.
    #[track_caller]
    pub fn pad(&self, widths: &[(usize, usize)], value: f64) -> Tensor {
        let value = match self.dtype() {
            DType::Bool | DType::U8 | DType::I32 | DType::I64 => Scalar::Int(value as i64),
            _ => Scalar::Float(value),
        };
        self.pad_with(Pad {
            low: widths.iter().map(|w| w.0).collect(),
            high: widths.iter().map(|w| w.1).collect(),
            interior: vec![0; widths.len()],
            value,
        })
    }

    /// The tensors one after another along `axis`; types are promoted.
    #[track_caller]
    pub fn concat(tensors: &[Tensor], axis: isize) -> Tensor {
        let line = Location::caller();
        let Some(first) = tensors.first() else {
            return Tensor::failed(Error::new("concat needs at least one tensor."), &[], line);
        };
        let dtype = tensors
            .iter()
            .fold(first.dtype(), |d, t| d.promote(t.dtype()));
        match first.shape().axis(axis) {
            Ok(a) => {
                let parts = tensors.iter().map(|t| t.cast_at(dtype, line)).collect();
                Tensor::new(Concat(a).into(), parts, line)
            }
            Err(e) => Tensor::failed(e, &[first], line),
        }
    }

    /// Tensors of one shape, stacked along a new axis.
    #[track_caller]
    pub fn stack(tensors: &[Tensor], axis: isize) -> Tensor {
        let parts: Vec<Tensor> = tensors.iter().map(|t| t.expand_dims(axis)).collect();
        Tensor::concat(&parts, axis)
    }
}
