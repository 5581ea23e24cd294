//! Estimators, their statistics and what is around them, against scikit-learn and statsmodels.

#[path = "mod.rs"]
mod golden;

mod classification;
mod regression;
mod robust;
mod selection;
mod statistics;
