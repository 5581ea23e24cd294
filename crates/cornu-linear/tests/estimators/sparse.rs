//! Sparse rows are learnt from and predicted as the same dense ones.

use cornu_linear::*;
use ndarray::{Array1, Array2};

/// Rows with three quarters of zeros, dense and sparse, and labels of three classes.
fn data() -> (Array2<f64>, Csr<f64>, Array1<f64>) {
    let x = Array2::from_shape_fn((80, 6), |(r, c)| match (r * 7 + c * 5) % 4 {
        0 => ((r * (c + 2)) % 9) as f64 / 4.0 - 1.0,
        _ => 0.0,
    });
    let y = Array1::from_shape_fn(80, |r| {
        let z = 2.0 * x[[r, 0]] - x[[r, 1]] + x[[r, 5]] + 0.4 * ((r % 5) as f64 - 2.0);
        if z > 0.5 {
            2.0
        } else {
            f64::from(u8::from(z > -0.3))
        }
    });
    let sparse = csr(&x);
    (x, sparse, y)
}

fn csr(x: &Array2<f64>) -> Csr<f64> {
    let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in x.rows() {
        for (column, &v) in row.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            columns.push(column);
            values.push(v);
        }
        starts.push(values.len());
    }
    Csr::new(x.dim(), starts, columns, values).expect("sparse rows")
}

fn alike(
    what: &str,
    a: ndarray::ArrayView2<'_, f64>,
    b: ndarray::ArrayView2<'_, f64>,
    tolerance: f64,
) {
    let off = (&a - &b).mapv(f64::abs).fold(0.0, |m: f64, v| m.max(*v));
    assert!(off < tolerance, "{what}: off by {off}");
}

#[test]
fn logistic_regression_by_every_solver() {
    let (dense, sparse, three) = data();
    let two = three.mapv(|class| f64::from(u8::from(class > 0.0)));
    let weights: Vec<f64> = (0..80).map(|r| 0.5 + f64::from(r % 3)).collect();
    use LogisticSolver::*;
    for solver in [Lbfgs, NewtonCholesky, CoordinateDescent, Saga] {
        for (labels, multi_class) in [
            (&two, MultiClass::Multinomial),
            (&three, MultiClass::Multinomial),
            (&three, MultiClass::OneVsRest),
        ] {
            for penalty in [Penalty::L2, Penalty::L1] {
                if penalty == Penalty::L1 && matches!(solver, Lbfgs | NewtonCholesky) {
                    continue;
                }
                let model = LogisticRegression::new()
                    .solver(solver)
                    .penalty(penalty)
                    .multi_class(multi_class)
                    .tol(1e-10)
                    .max_iter(20_000);
                let a = model.fit_weighted(&dense, labels, &weights).expect("dense");
                let b = model
                    .fit_weighted(&sparse, labels, &weights)
                    .expect("sparse");
                let what = format!("{solver:?} {multi_class:?} {penalty:?}");
                alike(&what, a.coef(), b.coef(), 1e-5);
                let (p, q) = (
                    a.predict_proba(&dense).unwrap(),
                    b.predict_proba(&sparse).unwrap(),
                );
                alike(&what, p.view(), q.view(), 1e-5);
                assert_eq!(
                    a.score(&dense, labels).unwrap(),
                    a.score(&sparse, labels).unwrap()
                );
            }
        }
    }
}

#[test]
fn generalised_models() {
    let (dense, sparse, counts) = data();
    for solver in [GlmSolver::Lbfgs, GlmSolver::NewtonCholesky] {
        let model = PoissonRegressor::new()
            .solver(solver)
            .tol(1e-9)
            .max_iter(10_000);
        let a = model.fit(&dense, &counts).expect("dense");
        let b = model.fit(&sparse, &counts).expect("sparse");
        alike("Poisson", a.linear().coef(), b.linear().coef(), 1e-6);
        assert!(
            (a.score(&dense, &counts).unwrap() - b.score(&sparse, &counts).unwrap()).abs() < 1e-9
        );
    }
}

#[test]
fn f32_rows_are_those_of_f64() {
    let (dense, sparse, labels) = data();
    let single = dense.mapv(|v| v as f32);
    let a = LogisticRegression::new()
        .tol(1e-8)
        .fit(&sparse, &labels)
        .unwrap();
    let b = LogisticRegression::new()
        .tol(1e-8)
        .fit(&single, &labels)
        .unwrap();
    alike("f32", a.coef(), b.coef(), 1e-4);
}

#[test]
fn what_takes_dense_rows_only_says_so() {
    let (_, sparse, y) = data();
    for message in [
        LinearRegression::new()
            .fit(&sparse, &y)
            .expect_err("dense")
            .to_string(),
        Ridge::new()
            .fit(&sparse, &y)
            .expect_err("dense")
            .to_string(),
        Lasso::new()
            .fit(&sparse, &y)
            .expect_err("dense")
            .to_string(),
        HuberRegressor::new()
            .fit(&sparse, &y)
            .expect_err("dense")
            .to_string(),
        BayesianRidge::new()
            .fit(&sparse, &y)
            .expect_err("dense")
            .to_string(),
    ] {
        assert!(
            message.contains("dense rows. Received: sparse"),
            "{message}"
        );
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    let bad = Csr::new((2, 2), vec![0, 1, 2], vec![0, 1], vec![1.0, f64::NAN]).unwrap();
    let message = LogisticRegression::new()
        .fit(&bad, &[0, 1])
        .expect_err("NaN")
        .to_string();
    assert!(message.contains("finite"), "{message}");
    // Rows without any entry are rows of zeros.
    let empty = Csr::<f64>::new((3, 2), vec![0, 0, 0, 0], vec![], vec![]).unwrap();
    let model = LogisticRegression::new().fit(&empty, &[0, 1, 1]).unwrap();
    assert!((model.predict_proba(&empty).unwrap()[[0, 1]] - 2.0 / 3.0).abs() < 1e-3);
}
