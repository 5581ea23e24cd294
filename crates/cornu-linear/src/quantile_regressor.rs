//! Regression of a quantile, such as the median.

use crate::lbfgs::dot;
use crate::newton::solve;
use crate::options::setters;
use crate::preprocessing::dense;
use crate::standard::Standard;
use crate::{Error, Estimator, LinearModel, Result, Rows, Targets, check};
use faer::Mat;
use faer::linalg::solvers::Solve;
use ndarray::Array2;

/// Linear regression of a quantile: minimises the weighted mean of `quantile · error` for errors above 0 and
/// `(quantile − 1) · error` for those below, and `alpha · Σ |coef|`.
///
/// It is a linear program, solved by an interior point method (Portnoy and Koenker, *The Gaussian Hare and the Laplacian
/// Tortoise*, 1997; Mehrotra, 1992), the solution of which is then moved to the nearby corner.
///
/// ```
/// use cornu_linear::{Estimator, QuantileRegressor};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0], [3.0], [4.0]];
/// let model = QuantileRegressor::new().alpha(0.0).fit(&x, &array![1.0, 2.0, 3.0, 4.0, 100.0])?;
/// assert!((model.coef()[[0, 0]] - 1.0).abs() < 1e-9); // the median does not mind the last row
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileRegressor {
    quantile: f64,
    alpha: f64,
    fit_intercept: bool,
}

impl Default for QuantileRegressor {
    fn default() -> Self {
        Self {
            quantile: 0.5,
            alpha: 1.0,
            fit_intercept: true,
        }
    }
}

impl QuantileRegressor {
    /// Of the median, with `alpha` 1.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Which quantile, between 0 and 1 (default: 0.5, the median).
        quantile: f64 => quantile;

        /// The weight of the absolute values of the coefficients (default: 1).
        alpha: f64 => alpha;

        /// Whether an intercept is fitted (default: yes).
        fit_intercept: bool => fit_intercept;
    }
}

impl Estimator for QuantileRegressor {
    type Fitted = LinearModel;

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        check::not_negative("alpha", self.alpha)?;
        if !(self.quantile > 0.0 && self.quantile < 1.0) {
            return Err(Error::new(format!(
                "quantile: expected a number between 0 and 1. Received: {}.",
                self.quantile
            )));
        }
        check::fit_input(&x, &y, weights)?;
        let y = y.single()?;
        let x = dense("QuantileRegressor", x)?;
        let standard = Standard::new(x.view(), weights, self.fit_intercept)?;
        let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
        let all: f64 = (0..y.len()).map(weight).sum();
        let p = standard.features();
        // Targets are shifted and scaled, too, so that rounding is the same whatever their unit.
        let mean = match self.fit_intercept {
            true => (0..y.len()).map(|r| weight(r) * y[r]).sum::<f64>() / all,
            false => 0.0,
        };
        let unit = y
            .iter()
            .fold(0.0_f64, |m, y| m.max((y - mean).abs()))
            .max(f64::MIN_POSITIVE);
        let program = Program {
            x: &standard,
            y: y.iter().map(|y| (y - mean) / unit).collect(),
            below: (0..y.len())
                .map(|r| (1.0 - self.quantile) * weight(r) / all)
                .collect(),
            above: (0..y.len())
                .map(|r| self.quantile * weight(r) / all)
                .collect(),
            penalties: standard.scale.iter().map(|s| self.alpha / s).collect(),
            fit_intercept: self.fit_intercept,
        };
        let (mut w, iterations, converged) = program.solve()?;
        w.iter_mut().for_each(|w| *w *= unit);
        w[p] += mean;
        let (coef, intercept) = standard.original(&w);
        let intercept = if self.fit_intercept { intercept } else { 0.0 };
        let model = LinearModel::new(
            Array2::from_shape_vec((1, p), coef)?,
            vec![intercept].into(),
        )?;
        Ok(model.with_iterations(iterations, converged))
    }
}

/// Minimises over `w` (coefficients and an intercept) the sum of `above · error` for errors above 0 and
/// `−below · error` for those below, and of `penalties · |coef|`.
///
/// The penalties are errors as well: of rows after the others, each with a 1 for one coefficient and the target 0.
struct Program<'a> {
    x: &'a Standard<'a>,
    y: Vec<f64>,
    below: Vec<f64>,
    above: Vec<f64>,
    penalties: Vec<f64>,
    fit_intercept: bool,
}

/// The gap between primal and dual objective to stop at, of targets whose largest is 1.
const GAP: f64 = 1e-13;
const ITERATIONS: usize = 200;

impl Program<'_> {
    /// The linear functions of all rows, the penalties' among them.
    fn product(&self, w: &[f64]) -> Vec<f64> {
        let mut out = self.x.product(w);
        out.extend(&w[..self.x.features()]);
        out
    }

    /// The sum of all rows, each times its factor.
    fn combination(&self, factors: &[f64]) -> Vec<f64> {
        let (of_rows, of_penalties) = factors.split_at(self.x.rows());
        let mut sum = self.x.combination(of_rows);
        for (sum, factor) in sum.iter_mut().zip(of_penalties) {
            *sum += factor;
        }
        if !self.fit_intercept {
            sum[self.x.features()] = 0.0;
        }
        sum
    }

    /// `(Σ factor · rowᵀ · row)⁻¹ b`.
    fn solve_products(&self, factors: &[f64], b: &[f64]) -> Vec<f64> {
        let p = self.x.features();
        let (of_rows, of_penalties) = factors.split_at(self.x.rows());
        let mut products = self.x.products(of_rows);
        for (j, factor) in of_penalties.iter().enumerate() {
            products[(j, j)] += factor;
        }
        if !self.fit_intercept {
            for i in 0..p {
                products[(i, p)] = 0.0;
                products[(p, i)] = 0.0;
            }
            products[(p, p)] = 1.0;
        }
        let negative: Vec<f64> = b.iter().map(|b| -b).collect();
        solve(products, &negative)
    }

    fn objective(&self, w: &[f64]) -> f64 {
        let fitted = self.x.product(w);
        let errors = self.y.iter().zip(&fitted).map(|(y, f)| y - f);
        let cost = |(e, (a, b)): (f64, (&f64, &f64))| if e > 0.0 { a * e } else { -b * e };
        let losses: f64 = errors
            .zip(self.above.iter().zip(&self.below))
            .map(cost)
            .sum();
        let penalty: f64 = self.penalties.iter().zip(w).map(|(a, w)| a * w.abs()).sum();
        losses + penalty
    }

    fn solve(&self) -> Result<(Vec<f64>, usize, bool)> {
        // The dual: a force on each row, between −below and above, all in balance, as great as can be along the
        // targets. `up` and `down` are its distances from the bounds, `low` and `high` the bounds' prices.
        let mut up = [&self.below[..], &self.penalties].concat();
        let mut down = [&self.above[..], &self.penalties].concat();
        // Rows of no weight can have no force.
        let free: Vec<bool> = up.iter().zip(&down).map(|(u, d)| u + d > 0.0).collect();
        let count = free.iter().filter(|free| **free).count() as f64;
        let mut y = self.y.clone();
        y.resize(up.len(), 0.0);
        let ones: Vec<f64> = free.iter().map(|&free| f64::from(u8::from(free))).collect();
        let mut w = self.solve_products(&ones, &self.combination(&product(&ones, &y)));
        let residual = |w: &[f64]| -> Vec<f64> {
            let fitted = self.product(w);
            y.iter().zip(&fitted).map(|(y, f)| y - f).collect()
        };
        let first = residual(&w);
        let spread = dot(&product(&ones, &first), &first).sqrt() / count.sqrt();
        let least = (1e-3 * spread).max(1e-12);
        let mut low: Vec<f64> = first.iter().map(|r| (-r).max(0.0) + least).collect();
        let mut high: Vec<f64> = low.iter().zip(&first).map(|(low, r)| low + r).collect();
        let n = up.len();
        let rows = || (0..n).filter(|&i| free[i]);
        let gap = |up: &[f64], down: &[f64], low: &[f64], high: &[f64]| -> f64 {
            rows().map(|i| low[i] * up[i] + high[i] * down[i]).sum()
        };
        let mut now = gap(&up, &down, &low, &high);
        let (mut iterations, mut converged) = (0, false);
        while iterations < ITERATIONS && now.is_finite() {
            if now <= GAP {
                converged = true;
                break;
            }
            iterations += 1;
            let mut q = vec![0.0; n];
            rows().for_each(|i| q[i] = 1.0 / (low[i] / up[i] + high[i] / down[i]));
            let prices: Vec<f64> = low.iter().zip(&high).map(|(l, h)| l - h).collect();
            // A step of `w` and what it does to all else, aiming at products of `center` with corrections.
            let step = |aim: &[f64]| -> Step {
                let wanted: Vec<f64> = (0..n).map(|i| q[i] * (prices[i] - aim[i])).collect();
                let dw: Vec<f64> = self
                    .solve_products(&q, &self.combination(&wanted))
                    .iter()
                    .map(|d| -d)
                    .collect();
                let along = self.product(&dw);
                let dup = (0..n)
                    .map(|i| q[i] * (-along[i] - prices[i] + aim[i]))
                    .collect();
                Step { dw, dup }
            };
            let lengths = |dup: &[f64], dlow: &[f64], dhigh: &[f64]| -> (f64, f64) {
                let (mut primal, mut dual) = (f64::INFINITY, f64::INFINITY);
                for i in rows() {
                    primal = primal.min(room(up[i], dup[i])).min(room(down[i], -dup[i]));
                    dual = dual.min(room(low[i], dlow[i])).min(room(high[i], dhigh[i]));
                }
                ((0.99995 * primal).min(1.0), (0.99995 * dual).min(1.0))
            };
            // The predictor goes straight at the optimum.
            let mut chosen = step(&vec![0.0; n]);
            let mut dlow: Vec<f64> = (0..n)
                .map(|i| -low[i] * (1.0 + chosen.dup[i] / up[i]))
                .collect();
            let mut dhigh: Vec<f64> = (0..n)
                .map(|i| -high[i] * (1.0 - chosen.dup[i] / down[i]))
                .collect();
            let (mut primal, mut dual) = lengths(&chosen.dup, &dlow, &dhigh);
            if primal.min(dual) < 1.0 {
                let after: f64 = rows()
                    .map(|i| {
                        (low[i] + dual * dlow[i]) * (up[i] + primal * chosen.dup[i])
                            + (high[i] + dual * dhigh[i]) * (down[i] - primal * chosen.dup[i])
                    })
                    .sum();
                let center = now * (after / now).powi(3) / (2.0 * count);
                let mut aim = vec![0.0; n];
                let (mut at_low, mut at_high) = (vec![0.0; n], vec![0.0; n]);
                for i in rows() {
                    at_low[i] = (center - chosen.dup[i] * dlow[i]) / up[i];
                    at_high[i] = (center + chosen.dup[i] * dhigh[i]) / down[i];
                    aim[i] = at_low[i] - at_high[i];
                }
                chosen = step(&aim);
                for i in rows() {
                    dlow[i] = at_low[i] - low[i] - low[i] * chosen.dup[i] / up[i];
                    dhigh[i] = at_high[i] - high[i] + high[i] * chosen.dup[i] / down[i];
                }
                (primal, dual) = lengths(&chosen.dup, &dlow, &dhigh);
            }
            for i in rows() {
                up[i] += primal * chosen.dup[i];
                down[i] -= primal * chosen.dup[i];
                low[i] += dual * dlow[i];
                high[i] += dual * dhigh[i];
            }
            for (w, d) in w.iter_mut().zip(&chosen.dw) {
                *w += dual * d;
            }
            let new = gap(&up, &down, &low, &high);
            // Rounding is reached where the gap does not fall any more.
            if new >= now * 0.9999 && iterations > 20 {
                converged = new <= 1e-9;
                break;
            }
            now = new;
        }
        if w.iter().any(|w| !w.is_finite()) {
            return Err(Error::new(
                "QuantileRegressor: the numbers of x or y are too large or too small to be solved.",
            ));
        }
        let inside: Vec<f64> = (0..n)
            .map(|i| {
                if free[i] {
                    up[i].min(down[i]) / (up[i] + down[i])
                } else {
                    -1.0
                }
            })
            .collect();
        if let Some(corner) = self.corner(&inside)
            && self.objective(&corner) <= self.objective(&w) * (1.0 + 1e-12)
        {
            w = corner;
        }
        Ok((w, iterations, converged))
    }

    /// The solution that fits exactly as many rows as there are coefficients: those whose force is furthest inside
    /// its bounds.
    fn corner(&self, inside: &[f64]) -> Option<Vec<f64>> {
        let (rows, p) = (self.x.rows(), self.x.features());
        let size = p + usize::from(self.fit_intercept);
        let mut order: Vec<usize> = (0..inside.len()).filter(|&i| inside[i] > 0.0).collect();
        order.sort_by(|&a, &b| inside[b].total_cmp(&inside[a]));
        let exact = order.get(..size)?;
        // Penalties that are fitted exactly are coefficients of 0, which need no solving.
        let kept: Vec<usize> = (0..size)
            .filter(|&j| !exact.contains(&(rows + j)) || j == p)
            .collect();
        let fitted: Vec<usize> = exact.iter().copied().filter(|&i| i < rows).collect();
        let mut w = vec![0.0; p + 1];
        if kept.is_empty() {
            return Some(w);
        }
        let row = |i: usize| self.x.row(fitted[i]);
        let matrix: Vec<Vec<f64>> = (0..fitted.len()).map(row).collect();
        let a = Mat::from_fn(fitted.len(), kept.len(), |i, j| matrix[i][kept[j]]);
        let b = Mat::from_fn(fitted.len(), 1, |i, _| self.y[fitted[i]]);
        if a.nrows() != a.ncols() {
            return None;
        }
        let solution = a.full_piv_lu().solve(&b);
        for (i, &j) in kept.iter().enumerate() {
            w[j] = solution[(i, 0)];
        }
        w.iter().all(|w| w.is_finite()).then_some(w)
    }
}

struct Step {
    dw: Vec<f64>,
    /// What is added to `up` and taken from `down`.
    dup: Vec<f64>,
}

/// How often a step fits in before a number becomes 0.
fn room(number: f64, step: f64) -> f64 {
    if step < 0.0 {
        -number / step
    } else {
        f64::INFINITY
    }
}

fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}
