//! Ridge regression that finds its penalty from how probable the data are.

use crate::blocks::Real;
use crate::estimator::predicts_by_model;
use crate::factor::eigen;
use crate::moments::Moments;
use crate::options::setters;
use crate::preprocessing::dense;
use crate::{Error, Estimator, LinearModel, Predictor, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::{Array1, Array2, ArrayView2};

/// Linear regression with normally distributed errors and coefficients, whose precisions `alpha` and `lambda` are
/// estimated from the data, each with a gamma distribution as a prior (MacKay, *Bayesian Interpolation*, 1992; Tipping,
/// 2001). The data are read once.
///
/// ```
/// use cornu_linear::{BayesianRidge, Estimator};
/// use ndarray::array;
///
/// let x = array![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]];
/// let fit = BayesianRidge::new().fit(&x, &array![0.0, 1.0, 2.0])?;
/// let (mean, deviation) = fit.predict_with_std(&array![[1.0, 1.0]])?;
/// assert!((mean[0] - 1.0).abs() < 1e-4 && deviation[0] < 0.1);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BayesianRidge {
    max_iter: usize,
    tol: f64,
    alpha_prior: (f64, f64),
    lambda_prior: (f64, f64),
    alpha_init: Option<f64>,
    lambda_init: f64,
    fit_intercept: bool,
}

impl Default for BayesianRidge {
    fn default() -> Self {
        Self {
            max_iter: 300,
            tol: 1e-3,
            alpha_prior: (1e-6, 1e-6),
            lambda_prior: (1e-6, 1e-6),
            alpha_init: None,
            lambda_init: 1.0,
            fit_intercept: true,
        }
    }
}

impl BayesianRidge {
    /// With priors that say next to nothing.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The most iterations (default: 300).
        max_iter: usize => max_iter;

        /// The change of all coefficients together at which to stop (default: 1e-3).
        tol: f64 => tol;
    }

    /// Shape and inverse scale of the gamma prior of the errors' precision (scikit-learn's `alpha_1` and `alpha_2`;
    /// default: 1e-6 both).
    pub fn alpha_prior(mut self, shape: f64, inverse_scale: f64) -> Self {
        self.alpha_prior = (shape, inverse_scale);
        self
    }

    /// Shape and inverse scale of the gamma prior of the coefficients' precision (scikit-learn's `lambda_1` and
    /// `lambda_2`; default: 1e-6 both).
    pub fn lambda_prior(mut self, shape: f64, inverse_scale: f64) -> Self {
        self.lambda_prior = (shape, inverse_scale);
        self
    }

    /// The errors' precision to begin with (default: the inverse of the targets' variance).
    pub fn alpha_init(mut self, alpha: f64) -> Self {
        self.alpha_init = Some(alpha);
        self
    }

    setters! {
        /// The coefficients' precision to begin with (default: 1).
        lambda_init: f64 => lambda_init;

        /// Whether an intercept is fitted (default: yes).
        fit_intercept: bool => fit_intercept;
    }

    fn check(&self) -> Result<()> {
        check::not_negative("tol", self.tol)?;
        for (name, (shape, inverse_scale)) in [
            ("alpha_prior", self.alpha_prior),
            ("lambda_prior", self.lambda_prior),
        ] {
            check::not_negative(name, shape)?;
            check::not_negative(name, inverse_scale)?;
        }
        check::not_negative("alpha_init", self.alpha_init.unwrap_or(0.0))?;
        check::not_negative("lambda_init", self.lambda_init)?;
        match self.max_iter {
            0 => Err(Error::new("max_iter: expected at least 1. Received: 0.")),
            _ => Ok(()),
        }
    }

    fn fit_dense<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<BayesianRidgeFit> {
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let p = moments.features;
        let (values, vectors) = eigen(moments.products.get(..p, ..p))?;
        // Those below rounding are zeros; a product matrix has none below 0.
        let least = values.last().copied().unwrap_or(0.0) * f64::EPSILON * p as f64;
        let values: Vec<f64> = values
            .iter()
            .map(|&v| if v > least { v } else { 0.0 })
            .collect();
        let turned = vectors.transpose() * moments.products.get(..p, p..);
        let posterior = |alpha: f64, lambda: f64| -> (Vec<f64>, f64) {
            let shrunk = Mat::from_fn(p, 1, |j, _| match values[j] > 0.0 {
                true => turned[(j, 0)] / (values[j] + lambda / alpha),
                false => 0.0,
            });
            let coef: Vec<f64> = (&vectors * shrunk).col(0).iter().copied().collect();
            let intercept = moments.intercept(0, coef.iter().copied());
            let errors = moments.errors(0, &coef, intercept).max(0.0);
            (coef, errors)
        };
        let variance = target_variance(y.values(), weights);
        let mut alpha = self.alpha_init.unwrap_or(1.0 / (variance + f64::EPSILON));
        let mut lambda = self.lambda_init;
        let mut last: Option<Vec<f64>> = None;
        let mut scores = Vec::new();
        let (mut iterations, mut converged) = (0, false);
        while iterations < self.max_iter && !converged {
            let (coef, errors) = posterior(alpha, lambda);
            // How many coefficients the data determine.
            let determined: f64 = values
                .iter()
                .map(|v| alpha * v / (lambda + alpha * v))
                .sum();
            let squares: f64 = coef.iter().map(|w| w * w).sum();
            scores.push(self.marginal(moments.weight, &values, alpha, lambda, squares, errors));
            lambda =
                (determined + 2.0 * self.lambda_prior.0) / (squares + 2.0 * self.lambda_prior.1);
            alpha = (moments.weight - determined + 2.0 * self.alpha_prior.0)
                / (errors + 2.0 * self.alpha_prior.1);
            iterations += 1;
            if let Some(last) = &last {
                let change: f64 = coef.iter().zip(last).map(|(a, b)| (a - b).abs()).sum();
                converged = change < self.tol;
            }
            last = Some(coef);
            if !(alpha.is_finite() && lambda.is_finite()) {
                return Err(Error::new(
                    "BayesianRidge: the precisions grew beyond all numbers; expected errors, or priors above 0.",
                ));
            }
        }
        let (coef, errors) = posterior(alpha, lambda);
        let squares: f64 = coef.iter().map(|w| w * w).sum();
        scores.push(self.marginal(moments.weight, &values, alpha, lambda, squares, errors));
        let coef = Mat::from_fn(p, 1, |j, _| coef[j]);
        let spread = Mat::from_fn(p, p, |i, j| vectors[(i, j)] / (alpha * values[j] + lambda));
        let sigma = spread * vectors.transpose();
        Ok(BayesianRidgeFit {
            model: moments
                .model(&coef, self.fit_intercept)
                .with_iterations(iterations, converged),
            alpha,
            lambda,
            scores,
            center: moments.mean[..p].to_vec().into(),
            sigma: Array2::from_shape_fn((p, p), |(i, j)| sigma[(i, j)]),
        })
    }
}

impl BayesianRidge {
    /// The logarithm of the marginal likelihood, from the eigenvalues of the features' products and the sums of squares
    /// of coefficients and errors.
    fn marginal(
        &self,
        weight: f64,
        values: &[f64],
        alpha: f64,
        lambda: f64,
        squares: f64,
        errors: f64,
    ) -> f64 {
        let ((alpha_1, alpha_2), (lambda_1, lambda_2)) = (self.alpha_prior, self.lambda_prior);
        let priors =
            lambda_1 * lambda.ln() - lambda_2 * lambda + alpha_1 * alpha.ln() - alpha_2 * alpha;
        // Of the coefficients' covariance.
        let determinant: f64 = values.iter().map(|v| -(lambda + alpha * v).ln()).sum();
        let likelihood = values.len() as f64 * lambda.ln() + weight * alpha.ln()
            - alpha * errors
            - lambda * squares
            + determinant
            - weight * (2.0 * std::f64::consts::PI).ln();
        priors + 0.5 * likelihood
    }
}

/// The targets' variance about their mean.
fn target_variance(y: &[f64], weights: Option<&[f64]>) -> f64 {
    let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
    let all: f64 = (0..y.len()).map(weight).sum();
    let mean = (0..y.len()).map(|r| weight(r) * y[r]).sum::<f64>() / all;
    (0..y.len())
        .map(|r| weight(r) * (y[r] - mean).powi(2))
        .sum::<f64>()
        / all
}

/// A fitted [`BayesianRidge`].
#[derive(Clone, Debug, PartialEq)]
pub struct BayesianRidgeFit {
    model: LinearModel,
    alpha: f64,
    lambda: f64,
    scores: Vec<f64>,
    center: Array1<f64>,
    sigma: Array2<f64>,
}

impl BayesianRidgeFit {
    /// The linear function with the most probable coefficients.
    pub fn model(&self) -> &LinearModel {
        &self.model
    }

    /// The estimated precision of the errors.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// The estimated precision of the coefficients.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// The logarithm of the probability of the data given the precisions (the marginal likelihood, with the priors), at
    /// the beginning of each iteration and at the end; it rises. scikit-learn's `scores_`.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// The covariance of the coefficients.
    pub fn sigma(&self) -> &Array2<f64> {
        &self.sigma
    }

    /// For each row the prediction and its standard deviation, from the coefficients' and the errors'.
    ///
    /// # Errors
    /// If rows have another number of features or are sparse, or numbers are not finite.
    pub fn predict_with_std<'a>(
        &self,
        x: impl Into<Rows<'a>>,
    ) -> Result<(Array1<f64>, Array1<f64>)> {
        let x = x.into();
        let mean = self.model.predict_rows(x)?;
        let centered = &dense("BayesianRidge", x)? - &self.center;
        let spread = (centered.dot(&self.sigma) * &centered).sum_axis(ndarray::Axis(1));
        Ok((mean, spread.mapv(|v| (v + 1.0 / self.alpha).sqrt())))
    }
}

impl Estimator for BayesianRidge {
    type Fitted = BayesianRidgeFit;

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<BayesianRidgeFit> {
        self.check()?;
        check::fit_input(&x, &y, weights)?;
        y.single()?;
        match x {
            Rows::F64(x) => self.fit_dense(x, &y, weights),
            Rows::F32(x) => self.fit_dense(x, &y, weights),
            Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse("BayesianRidge")),
        }
    }
}

predicts_by_model! { BayesianRidgeFit }
