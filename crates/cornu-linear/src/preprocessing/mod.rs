//! Features made fit for linear models: scaled, or with powers, products and splines of them. Names and defaults
//! are scikit-learn's.
//!
//! A [`Transformer`] learns from rows what it needs (means, knots, …); what it learnt, a [`Transform`], makes new
//! features. In a [`Pipeline`] with an estimator both learn from the same rows, so that in a
//! cross-validation nothing is known of rows left out.
//!
//! ```
//! use cornu_linear::preprocessing::{Pipeline, PolynomialFeatures, StandardScaler, Transform, Transformer};
//! use cornu_linear::{Estimator, LinearRegression, Predictor};
//! use ndarray::array;
//!
//! let x = array![[0.0], [1.0], [2.0], [3.0]];
//! let scaled = StandardScaler::new().fit(&x)?.transform(&x)?;
//! assert!((scaled.sum()).abs() < 1e-12);
//!
//! let parabola = Pipeline::new(PolynomialFeatures::new(), LinearRegression::new());
//! let model = parabola.fit(&x, &array![1.0, 2.0, 5.0, 10.0])?; // 1 + x²
//! assert!((model.predict(&array![[5.0]])?[0] - 26.0).abs() < 1e-9);
//! # Ok::<(), cornu_linear::Error>(())
//! ```

mod pipeline;
mod polynomial_features;
mod robust_scaler;
mod scaler;
mod sorted;
mod spline_transformer;
mod standard_scaler;

pub use pipeline::{Pipeline, PipelineFit};
pub use polynomial_features::{PolynomialFeatures, PolynomialFit};
pub use robust_scaler::RobustScaler;
pub use scaler::Scaler;
pub use spline_transformer::{Extrapolation, Knots, SplineFit, SplineTransformer};
pub use standard_scaler::StandardScaler;

use crate::{Error, Result, Rows, check};
use ndarray::{Array2, CowArray, Ix2};
use sorted::Sorted;

/// What learns from rows how to make new features of them. Its parameters are its configuration.
pub trait Transformer {
    /// What was learnt.
    type Fitted: Transform;

    /// Learns with a weight for each row (`None`: all weigh 1); [`fit`](Self::fit) is easier to call.
    ///
    /// # Errors
    /// If there are no rows or no features, rows are sparse, a number is not finite, or a parameter is outside
    /// what is allowed.
    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<Self::Fitted>;

    /// Learns.
    ///
    /// # Errors
    /// As for [`fit_rows`](Self::fit_rows).
    fn fit<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Self::Fitted> {
        self.fit_rows(x.into(), None)
    }
}

/// What makes new features.
pub trait Transform {
    /// How many features a row must have.
    fn features(&self) -> usize;

    /// Makes the new features; [`transform`](Self::transform) is easier to call.
    ///
    /// # Errors
    /// If rows have another number of features, are sparse, or hold numbers that are not finite.
    fn transform_rows(&self, x: Rows<'_>) -> Result<Array2<f64>>;

    /// The new features of each row.
    ///
    /// # Errors
    /// As for [`transform_rows`](Self::transform_rows).
    fn transform<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array2<f64>>
    where
        Self: Sized,
    {
        self.transform_rows(x.into())
    }
}

/// Dense rows of finite numbers as f64, for `name`.
pub(crate) fn dense<'a>(name: &str, x: Rows<'a>) -> Result<CowArray<'a, f64, Ix2>> {
    let x = match x {
        Rows::F64(x) => CowArray::from(x),
        Rows::F32(x) => CowArray::from(x.mapv(f64::from)),
        Rows::Csr64(_) | Rows::Csr32(_) => return Err(check::not_sparse(name)),
    };
    match x.iter().all(|v| v.is_finite()) {
        true => Ok(x),
        false => Err(check::not_finite(x.view())),
    }
}

/// The same of rows to learn from.
fn dense_to_fit<'a>(
    name: &str,
    x: Rows<'a>,
    weights: Option<&[f64]>,
) -> Result<CowArray<'a, f64, Ix2>> {
    let (rows, features) = x.shape();
    if rows == 0 || features == 0 {
        return Err(Error::shape(format!(
            "x: expected at least one row and one feature. Received: {rows} rows of {features} features."
        )));
    }
    check::weights(rows, weights)?;
    dense(name, x)
}
