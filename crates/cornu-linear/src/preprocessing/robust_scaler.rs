//! Features scaled by what outliers do not change.

use super::{Scaler, Transformer, dense_to_fit, quantile, sorted};
use crate::{Error, Result, Rows};
use ndarray::{Array1, Axis};

/// Takes each feature's median away and divides it by the distance between two of its quantiles. Weights of rows
/// do not count.
///
/// ```
/// use cornu_linear::preprocessing::{RobustScaler, Transform, Transformer};
/// use ndarray::array;
///
/// let x = array![[1.0], [2.0], [3.0], [4.0], [1000.0]];
/// assert_eq!(RobustScaler::new().fit(&x)?.transform(&x)?.column(0).to_vec()[..4], [-1.0, -0.5, 0.0, 0.5]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RobustScaler {
    with_centering: bool,
    with_scaling: bool,
    quantile_range: (f64, f64),
}

impl Default for RobustScaler {
    fn default() -> Self {
        Self {
            with_centering: true,
            with_scaling: true,
            quantile_range: (25.0, 75.0),
        }
    }
}

impl RobustScaler {
    /// Shifts, and scales by the middle half of the rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the median is taken away (default: yes).
    pub fn with_centering(mut self, yes: bool) -> Self {
        self.with_centering = yes;
        self
    }

    /// Whether features are scaled (default: yes).
    pub fn with_scaling(mut self, yes: bool) -> Self {
        self.with_scaling = yes;
        self
    }

    /// The quantiles whose distance is the scale, in percent (default: 25 and 75).
    pub fn quantile_range(mut self, low: f64, high: f64) -> Self {
        self.quantile_range = (low, high);
        self
    }
}

impl Transformer for RobustScaler {
    type Fitted = Scaler;

    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<Scaler> {
        let (low, high) = self.quantile_range;
        if !(0.0 <= low && low <= high && high <= 100.0) {
            return Err(Error::new(format!(
                "quantile_range: expected two rising numbers from 0 to 100. Received: {low} and {high}."
            )));
        }
        let x = dense_to_fit("RobustScaler", x, weights)?;
        let (mut center, mut scale) = (Array1::zeros(x.ncols()), Array1::ones(x.ncols()));
        for (j, column) in x.axis_iter(Axis(1)).enumerate() {
            let sorted = sorted(column);
            if self.with_centering {
                center[j] = quantile(&sorted, 0.5);
            }
            let range = quantile(&sorted, high / 100.0) - quantile(&sorted, low / 100.0);
            if self.with_scaling && range >= 10.0 * f64::EPSILON {
                scale[j] = range;
            }
        }
        Ok(Scaler {
            name: "RobustScaler",
            center,
            scale,
        })
    }
}
