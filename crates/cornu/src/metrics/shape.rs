//! Fitting the shapes of labels, predictions and weights to each other.

use cornu_core::{DType, Tensor};

/// `x` as `f32`, in which metrics count.
pub(super) fn float(x: &Tensor) -> Tensor {
    x.cast(DType::F32)
}

/// Keras' `squeeze_or_expand_to_same_rank`: where one has one axis more and that is a last one of
/// extent 1, it is dropped; beside a tensor of rank 1 the other is expanded instead, if
/// `expand_rank_1`.
pub(super) fn same_rank_with(a: &Tensor, b: &Tensor, expand_rank_1: bool) -> (Tensor, Tensor) {
    let fit = |long: &Tensor, short: &Tensor| {
        if long.rank() != short.rank() + 1 || long.shape().last() != Some(&1) {
            (long.clone(), short.clone())
        } else if short.rank() == 1 && expand_rank_1 {
            (long.clone(), short.expand_dims(-1))
        } else {
            (long.squeeze(-1), short.clone())
        }
    };
    if a.rank() >= b.rank() {
        fit(a, b)
    } else {
        let (b, a) = fit(b, a);
        (a, b)
    }
}

/// [`same_rank_with`], expanding vectors.
pub(super) fn same_rank(a: &Tensor, b: &Tensor) -> (Tensor, Tensor) {
    same_rank_with(a, b, true)
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
