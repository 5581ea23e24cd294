//! Errors of predicted numbers.

use super::{mean, pair};
use crate::{Result, Targets};

/// R², the mean over targets: 1 less the weighted squares of the errors over those of the deviations from
/// the mean. Of a target that is constant it is 1 if predicted without error, else 0.
///
/// # Errors
/// If shapes do not fit each other, there are no rows, or a number is not finite.
///
/// ```
/// use cornu_linear::metrics::r2_score;
/// let r2 = r2_score(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], None)?;
/// assert!((r2 - 0.9486081370449679).abs() < 1e-12);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn r2_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    let (y, predicted) = (y_true.into(), y_pred.into());
    pair(&y, &predicted, weights)?;
    let (rows, targets) = (y.len(), y.columns());
    let score = |t: usize| {
        let at = |of: &Targets<'_>, r: usize| of.values()[r * targets + t];
        let center = mean(rows, weights, |r| at(&y, r));
        let error = mean(rows, weights, |r| (at(&y, r) - at(&predicted, r)).powi(2));
        let spread = mean(rows, weights, |r| (at(&y, r) - center).powi(2));
        match (error == 0.0, spread == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => 1.0 - error / spread,
        }
    };
    Ok((0..targets).map(score).sum::<f64>() / targets as f64)
}

/// The mean of the errors' sizes, over rows and targets.
///
/// # Errors
/// As for [`r2_score`].
///
/// ```
/// use cornu_linear::metrics::mean_absolute_error;
/// assert_eq!(mean_absolute_error(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], None)?, 0.5);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn mean_absolute_error<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    mean_error(y_true.into(), y_pred.into(), weights, f64::abs)
}

/// The mean of the errors' squares, over rows and targets.
///
/// # Errors
/// As for [`r2_score`].
///
/// ```
/// use cornu_linear::metrics::mean_squared_error;
/// assert_eq!(mean_squared_error(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0], None)?, 0.375);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn mean_squared_error<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    mean_error(y_true.into(), y_pred.into(), weights, |e| e * e)
}

fn mean_error(
    y: Targets<'_>,
    predicted: Targets<'_>,
    weights: Option<&[f64]>,
    size: impl Fn(f64) -> f64,
) -> Result<f64> {
    pair(&y, &predicted, weights)?;
    let targets = y.columns();
    Ok(mean(y.len(), weights, |r| {
        let row = r * targets..(r + 1) * targets;
        let errors = y.values()[row.clone()].iter().zip(&predicted.values()[row]);
        errors.map(|(y, p)| size(y - p)).sum::<f64>() / targets as f64
    }))
}
