//! Fitting the shapes of labels, predictions and weights to each other.

pub(super) use crate::losses::squeeze_or_expand as same_rank;
use cornu_core::{DType, Tensor};

/// `x` as `f32`, in which metrics count.
pub(super) fn float(x: &Tensor) -> Tensor {
    x.cast(DType::F32)
}

/// The axes `from..to`.
pub(super) fn axes(from: usize, to: usize) -> Vec<isize> {
    (from as isize..to as isize).collect()
}

/// `a / b`, and 0 where `b` is 0; Keras' `divide_no_nan`.
pub(super) fn divide_no_nan(a: &Tensor, b: &Tensor) -> Tensor {
    let none = b.eq(0.0);
    none.select(0.0, a / none.select(1.0, b))
}

/// [`divide_no_nan`] of two numbers.
pub(super) fn host_divide_no_nan(a: f32, b: f32) -> f32 {
    if b == 0.0 { 0.0 } else { a / b }
}
