//! One pass over the rows for a loss, its gradient, and whatever else a visitor of the blocks sums up.

use crate::Csr;
use crate::blocks::{Real, block_rows, for_blocks, map_pieces};
use cornu_cpu::kernels::tall;
use cornu_cpu::simd::{Loops, vectorized};
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

/// Sees the blocks of a piece of the rows, one after the other: dense ones as rows in a slice, sparse ones
/// as the matrix that they are rows of.
pub(crate) trait Visit<X: ?Sized>: Send {
    /// Takes a block and its linear functions (rows × outputs); returns the losses' sum and leaves their
    /// slopes.
    fn visit(&mut self, rows: Range<usize>, x: &X, z: &mut [f64]) -> f64;
}

/// The linear functions that are computed: coefficients (outputs × features) and, after them, the outputs'
/// intercepts.
#[derive(Clone, Copy)]
pub(crate) struct Functions<'a> {
    pub outputs: usize,
    pub w: &'a [f64],
}

impl<'a> Functions<'a> {
    fn split(&self, features: usize) -> (&'a [f64], &'a [f64]) {
        self.w.split_at(self.outputs * features)
    }

    fn empty(&self, features: usize) -> Pass {
        Pass {
            value: 0.0,
            gradient: vec![0.0; self.outputs * features],
            factors: vec![0.0; self.outputs],
        }
    }
}

/// The sums over all pieces, in order, and the pieces' visitors.
fn gather<V>(parts: Vec<(Pass, V)>, empty: Pass) -> (Pass, Vec<V>) {
    let mut all = empty;
    let mut visitors = Vec::with_capacity(parts.len());
    for (part, visitor) in parts {
        all.value += part.value;
        add(&mut all.gradient, &part.gradient);
        add(&mut all.factors, &part.factors);
        visitors.push(visitor);
    }
    (all, visitors)
}

/// Adds numbers to others.
pub(crate) fn add(to: &mut [f64], more: &[f64]) {
    for (to, more) in to.iter_mut().zip(more) {
        *to += more;
    }
}

/// Computes linear functions of each row, their losses, and the gradient, in so many pieces and in blocks of at
/// most so many rows. The rows are read once: a block's linear functions and its part of the gradient are both
/// computed while it is in the cache.
pub(crate) fn dense<T: Real, V: Visit<[T]>>(
    x: ArrayView2<'_, T>,
    functions: Functions<'_>,
    pieces: usize,
    most_rows: usize,
    visitor: impl Fn() -> V + Sync,
) -> (Pass, Vec<V>) {
    let (rows, p) = x.dim();
    let k = functions.outputs;
    let (coef, intercept) = functions.split(p);
    let coef: Vec<T> = coef.iter().map(|&w| T::from_f64(w)).collect();
    let parts = map_pieces(rows, pieces, |range| {
        let (mut pass, mut visitor) = (functions.empty(p), visitor());
        let (mut z, mut t) = (Vec::new(), Vec::new());
        // A block's gradient is summed up in the type of the rows, blocks' gradients in f64.
        let mut gradient = vec![T::ZERO; k * p];
        for_blocks(x, range, block_rows::<T>(p).min(most_rows), |range, x| {
            t.resize(range.len() * k, T::ZERO);
            z.resize(range.len() * k, 0.0);
            tall::dots(x, p, &coef, k, &mut t);
            vectorized(Widen {
                t: &t,
                intercept,
                z: &mut z,
            });
            pass.value += visitor.visit(range, x, &mut z);
            vectorized(Narrow {
                z: &z,
                t: &mut t,
                factors: &mut pass.factors,
            });
            tall::combine(x, p, &t, k, &mut gradient);
            vectorized(Drain {
                from: &mut gradient,
                to: &mut pass.gradient,
            });
        });
        (pass, visitor)
    });
    gather(parts, functions.empty(p))
}

/// The same of sparse rows.
pub(crate) fn sparse<T: Real, V: Visit<Csr<T>>>(
    x: &Csr<T>,
    functions: Functions<'_>,
    pieces: usize,
    visitor: impl Fn() -> V + Sync,
) -> (Pass, Vec<V>) {
    let (rows, p) = x.shape();
    let k = functions.outputs;
    let (coef, intercept) = functions.split(p);
    let parts = map_pieces(rows, pieces, |range| {
        let (mut pass, mut visitor) = (functions.empty(p), visitor());
        let mut z = Vec::new();
        for start in range.clone().step_by(256) {
            let block = start..range.end.min(start + 256);
            sparse_linear(x, coef, intercept, block.clone(), &mut z);
            pass.value += visitor.visit(block.clone(), x, &mut z);
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
        (pass, visitor)
    });
    gather(parts, functions.empty(p))
}

/// The linear functions of some rows: rows × outputs.
fn sparse_linear<T: Real>(
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

/// Products as linear functions in f64, with their intercepts.
struct Widen<'a, T> {
    t: &'a [T],
    intercept: &'a [f64],
    z: &'a mut [f64],
}

impl<T: Real> Loops for Widen<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if let &[b] = self.intercept {
            for (z, &t) in self.z.iter_mut().zip(self.t) {
                *z = t.into() + b;
            }
            return;
        }
        let k = self.intercept.len();
        for (z, t) in self.z.chunks_exact_mut(k).zip(self.t.chunks_exact(k)) {
            for ((z, &t), b) in z.iter_mut().zip(t).zip(self.intercept) {
                *z = t.into() + b;
            }
        }
    }
}

/// Slopes in the type of the rows, and their sums.
struct Narrow<'a, T> {
    z: &'a [f64],
    t: &'a mut [T],
    factors: &'a mut [f64],
}

impl<T: Real> Loops for Narrow<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (t, &z) in self.t.iter_mut().zip(self.z) {
            *t = T::from_f64(z);
        }
        if let [sum] = self.factors {
            let (chunks, rest) = self.z.as_chunks::<8>();
            let mut sums = [0.0; 8];
            for chunk in chunks {
                for (sum, z) in sums.iter_mut().zip(chunk) {
                    *sum += z;
                }
            }
            *sum += sums.iter().chain(rest).sum::<f64>();
            return;
        }
        for z in self.z.chunks_exact(self.factors.len()) {
            add(self.factors, z);
        }
    }
}

/// Adds sums to those in f64, and leaves zeros.
struct Drain<'a, T> {
    from: &'a mut [T],
    to: &'a mut [f64],
}

impl<T: Real> Loops for Drain<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to += (*from).into();
            *from = T::ZERO;
        }
    }
}
