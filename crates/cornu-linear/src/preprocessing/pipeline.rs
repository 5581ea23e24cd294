//! Features made new, and an estimator that learns from them.

use super::{Transform, Transformer};
use crate::{Estimator, Predictor, Result, Rows, Targets, check};
use ndarray::Array1;

/// A transformer and, after it, an estimator (which may be a pipeline itself), as one estimator.
///
/// ```
/// use cornu_linear::preprocessing::{Pipeline, StandardScaler};
/// use cornu_linear::{LogisticRegression, model_selection::cross_val_score};
/// use ndarray::Array2;
///
/// let x = Array2::from_shape_fn((20, 1), |(r, _)| 1e6 * r as f64);
/// let y: Vec<u8> = (0..20).map(|r| u8::from(r >= 10)).collect();
/// let model = Pipeline::new(StandardScaler::new(), LogisticRegression::new());
/// assert!(cross_val_score(&model, &x, &y, 5)?.iter().all(|&accuracy| accuracy > 0.7));
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pipeline<T, E> {
    transformer: T,
    estimator: E,
}

/// What both learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PipelineFit<T, M> {
    transform: T,
    model: M,
}

impl<T, E> Pipeline<T, E> {
    /// `estimator` on what `transformer` makes.
    pub fn new(transformer: T, estimator: E) -> Self {
        Self {
            transformer,
            estimator,
        }
    }
}

impl<T, M> PipelineFit<T, M> {
    /// What makes the features.
    pub fn transform(&self) -> &T {
        &self.transform
    }

    /// What was learnt from them.
    pub fn model(&self) -> &M {
        &self.model
    }
}

impl<T: Transformer, E: Estimator> Estimator for Pipeline<T, E> {
    type Fitted = PipelineFit<T::Fitted, E::Fitted>;

    fn is_classifier(&self) -> bool {
        self.estimator.is_classifier()
    }

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<Self::Fitted> {
        check::fit_input(&x, &y, weights)?;
        let transform = self.transformer.fit_rows(x, weights)?;
        let made = transform.transform_rows(x)?;
        let model = self.estimator.fit_rows((&made).into(), y, weights)?;
        Ok(PipelineFit { transform, model })
    }
}

impl<T: Transform, M: Predictor> Predictor for PipelineFit<T, M> {
    fn features(&self) -> usize {
        self.transform.features()
    }

    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>> {
        let made = self.transform.transform_rows(x)?;
        self.model.predict_rows((&made).into())
    }

    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64> {
        let made = self.transform.transform_rows(x)?;
        self.model.score_rows((&made).into(), y, weights)
    }
}
