//! What the fits know of their coefficients, alike for all regressions.

use super::distributions::{normal_two_sided, normal_upper, t_two_sided, t_upper};
use crate::{Error, LinearModel, Result};
use faer::Mat;
use ndarray::{Array1, Array2};

/// Coefficients, of which the intercept, if there is one, is the first.
#[derive(Clone, Debug)]
pub(super) struct Coefficients {
    pub names: Vec<String>,
    /// The name of the target.
    pub target: String,
    pub params: Vec<f64>,
    pub covariance: Mat<f64>,
    pub leverage: Vec<f64>,
    pub intercept: bool,
    pub test: Test,
}

/// How coefficients over their standard errors are distributed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Test {
    /// As Student's t, with as many degrees of freedom as there are rows beyond the coefficients.
    Student,
    Normal,
}

impl Coefficients {
    pub fn bse(&self) -> Vec<f64> {
        let variance = |j: usize| self.covariance[(j, j)];
        (0..self.params.len()).map(|j| variance(j).sqrt()).collect()
    }

    pub fn tvalues(&self) -> Vec<f64> {
        let errors = self.bse();
        self.params.iter().zip(errors).map(|(b, e)| b / e).collect()
    }

    pub fn pvalues(&self) -> Vec<f64> {
        let two_sided = |t| match self.test {
            Test::Student => t_two_sided(t, self.df_resid()),
            Test::Normal => normal_two_sided(t),
        };
        self.tvalues().into_iter().map(two_sided).collect()
    }

    /// How many standard errors are to each side of an estimate in its interval of probability `1 − alpha`.
    pub fn reach(&self, alpha: f64) -> Result<f64> {
        if !(alpha > 0.0 && alpha < 1.0) {
            return Err(Error::new(format!(
                "alpha: expected a number between 0 and 1. Received: {alpha}."
            )));
        }
        Ok(match self.test {
            Test::Student => t_upper(alpha / 2.0, self.df_resid()),
            Test::Normal => normal_upper(alpha / 2.0),
        })
    }

    pub fn conf_int(&self, alpha: f64) -> Result<Vec<(f64, f64)>> {
        let reach = self.reach(alpha)?;
        let errors = self.bse();
        let interval = |(b, e): (&f64, f64)| (b - reach * e, b + reach * e);
        Ok(self.params.iter().zip(errors).map(interval).collect())
    }

    pub fn df_model(&self) -> f64 {
        let one = match self.test {
            Test::Student => usize::from(self.intercept),
            // statsmodels takes it for granted that one coefficient is the intercept.
            Test::Normal => 1,
        };
        (self.params.len() - one) as f64
    }

    pub fn df_resid(&self) -> f64 {
        (self.leverage.len() - self.params.len()) as f64
    }

    pub fn model(&self) -> Result<LinearModel> {
        let first = usize::from(self.intercept);
        let coef = Array2::from_shape_fn((1, self.params.len() - first), |(_, j)| {
            self.params[first + j]
        });
        let intercept = if self.intercept { self.params[0] } else { 0.0 };
        LinearModel::new(coef, Array1::from_elem(1, intercept))
    }
}

/// Gives a fit with the field `coefficients` and the method `llf` what follows from them.
macro_rules! coefficient_methods {
    ($fit:ty) => {
        impl $fit {
            /// The names of the coefficients.
            pub fn names(&self) -> &[String] {
                &self.coefficients.names
            }

            /// The coefficients.
            pub fn params(&self) -> &[f64] {
                &self.coefficients.params
            }

            /// The standard errors of the coefficients.
            pub fn bse(&self) -> Vec<f64> {
                self.coefficients.bse()
            }

            /// The covariances of the coefficients.
            pub fn cov_params(&self) -> ndarray::Array2<f64> {
                let covariance = &self.coefficients.covariance;
                let shape = (covariance.nrows(), covariance.ncols());
                ndarray::Array2::from_shape_fn(shape, |place| covariance[place])
            }

            /// Coefficients over standard errors.
            pub fn tvalues(&self) -> Vec<f64> {
                self.coefficients.tvalues()
            }

            /// How likely a coefficient so far from 0 or farther is if the true one is 0: two-sided, by Student's t
            /// (of `Ols`) or the normal distribution (of `Logit`).
            pub fn pvalues(&self) -> Vec<f64> {
                self.coefficients.pvalues()
            }

            /// Intervals that hold the true coefficients with probability `1 − alpha`.
            ///
            /// # Errors
            /// If `alpha` is not between 0 and 1.
            pub fn conf_int(&self, alpha: f64) -> $crate::Result<Vec<(f64, f64)>> {
                self.coefficients.conf_int(alpha)
            }

            /// The number of rows.
            pub fn nobs(&self) -> usize {
                self.coefficients.leverage.len()
            }

            /// The number of features (of `Logit` that of coefficients but one, even without an intercept, as
            /// `statsmodels` counts).
            pub fn df_model(&self) -> f64 {
                self.coefficients.df_model()
            }

            /// The number of rows beyond that of coefficients.
            pub fn df_resid(&self) -> f64 {
                self.coefficients.df_resid()
            }

            /// Akaike's criterion: `2 · (coefficients − llf)`.
            pub fn aic(&self) -> f64 {
                2.0 * (self.params().len() as f64 - self.llf())
            }

            /// Schwarz's criterion: `ln(nobs) · coefficients − 2 · llf`.
            pub fn bic(&self) -> f64 {
                (self.nobs() as f64).ln() * self.params().len() as f64 - 2.0 * self.llf()
            }

            /// How far each row pulls its own prediction: the diagonal of the hat matrix (of `Logit` that of the last
            /// least squares problem of Newton's method).
            pub fn leverage(&self) -> &[f64] {
                &self.coefficients.leverage
            }

            /// The linear function alone (of `Logit` that of the logarithm of the odds).
            ///
            /// # Errors
            /// None that could be met: the shapes are this fit's own.
            pub fn model(&self) -> $crate::Result<$crate::LinearModel> {
                self.coefficients.model()
            }
        }
    };
}

pub(super) use coefficient_methods;
