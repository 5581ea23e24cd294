//! What classifications learn: linear functions whose largest, or whose sign, names the class.

use crate::linear_model::affine;
use crate::metrics::accuracy_score;
use crate::problem::softmax;
use crate::{Error, Predictor, Result, Rows, Targets, check};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// How probabilities follow from the linear functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probabilities {
    /// There are none: the functions are mere scores.
    None,
    /// By the sigmoid function; with several classes each against the rest, then divided by their sum.
    Sigmoid,
    /// By the softmax function.
    Softmax,
}

/// A fitted linear classification. For two classes there is one linear function, whose sign decides; for
/// more there is one for each class, of which the largest decides.
///
/// ```
/// use cornu_linear::{LinearClassifier, Predictor, Probabilities};
/// use ndarray::array;
///
/// let (classes, coef) = (vec![3.0, 7.0], array![[2.0]]);
/// let model = LinearClassifier::new(classes, coef, array![-1.0], Probabilities::Sigmoid)?;
/// assert_eq!(model.predict(&array![[0.0], [1.0]])?, array![3.0, 7.0]);
/// assert_eq!(model.predict_proba(&array![[0.5]])?, array![[0.5, 0.5]]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinearClassifier {
    classes: Vec<f64>,
    coef: Array2<f64>,
    intercept: Array1<f64>,
    probabilities: Probabilities,
    iterations: usize,
    converged: bool,
}

impl LinearClassifier {
    /// From labels (rising), coefficients (functions × features) and intercepts.
    ///
    /// # Errors
    /// If there are not as many functions as classes (of two classes: one), or not as many intercepts.
    pub fn new(
        classes: Vec<f64>,
        coef: Array2<f64>,
        intercept: Array1<f64>,
        probabilities: Probabilities,
    ) -> Result<Self> {
        let functions = if classes.len() == 2 { 1 } else { classes.len() };
        if classes.len() < 2 || coef.nrows() != functions || intercept.len() != functions {
            return Err(Error::shape(format!(
                "{} classes: expected coefficients and intercepts of {functions} functions. \
                 Received: {} and {}.",
                classes.len(),
                coef.nrows(),
                intercept.len()
            )));
        }
        Ok(Self {
            classes,
            coef,
            intercept,
            probabilities,
            iterations: 0,
            converged: true,
        })
    }

    pub(crate) fn with_iterations(mut self, iterations: usize, converged: bool) -> Self {
        self.iterations = iterations;
        self.converged = converged;
        self
    }

    /// The labels, rising.
    pub fn classes(&self) -> &[f64] {
        &self.classes
    }

    /// The coefficients: one row of features for each linear function.
    pub fn coef(&self) -> ArrayView2<'_, f64> {
        self.coef.view()
    }

    /// The intercept of each linear function; zeros if none was fitted.
    pub fn intercept(&self) -> &Array1<f64> {
        &self.intercept
    }

    /// How probabilities follow from the linear functions.
    pub fn probabilities(&self) -> Probabilities {
        self.probabilities
    }

    /// How many iterations the solver took; 0 of an exact one.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Whether the solver got as near to the optimum as it was asked to, before its iterations were used up.
    pub fn converged(&self) -> bool {
        self.converged
    }

    /// The linear functions: rows × functions (one for two classes: above 0 is the second).
    ///
    /// # Errors
    /// If rows have another number of features.
    pub fn decision_function<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array2<f64>> {
        let x = x.into();
        check::features(self.coef.ncols(), &x)?;
        Ok(affine(x, self.coef.view(), &self.intercept))
    }

    /// The probability of each class: rows × classes.
    ///
    /// # Errors
    /// If rows have another number of features, or the model has no probabilities.
    pub fn predict_proba<'a>(&self, x: impl Into<Rows<'a>>) -> Result<Array2<f64>> {
        let mut z = self.decision_function(x)?;
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        match self.probabilities {
            Probabilities::None => {
                return Err(Error::state(
                    "This classification gives scores (decision_function), not probabilities.",
                ));
            }
            Probabilities::Softmax if self.classes.len() > 2 => {
                softmax(z.as_slice_mut().unwrap_or_default(), self.classes.len());
            }
            _ if self.classes.len() == 2 => {
                let positive = z.column(0).mapv(sigmoid);
                let negative = z.column(0).mapv(|z| sigmoid(-z));
                z = ndarray::stack(Axis(1), &[negative.view(), positive.view()])?;
            }
            _ => {
                z.mapv_inplace(sigmoid);
                for mut row in z.rows_mut() {
                    let sum = row.sum();
                    let classes = row.len() as f64;
                    row.mapv_inplace(|p| if sum > 0.0 { p / sum } else { 1.0 / classes });
                }
            }
        }
        Ok(z)
    }
}

impl Predictor for LinearClassifier {
    fn features(&self) -> usize {
        self.coef.ncols()
    }

    fn predict_rows(&self, x: Rows<'_>) -> Result<Array1<f64>> {
        let z = self.decision_function(x)?;
        Ok(z.rows()
            .into_iter()
            .map(|row| {
                let class = match row.len() {
                    1 => usize::from(row[0] > 0.0),
                    n => (1..n).fold(0, |best, j| if row[j] > row[best] { j } else { best }),
                };
                self.classes[class]
            })
            .collect())
    }

    fn score_rows(&self, x: Rows<'_>, y: Targets<'_>, weights: Option<&[f64]>) -> Result<f64> {
        check::lengths(x.len(), &y, weights)?;
        accuracy_score(y, &self.predict_rows(x)?, weights)
    }
}
