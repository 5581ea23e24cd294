//! Ordinary least squares.

use crate::blocks::{Real, block_rows, for_blocks, map_pieces, pieces};
use crate::factor::{Cholesky, Svd};
use crate::moments::Moments;
use crate::nnls::nnls;
use crate::{Estimator, LinearModel, Result, Rows, Targets, check};
use cornu_cpu::kernels::tall;
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
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self {
            fit_intercept: true,
            positive: false,
        }
    }
}

impl LinearRegression {
    /// With an intercept, coefficients of any sign.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether an intercept is fitted (default: yes); else the data are expected to be centred.
    pub fn fit_intercept(mut self, yes: bool) -> Self {
        self.fit_intercept = yes;
        self
    }

    /// Whether coefficients must not be negative (default: no).
    pub fn positive(mut self, yes: bool) -> Self {
        self.positive = yes;
        self
    }

    fn fit_dense<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        let moments = Moments::new(x, y, weights, self.fit_intercept)?;
        let data = Data { x, y, weights };
        let (coef, rank) = if self.positive {
            let columns: Vec<_> = (0..y.columns()).map(|t| nnls(&moments, t)).collect();
            let coef = Mat::from_fn(moments.features, y.columns(), |f, t| columns[t][f]);
            (coef, None)
        } else {
            match by_products(&data, &moments) {
                Some(coef) => (coef, Some(moments.features)),
                None => {
                    let (coef, rank) = by_rows(&data, &moments)?;
                    (coef, Some(rank))
                }
            }
        };
        let intercept = |t: usize| match self.fit_intercept {
            true => moments.intercept(t, coef.col(t).iter().copied()),
            false => 0.0,
        };
        let model = LinearModel::from_solution(&coef, (0..y.columns()).map(intercept).collect());
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

struct Data<'a, T> {
    x: ArrayView2<'a, T>,
    y: &'a Targets<'a>,
    weights: Option<&'a [f64]>,
}

/// The trace of the inverse of the features' correlations up to which their products are solved.
/// Rounding costs the solution about as many digits as it has, which refining wins back.
const TRUST: f64 = 1e8;
/// The one from which the solution is refined.
const REFINE: f64 = 1e3;
/// The ratio of the features' spreads up to which none of them is as good as constant.
const SPREAD: f64 = 1e6;

/// By Cholesky's decomposition of the products; None if the features are too near to dependence.
fn by_products<T: Real>(data: &Data<'_, T>, moments: &Moments) -> Option<Mat<f64>> {
    let p = moments.features;
    let scale: Vec<f64> = (0..p).map(|j| moments.xx(j, j).sqrt()).collect();
    let (least, most) = scale
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(l, m), &s| (l.min(s), m.max(s)));
    if data.x.nrows() <= p || least * SPREAD < most || most == 0.0 || least.is_nan() {
        return None;
    }
    // A spread that is small beside the mean is known from few digits of the data.
    if (0..p).any(|j| moments.mean[j].abs() * moments.weight.sqrt() > 1e6 * scale[j]) {
        return None;
    }
    let correlations = Mat::from_fn(p, p, |i, j| moments.xx(i, j) / (scale[i] * scale[j]));
    let cholesky = Cholesky::new(correlations.as_ref())?;
    let trace = cholesky.inverse_trace();
    if trace.is_nan() || trace > TRUST {
        return None;
    }
    let solve = |b: &dyn Fn(usize, usize) -> f64| {
        let b = Mat::from_fn(p, moments.targets(), |j, t| b(j, t) / scale[j]);
        let mut solution = cholesky.solve(b.as_ref());
        for t in 0..moments.targets() {
            for j in 0..p {
                solution[(j, t)] /= scale[j];
            }
        }
        solution
    };
    let mut coef = solve(&|j, t| moments.xy(j, t));
    // Products of f32 are exact to f64's digits, beyond what such data are worth.
    if trace > REFINE && T::EPSILON == f64::EPSILON {
        let rest = residual_products(data, moments, &coef);
        coef += solve(&|j, t| rest[(j, t)]);
    }
    Some(coef)
}

/// The products of the centred features with the residuals: zeros at the solution.
fn residual_products<T: Real>(data: &Data<'_, T>, moments: &Moments, coef: &Mat<f64>) -> Mat<f64> {
    let (p, targets) = (moments.features, moments.targets());
    let center = |t: usize| moments.intercept(t, coef.col(t).iter().copied());
    let centers: Vec<f64> = (0..targets).map(center).collect();
    let w: Vec<T> = (0..targets * p)
        .map(|i| T::from_f64(coef[(i % p, i / p)]))
        .collect();
    let rows = data.x.nrows();
    let parts = map_pieces(rows, pieces(rows, p * targets), |range| {
        let mut products = vec![T::ZERO; p * targets];
        let mut sums = vec![0.0; targets];
        let mut residuals = Vec::new();
        for_blocks(data.x, range, block_rows::<T>(p), |range, x| {
            residuals.resize(range.len() * targets, T::ZERO);
            tall::dots(x, p, &w, targets, &mut residuals);
            for (i, residual) in residuals.iter_mut().enumerate() {
                let (row, t) = (range.start + i / targets, i % targets);
                let weight = data.weights.map_or(1.0, |w| w[row]);
                let fitted = Into::<f64>::into(*residual) + centers[t];
                let r = weight * (data.y.values()[row * targets + t] - fitted);
                sums[t] += r;
                *residual = T::from_f64(r);
            }
            tall::combine(x, p, &residuals, targets, &mut products);
        });
        (products, sums)
    });
    Mat::from_fn(p, targets, |j, t| {
        let part = |(products, sums): &(Vec<T>, Vec<f64>)| {
            Into::<f64>::into(products[t * p + j]) - moments.mean[j] * sums[t]
        };
        parts.iter().map(part).sum()
    })
}

/// By orthogonal transformations of the centred rows; with the rank.
fn by_rows<T: Real>(data: &Data<'_, T>, moments: &Moments) -> Result<(Mat<f64>, usize)> {
    let (rows, p) = data.x.dim();
    let columns = moments.mean.len();
    let targets = columns - p;
    // A block's rows are many beside those of the triangle that it is put under.
    let block = (4 * columns).max(256);
    let count = pieces(rows, 4 * columns * columns).min(rows.div_ceil(block));
    let triangles = map_pieces(rows, count, |range| {
        let mut triangle: Option<Mat<f64>> = None;
        for_blocks(data.x, range, block, |range, x| {
            let centered = Mat::from_fn(range.len(), columns, |r, c| {
                let row = range.start + r;
                let v = match c.checked_sub(p) {
                    None => x[r * p + c].into(),
                    Some(t) => data.y.values()[row * targets + t],
                };
                (v - moments.mean[c]) * data.weights.map_or(1.0, |w| w[row].sqrt())
            });
            triangle = Some(match &triangle {
                None => triangular(centered),
                Some(above) => triangular(stack(above, &centered)),
            });
        });
        triangle
    });
    let triangle = triangles
        .into_iter()
        .flatten()
        .reduce(|a, b| triangular(stack(&a, &b)))
        .unwrap_or_else(|| Mat::zeros(0, columns));
    let svd = Svd::new(triangle.get(.., ..p))?;
    let cutoff = T::EPSILON * rows.max(p) as f64;
    Ok(svd.solve(triangle.get(.., p..), cutoff))
}

/// R of the QR decomposition.
fn triangular(a: Mat<f64>) -> Mat<f64> {
    a.qr().thin_R().to_owned()
}

fn stack(above: &Mat<f64>, below: &Mat<f64>) -> Mat<f64> {
    let rows = above.nrows();
    Mat::from_fn(rows + below.nrows(), above.ncols(), |r, c| {
        if r < rows {
            above[(r, c)]
        } else {
            below[(r - rows, c)]
        }
    })
}
