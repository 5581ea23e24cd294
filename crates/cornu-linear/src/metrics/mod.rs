//! How good predictions are: scikit-learn's functions of what is true and what was predicted, each with weights
//! of the rows (`None`: all weigh 1).
//!
//! ```
//! use cornu_linear::metrics::{accuracy_score, roc_auc_score};
//!
//! assert_eq!(accuracy_score(&[0, 1, 1, 0], &[0, 1, 0, 0], None)?, 0.75);
//! assert_eq!(roc_auc_score(&[0, 1, 1, 0], &[0.1, 0.8, 0.4, 0.3], None)?, 1.0);
//! # Ok::<(), cornu_linear::Error>(())
//! ```

mod classification;
mod ranking;
mod regression;

pub use classification::{
    Average, ConfusionMatrix, accuracy_score, confusion_matrix, f1_score, log_loss,
    precision_score, recall_score,
};
pub use ranking::{RocCurve, roc_auc_score, roc_curve};
pub use regression::{mean_absolute_error, mean_squared_error, r2_score};

use crate::{Error, Result, Targets, check};

/// Checks two sets of targets and the weights; weights may not all be 0.
fn pair(y_true: &Targets<'_>, y_pred: &Targets<'_>, weights: Option<&[f64]>) -> Result<()> {
    if y_true.len() != y_pred.len() || y_true.columns() != y_pred.columns() {
        return Err(Error::shape(format!(
            "y_pred: expected the shape of y_true, {} rows of {}. Received: {} rows of {}.",
            y_true.len(),
            y_true.columns(),
            y_pred.len(),
            y_pred.columns()
        )));
    }
    check::rows(y_true, weights)?;
    match y_pred.values().iter().find(|v| !v.is_finite()) {
        Some(v) => Err(Error::new(format!(
            "y_pred: expected finite numbers. Received: {v}."
        ))),
        None => Ok(()),
    }
}

/// The weighted mean of a number for each row.
fn mean(rows: usize, weights: Option<&[f64]>, number: impl Fn(usize) -> f64) -> f64 {
    let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
    let all: f64 = (0..rows).map(weight).sum();
    (0..rows).map(|r| weight(r) * number(r)).sum::<f64>() / all
}
