//! A penalised mean of losses of linear functions: what the solvers minimise.

use crate::Rows;
use crate::blocks::pieces;
use crate::design::{Functions, Pass, Visit, dense, sparse};
use crate::loss::{Block, Gamma, Logistic, Multinomial, Poisson, Squared, Tweedie};
use std::ops::Range;

/// Which losses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    Logistic,
    /// Of this many classes, whose targets are their numbers.
    Multinomial(usize),
    Poisson,
    Gamma,
    Squared,
    /// Of this power, other than 1 and 2.
    Tweedie(f64),
}

impl Loss {
    /// How many linear functions there are.
    pub fn outputs(self) -> usize {
        match self {
            Loss::Multinomial(classes) => classes,
            _ => 1,
        }
    }
}

/// Minimises, over coefficients (outputs × features, then intercepts), the weighted mean of the losses and
/// `l2 / 2 · Σ coef² + l1 · Σ |coef|`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Problem<'x, 'a> {
    pub x: Rows<'x>,
    pub y: &'a [f64],
    pub weights: Option<&'a [f64]>,
    pub loss: Loss,
    pub l1: f64,
    pub l2: f64,
    pub fit_intercept: bool,
}

impl Problem<'_, '_> {
    /// Coefficients, without intercepts.
    pub fn coefs(&self) -> usize {
        self.loss.outputs() * self.x.features()
    }

    /// Coefficients and intercepts; the latter stay zeros if none are fitted.
    pub fn size(&self) -> usize {
        self.coefs() + self.loss.outputs()
    }

    /// The sum of the weights.
    pub fn weight(&self) -> f64 {
        match self.weights {
            Some(weights) => weights.iter().sum(),
            None => self.y.len() as f64,
        }
    }

    /// The losses of some rows' linear functions `z`, which become the slopes; of one output `roots` takes the
    /// square roots of the curvatures.
    pub fn losses(&self, range: Range<usize>, z: &mut [f64], roots: Option<&mut [f64]>) -> f64 {
        let y = &self.y[range.clone()];
        let weights = self.weights.map(|w| &w[range]);
        macro_rules! block {
            ($loss:expr) => {
                Block {
                    loss: $loss,
                    y,
                    weights,
                    z,
                    roots,
                }
                .losses()
            };
        }
        match self.loss {
            Loss::Logistic => block!(Logistic),
            Loss::Poisson => block!(Poisson),
            Loss::Gamma => block!(Gamma),
            Loss::Squared => block!(Squared),
            Loss::Tweedie(power) => block!(Tweedie { power }),
            Loss::Multinomial(classes) => Multinomial {
                y,
                weights,
                classes,
                z,
            }
            .losses(),
        }
    }

    /// The linear functions at `w`.
    pub fn functions<'w>(&self, w: &'w [f64]) -> Functions<'w> {
        Functions {
            outputs: self.loss.outputs(),
            w,
        }
    }

    /// The value and the gradient of all but the `l1` penalty.
    pub fn smooth(&self, w: &[f64], gradient: &mut [f64]) -> f64 {
        let (rows, k) = (self.x.len(), self.loss.outputs());
        // As many gradients as pieces are in memory at once.
        let most = (1 << 23) / self.coefs().max(1);
        let count = pieces(rows, self.x.entries() * k).min(most.max(2));
        let (functions, losses) = (self.functions(w), || Losses(self));
        let (pass, _) = match self.x {
            Rows::F64(x) => dense(x, functions, count, rows, losses),
            Rows::F32(x) => dense(x, functions, count, rows, losses),
            Rows::Csr64(x) => sparse(x, functions, count, losses),
            Rows::Csr32(x) => sparse(x, functions, count, losses),
        };
        self.mean(&pass, w, gradient)
    }

    /// The value and the gradient from sums over the rows.
    pub fn mean(&self, pass: &Pass, w: &[f64], gradient: &mut [f64]) -> f64 {
        let weight = self.weight();
        let coef = &w[..self.coefs()];
        let (to, to_intercept) = gradient.split_at_mut(coef.len());
        for ((to, g), w) in to.iter_mut().zip(&pass.gradient).zip(coef) {
            *to = g / weight + self.l2 * w;
        }
        for (to, g) in to_intercept.iter_mut().zip(&pass.factors) {
            *to = if self.fit_intercept { g / weight } else { 0.0 };
        }
        let squares: f64 = coef.iter().map(|w| w * w).sum();
        pass.value / weight + 0.5 * self.l2 * squares
    }

    /// The value of the `l1` penalty.
    pub fn absolute(&self, w: &[f64]) -> f64 {
        if self.l1 == 0.0 {
            return 0.0;
        }
        self.l1 * w[..self.coefs()].iter().map(|w| w.abs()).sum::<f64>()
    }

    /// How far from flat the whole is along each coordinate, at most.
    pub fn steepness(&self, w: &[f64], gradient: &[f64]) -> f64 {
        let coefs = self.coefs();
        let slope = |(i, (w, g)): (usize, (&f64, &f64))| match i < coefs {
            true if *w == 0.0 => (g.abs() - self.l1).max(0.0),
            true => (g + self.l1 * w.signum()).abs(),
            false => g.abs(),
        };
        let slopes = w.iter().zip(gradient).enumerate().map(slope);
        slopes.fold(0.0, |m, s| if s > m || s.is_nan() { s } else { m })
    }
}

/// Sees to the losses alone.
struct Losses<'p, 'x, 'a>(&'p Problem<'x, 'a>);

impl<X: ?Sized> Visit<X> for Losses<'_, '_, '_> {
    fn visit(&mut self, rows: Range<usize>, _: &X, z: &mut [f64]) -> f64 {
        self.0.losses(rows, z, None)
    }
}

/// Probabilities of each row's classes.
pub(crate) fn softmax(z: &mut [f64], classes: usize) {
    for z in z.chunks_exact_mut(classes) {
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        z.iter_mut().for_each(|z| *z = (*z - most).exp());
        let sum: f64 = z.iter().sum();
        z.iter_mut().for_each(|z| *z /= sum);
    }
}
