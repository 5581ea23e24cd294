//! What scalers learn: a shift and a scale for each feature.

use super::{Transform, dense};
use crate::{Result, Rows, check};
use ndarray::{Array1, Array2, Axis};

/// `(x − center) / scale`, feature by feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaler {
    pub(super) name: &'static str,
    pub(super) center: Array1<f64>,
    pub(super) scale: Array1<f64>,
}

impl Scaler {
    /// What is taken from each feature: its mean or median; zeros if nothing is.
    pub fn center(&self) -> &Array1<f64> {
        &self.center
    }

    /// What each feature is divided by: its spread, and 1 where it has none or nothing is scaled.
    pub fn scale(&self) -> &Array1<f64> {
        &self.scale
    }

    /// The features from which rows were scaled.
    ///
    /// # Errors
    /// As for [`transform_rows`](Transform::transform_rows).
    pub fn inverse_transform<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array2<f64>> {
        self.changed(x.into(), |v, center, scale| v * scale + center)
    }

    fn changed(&self, x: Rows<'_>, change: impl Fn(f64, f64, f64) -> f64) -> Result<Array2<f64>> {
        check::features(self.center.len(), &x)?;
        let mut x = dense(self.name, x)?.into_owned();
        for (j, mut column) in x.axis_iter_mut(Axis(1)).enumerate() {
            column.mapv_inplace(|v| change(v, self.center[j], self.scale[j]));
        }
        Ok(x)
    }
}

impl Transform for Scaler {
    fn features(&self) -> usize {
        self.center.len()
    }

    fn transform_rows(&self, x: Rows<'_>) -> Result<Array2<f64>> {
        self.changed(x, |v, center, scale| (v - center) / scale)
    }
}
