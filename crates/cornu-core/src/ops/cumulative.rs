//! Running sums, products, maxima and minima.

use super::Operation;
use super::elementwise::{ints, map};
use super::reduce::ReduceFn;
use crate::array::Array;
use crate::dtype::DType;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// At each position along `axis`, the combination of all elements up to there (from there on, if
/// `reverse`), without the element itself if `exclusive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cumulative {
    /// How elements are combined.
    pub f: ReduceFn,
    /// The axis walked along.
    pub axis: usize,
    /// From the end to the start.
    pub reverse: bool,
    /// Without the element itself.
    pub exclusive: bool,
}

impl Operation for Cumulative {
    fn name(&self) -> &'static str {
        match self.f {
            ReduceFn::Sum => "cumsum",
            ReduceFn::Prod => "cumprod",
            ReduceFn::Max => "cummax",
            ReduceFn::Min => "cummin",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        if self.axis >= x.shape.rank() || x.dtype == DType::Bool {
            return Err(Error::shape(format!(
                "{} along axis {} needs numbers with that axis. Received: {x}.",
                self.name(),
                self.axis
            )));
        }
        Ok(x.clone())
    }

    fn grad(&self, inputs: &[Tensor], y: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let x = &inputs[0];
        let line = Location::caller();
        if self.f == ReduceFn::Sum {
            let back = Cumulative {
                reverse: !self.reverse,
                ..*self
            };
            return vec![Some(Tensor::new(back.into(), vec![g.clone()], line))];
        }
        // The axis last, as rows of n; walking forward.
        let n = x.shape()[self.axis];
        if n == 0 {
            return vec![Some(x.zeros_like())];
        }
        let rows = |t: &Tensor| {
            let t = if self.reverse {
                t.flip(self.axis as isize)
            } else {
                t.clone()
            };
            let moved = t.move_axis_last(self.axis);
            moved.reshape([moved.size() / n, n])
        };
        let (xr, yr, gr) = (rows(x), rows(y), rows(g));
        let r = xr.shape()[0];
        let dx = if self.f == ReduceFn::Prod {
            // dx_i = Σ_j g_j ∏_{k ≤ j, k ≠ i} x_k, exact also where elements are 0.
            let i = Tensor::iota([n, n], 0, DType::I32);
            let k = Tensor::iota([n, n], 1, DType::I32);
            let others = i
                .eq(&k)
                .select(1.0, xr.reshape([r, 1, n]).broadcast_to([r, n, n]));
            let op = Cumulative {
                axis: 2,
                reverse: false,
                ..*self
            };
            let products = Tensor::new(op.into(), vec![others], line);
            let counts = if self.exclusive { i.lt(&k) } else { i.le(&k) };
            counts
                .select(products * gr.reshape([r, 1, n]), 0.0)
                .sum_axes(&[2], false)
        } else {
            // The gradient goes to the first element that reached each running extreme.
            let position = Tensor::iota([r, n], 1, DType::I32);
            let before = if self.exclusive {
                yr.clone()
            } else {
                let op = Cumulative {
                    axis: 1,
                    reverse: false,
                    exclusive: true,
                    ..*self
                };
                Tensor::new(op.into(), vec![xr.clone()], line)
            };
            let record = if self.f == ReduceFn::Max {
                xr.gt(&before)
            } else {
                xr.lt(&before)
            };
            let op = Cumulative {
                f: ReduceFn::Max,
                axis: 1,
                reverse: false,
                exclusive: self.exclusive,
            };
            let origin = Tensor::new(op.into(), vec![record.select(&position, -1)], line);
            let hot = origin.maximum(-1).one_hot(n, g.dtype());
            (hot * gr.expand_dims(-1)).sum_axes(&[1], false)
        };
        let mut shape = x.shape().to_vec();
        shape.remove(self.axis);
        shape.push(n);
        let back = dx.reshape(shape).move_axis_from_last(self.axis);
        vec![Some(if self.reverse {
            back.flip(self.axis as isize)
        } else {
            back
        })]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let n = ty.shape[self.axis];
        let stride = ty.shape.strides()[self.axis];
        let starts: Vec<usize> = (0..ty.shape.size())
            .filter(|i| (i / stride).is_multiple_of(n.max(1)))
            .collect();
        let walk = |combine: &mut dyn FnMut(usize, bool)| {
            for start in &starts {
                for step in 0..n {
                    let along = if self.reverse { n - 1 - step } else { step };
                    combine(start + along * stride, step == 0);
                }
            }
        };
        if ty.dtype.is_float() {
            let x = inputs[0].to_vec::<f64>();
            let mut out = x.clone();
            let mut running = 0.0;
            walk(&mut |i, first| {
                let before = if first {
                    self.f.identity(ty.dtype)
                } else {
                    running
                };
                running = self.f.fold(before, x[i]);
                out[i] = if self.exclusive { before } else { running };
            });
            map(ty, out.into_iter())
        } else {
            let x = inputs[0].to_vec::<i64>();
            let mut out = x.clone();
            let mut running = 0;
            walk(&mut |i, first| {
                let before = if first {
                    self.f.identity_int(ty.dtype)
                } else {
                    running
                };
                running = self.f.fold_int(before, x[i]);
                out[i] = if self.exclusive { before } else { running };
            });
            ints(ty, out)
        }
    }
}

impl Tensor {
    #[track_caller]
    fn cumulative(&self, f: ReduceFn, axis: isize, reverse: bool, exclusive: bool) -> Tensor {
        let line = Location::caller();
        match self.shape().axis(axis) {
            Ok(axis) => {
                let op = Cumulative {
                    f,
                    axis,
                    reverse,
                    exclusive,
                };
                Tensor::new(op.into(), vec![self.clone()], line)
            }
            Err(e) => Tensor::failed(e, &[self], line),
        }
    }

    /// Running sum along `axis`.
    #[track_caller]
    pub fn cumsum(&self, axis: isize) -> Tensor {
        self.cumulative(ReduceFn::Sum, axis, false, false)
    }

    /// Running product along `axis`.
    #[track_caller]
    pub fn cumprod(&self, axis: isize) -> Tensor {
        self.cumulative(ReduceFn::Prod, axis, false, false)
    }

    /// Product of all elements before (after, if `reverse`) each one along `axis`.
    #[track_caller]
    pub fn cumprod_exclusive(&self, axis: isize, reverse: bool) -> Tensor {
        self.cumulative(ReduceFn::Prod, axis, reverse, true)
    }

    /// Running maximum along `axis`.
    #[track_caller]
    pub fn cummax(&self, axis: isize) -> Tensor {
        self.cumulative(ReduceFn::Max, axis, false, false)
    }

    /// Running minimum along `axis`.
    #[track_caller]
    pub fn cummin(&self, axis: isize) -> Tensor {
        self.cumulative(ReduceFn::Min, axis, false, false)
    }

    fn move_axis_last(&self, axis: usize) -> Tensor {
        let mut order: Vec<usize> = (0..self.rank()).filter(|a| *a != axis).collect();
        order.push(axis);
        self.transpose(&order)
    }

    fn move_axis_from_last(&self, axis: usize) -> Tensor {
        let mut order: Vec<usize> = (0..self.rank().saturating_sub(1)).collect();
        order.insert(axis, self.rank() - 1);
        self.transpose(&order)
    }
}
