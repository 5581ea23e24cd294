//! Features scaled by what outliers do not change.

use super::{Scaler, Sorted, Transformer, dense_to_fit};
use crate::options::setters;
use crate::{Error, Result, Rows};
use ndarray::{Array1, Axis};
use statrs::distribution::{ContinuousCDF, Normal};

/// Takes each feature's median away and divides it by the distance between two of its quantiles. Weights of rows
/// do not count, as scikit-learn's knows none.
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
    unit_variance: bool,
}

impl Default for RobustScaler {
    fn default() -> Self {
        Self {
            with_centering: true,
            with_scaling: true,
            quantile_range: (25.0, 75.0),
            unit_variance: false,
        }
    }
}

impl RobustScaler {
    /// Shifts, and scales by the middle half of the rows.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Whether the median is taken away (default: yes).
        with_centering: bool => with_centering;

        /// Whether features are scaled (default: yes).
        with_scaling: bool => with_scaling;
    }

    /// The quantiles whose distance is the scale, in percent (default: 25 and 75).
    pub fn quantile_range(mut self, low: f64, high: f64) -> Self {
        self.quantile_range = (low, high);
        self
    }

    setters! {
        /// Whether scales are divided by the distance between the same quantiles of the normal distribution, so that
        /// normal features have variance 1 (default: no).
        unit_variance: bool => unit_variance;
    }

    /// What scales are divided by.
    fn unit(&self) -> Result<f64> {
        let (low, high) = self.quantile_range;
        if !(0.0 <= low && low <= high && high <= 100.0) {
            return Err(Error::new(format!(
                "quantile_range: expected two rising numbers from 0 to 100. Received: {low} and {high}."
            )));
        }
        if !self.unit_variance {
            return Ok(1.0);
        }
        if low == 0.0 || low == high || high == 100.0 {
            return Err(Error::new(format!(
                "quantile_range: expected two rising numbers between 0 and 100 for unit_variance. Received: {low} \
                 and {high}."
            )));
        }
        let normal = Normal::standard();
        Ok(normal.inverse_cdf(high / 100.0) - normal.inverse_cdf(low / 100.0))
    }
}

impl Transformer for RobustScaler {
    type Fitted = Scaler;

    fn fit_rows(&self, x: Rows<'_>, weights: Option<&[f64]>) -> Result<Scaler> {
        let (low, high) = self.quantile_range;
        let unit = self.unit()?;
        let x = dense_to_fit("RobustScaler", x, weights)?;
        let (mut center, mut scale) = (Array1::zeros(x.ncols()), Array1::ones(x.ncols()));
        for (j, column) in x.axis_iter(Axis(1)).enumerate() {
            let column = Sorted::new(column, None);
            if self.with_centering {
                center[j] = column.quantile(0.5);
            }
            let range = column.quantile(high / 100.0) - column.quantile(low / 100.0);
            if self.with_scaling {
                let range = if range >= 10.0 * f64::EPSILON {
                    range
                } else {
                    1.0
                };
                scale[j] = range / unit;
            }
        }
        Ok(Scaler {
            name: "RobustScaler",
            center,
            scale,
        })
    }
}
