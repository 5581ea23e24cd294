//! One pass over the rows for a loss and its gradient.

use crate::blocks::{Real, block_rows, for_blocks, map_pieces, pieces};
use crate::{Csr, Rows};
use cornu_cpu::kernels::tall;
use ndarray::ArrayView2;
use std::ops::Range;

/// What a pass gives: sums over the rows.
pub(crate) struct Pass {
    /// Of the losses.
    pub value: f64,
    /// Of the rows, each times its factors: outputs × features.
    pub gradient: Vec<f64>,
    /// Of the factors.
    pub factors: Vec<f64>,
}

/// Takes the linear functions of a block of rows (rows × outputs); returns the losses' sum and leaves their
/// slopes.
pub(crate) type Losses<'a> = &'a (dyn Fn(Range<usize>, &mut [f64]) -> f64 + Sync);

/// Computes `outputs` linear functions of each row, their losses, and the gradient. The rows are read once:
/// a block's linear functions and its part of the gradient are both computed while it is in the cache.
///
/// `w` is outputs × features and, after them, the outputs' intercepts.
pub(crate) fn pass(x: Rows<'_>, outputs: usize, w: &[f64], losses: Losses<'_>) -> Pass {
    match x {
        Rows::F64(x) => dense(x, outputs, w, losses),
        Rows::F32(x) => dense(x, outputs, w, losses),
        Rows::Csr64(x) => sparse(x, outputs, w, losses),
        Rows::Csr32(x) => sparse(x, outputs, w, losses),
    }
}

/// The sum of parts, in order.
fn sum(parts: Vec<Pass>) -> Pass {
    let sum = |a: Pass, b: Pass| Pass {
        value: a.value + b.value,
        gradient: add(a.gradient, &b.gradient),
        factors: add(a.factors, &b.factors),
    };
    let empty = Pass {
        value: 0.0,
        gradient: Vec::new(),
        factors: Vec::new(),
    };
    parts.into_iter().reduce(sum).unwrap_or(empty)
}

fn add(mut a: Vec<f64>, b: &[f64]) -> Vec<f64> {
    for (a, b) in a.iter_mut().zip(b) {
        *a += b;
    }
    a
}

fn dense<T: Real>(x: ArrayView2<'_, T>, k: usize, w: &[f64], losses: Losses<'_>) -> Pass {
    let (rows, p) = x.dim();
    let (coef, intercept) = w.split_at(k * p);
    let coef: Vec<T> = coef.iter().map(|&w| T::from_f64(w)).collect();
    sum(map_pieces(rows, pieces(rows, p * k), |range| {
        let mut pass = Pass {
            value: 0.0,
            gradient: vec![0.0; k * p],
            factors: vec![0.0; k],
        };
        let (mut z, mut t) = (Vec::new(), Vec::new());
        // A block's gradient is summed up in the type of the rows, blocks' gradients in f64.
        let mut gradient = vec![T::ZERO; k * p];
        for_blocks(x, range, block_rows::<T>(p), |range, x| {
            t.resize(range.len() * k, T::ZERO);
            tall::dots(x, p, &coef, k, &mut t);
            z.clear();
            z.extend(t.iter().map(|&t| Into::<f64>::into(t)));
            for z in z.chunks_exact_mut(k) {
                for (z, b) in z.iter_mut().zip(intercept) {
                    *z += b;
                }
            }
            pass.value += losses(range, &mut z);
            for (t, z) in t.iter_mut().zip(&z) {
                *t = T::from_f64(*z);
            }
            for z in z.chunks_exact(k) {
                for (sum, z) in pass.factors.iter_mut().zip(z) {
                    *sum += z;
                }
            }
            tall::combine(x, p, &t, k, &mut gradient);
            for (sum, part) in pass.gradient.iter_mut().zip(&mut gradient) {
                *sum += Into::<f64>::into(*part);
                *part = T::ZERO;
            }
        });
        pass
    }))
}

fn sparse<T: Real>(x: &Csr<T>, k: usize, w: &[f64], losses: Losses<'_>) -> Pass {
    let (rows, p) = x.shape();
    let (coef, intercept) = w.split_at(k * p);
    let entries = x.values().len().div_ceil(rows.max(1));
    // As many gradients as pieces are in memory at once.
    let most = (1 << 23) / (k * p).max(1);
    let count = pieces(rows, entries * k).min(most.max(2));
    sum(map_pieces(rows, count, |range| {
        let mut pass = Pass {
            value: 0.0,
            gradient: vec![0.0; k * p],
            factors: vec![0.0; k],
        };
        let mut z = Vec::new();
        for start in range.clone().step_by(256) {
            let block = start..range.end.min(start + 256);
            sparse_linear(x, coef, intercept, block.clone(), &mut z);
            pass.value += losses(block.clone(), &mut z);
            for (row, z) in block.zip(z.chunks_exact(k)) {
                let (columns, values) = x.row(row);
                for (j, z) in z.iter().enumerate() {
                    pass.factors[j] += z;
                    let gradient = &mut pass.gradient[j * p..][..p];
                    for (&c, &v) in columns.iter().zip(values) {
                        gradient[c] += z * Into::<f64>::into(v);
                    }
                }
            }
        }
        pass
    }))
}

/// The linear functions of some rows: rows × outputs.
pub(crate) fn sparse_linear<T: Real>(
    x: &Csr<T>,
    coef: &[f64],
    intercept: &[f64],
    rows: Range<usize>,
    z: &mut Vec<f64>,
) {
    z.clear();
    for row in rows {
        let (columns, values) = x.row(row);
        for (coef, b) in coef.chunks_exact(x.shape().1).zip(intercept) {
            let terms = columns.iter().zip(values);
            let terms = terms.map(|(&c, &v)| coef[c] * Into::<f64>::into(v));
            z.push(b + terms.sum::<f64>());
        }
    }
}
