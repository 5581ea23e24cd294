//! The matrix of curvatures of a [`Problem`].

use crate::blocks::{Real, for_blocks, map_pieces, pieces};
use crate::design::sparse_linear;
use crate::panels::Panels;
use crate::problem::{Problem, softmax};
use crate::{Csr, Rows};
use cornu_cpu::kernels::tall::{self, Gram};
use faer::Mat;
use ndarray::ArrayView2;
use std::ops::Range;

/// The pairs of outputs that have a matrix of their own.
fn pairs(outputs: usize) -> Vec<(usize, usize)> {
    (0..outputs)
        .flat_map(|a| (0..=a).map(move |b| (a, b)))
        .collect()
}

/// How many numbers of partial sums are in memory at once.
const MOST: usize = 1 << 23;

impl Problem<'_, '_> {
    /// The matrix of curvatures of all but the `l1` penalty.
    pub fn hessian(&self, w: &[f64]) -> Mat<f64> {
        match self.x {
            Rows::F64(x) => self.dense_hessian(x, w),
            Rows::F32(x) => self.dense_hessian(x, w),
            Rows::Csr64(x) => self.sparse_hessian(x, w),
            Rows::Csr32(x) => self.sparse_hessian(x, w),
        }
    }

    /// Of each pair of outputs and each row of a block the curvature, without its sign; `z` are the linear
    /// functions.
    fn curvatures(&self, range: Range<usize>, z: &mut [f64]) -> Vec<f64> {
        let k = self.loss.outputs();
        if k == 1 {
            let mut curvature = vec![0.0; range.len()];
            self.losses(range, z, Some(&mut curvature));
            curvature.iter_mut().for_each(|c| *c = c.max(0.0));
            return curvature;
        }
        softmax(z, k);
        let weight = |row: usize| self.weights.map_or(1.0, |w| w[row]);
        let of_pair = |(a, b): (usize, usize)| {
            let rows = z.chunks_exact(k).zip(range.clone());
            rows.map(move |(p, row)| {
                let size = if a == b {
                    p[a] * (1.0 - p[a])
                } else {
                    p[a] * p[b]
                };
                size * weight(row)
            })
        };
        pairs(k).into_iter().flat_map(of_pair).collect()
    }

    fn dense_hessian<T: Real>(&self, x: ArrayView2<'_, T>, w: &[f64]) -> Mat<f64> {
        let (rows, p) = x.dim();
        let k = self.loss.outputs();
        let (coef, intercept) = w.split_at(k * p);
        let coef: Vec<T> = coef.iter().map(|&w| T::from_f64(w)).collect();
        // The last column is of ones, for the intercepts.
        let (gram, zeros) = (Gram::new(p + 1), vec![0.0; p]);
        let matrices = pairs(k).len();
        let most = MOST / (gram.sums_len() * matrices).max(1);
        let count = pieces(rows, p * p * matrices).min(most.max(2));
        let sums = sum(map_pieces(rows, count, |range| {
            let mut sums = vec![0.0; gram.sums_len() * matrices];
            let mut packed = vec![0.0; gram.packed_len()];
            let (mut t, mut z) = (Vec::new(), Vec::new());
            for_blocks(x, range, Gram::ROWS, |range, x| {
                t.resize(range.len() * k, T::ZERO);
                tall::dots(x, p, &coef, k, &mut t);
                let biased = t.iter().zip(intercept.iter().cycle());
                z.clear();
                z.extend(biased.map(|(&t, b)| Into::<f64>::into(t) + b));
                let mut roots = self.curvatures(range.clone(), &mut z);
                roots.iter_mut().for_each(|c| *c = c.sqrt());
                let of_pairs = roots.chunks_exact(range.len());
                for (roots, sums) in of_pairs.zip(sums.chunks_exact_mut(gram.sums_len())) {
                    Panels {
                        gram: &gram,
                        x,
                        features: p,
                        others: &[],
                        shift: &zeros,
                        factors: Some(roots),
                        packed: &mut packed,
                    }
                    .pack();
                    gram.add(range.len(), &packed, sums);
                }
            });
            sums
        }));
        self.assemble(|pair, i, j| {
            gram.at(&sums[pair * gram.sums_len()..][..gram.sums_len()], i, j)
        })
    }

    fn sparse_hessian<T: Real>(&self, x: &Csr<T>, w: &[f64]) -> Mat<f64> {
        let (rows, p) = x.shape();
        let k = self.loss.outputs();
        let (coef, intercept) = w.split_at(k * p);
        let matrices = pairs(k).len();
        let size = (p + 1) * (p + 1);
        let entries = x.values().len().div_ceil(rows.max(1)) + 1;
        let most = MOST / (size * matrices).max(1);
        let count = pieces(rows, entries * entries * matrices).min(most.max(1));
        let sums = sum(map_pieces(rows, count, |range| {
            let mut sums = vec![0.0; size * matrices];
            let (mut z, mut entries) = (Vec::new(), Vec::new());
            for start in range.clone().step_by(256) {
                let block = start..range.end.min(start + 256);
                sparse_linear(x, coef, intercept, block.clone(), &mut z);
                let curvatures = self.curvatures(block.clone(), &mut z);
                for (r, row) in block.clone().enumerate() {
                    let (columns, values) = x.row(row);
                    let numbers = values.iter().map(|&v| Into::<f64>::into(v));
                    entries.clear();
                    entries.extend(columns.iter().copied().zip(numbers));
                    entries.push((p, 1.0));
                    for (pair, sums) in sums.chunks_exact_mut(size).enumerate() {
                        let curvature = curvatures[pair * block.len() + r];
                        for &(i, u) in &entries {
                            let sums = &mut sums[i * (p + 1)..][..p + 1];
                            for &(j, v) in &entries {
                                sums[j] += curvature * u * v;
                            }
                        }
                    }
                }
            }
            sums
        }));
        self.assemble(|pair, i, j| sums[pair * size + i * (p + 1) + j])
    }

    /// The matrix over all outputs from the sums of each pair of them, which are asked for by pair and columns.
    fn assemble(&self, sum: impl Fn(usize, usize, usize) -> f64) -> Mat<f64> {
        let (k, p) = (self.loss.outputs(), self.x.features());
        let size = if self.fit_intercept {
            self.size()
        } else {
            self.coefs()
        };
        // Which output and which column a coordinate is.
        let place = |i: usize| match i < k * p {
            true => (i / p, i % p),
            false => (i - k * p, p),
        };
        let weight = self.weight();
        Mat::from_fn(size, size, |i, j| {
            let ((a, row), (b, column)) = (place(i), place(j));
            let (a, b) = (a.max(b), a.min(b));
            let sign = if a == b { 1.0 } else { -1.0 };
            let penalty = if i == j && i < k * p { self.l2 } else { 0.0 };
            sign * sum(a * (a + 1) / 2 + b, row, column) / weight + penalty
        })
    }
}

/// The sum of parts, in order.
fn sum(parts: Vec<Vec<f64>>) -> Vec<f64> {
    let add = |mut a: Vec<f64>, b: Vec<f64>| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    };
    parts.into_iter().reduce(add).unwrap_or_default()
}
