//! Ridge regression that chooses its penalty by leaving out one row at a time.

use crate::blocks::{Real, for_blocks, map_pieces, pieces};
use crate::estimator::predicts_by_model;
use crate::factor::eigen;
use crate::moments::Moments;
use crate::options::setters;
use crate::{Error, Estimator, LinearModel, Result, Ridge, Rows, Targets, check};
use faer::Mat;
use ndarray::ArrayView2;

/// [`Ridge`] with the `alpha` of the least mean square of the errors that each row has when it is predicted from
/// all others. Those errors follow from one decomposition, without fitting again.
///
/// ```
/// use cornu_linear::{Estimator, RidgeCV};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0], [3.0], [4.0]];
/// let fit = RidgeCV::new().alphas(&[1e-3, 1.0, 1e3]).fit(&x, &array![0.1, 1.9, 4.2, 5.9, 8.1])?;
/// assert_eq!(fit.alpha(), 1e-3);
/// assert!((fit.model().coef()[[0, 0]] - 2.0).abs() < 0.01);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeCV {
    alphas: Vec<f64>,
    fit_intercept: bool,
}

impl Default for RidgeCV {
    fn default() -> Self {
        Self {
            alphas: vec![0.1, 1.0, 10.0],
            fit_intercept: true,
        }
    }
}

impl RidgeCV {
    /// With `alphas` 0.1, 1 and 10, and an intercept.
    pub fn new() -> Self {
        Self::default()
    }

    /// The penalties to choose from, all above 0 (default: 0.1, 1, 10).
    pub fn alphas(mut self, alphas: &[f64]) -> Self {
        self.alphas = alphas.to_vec();
        self
    }

    setters! {
        /// Whether an intercept is fitted (default: yes).
        fit_intercept: bool => fit_intercept;
    }

    fn fit_dense<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<RidgeCVFit> {
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let errors = self.left_out(x, y, weights, &moments)?;
        let best = (0..errors.len())
            .reduce(|a, b| if errors[b] < errors[a] { b } else { a })
            .unwrap_or(0);
        let ridge = Ridge::new()
            .alpha(self.alphas[best])
            .fit_intercept(self.fit_intercept);
        Ok(RidgeCVFit {
            model: ridge.fit_rows(T::rows(x), y.view(), weights)?,
            alpha: self.alphas[best],
            errors,
        })
    }

    /// For each alpha, the mean over rows and targets of the weighted squares of the errors of left-out rows:
    /// `(y − fitted) / (1 − h)`, where `h` is how much a row's target weighs in its own prediction.
    fn left_out<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
        moments: &Moments,
    ) -> Result<Vec<f64>> {
        let (rows, p) = x.dim();
        let targets = y.columns();
        let (values, vectors) = eigen(moments.products.get(..p, ..p))?;
        let xy = vectors.transpose() * moments.products.get(..p, p..);
        let own = if self.fit_intercept {
            1.0 / moments.weight
        } else {
            0.0
        };
        let shrunk = |alpha: f64| values.iter().map(move |v| 1.0 / (v.max(0.0) + alpha));
        let shrunk: Vec<Vec<f64>> = self.alphas.iter().map(|&a| shrunk(a).collect()).collect();
        let parts = map_pieces(rows, pieces(rows, p * p), |range| {
            let mut sums = vec![0.0; self.alphas.len()];
            for_blocks(x, range, 64, |range, x| {
                let centered = Mat::from_fn(range.len(), p, |r, c| {
                    Into::<f64>::into(x[r * p + c]) - moments.mean[c]
                });
                let turned = centered * &vectors;
                for (r, row) in range.enumerate() {
                    let weight = weights.map_or(1.0, |w| w[row]);
                    for (sum, shrunk) in sums.iter_mut().zip(&shrunk) {
                        let z = |j: usize| turned[(r, j)];
                        let leverage: f64 = (0..p).map(|j| z(j) * z(j) * shrunk[j]).sum();
                        let rest = 1.0 - weight * (own + leverage);
                        for t in 0..targets {
                            let fitted: f64 = (0..p).map(|j| z(j) * shrunk[j] * xy[(j, t)]).sum();
                            let y = y.values()[row * targets + t] - moments.mean[p + t];
                            *sum += weight * ((y - fitted) / rest).powi(2);
                        }
                    }
                }
            });
            sums
        });
        let count = (rows * targets) as f64;
        let mean = |a: usize| parts.iter().map(|sums| sums[a]).sum::<f64>() / count;
        Ok((0..self.alphas.len()).map(mean).collect())
    }
}

impl Estimator for RidgeCV {
    type Fitted = RidgeCVFit;

    fn fit_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<RidgeCVFit> {
        if self.alphas.is_empty() {
            return Err(Error::new("alphas: expected at least one. Received: none."));
        }
        if let Some(alpha) = self.alphas.iter().find(|a| !a.is_finite() || **a <= 0.0) {
            return Err(Error::new(format!(
                "alphas: expected finite numbers above 0. Received: {alpha}."
            )));
        }
        check::fit_input(&x, &y, weights)?;
        match x {
            Rows::F64(x) => self.fit_dense(x, &y, weights),
            Rows::F32(x) => self.fit_dense(x, &y, weights),
            Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse("RidgeCV")),
        }
    }
}

/// A ridge regression with the penalty that was chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeCVFit {
    model: LinearModel,
    alpha: f64,
    errors: Vec<f64>,
}

impl RidgeCVFit {
    /// The regression with the chosen penalty, fitted to all rows.
    pub fn model(&self) -> &LinearModel {
        &self.model
    }

    /// The chosen penalty.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// For each penalty to choose from, the mean square of the left-out rows' errors.
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }
}

predicts_by_model! { RidgeCVFit }
