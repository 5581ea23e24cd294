//! Regressions with the statistics of the fit: how sure each coefficient is, how well the whole explains
//! the targets, which rows pull it. What `statsmodels` calls OLS, WLS and Logit; the words are its.
//!
//! ```
//! use cornu_linear::statistics::Ols;
//! use ndarray::array;
//!
//! let x = array![[1.0], [2.0], [3.0], [4.0], [5.0]];
//! let y = array![2.1, 3.9, 6.2, 7.8, 10.1];
//! let fit = Ols::new().fit(&x, &y)?;
//! assert!((fit.params()[1] - 1.99).abs() < 1e-12);
//! assert!(fit.pvalues()[1] < 1e-4 && fit.pvalues()[0] > 0.7);
//! let (low, high) = fit.conf_int(0.05)?[1];
//! assert!(low < 2.0 && 2.0 < high);
//! println!("{}", fit.summary());
//! # Ok::<(), cornu_linear::Error>(())
//! ```

mod coefficients;
mod date;
mod design;
mod distributions;
mod logit;
mod normality;
mod ols;
mod ols_fit;
mod summary;

pub use logit::{Logit, LogitFit};
pub use ols::Ols;
pub use ols_fit::OlsFit;
pub use summary::Summary;
