//! Robust, quantile and Bayesian regressions, the logistic one that chooses its penalty, and preprocessing, against
//! scikit-learn's (`golden/robust.json`).

use crate::golden::{Case, Golden, off};
use cornu_linear::model_selection::Folds;
use cornu_linear::preprocessing::*;
use cornu_linear::*;
use ndarray::{Array2, array, concatenate, s};

fn cases<'a>(golden: &'a Golden, estimator: &'a str) -> impl Iterator<Item = Case<'a>> {
    golden
        .cases()
        .filter(move |case| case.estimator() == estimator)
}

fn check(case: &Case<'_>, what: &str, got: &[f64], tolerance: f64) {
    let expected = case.results(what);
    assert_eq!(
        off(got, &expected, tolerance),
        None,
        "{}, {what}: {got:?} for {expected:?}",
        case.name()
    );
}

#[test]
fn huber() {
    let golden = Golden::read("robust");
    for case in cases(&golden, "HuberRegressor") {
        let (epsilon, alpha) = (
            case.number("epsilon").unwrap_or(1.35),
            case.number("alpha").unwrap_or(1e-4),
        );
        let estimator = HuberRegressor::new()
            .epsilon(epsilon)
            .alpha(alpha)
            .fit_intercept(case.flag("fit_intercept").unwrap_or(true))
            .tol(1e-9);
        let fit = estimator
            .fit_rows((&case.x).into(), (&case.y).into(), case.w())
            .unwrap();
        let (model, scale) = (fit.model(), fit.scale());
        assert!(
            model.converged() && model.iterations() < 40,
            "{}: {}",
            case.name(),
            model.iterations()
        );
        let errors = &case.y.column(0) - &model.predict(&case.x).unwrap();
        let loss = |e: f64| match e.abs() > epsilon * scale {
            true => scale + 2.0 * epsilon * e.abs() - scale * epsilon * epsilon,
            false => scale + e * e / scale,
        };
        let losses: f64 = errors
            .iter()
            .zip(case.weights())
            .map(|(&e, w)| w * loss(e))
            .sum();
        let objective = losses + alpha * model.coef().iter().map(|w| w * w).sum::<f64>();
        let expected = case.results("objective")[0];
        assert!(
            objective <= expected * (1.0 + 1e-8),
            "{}: {objective} where {expected} is possible",
            case.name()
        );
        // scikit-learn stops some digits earlier, where the minimum is flat most.
        check(&case, "scale", &[scale], 5e-3);
        check(&case, "coef", &model.coef().row(0).to_vec(), 5e-3);
    }
}

#[test]
fn quantiles() {
    let golden = Golden::read("robust");
    for case in cases(&golden, "QuantileRegressor") {
        let (quantile, alpha) = (
            case.number("quantile").unwrap_or(0.5),
            case.number("alpha").unwrap_or(1.0),
        );
        let estimator = QuantileRegressor::new()
            .quantile(quantile)
            .alpha(alpha)
            .fit_intercept(case.flag("fit_intercept").unwrap_or(true));
        let model = estimator
            .fit_rows((&case.x).into(), (&case.y).into(), case.w())
            .unwrap();
        assert!(
            model.converged(),
            "{}: {} iterations",
            case.name(),
            model.iterations()
        );
        let errors = &case.y.column(0) - &model.predict(&case.x).unwrap();
        let loss = |e: f64| {
            if e > 0.0 {
                quantile * e
            } else {
                (quantile - 1.0) * e
            }
        };
        let w = case.weights();
        let losses = errors
            .iter()
            .zip(&w)
            .map(|(&e, w)| w * loss(e))
            .sum::<f64>()
            / w.iter().sum::<f64>();
        let objective = losses + alpha * model.coef().iter().map(|w| w.abs()).sum::<f64>();
        let expected = case.results("objective")[0];
        assert!(
            (objective - expected).abs() <= 1e-8 * expected,
            "{}: {objective} for {expected}",
            case.name()
        );
        // With equal columns there are several solutions.
        if !case.name().contains("duplicate") {
            check(&case, "coef", &model.coef().row(0).to_vec(), 1e-7);
        }
    }
}

#[test]
fn bayesian_ridge() {
    let golden = Golden::read("robust");
    for case in cases(&golden, "BayesianRidge") {
        let prior = |name: &str| case.number(name).unwrap_or(1e-6);
        let mut estimator = BayesianRidge::new()
            .alpha_prior(prior("alpha_1"), prior("alpha_2"))
            .lambda_prior(prior("lambda_1"), prior("lambda_2"))
            .lambda_init(case.number("lambda_init").unwrap_or(1.0))
            .tol(case.number("tol").unwrap_or(1e-3))
            .fit_intercept(case.flag("fit_intercept").unwrap_or(true));
        if let Some(alpha) = case.number("alpha_init") {
            estimator = estimator.alpha_init(alpha);
        }
        let fit = estimator
            .fit_rows((&case.x).into(), (&case.y).into(), case.w())
            .unwrap();
        check(&case, "coef", &fit.model().coef().row(0).to_vec(), 1e-7);
        check(&case, "intercept", &fit.model().intercept().to_vec(), 1e-7);
        check(&case, "alpha", &[fit.alpha()], 1e-7);
        check(&case, "lambda_", &[fit.lambda()], 1e-7);
        check(&case, "iterations", &[fit.model().iterations() as f64], 0.0);
        let (last, scores) = fit.scores().split_last().expect("scores");
        check(&case, "scores", scores, 1e-7);
        assert!(
            *last >= scores[scores.len() - 1] - 1e-9 * last.abs(),
            "{}",
            case.name()
        );
        let (_, std) = fit.predict_with_std(case.x.slice(s![..4, ..])).unwrap();
        check(&case, "std", &std.to_vec(), 1e-7);
    }
}

#[test]
fn logistic_regression_cv() {
    let golden = Golden::read("robust");
    for case in cases(&golden, "LogisticRegressionCV") {
        let fit = LogisticRegressionCV::new()
            .cs(&case.numbers("Cs"))
            .cv(Folds::Count(case.number("cv").unwrap() as usize))
            .estimator(
                LogisticRegression::new()
                    .solver(LogisticSolver::NewtonCholesky)
                    .tol(1e-10),
            )
            .fit(&case.x, &case.y)
            .unwrap();
        check(
            &case,
            "scores",
            &fit.scores().iter().copied().collect::<Vec<_>>(),
            1e-12,
        );
        check(&case, "c", &[fit.c()], 1e-12);
        check(
            &case,
            "coef",
            &fit.model().coef().iter().copied().collect::<Vec<_>>(),
            1e-6,
        );
    }
}

#[test]
fn transformers() {
    let golden = Golden::read("robust");
    let x = golden.matrix(&["data", "plain", "x"]);
    let w = golden.numbers(&["data", "weighted", "w"]);
    let outside = array![[-9.0, 20.0, -3.0], [0.0, 100.0, -1.0], [8.0, 300.0, 5.0]];
    let rows = concatenate![ndarray::Axis(0), x.slice(s![..3, ..]), outside];
    let mut count = 0;
    for case in golden.transforms() {
        let number = |name: &str, default: usize| case.number(name).map_or(default, |n| n as usize);
        let flag = |name: &str, default: bool| case.flag(name).unwrap_or(default);
        let weights = flag("weighted", false).then_some(&w[..]);
        let made: Array2<f64> = match case.transformer() {
            "StandardScaler" => {
                let scaler = StandardScaler::new()
                    .with_mean(flag("with_mean", true))
                    .with_std(flag("with_std", true))
                    .fit_rows((&x).into(), weights)
                    .unwrap();
                let made = scaler.transform(&rows).unwrap();
                let back = scaler.inverse_transform(&made).unwrap();
                assert!(back.iter().zip(&rows).all(|(a, b)| (a - b).abs() < 1e-9));
                made
            }
            "RobustScaler" => {
                let range = case.numbers("quantile_range");
                let scaler = match range[..] {
                    [low, high] => RobustScaler::new().quantile_range(low, high),
                    _ => RobustScaler::new(),
                };
                let scaler = scaler.unit_variance(flag("unit_variance", false));
                scaler.fit(&x).unwrap().transform(&rows).unwrap()
            }
            "PolynomialFeatures" => PolynomialFeatures::new()
                .degree(number("degree", 2))
                .interaction_only(flag("interaction_only", false))
                .include_bias(flag("include_bias", true))
                .fit(&x)
                .unwrap()
                .transform(&rows)
                .unwrap(),
            _ => {
                let knots = number("n_knots", 5);
                SplineTransformer::new()
                    .degree(number("degree", 3))
                    .knots(match case.text("knots") {
                        Some("quantile") => Knots::Quantile(knots),
                        _ => Knots::Uniform(knots),
                    })
                    .extrapolation(match case.text("extrapolation") {
                        Some("linear") => Extrapolation::Linear,
                        Some("continue") => Extrapolation::Continue,
                        Some("periodic") => Extrapolation::Periodic,
                        _ => Extrapolation::Constant,
                    })
                    .include_bias(flag("include_bias", true))
                    .fit_rows((&x).into(), weights)
                    .unwrap()
                    .transform(&rows)
                    .unwrap()
            }
        };
        check(
            &case,
            "made",
            &made.iter().copied().collect::<Vec<_>>(),
            1e-11,
        );
        count += 1;
    }
    assert_eq!(count, 20);
}

#[test]
fn bad_input_is_refused() {
    fn refused<T: std::fmt::Debug>(result: Result<T>, part: &str) {
        let message = result.expect_err("bad input must be refused").to_string();
        assert!(message.contains(part), "{message}");
    }
    let x = array![[1.0], [2.0], [4.0]];
    let y = [1.0, 2.0, 3.0];
    refused(HuberRegressor::new().epsilon(0.9).fit(&x, &y), "at least 1");
    refused(HuberRegressor::new().alpha(-1.0).fit(&x, &y), "alpha");
    refused(
        HuberRegressor::new().fit(&array![[1.0], [f64::NAN], [1.0]], &y),
        "row 1",
    );
    refused(
        QuantileRegressor::new().quantile(1.0).fit(&x, &y),
        "between 0 and 1",
    );
    refused(
        QuantileRegressor::new().fit(&array![[1e300], [-1e300], [1.0]], &y),
        "overflow",
    );
    refused(BayesianRidge::new().max_iter(0).fit(&x, &y), "at least 1");
    refused(
        BayesianRidge::new().lambda_init(f64::NAN).fit(&x, &y),
        "lambda_init",
    );
    refused(
        LogisticRegressionCV::new()
            .cs(&[])
            .cv(2)
            .fit(&x, &[0, 0, 1]),
        "at least one C",
    );
    let none = Array2::<f64>::zeros((0, 3));
    refused(StandardScaler::new().fit(&none), "at least one row");
    refused(
        StandardScaler::new().fit(&array![[f64::INFINITY]]),
        "finite",
    );
    refused(
        StandardScaler::new()
            .fit(&x)
            .and_then(|s| s.transform(&array![[1.0, 2.0]])),
        "1 features",
    );
    refused(
        RobustScaler::new().quantile_range(70.0, 20.0).fit(&x),
        "70 and 20",
    );
    let scaler = RobustScaler::new().unit_variance(true);
    refused(scaler.quantile_range(0.0, 75.0).fit(&x), "unit_variance");
    let wide = Array2::<f64>::zeros((1, 500));
    refused(PolynomialFeatures::new().degree(5).fit(&wide), "fewer than");
    refused(
        PolynomialFeatures::new()
            .degree(0)
            .include_bias(false)
            .fit(&x),
        "at least 1",
    );
    refused(
        SplineTransformer::new().knots(Knots::Uniform(1)).fit(&x),
        "from 2 to",
    );
    refused(
        SplineTransformer::new()
            .knots(Knots::Given(array![[1.0], [1.0]]))
            .fit(&x),
        "rising",
    );
    let strict = SplineTransformer::new()
        .extrapolation(Extrapolation::Error)
        .fit(&x)
        .unwrap();
    refused(strict.transform(&array![[5.0]]), "from 1 to 4");
    // Constant features are neither divided by 0 nor given a spread that is rounding.
    let constant = StandardScaler::new()
        .fit(&array![[0.1], [0.1], [0.1]])
        .unwrap();
    assert_eq!(constant.scale()[0], 1.0);
    let spline = SplineTransformer::new().fit(&array![[7.0], [7.0]]).unwrap();
    assert!(
        spline
            .transform(&array![[7.0], [9.0]])
            .unwrap()
            .iter()
            .all(|v| v.is_finite())
    );
    // Rows that a line fits exactly.
    let exact = HuberRegressor::new()
        .alpha(0.0)
        .fit(&x, &[2.0, 4.0, 8.0])
        .unwrap();
    assert!((exact.model().coef()[[0, 0]] - 2.0).abs() < 1e-6);
    let exact = QuantileRegressor::new()
        .alpha(0.0)
        .fit(&x, &[2.0, 4.0, 8.0])
        .unwrap();
    assert!((exact.coef()[[0, 0]] - 2.0).abs() < 1e-9);
}
