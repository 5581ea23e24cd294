//! Classification by ridge regression of signs.

use crate::classes::{ClassWeight, Classes};
use crate::linear_classifier::{LinearClassifier, Probabilities};
use crate::options::setters;
use crate::{Estimator, Result, Ridge, Rows, Targets, check};
use ndarray::Array2;

/// Ridge regression of 1 for a class and −1 for the rest; the class with the largest value is predicted. Quick, since
/// all classes are solved with one decomposition.
///
/// ```
/// use cornu_linear::{Estimator, Predictor, RidgeClassifier};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [4.0], [5.0]];
/// let model = RidgeClassifier::new().fit(&x, &array![3, 3, 7, 7])?;
/// assert_eq!(model.predict(&array![[0.5], [4.5]])?, array![3.0, 7.0]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RidgeClassifier {
    ridge: Ridge,
    class_weight: ClassWeight,
}

impl RidgeClassifier {
    /// With `alpha` 1 and an intercept.
    pub fn new() -> Self {
        Self::default()
    }

    /// The weight of the penalty (default: 1).
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.ridge = self.ridge.alpha(alpha);
        self
    }

    /// Whether an intercept is fitted (default: yes).
    pub fn fit_intercept(mut self, yes: bool) -> Self {
        self.ridge = self.ridge.fit_intercept(yes);
        self
    }

    setters! {
        /// What each class weighs (default: 1).
        class_weight: ClassWeight => class_weight;
    }
}

impl Estimator for RidgeClassifier {
    type Fitted = LinearClassifier;

    fn is_classifier(&self) -> bool {
        true
    }

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearClassifier> {
        check::fit_input(&x, &y, weights)?;
        let classes = Classes::new(&y)?;
        let weights = classes.weights(&self.class_weight, weights)?;
        let count = classes.labels.len();
        let functions = if count == 2 { 1 } else { count };
        let signs = Array2::from_shape_fn((x.len(), functions), |(r, f)| {
            let class = if count == 2 { 1.0 } else { f as f64 };
            if classes.of[r] == class { 1.0 } else { -1.0 }
        });
        let model = self
            .ridge
            .fit_rows(x, (&signs).into(), weights.as_deref())?;
        LinearClassifier::new(
            classes.labels,
            model.coef().to_owned(),
            model.intercept().clone(),
            Probabilities::None,
        )
    }
}
