//! Minimising by Newton's method: the quadratic model of each step by Cholesky's decomposition or, with
//! a penalty on absolute values, by coordinate descent.

use crate::factor::Cholesky;
use crate::lbfgs::{Minimised, dot};
use crate::problem::Problem;
use faer::{Mat, MatRef};

/// Minimises from `w` on until the steepest slope is at most `tol` (Friedman, Hastie and Tibshirani,
/// *Regularization Paths for Generalized Linear Models via Coordinate Descent*, 2010; Lee, Sun and
/// Saunders, *Proximal Newton-Type Methods*, 2014).
pub(crate) fn minimise(
    problem: &Problem<'_, '_>,
    w: &mut [f64],
    tol: f64,
    max_iter: usize,
) -> Minimised {
    let mut gradient = vec![0.0; w.len()];
    let (smooth, mut hessian) = problem.curved(w, &mut gradient);
    let mut value = smooth + problem.absolute(w);
    let mut iterations = 0;
    let mut converged = problem.steepness(w, &gradient) <= tol;
    while !converged && iterations < max_iter && value.is_finite() {
        let size = hessian.nrows();
        let step = match problem.l1 > 0.0 {
            true => descend(problem, hessian.as_ref(), w, &gradient),
            false => solve(hessian, &gradient[..size]),
        };
        let slope = dot(&step, &gradient[..size]);
        let absolute = problem.absolute(w);
        let mut tried = w.to_vec();
        let mut tried_gradient = vec![0.0; w.len()];
        let mut length = 1.0;
        let (new, curvature) = loop {
            for ((t, w), s) in tried.iter_mut().zip(&*w).zip(&step) {
                *t = w + length * s;
            }
            // The full step mostly does, and then the next one is taken from where it led.
            let (smooth, curvature) = match length == 1.0 && problem.size() <= FEW {
                true => {
                    let (smooth, curvature) = problem.curved(&tried, &mut tried_gradient);
                    (smooth, Some(curvature))
                }
                false => (problem.smooth(&tried, &mut tried_gradient), None),
            };
            let new = smooth + problem.absolute(&tried);
            let expected = length * slope + problem.absolute(&tried) - absolute;
            // Near the optimum the decrease is below what the value's digits show.
            let noise = 4.0 * f64::EPSILON * value.abs();
            if new <= value + 1e-4 * expected.min(0.0) + noise {
                break (new, curvature);
            }
            length *= 0.5;
            if length < 1e-10 {
                return Minimised {
                    value,
                    iterations,
                    converged,
                };
            }
        };
        iterations += 1;
        w.copy_from_slice(&tried);
        gradient.copy_from_slice(&tried_gradient);
        value = new;
        converged = problem.steepness(w, &gradient) <= tol;
        hessian = match curvature {
            Some(curvature) => curvature,
            None if converged => break,
            None => problem.curved(w, &mut gradient).1,
        };
    }
    Minimised {
        value,
        iterations,
        converged,
    }
}

/// Coefficients up to which their curvatures cost less than reading the rows once more.
const FEW: usize = 64;

/// `−H⁻¹ g`. Where curvature is missing (classes' intercepts may all rise together; features may depend on
/// each other) a little is added.
pub(crate) fn solve(mut hessian: Mat<f64>, gradient: &[f64]) -> Vec<f64> {
    let size = hessian.nrows();
    let b = Mat::from_fn(size, 1, |i, _| -gradient[i]);
    let mean = (0..size).map(|i| hessian[(i, i)]).sum::<f64>() / size as f64;
    let mut added = 1e-12 * mean.max(f64::MIN_POSITIVE);
    loop {
        if let Some(cholesky) = Cholesky::new(hessian.as_ref()) {
            let step: Vec<f64> = cholesky.solve(b.as_ref()).col(0).iter().copied().collect();
            let down = dot(&step, gradient) <= 0.0 && step.iter().all(|s| s.is_finite());
            if down {
                return step;
            }
        }
        if added > 1e6 * mean || !added.is_finite() {
            return gradient.iter().map(|g| -g).collect();
        }
        for i in 0..size {
            hessian[(i, i)] += added;
        }
        added *= 100.0;
    }
}

/// Minimises the quadratic model with the penalty on absolute values, coordinate by coordinate.
fn descend(
    problem: &Problem<'_, '_>,
    hessian: MatRef<'_, f64>,
    w: &[f64],
    gradient: &[f64],
) -> Vec<f64> {
    let size = hessian.nrows();
    let mut step = vec![0.0; size];
    let mut slopes = gradient[..size].to_vec();
    let mut first = None;
    for _ in 0..10_000 {
        let mut largest = 0.0_f64;
        for j in 0..size {
            let curvature = hessian[(j, j)];
            if curvature <= 0.0 {
                continue;
            }
            let at = w[j] + step[j];
            let best = at - slopes[j] / curvature;
            let l1 = if j < problem.coefs() {
                problem.l1 / curvature
            } else {
                0.0
            };
            let by = best.signum() * (best.abs() - l1).max(0.0) - at;
            if by == 0.0 {
                continue;
            }
            step[j] += by;
            largest = largest.max(curvature * by * by);
            for (slope, h) in slopes.iter_mut().zip(hessian.col(j).iter()) {
                *slope += by * h;
            }
        }
        if largest <= 1e-20 * *first.get_or_insert(largest) {
            break;
        }
    }
    step
}
