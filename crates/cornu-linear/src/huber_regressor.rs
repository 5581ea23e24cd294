//! Regression that outliers do not pull away.

use crate::estimator::predicts_by_model;
use crate::lbfgs::dot;
use crate::newton::solve;
use crate::options::setters;
use crate::preprocessing::dense;
use crate::standard::Standard;
use crate::{Error, Estimator, LinearModel, Result, Rows, Targets, check};
use ndarray::Array2;

/// Linear regression whose errors count by their squares up to `epsilon` times their scale, and in proportion beyond.
/// The scale is fitted too (Huber and Ronchetti, *Robust Statistics*, 2009, section 7.7): minimises
/// `Σ w · (σ + H(error / σ) · σ) + alpha · Σ coef²`, by Newton's method with the best σ for each step's coefficients.
///
/// ```
/// use cornu_linear::{Estimator, HuberRegressor};
/// use ndarray::{Array1, Array2};
///
/// let x = Array2::from_shape_fn((30, 1), |(r, _)| r as f64);
/// let mut y = Array1::from_shape_fn(30, |r| 2.0 * r as f64 + (r % 3) as f64);
/// y[29] = 500.0;
/// let fit = HuberRegressor::new().fit(&x, &y)?;
/// assert!((fit.model().coef()[[0, 0]] - 2.0).abs() < 0.05);
/// assert!(fit.outliers()[29] && !fit.outliers()[0]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HuberRegressor {
    epsilon: f64,
    alpha: f64,
    fit_intercept: bool,
    max_iter: usize,
    tol: f64,
}

impl Default for HuberRegressor {
    fn default() -> Self {
        Self {
            epsilon: 1.35,
            alpha: 1e-4,
            fit_intercept: true,
            max_iter: 100,
            tol: 1e-5,
        }
    }
}

impl HuberRegressor {
    /// With `epsilon` 1.35 and `alpha` 0.0001.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Beyond how many times their scale errors are outliers, at least 1 (default: 1.35, by which normal errors lose
        /// 5 % of efficiency).
        epsilon: f64 => epsilon;

        /// The weight of the squares of the coefficients (default: 0.0001).
        alpha: f64 => alpha;

        /// Whether an intercept is fitted (default: yes).
        fit_intercept: bool => fit_intercept;

        /// The most iterations (default: 100).
        max_iter: usize => max_iter;

        /// The decrease of the objective still to be expected at which to stop, as a part of it; its square counts, as
        /// Newton's method doubles the digits (default: 1e-5).
        tol: f64 => tol;
    }
}

/// A fitted [`HuberRegressor`].
#[derive(Clone, Debug, PartialEq)]
pub struct HuberFit {
    model: LinearModel,
    scale: f64,
    outliers: Vec<bool>,
}

impl HuberFit {
    /// The linear function.
    pub fn model(&self) -> &LinearModel {
        &self.model
    }

    /// The errors' scale.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Of each row, whether its error is beyond `epsilon` times the scale.
    pub fn outliers(&self) -> &[bool] {
        &self.outliers
    }
}

/// The objective at coefficients and an intercept, with the best scale for them.
struct At {
    value: f64,
    scale: f64,
    errors: Vec<f64>,
}

struct Huber<'a> {
    x: &'a Standard<'a>,
    y: &'a [f64],
    weights: &'a [f64],
    epsilon: f64,
    /// The penalty of each standardised coefficient.
    alpha: Vec<f64>,
    fit_intercept: bool,
    /// Rows that are fitted exactly would have a scale of 0.
    least: f64,
}

impl Huber<'_> {
    fn outlier(&self, error: f64, scale: f64) -> bool {
        error.abs() > self.epsilon * scale
    }

    fn at(&self, w: &[f64]) -> At {
        let fitted = self.x.product(w);
        let errors: Vec<f64> = self.y.iter().zip(&fitted).map(|(y, f)| y - f).collect();
        let scale = self.best_scale(&errors);
        let loss = |error: f64| match self.outlier(error, scale) {
            true => scale + 2.0 * self.epsilon * error.abs() - scale * self.epsilon * self.epsilon,
            false => scale + error * error / scale,
        };
        let rows = errors.iter().zip(self.weights);
        let losses: f64 = rows.map(|(&e, w)| w * loss(e)).sum();
        let penalty: f64 = self.alpha.iter().zip(w).map(|(a, w)| a * w * w).sum();
        At {
            value: losses + penalty,
            scale,
            errors,
        }
    }

    /// The scale at which `Σ w · min(error² / scale², epsilon²)` is the sum of the weights. In `1 / scale²` that sum is
    /// piecewise linear, rising and concave, so that Newton's method finds it from below in finitely many steps.
    fn best_scale(&self, errors: &[f64]) -> f64 {
        let all: f64 = self.weights.iter().sum();
        let mut scale = f64::INFINITY;
        loop {
            let (mut squares, mut beyond) = (0.0, 0.0);
            for (&e, &w) in errors.iter().zip(self.weights) {
                match self.outlier(e, scale) {
                    true => beyond += w,
                    false => squares += w * e * e,
                }
            }
            let left = all - self.epsilon * self.epsilon * beyond;
            let new = (squares / left).sqrt();
            // Not a number if the errors are not, or all that are not 0 are outliers.
            if new.is_nan() || new <= self.least {
                return self.least;
            }
            if new >= scale {
                return scale;
            }
            scale = new;
        }
    }

    /// Newton's step for coefficients and intercept, and the decrease that it promises. Errors of outliers have no
    /// curvature; if `bounded`, they get that of the parabola which touches theirs from above, so that no step is
    /// too long.
    fn step(&self, w: &[f64], at: &At, bounded: bool) -> (Vec<f64>, f64) {
        let (p, scale) = (self.x.features(), at.scale);
        let rows = || at.errors.iter().zip(self.weights);
        let of_row = |(&e, &w): (&f64, &f64)| match self.outlier(e, scale) {
            true => (-2.0 * self.epsilon * w * e.signum(), 0.0),
            false => (-2.0 * w * e / scale, 2.0 * w / scale),
        };
        let (slopes, inliers): (Vec<f64>, Vec<f64>) = rows().map(of_row).unzip();
        let mut gradient = self.x.combination(&slopes);
        for ((g, a), w) in gradient.iter_mut().zip(&self.alpha).zip(w) {
            *g += 2.0 * a * w;
        }
        let mut hessian = if bounded {
            let touching = |(e, w): (&f64, &f64)| 2.0 * w / scale.max(e.abs() / self.epsilon);
            self.x.products(&rows().map(touching).collect::<Vec<f64>>())
        } else {
            // The scale follows the coefficients, which takes from the curvature.
            let mixed: Vec<f64> = inliers
                .iter()
                .zip(&at.errors)
                .map(|(c, e)| c * e / scale)
                .collect();
            let of_scale = dot(&mixed, &at.errors) / scale;
            let cross = self.x.combination(&mixed);
            let mut products = self.x.products(&inliers);
            if of_scale > 0.0 {
                for i in 0..=p {
                    for j in 0..=p {
                        products[(i, j)] -= cross[i] * cross[j] / of_scale;
                    }
                }
            }
            products
        };
        for (j, alpha) in self.alpha.iter().enumerate() {
            hessian[(j, j)] += 2.0 * alpha;
        }
        if !self.fit_intercept {
            gradient[p] = 0.0;
            for i in 0..p {
                hessian[(i, p)] = 0.0;
                hessian[(p, i)] = 0.0;
            }
            hessian[(p, p)] = 1.0;
        }
        let step = solve(hessian, &gradient);
        let decrease = -dot(&step, &gradient);
        (step, decrease)
    }

    /// The first point along a step, halved so many times at most, that lowers the objective as much as it should.
    fn search(
        &self,
        w: &[f64],
        at: &At,
        (step, decrease): (Vec<f64>, f64),
        halvings: i32,
    ) -> Option<(Vec<f64>, At)> {
        (0..=halvings).find_map(|halved| {
            let length = 0.5f64.powi(halved);
            let tried: Vec<f64> = w.iter().zip(&step).map(|(w, s)| w + length * s).collect();
            let new = self.at(&tried);
            let low = new.value <= at.value - 1e-4 * length * decrease;
            low.then_some((tried, new))
        })
    }
}

impl Estimator for HuberRegressor {
    type Fitted = HuberFit;

    fn fit_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<HuberFit> {
        check::not_negative("alpha", self.alpha)?;
        check::not_negative("tol", self.tol)?;
        if !self.epsilon.is_finite() || self.epsilon < 1.0 {
            return Err(Error::new(format!(
                "epsilon: expected a finite number of at least 1. Received: {}.",
                self.epsilon
            )));
        }
        check::fit_input(&x, &y, weights)?;
        let y = y.single()?;
        let x = dense("HuberRegressor", x)?;
        let standard = Standard::new(x.view(), weights, self.fit_intercept)?;
        let p = standard.features();
        let ones;
        let weights = match weights {
            Some(weights) => weights,
            None => {
                ones = vec![1.0; y.len()];
                &ones
            }
        };
        // From the mean of the targets on.
        let all: f64 = weights.iter().sum();
        let mut w = vec![0.0; p + 1];
        if self.fit_intercept {
            w[p] = dot(weights, y) / all;
        }
        let off = y.iter().zip(weights).map(|(y, v)| v * (y - w[p]).powi(2));
        let spread = (off.sum::<f64>() / all).sqrt();
        let squares = standard.scale.iter().map(|s| s * s);
        let huber = Huber {
            x: &standard,
            y,
            weights,
            epsilon: self.epsilon,
            alpha: squares.map(|square| self.alpha / square).collect(),
            fit_intercept: self.fit_intercept,
            least: (1e-12 * spread).max(1e-150),
        };
        let mut at = huber.at(&w);
        let (mut iterations, mut converged) = (0, false);
        while iterations < self.max_iter && at.value.is_finite() {
            let step = huber.step(&w, &at, false);
            if step.1 <= (self.tol * self.tol) * at.value || at.scale <= huber.least {
                converged = true;
                break;
            }
            let next = huber
                .search(&w, &at, step, 8)
                .or_else(|| huber.search(&w, &at, huber.step(&w, &at, true), 40));
            let Some(next) = next else {
                // The decrease is below what the value's digits show.
                converged = true;
                break;
            };
            (w, at) = next;
            iterations += 1;
        }
        if !at.value.is_finite() {
            return Err(check::not_finite(x.view()));
        }
        let (coef, intercept) = standard.original(&w);
        let intercept = if self.fit_intercept { intercept } else { 0.0 };
        let model = LinearModel::new(
            Array2::from_shape_vec((1, p), coef)?,
            vec![intercept].into(),
        )?;
        Ok(HuberFit {
            model: model.with_iterations(iterations, converged),
            scale: at.scale,
            outliers: at
                .errors
                .iter()
                .map(|&e| huber.outlier(e, at.scale))
                .collect(),
        })
    }
}

predicts_by_model! { HuberFit }
