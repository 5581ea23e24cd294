//! The best of several estimators by cross-validation.

use super::Folds;
use crate::{Error, Estimator, Predictor, Result, Rows, Targets, check};
use ndarray::{Array1, Array2, Axis};

/// Chooses the estimator whose mean score over the left-out folds is the best, and fits it to all rows. The
/// candidates are estimators with their parameters, one for each point of the grid.
///
/// ```
/// use cornu_linear::model_selection::GridSearchCV;
/// use cornu_linear::{Estimator, Lasso};
/// use ndarray::{Array1, Array2};
///
/// let x = Array2::from_shape_fn((30, 2), |(r, c)| ((r * (c + 2)) % 5) as f64);
/// let y = Array1::from_shape_fn(30, |r| x[[r, 0]] + (r % 2) as f64);
/// // Every alpha with and without an intercept.
/// let grid = [0.01, 0.1, 1.0].into_iter().flat_map(|alpha| {
///     [true, false].map(|yes| Lasso::new().alpha(alpha).fit_intercept(yes))
/// });
/// let search = GridSearchCV::new(grid).cv(3).fit(&x, &y)?;
/// assert_eq!(search.scores().dim(), (6, 3));
/// assert!(search.best_score() > 0.8);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct GridSearchCV<E> {
    candidates: Vec<E>,
    cv: Folds,
}

impl<E: Estimator> GridSearchCV<E> {
    /// Among these, with five folds.
    pub fn new(candidates: impl IntoIterator<Item = E>) -> Self {
        Self {
            candidates: candidates.into_iter().collect(),
            cv: Folds::Count(5),
        }
    }

    /// How rows are left out (default: five folds, stratified for classifications).
    pub fn cv(mut self, cv: impl Into<Folds>) -> Self {
        self.cv = cv.into();
        self
    }
}

/// What a grid search found.
#[derive(Clone, Debug)]
pub struct GridSearchFit<E: Estimator> {
    best: E,
    best_index: usize,
    model: E::Fitted,
    scores: Array2<f64>,
}

impl<E: Estimator> GridSearchFit<E> {
    /// The best estimator; of several equally good ones the first.
    pub fn best_estimator(&self) -> &E {
        &self.best
    }

    /// Which of the candidates it is.
    pub fn best_index(&self) -> usize {
        self.best_index
    }

    /// Its mean score over the left-out folds.
    pub fn best_score(&self) -> f64 {
        self.mean_scores()[self.best_index]
    }

    /// Each candidate's mean score over the left-out folds.
    pub fn mean_scores(&self) -> Array1<f64> {
        let folds = self.scores.ncols() as f64;
        self.scores.sum_axis(Axis(1)) / folds
    }

    /// All scores: candidates × folds.
    pub fn scores(&self) -> &Array2<f64> {
        &self.scores
    }

    /// What the best estimator learnt from all rows.
    pub fn model(&self) -> &E::Fitted {
        &self.model
    }
}

impl<E: Estimator + Clone> Estimator for GridSearchCV<E> {
    type Fitted = GridSearchFit<E>;

    fn is_classifier(&self) -> bool {
        self.candidates
            .first()
            .is_some_and(Estimator::is_classifier)
    }

    /// Weights count in fitting and in scoring.
    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<GridSearchFit<E>> {
        check::fit_input(&x, &y, weights)?;
        let splits = self.cv.splits(&y, self.is_classifier())?;
        let mut scores = Array2::zeros((self.candidates.len(), splits.len()));
        for (fold, split) in splits.iter().enumerate() {
            let (train, test) = (x.select(&split.train), x.select(&split.test));
            let (y_train, y_test) = (y.select(&split.train), y.select(&split.test));
            let of_rows = |rows: &[usize]| -> Option<Vec<f64>> {
                rows.iter().map(|&row| weights.map(|w| w[row])).collect()
            };
            let (w_train, w_test) = (of_rows(&split.train), of_rows(&split.test));
            for (i, candidate) in self.candidates.iter().enumerate() {
                let model = candidate.fit_rows(train.view(), y_train.view(), w_train.as_deref())?;
                scores[[i, fold]] =
                    model.score_rows(test.view(), y_test.view(), w_test.as_deref())?;
            }
        }
        let means = scores.sum_axis(Axis(1));
        let best_index = (0..means.len())
            .reduce(|a, b| if means[b] > means[a] { b } else { a })
            .ok_or_else(|| {
                Error::new("GridSearchCV: expected at least one candidate. Received: none.")
            })?;
        let best = self.candidates[best_index].clone();
        Ok(GridSearchFit {
            model: best.fit_rows(x, y, weights)?,
            best,
            best_index,
            scores,
        })
    }
}

impl<E: Estimator> Predictor for GridSearchFit<E> {
    fn features(&self) -> usize {
        self.model.features()
    }

    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>> {
        self.model.predict_rows(x)
    }

    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64> {
        self.model.score_rows(x, y, weights)
    }
}
