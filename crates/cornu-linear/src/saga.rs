//! Minimising by SAGA: one row at a time, with a memory of each row's last slopes.

use crate::lbfgs::Minimised;
use crate::problem::{Loss, Problem, softmax};
use crate::{Csr, Rows};
use cornu_core::random::Stream;

/// Calls `visit` with each column and value of a row.
pub(crate) fn for_entries(x: &Rows<'_>, row: usize, mut visit: impl FnMut(usize, f64)) {
    fn sparse<T: Copy + Into<f64>>(x: &Csr<T>, row: usize, mut visit: impl FnMut(usize, f64)) {
        let (columns, values) = x.row(row);
        for (&c, &v) in columns.iter().zip(values) {
            visit(c, v.into());
        }
    }
    match x {
        Rows::F64(x) => x
            .row(row)
            .iter()
            .enumerate()
            .for_each(|(c, &v)| visit(c, v)),
        Rows::F32(x) => {
            let x = x.row(row);
            x.iter().enumerate().for_each(|(c, &v)| visit(c, v.into()));
        }
        Rows::Csr64(x) => sparse(x, row, visit),
        Rows::Csr32(x) => sparse(x, row, visit),
    }
}

/// Minimises logistic or multinomial losses from `w` on, until no coefficient changes in a pass over the rows by
/// more than `tol` times the largest (Defazio, Bach and Lacoste-Julien, *SAGA*, 2014).
pub(crate) fn minimise(
    problem: &Problem<'_, '_>,
    w: &mut [f64],
    tol: f64,
    max_iter: usize,
    seed: u64,
) -> Minimised {
    let (x, k) = (&problem.x, problem.loss.outputs());
    let (rows, p) = x.shape();
    let mean_weight = problem.weight() / rows as f64;
    let weight = |r: usize| problem.weights.map_or(1.0, |w| w[r]) / mean_weight;
    let one = f64::from(u8::from(problem.fit_intercept));
    let longest = (0..rows)
        .map(|r| {
            let mut squares = one;
            for_entries(x, r, |_, v| squares += v * v);
            squares * weight(r)
        })
        .fold(0.0, f64::max);
    // No row's slope changes faster than this.
    let steepest = match problem.loss {
        Loss::Multinomial(_) => 0.5,
        _ => 0.25,
    } * longest
        + problem.l2;
    // scikit-learn's step.
    let length = 1.0 / (2.0 * steepest + (2.0 * rows as f64 * problem.l2).min(steepest));
    let (mut memory, mut seen) = (vec![0.0; rows * k], vec![false; rows]);
    let mut average = vec![0.0; w.len()];
    let (mut known, mut random) = (0usize, Stream::new(seed, 0));
    let mut slopes = vec![0.0; k];
    let (mut iterations, mut converged) = (0, false);
    while !converged && iterations < max_iter {
        iterations += 1;
        let before = w.to_vec();
        for _ in 0..rows {
            let r = random.below(rows as u32) as usize;
            slopes.copy_from_slice(&w[k * p..]);
            for_entries(x, r, |c, v| {
                for (j, z) in slopes.iter_mut().enumerate() {
                    *z += w[j * p + c] * v;
                }
            });
            match problem.loss {
                Loss::Multinomial(_) => {
                    softmax(&mut slopes, k);
                    slopes[problem.y[r] as usize] -= 1.0;
                }
                _ => slopes[0] = 1.0 / (1.0 + (-slopes[0]).exp()) - problem.y[r],
            }
            if !std::mem::replace(&mut seen[r], true) {
                known += 1;
            }
            let share = 1.0 / known as f64;
            for j in 0..k {
                slopes[j] *= weight(r);
                let change = slopes[j] - memory[r * k + j];
                memory[r * k + j] = slopes[j];
                let (w, average) = (&mut w[j * p..][..p], &mut average[j * p..][..p]);
                for_entries(x, r, |c, v| {
                    w[c] -= length * change * v * (1.0 - share);
                    average[c] += change * v;
                });
                for (w, sum) in w.iter_mut().zip(average) {
                    *w = *w * (1.0 - length * problem.l2) - length * share * *sum;
                    *w = w.signum() * (w.abs() - length * problem.l1).max(0.0);
                }
                slopes[j] = change;
            }
            if problem.fit_intercept {
                for (j, change) in slopes.iter().enumerate() {
                    average[k * p + j] += change;
                    let back = change * (1.0 - share) + average[k * p + j] * share;
                    w[k * p + j] -= length * back;
                }
            }
        }
        let change = w
            .iter()
            .zip(&before)
            .fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
        let largest = w.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
        converged = change <= tol * largest;
    }
    let mut gradient = vec![0.0; w.len()];
    Minimised {
        value: problem.smooth(w, &mut gradient) + problem.absolute(w),
        iterations,
        converged,
    }
}
