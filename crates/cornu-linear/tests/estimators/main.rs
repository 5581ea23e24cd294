//! What holds of every estimator, whatever the data: laws, certified values, bad input.

mod bad_input;
mod every_estimator;
mod invariants;
mod nist;
mod sparse;
