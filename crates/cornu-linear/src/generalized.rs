//! Generalised linear models: targets that are counts, positive, or both.

use crate::lbfgs::{self, Stop};
use crate::options::setters;
use crate::problem::{Loss, Problem};
use crate::{Error, Estimator, LinearModel, Predictor, Result, Rows, Targets, check, newton};
use ndarray::{Array1, Array2};

/// How a generalised linear model is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GlmSolver {
    /// L-BFGS.
    #[default]
    Lbfgs,
    /// Newton's method with Cholesky's decomposition, for rows that far outnumber the features.
    NewtonCholesky,
}

/// What the three estimators share.
#[derive(Clone, Debug, PartialEq)]
struct Glm {
    power: f64,
    alpha: f64,
    fit_intercept: bool,
    solver: GlmSolver,
    tol: f64,
    max_iter: usize,
}

impl Glm {
    fn new(power: f64) -> Self {
        Self {
            power,
            alpha: 1.0,
            fit_intercept: true,
            solver: GlmSolver::Lbfgs,
            tol: 1e-4,
            max_iter: 100,
        }
    }

    fn loss(&self) -> Loss {
        match self.power {
            0.0 => Loss::Squared,
            1.0 => Loss::Poisson,
            2.0 => Loss::Gamma,
            power => Loss::Tweedie(power),
        }
    }

    fn check(&self, y: &[f64]) -> Result<()> {
        check::not_negative("alpha", self.alpha)?;
        check::not_negative("tol", self.tol)?;
        if !self.power.is_finite() || (self.power != 0.0 && self.power < 1.0) {
            return Err(Error::new(format!(
                "power: expected 0, or a number from 1 on. Received: {}.",
                self.power
            )));
        }
        range(self.power, y)
    }

    fn fit(&self, x: Rows<'_>, y: &Targets<'_>, weights: Option<&[f64]>) -> Result<GlmFit> {
        check::fit_input(&x, y, weights)?;
        let y = y.single()?;
        self.check(y)?;
        let problem = Problem {
            x,
            y,
            weights,
            loss: self.loss(),
            l1: 0.0,
            l2: self.alpha,
            fit_intercept: self.fit_intercept,
        };
        let p = x.features();
        let mut w = vec![0.0; p + 1];
        if self.fit_intercept {
            let mean = mean(y, weights);
            w[p] = if self.power == 0.0 { mean } else { mean.ln() };
        }
        let minimised = match self.solver {
            GlmSolver::Lbfgs => {
                let stop = Stop {
                    gradient: self.tol,
                    value: 64.0 * f64::EPSILON,
                    iterations: self.max_iter,
                };
                lbfgs::minimise(&mut w, stop, |w, gradient| problem.smooth(w, gradient))
            }
            GlmSolver::NewtonCholesky => {
                newton::minimise(&problem, &mut w, self.tol, self.max_iter)
            }
        };
        if !minimised.value.is_finite() || w.iter().any(|w| !w.is_finite()) {
            return Err(check::not_finite_rows(x));
        }
        let intercept = Array1::from_elem(1, w[p]);
        w.truncate(p);
        let linear = LinearModel::new(Array2::from_shape_vec((1, p), w)?, intercept)?;
        Ok(GlmFit {
            linear: linear.with_iterations(minimised.iterations, minimised.converged),
            power: self.power,
        })
    }
}

fn mean(y: &[f64], weights: Option<&[f64]>) -> f64 {
    let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
    let sum: f64 = (0..y.len()).map(|r| weight(r) * y[r]).sum();
    sum / (0..y.len()).map(weight).sum::<f64>()
}

/// Checks that a distribution has such targets.
fn range(power: f64, y: &[f64]) -> Result<()> {
    let least = y.iter().copied().fold(f64::INFINITY, f64::min);
    if power >= 2.0 && least <= 0.0 {
        return Err(Error::new(format!(
            "y: expected numbers above 0 for a distribution of power {power}. Received: {least}."
        )));
    }
    if power >= 1.0 && least < 0.0 {
        return Err(Error::new(format!(
            "y: expected numbers that are not negative for a distribution of power {power}. \
             Received: {least}."
        )));
    }
    if power >= 1.0 && y.iter().all(|y| *y == 0.0) {
        return Err(Error::new(
            "y: expected a number that is not 0. Received: zeros only.",
        ));
    }
    Ok(())
}

/// The Tweedie deviance of a mean.
fn deviance(power: f64, y: f64, mean: f64) -> f64 {
    let (one, two) = (1.0 - power, 2.0 - power);
    match power {
        0.0 => (y - mean).powi(2),
        1.0 if y == 0.0 => 2.0 * mean,
        1.0 => 2.0 * (y * (y / mean).ln() - y + mean),
        2.0 => 2.0 * ((mean / y).ln() + y / mean - 1.0),
        _ => 2.0 * (y.powf(two) / (one * two) - y * mean.powf(one) / one + mean.powf(two) / two),
    }
}

/// A fitted generalised linear model: the mean is the exponential of a linear function (with power 0 the
/// function itself).
#[derive(Clone, Debug, PartialEq)]
pub struct GlmFit {
    linear: LinearModel,
    power: f64,
}

impl GlmFit {
    /// Whether predictions are the exponential of the linear function, and not the function itself.
    pub fn is_log_link(&self) -> bool {
        self.power != 0.0
    }

    /// The linear function, before the exponential.
    pub fn linear(&self) -> &LinearModel {
        &self.linear
    }
}

impl Predictor for GlmFit {
    fn features(&self) -> usize {
        self.linear.features()
    }

    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>> {
        let z = self.linear.predict_rows(x)?;
        Ok(match self.is_log_link() {
            true => z.mapv_into(f64::exp),
            false => z,
        })
    }

    /// D²: 1 less the deviance as a part of that of the mean of `y`.
    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64> {
        check::lengths(x.len(), &y, weights)?;
        if x.is_empty() {
            return Err(Error::shape(
                "x: expected at least one row to score. Received: none.",
            ));
        }
        let y = y.single()?;
        range(self.power, y)?;
        let predicted = self.predict_rows(x)?;
        let mean = mean(y, weights);
        let sum = |of: &dyn Fn(usize) -> f64| -> f64 {
            let terms = (0..y.len())
                .map(|r| weights.map_or(1.0, |w| w[r]) * deviance(self.power, y[r], of(r)));
            terms.sum()
        };
        Ok(1.0 - sum(&|r| predicted[r]) / sum(&|_| mean))
    }
}

macro_rules! estimator {
    ($(#[$doc:meta])* $name:ident, power $power:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            glm: Glm,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    glm: Glm::new($power),
                }
            }
        }

        impl $name {
            /// With `alpha` 1, an intercept, L-BFGS.
            pub fn new() -> Self {
                Self::default()
            }

            setters! {
                /// The weight of the penalty (default: 1).
                alpha: f64 => glm.alpha;

                /// Whether an intercept is fitted, which is not penalised (default: yes).
                fit_intercept: bool => glm.fit_intercept;

                /// The solver (default: L-BFGS).
                solver: GlmSolver => glm.solver;

                /// The slope of the objective to stop at (default: 1e-4).
                tol: f64 => glm.tol;

                /// The most iterations (default: 100).
                max_iter: usize => glm.max_iter;
            }
        }

        impl Estimator for $name {
            type Fitted = GlmFit;

            fn fit_rows(
                &self,
                x: Rows<'_>,
                y: Targets<'_>,
                weights: Option<&[f64]>,
            ) -> Result<GlmFit> {
                self.glm.fit(x, &y, weights)
            }
        }
    };
}

estimator! {
    /// Poisson regression, for counts: minimises half the weighted mean deviance and `alpha / 2 · Σ coef²`, where the
    /// mean of a target is `exp(x · coef + intercept)`.
    ///
    /// ```
    /// use cornu_linear::{Estimator, PoissonRegressor, Predictor};
    /// use ndarray::array;
    ///
    /// let x = array![[0.0], [1.0], [2.0], [3.0]];
    /// let model = PoissonRegressor::new().alpha(0.0).tol(1e-8).fit(&x, &array![1, 2, 4, 8])?;
    /// assert!((model.linear().coef()[[0, 0]] - 2.0_f64.ln()).abs() < 1e-6);
    /// assert!((model.predict(&array![[4.0]])?[0] - 16.0).abs() < 1e-4);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    PoissonRegressor, power 1.0
}

estimator! {
    /// Gamma regression, for targets above 0 whose spread grows with their mean: as [`PoissonRegressor`], with the
    /// deviance of the gamma distribution.
    ///
    /// ```
    /// use cornu_linear::{Estimator, GammaRegressor, Predictor};
    /// use ndarray::array;
    ///
    /// let x = array![[0.0], [1.0], [2.0], [3.0]];
    /// let model = GammaRegressor::new().alpha(0.0).tol(1e-8).fit(&x, &array![0.5, 1.0, 2.0, 4.0])?;
    /// assert!((model.predict(&array![[4.0]])?[0] - 8.0).abs() < 1e-4);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    GammaRegressor, power 2.0
}

estimator! {
    /// Regression with the Tweedie deviance of a power: 0 normal (the mean is then the linear function itself), 1
    /// Poisson, 2 gamma, 3 inverse Gaussian; between 1 and 2 for targets that are zeros or positive.
    ///
    /// ```
    /// use cornu_linear::{Estimator, Predictor, TweedieRegressor};
    /// use ndarray::array;
    ///
    /// let x = array![[0.0], [0.0], [1.0], [1.0]];
    /// let tweedie = TweedieRegressor::new().power(1.5).alpha(0.0).tol(1e-8);
    /// let model = tweedie.fit(&x, &array![0.0, 2.0, 1.0, 5.0])?;
    /// assert!((model.predict(&array![[1.0]])?[0] - 3.0).abs() < 1e-4); // the mean of 1 and 5
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    TweedieRegressor, power 0.0
}

impl TweedieRegressor {
    setters! {
        /// The power (default: 0): 0, or a number from 1 on.
        power: f64 => glm.power;
    }
}
