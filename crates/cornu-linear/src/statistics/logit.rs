//! Logistic regression of two classes without penalty, with statistics.

use super::Summary;
use super::design::{Decomposed, alpha, matrix, names, product};
use super::distributions::{chi_squared_upper, normal_two_sided, normal_upper};
use super::summary::general;
use crate::{Error, LinearModel, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::{Array1, Array2};

/// Logistic regression with the statistics of the fit, as `statsmodels.Logit`: the coefficients that make the
/// labels most likely, by Newton's method.
///
/// # Examples
/// ```
/// use cornu_linear::statistics::Logit;
/// use ndarray::array;
///
/// let hours = array![[0.5], [1.0], [1.5], [2.0], [2.5], [3.0], [3.5], [4.0]];
/// let passed = [0, 0, 1, 0, 1, 0, 1, 1];
/// let fit = Logit::new().names(["hours"]).fit(&hours, &passed)?;
/// assert!(fit.params()[1] > 1.0 && fit.pvalues()[1] > 0.05);
/// println!("{}", fit.summary());
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Logit {
    fit_intercept: bool,
    names: Option<Vec<String>>,
    max_iter: usize,
}

impl Default for Logit {
    fn default() -> Self {
        Self::new()
    }
}

impl Logit {
    /// With an intercept, which comes first among the coefficients, as `const`; features are named `x1`, `x2`, …; at
    /// most 35 iterations.
    pub fn new() -> Self {
        Self {
            fit_intercept: true,
            names: None,
            max_iter: 35,
        }
    }

    /// Sets whether there is an intercept; true by default.
    pub fn fit_intercept(mut self, yes: bool) -> Self {
        self.fit_intercept = yes;
        self
    }

    /// Names the features, for the summary.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the greatest number of Newton's iterations; 35 by default.
    pub fn max_iter(mut self, iterations: usize) -> Self {
        self.max_iter = iterations;
        self
    }

    /// Fits labels of 0 and 1.
    ///
    /// # Errors
    /// If lengths do not fit each other, a number is not finite, a label is neither 0 nor 1 or all are alike, columns
    /// depend on each other, or the classes can be told apart without error, so that there are no best
    /// coefficients.
    pub fn fit<'a>(&self, x: impl Into<Rows<'a>>, y: impl Into<Targets<'a>>) -> Result<LogitFit> {
        let (x, y) = (x.into(), y.into());
        check::fit_input(&x, &y, None)?;
        let names = names(self.names.as_deref(), x.features(), self.fit_intercept)?;
        let a = matrix(&x, self.fit_intercept, "Logit")?;
        let y = y.single()?;
        if let Some(at) = y.iter().position(|&y| y != 0.0 && y != 1.0) {
            return Err(Error::new(format!(
                "y: expected labels 0 and 1. Received: {} in row {at}.",
                y[at]
            )));
        }
        if y.iter().all(|&label| label == y[0]) {
            return Err(Error::new(format!(
                "y: expected both labels, 0 and 1. Received: {} in all {} rows.",
                y[0],
                y.len()
            )));
        }
        // Columns that depend on each other are told before they spoil the iterations.
        Decomposed::new(&a)?;
        let mut params = vec![0.0; a.ncols()];
        let mut step = f64::INFINITY;
        for iterations in 0.. {
            let state = State::at(&a, y, &params);
            let separated = || {
                Error::new(
                    "The classes can be told apart without error, so no coefficients are best; use \
                     LogisticRegression, whose penalty bounds them.",
                )
            };
            if state
                .probability
                .iter()
                .zip(y)
                .all(|(p, y)| (p - y).abs() < 1e-8)
            {
                return Err(separated());
            }
            let decomposed = Decomposed::new(&state.weighted).map_err(|_| separated())?;
            let size = params.iter().fold(1e-300_f64, |m, b: &f64| m.max(b.abs()));
            let converged = step <= 1e-9 * size;
            if converged || iterations == self.max_iter {
                return Ok(LogitFit {
                    covariance: decomposed.inverse_products(),
                    leverage: decomposed.leverage(),
                    probability: state.probability,
                    llf: state.llf,
                    labels: y.to_vec(),
                    names,
                    params,
                    intercept: self.fit_intercept,
                    converged,
                    iterations,
                });
            }
            // Newton's step is a least squares solution; half of it, and so on, where it overshoots.
            let mut change = decomposed.solve(&state.working);
            let mut tried: Vec<f64>;
            loop {
                tried = params.iter().zip(&change).map(|(b, c)| b + c).collect();
                step = change.iter().fold(0.0, |m, c: &f64| m.max(c.abs()));
                let gain = State::at(&a, y, &tried).llf - state.llf;
                if gain >= -1e-12 * state.llf.abs() || step <= 1e-9 * size {
                    break;
                }
                change.iter_mut().for_each(|c| *c *= 0.5);
            }
            params = tried;
        }
        unreachable!("the loop ends by returning")
    }
}

/// What Newton's method needs to know at some coefficients.
struct State {
    probability: Vec<f64>,
    /// The rows times the square roots of `p (1 − p)`.
    weighted: Mat<f64>,
    /// The errors over those roots.
    working: Vec<f64>,
    llf: f64,
}

impl State {
    fn at(a: &Mat<f64>, y: &[f64], params: &[f64]) -> Self {
        let score = product(a, params);
        let probability: Vec<f64> = score.iter().map(|s| 1.0 / (1.0 + (-s).exp())).collect();
        let root: Vec<f64> = score
            .iter()
            .map(|s| {
                let e = (-s.abs()).exp();
                e.sqrt() / (1.0 + e)
            })
            .collect();
        // −ln(1 + exp(−s)) for label 1, the same of −s for label 0.
        let likelihood = score.iter().zip(y).map(|(s, y)| {
            let s = if *y == 1.0 { *s } else { -s };
            s.min(0.0) - (-s.abs()).exp().ln_1p()
        });
        let working = y.iter().zip(&probability).zip(&root);
        Self {
            weighted: Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] * root[i]),
            working: working
                .map(|((y, p), r)| if *r > 0.0 { (y - p) / r } else { 0.0 })
                .collect(),
            llf: likelihood.sum(),
            probability,
        }
    }
}

/// A fit of [`Logit`]. Vectors of coefficients begin with the intercept, if there is one.
#[derive(Clone, Debug)]
pub struct LogitFit {
    names: Vec<String>,
    params: Vec<f64>,
    covariance: Mat<f64>,
    leverage: Vec<f64>,
    probability: Vec<f64>,
    labels: Vec<f64>,
    llf: f64,
    intercept: bool,
    converged: bool,
    iterations: usize,
}

impl LogitFit {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The coefficients: changes of the logarithm of the odds for a change of the feature by 1.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// The standard errors of the coefficients, from the curvature of the likelihood.
    pub fn bse(&self) -> Vec<f64> {
        (0..self.params.len())
            .map(|j| self.covariance[(j, j)].sqrt())
            .collect()
    }

    /// The covariances of the coefficients.
    pub fn cov_params(&self) -> Array2<f64> {
        let p = self.params.len();
        Array2::from_shape_fn((p, p), |(i, j)| self.covariance[(i, j)])
    }

    /// Coefficients over standard errors: z.
    pub fn tvalues(&self) -> Vec<f64> {
        let errors = self.bse();
        self.params.iter().zip(errors).map(|(b, e)| b / e).collect()
    }

    /// How likely a coefficient so far from 0 or farther is if the true one is 0: normal, two-sided.
    pub fn pvalues(&self) -> Vec<f64> {
        self.tvalues().into_iter().map(normal_two_sided).collect()
    }

    /// Intervals that hold the true coefficients with probability `1 − alpha`.
    ///
    /// # Errors
    /// If `alpha` is not between 0 and 1.
    pub fn conf_int(&self, alpha: f64) -> Result<Vec<(f64, f64)>> {
        let z = normal_upper(self::alpha(alpha)? / 2.0);
        let errors = self.bse();
        let interval = |(b, e): (&f64, f64)| (b - z * e, b + z * e);
        Ok(self.params.iter().zip(errors).map(interval).collect())
    }

    /// The number of rows.
    pub fn nobs(&self) -> usize {
        self.labels.len()
    }

    /// The number of features.
    pub fn df_model(&self) -> f64 {
        (self.params.len() - usize::from(self.intercept)) as f64
    }

    /// The number of rows beyond that of coefficients.
    pub fn df_resid(&self) -> f64 {
        (self.nobs() - self.params.len()) as f64
    }

    /// Whether the coefficients came to rest.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// How many iterations it took.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// The logarithm of the likelihood.
    pub fn llf(&self) -> f64 {
        self.llf
    }

    /// The logarithm of the likelihood of the best model of an intercept alone.
    pub fn llnull(&self) -> f64 {
        let n = self.nobs() as f64;
        let ones: f64 = self.labels.iter().sum();
        ones * (ones / n).ln() + (n - ones) * (1.0 - ones / n).ln()
    }

    /// McFadden's pseudo R²: `1 − llf / llnull`.
    pub fn prsquared(&self) -> f64 {
        1.0 - self.llf / self.llnull()
    }

    /// How likely so large a gain over the intercept alone is if no feature matters: chi-squared.
    pub fn llr_pvalue(&self) -> f64 {
        chi_squared_upper(2.0 * (self.llf - self.llnull()), self.df_model())
    }

    /// Akaike's criterion: `2 · (coefficients − llf)`.
    pub fn aic(&self) -> f64 {
        2.0 * (self.params.len() as f64 - self.llf)
    }

    /// Schwarz's criterion: `ln(nobs) · coefficients − 2 · llf`.
    pub fn bic(&self) -> f64 {
        (self.nobs() as f64).ln() * self.params.len() as f64 - 2.0 * self.llf
    }

    /// The probability of label 1 in each row that was fitted.
    pub fn fittedvalues(&self) -> Array1<f64> {
        self.probability.iter().copied().collect()
    }

    /// The errors over the standard deviations that the probabilities imply.
    pub fn resid_pearson(&self) -> Array1<f64> {
        let rows = self.labels.iter().zip(&self.probability);
        rows.map(|(y, p)| (y - p) / (p * (1.0 - p)).sqrt())
            .collect()
    }

    /// The diagonal of the hat matrix of the last least squares problem of Newton's method.
    pub fn leverage(&self) -> &[f64] {
        &self.leverage
    }

    /// Cook's distance, to first order (D. Pregibon, "Logistic regression diagnostics", 1981).
    pub fn cooks_distance(&self) -> Vec<f64> {
        let p = self.params.len() as f64;
        let rows = self.resid_pearson().into_iter().zip(&self.leverage);
        rows.map(|(r, h)| r * r * h / ((1.0 - h) * (1.0 - h) * p))
            .collect()
    }

    /// The linear function of the logarithm of the odds.
    ///
    /// # Errors
    /// None that could be met: the shapes are this fit's own.
    pub fn model(&self) -> Result<LinearModel> {
        let first = usize::from(self.intercept);
        let coef = Array2::from_shape_fn((1, self.params.len() - first), |(_, j)| {
            self.params[first + j]
        });
        let intercept = if self.intercept { self.params[0] } else { 0.0 };
        LinearModel::new(coef, Array1::from_elem(1, intercept))
    }

    /// The table that `statsmodels` prints, without date and time.
    pub fn summary(&self) -> Summary {
        let converged = if self.converged { "True" } else { "False" };
        Summary {
            title: "Logit Regression Results".into(),
            left: vec![
                ("Dep. Variable:", "y".into()),
                ("Model:", "Logit".into()),
                ("Method:", "MLE".into()),
                ("converged:", converged.into()),
                ("Covariance Type:", "nonrobust".into()),
            ],
            right: vec![
                ("No. Observations:".into(), self.nobs().to_string()),
                ("Df Residuals:".into(), self.df_resid().to_string()),
                ("Df Model:".into(), self.df_model().to_string()),
                ("Pseudo R-squ.:".into(), general(self.prsquared(), 4, true)),
                ("Log-Likelihood:".into(), general(self.llf, 5, true)),
                ("LL-Null:".into(), general(self.llnull(), 5, true)),
                ("LLR p-value:".into(), general(self.llr_pvalue(), 4, false)),
            ],
            statistic: 'z',
            names: self.names.clone(),
            params: self.params.clone(),
            errors: self.bse(),
            statistics: self.tvalues(),
            pvalues: self.pvalues(),
            intervals: self.conf_int(0.05).unwrap_or_default(),
            diagnostics: Vec::new(),
            notes: Vec::new(),
        }
    }
}
