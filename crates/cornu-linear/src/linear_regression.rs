//! Ordinary least squares.

use crate::blocks::Real;
use crate::least_squares::{Data, by_products, by_rows, cutoff};
use crate::moments::Moments;
use crate::nnls::nnls;
use crate::options::setters;
use crate::{Estimator, LinearModel, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::ArrayView2;

/// Ordinary least squares: minimises `Σ w · (y − x · coef − intercept)²`, for one target or several.
///
/// Data of full rank are read once or twice: the products of the centred features are solved by
/// Cholesky's decomposition, and the solution is refined with the residuals if the features are
/// nearly dependent. Where they are so near that this would lose digits, or dependent, or more than rows, the rows
/// are decomposed themselves (QR block by block, then SVD): the solution is then that of smallest norm
/// among all that are best.
///
/// ```
/// use cornu_linear::{Estimator, LinearRegression};
/// use ndarray::array;
///
/// // The second column is twice the first: many solutions, of which the shortest is given.
/// let x = array![[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]];
/// let model = LinearRegression::new().fit(&x, &array![5.0, 10.0, 15.0])?;
/// assert_eq!(model.rank(), Some(1));
/// assert!((model.coef()[[0, 0]] - 1.0).abs() < 1e-12);
/// assert!((model.coef()[[0, 1]] - 2.0).abs() < 1e-12);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearRegression {
    fit_intercept: bool,
    positive: bool,
    tol: Option<f64>,
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self {
            fit_intercept: true,
            positive: false,
            tol: None,
        }
    }
}

impl LinearRegression {
    /// With an intercept, coefficients of any sign.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether an intercept is fitted (default: yes); else the data are expected to be centred.
        fit_intercept: bool => fit_intercept;

        /// Whether coefficients must not be negative (default: no).
        positive: bool => positive;
    }

    /// Singular values of the (centred) features up to this part of the largest count as zeros, where
    /// features are nearly dependent. Default: the precision of the features' type times the greater of
    /// rows and features. (scikit-learn has 1e-6, which gives up digits that f64 has.)
    pub fn tol(mut self, tol: f64) -> Self {
        self.tol = Some(tol);
        self
    }

    fn fit_dense<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        if let Some(tol) = self.tol {
            check::not_negative("tol", tol)?;
        }
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let data = Data { x, y, weights };
        let (coef, rank) = if self.positive {
            let columns: Vec<_> = (0..y.columns()).map(|t| nnls(&moments, t)).collect();
            let coef = Mat::from_fn(moments.features, y.columns(), |f, t| columns[t][f]);
            (coef, None)
        } else {
            match by_products(&data, &moments, 0.0) {
                Some(coef) => (coef, Some(moments.features)),
                None => {
                    let cutoff = self.tol.unwrap_or(cutoff::<T>(x.dim()));
                    let (coef, rank) = by_rows(&data, &moments)?.least_squares(cutoff);
                    (coef, Some(rank))
                }
            }
        };
        let model = moments.model(&coef, self.fit_intercept);
        Ok(match rank {
            Some(rank) => model.with_rank(rank),
            None => model,
        })
    }
}

impl Estimator for LinearRegression {
    type Fitted = LinearModel;

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        check::fit_input(&x, &y, weights)?;
        match x {
            Rows::F64(x) => self.fit_dense(x, &y, weights),
            Rows::F32(x) => self.fit_dense(x, &y, weights),
            Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse("LinearRegression")),
        }
    }
}
