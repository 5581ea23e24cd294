//! What regressions learn: coefficients and an intercept for each target.

use crate::blocks::{Real, block_rows, fill_pieces, for_blocks};
use crate::metrics::r2_score;
use crate::{Csr, Error, Predictor, Result, Rows, Targets, check};
use cornu_cpu::kernels::tall;
use faer::Mat;
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// A fitted linear function: `y = x · coefᵀ + intercept`.
///
/// ```
/// use cornu_linear::{LinearModel, Predictor};
/// use ndarray::array;
///
/// let model = LinearModel::new(array![[2.0, -1.0]], array![3.0])?;
/// assert_eq!(model.predict(&array![[1.0, 1.0], [0.0, 5.0]])?, array![4.0, -2.0]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearModel {
    coef: Array2<f64>,
    intercept: Array1<f64>,
    rank: Option<usize>,
    iterations: usize,
    dual_gap: Option<f64>,
    converged: bool,
}

impl LinearModel {
    /// A linear function of coefficients (targets × features) and an intercept for each target.
    ///
    /// # Errors
    /// If there is not one intercept for each row of coefficients.
    pub fn new(coef: Array2<f64>, intercept: Array1<f64>) -> Result<Self> {
        if coef.nrows() != intercept.len() {
            return Err(Error::shape(format!(
                "intercept: expected one for each of the {} targets. Received: {}.",
                coef.nrows(),
                intercept.len()
            )));
        }
        Ok(Self {
            coef,
            intercept,
            rank: None,
            iterations: 0,
            dual_gap: None,
            converged: true,
        })
    }

    /// From a solver's solution (features × targets).
    pub(crate) fn from_solution(coef: &Mat<f64>, intercept: Vec<f64>) -> Self {
        let coef = Array2::from_shape_fn((coef.ncols(), coef.nrows()), |(t, f)| coef[(f, t)]);
        Self {
            coef,
            intercept: intercept.into(),
            rank: None,
            iterations: 0,
            dual_gap: None,
            converged: true,
        }
    }

    pub(crate) fn with_descended(mut self, iterations: usize, gap: f64, converged: bool) -> Self {
        self.iterations = iterations;
        self.dual_gap = Some(gap);
        self.converged = converged;
        self
    }

    pub(crate) fn with_iterations(mut self, iterations: usize, converged: bool) -> Self {
        self.iterations = iterations;
        self.converged = converged;
        self
    }

    pub(crate) fn with_rank(mut self, rank: usize) -> Self {
        self.rank = Some(rank);
        self
    }

    /// The coefficients, targets × features.
    pub fn coef(&self) -> ArrayView2<'_, f64> {
        self.coef.view()
    }

    /// The intercept of each target; zeros if none was fitted.
    pub fn intercept(&self) -> &Array1<f64> {
        &self.intercept
    }

    /// The rank of the (centred) features, if the solver found it.
    pub fn rank(&self) -> Option<usize> {
        self.rank
    }

    /// How many iterations the solver took; 0 of an exact one.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// The duality gap of a coordinate descent: its objective is above the least by no more.
    pub fn dual_gap(&self) -> Option<f64> {
        self.dual_gap
    }

    /// Whether the solver got as near to the optimum as it was asked to, before its iterations were used up.
    /// True of an exact one.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// How many targets there are.
    pub fn targets(&self) -> usize {
        self.coef.nrows()
    }

    /// Predicts all targets: rows × targets.
    ///
    /// # Errors
    /// If rows have another number of features.
    pub fn predict_targets<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array2<f64>> {
        let x = x.into();
        check::features(self.coef.ncols(), &x)?;
        Ok(affine(x, self.coef.view(), &self.intercept))
    }
}

impl Predictor for LinearModel {
    fn features(&self) -> usize {
        self.coef.ncols()
    }

    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>> {
        if self.targets() != 1 {
            return Err(Error::shape(format!(
                "predict gives one target for each row; this model has {}: use predict_targets.",
                self.targets()
            )));
        }
        Ok(self.predict_targets(x)?.remove_axis(Axis(1)))
    }

    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64> {
        check::lengths(x.len(), &y, weights)?;
        r2_score(y, &self.predict_targets(x)?, weights)
    }
}

/// `x · coefᵀ + intercept`, rows × targets.
pub(crate) fn affine(
    x: Rows<'_>,
    coef: ArrayView2<'_, f64>,
    intercept: &Array1<f64>,
) -> Array2<f64> {
    match x {
        Rows::F64(x) => affine_dense(x, coef, intercept),
        Rows::F32(x) => affine_dense(x, coef, intercept),
        Rows::Csr64(x) => affine_sparse(x, coef, intercept),
        Rows::Csr32(x) => affine_sparse(x, coef, intercept),
    }
}

fn affine_dense<T: Real>(
    x: ArrayView2<'_, T>,
    coef: ArrayView2<'_, f64>,
    intercept: &Array1<f64>,
) -> Array2<f64> {
    let (rows, cols, targets) = (x.nrows(), x.ncols(), coef.nrows());
    let mut out = Array2::from_shape_fn((rows, targets), |(_, t)| intercept[t]);
    if cols == 0 {
        return out;
    }
    let w: Vec<T> = coef.iter().map(|&w| T::from_f64(w)).collect();
    let values = out.as_slice_mut().unwrap_or_default();
    fill_pieces(values, targets, cols * targets, |range, out| {
        let mut dots = Vec::new();
        let first = range.start;
        for_blocks(x, range, block_rows::<T>(cols), |range, x| {
            dots.resize(range.len() * targets, T::ZERO);
            tall::dots(x, cols, &w, targets, &mut dots);
            let out = &mut out[(range.start - first) * targets..];
            for (out, &dot) in out.iter_mut().zip(&dots) {
                *out += Into::<f64>::into(dot);
            }
        });
    });
    out
}

fn affine_sparse<T: Real>(
    x: &Csr<T>,
    coef: ArrayView2<'_, f64>,
    intercept: &Array1<f64>,
) -> Array2<f64> {
    Array2::from_shape_fn((x.shape().0, coef.nrows()), |(row, target)| {
        let (columns, values) = x.row(row);
        let terms = columns.iter().zip(values);
        let terms = terms.map(|(&c, &v)| coef[[target, c]] * Into::<f64>::into(v));
        intercept[target] + terms.sum::<f64>()
    })
}
