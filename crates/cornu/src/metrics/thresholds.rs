//! The thresholds of metrics that count decisions.

use cornu_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// One threshold or several; a metric with several has a result for each.
///
/// ```
/// use cornu::metrics::Thresholds;
/// assert_eq!(Thresholds::from(0.5).as_slice(), [0.5]);
/// assert_eq!(Thresholds::from([0.2, 0.8]).as_slice(), [0.2, 0.8]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Thresholds {
    /// One threshold.
    One(f64),
    /// Several thresholds.
    Many(Vec<f64>),
}

impl Thresholds {
    /// The thresholds as a slice.
    pub fn as_slice(&self) -> &[f64] {
        match self {
            Thresholds::One(t) => std::slice::from_ref(t),
            Thresholds::Many(t) => t,
        }
    }
}

impl From<f64> for Thresholds {
    fn from(t: f64) -> Self {
        Thresholds::One(t)
    }
}

impl From<Vec<f64>> for Thresholds {
    fn from(t: Vec<f64>) -> Self {
        Thresholds::Many(t)
    }
}

impl From<&[f64]> for Thresholds {
    fn from(t: &[f64]) -> Self {
        Thresholds::Many(t.to_vec())
    }
}

impl<const N: usize> From<[f64; N]> for Thresholds {
    fn from(t: [f64; N]) -> Self {
        Thresholds::Many(t.to_vec())
    }
}

/// Keras' smallest distance, by which the outermost thresholds of [`AUC`](super::AUC) lie outside
/// [0, 1].
const EPSILON: f64 = 1e-7;

/// Thresholds with what speeds up counting: if they divide [0, 1] evenly, the bucket of a prediction
/// is a product.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    pub values: Vec<f64>,
    pub even: bool,
}

impl Grid {
    /// The user's thresholds, or one default.
    pub(super) fn given(thresholds: &Option<Thresholds>, default: f64) -> Result<Grid> {
        let values = match thresholds {
            None => vec![default],
            Some(t) => check(t.as_slice())?.to_vec(),
        };
        let even = is_even(&values);
        Ok(Grid { values, even })
    }

    /// `n` thresholds over [0, 1], both ends included; one alone is 0.5.
    pub(super) fn over_unit(n: usize) -> Result<Grid> {
        match n {
            0 => Err(Error::new("Expected: num_thresholds > 0. Received: 0.")),
            1 => Ok(Grid {
                values: vec![0.5],
                even: false,
            }),
            n => Ok(Grid {
                values: evenly(n),
                even: true,
            }),
        }
    }

    /// The thresholds of a curve: `n` of them, or given ones between the ends; the ends lie a little
    /// outside [0, 1], so that predictions of 0 and 1 are inside.
    pub(super) fn of_curve(n: usize, inner: Option<&[f64]>) -> Result<Grid> {
        let mut values = match inner {
            Some(inner) => {
                let mut values = check(inner)?.to_vec();
                values.sort_by(f64::total_cmp);
                values.insert(0, 0.0);
                values.push(1.0);
                values
            }
            None if n > 1 => evenly(n),
            None => {
                return Err(Error::new(format!(
                    "Expected: num_thresholds > 1. Received: {n}."
                )));
            }
        };
        let even = inner.is_none() || is_even(&values);
        if let Some(first) = values.first_mut() {
            *first -= EPSILON;
        }
        if let Some(last) = values.last_mut() {
            *last += EPSILON;
        }
        Ok(Grid { values, even })
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether a threshold lies outside [0, 1].
    pub(super) fn beyond_unit(&self) -> bool {
        self.values.iter().any(|t| !(0.0..=1.0).contains(t))
    }
}

fn evenly(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64 / (n - 1) as f64).collect()
}

/// Whether the thresholds are 0, 1/(n−1), …, 1.
fn is_even(values: &[f64]) -> bool {
    values.len() >= 3
        && values
            .iter()
            .zip(evenly(values.len()))
            .all(|(a, b)| (a - b).abs() <= EPSILON + 1e-5 * b)
}

fn check(thresholds: &[f64]) -> Result<&[f64]> {
    if thresholds.is_empty() || thresholds.iter().any(|t| !(0.0..=1.0).contains(t)) {
        return Err(Error::new(format!(
            "Expected: thresholds in [0, 1]. Received: {thresholds:?}."
        )));
    }
    Ok(thresholds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenness() {
        let given = |t: &[f64]| Grid::given(&Some(t.into()), 0.5).unwrap().even;
        assert!(given(&[0.0, 0.5, 1.0]));
        assert!(!given(&[0.2, 0.5, 0.9]));
        assert!(!given(&[0.0, 1.0]));
        assert!(Grid::of_curve(0, Some(&[0.75, 0.25, 0.5])).unwrap().even);
        assert!(!Grid::of_curve(0, Some(&[0.5, 0.6])).unwrap().even);
    }

    #[test]
    fn wrong_thresholds_are_errors() {
        assert!(Grid::given(&Some(1.5.into()), 0.5).is_err());
        assert!(Grid::of_curve(1, None).is_err());
        assert!(Grid::over_unit(0).is_err());
    }
}
