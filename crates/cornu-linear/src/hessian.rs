//! The matrix of curvatures of a [`Problem`].

use crate::blocks::{Real, pieces};
use crate::design::{Visit, add, dense, sparse};
use crate::panels::Panels;
use crate::problem::{Problem, softmax};
use crate::{Csr, Rows};
use cornu_cpu::kernels::tall::Gram;
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
    /// The value, the gradient and the matrix of curvatures of all but the `l1` penalty, from one reading of the
    /// rows.
    pub fn curved(&self, w: &[f64], gradient: &mut [f64]) -> (f64, Mat<f64>) {
        match self.x {
            Rows::F64(x) => self.dense_curved(x, w, gradient),
            Rows::F32(x) => self.dense_curved(x, w, gradient),
            Rows::Csr64(x) => self.sparse_curved(x, w, gradient),
            Rows::Csr32(x) => self.sparse_curved(x, w, gradient),
        }
    }

    /// The losses of a block, whose linear functions `z` become the slopes; of each pair of outputs and each row
    /// the square root of the curvature, without its sign.
    fn roots(&self, range: Range<usize>, z: &mut [f64], roots: &mut Vec<f64>) -> f64 {
        let k = self.loss.outputs();
        if k == 1 {
            roots.resize(range.len(), 0.0);
            return self.losses(range, z, Some(roots));
        }
        let mut probabilities = z.to_vec();
        softmax(&mut probabilities, k);
        let weight = |row: usize| self.weights.map_or(1.0, |w| w[row]);
        roots.clear();
        for (a, b) in pairs(k) {
            let rows = probabilities.chunks_exact(k).zip(range.clone());
            roots.extend(rows.map(|(p, row)| {
                let other = if a == b { 1.0 - p[a] } else { p[b] };
                (p[a] * other * weight(row)).sqrt()
            }));
        }
        self.losses(range, z, None)
    }

    fn dense_curved<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        w: &[f64],
        gradient: &mut [f64],
    ) -> (f64, Mat<f64>) {
        let (rows, p) = x.dim();
        // The last column is of ones, for the intercepts.
        let gram = Gram::new(p + 1);
        let matrices = pairs(self.loss.outputs()).len();
        let numbers = gram.sums_len() * matrices;
        let count = pieces(rows, p * p * matrices).min((MOST / numbers.max(1)).max(2));
        let (pass, parts) = dense(x, self.functions(w), count, Gram::ROWS, || DenseCurves {
            problem: self,
            gram,
            zeros: vec![0.0; p],
            roots: Vec::new(),
            packed: vec![0.0; gram.packed_len()],
            sums: vec![0.0; numbers],
        });
        let sums = sum(parts.into_iter().map(|part| part.sums));
        let matrix = |pair: usize| &sums[pair * gram.sums_len()..][..gram.sums_len()];
        (
            self.mean(&pass, w, gradient),
            self.assemble(|pair, i, j| gram.at(matrix(pair), i, j)),
        )
    }

    fn sparse_curved<T: Real>(
        &self,
        x: &Csr<T>,
        w: &[f64],
        gradient: &mut [f64],
    ) -> (f64, Mat<f64>) {
        let (rows, p) = x.shape();
        let matrices = pairs(self.loss.outputs()).len();
        let size = (p + 1) * (p + 1);
        let entries = self.x.entries() + 1;
        let most = MOST / (size * matrices).max(1);
        let count = pieces(rows, entries * entries * matrices).min(most.max(1));
        let (pass, parts) = sparse(x, self.functions(w), count, || SparseCurves {
            problem: self,
            roots: Vec::new(),
            entries: Vec::new(),
            sums: vec![0.0; size * matrices],
        });
        let sums = sum(parts.into_iter().map(|part| part.sums));
        (
            self.mean(&pass, w, gradient),
            self.assemble(|pair, i, j| sums[pair * size + i * (p + 1) + j]),
        )
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

/// Sums up the Gram matrices of rows times the roots of their curvatures.
struct DenseCurves<'p, 'x, 'a> {
    problem: &'p Problem<'x, 'a>,
    gram: Gram,
    zeros: Vec<f64>,
    roots: Vec<f64>,
    packed: Vec<f64>,
    sums: Vec<f64>,
}

impl<T: Real> Visit<[T]> for DenseCurves<'_, '_, '_> {
    fn visit(&mut self, rows: Range<usize>, x: &[T], z: &mut [f64]) -> f64 {
        let count = rows.len();
        let value = self.problem.roots(rows, z, &mut self.roots);
        let sums = self.sums.chunks_exact_mut(self.gram.sums_len());
        for (roots, sums) in self.roots.chunks_exact(count).zip(sums) {
            Panels {
                gram: &self.gram,
                x,
                features: self.zeros.len(),
                others: &[],
                shift: &self.zeros,
                factors: Some(roots),
                packed: &mut self.packed,
            }
            .pack();
            self.gram.add(count, &self.packed, sums);
        }
        value
    }
}

/// Sums up the products of sparse rows' entries.
struct SparseCurves<'p, 'x, 'a> {
    problem: &'p Problem<'x, 'a>,
    roots: Vec<f64>,
    entries: Vec<(usize, f64)>,
    sums: Vec<f64>,
}

impl<T: Real> Visit<Csr<T>> for SparseCurves<'_, '_, '_> {
    fn visit(&mut self, rows: Range<usize>, x: &Csr<T>, z: &mut [f64]) -> f64 {
        let (count, p) = (rows.len(), x.shape().1);
        let value = self.problem.roots(rows.clone(), z, &mut self.roots);
        for (r, row) in rows.enumerate() {
            let (columns, values) = x.row(row);
            let numbers = values.iter().map(|&v| Into::<f64>::into(v));
            self.entries.clear();
            self.entries.extend(columns.iter().copied().zip(numbers));
            self.entries.push((p, 1.0));
            let matrices = self.sums.chunks_exact_mut((p + 1) * (p + 1));
            for (sums, roots) in matrices.zip(self.roots.chunks_exact(count)) {
                for &(i, u) in &self.entries {
                    let sums = &mut sums[i * (p + 1)..][..p + 1];
                    for &(j, v) in &self.entries {
                        sums[j] += roots[r] * roots[r] * u * v;
                    }
                }
            }
        }
        value
    }
}

/// The sum of parts, in order.
fn sum(parts: impl Iterator<Item = Vec<f64>>) -> Vec<f64> {
    let sum = |mut all: Vec<f64>, part: Vec<f64>| {
        add(&mut all, &part);
        all
    };
    parts.reduce(sum).unwrap_or_default()
}
