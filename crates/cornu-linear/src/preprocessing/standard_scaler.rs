//! Features of mean 0 and variance 1.

use super::{Scaler, Transformer, dense_to_fit};
use crate::options::setters;
use crate::{Result, Rows, check};
use ndarray::{Array1, Axis};

/// Scales each feature to mean 0 and variance 1. Constant ones are only shifted.
///
/// ```
/// use cornu_linear::preprocessing::{StandardScaler, Transform, Transformer};
/// use ndarray::array;
///
/// let scaler = StandardScaler::new().fit(&array![[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])?;
/// assert_eq!(scaler.center(), array![0.5, 0.5]);
/// assert_eq!(scaler.transform(&array![[2.0, 2.0]])?, array![[3.0, 3.0]]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandardScaler {
    with_mean: bool,
    with_std: bool,
}

impl Default for StandardScaler {
    fn default() -> Self {
        Self {
            with_mean: true,
            with_std: true,
        }
    }
}

impl StandardScaler {
    /// Shifts and scales.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether the mean is taken away (default: yes).
        with_mean: bool => with_mean;

        /// Whether features are divided by their standard deviation (default: yes).
        with_std: bool => with_std;
    }
}

impl Transformer for StandardScaler {
    type Fitted = Scaler;

    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<Scaler> {
        let x = dense_to_fit("StandardScaler", x, weights)?;
        let rows = x.nrows() as f64;
        let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
        let all: f64 = (0..x.nrows()).map(weight).sum();
        let (mut center, mut scale) = (Array1::zeros(x.ncols()), Array1::ones(x.ncols()));
        for (j, column) in x.axis_iter(Axis(1)).enumerate() {
            let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
                column
                    .iter()
                    .enumerate()
                    .map(|(r, &v)| weight(r) * f(v))
                    .sum()
            };
            let mean = sum(&|v| v) / all;
            // Less what rounding the mean adds (Chan, Golub and LeVeque, 1983).
            let variance = (sum(&|v| (v - mean).powi(2)) - sum(&|v| v - mean).powi(2) / all) / all;
            if self.with_mean {
                center[j] = mean;
            }
            if !variance.is_finite() {
                return Err(check::not_finite(x.view()));
            }
            // A variance that is rounding is none.
            let rounding = rows * f64::EPSILON * variance + (rows * mean * f64::EPSILON).powi(2);
            if self.with_std && variance > rounding {
                scale[j] = variance.sqrt();
            }
        }
        Ok(Scaler {
            name: "StandardScaler",
            center,
            scale,
        })
    }
}
