//! Logistic regression of two classes without penalty, with statistics.

use super::Summary;
use super::coefficients::{Coefficients, Test, coefficient_methods};
use super::design::{Decomposed, Names, matrix, naming_methods, product};
use super::distributions::chi_squared_upper;
use super::summary::general;
use crate::factor::Svd;
use crate::options::setters;
use crate::{Error, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::Array1;

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
    names: Names,
    max_iter: usize,
}

naming_methods! { Logit }

impl Default for Logit {
    fn default() -> Self {
        Self::new()
    }
}

impl Logit {
    /// With an intercept, which comes first among the coefficients, as `const`; features are named `x1`, `x2`, … and
    /// the target `y`; at most 35 iterations.
    pub fn new() -> Self {
        Self {
            names: Names::default(),
            max_iter: 35,
        }
    }

    setters! {
        /// Sets the greatest number of Newton's iterations; 35 by default.
        max_iter: usize => max_iter;
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
        let intercept = self.names.intercept;
        let names = self.names.of_columns(x.features())?;
        let a = matrix(&x, intercept, "Logit")?;
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
                    coefficients: Coefficients {
                        names,
                        target: self.names.target.clone(),
                        params,
                        covariance: decomposed.inverse_products(),
                        leverage: decomposed.leverage(),
                        intercept,
                        test: Test::Normal,
                    },
                    singular: Svd::new(a.as_ref())?.s,
                    probability: state.probability,
                    llf: state.llf,
                    labels: y.to_vec(),
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
    coefficients: Coefficients,
    /// The singular values of the columns, the largest first.
    singular: Vec<f64>,
    probability: Vec<f64>,
    labels: Vec<f64>,
    llf: f64,
    converged: bool,
    iterations: usize,
}

coefficient_methods! { LogitFit }

impl LogitFit {
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

    /// The largest over the smallest singular value of the columns.
    pub fn condition_number(&self) -> f64 {
        self.singular[0] / self.singular[self.singular.len() - 1]
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

    /// Cook's distance, to first order (D. Pregibon, "Logistic regression diagnostics", 1981).
    pub fn cooks_distance(&self) -> Vec<f64> {
        let p = self.params().len() as f64;
        let rows = self.resid_pearson().into_iter().zip(self.leverage());
        rows.map(|(r, h)| r * r * h / ((1.0 - h) * (1.0 - h) * p))
            .collect()
    }

    /// The table that `statsmodels` prints; date and time are in it if [`Summary::dated`] puts them there.
    pub fn summary(&self) -> Summary {
        let converged = if self.converged { "True" } else { "False" };
        let rows = self.labels.iter().zip(&self.probability);
        let sure = rows.filter(|(y, p)| (*y - *p).abs() < 1e-4).count();
        let sure = sure as f64 / self.nobs() as f64;
        let warning = (sure > 0.1).then(|| {
            format!(
                "Possibly complete quasi-separation: A fraction {sure:4.2} of observations can be\n\
                 perfectly predicted. This might indicate that there is complete\n\
                 quasi-separation. In this case some parameters will not be identified."
            )
        });
        Summary {
            title: "Logit Regression Results".into(),
            left: vec![
                ("Dep. Variable:", self.coefficients.target.clone()),
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
            coefficients: self.coefficients.clone(),
            diagnostics: Vec::new(),
            notes: Vec::new(),
            warning,
        }
    }
}
