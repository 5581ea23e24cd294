//! Least squares with coefficients that are not negative.

use crate::factor::Cholesky;
use crate::moments::Moments;
use faer::Mat;

/// Lawson and Hanson's active set method (*Solving Least Squares Problems*, 1974, chapter 23) on the
/// products of the features, for one target. It ends, since each step lowers the objective; `3 · features`
/// outer steps bound it as in SciPy.
pub(crate) fn nnls(moments: &Moments, target: usize) -> Vec<f64> {
    let p = moments.features;
    let mut coef = vec![0.0; p];
    let mut passive: Vec<usize> = Vec::new();
    let scale = (0..p).map(|j| moments.xx(j, j)).fold(0.0, f64::max);
    let tolerance = 10.0 * f64::EPSILON * p as f64 * (scale * moments.yy(target)).sqrt();
    for _ in 0..3 * p {
        let gradient = |j: usize| {
            let fitted: f64 = passive.iter().map(|&i| moments.xx(i, j) * coef[i]).sum();
            moments.xy(j, target) - fitted
        };
        let next = (0..p)
            .filter(|j| !passive.contains(j))
            .map(|j| (j, gradient(j)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        match next {
            Some((j, gradient)) if gradient > tolerance => passive.push(j),
            _ => break,
        }
        while let Some(solution) = solve(moments, target, &passive) {
            if solution.iter().all(|&s| s > 0.0) {
                for (&j, s) in passive.iter().zip(solution) {
                    coef[j] = s;
                }
                break;
            }
            // As far towards the solution as all stay positive; what reaches 0 leaves.
            let steps = passive.iter().zip(&solution).filter(|(_, s)| **s <= 0.0);
            let step = steps
                .map(|(&j, s)| coef[j] / (coef[j] - s))
                .fold(1.0, f64::min);
            for (&j, s) in passive.iter().zip(&solution) {
                coef[j] += step * (s - coef[j]);
                if *s <= 0.0 && coef[j] <= f64::EPSILON * s.abs() {
                    coef[j] = 0.0;
                }
            }
            passive.retain(|&j| coef[j] > 0.0);
        }
        // A column that depends on the others could not be solved for.
        passive.retain(|&j| coef[j] > 0.0);
    }
    coef
}

/// Least squares with the passive features only; None if they depend on each other.
fn solve(moments: &Moments, target: usize, passive: &[usize]) -> Option<Vec<f64>> {
    let a = Mat::from_fn(passive.len(), passive.len(), |i, j| {
        moments.xx(passive[i], passive[j])
    });
    let b = Mat::from_fn(passive.len(), 1, |i, _| moments.xy(passive[i], target));
    let solution = Cholesky::new(a.as_ref())?.solve(b.as_ref());
    Some(solution.col(0).iter().copied().collect())
}
