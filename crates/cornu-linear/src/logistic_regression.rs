//! Logistic regression.

use crate::classes::{ClassWeight, Classes};
use crate::lbfgs::{self, Minimised, Stop};
use crate::linear_classifier::{LinearClassifier, Probabilities};
use crate::options::setters;
use crate::problem::{Loss, Problem};
use crate::{Error, Estimator, Result, Rows, Targets, check, newton, saga};
use ndarray::{Array1, Array2};

/// What is added to the losses, so that coefficients stay small.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Penalty {
    /// Nothing.
    None,
    /// Half the squares of the coefficients.
    #[default]
    L2,
    /// Their absolute values: many coefficients become zero.
    L1,
    /// Both, this part of it (from 0 to 1) on absolute values.
    ElasticNet(f64),
}

/// How a logistic regression is solved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogisticSolver {
    /// L-BFGS: a pass over the rows for each of some dozens of iterations. For penalties `L2` and `None`.
    #[default]
    Lbfgs,
    /// Newton's method with Cholesky's decomposition: few, dearer iterations; for rows that far outnumber the
    /// features. Penalties `L2` and `None`.
    NewtonCholesky,
    /// Newton's method with coordinate descent, for all penalties.
    CoordinateDescent,
    /// One row at a time with a memory of slopes, for all penalties; for very many rows and a moderate
    /// precision. Features should be of like scale.
    Saga,
}

/// What several classes become.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MultiClass {
    /// One model whose probabilities are a softmax.
    #[default]
    Multinomial,
    /// A model of two classes for each class against the rest.
    OneVsRest,
}

/// Logistic regression: minimises `C · Σ w · log-loss + penalty(coef)`. Labels are numbers of any
/// kind; with more than two the model is multinomial unless [`multi_class`](Self::multi_class) says otherwise.
///
/// ```
/// use cornu_linear::{Estimator, LogisticRegression, Predictor};
/// use ndarray::array;
///
/// let x = array![[0.0], [1.0], [2.0], [3.0]];
/// let model = LogisticRegression::new().fit(&x, &array![0, 0, 1, 1])?;
/// assert_eq!(model.predict(&array![[0.2], [2.8]])?, array![0.0, 1.0]);
/// let probabilities = model.predict_proba(&array![[1.5]])?;
/// assert!((probabilities[[0, 1]] - 0.5).abs() < 1e-4);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    pub(crate) c: f64,
    penalty: Penalty,
    solver: LogisticSolver,
    multi_class: MultiClass,
    class_weight: ClassWeight,
    fit_intercept: bool,
    tol: f64,
    max_iter: usize,
    seed: u64,
    pub(crate) start: Option<(Array2<f64>, Array1<f64>)>,
}

impl Default for LogisticRegression {
    fn default() -> Self {
        Self {
            c: 1.0,
            penalty: Penalty::L2,
            solver: LogisticSolver::Lbfgs,
            multi_class: MultiClass::Multinomial,
            class_weight: ClassWeight::One,
            fit_intercept: true,
            tol: 1e-4,
            max_iter: 100,
            seed: 0,
            start: None,
        }
    }
}

impl LogisticRegression {
    /// With `C` 1, penalty `L2`, L-BFGS, an intercept.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The weight of the losses against the penalty (default: 1); smaller is stronger penalised.
        c: f64 => c;

        /// The penalty (default: `L2`). The intercept is not penalised.
        penalty: Penalty => penalty;

        /// The solver (default: L-BFGS).
        solver: LogisticSolver => solver;

        /// What several classes become (default: one multinomial model).
        multi_class: MultiClass => multi_class;

        /// What each class weighs (default: 1).
        class_weight: ClassWeight => class_weight;

        /// Whether an intercept is fitted (default: yes).
        fit_intercept: bool => fit_intercept;

        /// The slope of the mean loss to stop at (default: 1e-4); of SAGA the relative change of coefficients in a
        /// pass.
        tol: f64 => tol;

        /// The most iterations (default: 100).
        max_iter: usize => max_iter;

        /// Where SAGA's random order begins (default: 0).
        seed: u64 => seed;
    }

    /// Starts from another model's coefficients, such as one with another `C`; by default from zeros.
    pub fn start(mut self, model: &LinearClassifier) -> Self {
        self.start = Some((model.coef().to_owned(), model.intercept().clone()));
        self
    }

    fn check(&self) -> Result<()> {
        check::not_negative("tol", self.tol)?;
        if self.c.is_nan() || self.c <= 0.0 {
            return Err(Error::new(format!(
                "C: expected a number above 0. Received: {}.",
                self.c
            )));
        }
        match (self.penalty, self.solver) {
            (Penalty::ElasticNet(ratio), _) if !(0.0..=1.0).contains(&ratio) => Err(Error::new(
                format!("ElasticNet: expected a part from 0 to 1. Received: {ratio}."),
            )),
            (
                Penalty::L1 | Penalty::ElasticNet(_),
                LogisticSolver::Lbfgs | LogisticSolver::NewtonCholesky,
            ) => Err(Error::new(format!(
                "The solver {:?} takes the penalties L2 and None. Received: {:?}; \
                 CoordinateDescent and Saga take all.",
                self.solver, self.penalty
            ))),
            _ => Ok(()),
        }
    }

    /// Solves for one set of targets, from `w` on.
    fn solve(&self, mut problem: Problem<'_, '_>, w: &mut [f64]) -> Result<Minimised> {
        let strength = 1.0 / (self.c * problem.weight());
        let ratio = match self.penalty {
            Penalty::L1 => 1.0,
            Penalty::ElasticNet(ratio) => ratio,
            Penalty::L2 | Penalty::None => 0.0,
        };
        if self.penalty != Penalty::None {
            problem.l1 = ratio * strength;
            problem.l2 = (1.0 - ratio) * strength;
        }
        let minimised = match self.solver {
            LogisticSolver::Lbfgs => {
                let stop = Stop {
                    gradient: self.tol,
                    value: 64.0 * f64::EPSILON,
                    iterations: self.max_iter,
                };
                lbfgs::minimise(w, stop, |w, gradient| problem.smooth(w, gradient))
            }
            LogisticSolver::NewtonCholesky | LogisticSolver::CoordinateDescent => {
                newton::minimise(&problem, w, self.tol, self.max_iter)
            }
            LogisticSolver::Saga => saga::minimise(&problem, w, self.tol, self.max_iter, self.seed),
        };
        match minimised.value.is_finite() && w.iter().all(|w| w.is_finite()) {
            true => Ok(minimised),
            false => Err(check::not_finite_rows(problem.x)),
        }
    }

    /// The coefficients and intercepts to start from: functions one after the other.
    fn first(&self, functions: usize, features: usize) -> Result<(Vec<f64>, Vec<f64>)> {
        match &self.start {
            None => Ok((vec![0.0; functions * features], vec![0.0; functions])),
            Some((coef, _)) if coef.dim() != (functions, features) => Err(Error::shape(format!(
                "start: expected coefficients of {functions} functions × {features} features. \
                 Received: {:?}.",
                coef.dim()
            ))),
            Some((coef, intercept)) => {
                let intercept = match self.fit_intercept {
                    true => intercept.to_vec(),
                    false => vec![0.0; functions],
                };
                Ok((coef.iter().copied().collect(), intercept))
            }
        }
    }
}

impl Estimator for LogisticRegression {
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
        self.check()?;
        check::fit_input(&x, &y, weights)?;
        let classes = Classes::new(&y)?;
        let of_rows = classes.weights(&self.class_weight, weights)?;
        let (count, p) = (classes.labels.len(), x.features());
        let problem = Problem {
            x,
            y: &classes.of,
            weights: of_rows.as_deref(),
            loss: Loss::Logistic,
            l1: 0.0,
            l2: 0.0,
            fit_intercept: self.fit_intercept,
        };
        let functions = if count == 2 { 1 } else { count };
        let (mut coef, mut intercept) = self.first(functions, p)?;
        let (mut iterations, mut converged) = (0, true);
        let mut took = |minimised: Minimised| {
            iterations = iterations.max(minimised.iterations);
            converged &= minimised.converged;
        };
        let probabilities = if count > 2 && self.multi_class == MultiClass::Multinomial {
            let mut w = [coef, intercept].concat();
            let loss = Loss::Multinomial(count);
            took(self.solve(Problem { loss, ..problem }, &mut w)?);
            intercept = w.split_off(count * p);
            coef = w;
            // The same may be added to all functions' intercepts and, unpenalised, coefficients: their
            // means are made 0.
            center(&mut intercept, 1);
            if self.penalty == Penalty::None {
                center(&mut coef, p);
            }
            Probabilities::Softmax
        } else {
            for f in 0..functions {
                let (against, balanced);
                let mut problem = problem;
                if functions > 1 {
                    against = classes.against_rest(f);
                    problem.y = &against.of;
                    // Each model balances its two classes, as one by itself would.
                    if self.class_weight == ClassWeight::Balanced {
                        balanced = against.weights(&self.class_weight, weights)?;
                        problem.weights = balanced.as_deref();
                    }
                }
                let mut w = coef[f * p..][..p].to_vec();
                w.push(intercept[f]);
                took(self.solve(problem, &mut w)?);
                intercept[f] = w[p];
                coef[f * p..][..p].copy_from_slice(&w[..p]);
            }
            Probabilities::Sigmoid
        };
        let coef = Array2::from_shape_vec((functions, p), coef)?;
        let model = LinearClassifier::new(classes.labels, coef, intercept.into(), probabilities)?;
        Ok(model.with_iterations(iterations, converged))
    }
}

/// Takes from numbers (functions × width) the mean over functions.
fn center(numbers: &mut [f64], width: usize) {
    let functions = (numbers.len() / width) as f64;
    for i in 0..width {
        let mean = numbers.iter().skip(i).step_by(width).sum::<f64>() / functions;
        numbers
            .iter_mut()
            .skip(i)
            .step_by(width)
            .for_each(|v| *v -= mean);
    }
}
