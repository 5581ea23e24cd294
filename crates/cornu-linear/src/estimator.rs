//! The words that all models share: `fit`, `predict`, `score`.

use crate::{Result, Rows, Targets};
use ndarray::Array1;

/// What learns from rows and targets. Its parameters are its configuration; fitting does not change it.
pub trait Estimator {
    /// What was learnt.
    type Fitted: Predictor;

    /// Whether targets are labels, so that folds of a cross-validation should hold all of them.
    fn is_classifier(&self) -> bool {
        false
    }

    /// Fits with a weight for each row (`None`: all weigh 1). The one method that an estimator has to
    /// write; [`fit`](Self::fit) and [`fit_weighted`](Self::fit_weighted) are easier to call.
    ///
    /// # Errors
    /// If lengths do not fit each other, a number is not finite, or a parameter is outside what is allowed.
    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<Self::Fitted>;

    /// Fits.
    ///
    /// # Errors
    /// As for [`fit_rows`](Self::fit_rows).
    fn fit<'a>(&self, x: impl Into<Rows<'a>>, y: impl Into<Targets<'a>>) -> Result<Self::Fitted> {
        self.fit_rows(x.into(), y.into(), None)
    }

    /// Fits with a weight for each row: a row of weight 2 counts like two equal rows.
    ///
    /// # Errors
    /// As for [`fit_rows`](Self::fit_rows); also if a weight is negative or all are 0.
    fn fit_weighted<'a>(
        &self,
        x: impl Into<Rows<'a>>,
        y: impl Into<Targets<'a>>,
        weights: &[f64],
    ) -> Result<Self::Fitted> {
        self.fit_rows(x.into(), y.into(), Some(weights))
    }
}

/// What has learnt: gives a number (a value or a label) for each row.
pub trait Predictor {
    /// How many features a row must have.
    fn features(&self) -> usize;

    /// Predicts; [`predict`](Self::predict) is easier to call.
    ///
    /// # Errors
    /// If rows have another number of features, or the model has several targets.
    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>>;

    /// The score of the predictions; [`score`](Self::score) is easier to call.
    ///
    /// # Errors
    /// If lengths do not fit each other, or there are no rows.
    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64>;

    /// Predicts a number for each row.
    ///
    /// # Errors
    /// As for [`predict_rows`](Self::predict_rows).
    fn predict<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array1<f64>>
    where
        Self: Sized,
    {
        self.predict_rows(x.into())
    }

    /// How good the predictions are, at most 1: R² of a regression (the mean over targets), accuracy of a
    /// classification.
    ///
    /// # Errors
    /// As for [`score_rows`](Self::score_rows).
    fn score<'a>(&self, x: impl Into<Rows<'a>>, y: impl Into<Targets<'a>>) -> Result<f64>
    where
        Self: Sized,
    {
        self.score_rows(x.into(), y.into(), None)
    }
}

/// Predicts by the field `model`.
macro_rules! predicts_by_model {
    ($fit:ty) => {
        impl $crate::Predictor for $fit {
            fn features(&self) -> usize {
                self.model.features()
            }

            fn predict_rows(&self, x: $crate::Rows<'_>) -> $crate::Result<ndarray::Array1<f64>> {
                self.model.predict_rows(x)
            }

            fn score_rows(
                &self,
                x: $crate::Rows<'_>,
                y: $crate::Targets<'_>,
                weights: Option<&[f64]>,
            ) -> $crate::Result<f64> {
                self.model.score_rows(x, y, weights)
            }
        }
    };
}

pub(crate) use predicts_by_model;
