//! What least squares learnt, and how sure that is.

use super::Summary;
use super::design::alpha;
use super::distributions::{f_upper, t_two_sided, t_upper};
use super::normality::Normality;
use super::summary::{decimals, general};
use crate::{Error, LinearModel, Result};
use faer::Mat;
use ndarray::{Array1, Array2};

/// A fit of [`Ols`](super::Ols). Vectors of coefficients begin with the intercept, if there is one.
#[derive(Clone, Debug)]
pub struct OlsFit {
    pub(super) names: Vec<String>,
    pub(super) params: Vec<f64>,
    /// Of the coefficients, but for the variance of the errors.
    pub(super) covariance: Mat<f64>,
    pub(super) leverage: Vec<f64>,
    /// The singular values of the weighted columns, the largest first.
    pub(super) singular: Vec<f64>,
    /// The targets, times `root`.
    pub(super) target: Vec<f64>,
    /// Of the weighted rows.
    pub(super) residuals: Vec<f64>,
    /// The square roots of the weights.
    pub(super) root: Vec<f64>,
    pub(super) intercept: bool,
    pub(super) weighted: bool,
}

impl OlsFit {
    /// The names of the coefficients.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The coefficients.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// The standard errors of the coefficients: roots of the diagonal of `mse_resid · (XᵀWX)⁻¹`.
    pub fn bse(&self) -> Vec<f64> {
        let scale = self.mse_resid();
        let variance = |j: usize| self.covariance[(j, j)] * scale;
        (0..self.params.len()).map(|j| variance(j).sqrt()).collect()
    }

    /// The covariances of the coefficients.
    pub fn cov_params(&self) -> Array2<f64> {
        let scale = self.mse_resid();
        let p = self.params.len();
        Array2::from_shape_fn((p, p), |(i, j)| self.covariance[(i, j)] * scale)
    }

    /// Coefficients over standard errors.
    pub fn tvalues(&self) -> Vec<f64> {
        let errors = self.bse();
        self.params.iter().zip(errors).map(|(b, e)| b / e).collect()
    }

    /// How likely a coefficient so far from 0 or farther is if the true one is 0: Student's t, two-sided.
    pub fn pvalues(&self) -> Vec<f64> {
        let freedom = self.df_resid();
        let t = self.tvalues();
        t.iter().map(|&t| t_two_sided(t, freedom)).collect()
    }

    /// Intervals that hold the true coefficients with probability `1 − alpha`.
    ///
    /// # Errors
    /// If `alpha` is not between 0 and 1.
    pub fn conf_int(&self, alpha: f64) -> Result<Vec<(f64, f64)>> {
        let t = t_upper(self::alpha(alpha)? / 2.0, self.df_resid());
        let errors = self.bse();
        let interval = |(b, e): (&f64, f64)| (b - t * e, b + t * e);
        Ok(self.params.iter().zip(errors).map(interval).collect())
    }

    /// The number of rows.
    pub fn nobs(&self) -> usize {
        self.residuals.len()
    }

    /// The number of features.
    pub fn df_model(&self) -> f64 {
        (self.params.len() - usize::from(self.intercept)) as f64
    }

    /// The number of rows beyond that of coefficients.
    pub fn df_resid(&self) -> f64 {
        (self.nobs() - self.params.len()) as f64
    }

    /// The weighted sum of the squares of the residuals.
    pub fn ssr(&self) -> f64 {
        self.residuals.iter().map(|r| r * r).sum()
    }

    /// The weighted sum of the squares of the targets, about their mean if there is an intercept.
    fn tss(&self) -> f64 {
        let mean = match self.intercept {
            true => {
                let weight: f64 = self.root.iter().map(|r| r * r).sum();
                let sum = self.target.iter().zip(&self.root).map(|(y, r)| y * r);
                sum.sum::<f64>() / weight
            }
            false => 0.0,
        };
        let off = self
            .target
            .iter()
            .zip(&self.root)
            .map(|(y, r)| y - mean * r);
        off.map(|d| d * d).sum()
    }

    /// The estimated variance of the errors: `ssr / df_resid`.
    pub fn mse_resid(&self) -> f64 {
        self.ssr() / self.df_resid()
    }

    /// R²: 1 less the share of the targets' squares (about the mean if there is an intercept) that is left.
    pub fn rsquared(&self) -> f64 {
        1.0 - self.ssr() / self.tss()
    }

    /// R² adjusted for the number of coefficients.
    pub fn rsquared_adj(&self) -> f64 {
        let total = (self.nobs() - usize::from(self.intercept)) as f64;
        1.0 - total / self.df_resid() * (1.0 - self.rsquared())
    }

    /// F of the whole model against the mean (or against 0, without intercept).
    pub fn fvalue(&self) -> f64 {
        (self.tss() - self.ssr()) / self.df_model() / self.mse_resid()
    }

    /// How likely so large an F is if no feature matters.
    pub fn f_pvalue(&self) -> f64 {
        f_upper(self.fvalue(), self.df_model(), self.df_resid())
    }

    /// The logarithm of the likelihood, for normal errors.
    pub fn llf(&self) -> f64 {
        let half = self.nobs() as f64 / 2.0;
        let weights: f64 = self.root.iter().map(|r| r.ln()).sum();
        -half * (self.ssr().ln() + 1.0 + (std::f64::consts::PI / half).ln()) + weights
    }

    /// Akaike's criterion: `2 · (coefficients − llf)`.
    pub fn aic(&self) -> f64 {
        2.0 * (self.params.len() as f64 - self.llf())
    }

    /// Schwarz's criterion: `ln(nobs) · coefficients − 2 · llf`.
    pub fn bic(&self) -> f64 {
        (self.nobs() as f64).ln() * self.params.len() as f64 - 2.0 * self.llf()
    }

    /// The largest over the smallest singular value of the (weighted) columns.
    pub fn condition_number(&self) -> f64 {
        self.singular[0] / self.singular[self.singular.len() - 1]
    }

    /// The residuals `y − ŷ`.
    pub fn resid(&self) -> Array1<f64> {
        self.residuals
            .iter()
            .zip(&self.root)
            .map(|(r, w)| r / w)
            .collect()
    }

    /// The predictions `ŷ` for the rows that were fitted.
    pub fn fittedvalues(&self) -> Array1<f64> {
        let weighted = self.target.iter().zip(&self.residuals).map(|(y, r)| y - r);
        weighted.zip(&self.root).map(|(f, w)| f / w).collect()
    }

    /// How far each row pulls its own prediction: the diagonal of the hat matrix.
    pub fn leverage(&self) -> &[f64] {
        &self.leverage
    }

    /// Cook's distance: how far all predictions move, in units of their variance, if the row is left out.
    pub fn cooks_distance(&self) -> Vec<f64> {
        let scale = self.mse_resid() * self.params.len() as f64;
        let distance = |(r, h): (&f64, &f64)| r * r * h / ((1.0 - h) * (1.0 - h) * scale);
        self.residuals
            .iter()
            .zip(&self.leverage)
            .map(distance)
            .collect()
    }

    /// Durbin and Watson's statistic: near 2 if neighbouring residuals have nothing in common.
    pub fn durbin_watson(&self) -> f64 {
        let steps = self.residuals.windows(2).map(|w| (w[1] - w[0]).powi(2));
        steps.sum::<f64>() / self.ssr()
    }

    /// The mean prediction for a row of features, and its standard error.
    ///
    /// # Errors
    /// If there is not a number for each feature.
    pub fn predict_mean(&self, row: &[f64]) -> Result<(f64, f64)> {
        if row.len() as f64 != self.df_model() {
            return Err(Error::shape(format!(
                "row: expected {} features, as the model was fitted with. Received: {}.",
                self.df_model(),
                row.len()
            )));
        }
        let mut full = Vec::with_capacity(self.params.len());
        if self.intercept {
            full.push(1.0);
        }
        full.extend_from_slice(row);
        let mean = full.iter().zip(&self.params).map(|(x, b)| x * b).sum();
        let mut variance = 0.0;
        for (i, x) in full.iter().enumerate() {
            for (j, z) in full.iter().enumerate() {
                variance += x * z * self.covariance[(i, j)];
            }
        }
        Ok((mean, (variance * self.mse_resid()).sqrt()))
    }

    /// The mean prediction for a row of features, and the bounds between which the true mean is with probability
    /// `1 − alpha`.
    ///
    /// # Errors
    /// If there is not a number for each feature, or `alpha` is not between 0 and 1.
    ///
    /// ```
    /// use cornu_linear::statistics::Ols;
    /// let x = ndarray::array![[1.0], [2.0], [3.0], [4.0]];
    /// let fit = Ols::new().fit(&x, &[1.1, 1.9, 3.2, 3.8])?;
    /// let (mean, low, high) = fit.predict_mean_interval(&[2.5], 0.05)?;
    /// assert!((mean - 2.5).abs() < 1e-12 && low < mean && mean < high);
    /// # Ok::<(), cornu_linear::Error>(())
    /// ```
    pub fn predict_mean_interval(&self, row: &[f64], alpha: f64) -> Result<(f64, f64, f64)> {
        let t = t_upper(self::alpha(alpha)? / 2.0, self.df_resid());
        let (mean, error) = self.predict_mean(row)?;
        let half = t * error;
        Ok((mean, mean - half, mean + half))
    }

    /// The linear function alone.
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
        let name = if self.weighted { "WLS" } else { "OLS" };
        let uncentered = if self.intercept { "" } else { " (uncentered)" };
        let normality = Normality::of(&self.residuals);
        let mut notes = vec![
            "Standard Errors assume that the covariance matrix of the errors is correctly specified."
                .to_owned(),
        ];
        if !self.intercept {
            notes.insert(
                0,
                "R² is computed without centering (uncentered) since the model does not contain a constant."
                    .to_owned(),
            );
        }
        let smallest = self.singular[self.singular.len() - 1].powi(2);
        if smallest < 1e-10 {
            notes.push(format!(
                "The smallest eigenvalue is {}. This might indicate that there are\nstrong multicollinearity \
                 problems or that the design matrix is singular.",
                general(smallest, 3, false)
            ));
        } else if self.condition_number() > 1000.0 {
            notes.push(format!(
                "The condition number is large, {}. This might indicate that there are\nstrong multicollinearity \
                 or other numerical problems.",
                general(self.condition_number(), 3, false)
            ));
        }
        Summary {
            title: format!("{name} Regression Results"),
            left: vec![
                ("Dep. Variable:", "y".into()),
                ("Model:", name.into()),
                ("Method:", "Least Squares".into()),
                ("No. Observations:", self.nobs().to_string()),
                ("Df Residuals:", self.df_resid().to_string()),
                ("Df Model:", self.df_model().to_string()),
                ("Covariance Type:", "nonrobust".into()),
            ],
            right: vec![
                (
                    format!("R-squared{uncentered}:"),
                    decimals(self.rsquared(), 3),
                ),
                (
                    format!("Adj. R-squared{uncentered}:"),
                    decimals(self.rsquared_adj(), 3),
                ),
                ("F-statistic:".into(), general(self.fvalue(), 4, true)),
                (
                    "Prob (F-statistic):".into(),
                    general(self.f_pvalue(), 3, true),
                ),
                ("Log-Likelihood:".into(), general(self.llf(), 5, true)),
                ("AIC:".into(), general(self.aic(), 4, true)),
                ("BIC:".into(), general(self.bic(), 4, true)),
            ],
            statistic: 't',
            names: self.names.clone(),
            params: self.params.clone(),
            errors: self.bse(),
            statistics: self.tvalues(),
            pvalues: self.pvalues(),
            intervals: self.conf_int(0.05).unwrap_or_default(),
            diagnostics: vec![
                ["Omnibus:".into(), decimals(normality.omnibus, 3)],
                ["Durbin-Watson:".into(), decimals(self.durbin_watson(), 3)],
                [
                    "Prob(Omnibus):".into(),
                    decimals(normality.omnibus_pvalue, 3),
                ],
                [
                    "Jarque-Bera (JB):".into(),
                    decimals(normality.jarque_bera, 3),
                ],
                ["Skew:".into(), decimals(normality.skew, 3)],
                [
                    "Prob(JB):".into(),
                    general(normality.jarque_bera_pvalue, 3, true),
                ],
                ["Kurtosis:".into(), decimals(normality.kurtosis, 3)],
                [
                    "Cond. No.".into(),
                    general(self.condition_number(), 3, true),
                ],
            ],
            notes,
        }
    }
}
