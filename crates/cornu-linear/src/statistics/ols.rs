//! Least squares, each row weighing the same or not, with statistics.

use super::OlsFit;
use super::coefficients::{Coefficients, Test};
use super::design::{Decomposed, Names, matrix, naming_methods, product};
use crate::factor::Svd;
use crate::{Error, Result, Rows, Targets, check};

/// Least squares with the statistics of the fit, as `statsmodels.OLS` and, with weights, `WLS`.
///
/// Unlike [`LinearRegression`](crate::LinearRegression), which gives an answer for any data, it refuses features
/// that depend on each other: their coefficients have no standard errors.
///
/// # Examples
/// ```
/// use cornu_linear::statistics::Ols;
/// use ndarray::array;
///
/// let x = array![[1.0, 0.5], [2.0, 0.1], [3.0, 0.9], [4.0, 0.3], [5.0, 0.2]];
/// let fit = Ols::new().names(["dose", "age"]).fit(&x, &array![1.2, 1.9, 3.2, 4.0, 4.9])?;
/// assert!(fit.rsquared() > 0.99);
/// assert!(fit.summary().to_string().contains("dose"));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ols {
    names: Names,
}

naming_methods! { Ols }

impl Ols {
    /// With an intercept, which comes first among the coefficients, as `const`; features are named `x1`, `x2`, … and
    /// the target `y`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fits one target, each row weighing the same.
    ///
    /// # Errors
    /// If lengths do not fit each other, a number is not finite, there are fewer rows than coefficients, or columns
    /// depend on each other.
    pub fn fit<'a>(&self, x: impl Into<Rows<'a>>, y: impl Into<Targets<'a>>) -> Result<OlsFit> {
        self.fit_rows(x.into(), y.into(), None)
    }

    /// Fits with a weight for each row: the inverse of the variance of its error, but for a factor.
    ///
    /// # Errors
    /// As [`fit`](Self::fit); also if a weight is not positive.
    pub fn fit_weighted<'a>(
        &self,
        x: impl Into<Rows<'a>>,
        y: impl Into<Targets<'a>>,
        weights: &[f64],
    ) -> Result<OlsFit> {
        self.fit_rows(x.into(), y.into(), Some(weights))
    }

    fn fit_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<OlsFit> {
        check::fit_input(&x, &y, weights)?;
        if let Some(at) = weights.and_then(|w| w.iter().position(|&w| w <= 0.0)) {
            return Err(Error::new(format!(
                "weights: expected positive numbers. Received: 0 for row {at}."
            )));
        }
        let intercept = self.names.intercept;
        let names = self.names.of_columns(x.features())?;
        let a = matrix(&x, intercept, "Ols")?;
        let y = y.single()?;
        // Rows times the square root of their weight have errors of equal variance.
        let root: Vec<f64> = match weights {
            Some(weights) => weights.iter().map(|w| w.sqrt()).collect(),
            None => vec![1.0; y.len()],
        };
        let a = faer::Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] * root[i]);
        let y: Vec<f64> = y.iter().zip(&root).map(|(y, r)| y * r).collect();
        let decomposed = Decomposed::new(&a)?;
        let mut params = decomposed.solve(&y);
        // The residuals' own solution is what rounding cost.
        let rest: Vec<f64> = y
            .iter()
            .zip(product(&a, &params))
            .map(|(y, f)| y - f)
            .collect();
        for (param, correction) in params.iter_mut().zip(decomposed.solve(&rest)) {
            *param += correction;
        }
        let singular = Svd::new(a.as_ref())?.s;
        let residuals: Vec<f64> = y
            .iter()
            .zip(product(&a, &params))
            .map(|(y, f)| y - f)
            .collect();
        // The variance of the errors, as estimated.
        let freedom = (y.len() - params.len()) as f64;
        let variance = residuals.iter().map(|r| r * r).sum::<f64>() / freedom;
        Ok(OlsFit {
            coefficients: Coefficients {
                names,
                target: self.names.target.clone(),
                params,
                covariance: decomposed.inverse_products() * faer::Scale(variance),
                leverage: decomposed.leverage(),
                intercept,
                test: Test::Student,
            },
            singular,
            response: y,
            residuals,
            root,
            weighted: weights.is_some(),
        })
    }
}
