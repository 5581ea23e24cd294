//! Losses of linear functions: values, slopes and curvatures, in loops that vectorise.

// Loops over chunks index several arrays at once.
#![allow(clippy::needless_range_loop)]

use cornu_cpu::math::float64::{exp, log};
use cornu_cpu::simd::{Loops, vectorized};

/// A loss of one linear function.
pub(crate) trait Pointwise: Copy + Sync {
    /// The loss of `z` where `y` is the target, its slope and its curvature.
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3];
}

/// Log-loss of labels 0 and 1: `log(1 + eᶻ) − y·z`.
#[derive(Clone, Copy)]
pub(crate) struct Logistic;

impl Pointwise for Logistic {
    #[inline(always)]
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3] {
        // By e to minus |z|, which does not overflow.
        let (high, size) = if z > 0.0 { (z, z) } else { (0.0, -z) };
        let e = exp::<FMA>(-size);
        let near = 1.0 / (1.0 + e);
        let p = if z > 0.0 { near } else { e * near };
        [high + log::<FMA>(1.0 + e) - y * z, p - y, e * near * near]
    }
}

/// Half the deviance of a Poisson distribution whose mean is `eᶻ`, up to what does not depend on `z`.
#[derive(Clone, Copy)]
pub(crate) struct Poisson;

impl Pointwise for Poisson {
    #[inline(always)]
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3] {
        let mean = exp::<FMA>(z);
        [mean - y * z, mean - y, mean]
    }
}

/// Half the deviance of a gamma distribution whose mean is `eᶻ`.
#[derive(Clone, Copy)]
pub(crate) struct Gamma;

impl Pointwise for Gamma {
    #[inline(always)]
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3] {
        let ratio = y * exp::<FMA>(-z);
        [z + ratio, 1.0 - ratio, ratio]
    }
}

/// Half the squared error.
#[derive(Clone, Copy)]
pub(crate) struct Squared;

impl Pointwise for Squared {
    #[inline(always)]
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3] {
        let error = z - y;
        [0.5 * error * error, error, 1.0]
    }
}

/// Half the Tweedie deviance of a power other than 1 and 2, for a mean of `eᶻ`.
#[derive(Clone, Copy)]
pub(crate) struct Tweedie {
    pub power: f64,
}

impl Pointwise for Tweedie {
    #[inline(always)]
    fn at<const FMA: bool>(self, y: f64, z: f64) -> [f64; 3] {
        let (one, two) = (1.0 - self.power, 2.0 - self.power);
        let (low, high) = (exp::<FMA>(one * z), exp::<FMA>(two * z));
        [
            high / two - y * low / one,
            high - y * low,
            // Where the true curvature is negative, the expected one keeps the model convex.
            if two * high - one * y * low > 0.0 {
                two * high - one * y * low
            } else {
                high
            },
        ]
    }
}

/// The losses of a block of one output; `z` becomes the slopes times the weights.
pub(crate) struct Block<'a, L> {
    pub loss: L,
    pub y: &'a [f64],
    pub weights: Option<&'a [f64]>,
    pub z: &'a mut [f64],
    /// Takes the square roots of the curvatures (of 0 for negative ones), if they are wanted.
    pub roots: Option<&'a mut [f64]>,
}

/// Numbers that are computed before they are summed up.
const CHUNK: usize = 64;

impl<L: Pointwise> Loops for Block<'_, L> {
    type Output = f64;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        let (loss, mut roots) = (self.loss, self.roots);
        let mut sums = [0.0; 8];
        for start in (0..self.z.len()).step_by(CHUNK) {
            let len = CHUNK.min(self.z.len() - start);
            let z = &mut self.z[start..][..len];
            let y = &self.y[start..][..len];
            let (mut values, mut curves) = ([0.0; CHUNK], [0.0; CHUNK]);
            for i in 0..len {
                let [value, slope, curve] = loss.at::<FMA>(y[i], z[i]);
                values[i] = value;
                curves[i] = curve;
                z[i] = slope;
            }
            if let Some(weights) = self.weights {
                let weights = &weights[start..][..len];
                for i in 0..len {
                    values[i] *= weights[i];
                    z[i] *= weights[i];
                    curves[i] *= weights[i];
                }
            }
            for values in values.chunks_exact(8) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            if let Some(roots) = roots.as_deref_mut() {
                for (root, curve) in roots[start..][..len].iter_mut().zip(curves) {
                    *root = if curve > 0.0 { curve.sqrt() } else { 0.0 };
                }
            }
        }
        sums.iter().sum()
    }
}

impl<L: Pointwise> Block<'_, L> {
    /// The sum of the losses.
    pub fn losses(self) -> f64 {
        vectorized(self)
    }
}

/// The multinomial log-losses of a block: `z` (rows × classes) becomes the slopes, probabilities less
/// what was observed, times the weights.
pub(crate) struct Multinomial<'a> {
    /// The number of each row's class.
    pub y: &'a [f64],
    pub weights: Option<&'a [f64]>,
    pub classes: usize,
    pub z: &'a mut [f64],
}

impl Loops for Multinomial<'_> {
    type Output = f64;
    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        let k = self.classes;
        let mut sum = 0.0;
        // Classes × rows, so that loops run over rows.
        let mut turned = vec![[0.0; CHUNK]; k];
        for (chunk, z) in self.z.chunks_mut(CHUNK * k).enumerate() {
            let (start, len) = (chunk * CHUNK, z.len() / k);
            let mut most = [f64::NEG_INFINITY; CHUNK];
            for (j, turned) in turned.iter_mut().enumerate() {
                for i in 0..len {
                    turned[i] = z[i * k + j];
                }
                for i in 0..CHUNK {
                    most[i] = if turned[i] > most[i] {
                        turned[i]
                    } else {
                        most[i]
                    };
                }
            }
            let mut total = [0.0; CHUNK];
            for turned in &mut turned {
                for i in 0..CHUNK {
                    turned[i] = exp::<FMA>(turned[i] - most[i]);
                    total[i] += turned[i];
                }
            }
            let mut values = [0.0; CHUNK];
            for i in 0..CHUNK {
                values[i] = log::<FMA>(total[i]) + most[i];
                total[i] = 1.0 / total[i];
            }
            for i in 0..len {
                let weight = self.weights.map_or(1.0, |w| w[start + i]);
                let class = self.y[start + i] as usize;
                sum += weight * (values[i] - z[i * k + class]);
                for (j, turned) in turned.iter().enumerate() {
                    z[i * k + j] = weight * turned[i] * total[i];
                }
                z[i * k + class] -= weight;
            }
        }
        sum
    }
}

impl Multinomial<'_> {
    /// The sum of the losses.
    pub fn losses(self) -> f64 {
        vectorized(self)
    }
}
