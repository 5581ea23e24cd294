//! Sorting and the largest `k`.

use super::Operation;
use super::elementwise::ints;
use crate::array::Array;
use crate::dtype::DType;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::cmp::Ordering;
use std::panic::Location;

/// The indices (`i32`) that put the last axis in order; the first `k` of them. Equal elements keep
/// their order; NaN comes last ascending and first descending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ArgSort {
    /// Largest first.
    pub descending: bool,
    /// How many indices.
    pub k: usize,
}

/// The order of two elements, NaN as the largest.
pub fn compare(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

impl Operation for ArgSort {
    fn name(&self) -> &'static str {
        "argsort"
    }
    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let x = &inputs[0];
        let mut shape = x.shape.to_vec();
        match shape.last_mut() {
            Some(n) if self.k <= *n => *n = self.k,
            _ => {
                return Err(Error::shape(format!(
                    "Cannot take the first {} in order along the last axis of {x}.",
                    self.k
                )));
            }
        }
        Ok(TensorType {
            shape: shape.into(),
            dtype: DType::I32,
        })
    }
    fn grad(&self, _: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None]
    }
    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        let x = inputs[0];
        let n = x.shape().last().copied().unwrap_or(1);
        let values = x.to_vec::<f64>();
        let mut out = Vec::with_capacity(ty.shape.size());
        for row in values.chunks(n.max(1)) {
            let mut order: Vec<i64> = (0..n as i64).collect();
            order.sort_by(|a, b| {
                let c = compare(row[*a as usize], row[*b as usize]);
                if self.descending { c.reverse() } else { c }
            });
            out.extend_from_slice(&order[..self.k]);
        }
        ints(ty, out)
    }
}

impl Tensor {
    #[track_caller]
    fn arg_sort_with(&self, descending: bool, k: usize) -> Tensor {
        Tensor::new(
            ArgSort { descending, k }.into(),
            vec![self.clone()],
            Location::caller(),
        )
    }

    /// The indices (`i32`) that sort the last axis, ascending or descending; stable.
    #[track_caller]
    pub fn argsort(&self, descending: bool) -> Tensor {
        self.arg_sort_with(descending, self.shape().last().copied().unwrap_or(0))
    }

    /// The last axis sorted.
    #[track_caller]
    pub fn sort(&self, descending: bool) -> Tensor {
        self.take_along(self.argsort(descending), -1)
    }

    /// The `k` largest of the last axis, largest first, and their indices (`i32`).
    #[track_caller]
    pub fn top_k(&self, k: usize) -> (Tensor, Tensor) {
        let indices = self.arg_sort_with(true, k);
        (self.take_along(&indices, -1), indices)
    }
}
