//! Bad input is refused in one clear sentence.

use cornu_linear::{Csr, Estimator, LinearRegression, Predictor};
use ndarray::{Array1, Array2, array};

fn refused<T: std::fmt::Debug>(result: cornu_linear::Result<T>) -> String {
    result.expect_err("bad input must be refused").to_string()
}

#[test]
fn lengths_that_do_not_fit() {
    let x = array![[1.0, 2.0], [3.0, 5.0], [6.0, 7.0]];
    let fit = LinearRegression::new();
    assert_eq!(
        refused(fit.fit(&x, &array![1.0, 2.0])),
        "y: expected a target for each of the 3 rows of x. Received: 2."
    );
    assert_eq!(
        refused(fit.fit_weighted(&x, &array![1.0, 2.0, 3.0], &[1.0])),
        "weights: expected one for each of the 3 rows of x. Received: 1."
    );
    let model = fit.fit(&x, &array![1.0, 2.0, 3.0]).unwrap();
    assert_eq!(
        refused(model.predict(&array![[1.0]])),
        "x: expected rows of 2 features, as the model was fitted with. Received: 1."
    );
    assert_eq!(
        refused(fit.fit(&Array2::<f64>::zeros((0, 2)), Array1::<f64>::zeros(0))),
        "x: expected at least one row and one feature. Received: 0 rows of 2 features."
    );
}

#[test]
fn numbers_that_are_not_finite() {
    let x = array![[1.0, 2.0], [3.0, f64::NAN], [6.0, 7.0]];
    let fit = LinearRegression::new();
    assert_eq!(
        refused(fit.fit(&x, &array![1.0, 2.0, 3.0])),
        "x: expected finite numbers. Received: NaN in row 1, column 1."
    );
    let x = array![[1.0], [3.0], [6.0]];
    assert_eq!(
        refused(fit.fit(&x, &array![1.0, f64::INFINITY, 3.0])),
        "y: expected finite numbers. Received: inf in row 1."
    );
    assert_eq!(
        refused(fit.fit_weighted(&x, &array![1.0, 2.0, 3.0], &[1.0, -1.0, 1.0])),
        "weights: expected finite numbers that are not negative. Received: -1 for row 1."
    );
    assert_eq!(
        refused(fit.fit(&array![[1e200], [3e200]], &array![1.0, 2.0])),
        "x: expected numbers whose squares do not overflow when summed up."
    );
}

#[test]
fn sparse_rows_that_are_none() {
    assert_eq!(
        refused(Csr::new((2, 2), vec![0, 1], vec![0], vec![1.0])),
        "Sparse rows: expected 3 starts for 2 rows. Received: 2."
    );
    assert_eq!(
        refused(Csr::new((1, 2), vec![0, 1], vec![2], vec![1.0])),
        "Sparse rows: expected columns below 2. Received: 2."
    );
}
