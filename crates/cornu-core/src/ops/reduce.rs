//! Reductions over axes.

use super::Operation;
use super::elementwise::{ints, map};
use crate::array::Array;
use crate::dtype::DType;
use crate::grad::custom_gradient;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// How elements are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ReduceFn {
    Sum,
    Prod,
    Max,
    Min,
}

/// A reduction over `axes` (ascending), which disappear. Over no elements: 0, 1, −∞ and +∞ (the
/// lowest and highest integers).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// How elements are combined.
    pub f: ReduceFn,
    /// The axes that disappear.
    pub axes: Vec<usize>,
}

/// The index (`i32`) of the first largest or smallest element along an axis, which disappears. A NaN
/// counts as the largest and as the smallest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgReduce {
    /// The largest if true, the smallest if false.
    pub max: bool,
    /// The axis that disappears.
    pub axis: usize,
}

impl ReduceFn {
    /// The value of a reduction over nothing.
    pub fn identity(self, dtype: DType) -> f64 {
        match (self, dtype.is_float()) {
            (ReduceFn::Sum, _) => 0.0,
            (ReduceFn::Prod, _) => 1.0,
            (ReduceFn::Max, true) => f64::NEG_INFINITY,
            (ReduceFn::Min, true) => f64::INFINITY,
            (f, false) => f.identity_int(dtype) as f64,
        }
    }

    /// The value of an integer reduction over nothing.
    pub fn identity_int(self, dtype: DType) -> i64 {
        let (low, high) = match dtype {
            DType::Bool => (0, 1),
            DType::U8 => (0, 255),
            DType::I32 => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        match self {
            ReduceFn::Sum => 0,
            ReduceFn::Prod => 1,
            ReduceFn::Max => low,
            ReduceFn::Min => high,
        }
    }

    pub(crate) fn fold(self, a: f64, b: f64) -> f64 {
        use super::elementwise::BinaryFn;
        match self {
            ReduceFn::Sum => a + b,
            ReduceFn::Prod => a * b,
            ReduceFn::Max => BinaryFn::Max.eval(a, b),
            ReduceFn::Min => BinaryFn::Min.eval(a, b),
        }
    }

    pub(crate) fn fold_int(self, a: i64, b: i64) -> i64 {
        match self {
            ReduceFn::Sum => a.wrapping_add(b),
            ReduceFn::Prod => a.wrapping_mul(b),
            ReduceFn::Max => a.max(b),
            ReduceFn::Min => a.min(b),
        }
    }
}

/// For each element of `shape`, the index of the element of the reduced shape it falls into.
fn targets<'a>(shape: &'a Shape, axes: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    let strides = shape.strides();
    let kept: Vec<usize> = (0..shape.rank()).filter(|a| !axes.contains(a)).collect();
    let out_strides = kept.iter().map(|a| shape[*a]).collect::<Shape>().strides();
    (0..shape.size()).map(move |i| {
        kept.iter()
            .zip(&out_strides)
            .map(|(a, s)| i / strides[*a] % shape[*a] * s)
            .sum()
    })
}

impl Operation for Reduce {
    fn name(&self) -> &'static str {
        match self.f {
            ReduceFn::Sum => "sum",
            ReduceFn::Prod => "prod",
            ReduceFn::Max => "max",
            ReduceFn::Min => "min",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if x.dtype == DType::Bool && matches!(self.f, ReduceFn::Sum | ReduceFn::Prod) {
            return Err(Error::dtype(format!(
                "{} of bool: cast to a number first.",
                self.name()
            )));
        }
        if self.axes.iter().any(|a| *a >= x.shape.rank()) {
            return Err(Error::shape(format!(
                "Axes {:?} are out of range for {x}.",
                self.axes
            )));
        }
        let shape = (0..x.shape.rank())
            .filter(|a| !self.axes.contains(a))
            .map(|a| x.shape[a])
            .collect();
        Ok(TensorType {
            shape,
            dtype: x.dtype,
        })
    }

    fn grad(&self, inputs: &[Tensor], y: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let x = &inputs[0];
        let spread = |t: &Tensor| {
            t.reshape(kept(x.shape(), &self.axes))
                .broadcast_to(x.shape())
        };
        let dx = match self.f {
            ReduceFn::Sum => spread(g),
            ReduceFn::Prod => {
                // The product of all the others, exact also where elements are 0: the reduced axes
                // last, as one, then what is before times what is after.
                let rank = x.rank();
                let mut order: Vec<usize> = (0..rank).filter(|a| !self.axes.contains(a)).collect();
                order.extend(&self.axes);
                let moved = x.transpose(&order);
                let n: usize = self.axes.iter().map(|a| x.shape()[*a]).product();
                let flat = moved.reshape([moved.size().checked_div(n).unwrap_or(0), n]);
                let others = flat.cumprod_exclusive(1, false) * flat.cumprod_exclusive(1, true);
                let mut inverse = vec![0; rank];
                for (i, a) in order.iter().enumerate() {
                    inverse[*a] = i;
                }
                spread(g) * others.reshape(moved.shape()).transpose(&inverse)
            }
            ReduceFn::Max | ReduceFn::Min => {
                // Ties share the gradient equally.
                let winner = x.eq(spread(y)).cast(x.dtype());
                let axes: Vec<isize> = self.axes.iter().map(|a| *a as isize).collect();
                let count = winner.sum_axes(&axes, false);
                spread(&(g / count)) * winner
            }
        };
        vec![Some(dx)]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let x = inputs[0];
        let n = ty.shape.size();
        if ty.dtype.is_float() {
            let mut out = vec![self.f.identity(ty.dtype); n];
            for (v, t) in x
                .to_vec::<f64>()
                .into_iter()
                .zip(targets(x.shape(), &self.axes))
            {
                out[t] = self.f.fold(out[t], v);
            }
            map(ty, out.into_iter())
        } else {
            let mut out = vec![self.f.identity_int(ty.dtype); n];
            for (v, t) in x
                .to_vec::<i64>()
                .into_iter()
                .zip(targets(x.shape(), &self.axes))
            {
                out[t] = self.f.fold_int(out[t], v);
            }
            ints(ty, out)
        }
    }
}

/// The shape with the reduced axes kept as 1.
fn kept(shape: &Shape, axes: &[usize]) -> Shape {
    shape
        .iter()
        .enumerate()
        .map(|(i, d)| if axes.contains(&i) { 1 } else { *d })
        .collect()
}

impl Operation for ArgReduce {
    fn name(&self) -> &'static str {
        if self.max { "argmax" } else { "argmin" }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if self.axis >= x.shape.rank() || x.shape[self.axis] == 0 {
            return Err(Error::shape(format!(
                "{} needs at least one element along axis {}. Received: {x}.",
                self.name(),
                self.axis
            )));
        }
        let shape = (0..x.shape.rank())
            .filter(|a| *a != self.axis)
            .map(|a| x.shape[a])
            .collect();
        Ok(TensorType {
            shape,
            dtype: DType::I32,
        })
    }

    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let x = inputs[0];
        let values = x.to_vec::<f64>();
        let stride = x.shape().strides()[self.axis];
        let mut best: Vec<Option<(f64, usize)>> = vec![None; ty.shape.size()];
        for ((i, v), t) in values
            .into_iter()
            .enumerate()
            .zip(targets(x.shape(), &[self.axis]))
        {
            let index = i / stride % x.shape()[self.axis];
            let better = match best[t] {
                None => true,
                Some((b, _)) if b.is_nan() => false,
                Some((b, _)) => v.is_nan() || if self.max { v > b } else { v < b },
            };
            if better {
                best[t] = Some((v, index));
            }
        }
        ints(
            ty,
            best.into_iter()
                .map(|b| b.map_or(0, |(_, i)| i as i64))
                .collect(),
        )
    }
}

impl Tensor {
    #[track_caller]
    fn reduce(&self, f: ReduceFn, axes: &[isize], keepdims: bool) -> Tensor {
        let line = Location::caller();
        let mut list = Vec::with_capacity(axes.len());
        for a in axes {
            match self.shape().axis(*a) {
                Ok(a) => list.push(a),
                Err(e) => return Tensor::failed(e, &[self], line),
            }
        }
        list.sort_unstable();
        list.dedup();
        if list.is_empty() {
            return self.clone();
        }
        let shape = kept(self.shape(), &list);
        let y = Tensor::new(Reduce { f, axes: list }.into(), vec![self.clone()], line);
        if keepdims { y.reshape(shape) } else { y }
    }

    fn all_axes(&self) -> Vec<isize> {
        (0..self.rank() as isize).collect()
    }

    /// The sum over all elements, a scalar.
    #[track_caller]
    pub fn sum(&self) -> Tensor {
        self.reduce(ReduceFn::Sum, &self.all_axes(), false)
    }

    /// The sum over `axes` (negative ones count from the end); with `keepdims` they stay as 1.
    #[track_caller]
    pub fn sum_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Sum, axes, keepdims)
    }

    /// The mean over all elements, a scalar; integers become `f32`.
    #[track_caller]
    pub fn mean(&self) -> Tensor {
        self.mean_axes(&self.all_axes(), false)
    }

    /// The mean over `axes`; integers become `f32`. Over no elements: NaN.
    #[track_caller]
    pub fn mean_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        let x = self.cast(self.dtype().to_float());
        let total = x.reduce(ReduceFn::Sum, axes, keepdims);
        let n = self.size() as f64 / total.size().max(1) as f64;
        total * (1.0 / n)
    }

    /// The biased variance (mean squared distance from the mean) over `axes`.
    #[track_caller]
    pub fn variance_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        (self - self.mean_axes(axes, true))
            .square()
            .mean_axes(axes, keepdims)
    }

    /// The product over all elements, a scalar.
    #[track_caller]
    pub fn prod(&self) -> Tensor {
        self.reduce(ReduceFn::Prod, &self.all_axes(), false)
    }

    /// The product over `axes`.
    #[track_caller]
    pub fn prod_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Prod, axes, keepdims)
    }

    /// The largest element, a scalar; NaN if there is one.
    #[track_caller]
    pub fn max(&self) -> Tensor {
        self.reduce(ReduceFn::Max, &self.all_axes(), false)
    }

    /// The largest elements over `axes`.
    #[track_caller]
    pub fn max_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Max, axes, keepdims)
    }

    /// The smallest element, a scalar; NaN if there is one.
    #[track_caller]
    pub fn min(&self) -> Tensor {
        self.reduce(ReduceFn::Min, &self.all_axes(), false)
    }

    /// The smallest elements over `axes`.
    #[track_caller]
    pub fn min_axes(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Min, axes, keepdims)
    }

    /// Whether all hold, over `axes`, of booleans.
    #[track_caller]
    pub fn all_axes_of(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Min, axes, keepdims)
    }

    /// Whether any holds, over `axes`, of booleans.
    #[track_caller]
    pub fn any_axes_of(&self, axes: &[isize], keepdims: bool) -> Tensor {
        self.reduce(ReduceFn::Max, axes, keepdims)
    }

    #[track_caller]
    fn arg_reduce(&self, max: bool, axis: isize) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(axis) => Tensor::new(ArgReduce { max, axis }.into(), vec![self.clone()], line),
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// The index (`i32`) of the first largest element along `axis`.
    #[track_caller]
    pub fn argmax(&self, axis: isize) -> Tensor {
        self.arg_reduce(true, axis)
    }

    /// The index (`i32`) of the first smallest element along `axis`.
    #[track_caller]
    pub fn argmin(&self, axis: isize) -> Tensor {
        self.arg_reduce(false, axis)
    }

    /// `eˣ / Σ eˣ` along `axis`, without overflow.
    #[track_caller]
    pub fn softmax(&self, axis: isize) -> Tensor {
        self.softmax_axes(&[axis])
    }

    /// `eˣ / Σ eˣ` over `axes` together, without overflow.
    ///
    /// With y the result, its gradient is `y · (g − Σ g · y)`: said so, it costs one sum and nothing of
    /// what led to y is needed again.
    #[track_caller]
    pub fn softmax_axes(&self, axes: &[isize]) -> Tensor {
        let (own, axes) = (axes.to_vec(), axes);
        let forward = |x: &[Tensor]| {
            let e = (&x[0] - x[0].max_axes(axes, true)).exp();
            &e / e.sum_axes(axes, true)
        };
        custom_gradient(&[self], forward, move |_, y, g| {
            let weighted = g * y;
            let total = weighted.sum_axes(&own, true);
            vec![Some(weighted - y * total)]
        })
    }

    /// The logarithm of [`Tensor::softmax`], exact for large differences.
    #[track_caller]
    pub fn log_softmax(&self, axis: isize) -> Tensor {
        let shifted = self - self.max_axes(&[axis], true).stop_gradient();
        &shifted - shifted.exp().sum_axes(&[axis], true).log()
    }

    /// `ln Σ eˣ` over `axes`, without overflow.
    #[track_caller]
    pub fn logsumexp(&self, axes: &[isize], keepdims: bool) -> Tensor {
        let top = self.max_axes(axes, true);
        // A row of −∞ has the maximum −∞: subtracting 0 instead keeps the result −∞, not NaN.
        let top = top.is_finite().select(&top, 0.0).stop_gradient();
        let sum = (self - &top).exp().sum_axes(axes, true).log() + &top;
        if keepdims {
            sum
        } else {
            sum.reshape(self.sum_axes(axes, false).shape())
        }
    }
}
