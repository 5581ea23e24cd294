//! Linear models with solvers of their own: least squares, penalised, robust and generalised
//! regression, logistic regression and its kin. The estimators, their parameters and defaults are
//! scikit-learn's.
//!
//! ```
//! use cornu_linear::{Estimator, LinearRegression, Predictor};
//! use ndarray::array;
//!
//! # fn main() -> cornu_linear::Result<()> {
//! let x = array![[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]];
//! let y = array![6.0, 8.0, 9.0, 11.0]; // 3 + x₀ + 2·x₁
//! let model = LinearRegression::new().fit(&x, &y)?;
//! assert!((model.coef()[[0, 1]] - 2.0).abs() < 1e-12);
//! assert!((model.score(&x, &y)? - 1.0).abs() < 1e-12);
//! assert!((model.predict(&array![[3.0, 5.0]])?[0] - 16.0).abs() < 1e-12);
//! # Ok(())
//! # }
//! ```
//!
//! * An estimator is its parameters. [`Estimator::fit`] leaves it as it is and returns what was
//!   learnt, a [`Predictor`]: so nothing can be asked of a model that was not fitted.
//! * Features are [`Rows`]: `ndarray` arrays and views of f32 or f64, or sparse [`Csr`]. Targets and
//!   labels are [`Targets`]: one-dimensional or, for several targets, two-dimensional, of any type of
//!   numbers. Data are borrowed; they are read in blocks that stay in the cache, and neither copied nor
//!   centred as a whole. What is learnt and predicted is f64.
//! * Work is shared by the process' thread team (`CORNU_NUM_THREADS`, else `OMP_NUM_THREADS`); results
//!   do not depend on its size.

mod bayesian_ridge;
mod blocks;
mod check;
mod classes;
mod csr;
mod data;
mod descent;
mod design;
mod elastic_net;
mod elastic_net_cv;
mod estimator;
mod factor;
mod generalized;
mod hessian;
mod huber_regressor;
mod lbfgs;
mod least_squares;
mod linear_classifier;
mod linear_model;
mod linear_regression;
mod logistic_regression;
mod logistic_regression_cv;
mod loss;
pub mod metrics;
pub mod model_selection;
mod moments;
mod newton;
mod nnls;
mod options;
mod panels;
pub mod preprocessing;
mod problem;
mod quantile_regressor;
mod ridge;
mod ridge_classifier;
mod ridge_cv;
mod saga;
mod sgd;
mod standard;
pub mod statistics;

pub use bayesian_ridge::{BayesianRidge, BayesianRidgeFit};
pub use classes::ClassWeight;
pub use cornu_core::{Error, ErrorKind, Result};
pub use csr::Csr;
pub use data::{Feature, OwnedRows, Rows, Target, Targets};
pub use elastic_net::{ElasticNet, Lasso, MultiTaskElasticNet, MultiTaskLasso};
pub use elastic_net_cv::{
    ElasticNetCV, ElasticNetCVFit, LassoCV, MultiTaskElasticNetCV, MultiTaskLassoCV,
};
pub use estimator::{Estimator, Predictor};
pub use generalized::{GammaRegressor, GlmFit, GlmSolver, PoissonRegressor, TweedieRegressor};
pub use huber_regressor::{HuberFit, HuberRegressor};
pub use linear_classifier::{LinearClassifier, Probabilities};
pub use linear_model::LinearModel;
pub use linear_regression::LinearRegression;
pub use logistic_regression::{LogisticRegression, LogisticSolver, MultiClass, Penalty};
pub use logistic_regression_cv::{LogisticRegressionCV, LogisticRegressionCVFit};
pub use quantile_regressor::QuantileRegressor;
pub use ridge::{Ridge, RidgeSolver};
pub use ridge_classifier::RidgeClassifier;
pub use ridge_cv::{RidgeCV, RidgeCVFit};
pub use sgd::{
    ClassifierLoss, LearningRate, Perceptron, RegressorLoss, SGDClassifier, SGDRegressor,
};
