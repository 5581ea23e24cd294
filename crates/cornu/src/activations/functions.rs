//! The functions themselves. `f(x)` has Keras' default arguments, `f_with(x, …)` takes all of them.
//! Elementwise but for `softmax`, `log_softmax`, `sparsemax` and `glu`. Formulas are those of
//! `keras.activations` on its JAX backend, gradients at kinks included.

use crate::{DType, Error, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_PI};

/// `x`, unchanged.
pub fn linear(x: &Tensor) -> Tensor {
    x.clone()
}

/// `max(x, 0)`.
#[track_caller]
pub fn relu(x: &Tensor) -> Tensor {
    x.relu()
}

/// `relu` with a slope below the threshold and an upper limit: `max_value` (if any) from there on, `x`
/// between `threshold` and `max_value`, `negative_slope · (x − threshold)` below.
#[track_caller]
pub fn relu_with(
    x: &Tensor,
    negative_slope: f64,
    max_value: Option<f64>,
    threshold: f64,
) -> Tensor {
    if negative_slope != 0.0 && max_value.is_none() && threshold == 0.0 {
        return leaky_relu_with(x, negative_slope);
    }
    let mut y = if threshold != 0.0 {
        x.gt(threshold).select(x, 0.0)
    } else {
        x.relu()
    };
    if let Some(max) = max_value {
        y = y.clip(0.0, max);
    }
    if negative_slope != 0.0 {
        y = y - (threshold - x).relu() * negative_slope;
    }
    y
}

/// `relu` limited to 6.
#[track_caller]
pub fn relu6(x: &Tensor) -> Tensor {
    x.ge(6.0).select(6.0, x.relu())
}

/// `x` if `x ≥ 0`, else `0.2 · x`.
#[track_caller]
pub fn leaky_relu(x: &Tensor) -> Tensor {
    leaky_relu_with(x, 0.2)
}

/// `x` if `x ≥ 0`, else `negative_slope · x`.
#[track_caller]
pub fn leaky_relu_with(x: &Tensor, negative_slope: f64) -> Tensor {
    x.ge(0.0).select(x, x * negative_slope)
}

/// `x` if `x > 0`, else `eˣ − 1`.
#[track_caller]
pub fn elu(x: &Tensor) -> Tensor {
    elu_with(x, 1.0)
}

/// `x` if `x > 0`, else `alpha · (eˣ − 1)`.
#[track_caller]
pub fn elu_with(x: &Tensor, alpha: f64) -> Tensor {
    let positive = x.gt(0.0);
    // The exponential never sees a positive number: its infinity would poison the gradient.
    let negative = positive.select(x.zeros_like(), x);
    positive.select(x, negative.expm1() * alpha)
}

/// `1.0507 · elu(x, 1.6733)`: keeps mean and variance (Klambauer et al., 2017).
#[track_caller]
pub fn selu(x: &Tensor) -> Tensor {
    elu_with(x, 1.673_263_242_354_377_2) * 1.050_700_987_355_480_5
}

/// `max(x, 0) + e^min(x, 0) − 1`.
#[track_caller]
pub fn celu(x: &Tensor) -> Tensor {
    celu_with(x, 1.0)
}

/// `max(x, 0) + alpha · (e^(min(x, 0) / alpha) − 1)`.
#[track_caller]
pub fn celu_with(x: &Tensor, alpha: f64) -> Tensor {
    x.maximum(0.0) + (x.minimum(0.0) / alpha).expm1() * alpha
}

/// `eˣ`.
#[track_caller]
pub fn exponential(x: &Tensor) -> Tensor {
    x.exp()
}

/// `x · Φ(x)` with the normal distribution function: `x/2 · (1 + erf(x/√2))`.
#[track_caller]
pub fn gelu(x: &Tensor) -> Tensor {
    gelu_with(x, false)
}

/// [`gelu`], or its approximation `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
#[track_caller]
pub fn gelu_with(x: &Tensor, approximate: bool) -> Tensor {
    if approximate {
        let inner = (x + x.square() * x * 0.044715) * FRAC_2_PI.sqrt();
        x * (inner.tanh() + 1.0) * 0.5
    } else {
        x * ((x * FRAC_1_SQRT_2).erf() + 1.0) * 0.5
    }
}

/// The first half of the last axis times the sigmoid of the second half (Dauphin et al., 2016).
#[track_caller]
pub fn glu(x: &Tensor) -> Tensor {
    glu_with(x, -1)
}

/// [`glu`] along `axis`, whose extent must be even; it is halved.
#[track_caller]
pub fn glu_with(x: &Tensor, axis: isize) -> Tensor {
    let n = match x.shape().axis(axis) {
        Ok(a) => x.shape()[a],
        Err(e) => return Tensor::error(e),
    };
    if n % 2 != 0 {
        return Tensor::error(Error::shape(format!(
            "glu halves axis {axis}, so its extent must be even. Received: shape {}.",
            x.shape()
        )));
    }
    x.narrow(axis, 0, n / 2) * x.narrow(axis, n / 2, n / 2).sigmoid()
}

/// `x` where `|x| > 0.5`, else 0.
#[track_caller]
pub fn hard_shrink(x: &Tensor) -> Tensor {
    hard_shrink_with(x, 0.5)
}

/// `x` where `|x| > threshold`, else 0.
#[track_caller]
pub fn hard_shrink_with(x: &Tensor, threshold: f64) -> Tensor {
    x.abs().gt(threshold).select(x, 0.0)
}

/// `x` moved by 0.5 toward 0, and 0 within.
#[track_caller]
pub fn soft_shrink(x: &Tensor) -> Tensor {
    soft_shrink_with(x, 0.5)
}

/// `x` moved by `threshold` toward 0, and 0 within.
#[track_caller]
pub fn soft_shrink_with(x: &Tensor, threshold: f64) -> Tensor {
    let low = x.lt(-threshold).select(x + threshold, 0.0);
    x.gt(threshold).select(x - threshold, low)
}

/// `clip(x / 6 + 0.5, 0, 1)`.
#[track_caller]
pub fn hard_sigmoid(x: &Tensor) -> Tensor {
    relu6(&(x + 3.0)) * (1.0 / 6.0)
}

/// `x · hard_sigmoid(x)`, also called hard swish.
#[track_caller]
pub fn hard_silu(x: &Tensor) -> Tensor {
    x * hard_sigmoid(x)
}

/// `clip(x, −1, 1)`.
#[track_caller]
pub fn hard_tanh(x: &Tensor) -> Tensor {
    let low = x.lt(-1.0).select(-1.0, x);
    x.gt(1.0).select(1.0, low)
}

/// `ln(1 / (1 + e⁻ˣ))`, without overflow.
#[track_caller]
pub fn log_sigmoid(x: &Tensor) -> Tensor {
    -(-x).softplus()
}

/// The logarithm of [`softmax`] over the last axis.
#[track_caller]
pub fn log_softmax(x: &Tensor) -> Tensor {
    log_softmax_with(x, &[-1])
}

/// The logarithm of [`softmax_with`].
#[track_caller]
pub fn log_softmax_with(x: &Tensor, axes: &[isize]) -> Tensor {
    let shifted = x - x.max_axes(axes, true).stop_gradient();
    &shifted - shifted.exp().sum_axes(axes, true).log()
}

/// `x · tanh(softplus(x))` (Misra, 2019).
#[track_caller]
pub fn mish(x: &Tensor) -> Tensor {
    x * x.softplus().tanh()
}

/// `1 / (1 + e⁻ˣ)`.
#[track_caller]
pub fn sigmoid(x: &Tensor) -> Tensor {
    x.sigmoid()
}

/// `x · sigmoid(x)`, also called swish.
#[track_caller]
pub fn silu(x: &Tensor) -> Tensor {
    x * x.sigmoid()
}

/// `eˣ / Σ eˣ` over the last axis.
#[track_caller]
pub fn softmax(x: &Tensor) -> Tensor {
    x.softmax(-1)
}

/// `eˣ / Σ eˣ` over `axes` together.
#[track_caller]
pub fn softmax_with(x: &Tensor, axes: &[isize]) -> Tensor {
    x.softmax_axes(axes)
}

/// `ln(1 + eˣ)`, without overflow.
#[track_caller]
pub fn softplus(x: &Tensor) -> Tensor {
    x.softplus()
}

/// `x / (|x| + 1)`.
#[track_caller]
pub fn softsign(x: &Tensor) -> Tensor {
    x / (x.abs() + 1.0)
}

/// 0 up to −1, `(x + 1)² / 4` up to 1, then `x`.
#[track_caller]
pub fn sparse_plus(x: &Tensor) -> Tensor {
    let middle = (x + 1.0).square() * 0.25;
    let high = x.ge(1.0).select(x, middle);
    x.le(-1.0).select(0.0, high)
}

/// `clip((x + 1) / 2, 0, 1)`.
#[track_caller]
pub fn sparse_sigmoid(x: &Tensor) -> Tensor {
    (x + 1.0).clip(0.0, 2.0) * 0.5
}

/// The point of the probability simplex nearest to `x` along the last axis (Martins and Astudillo,
/// 2016): like softmax, with true zeros.
#[track_caller]
pub fn sparsemax(x: &Tensor) -> Tensor {
    sparsemax_with(x, -1)
}

/// [`sparsemax`] along `axis`.
#[track_caller]
pub fn sparsemax_with(x: &Tensor, axis: isize) -> Tensor {
    let axis = match x.shape().axis(axis) {
        Ok(a) => a,
        Err(e) => return Tensor::error(e),
    };
    // Sorting works on the last axis.
    let last = x.rank() - 1;
    let mut order: Vec<usize> = (0..=last).collect();
    order.swap(axis, last);
    let x = x.transpose(&order);
    let sorted = x.sort(true);
    let sums = sorted.cumsum(-1);
    let count = Tensor::arange(x.shape()[last], DType::I32).cast(x.dtype()) + 1.0;
    let support = (&sorted - (&sums - 1.0) / count).gt(0.0);
    let k = support.cast(x.dtype()).sum_axes(&[-1], true);
    // The threshold is (Σ of the supported elements − 1) / k.
    let supported = support.select(&sorted, 0.0).sum_axes(&[-1], true);
    let tau = (supported - 1.0) / k;
    (x - tau).maximum(0.0).transpose(&order)
}

/// `(x + √(x² + 4)) / 2`.
#[track_caller]
pub fn squareplus(x: &Tensor) -> Tensor {
    squareplus_with(x, 4.0)
}

/// `(x + √(x² + b)) / 2`.
#[track_caller]
pub fn squareplus_with(x: &Tensor, b: f64) -> Tensor {
    (x + (x.square() + b).sqrt()) * 0.5
}

/// Hyperbolic tangent.
#[track_caller]
pub fn tanh(x: &Tensor) -> Tensor {
    x.tanh()
}

/// `x − tanh(x)`.
#[track_caller]
pub fn tanh_shrink(x: &Tensor) -> Tensor {
    x - x.tanh()
}

/// `x` where `x > threshold`, else `default_value`.
#[track_caller]
pub fn threshold(x: &Tensor, threshold: f64, default_value: f64) -> Tensor {
    x.gt(threshold).select(x, default_value)
}
