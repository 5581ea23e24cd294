//! Features as mixtures of smooth bumps.

use super::{Sorted, Transform, Transformer, dense, dense_to_fit};
use crate::options::setters;
use crate::{Error, Result, Rows, check};
use ndarray::{Array2, Axis};

/// Where splines have their knots.
#[derive(Clone, Debug, PartialEq)]
pub enum Knots {
    /// So many, at equal distances from the least to the greatest number of a feature.
    Uniform(usize),
    /// So many, with as many rows between each two; weighted rows: with as much weight.
    Quantile(usize),
    /// These, rising: knots × features.
    Given(Array2<f64>),
}

/// What splines are outside the outer knots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extrapolation {
    /// What they are at the knot.
    #[default]
    Constant,
    /// Straight on.
    Linear,
    /// The polynomials of the outer intervals.
    Continue,
    /// The first and the last knot are the same place on a circle.
    Periodic,
    /// An error.
    Error,
}

/// Each feature as B-splines: smooth bumps of piecewise polynomials that add up to 1 (de Boor, *A Practical Guide to
/// Splines*, 1978). A linear function of them is a smooth curve of the feature.
///
/// ```
/// use cornu_linear::preprocessing::{SplineTransformer, Transform, Transformer};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((9, 1), |(r, _)| r as f64);
/// let made = SplineTransformer::new().fit(&x)?.transform(&x)?;
/// assert_eq!(made.dim(), (9, 7));
/// assert!(made.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-12));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SplineTransformer {
    knots: Knots,
    degree: usize,
    extrapolation: Extrapolation,
    include_bias: bool,
}

impl Default for SplineTransformer {
    fn default() -> Self {
        Self {
            knots: Knots::Uniform(5),
            degree: 3,
            extrapolation: Extrapolation::Constant,
            include_bias: true,
        }
    }
}

impl SplineTransformer {
    /// Cubic splines on five knots at equal distances.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Where the knots are (default: five at equal distances).
        knots: Knots => knots;

        /// The polynomials' degree (default: 3).
        degree: usize => degree;

        /// What splines are outside the outer knots (default: constant).
        extrapolation: Extrapolation => extrapolation;

        /// Whether the last spline of each feature, which follows from the others, is among the new features
        /// (default: yes).
        include_bias: bool => include_bias;
    }

    /// The knots of all features, without those outside.
    fn base(&self, x: &Array2<f64>, weights: Option<&[f64]>) -> Result<Array2<f64>> {
        let count = match &self.knots {
            Knots::Uniform(count) | Knots::Quantile(count) => *count,
            Knots::Given(knots) => knots.nrows(),
        };
        if !(2..=100_000).contains(&count) || self.degree > 1000 {
            return Err(Error::new(format!(
                "Splines: expected from 2 to 100000 knots and a degree of at most 1000. Received: {count} and {}.",
                self.degree
            )));
        }
        if self.extrapolation == Extrapolation::Periodic && count <= self.degree {
            return Err(Error::new(format!(
                "Periodic splines: expected more knots than the degree, {}. Received: {count}.",
                self.degree
            )));
        }
        let mut base = Array2::zeros((count, x.ncols()));
        if let Knots::Given(knots) = &self.knots {
            if knots.ncols() != x.ncols() || knots.iter().any(|v| !v.is_finite()) {
                return Err(Error::shape(format!(
                    "knots: expected finite numbers for each of {} features. Received: {} columns.",
                    x.ncols(),
                    knots.ncols()
                )));
            }
            base.assign(knots);
        } else {
            for (column, mut knots) in x.axis_iter(Axis(1)).zip(base.axis_iter_mut(Axis(1))) {
                let column = Sorted::new(column, weights);
                let (low, high) = (column.least(), column.greatest());
                for (i, knot) in knots.iter_mut().enumerate() {
                    let part = i as f64 / (count - 1) as f64;
                    *knot = match self.knots {
                        Knots::Quantile(_) => column.quantile(part),
                        _ => low + part * (high - low),
                    };
                }
                knots[count - 1] = high;
            }
        }
        match self.knots {
            Knots::Given(_) => {
                let rising = |knots: ndarray::ArrayView1<'_, f64>| {
                    knots.iter().zip(knots.iter().skip(1)).all(|(a, b)| a < b)
                };
                match base.axis_iter(Axis(1)).all(rising) {
                    true => Ok(base),
                    false => Err(Error::new(
                        "knots: expected rising numbers. Received: others.",
                    )),
                }
            }
            _ => Ok(base),
        }
    }
}

impl Transformer for SplineTransformer {
    type Fitted = SplineFit;

    /// Rows of weight 0 do not count; other weights do for [`Knots::Quantile`].
    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<SplineFit> {
        let x = dense_to_fit("SplineTransformer", x, weights)?.into_owned();
        let base = self.base(&x, weights)?;
        let (count, degree) = (base.nrows(), self.degree);
        let extended = |base: ndarray::ArrayView1<'_, f64>| -> Vec<f64> {
            let outside = |steps: usize, low: bool| -> f64 {
                let (first, last) = (base[0], base[count - 1]);
                match (self.extrapolation, low) {
                    (Extrapolation::Periodic, true) => base[count - 1 - steps] - (last - first),
                    (Extrapolation::Periodic, false) => base[steps] + (last - first),
                    (_, true) => first - steps as f64 * (base[1] - first),
                    (_, false) => last + steps as f64 * (last - base[count - 2]),
                }
            };
            let before = (1..=degree).rev().map(|steps| outside(steps, true));
            let after = (1..=degree).map(|steps| outside(steps, false));
            before.chain(base.iter().copied()).chain(after).collect()
        };
        Ok(SplineFit {
            degree,
            splines: match self.extrapolation {
                Extrapolation::Periodic => count - 1,
                _ => count + degree - 1,
            },
            knots: base.axis_iter(Axis(1)).map(extended).collect(),
            extrapolation: self.extrapolation,
            include_bias: self.include_bias,
        })
    }
}

/// The splines of each feature.
#[derive(Clone, Debug, PartialEq)]
pub struct SplineFit {
    degree: usize,
    /// Of each feature.
    splines: usize,
    /// Of each feature, with those outside.
    knots: Vec<Vec<f64>>,
    extrapolation: Extrapolation,
    include_bias: bool,
}

impl SplineFit {
    /// How many new features are made of each.
    pub fn splines(&self) -> usize {
        self.splines - usize::from(!self.include_bias)
    }

    /// Adds the splines of a number into `out`.
    fn fill(&self, knots: &[f64], x: f64, out: &mut [f64]) -> Result<()> {
        let k = self.degree;
        let (low, high) = (knots[k], knots[knots.len() - 1 - k]);
        let at = match self.extrapolation {
            Extrapolation::Error if x < low || x > high => {
                return Err(Error::new(format!(
                    "x: expected numbers from {low} to {high}, the outer knots. Received: {x}."
                )));
            }
            Extrapolation::Periodic if high > low => low + (x - low).rem_euclid(high - low),
            Extrapolation::Constant | Extrapolation::Linear => x.clamp(low, high),
            _ => x,
        };
        // The interval of knots that `at` is in, or the outer one.
        let inside = &knots[k..knots.len() - k];
        let i = k + inside
            .partition_point(|&knot| knot <= at)
            .clamp(1, inside.len() - 1)
            - 1;
        let (values, slopes) = basis(knots, k, i, at);
        let beyond = match self.extrapolation {
            Extrapolation::Linear => x - at,
            _ => 0.0,
        };
        let count = out.len();
        for (j, (value, slope)) in values.iter().zip(slopes).enumerate() {
            // The last splines of periodic ones are the first.
            out[(i - k + j) % count] += value + beyond * slope;
        }
        Ok(())
    }
}

/// The `k + 1` splines of degree `k` that are not zero between knots `i` and `i + 1`, continued as polynomials, and
/// their slopes (Cox and de Boor's recurrence).
fn basis(knots: &[f64], k: usize, i: usize, x: f64) -> (Vec<f64>, Vec<f64>) {
    let part = |above: f64, below: f64| if below != 0.0 { above / below } else { 0.0 };
    let mut values = vec![1.0];
    let mut slopes = vec![0.0];
    for degree in 1..=k {
        let mut next = vec![0.0; degree + 1];
        slopes = vec![0.0; degree + 1];
        for (j, value) in values.iter().enumerate() {
            // Spline `j` of the degree below, which goes into two of this one.
            let (from, to) = (knots[i + 1 + j - degree], knots[i + 1 + j]);
            next[j] += value * part(to - x, to - from);
            next[j + 1] += value * part(x - from, to - from);
            let slope = part(degree as f64 * value, to - from);
            slopes[j] -= slope;
            slopes[j + 1] += slope;
        }
        values = next;
    }
    (values, slopes)
}

impl Transform for SplineFit {
    fn features(&self) -> usize {
        self.knots.len()
    }

    fn transform_rows(&self, x: Rows<'_>) -> Result<Array2<f64>> {
        check::features(self.knots.len(), &x)?;
        let x = dense("SplineTransformer", x)?;
        let kept = self.splines();
        let mut made = Array2::zeros((x.nrows(), kept * x.ncols()));
        let mut splines = vec![0.0; self.splines];
        for (row, mut made) in x.rows().into_iter().zip(made.rows_mut()) {
            for (j, (&v, knots)) in row.iter().zip(&self.knots).enumerate() {
                splines.fill(0.0);
                self.fill(knots, v, &mut splines)?;
                for (to, value) in made.iter_mut().skip(j * kept).take(kept).zip(&splines) {
                    *to = *value;
                }
            }
        }
        Ok(made)
    }
}
