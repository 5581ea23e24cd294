//! Least squares with a penalty on the squares of the coefficients.

use crate::blocks::Real;
use crate::least_squares::{Data, by_products, by_rows};
use crate::moments::Moments;
use crate::nnls::nnls;
use crate::options::setters;
use crate::{Estimator, LinearModel, Result, Rows, Targets, check};
use faer::Mat;
use ndarray::ArrayView2;

/// How [`Ridge`] is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RidgeSolver {
    /// Cholesky where it loses no digits, else SVD.
    #[default]
    Auto,
    /// Cholesky's decomposition of the products of the features; SVD if they have none.
    Cholesky,
    /// QR of the rows block by block, then a singular value decomposition.
    Svd,
}

/// Ridge regression: minimises `Σ w · (y − x · coef − intercept)² + alpha · Σ coef²`.
///
/// ```
/// use cornu_linear::{Estimator, Ridge};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0]];
/// let model = Ridge::new().alpha(2.0).fit(&x, &array![0.0, 2.0, 4.0])?;
/// assert!((model.coef()[[0, 0]] - 1.0).abs() < 1e-12); // 4 / (2 + alpha)
/// assert!((model.intercept()[0] - 1.0).abs() < 1e-12);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    alpha: f64,
    fit_intercept: bool,
    positive: bool,
    solver: RidgeSolver,
}

impl Default for Ridge {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            fit_intercept: true,
            positive: false,
            solver: RidgeSolver::Auto,
        }
    }
}

impl Ridge {
    /// With `alpha` 1, an intercept, coefficients of any sign.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The weight of the penalty (default: 1).
        alpha: f64 => alpha;

        /// Whether an intercept is fitted, which is not penalised (default: yes).
        fit_intercept: bool => fit_intercept;

        /// Whether coefficients must not be negative (default: no).
        positive: bool => positive;

        /// The solver (default: `Auto`); with `positive` it is always the method of active sets.
        solver: RidgeSolver => solver;
    }

    fn fit_dense<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let data = Data { x, y, weights };
        let coef = if self.positive {
            let ridge = moments.clone().ridge(self.alpha);
            let columns: Vec<_> = (0..y.columns()).map(|t| nnls(&ridge, t)).collect();
            Mat::from_fn(moments.features, y.columns(), |f, t| columns[t][f])
        } else {
            let by_products = match self.solver {
                RidgeSolver::Auto => by_products(&data, &moments, self.alpha),
                RidgeSolver::Cholesky => moments.solve(self.alpha),
                RidgeSolver::Svd => None,
            };
            match by_products {
                Some(coef) => coef,
                None => by_rows(&data, &moments)?.ridge(self.alpha),
            }
        };
        Ok(moments.model(&coef, self.fit_intercept))
    }
}

impl Estimator for Ridge {
    type Fitted = LinearModel;

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        check::not_negative("alpha", self.alpha)?;
        check::fit_input(&x, &y, weights)?;
        match x {
            Rows::F64(x) => self.fit_dense(x, &y, weights),
            Rows::F32(x) => self.fit_dense(x, &y, weights),
            Rows::Csr64(_) | Rows::Csr32(_) => Err(check::not_sparse("Ridge")),
        }
    }
}
