//! What holds of every estimator: bad input is refused in one sentence, odd data give finite predictions, weights are
//! repetitions, and the order of rows does not matter.

use cornu_linear::model_selection::GridSearchCV;
use cornu_linear::preprocessing::{Pipeline, PolynomialFeatures, StandardScaler};
use cornu_linear::*;
use ndarray::{Array1, Array2, Axis, concatenate, s};
use proptest::prelude::*;

type Fit = Box<dyn Fn(Rows<'_>, Targets<'_>, Option<&[f64]>) -> Result<Box<dyn Predictor>>>;

struct Kind {
    name: &'static str,
    labels: bool,
    fit: Fit,
}

fn kind<E: Estimator + 'static>(name: &'static str, estimator: E) -> Kind
where
    E::Fitted: 'static,
{
    Kind {
        name,
        labels: estimator.is_classifier(),
        fit: Box::new(move |x, y, w| Ok(Box::new(estimator.fit_rows(x, y, w)?))),
    }
}

/// Estimators whose solution is unique and found to many digits.
fn exact() -> Vec<Kind> {
    let logistic = |solver| {
        LogisticRegression::new()
            .solver(solver)
            .tol(1e-11)
            .max_iter(10_000)
    };
    vec![
        kind("LinearRegression", LinearRegression::new()),
        kind("Ridge", Ridge::new()),
        kind("RidgeClassifier", RidgeClassifier::new()),
        kind(
            "Lasso",
            Lasso::new().alpha(0.1).tol(1e-13).max_iter(100_000),
        ),
        kind(
            "ElasticNet",
            ElasticNet::new().alpha(0.1).tol(1e-13).max_iter(100_000),
        ),
        kind(
            "MultiTaskLasso",
            MultiTaskLasso::new()
                .alpha(0.1)
                .tol(1e-13)
                .max_iter(100_000),
        ),
        kind("HuberRegressor", HuberRegressor::new().alpha(0.1).tol(1e-9)),
        kind(
            "LogisticRegression",
            logistic(LogisticSolver::NewtonCholesky),
        ),
        kind(
            "LogisticRegression, L1",
            logistic(LogisticSolver::CoordinateDescent).penalty(Penalty::L1),
        ),
        kind(
            "Pipeline",
            Pipeline::new(StandardScaler::new(), Ridge::new()),
        ),
    ]
}

fn all() -> Vec<Kind> {
    let mut kinds = exact();
    kinds.extend([
        kind("RidgeCV", RidgeCV::new()),
        kind("LassoCV", LassoCV::new().cv(2)),
        kind("ElasticNetCV", ElasticNetCV::new().cv(2)),
        kind("MultiTaskElasticNetCV", MultiTaskElasticNetCV::new().cv(2)),
        kind("QuantileRegressor", QuantileRegressor::new().alpha(0.01)),
        kind("BayesianRidge", BayesianRidge::new()),
        kind("TweedieRegressor", TweedieRegressor::new()),
        kind("LogisticRegression, L-BFGS", LogisticRegression::new()),
        kind(
            "LogisticRegression, SAGA",
            LogisticRegression::new().solver(LogisticSolver::Saga),
        ),
        kind("LogisticRegressionCV", LogisticRegressionCV::new().cv(2)),
        kind("SGDClassifier", SGDClassifier::new()),
        kind("SGDRegressor", SGDRegressor::new()),
        kind("Perceptron", Perceptron::new()),
        kind(
            "GridSearchCV",
            GridSearchCV::new([Ridge::new(), Ridge::new().alpha(10.0)]).cv(2),
        ),
        kind(
            "PolynomialFeatures",
            Pipeline::new(PolynomialFeatures::new(), Ridge::new()),
        ),
    ]);
    kinds
}

/// Rows with targets of either kind.
fn plain(rows: usize, features: usize) -> (Array2<f64>, Array1<f64>, Array1<f64>) {
    let x = Array2::from_shape_fn((rows, features), |(r, c)| {
        ((r * (2 * c + 3) + 5 * c * c) % 17) as f64 / 8.0 - 1.0
    });
    let y = Array1::from_shape_fn(rows, |r| {
        2.0 * x[[r, 0]] - 1.0 + 0.2 * ((r % 7) as f64 - 3.0)
    });
    let labels = y.mapv(|v| f64::from(u8::from(v > -1.0)));
    (x, y, labels)
}

#[test]
fn bad_input_is_refused() {
    let (x, y, labels) = plain(12, 3);
    for kind in all() {
        let y = if kind.labels { &labels } else { &y };
        let refused =
            |what: &str, x: &Array2<f64>, y: &Array1<f64>, w: Option<&[f64]>, part: &str| {
                match (kind.fit)(x.into(), y.into(), w) {
                    Ok(_) => panic!("{}: {what} was taken", kind.name),
                    Err(e) => assert!(e.to_string().contains(part), "{}: {what}: {e}", kind.name),
                }
            };
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut odd = x.clone();
            odd[[4, 1]] = bad;
            refused("a feature", &odd, y, None, "finite");
            let mut odd = y.clone();
            odd[5] = bad;
            refused("a target", &x, &odd, None, "finite");
            let mut weights = vec![1.0; 12];
            weights[3] = bad;
            refused("a weight", &x, y, Some(&weights), "finite");
        }
        refused(
            "few targets",
            &x,
            &y.slice(s![..11]).to_owned(),
            None,
            "each of the 12 rows",
        );
        refused(
            "few weights",
            &x,
            y,
            Some(&[1.0; 11]),
            "each of the 12 rows",
        );
        refused("negative weights", &x, y, Some(&[-1.0; 12]), "not negative");
        refused("no weights", &x, y, Some(&[0.0; 12]), "not 0");
        refused(
            "no rows",
            &Array2::zeros((0, 3)),
            &Array1::zeros(0),
            None,
            "at least one row",
        );
        refused(
            "no features",
            &Array2::zeros((12, 0)),
            y,
            None,
            "at least one row and one feature",
        );
        if kind.labels {
            refused("one class", &x, &Array1::ones(12), None, "two classes");
        }
        let model = (kind.fit)((&x).into(), y.into(), None).expect(kind.name);
        assert_eq!(model.features(), 3, "{}", kind.name);
        let wide = Array2::<f64>::zeros((1, 4));
        let message = model
            .predict_rows((&wide).into())
            .expect_err(kind.name)
            .to_string();
        assert!(message.contains("3 features"), "{}: {message}", kind.name);
    }
}

#[test]
fn odd_data_give_finite_predictions() {
    let (x, y, labels) = plain(12, 3);
    let ones = Array2::ones((12, 1));
    let wide = plain(12, 30).0;
    let separable = x.column(0).mapv(|v| f64::from(u8::from(v > 0.0)));
    let scales = &x * &ndarray::array![1e-6, 1.0, 1e4];
    for (what, x) in [
        ("a constant column", concatenate![Axis(1), x, ones]),
        ("columns that are equal", concatenate![Axis(1), x, x]),
        ("a column of zeros", concatenate![Axis(1), x, &ones * 0.0]),
        ("more columns than rows", wide),
        ("different scales", scales),
    ] {
        for kind in all() {
            for y in if kind.labels {
                [&labels, &separable]
            } else {
                [&y, &labels]
            } {
                let model = (kind.fit)((&x).into(), y.into(), None);
                let model = model.unwrap_or_else(|e| panic!("{}, {what}: {e}", kind.name));
                let predicted = model.predict_rows((&x).into()).expect("predictions");
                assert!(
                    predicted.iter().all(|p| p.is_finite()),
                    "{}, {what}",
                    kind.name
                );
                let score = model
                    .score_rows((&x).into(), y.into(), None)
                    .expect("a score");
                assert!(score <= 1.0, "{}, {what}: {score}", kind.name);
            }
        }
    }
}

#[test]
fn rows_of_weight_0_do_not_count() {
    let (mut x, mut y, mut labels) = plain(20, 3);
    let few = |of: &Array1<f64>| of.slice(s![..14]).to_owned();
    let (x_few, y_few, labels_few) = (x.slice(s![..14, ..]).to_owned(), few(&y), few(&labels));
    let weights: Vec<f64> = (0..20).map(|r| f64::from(u8::from(r < 14))).collect();
    x.slice_mut(s![14.., ..]).fill(50.0);
    y.slice_mut(s![14..]).fill(-90.0);
    labels.slice_mut(s![14..]).fill(1.0);
    for kind in exact() {
        let (y, y_few) = if kind.labels {
            (&labels, &labels_few)
        } else {
            (&y, &y_few)
        };
        let all = (kind.fit)((&x).into(), y.into(), Some(&weights)).expect(kind.name);
        let few = (kind.fit)((&x_few).into(), y_few.into(), None).expect(kind.name);
        let predict =
            |model: &dyn Predictor| model.predict_rows((&x_few).into()).expect("predictions");
        let off = (predict(&*all) - predict(&*few))
            .mapv(f64::abs)
            .fold(0.0, |m: f64, v| m.max(*v));
        assert!(off < 1e-5, "{}: {off}", kind.name);
    }
}

/// Rows of three features, targets, and a small whole weight for each.
fn data() -> impl Strategy<Value = (Array2<f64>, Array1<f64>, Vec<usize>)> {
    (10usize..30).prop_flat_map(|rows| {
        let numbers = |len| prop::collection::vec(-3.0..3.0f64, len);
        let weights = prop::collection::vec(1usize..4, rows);
        (numbers(rows * 3), numbers(rows), weights).prop_map(move |(x, y, w)| {
            let x = Array2::from_shape_vec((rows, 3), x).expect("rows of 3");
            (x, y.into(), w)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn weights_are_repetitions_and_order_does_not_matter((x, y, w) in data()) {
        let repeated: Vec<usize> = (0..w.len()).rev().flat_map(|r| vec![r; w[r]]).collect();
        let weights: Vec<f64> = w.iter().map(|&w| w as f64).collect();
        for kind in exact() {
            let mut y = y.clone();
            if kind.labels {
                y.mapv_inplace(|v| f64::from(u8::from(v > 0.0)));
                // Both classes.
                (y[0], y[1]) = (0.0, 1.0);
            }
            let (xx, yy) = (x.select(Axis(0), &repeated), y.select(Axis(0), &repeated));
            let weighted = (kind.fit)((&x).into(), (&y).into(), Some(&weights))?;
            let repeated = (kind.fit)((&xx).into(), (&yy).into(), None)?;
            let (a, b) = (weighted.predict_rows((&x).into())?, repeated.predict_rows((&x).into())?);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-5 * (1.0 + a.abs());
            // Labels may differ only where neither class is more probable.
            let differ = a.iter().zip(&b).filter(|pair| !near(*pair)).count();
            prop_assert!(differ == 0, "{}: {differ}\n{a}\n{b}", kind.name);
        }
    }

    #[test]
    fn quantiles_follow_their_targets((x, y, _) in data(), quantile in 0.1..0.9f64) {
        let fit = |quantile: f64, y: &Array1<f64>| {
            QuantileRegressor::new().alpha(0.0).quantile(quantile).fit(&x, y)
        };
        let model = fit(quantile, &y)?;
        let errors = &y - &model.predict(&x)?;
        // As many errors are negative as the quantile says, but for those that are 0.
        let (below, above) = (
            errors.iter().filter(|e| **e < -1e-7).count() as f64,
            errors.iter().filter(|e| **e > 1e-7).count() as f64,
        );
        let rows = y.len() as f64;
        prop_assert!(below <= quantile * rows + 1e-9 && above <= (1.0 - quantile) * rows + 1e-9);
        // Turned upside down, the other quantile is the same line.
        let loss = |errors: &Array1<f64>, q: f64| -> f64 {
            errors.iter().map(|e| if *e > 0.0 { q * e } else { (q - 1.0) * e }).sum()
        };
        let turned = fit(1.0 - quantile, &-&y)?;
        let of_turned = -(&y) - &turned.predict(&x)?;
        let (a, b) = (loss(&errors, quantile), loss(&of_turned, 1.0 - quantile));
        prop_assert!((a - b).abs() < 1e-8 * (1.0 + a), "{a} {b}");
    }

    #[test]
    fn robust_lines_follow_scale_and_shift((x, y, _) in data(), scale in 0.1..50.0f64, shift in -9.0..9.0f64) {
        let fit = |y: &Array1<f64>| HuberRegressor::new().alpha(0.0).tol(1e-10).fit(&x, y);
        let (a, b) = (fit(&y)?, fit(&(&y * scale + shift))?);
        prop_assert!((a.scale() * scale - b.scale()).abs() < 1e-5 * b.scale());
        let moved = a.predict(&x)? * scale + shift;
        let off = (&moved - &b.predict(&x)?).mapv(f64::abs).sum() / moved.len() as f64;
        prop_assert!(off < 1e-5 * scale, "{off}");
    }
}
