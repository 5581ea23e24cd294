//! Pooling: the largest element or the sum of each window, over channels-last operands
//! `(batch, spatial…, channels)` with one to three spatial axes.
//!
//! The operations are closed under differentiation. What flows back through a maximum goes to the
//! first largest cell of its window ([`PoolFn::MaxScatter`]); that is linear in what flows, and its own
//! gradient picks those cells ([`PoolFn::MaxGather`]). A sum's gradient is [`PoolFn::SumScatter`], whose
//! gradient is the sum.

use super::Operation;
use super::elementwise::{ints, map};
use crate::array::Array;
use crate::dtype::DType;
use crate::shape::Shape;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;

/// Windows along the spatial axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Windows {
    /// The extent of a window along each axis.
    pub size: Vec<usize>,
    /// How far apart windows are.
    pub strides: Vec<usize>,
    /// Cells before and after each axis, which never count.
    pub padding: Vec<(usize, usize)>,
}

/// What is made of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PoolFn {
    /// The largest element of x (NaN where there is one).
    Max,
    /// Of x and g: g where x is the first largest of its window, summed over windows.
    MaxScatter,
    /// Of x and v: v where x is the first largest of the window.
    MaxGather,
    /// The sum of x.
    Sum,
    /// Of g: every window's value added to all of its cells.
    SumScatter,
}

/// Pooling, or what flows back through it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// What is made of a window.
    pub f: PoolFn,
    /// The windows.
    pub windows: Windows,
    /// The spatial extents of what is pooled.
    pub spatial: Vec<usize>,
}

impl Windows {
    /// How many windows there are along each axis of these extents.
    ///
    /// # Errors
    /// If windows, strides or padding do not fit the extents.
    pub fn count(&self, spatial: &[usize]) -> Result<Vec<usize>> {
        let n = spatial.len();
        let lengths = [self.size.len(), self.strides.len(), self.padding.len()];
        if !(1..=3).contains(&n) || lengths != [n; 3] {
            return Err(Error::shape(format!(
                "pooling needs one to three spatial axes, and a window, stride and padding for each. Received: spatial extents {}, {self}.",
                Shape::from(spatial)
            )));
        }
        let axis = |i: usize| {
            let (size, stride, (low, high)) = (self.size[i], self.strides[i], self.padding[i]);
            let room = spatial[i].checked_add(low)?.checked_add(high)?;
            let padded_only = low >= size || high >= size;
            if size == 0 || stride == 0 || padded_only || room < size {
                return None;
            }
            Some((room - size) / stride + 1)
        };
        (0..n).map(axis).collect::<Option<_>>().ok_or_else(|| {
            Error::shape(format!(
                "pooling needs windows that fit the padded input, positive strides, and padding smaller than the window. Received: spatial extents {}, {self}.",
                Shape::from(spatial)
            ))
        })
    }
}

impl std::fmt::Display for Windows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Windows {
            size,
            strides,
            padding,
        } = self;
        write!(
            f,
            "windows {size:?}, strides {strides:?}, padding {padding:?}"
        )
    }
}

impl Pool {
    /// The type of what is pooled, for a result or gradient of the pooled type, and the reverse.
    fn types(&self, like: &TensorType, pooled: bool) -> Result<TensorType> {
        let spatial = match pooled {
            true => self.windows.count(&self.spatial)?,
            false => self.spatial.clone(),
        };
        let (Some(batch), Some(channels)) = (like.shape.first(), like.shape.last()) else {
            return Err(Error::shape("pooling needs (batch, spatial…, channels)."));
        };
        let mut shape = vec![*batch];
        shape.extend(spatial);
        shape.push(*channels);
        Ok(TensorType {
            shape: shape.into(),
            dtype: like.dtype,
        })
    }

    /// Every cell of every window that is not padding: the cell's place in the input and the window's
    /// in the output, spatial axes only, in the order of windows and of cells within.
    fn cells(&self) -> Vec<Vec<usize>> {
        let Ok(counts) = self.windows.count(&self.spatial) else {
            return Vec::new();
        };
        let unravel = |mut i: usize, extents: &[usize]| {
            let mut place = vec![0; extents.len()];
            for (p, n) in place.iter_mut().zip(extents).rev() {
                *p = i % n;
                i /= n;
            }
            place
        };
        let window = |o: usize| {
            let at = unravel(o, &counts);
            let cells = 0..self.windows.size.iter().product();
            cells
                .filter_map(|c| {
                    let offset = unravel(c, &self.windows.size);
                    let axes = at.iter().zip(&offset).zip(&self.spatial).enumerate();
                    axes.into_iter().try_fold(0, |place, (i, ((o, c), n))| {
                        let (low, _) = self.windows.padding[i];
                        let x = (o * self.windows.strides[i] + c).checked_sub(low)?;
                        (x < *n).then_some(place * n + x)
                    })
                })
                .collect()
        };
        (0..counts.iter().product()).map(window).collect()
    }
}

impl Operation for Pool {
    fn name(&self) -> &'static str {
        match self.f {
            PoolFn::Max => "max_pool",
            PoolFn::MaxScatter => "max_pool_scatter",
            PoolFn::MaxGather => "max_pool_gather",
            PoolFn::Sum => "sum_pool",
            PoolFn::SumScatter => "sum_pool_scatter",
        }
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let first = &inputs[0];
        if first.dtype == DType::Bool {
            return Err(Error::dtype(format!(
                "{} needs numbers. Received: {first}.",
                self.name()
            )));
        }
        let (whole, pooled) = (self.types(first, false)?, self.types(first, true)?);
        let (expected, result) = match self.f {
            PoolFn::Max | PoolFn::Sum => (vec![&whole], &pooled),
            PoolFn::MaxScatter => (vec![&whole, &pooled], &whole),
            PoolFn::MaxGather => (vec![&whole, &whole], &pooled),
            PoolFn::SumScatter => (vec![&pooled], &whole),
        };
        if inputs.iter().ne(expected.iter().copied()) {
            let list = |types: &mut dyn Iterator<Item = &TensorType>| {
                types
                    .map(TensorType::to_string)
                    .collect::<Vec<_>>()
                    .join(" and ")
            };
            return Err(Error::shape(format!(
                "{} with {} expects {}. Received: {}.",
                self.name(),
                self.windows,
                list(&mut expected.into_iter()),
                list(&mut inputs.iter())
            )));
        }
        Ok(result.clone())
    }

    fn grad(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        g: &Tensor,
        wanted: &[bool],
    ) -> Vec<Option<Tensor>> {
        let apply = |f: PoolFn, operands: &[&Tensor]| {
            let op = Pool { f, ..self.clone() };
            let operands = operands.iter().map(|t| (*t).clone()).collect();
            Some(Tensor::new(op.into(), operands, Location::caller()))
        };
        let x = &inputs[0];
        match self.f {
            PoolFn::Max => vec![apply(PoolFn::MaxScatter, &[x, g])],
            // Where the largest cells are does not change with x.
            PoolFn::MaxScatter => vec![
                None,
                wanted[1]
                    .then(|| apply(PoolFn::MaxGather, &[x, g]))
                    .flatten(),
            ],
            PoolFn::MaxGather => vec![
                None,
                wanted[1]
                    .then(|| apply(PoolFn::MaxScatter, &[x, g]))
                    .flatten(),
            ],
            PoolFn::Sum => vec![apply(PoolFn::SumScatter, &[g])],
            PoolFn::SumScatter => vec![apply(PoolFn::Sum, &[g])],
        }
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        if ty.dtype.is_float() {
            let inputs: Vec<Vec<f64>> = inputs.iter().map(|a| a.to_vec()).collect();
            map(ty, self.pool(&inputs, ty, f64::is_nan).into_iter())
        } else {
            let inputs: Vec<Vec<i64>> = inputs.iter().map(|a| a.to_vec()).collect();
            ints(ty, self.pool(&inputs, ty, |_| false))
        }
    }
}

impl Pool {
    fn pool<T>(&self, inputs: &[Vec<T>], ty: &TensorType, nan: impl Fn(T) -> bool) -> Vec<T>
    where
        T: Copy + Default + PartialOrd + std::ops::AddAssign,
    {
        let windows = self.cells();
        let (batch, channels) = (ty.shape[0], ty.shape[ty.shape.rank() - 1]);
        let cells: usize = self.spatial.iter().product();
        let mut out = vec![T::default(); ty.shape.size()];
        for (b, c) in (0..batch).flat_map(|b| (0..channels).map(move |c| (b, c))) {
            let at = |cell: usize| (b * cells + cell) * channels + c;
            for (o, window) in windows.iter().enumerate() {
                let o = (b * windows.len() + o) * channels + c;
                let x = &inputs[0];
                let first_largest = || {
                    let mut best = window[0];
                    for cell in window {
                        let (v, largest) = (x[at(*cell)], x[at(best)]);
                        if v > largest || (nan(v) && !nan(largest)) {
                            best = *cell;
                        }
                    }
                    at(best)
                };
                match self.f {
                    PoolFn::Max => out[o] = x[first_largest()],
                    PoolFn::MaxScatter => out[first_largest()] += inputs[1][o],
                    PoolFn::MaxGather => out[o] = inputs[1][first_largest()],
                    PoolFn::Sum => window.iter().for_each(|cell| out[o] += x[at(*cell)]),
                    PoolFn::SumScatter => window.iter().for_each(|cell| out[at(*cell)] += x[o]),
                }
            }
        }
        out
    }
}

impl Tensor {
    #[track_caller]
    fn pool(&self, f: PoolFn, windows: Windows) -> Tensor {
        let line = Location::caller();
        if self.rank() < 3 {
            let e = Error::shape(format!(
                "pooling needs (batch, spatial…, channels). Received: {}.",
                self.shape()
            ));
            return Tensor::failed(e, &[self], line);
        }
        let spatial = self.shape()[1..self.rank() - 1].to_vec();
        let op = Pool {
            f,
            windows,
            spatial,
        };
        Tensor::new(op.into(), vec![self.clone()], line)
    }

    /// The largest element of each window of `(batch, spatial…, channels)`; padding never counts.
    ///
    /// ```
    /// use cornu_core::ops::pool::Windows;
    /// use cornu_core::{Device, Reference, Tensor};
    /// let x = Tensor::constant([1.0f32, 5.0, 2.0, 4.0]).reshape([1, 4, 1]);
    /// let pairs = Windows { size: vec![2], strides: vec![2], padding: vec![(0, 0)] };
    /// let y = Device::new(Reference).eval(&[x.max_pool(pairs)]).unwrap();
    /// assert_eq!(y[0].to_vec::<f32>(), [5.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn max_pool(&self, windows: Windows) -> Tensor {
        self.pool(PoolFn::Max, windows)
    }

    /// The sum of each window of `(batch, spatial…, channels)`.
    #[track_caller]
    pub fn sum_pool(&self, windows: Windows) -> Tensor {
        self.pool(PoolFn::Sum, windows)
    }

    /// The mean of each window of `(batch, spatial…, channels)`, over the cells that are not padding.
    ///
    /// ```
    /// use cornu_core::ops::pool::Windows;
    /// use cornu_core::{Device, Reference, Tensor};
    /// let x = Tensor::constant([1.0f32, 5.0, 3.0]).reshape([1, 3, 1]);
    /// let pairs = Windows { size: vec![2], strides: vec![2], padding: vec![(0, 1)] };
    /// let y = Device::new(Reference).eval(&[x.average_pool(pairs)]).unwrap();
    /// assert_eq!(y[0].to_vec::<f32>(), [3.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn average_pool(&self, windows: Windows) -> Tensor {
        let sum = self.sum_pool(windows.clone());
        if sum.check().is_err() || windows.padding.iter().all(|p| *p == (0, 0)) {
            return sum / windows.size.iter().product::<usize>() as f64;
        }
        let mut one = self.shape().to_vec();
        let rank = one.len();
        (one[0], one[rank - 1]) = (1, 1);
        sum / Tensor::full(one, 1.0, self.dtype()).sum_pool(windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let x = Tensor::zeros([1, 4, 4, 2], DType::F32);
        let pool = |size: usize, stride: usize, padding: (usize, usize)| {
            let y = x.max_pool(Windows {
                size: vec![size; 2],
                strides: vec![stride; 2],
                padding: vec![padding; 2],
            });
            y.check()
                .map(|()| y.shape().to_vec())
                .map_err(|e| e.to_string())
        };
        assert_eq!(pool(2, 2, (0, 0)), Ok(vec![1, 2, 2, 2]));
        assert_eq!(pool(3, 1, (1, 1)), Ok(vec![1, 4, 4, 2]));
        for (size, stride, padding) in [
            (5, 1, (0, 0)),
            (0, 1, (0, 0)),
            (2, 0, (0, 0)),
            (2, 1, (2, 0)),
        ] {
            let e = pool(size, stride, padding).unwrap_err();
            assert!(
                e.contains("Received: spatial extents (4, 4), windows"),
                "{e}"
            );
        }
        let flat = Tensor::zeros([4, 4], DType::F32);
        let windows = Windows {
            size: vec![2],
            strides: vec![2],
            padding: vec![(0, 0)],
        };
        assert!(flat.sum_pool(windows).check().is_err());
    }
}
