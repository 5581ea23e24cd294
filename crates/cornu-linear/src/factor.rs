//! Decompositions, by `faer`.

use crate::{Error, Result};
use faer::linalg::solvers::{Llt, Solve};
use faer::{Mat, MatRef, Side};

/// Cholesky's decomposition of a symmetric positive definite matrix.
pub(crate) struct Cholesky(Llt<f64>);

impl Cholesky {
    /// None if the matrix is not positive definite.
    pub fn new(a: MatRef<'_, f64>) -> Option<Self> {
        a.llt(Side::Lower).ok().map(Self)
    }

    /// `A⁻¹ b`.
    pub fn solve(&self, b: MatRef<'_, f64>) -> Mat<f64> {
        self.0.solve(b)
    }

    /// The trace of the inverse: the sum of the squares of `L⁻¹`.
    pub fn inverse_trace(&self) -> f64 {
        let l = self.0.L();
        let mut inverse = Mat::<f64>::identity(l.nrows(), l.ncols());
        l.solve_lower_triangular_in_place(inverse.as_mut());
        inverse.squared_norm_l2()
    }
}

/// A thin singular value decomposition `A = U · diag(s) · Vᵀ`, the largest value first.
pub(crate) struct Svd {
    pub u: Mat<f64>,
    pub s: Vec<f64>,
    pub v: Mat<f64>,
}

impl Svd {
    pub fn new(a: MatRef<'_, f64>) -> Result<Self> {
        let svd = a
            .thin_svd()
            .map_err(|_| Error::new("The singular values of x could not be computed."))?;
        Ok(Self {
            u: svd.U().to_owned(),
            s: svd.S().column_vector().iter().copied().collect(),
            v: svd.V().to_owned(),
        })
    }

    /// The least squares solution of smallest norm, and the rank: singular values up to `cutoff` times
    /// the largest count as zeros.
    pub fn solve(&self, b: MatRef<'_, f64>, cutoff: f64) -> (Mat<f64>, usize) {
        let least = cutoff * self.s.first().copied().unwrap_or(0.0);
        let rank = self.s.iter().take_while(|&&s| s > least).count();
        let mut c = self.u.transpose() * b;
        for j in 0..c.ncols() {
            for i in 0..c.nrows() {
                c[(i, j)] = if i < rank { c[(i, j)] / self.s[i] } else { 0.0 };
            }
        }
        (&self.v * c, rank)
    }

    /// `(AᵀA + alpha·I)⁻¹ Aᵀ b`.
    pub fn solve_ridge(&self, b: MatRef<'_, f64>, alpha: f64) -> Mat<f64> {
        let mut c = self.u.transpose() * b;
        for j in 0..c.ncols() {
            for (i, s) in self.s.iter().enumerate().take(c.nrows()) {
                c[(i, j)] *= if *s > 0.0 { s / (s * s + alpha) } else { 0.0 };
            }
        }
        &self.v * c
    }
}

/// The eigenvalues of a symmetric matrix, the smallest first, and its eigenvectors.
pub(crate) fn eigen(a: MatRef<'_, f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let eigen = a.self_adjoint_eigen(Side::Lower).map_err(|_| {
        Error::new("The eigenvalues of the features' products could not be computed.")
    })?;
    let values = eigen.S().column_vector().iter().copied().collect();
    Ok((values, eigen.U().to_owned()))
}
