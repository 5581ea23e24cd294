//! The matrix that both regressions solve with: an intercept's column, the features, and their names.

use crate::factor::Svd;
use crate::{Error, Result, Rows, check};
use faer::Mat;

/// The features as f64, with a column of ones before them if there is an intercept.
pub(super) fn matrix(x: &Rows<'_>, intercept: bool, estimator: &str) -> Result<Mat<f64>> {
    let first = usize::from(intercept);
    let fill = |value: &dyn Fn(usize, usize) -> f64| {
        let (rows, features) = x.shape();
        Mat::from_fn(rows, features + first, |i, j| match j.checked_sub(first) {
            Some(feature) => value(i, feature),
            None => 1.0,
        })
    };
    let (matrix, finite) = match x {
        Rows::F64(x) => (fill(&|i, j| x[[i, j]]), x.iter().all(|v| v.is_finite())),
        Rows::F32(x) => (
            fill(&|i, j| f64::from(x[[i, j]])),
            x.iter().all(|v| v.is_finite()),
        ),
        _ => return Err(check::not_sparse(estimator)),
    };
    match x {
        Rows::F64(x) if !finite => Err(check::not_finite(*x)),
        Rows::F32(x) if !finite => Err(check::not_finite(*x)),
        _ => Ok(matrix),
    }
}

/// Whether there is an intercept, and what columns and the target are called.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub intercept: bool,
    pub features: Option<Vec<String>>,
    pub target: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            intercept: true,
            features: None,
            target: "y".to_owned(),
        }
    }
}

impl Names {
    /// The names of the columns: those given, else `x1`, `x2`, …; `const` for the intercept.
    pub fn of_columns(&self, features: usize) -> Result<Vec<String>> {
        let mut names = Vec::new();
        if self.intercept {
            names.push("const".to_owned());
        }
        match &self.features {
            Some(given) if given.len() == features => names.extend_from_slice(given),
            Some(given) => {
                return Err(Error::shape(format!(
                    "names: expected one for each of the {features} features. Received: {}.",
                    given.len()
                )));
            }
            None => names.extend((1..=features).map(|i| format!("x{i}"))),
        }
        Ok(names)
    }
}

/// Gives an estimator with the field `names` the methods that set them.
macro_rules! naming_methods {
    ($name:ident) => {
        impl $name {
            $crate::options::setters! {
                /// Sets whether there is an intercept; true by default.
                fit_intercept: bool => names.intercept;
            }

            /// Names the features, for the summary.
            pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
                self.names.features = Some(names.into_iter().map(Into::into).collect());
                self
            }

            /// Names the target, for the summary; `y` by default.
            pub fn target(mut self, name: impl Into<String>) -> Self {
                self.names.target = name.into();
                self
            }
        }
    };
}

pub(super) use naming_methods;

/// A matrix of full column rank, taken apart: `a = U · diag(s) · Vᵀ · diag(scale)`. Columns are brought to
/// equal length first, so that their units cost no digits.
pub(super) struct Decomposed {
    svd: Svd,
    scale: Vec<f64>,
}

impl Decomposed {
    /// # Errors
    /// If columns depend on each other, so that single coefficients mean nothing.
    pub fn new(a: &Mat<f64>) -> Result<Self> {
        let columns = a.ncols();
        if a.nrows() < columns {
            return Err(Error::new(format!(
                "x: expected at least as many rows as coefficients, {columns}. Received: {} rows.",
                a.nrows()
            )));
        }
        let scale: Vec<f64> = (0..columns).map(|j| a.col(j).norm_l2()).collect();
        let unit = |j: usize| if scale[j] > 0.0 { scale[j] } else { 1.0 };
        let scaled = Mat::from_fn(a.nrows(), columns, |i, j| a[(i, j)] / unit(j));
        let svd = Svd::new(scaled.as_ref())?;
        let least = svd.s[0] * f64::EPSILON * a.nrows() as f64;
        let rank = svd.s.iter().take_while(|&&s| s > least).count();
        if rank < columns {
            return Err(Error::new(format!(
                "x: expected columns that do not depend on each other (the intercept is one). Received: \
                 {columns} columns of rank {rank}."
            )));
        }
        Ok(Self { svd, scale })
    }

    /// The least squares solution of `a · β = b`.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let b = Mat::from_fn(b.len(), 1, |i, _| b[i]);
        let (solution, _) = self.svd.solve(b.as_ref(), 0.0);
        (0..self.scale.len())
            .map(|j| solution[(j, 0)] / self.scale[j])
            .collect()
    }

    /// `(aᵀa)⁻¹`.
    pub fn inverse_products(&self) -> Mat<f64> {
        let (v, s) = (&self.svd.v, &self.svd.s);
        let p = self.scale.len();
        Mat::from_fn(p, p, |i, j| {
            let sum: f64 = (0..p).map(|k| v[(i, k)] * v[(j, k)] / (s[k] * s[k])).sum();
            sum / (self.scale[i] * self.scale[j])
        })
    }

    /// The diagonal of `a (aᵀa)⁻¹ aᵀ`.
    pub fn leverage(&self) -> Vec<f64> {
        let u = &self.svd.u;
        (0..u.nrows()).map(|i| u.row(i).squared_norm_l2()).collect()
    }
}

/// `a · β`.
pub(super) fn product(a: &Mat<f64>, beta: &[f64]) -> Vec<f64> {
    (0..a.nrows())
        .map(|i| beta.iter().enumerate().map(|(j, b)| a[(i, j)] * b).sum())
        .collect()
}
