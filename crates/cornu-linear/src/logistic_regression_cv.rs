//! Logistic regression that chooses its penalty by cross-validation.

use crate::estimator::predicts_by_model;
use crate::model_selection::Folds;
use crate::options::setters;
use crate::{
    Error, Estimator, LinearClassifier, LogisticRegression, Predictor, Result, Rows, Targets, check,
};
use ndarray::{Array2, Axis};

/// [`LogisticRegression`] with the `C` of the best mean accuracy over left-out folds; of several the smallest. Each `C`
/// starts from the solution of the last.
///
/// ```
/// use cornu_linear::{Estimator, LogisticRegressionCV};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((30, 2), |(r, c)| ((r * (2 * c + 3)) % 13) as f64);
/// let y: Vec<u8> = (0..30).map(|r| u8::from(x[[r, 0]] + 0.1 * x[[r, 1]] > 6.5)).collect();
/// let fit = LogisticRegressionCV::new().cs(&[0.001, 1.0, 100.0]).cv(3).fit(&x, &y)?;
/// assert!(fit.c() >= 1.0);
/// assert_eq!(fit.scores().dim(), (3, 3));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegressionCV {
    estimator: LogisticRegression,
    cs: Vec<f64>,
    cv: Folds,
}

impl Default for LogisticRegressionCV {
    fn default() -> Self {
        Self {
            estimator: LogisticRegression::new(),
            cs: (0..10)
                .map(|i| 10f64.powf(-4.0 + 8.0 * f64::from(i) / 9.0))
                .collect(),
            cv: Folds::Count(5),
        }
    }
}

impl LogisticRegressionCV {
    /// Ten `C`s from 1e-4 to 1e4, and five stratified folds.
    pub fn new() -> Self {
        Self::default()
    }

    /// The `C`s to choose from (default: ten from 1e-4 to 1e4, at equal ratios).
    pub fn cs(mut self, cs: &[f64]) -> Self {
        self.cs = cs.to_vec();
        self
    }

    /// How rows are left out (default: five stratified folds).
    pub fn cv(mut self, cv: impl Into<Folds>) -> Self {
        self.cv = cv.into();
        self
    }

    setters! {
        /// Everything else: penalty, solver, tolerance, …; its `C` does not count (default:
        /// [`LogisticRegression::new`]).
        estimator: LogisticRegression => estimator;
    }
}

/// A fitted [`LogisticRegressionCV`].
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegressionCVFit {
    model: LinearClassifier,
    c: f64,
    cs: Vec<f64>,
    scores: Array2<f64>,
}

impl LogisticRegressionCVFit {
    /// The model with the chosen `C`, fitted to all rows.
    pub fn model(&self) -> &LinearClassifier {
        &self.model
    }

    /// The chosen `C`.
    pub fn c(&self) -> f64 {
        self.c
    }

    /// The `C`s that were tried, rising.
    pub fn cs(&self) -> &[f64] {
        &self.cs
    }

    /// Accuracies of left-out folds: folds × [`cs`](Self::cs).
    pub fn scores(&self) -> &Array2<f64> {
        &self.scores
    }
}

impl Estimator for LogisticRegressionCV {
    type Fitted = LogisticRegressionCVFit;

    fn is_classifier(&self) -> bool {
        true
    }

    /// Weights count in fitting and in scoring.
    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LogisticRegressionCVFit> {
        check::fit_input(&x, &y, weights)?;
        let mut cs = self.cs.clone();
        cs.sort_by(f64::total_cmp);
        let splits = self.cv.splits(&y, true)?;
        let mut scores = Array2::zeros((splits.len(), cs.len()));
        for (split, mut scores) in splits.iter().zip(scores.rows_mut()) {
            let of_rows = |rows: &[usize]| -> Option<Vec<f64>> {
                rows.iter().map(|&row| weights.map(|w| w[row])).collect()
            };
            let (train, test) = (x.select(&split.train), x.select(&split.test));
            let (y_train, y_test) = (y.select(&split.train), y.select(&split.test));
            let (w_train, w_test) = (of_rows(&split.train), of_rows(&split.test));
            let mut estimator = self.estimator.clone();
            for (&c, score) in cs.iter().zip(&mut scores) {
                estimator = estimator.c(c);
                let model = estimator.fit_rows(train.view(), y_train.view(), w_train.as_deref())?;
                *score = model.score_rows(test.view(), y_test.view(), w_test.as_deref())?;
                estimator = estimator.start(&model);
            }
        }
        let sums = scores.sum_axis(Axis(0));
        let best = (0..cs.len())
            .reduce(|a, b| if sums[b] > sums[a] { b } else { a })
            .ok_or_else(|| Error::new("cs: expected at least one C. Received: none."))?;
        let c = cs[best];
        Ok(LogisticRegressionCVFit {
            model: self.estimator.clone().c(c).fit_rows(x, y, weights)?,
            c,
            cs,
            scores,
        })
    }
}

predicts_by_model! { LogisticRegressionCVFit }
