//! What least squares learnt, and how sure that is.

use super::Summary;
use super::coefficients::{Coefficients, coefficient_methods};
use super::distributions::f_upper;
use super::normality::Normality;
use super::summary::{decimals, general};
use crate::{Error, Result};
use ndarray::Array1;

/// A fit of [`Ols`](super::Ols). Vectors of coefficients begin with the intercept, if there is one.
#[derive(Clone, Debug)]
pub struct OlsFit {
    pub(super) coefficients: Coefficients,
    /// The singular values of the weighted columns, the largest first.
    pub(super) singular: Vec<f64>,
    /// The targets, times `root`.
    pub(super) response: Vec<f64>,
    /// Of the weighted rows.
    pub(super) residuals: Vec<f64>,
    /// The square roots of the weights.
    pub(super) root: Vec<f64>,
    pub(super) weighted: bool,
}

coefficient_methods! { OlsFit }

impl OlsFit {
    /// The weighted sum of the squares of the residuals.
    pub fn ssr(&self) -> f64 {
        self.residuals.iter().map(|r| r * r).sum()
    }

    /// The weighted sum of the squares of the targets, about their mean if there is an intercept.
    fn tss(&self) -> f64 {
        let mean = match self.coefficients.intercept {
            true => {
                let weight: f64 = self.root.iter().map(|r| r * r).sum();
                let sum = self.response.iter().zip(&self.root).map(|(y, r)| y * r);
                sum.sum::<f64>() / weight
            }
            false => 0.0,
        };
        let off = self
            .response
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
        let total = (self.nobs() - usize::from(self.coefficients.intercept)) as f64;
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
        let weighted = self
            .response
            .iter()
            .zip(&self.residuals)
            .map(|(y, r)| y - r);
        weighted.zip(&self.root).map(|(f, w)| f / w).collect()
    }

    /// Cook's distance: how far all predictions move, in units of their variance, if the row is left out.
    pub fn cooks_distance(&self) -> Vec<f64> {
        let scale = self.mse_resid() * self.params().len() as f64;
        let distance = |(r, h): (&f64, &f64)| r * r * h / ((1.0 - h) * (1.0 - h) * scale);
        self.residuals
            .iter()
            .zip(self.leverage())
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
        let mut full = Vec::with_capacity(self.params().len());
        if self.coefficients.intercept {
            full.push(1.0);
        }
        full.extend_from_slice(row);
        let mean = full.iter().zip(self.params()).map(|(x, b)| x * b).sum();
        let mut variance = 0.0;
        for (i, x) in full.iter().enumerate() {
            for (j, z) in full.iter().enumerate() {
                variance += x * z * self.coefficients.covariance[(i, j)];
            }
        }
        Ok((mean, variance.sqrt()))
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
        let (mean, error) = self.predict_mean(row)?;
        let half = self.coefficients.reach(alpha)? * error;
        Ok((mean, mean - half, mean + half))
    }

    /// The table that `statsmodels` prints; date and time are in it if [`Summary::dated`] puts them there.
    pub fn summary(&self) -> Summary {
        let name = if self.weighted { "WLS" } else { "OLS" };
        let uncentered = if self.coefficients.intercept {
            ""
        } else {
            " (uncentered)"
        };
        let normality = Normality::of(&self.residuals);
        let mut notes = vec![
            "Standard Errors assume that the covariance matrix of the errors is correctly specified."
                .to_owned(),
        ];
        if !self.coefficients.intercept {
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
                ("Dep. Variable:", self.coefficients.target.clone()),
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
            coefficients: self.coefficients.clone(),
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
            warning: None,
        }
    }
}
