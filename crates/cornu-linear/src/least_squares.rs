//! Squares solved exactly: by the products of the features where that loses no digits, else by the rows.

use crate::Result;
use crate::Targets;
use crate::blocks::{Real, block_rows, for_blocks, map_pieces, pieces};
use crate::factor::{Cholesky, Svd};
use crate::moments::Moments;
use cornu_cpu::kernels::tall;
use faer::Mat;
use ndarray::ArrayView2;

/// What is fitted.
pub(crate) struct Data<'a, T> {
    pub x: ArrayView2<'a, T>,
    pub y: &'a Targets<'a>,
    pub weights: Option<&'a [f64]>,
}

/// The trace of the inverse of the features' correlations up to which their products are solved.
/// Rounding costs the solution about as many digits as it has, which refining wins back.
const TRUST: f64 = 1e8;
/// The one from which the solution is refined.
const REFINE: f64 = 1e3;
/// The ratio of the features' spreads up to which none of them is as good as constant.
const SPREAD: f64 = 1e6;

/// By Cholesky's decomposition of the products, with `alpha` times the squares of the coefficients as a
/// penalty; None if the features are too near to dependence.
pub(crate) fn by_products<T: Real>(
    data: &Data<'_, T>,
    moments: &Moments,
    alpha: f64,
) -> Option<Mat<f64>> {
    let p = moments.features;
    let square = |j: usize| moments.xx(j, j) + alpha;
    let scale: Vec<f64> = (0..p).map(|j| square(j).sqrt()).collect();
    let (least, most) = scale
        .iter()
        .fold((f64::INFINITY, 0.0_f64), |(l, m), &s| (l.min(s), m.max(s)));
    if (data.x.nrows() <= p && alpha == 0.0)
        || least * SPREAD < most
        || most == 0.0
        || least.is_nan()
    {
        return None;
    }
    // A spread that is small beside the mean is known from few digits of the data.
    if (0..p).any(|j| moments.mean[j].abs() * moments.weight.sqrt() > 1e6 * scale[j]) {
        return None;
    }
    let correlations = Mat::from_fn(p, p, |i, j| {
        if i == j {
            1.0
        } else {
            moments.xx(i, j) / (scale[i] * scale[j])
        }
    });
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
        coef += solve(&|j, t| rest[(j, t)] - alpha * coef[(j, t)]);
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

/// Orthogonal transformations of the centred rows: the singular value decomposition of the features,
/// and the targets in its basis.
pub(crate) struct ByRows {
    svd: Svd,
    y: Mat<f64>,
}

impl ByRows {
    /// The solution of smallest norm, and the rank.
    pub fn least_squares(&self, cutoff: f64) -> (Mat<f64>, usize) {
        self.svd.solve(self.y.as_ref(), cutoff)
    }

    /// With `alpha` times the squares of the coefficients as a penalty.
    pub fn ridge(&self, alpha: f64) -> Mat<f64> {
        self.svd.solve_ridge(self.y.as_ref(), alpha)
    }
}

/// Decomposes the centred rows.
pub(crate) fn by_rows<T: Real>(data: &Data<'_, T>, moments: &Moments) -> Result<ByRows> {
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
    Ok(ByRows {
        svd: Svd::new(triangle.get(.., ..p))?,
        y: triangle.get(.., p..).to_owned(),
    })
}

/// The singular values, relative to the largest, that are zeros but for rounding.
pub(crate) fn cutoff<T: Real>(shape: (usize, usize)) -> f64 {
    T::EPSILON * shape.0.max(shape.1) as f64
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
