//! Stochastic gradient descent: linear models that learn from one row at a time.

use crate::classes::{ClassWeight, Classes};
use crate::linear_classifier::{LinearClassifier, Probabilities};
use crate::logistic_regression::Penalty;
use crate::options::setters;
use crate::saga::for_entries;
use crate::{Error, Estimator, LinearModel, Result, Rows, Targets, check};
use cornu_core::random::Stream;
use ndarray::{Array1, Array2};

/// What [`SGDClassifier`] minimises: a loss of the margin, the linear function times 1 or −1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClassifierLoss {
    /// What is missing to a margin of 1: a support vector machine.
    #[default]
    Hinge,
    /// Logistic regression.
    LogLoss,
    /// Smooth near the margin, linear far from it.
    ModifiedHuber,
    /// The square of `Hinge`.
    SquaredHinge,
    /// What is missing to a margin of 0.
    Perceptron,
}

/// What [`SGDRegressor`] minimises.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum RegressorLoss {
    /// Half the squares of the errors.
    #[default]
    SquaredError,
    /// Squares up to this error, linear beyond.
    Huber(f64),
    /// Nothing up to this error, linear beyond.
    EpsilonInsensitive(f64),
    /// Nothing up to this error, squares beyond.
    SquaredEpsilonInsensitive(f64),
}

/// How long steps are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LearningRate {
    /// Always this.
    Constant(f64),
    /// `1 / (alpha · (t + t₀))`, after Léon Bottou.
    Optimal,
    /// The first, divided by the number of steps to the power of the second.
    InvScaling(f64, f64),
    /// This, divided by 5 each time that the objective has stopped falling.
    Adaptive(f64),
}

#[derive(Clone, Copy)]
enum Loss {
    Classifier(ClassifierLoss),
    Regressor(RegressorLoss),
}

impl Loss {
    /// The loss of `p` where `y` is the target, and its slope.
    fn at(self, y: f64, p: f64) -> (f64, f64) {
        let (margin, error) = (y * p, p - y);
        match self {
            Loss::Classifier(ClassifierLoss::Hinge) if margin <= 1.0 => (1.0 - margin, -y),
            Loss::Classifier(ClassifierLoss::Perceptron) if margin <= 0.0 => (-margin, -y),
            Loss::Classifier(ClassifierLoss::Hinge | ClassifierLoss::Perceptron) => (0.0, 0.0),
            Loss::Classifier(ClassifierLoss::SquaredHinge) => {
                let missing = (1.0 - margin).max(0.0);
                (missing * missing, -2.0 * y * missing)
            }
            Loss::Classifier(ClassifierLoss::LogLoss) => {
                let e = (-margin.abs()).exp();
                let wrong = if margin > 0.0 { e } else { 1.0 } / (1.0 + e);
                ((-margin).max(0.0) + e.ln_1p(), -y * wrong)
            }
            Loss::Classifier(ClassifierLoss::ModifiedHuber) => match margin {
                m if m >= 1.0 => (0.0, 0.0),
                m if m >= -1.0 => ((1.0 - m).powi(2), -2.0 * y * (1.0 - m)),
                m => (-4.0 * m, -4.0 * y),
            },
            Loss::Regressor(RegressorLoss::SquaredError) => (0.5 * error * error, error),
            Loss::Regressor(RegressorLoss::Huber(width)) => match error.abs() <= width {
                true => (0.5 * error * error, error),
                false => (width * (error.abs() - 0.5 * width), width * error.signum()),
            },
            Loss::Regressor(RegressorLoss::EpsilonInsensitive(width)) => {
                let beyond = error.abs() - width;
                (
                    beyond.max(0.0),
                    if beyond > 0.0 { error.signum() } else { 0.0 },
                )
            }
            Loss::Regressor(RegressorLoss::SquaredEpsilonInsensitive(width)) => {
                let beyond = (error.abs() - width).max(0.0);
                (beyond * beyond, 2.0 * beyond * error.signum())
            }
        }
    }
}

/// What the estimators share.
#[derive(Clone, Debug, PartialEq)]
struct Sgd {
    penalty: Penalty,
    alpha: f64,
    rate: LearningRate,
    fit_intercept: bool,
    max_iter: usize,
    tol: Option<f64>,
    patience: usize,
    shuffle: bool,
    seed: u64,
}

impl Sgd {
    fn new(rate: LearningRate) -> Self {
        Self {
            penalty: Penalty::L2,
            alpha: 1e-4,
            rate,
            fit_intercept: true,
            max_iter: 1000,
            tol: Some(1e-3),
            patience: 5,
            shuffle: true,
            seed: 0,
        }
    }

    fn check(&self) -> Result<()> {
        check::not_negative("alpha", self.alpha)?;
        if let Penalty::ElasticNet(ratio) = self.penalty
            && !(0.0..=1.0).contains(&ratio)
        {
            return Err(Error::new(format!(
                "ElasticNet: expected a part from 0 to 1. Received: {ratio}."
            )));
        }
        match self.rate {
            LearningRate::Optimal if self.alpha == 0.0 => Err(Error::new(
                "alpha: expected a number above 0 for the learning rate Optimal. Received: 0.",
            )),
            LearningRate::Constant(first)
            | LearningRate::Adaptive(first)
            | LearningRate::InvScaling(first, _)
                if !first.is_finite() || first <= 0.0 =>
            {
                Err(Error::new(format!(
                    "learning_rate: expected a finite number above 0. Received: {first}."
                )))
            }
            _ => Ok(()),
        }
    }

    /// Learns; coefficients and, after them, the intercept, and how it went.
    fn learn(
        &self,
        loss: Loss,
        x: &Rows<'_>,
        y: impl Fn(usize) -> f64,
        weight: impl Fn(usize) -> f64,
    ) -> Result<(Vec<f64>, usize, bool)> {
        let (rows, p) = x.shape();
        let ratio = match self.penalty {
            Penalty::L1 => 1.0,
            Penalty::ElasticNet(ratio) => ratio,
            Penalty::L2 | Penalty::None => 0.0,
        };
        let alpha = if self.penalty == Penalty::None {
            0.0
        } else {
            self.alpha
        };
        // Intercepts of sparse rows are seen far more often than features.
        let decay = match x {
            Rows::F64(_) | Rows::F32(_) => 1.0,
            Rows::Csr64(_) | Rows::Csr32(_) => 0.01,
        };
        let typical = (1.0 / self.alpha.sqrt()).sqrt();
        let offset = 1.0 / (typical / loss.at(1.0, -typical).1.max(1.0) * self.alpha);
        let mut length = match self.rate {
            LearningRate::Constant(first)
            | LearningRate::Adaptive(first)
            | LearningRate::InvScaling(first, _) => first,
            LearningRate::Optimal => 0.0,
        };
        // The coefficients are `scale · w`, so that shrinking all of them costs one operation.
        let (mut w, mut scale, mut squares, mut intercept) = (vec![0.0; p], 1.0, 0.0, 0.0);
        // What each coefficient could and did lose to the penalty on absolute values (Tsuruoka, Tsujii
        // and Ananiadou, 2009).
        let (mut could, mut did) = (0.0, vec![0.0; p]);
        let (mut best, mut waited, mut t) = (f64::INFINITY, 0, 1.0);
        let mut order: Vec<usize> = (0..rows).collect();
        let mut random = Stream::new(self.seed, 0);
        let (mut epochs, mut converged) = (0, self.tol.is_none());
        while epochs < self.max_iter {
            epochs += 1;
            let mut objective = 0.0;
            if self.shuffle {
                random.shuffle(&mut order);
            }
            for &r in &order {
                let mut z = 0.0;
                for_entries(x, r, |c, v| z += w[c] * v);
                let (value, slope) = loss.at(y(r), scale * z + intercept);
                length = match self.rate {
                    LearningRate::Optimal => 1.0 / (self.alpha * (offset + t - 1.0)),
                    LearningRate::InvScaling(first, power) => first / f64::powf(t, power),
                    _ => length,
                };
                objective += value;
                if self.tol.is_some() && alpha > 0.0 {
                    objective += alpha * (1.0 - ratio) * 0.5 * scale * scale * squares;
                    if ratio > 0.0 {
                        let sum: f64 = w.iter().map(|w| w.abs()).sum();
                        objective += alpha * ratio * scale * sum;
                    }
                }
                let update = -length * slope.clamp(-1e12, 1e12) * weight(r);
                if alpha > 0.0 && ratio < 1.0 {
                    scale *= (1.0 - (1.0 - ratio) * length * alpha).max(0.0);
                    if scale < 1e-9 {
                        w.iter_mut().for_each(|w| *w *= scale);
                        squares *= scale * scale;
                        scale = 1.0;
                    }
                }
                if update != 0.0 {
                    for_entries(x, r, |c, v| {
                        let new = w[c] + update / scale * v;
                        squares += new * new - w[c] * w[c];
                        w[c] = new;
                    });
                    if self.fit_intercept {
                        intercept += update * decay;
                    }
                }
                if alpha > 0.0 && ratio > 0.0 {
                    could += ratio * length * alpha;
                    for_entries(x, r, |c, _| {
                        let old = scale * w[c];
                        let new = match old {
                            o if o > 0.0 => (o - (could + did[c])).max(0.0),
                            o if o < 0.0 => (o + (could - did[c])).min(0.0),
                            o => o,
                        };
                        did[c] += new - old;
                        let new = new / scale;
                        squares += new * new - w[c] * w[c];
                        w[c] = new;
                    });
                }
                t += 1.0;
            }
            if !intercept.is_finite() || w.iter().any(|w| !w.is_finite()) {
                return Err(Error::new(format!(
                    "The coefficients overflowed in pass {epochs}: scale the features, or choose a smaller \
                     learning rate."
                )));
            }
            objective /= rows as f64;
            if let Some(tol) = self.tol {
                waited = if objective > best - tol {
                    waited + 1
                } else {
                    0
                };
            }
            best = best.min(objective);
            if waited >= self.patience && self.tol.is_some() {
                match self.rate {
                    LearningRate::Adaptive(_) if length > 1e-6 => {
                        length /= 5.0;
                        waited = 0;
                    }
                    _ => {
                        converged = true;
                        break;
                    }
                }
            }
        }
        w.iter_mut().for_each(|w| *w *= scale);
        w.push(intercept);
        Ok((w, epochs, converged))
    }

    /// Learns each class against the rest, or the second of two against the first.
    fn classify(
        &self,
        loss: ClassifierLoss,
        class_weight: &ClassWeight,
        x: Rows<'_>,
        y: &Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearClassifier> {
        self.check()?;
        check::fit_input(&x, y, weights)?;
        check::finite(x)?;
        let classes = Classes::new(y)?;
        // One class' weight is not shared by the rest that it is set against.
        let of_class = classes.weights(class_weight, None)?;
        let weight_of = |class: f64| {
            let row = classes.of.iter().position(|c| *c == class);
            let weights = of_class.as_deref();
            row.and_then(|r| weights.map(|w| w[r])).unwrap_or(1.0)
        };
        let p = x.features();
        let (mut coef, mut intercept) = (Vec::new(), Vec::new());
        let (mut passes, mut all_converged) = (0, true);
        let two = classes.labels.len() == 2;
        for class in 0..if two { 1 } else { classes.labels.len() } {
            let positive = if two { 1.0 } else { class as f64 };
            let sign = |r: usize| if classes.of[r] == positive { 1.0 } else { -1.0 };
            let (own, other) = match two {
                true => (weight_of(1.0), weight_of(0.0)),
                false => (weight_of(positive), 1.0),
            };
            let weight =
                |r: usize| weights.map_or(1.0, |w| w[r]) * if sign(r) > 0.0 { own } else { other };
            let (mut w, epochs, converged) =
                self.learn(Loss::Classifier(loss), &x, sign, weight)?;
            intercept.push(w[p]);
            w.truncate(p);
            coef.extend(w);
            passes = passes.max(epochs);
            all_converged &= converged;
        }
        let probabilities = match loss {
            ClassifierLoss::LogLoss => Probabilities::Sigmoid,
            _ => Probabilities::None,
        };
        let coef = Array2::from_shape_vec((intercept.len(), p), coef)?;
        let model = LinearClassifier::new(classes.labels, coef, intercept.into(), probabilities)?;
        Ok(model.with_iterations(passes, all_converged))
    }
}

macro_rules! options {
    ($name:ident) => {
        impl $name {
            /// With scikit-learn's defaults.
            pub fn new() -> Self {
                Self::default()
            }

            setters! {
                /// The weight of the penalty (default: 1e-4).
                alpha: f64 => sgd.alpha;

                /// Whether an intercept is learnt (default: yes).
                fit_intercept: bool => sgd.fit_intercept;

                /// The most passes over the rows (default: 1000).
                max_iter: usize => sgd.max_iter;

                /// By how much the mean objective has to fall; when it has not for some passes, learning ends. `None`:
                /// all passes are made (default: 1e-3).
                tol: Option<f64> => sgd.tol;

                /// After how many passes without improvement learning ends (default: 5).
                n_iter_no_change: usize => sgd.patience;

                /// Whether each pass has another order of rows (default: yes).
                shuffle: bool => sgd.shuffle;

                /// Where the random orders begin (default: 0).
                seed: u64 => sgd.seed;

                /// The penalty (default: `L2`; of a perceptron none).
                penalty: Penalty => sgd.penalty;
            }
        }
    };
}

/// A linear classification by stochastic gradient descent; several classes each against the rest. Features
/// should be scaled.
///
/// ```
/// use cornu_linear::{Estimator, Predictor, SGDClassifier};
/// use ndarray::array;
///
/// let x = array![[-2.0], [-1.0], [1.0], [2.0]];
/// let model = SGDClassifier::new().fit(&x, &array![0, 0, 1, 1])?;
/// assert_eq!(model.score(&x, &array![0, 0, 1, 1])?, 1.0);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SGDClassifier {
    sgd: Sgd,
    loss: ClassifierLoss,
    class_weight: ClassWeight,
}

impl Default for SGDClassifier {
    fn default() -> Self {
        Self {
            sgd: Sgd::new(LearningRate::Optimal),
            loss: ClassifierLoss::Hinge,
            class_weight: ClassWeight::One,
        }
    }
}

options! { SGDClassifier }

impl SGDClassifier {
    setters! {
        /// The loss (default: `Hinge`).
        loss: ClassifierLoss => loss;

        /// How long steps are (default: `Optimal`).
        learning_rate: LearningRate => sgd.rate;

        /// What each class weighs (default: 1).
        class_weight: ClassWeight => class_weight;
    }
}

impl Estimator for SGDClassifier {
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
        self.sgd
            .classify(self.loss, &self.class_weight, x, &y, weights)
    }
}

/// Rosenblatt's perceptron: [`SGDClassifier`] with the loss `Perceptron`, steps of 1 and no penalty.
///
/// ```
/// use cornu_linear::{Estimator, Perceptron, Predictor};
/// use ndarray::array;
///
/// let x = array![[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
/// let or = array![false, true, true, true];
/// assert_eq!(Perceptron::new().fit(&x, &or)?.score(&x, &or)?, 1.0);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    sgd: Sgd,
    class_weight: ClassWeight,
}

impl Default for Perceptron {
    fn default() -> Self {
        Self {
            sgd: Sgd {
                penalty: Penalty::None,
                ..Sgd::new(LearningRate::Constant(1.0))
            },
            class_weight: ClassWeight::One,
        }
    }
}

options! { Perceptron }

impl Perceptron {
    /// How long steps are (default: 1).
    pub fn eta0(mut self, length: f64) -> Self {
        self.sgd.rate = LearningRate::Constant(length);
        self
    }

    setters! {
        /// What each class weighs (default: 1).
        class_weight: ClassWeight => class_weight;
    }
}

impl Estimator for Perceptron {
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
        let loss = ClassifierLoss::Perceptron;
        self.sgd.classify(loss, &self.class_weight, x, &y, weights)
    }
}

/// A linear regression by stochastic gradient descent. Features should be scaled.
///
/// ```
/// use cornu_linear::{Estimator, SGDRegressor};
/// use ndarray::array;
///
/// let x = array![[-1.0], [0.0], [1.0]];
/// let sgd = SGDRegressor::new().alpha(0.0).tol(Some(1e-9)).max_iter(5000);
/// let model = sgd.fit(&x, &array![-1.0, 1.0, 3.0])?;
/// assert!((model.coef()[[0, 0]] - 2.0).abs() < 0.01);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SGDRegressor {
    sgd: Sgd,
    loss: RegressorLoss,
}

impl Default for SGDRegressor {
    fn default() -> Self {
        Self {
            sgd: Sgd::new(LearningRate::InvScaling(0.01, 0.25)),
            loss: RegressorLoss::SquaredError,
        }
    }
}

options! { SGDRegressor }

impl SGDRegressor {
    setters! {
        /// The loss (default: `SquaredError`).
        loss: RegressorLoss => loss;

        /// How long steps are (default: `InvScaling(0.01, 0.25)`).
        learning_rate: LearningRate => sgd.rate;
    }
}

impl Estimator for SGDRegressor {
    type Fitted = LinearModel;

    fn fit_rows(
        &self,
        x: Rows<'_>,
        y: Targets<'_>,
        weights: Option<&[f64]>,
    ) -> Result<LinearModel> {
        self.sgd.check()?;
        check::fit_input(&x, &y, weights)?;
        check::finite(x)?;
        let y = y.single()?;
        let weight = |r: usize| weights.map_or(1.0, |w| w[r]);
        let loss = Loss::Regressor(self.loss);
        let (mut w, passes, converged) = self.sgd.learn(loss, &x, |r| y[r], weight)?;
        let p = x.features();
        let intercept = Array1::from_elem(1, w[p]);
        w.truncate(p);
        let model = LinearModel::new(Array2::from_shape_vec((1, p), w)?, intercept)?;
        Ok(model.with_iterations(passes, converged))
    }
}
