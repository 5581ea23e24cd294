//! What must hold of any data: weights are repetitions, order does not matter, scales and rotations go through.

use cornu_linear::*;
use ndarray::{Array1, Array2, Axis};
use proptest::prelude::*;

/// Rows of three features, their targets, and a small whole weight for each.
fn data() -> impl Strategy<Value = (Array2<f64>, Array1<f64>, Vec<usize>)> {
    (8usize..30).prop_flat_map(|rows| {
        let numbers = |len| prop::collection::vec(-3.0..3.0f64, len);
        let weights = prop::collection::vec(1usize..4, rows);
        (numbers(rows * 3), numbers(rows), weights).prop_map(move |(x, y, w)| {
            (
                Array2::from_shape_vec((rows, 3), x).expect("rows of 3"),
                y.into(),
                w,
            )
        })
    })
}

fn near(a: &LinearModel, b: &LinearModel) -> bool {
    let pairs = a
        .coef()
        .iter()
        .zip(b.coef())
        .map(|(a, b)| (*a, *b))
        .collect::<Vec<_>>();
    let intercepts = (a.intercept()[0], b.intercept()[0]);
    let close = |(a, b): (f64, f64)| (a - b).abs() <= 1e-6 * (1.0 + a.abs());
    pairs.into_iter().chain([intercepts]).all(close)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn weights_are_repetitions((x, y, w) in data()) {
        let repeated: Vec<usize> = (0..w.len()).flat_map(|r| vec![r; w[r]]).collect();
        let (xx, yy) = (x.select(Axis(0), &repeated), y.select(Axis(0), &repeated));
        let w: Vec<f64> = w.iter().map(|&w| w as f64).collect();
        let ridge = Ridge::new();
        prop_assert!(near(&ridge.fit_weighted(&x, &y, &w)?, &ridge.fit(&xx, &yy)?));
        let lasso = Lasso::new().alpha(0.1).tol(1e-12).max_iter(100_000);
        prop_assert!(near(&lasso.fit_weighted(&x, &y, &w)?, &lasso.fit(&xx, &yy)?));
    }

    #[test]
    fn the_order_of_rows_does_not_matter((x, y, _) in data()) {
        let back: Vec<usize> = (0..y.len()).rev().collect();
        let (xx, yy) = (x.select(Axis(0), &back), y.select(Axis(0), &back));
        let ridge = Ridge::new().alpha(0.1);
        prop_assert!(near(&ridge.fit(&x, &y)?, &ridge.fit(&xx, &yy)?));
    }

    #[test]
    fn least_squares_predict_alike_whatever_the_scales((x, y, _) in data()) {
        let mut scaled = x.clone();
        scaled.column_mut(1).mapv_inplace(|v| 1000.0 * v + 7.0);
        let fit = LinearRegression::new();
        let (a, b) = (fit.fit(&x, &y)?.predict(&x)?, fit.fit(&scaled, &y)?.predict(&scaled)?);
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6));
    }

    #[test]
    fn ridge_predicts_alike_when_features_are_rotated((x, y, _) in data(), angle in 0.0..6.3f64) {
        let mut turned = x.clone();
        for mut row in turned.rows_mut() {
            let (a, b) = (row[0], row[2]);
            row[0] = angle.cos() * a - angle.sin() * b;
            row[2] = angle.sin() * a + angle.cos() * b;
        }
        let ridge = Ridge::new().alpha(0.7);
        let (a, b) = (ridge.fit(&x, &y)?.predict(&x)?, ridge.fit(&turned, &y)?.predict(&turned)?);
        prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-8));
    }
}

#[test]
fn f32_and_column_order_are_read_alike() {
    let x = Array2::from_shape_fn((50, 3), |(r, c)| ((r * (2 * c + 3)) % 17) as f64 / 4.0);
    let y = Array1::from_shape_fn(50, |r| x[[r, 0]] - 2.0 * x[[r, 2]] + (r % 3) as f64);
    let expected = LinearRegression::new().fit(&x, &y).unwrap();
    // The numbers are exact in f32 too.
    let single = LinearRegression::new()
        .fit(&x.mapv(|v| v as f32), &y)
        .unwrap();
    assert!(near(&expected, &single));
    let columns = x.t().as_standard_layout().into_owned();
    let by_columns = LinearRegression::new().fit(columns.t(), &y).unwrap();
    assert_eq!(expected, by_columns);
}

#[test]
fn one_class_is_refused() {
    let x = Array2::from_shape_fn((4, 1), |(r, _)| r as f64);
    let error = LogisticRegression::new()
        .fit(&x, &[2, 2, 2, 2])
        .expect_err("one class");
    assert_eq!(
        error.to_string(),
        "y: expected labels of at least two classes. Received: one class, 2."
    );
}
