//! Scores of rows that were left out.

use super::Folds;
use crate::{Estimator, Predictor, Result, Rows, Targets, check};

/// The score of each fold when the estimator has learnt from all others. `cv` says how rows are left out:
/// a number of folds, or a [`KFold`](super::KFold) and the like.
///
/// # Errors
/// As for [`Folds::splits`] and for fitting the estimator.
///
/// ```
/// use cornu_linear::model_selection::{KFold, cross_val_score};
/// use cornu_linear::LinearRegression;
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((12, 1), |(r, _)| r as f64);
/// let y: Vec<f64> = (0..12).map(|r| 2.0 * f64::from(r) + 1.0).collect();
/// let scores = cross_val_score(&LinearRegression::new(), &x, &y, KFold::new().n_splits(3).shuffle(1))?;
/// assert!(scores.len() == 3 && scores.iter().all(|r2| (r2 - 1.0).abs() < 1e-12));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn cross_val_score<'a, 'b, E: Estimator>(
    estimator: &E,
    x: impl Into<Rows<'a>>,
    y: impl Into<Targets<'b>>,
    cv: impl Into<Folds>,
) -> Result<Vec<f64>> {
    cross_val_score_by(estimator, x, y, cv, |model, x, y| {
        model.score_rows(x, y.view(), None)
    })
}

/// The same with a score of one's own, which is given the model, and the rows and targets that were left out.
///
/// # Errors
/// As for [`cross_val_score`], and those of the score.
///
/// ```
/// use cornu_linear::model_selection::cross_val_score_by;
/// use cornu_linear::{LinearRegression, Predictor, metrics::mean_absolute_error};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((12, 1), |(r, _)| r as f64);
/// let y: Vec<f64> = (0..12).map(|r| 2.0 * f64::from(r) + 1.0).collect();
/// let errors = cross_val_score_by(&LinearRegression::new(), &x, &y, 3, |model, x, y| {
///     mean_absolute_error(y, &model.predict(x)?, None)
/// })?;
/// assert!(errors.iter().all(|&error| error < 1e-12));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn cross_val_score_by<'a, 'b, E: Estimator>(
    estimator: &E,
    x: impl Into<Rows<'a>>,
    y: impl Into<Targets<'b>>,
    cv: impl Into<Folds>,
    score: impl Fn(&E::Fitted, Rows<'_>, &Targets<'_>) -> Result<f64>,
) -> Result<Vec<f64>> {
    let (x, y) = (x.into(), y.into());
    check::lengths(x.len(), &y, None)?;
    let splits = cv.into().splits(&y, estimator.is_classifier())?;
    splits
        .iter()
        .map(|split| {
            let (train, test) = (x.select(&split.train), x.select(&split.test));
            let model = estimator.fit_rows(train.view(), y.select(&split.train), None)?;
            score(&model, test.view(), &y.select(&split.test))
        })
        .collect()
}
