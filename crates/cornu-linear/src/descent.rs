//! Coordinate descent for squares with penalties on absolute values and squares.

use crate::Targets;
use crate::blocks::Real;
use crate::moments::Moments;
use faer::{Mat, MatRef};
use ndarray::ArrayView2;

/// When coordinate descent ends, and what it may find.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Descent {
    pub tol: f64,
    pub max_iter: usize,
    pub positive: bool,
}

impl Default for Descent {
    fn default() -> Self {
        Self {
            tol: 1e-4,
            max_iter: 1000,
            positive: false,
        }
    }
}

/// The weights of the penalties, for sums of squares (not means).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Penalty {
    /// Of the norms of the rows of coefficients (of one target: absolute values).
    pub l1: f64,
    /// Of half the squares.
    pub l2: f64,
}

/// How a descent went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descended {
    /// Passes over the coordinates.
    pub iterations: usize,
    /// The duality gap at the end: the objective (of sums) is no farther from the best.
    pub gap: f64,
    /// Whether the gap became small enough.
    pub converged: bool,
}

/// The squares: what descent has to know of the data. Coefficients are kept by the caller, features ×
/// targets.
pub(crate) trait Squares {
    fn targets(&self) -> usize;
    fn features(&self) -> usize;
    /// The squared norm of a feature.
    fn norm2(&self, feature: usize) -> f64;
    /// The products of a feature with the residuals, one for each target.
    fn gradient(&self, feature: usize, to: &mut [f64]);
    /// Coefficients have changed.
    fn moved(&mut self, feature: usize, by: &[f64]);
    /// The squared norms of the residuals and of the targets, and their product.
    fn residual(&self, coef: &[f64]) -> (f64, f64, f64);
}

/// By the products of the features: each step costs as many operations as there are features.
pub(crate) struct ByProducts<'a> {
    xx: MatRef<'a, f64>,
    xy: MatRef<'a, f64>,
    yy: f64,
    /// Products of features and residuals, targets × features one after the other.
    gradient: Vec<f64>,
}

impl<'a> ByProducts<'a> {
    /// For the targets of a range, from coefficients (features × targets, row after row).
    pub fn new(moments: &'a Moments, targets: std::ops::Range<usize>, coef: &[f64]) -> Self {
        let p = moments.features;
        let xy = moments
            .products
            .get(..p, p + targets.start..p + targets.end);
        let mut this = Self {
            xx: moments.products.get(..p, ..p),
            xy,
            yy: targets.map(|t| moments.yy(t)).sum(),
            gradient: (0..xy.ncols())
                .flat_map(|t| xy.col(t).iter().copied().collect::<Vec<_>>())
                .collect(),
        };
        let targets = this.targets();
        for (feature, by) in coef.chunks_exact(targets).enumerate() {
            this.moved(feature, by);
        }
        this
    }
}

impl Squares for ByProducts<'_> {
    fn targets(&self) -> usize {
        self.xy.ncols()
    }

    fn features(&self) -> usize {
        self.xx.ncols()
    }

    fn norm2(&self, feature: usize) -> f64 {
        self.xx[(feature, feature)]
    }

    fn gradient(&self, feature: usize, to: &mut [f64]) {
        for (t, to) in to.iter_mut().enumerate() {
            *to = self.gradient[t * self.features() + feature];
        }
    }

    fn moved(&mut self, feature: usize, by: &[f64]) {
        let p = self.xx.ncols();
        for (gradient, &by) in self.gradient.chunks_exact_mut(p).zip(by) {
            if by != 0.0 {
                let column = self.xx.col(feature);
                for (g, x) in gradient.iter_mut().zip(column.iter()) {
                    *g -= by * x;
                }
            }
        }
    }

    fn residual(&self, coef: &[f64]) -> (f64, f64, f64) {
        let (p, targets) = (self.features(), self.targets());
        // y·(y − Xw) = yy − w·xy, and (Xw)·(y − Xw) = w · gradient.
        let (mut fitted, mut along) = (0.0, 0.0);
        for j in 0..p {
            for t in 0..targets {
                let w = coef[j * targets + t];
                fitted += w * self.xy[(j, t)];
                along += w * self.gradient[t * p + j];
            }
        }
        let with_y = self.yy - fitted;
        ((with_y - along).max(0.0), self.yy, with_y)
    }
}

/// By the data themselves, centred column by column: for features that outnumber the rows.
pub(crate) struct ByRows {
    x: Mat<f64>,
    norms: Vec<f64>,
    residuals: Mat<f64>,
    y: Mat<f64>,
}

impl ByRows {
    pub fn new<T: Real>(
        x: ArrayView2<'_, T>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
        moments: &Moments,
        targets: std::ops::Range<usize>,
        coef: &[f64],
    ) -> Self {
        let p = x.ncols();
        let root = |r: usize| weights.map_or(1.0, |w| w[r].sqrt());
        let centered = Mat::from_fn(x.nrows(), p, |r, c| {
            (Into::<f64>::into(x[[r, c]]) - moments.mean[c]) * root(r)
        });
        let y = Mat::from_fn(x.nrows(), targets.len(), |r, t| {
            let t = targets.start + t;
            (y.values()[r * y.columns() + t] - moments.mean[p + t]) * root(r)
        });
        let mut this = Self {
            norms: (0..p).map(|c| centered.col(c).squared_norm_l2()).collect(),
            x: centered,
            residuals: y.clone(),
            y,
        };
        for (feature, by) in coef.chunks_exact(targets.len()).enumerate() {
            this.moved(feature, by);
        }
        this
    }
}

impl Squares for ByRows {
    fn targets(&self) -> usize {
        self.y.ncols()
    }

    fn features(&self) -> usize {
        self.x.ncols()
    }

    fn norm2(&self, feature: usize) -> f64 {
        self.norms[feature]
    }

    fn gradient(&self, feature: usize, to: &mut [f64]) {
        for (t, to) in to.iter_mut().enumerate() {
            *to = self.x.col(feature).transpose() * self.residuals.col(t);
        }
    }

    fn moved(&mut self, feature: usize, by: &[f64]) {
        for (t, &by) in by.iter().enumerate().filter(|(_, by)| **by != 0.0) {
            let x = self.x.col(feature);
            let residuals = self.residuals.col_mut(t);
            for (r, x) in residuals.iter_mut().zip(x.iter()) {
                *r -= by * x;
            }
        }
    }

    fn residual(&self, _: &[f64]) -> (f64, f64, f64) {
        let with_y = self.y.col_iter().zip(self.residuals.col_iter());
        (
            self.residuals.squared_norm_l2(),
            self.y.squared_norm_l2(),
            with_y.map(|(y, r)| y.transpose() * r).sum(),
        )
    }
}

impl Descent {
    /// Descends from `coef` (features × targets, row after row) until the duality gap is at most `tol`
    /// times the targets' squares. Features that the gap shows to be zero at the optimum are passed by
    /// (Ndiaye, Fercoq, Gramfort, Salmon, *Gap Safe Screening Rules*, 2017).
    pub fn run(&self, squares: &mut impl Squares, penalty: Penalty, coef: &mut [f64]) -> Descended {
        let (p, targets) = (squares.features(), squares.targets());
        let mut active: Vec<usize> = (0..p).filter(|&j| squares.norm2(j) > 0.0).collect();
        let enough = self.tol * squares.residual(coef).1;
        let mut gap = self.gap(squares, penalty, coef, &mut active);
        let mut iterations = 0;
        let mut step = vec![0.0; targets];
        while gap > enough && iterations < self.max_iter {
            iterations += 1;
            let (mut farthest, mut largest) = (0.0_f64, 0.0_f64);
            for &j in &active {
                let w = &mut coef[j * targets..][..targets];
                let norm2 = squares.norm2(j);
                squares.gradient(j, &mut step);
                // The best row of coefficients when all others stay.
                for (s, w) in step.iter_mut().zip(&*w) {
                    *s += norm2 * w;
                }
                let length = if self.positive {
                    step[0].max(0.0)
                } else {
                    norm(&step)
                };
                let shrunk = match length > penalty.l1 {
                    true => (1.0 - penalty.l1 / length) / (norm2 + penalty.l2),
                    false => 0.0,
                };
                for (s, w) in step.iter_mut().zip(w) {
                    let new = *s * shrunk;
                    *s = new - *w;
                    *w = new;
                    farthest = farthest.max(s.abs());
                    largest = largest.max(new.abs());
                }
                squares.moved(j, &step);
            }
            // The gap costs a pass; it is looked at when steps have become short.
            if farthest <= self.tol * largest || iterations % 10 == 0 || iterations == self.max_iter
            {
                gap = self.gap(squares, penalty, coef, &mut active);
                if farthest == 0.0 {
                    break;
                }
            }
        }
        Descended {
            iterations,
            gap,
            converged: gap <= enough || iterations < self.max_iter,
        }
    }

    /// The duality gap; keeps those active features that may be other than zero at the optimum.
    fn gap(
        &self,
        squares: &impl Squares,
        penalty: Penalty,
        coef: &[f64],
        active: &mut Vec<usize>,
    ) -> f64 {
        let targets = squares.targets();
        let mut row = vec![0.0; targets];
        // Of each active feature the length of its products with the (augmented) residuals.
        let mut lengths = Vec::with_capacity(active.len());
        for &j in active.iter() {
            squares.gradient(j, &mut row);
            for (g, w) in row.iter_mut().zip(&coef[j * targets..]) {
                *g -= penalty.l2 * w;
            }
            lengths.push(if self.positive { row[0] } else { norm(&row) });
        }
        let dual = lengths.iter().copied().fold(0.0, f64::max);
        let (residual2, _, with_y) = squares.residual(coef);
        let l1: f64 = coef.chunks_exact(targets).map(norm).sum();
        let l2: f64 = coef.iter().map(|w| w * w).sum();
        let scale = if dual > penalty.l1 {
            penalty.l1 / dual
        } else {
            1.0
        };
        let gap = 0.5 * (1.0 + scale * scale) * (residual2 + penalty.l2 * l2) + penalty.l1 * l1
            - scale * with_y;
        if penalty.l1 > 0.0 {
            let radius = (2.0 * gap.max(0.0)).sqrt() / penalty.l1;
            let mut kept = lengths
                .iter()
                .map(|length| 1.0 - length / penalty.l1.max(dual));
            // What is not zero yet comes to be so by itself; dropped, it might go by a rounding.
            active.retain(|&j| {
                let distance = kept.next().unwrap_or(0.0);
                distance <= radius * (squares.norm2(j) + penalty.l2).sqrt()
                    || coef[j * targets..][..targets].iter().any(|w| *w != 0.0)
            });
        }
        gap
    }
}

fn norm(row: &[f64]) -> f64 {
    match row {
        [w] => w.abs(),
        _ => row.iter().map(|w| w * w).sum::<f64>().sqrt(),
    }
}
