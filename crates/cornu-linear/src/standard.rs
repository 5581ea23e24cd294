//! Dense rows as if each feature had mean 0 and variance 1, without a copy of them.

use crate::blocks::{block_rows, fill_pieces, for_blocks, map_pieces, pieces};
use crate::panels::Panels;
use crate::preprocessing::{StandardScaler, Transformer};
use crate::{Result, Rows};
use cornu_cpu::kernels::tall::{self, Gram};
use faer::Mat;
use ndarray::ArrayView2;

/// Rows with a column of ones after the features, which are shifted and scaled as they are read. Without an intercept
/// nothing is shifted, and the last column is there but not meant for use.
pub(crate) struct Standard<'a> {
    x: ArrayView2<'a, f64>,
    center: Vec<f64>,
    /// What each feature is divided by.
    pub scale: Vec<f64>,
}

impl<'a> Standard<'a> {
    pub fn new(x: ArrayView2<'a, f64>, weights: Option<&[f64]>, intercept: bool) -> Result<Self> {
        let scaler = StandardScaler::new().with_mean(intercept);
        let scaler = scaler.fit_rows(Rows::F64(x), weights)?;
        Ok(Self {
            x,
            center: scaler.center().to_vec(),
            scale: scaler.scale().to_vec(),
        })
    }

    pub fn rows(&self) -> usize {
        self.x.nrows()
    }

    pub fn features(&self) -> usize {
        self.x.ncols()
    }

    /// One row, with its 1.
    pub fn row(&self, row: usize) -> Vec<f64> {
        let numbers = self.x.row(row).into_iter().zip(&self.center);
        let numbers = numbers.zip(&self.scale).map(|((x, m), s)| (x - m) / s);
        numbers.chain([1.0]).collect()
    }

    /// Coefficients and the intercept of the features themselves.
    pub fn original(&self, w: &[f64]) -> (Vec<f64>, f64) {
        let (coef, intercept) = w.split_at(self.features());
        let coef: Vec<f64> = coef.iter().zip(&self.scale).map(|(w, s)| w / s).collect();
        let at_center: f64 = coef.iter().zip(&self.center).map(|(w, m)| w * m).sum();
        (coef, intercept[0] - at_center)
    }

    /// One linear function of all rows: coefficients and, after them, the intercept.
    pub fn product(&self, w: &[f64]) -> Vec<f64> {
        let p = self.features();
        let (coef, intercept) = self.original(w);
        let mut out = vec![0.0; self.rows()];
        fill_pieces(&mut out, 1, p, |range, out| {
            let first = range.start;
            for_blocks(self.x, range, block_rows::<f64>(p), |range, x| {
                let out = &mut out[range.start - first..range.end - first];
                tall::dots(x, p, &coef, 1, out);
                out.iter_mut().for_each(|out| *out += intercept);
            });
        });
        out
    }

    /// The sum of the rows, each times its factor.
    pub fn combination(&self, factors: &[f64]) -> Vec<f64> {
        let p = self.features();
        let parts = map_pieces(self.rows(), pieces(self.rows(), p), |range| {
            let mut sums = vec![0.0; p];
            for_blocks(self.x, range, block_rows::<f64>(p), |range, x| {
                tall::combine(x, p, &factors[range], 1, &mut sums);
            });
            sums
        });
        let all: f64 = factors.iter().sum();
        let column = |j: usize| parts.iter().map(|part| part[j]).sum::<f64>();
        (0..p)
            .map(|j| (column(j) - self.center[j] * all) / self.scale[j])
            .chain([all])
            .collect()
    }

    /// The sum of the products of each row's numbers, each times its factor, which is not negative.
    pub fn products(&self, factors: &[f64]) -> Mat<f64> {
        let p = self.features();
        let gram = Gram::new(p + 1);
        let most = (1 << 23) / gram.sums_len().max(1);
        let count = pieces(self.rows(), p * p).min(most.max(2));
        let parts = map_pieces(self.rows(), count, |range| {
            let mut sums = vec![0.0; gram.sums_len()];
            let mut packed = vec![0.0; gram.packed_len()];
            let mut roots = Vec::new();
            for_blocks(self.x, range, Gram::ROWS, |range, x| {
                roots.clear();
                roots.extend(factors[range.clone()].iter().map(|f| f.sqrt()));
                Panels {
                    gram: &gram,
                    x,
                    features: p,
                    others: &[],
                    shift: &self.center,
                    factors: Some(&roots),
                    packed: &mut packed,
                }
                .pack();
                gram.add(range.len(), &packed, &mut sums);
            });
            sums
        });
        let scale = |i: usize| self.scale.get(i).copied().unwrap_or(1.0);
        let sum = |i: usize, j: usize| parts.iter().map(|part| gram.at(part, i, j)).sum::<f64>();
        Mat::from_fn(p + 1, p + 1, |i, j| sum(i, j) / (scale(i) * scale(j)))
    }
}
