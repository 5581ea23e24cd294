//! Judging models by rows that they have not seen: splits, cross-validation, grid search. Names and defaults
//! are scikit-learn's, and so are the splits that are not random.
//!
//! ```
//! use cornu_linear::model_selection::{GridSearchCV, TrainTestSplit, cross_val_score};
//! use cornu_linear::{Predictor, Estimator, Ridge};
//! use ndarray::{Array1, Array2};
//!
//! # fn main() -> cornu_linear::Result<()> {
//! let x = Array2::from_shape_fn((40, 2), |(r, c)| ((r * (c + 3)) % 7) as f64);
//! let y = Array1::from_shape_fn(40, |r| x[[r, 0]] - 2.0 * x[[r, 1]] + (r % 3) as f64);
//! let split = TrainTestSplit::new().seed(7).split(&x, &y)?;
//! let scores = cross_val_score(&Ridge::new(), &split.x_train, &split.y_train, 5)?;
//! assert!(scores.iter().all(|&r2| r2 > 0.8));
//!
//! let candidates = [0.1, 1.0, 10.0].map(|alpha| Ridge::new().alpha(alpha));
//! let search = GridSearchCV::new(candidates).fit(&split.x_train, &split.y_train)?;
//! assert!(search.score(&split.x_test, &split.y_test)? > 0.8);
//! # Ok(())
//! # }
//! ```

mod cross_validation;
mod folds;
mod grid_search;
mod train_test_split;

pub use cross_validation::{cross_val_score, cross_val_score_by};
pub(crate) use folds::parts;
pub use folds::{Folds, KFold, Split, StratifiedKFold};
pub use grid_search::{GridSearchCV, GridSearchFit};
pub use train_test_split::{TrainTest, TrainTestSplit};
