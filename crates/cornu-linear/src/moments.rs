//! Means and centred products of features and targets, in one pass.

use crate::blocks::{Real, for_blocks, map_pieces, pieces};
use crate::factor::Cholesky;
use crate::panels::Panels;
use crate::{LinearModel, Result, Targets, check};
use cornu_cpu::kernels::tall::Gram;
use faer::Mat;
use ndarray::{ArrayView2, s};

/// Weighted means, and sums of weighted products of deviations from them, of the features and after
/// them the targets.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// How many columns are features.
    pub features: usize,
    /// The sum of the weights.
    pub weight: f64,
    /// Means; zeros if nothing is centred.
    pub mean: Vec<f64>,
    /// Sums of products, symmetric.
    pub products: Mat<f64>,
}

impl Moments {
    /// Reads the data once. Rows are shifted by the mean of some of them before they are multiplied, so
    /// that the products of deviations lose no digits to large means.
    pub fn new<T: Real>(
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
        center: bool,
    ) -> Result<Self> {
        let (rows, features) = x.dim();
        let targets = y.columns();
        let columns = features + targets;
        let shift = if center {
            first_mean(x, y)
        } else {
            vec![0.0; columns]
        };
        // The last column is of ones, so that its products are the sums.
        let gram = Gram::new(columns + 1);
        // As many sums as pieces are in memory at once.
        let most = (1 << 23) / gram.sums_len().max(1);
        let count = pieces(rows, columns * columns).min(most.max(2));
        let parts = map_pieces(rows, count, |range| {
            let mut sums = vec![0.0; gram.sums_len()];
            let mut packed = vec![0.0; gram.packed_len()];
            for_blocks(x, range, Gram::ROWS, |range, x| {
                let y = &y.values()[range.start * targets..range.end * targets];
                let roots = |w: &[f64]| w[range.clone()].iter().map(|w| w.sqrt()).collect();
                let factors: Option<Vec<f64>> = weights.map(roots);
                Panels {
                    gram: &gram,
                    x,
                    features,
                    others: y,
                    shift: &shift,
                    factors: factors.as_deref(),
                    packed: &mut packed,
                }
                .pack();
                gram.add(range.len(), &packed, &mut sums);
            });
            sums
        });
        let mut sums = vec![0.0; gram.sums_len()];
        for part in &parts {
            for (sum, part) in sums.iter_mut().zip(part) {
                *sum += part;
            }
        }
        let weight = gram.at(&sums, columns, columns);
        let mean: Vec<f64> = (0..columns)
            .map(|c| {
                if center {
                    gram.at(&sums, c, columns) / weight
                } else {
                    0.0
                }
            })
            .collect();
        let product = |i: usize, j: usize| gram.at(&sums, i, j) - weight * mean[i] * mean[j];
        if (0..columns).any(|c| !product(c, c).is_finite()) {
            return Err(check::not_finite(x));
        }
        Ok(Self {
            features,
            weight,
            products: Mat::from_fn(columns, columns, product),
            mean: mean.iter().zip(&shift).map(|(m, s)| m + s).collect(),
        })
    }

    /// The moments of both parts together.
    pub fn merge(&self, other: &Moments) -> Moments {
        let weight = self.weight + other.weight;
        let apart: Vec<f64> = self
            .mean
            .iter()
            .zip(&other.mean)
            .map(|(a, b)| b - a)
            .collect();
        let between = self.weight * other.weight / weight;
        Moments {
            features: self.features,
            weight,
            mean: self
                .mean
                .iter()
                .zip(&apart)
                .map(|(m, d)| m + d * other.weight / weight)
                .collect(),
            products: Mat::from_fn(apart.len(), apart.len(), |i, j| {
                self.products[(i, j)] + other.products[(i, j)] + between * apart[i] * apart[j]
            }),
        }
    }

    /// With `alpha` added to the features' squares: the moments of a ridge regression.
    pub fn ridge(mut self, alpha: f64) -> Moments {
        for j in 0..self.features {
            self.products[(j, j)] += alpha;
        }
        self
    }

    /// The weighted squares of the errors of a linear function of one target.
    pub fn errors(&self, target: usize, coef: &[f64], intercept: f64) -> f64 {
        let mut sum = self.yy(target);
        for (i, w) in coef.iter().enumerate() {
            let fitted: f64 = coef
                .iter()
                .enumerate()
                .map(|(j, v)| v * self.xx(j, i))
                .sum();
            sum += w * (fitted - 2.0 * self.xy(i, target));
        }
        let off = self.intercept(target, coef.iter().copied()) - intercept;
        sum + self.weight * off * off
    }

    /// How many columns are targets.
    pub fn targets(&self) -> usize {
        self.mean.len() - self.features
    }

    /// The product of two features' deviations.
    pub fn xx(&self, i: usize, j: usize) -> f64 {
        self.products[(i, j)]
    }

    /// The product of a feature's and a target's deviations.
    pub fn xy(&self, feature: usize, target: usize) -> f64 {
        self.products[(feature, self.features + target)]
    }

    /// The sum of squares of a target's deviations.
    pub fn yy(&self, target: usize) -> f64 {
        let column = self.features + target;
        self.products[(column, column)]
    }

    /// The solution with `alpha` times the squares of the coefficients as a penalty, by Cholesky's
    /// decomposition; None if there is none.
    pub fn solve(&self, alpha: f64) -> Option<Mat<f64>> {
        let p = self.features;
        let mut xx = self.products.get(..p, ..p).to_owned();
        for j in 0..p {
            xx[(j, j)] += alpha;
        }
        Some(Cholesky::new(xx.as_ref())?.solve(self.products.get(..p, p..)))
    }

    /// The model with these coefficients (features × targets).
    pub fn model(&self, coef: &Mat<f64>, fit_intercept: bool) -> LinearModel {
        let intercept = |t: usize| match fit_intercept {
            true => self.intercept(t, coef.col(t).iter().copied()),
            false => 0.0,
        };
        LinearModel::from_solution(coef, (0..self.targets()).map(intercept).collect())
    }

    /// The intercept that goes with coefficients.
    pub fn intercept(&self, target: usize, coef: impl Iterator<Item = f64>) -> f64 {
        let at_mean: f64 = self.mean.iter().zip(coef).map(|(m, c)| m * c).sum();
        self.mean[self.features + target] - at_mean
    }
}

/// The mean of the first rows.
fn first_mean<T: Real>(x: ArrayView2<'_, T>, y: &Targets<'_>) -> Vec<f64> {
    let rows = x.nrows().min(64);
    let mut mean = vec![0.0; x.ncols() + y.columns()];
    for r in 0..rows {
        let y = &y.values()[r * y.columns()..][..y.columns()];
        let x = x.slice(s![r, ..]);
        let row = x.iter().map(|&v| v.into()).chain(y.iter().copied());
        for (mean, v) in mean.iter_mut().zip(row) {
            *mean += v / rows as f64;
        }
    }
    mean
}
