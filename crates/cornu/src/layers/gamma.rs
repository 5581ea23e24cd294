//! Random numbers of the gamma distribution, and of those made of it.

use crate::{DType, Tensor};

/// Tries of which one is taken; that none can be has a chance below 10⁻¹⁰.
const TRIES: usize = 8;

/// How many uniform numbers one draw takes.
pub(super) const NUMBERS: usize = 1 + 3 * TRIES;

/// The logarithms of draws from the gamma distribution of this shape `alpha` > 0 (a scalar, or one for each),
/// made of uniform numbers in [0, 1) in `f32`, `(NUMBERS, n)`: `(n,)`. By rejection (Marsaglia and Tsang, 2000);
/// logarithms, because for a small shape most draws are too small for `f32`.
pub(super) fn log_gamma(uniform: &Tensor, alpha: &Tensor) -> Tensor {
    let n = uniform.shape()[1];
    // In (0, 1], for logarithms.
    let number = |i: usize| 1.0 - uniform.narrow(0, i, 1).reshape([n]);
    let small = alpha.lt(1.0);
    let d = small.select(alpha + 1.0, alpha) - 1.0 / 3.0;
    let c = (&d * 9.0).rsqrt();
    let (mut found, mut log) = (None::<Tensor>, Tensor::zeros([n], DType::F32));
    for i in 0..TRIES {
        let angle = number(3 * i + 2) * std::f64::consts::TAU;
        let x = (number(3 * i + 1).log() * -2.0).sqrt() * angle.cos();
        let root = &x * &c + 1.0;
        let positive = root.gt(0.0);
        let log_v = positive.select(&root, 1.0).log() * 3.0;
        let v = log_v.exp();
        let bound = x.square() * 0.5 + &d * (1.0 - v + &log_v);
        let taken = number(3 * i + 3).log().lt(bound).logical_and(positive);
        (log, found) = match found {
            None => (log_v, Some(taken)),
            Some(found) => (found.select(&log, log_v), Some(found.logical_or(taken))),
        };
    }
    // Of a shape below 1: that of one more, times a power of a uniform number.
    let less = small.select(number(0).log() / alpha, 0.0);
    d.log() + log + less
}

/// Draws from Beta(α, α), made of twice as many uniform numbers, `(2 · NUMBERS, n)`: `(n,)` between 0 and 1.
pub(super) fn symmetric_beta(uniform: &Tensor, alpha: &Tensor) -> Tensor {
    let half = |i: usize| log_gamma(&uniform.narrow(0, i * NUMBERS, NUMBERS), alpha);
    (half(0) - half(1)).sigmoid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Eval;

    /// Mean and variance of 40,000 draws, within five standard deviations of theirs.
    #[test]
    fn moments() {
        const N: usize = 40_000;
        let state = Tensor::constant([3i32, 4, 5]);
        let uniform = |rows| Tensor::random(&state, 0, [rows, N], DType::F32);
        let moments = |t: Tensor| {
            let v = t.eval().unwrap().to_vec::<f64>();
            let mean = v.iter().sum::<f64>() / N as f64;
            let variance = v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64;
            (mean, variance)
        };
        for alpha in [0.05, 0.2, 1.0, 4.0] {
            let shape = Tensor::from(alpha as f32);
            let near = |got: f64, want: f64, kurtosis: f64| {
                let error = 5.0 * want * (kurtosis / N as f64).sqrt();
                assert!((got - want).abs() < error, "{alpha}: {got} and not {want}");
            };
            let (mean, variance) = moments(log_gamma(&uniform(NUMBERS), &shape).exp());
            near(mean, alpha, 1.0 / alpha);
            near(variance, alpha, 2.0 + 6.0 / alpha);
            let (mean, variance) = moments(symmetric_beta(&uniform(2 * NUMBERS), &shape));
            near(mean, 0.5, 1.0);
            near(variance, 0.25 / (2.0 * alpha + 1.0), 2.0);
        }
    }

    #[test]
    fn draws_of_the_least_shapes_are_numbers() {
        let state = Tensor::constant([3i32, 4, 5]);
        let uniform = Tensor::random(&state, 0, [2 * NUMBERS, 1000], DType::F32);
        let drawn = symmetric_beta(&uniform, &Tensor::from(1e-6f32));
        let values = drawn.eval().unwrap().to_vec::<f32>();
        assert!(values.iter().all(|v| *v == 0.0 || *v == 1.0), "{values:?}");
        let ones = values.iter().filter(|v| **v == 1.0).count();
        assert!((400..600).contains(&ones), "{ones}");
    }
}
