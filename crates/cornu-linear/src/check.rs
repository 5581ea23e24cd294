//! What every estimator asks of its input.

use crate::{Error, Result, Rows, Targets};
use ndarray::ArrayView2;

/// Checks that rows, targets and weights fit each other and that there are any; that targets and
/// weights are finite and weights not negative. (Features are checked where they are read.)
pub(crate) fn fit_input(x: &Rows<'_>, y: &Targets<'_>, weights: Option<&[f64]>) -> Result<()> {
    let (rows, features) = x.shape();
    if rows == 0 || features == 0 {
        return Err(Error::shape(format!(
            "x: expected at least one row and one feature. Received: {rows} rows of {features} features."
        )));
    }
    lengths(rows, y, weights)?;
    self::rows(y, weights)
}

/// Checks that there are targets, all finite, and weights that are not negative nor all 0.
pub(crate) fn rows(y: &Targets<'_>, weights: Option<&[f64]>) -> Result<()> {
    if y.is_empty() {
        return Err(Error::shape(
            "y: expected at least one row. Received: none.",
        ));
    }
    lengths(y.len(), y, weights)?;
    if let Some(at) = y.values().iter().position(|v| !v.is_finite()) {
        return Err(Error::new(format!(
            "y: expected finite numbers. Received: {} in row {}.",
            y.values()[at],
            at / y.columns()
        )));
    }
    self::weights(y.len(), weights)
}

/// Checks that there is a weight for each row, none of them negative, and not all 0.
pub(crate) fn weights(rows: usize, weights: Option<&[f64]>) -> Result<()> {
    let Some(weights) = weights else {
        return Ok(());
    };
    if weights.len() != rows {
        return Err(Error::shape(format!(
            "weights: expected one for each of the {rows} rows of x. Received: {}.",
            weights.len()
        )));
    }
    if let Some(at) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(Error::new(format!(
            "weights: expected finite numbers that are not negative. Received: {} for row {at}.",
            weights[at]
        )));
    }
    if weights.iter().all(|&w| w == 0.0) {
        return Err(Error::new(
            "weights: expected one that is not 0. Received: zeros only.",
        ));
    }
    Ok(())
}

/// Checks the lengths of targets and weights.
pub(crate) fn lengths(rows: usize, y: &Targets<'_>, weights: Option<&[f64]>) -> Result<()> {
    if y.len() != rows {
        return Err(Error::shape(format!(
            "y: expected a target for each of the {rows} rows of x. Received: {}.",
            y.len()
        )));
    }
    if y.columns() == 0 {
        return Err(Error::shape(
            "y: expected at least one target for each row. Received: none.",
        ));
    }
    match weights {
        Some(weights) if weights.len() != rows => Err(Error::shape(format!(
            "weights: expected one for each of the {rows} rows of x. Received: {}.",
            weights.len()
        ))),
        _ => Ok(()),
    }
}

/// Checks the number of features that a fitted model is given.
pub(crate) fn features(expected: usize, x: &Rows<'_>) -> Result<()> {
    match x.features() {
        received if received == expected => Ok(()),
        received => Err(Error::shape(format!(
            "x: expected rows of {expected} features, as the model was fitted with. Received: {received}."
        ))),
    }
}

/// The dense rows of an estimator that knows no sparse ones.
pub(crate) fn not_sparse(estimator: &str) -> Error {
    Error::new(format!(
        "{estimator} takes dense rows. Received: sparse ones."
    ))
}

/// Says why a sum over the features is not finite.
pub(crate) fn not_finite<T: Copy + Into<f64>>(x: ArrayView2<'_, T>) -> Error {
    let bad = x
        .indexed_iter()
        .find(|(_, v)| !Into::<f64>::into(**v).is_finite());
    match bad {
        Some(((row, column), v)) => Error::new(format!(
            "x: expected finite numbers. Received: {} in row {row}, column {column}.",
            Into::<f64>::into(*v)
        )),
        None => Error::new("x: expected numbers whose squares do not overflow when summed up."),
    }
}
/// A parameter that must be a finite number and not negative.
pub(crate) fn not_negative(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::new(format!(
        "{name}: expected a finite number that is not negative. Received: {value}."
    )))
}

/// Checks that all features are finite, for those who would not notice.
pub(crate) fn finite(x: Rows<'_>) -> Result<()> {
    let finite = match x {
        Rows::F64(x) => x.iter().all(|v| v.is_finite()),
        Rows::F32(x) => x.iter().all(|v| v.is_finite()),
        Rows::Csr64(x) => x.values().iter().all(|v| v.is_finite()),
        Rows::Csr32(x) => x.values().iter().all(|v| v.is_finite()),
    };
    match finite {
        true => Ok(()),
        false => Err(not_finite_rows(x)),
    }
}

/// Says why a loss over the features is not finite.
pub(crate) fn not_finite_rows(x: Rows<'_>) -> Error {
    fn sparse<T: Copy + Into<f64>>(x: &crate::Csr<T>) -> Error {
        let bad = |v: &&T| !Into::<f64>::into(**v).is_finite();
        match x.values().iter().find(bad) {
            Some(&v) => Error::new(format!(
                "x: expected finite numbers. Received: {}.",
                Into::<f64>::into(v)
            )),
            None => Error::new("x: expected numbers whose squares do not overflow when summed up."),
        }
    }
    match x {
        Rows::F64(x) => not_finite(x),
        Rows::F32(x) => not_finite(x),
        Rows::Csr64(x) => sparse(x),
        Rows::Csr32(x) => sparse(x),
    }
}
