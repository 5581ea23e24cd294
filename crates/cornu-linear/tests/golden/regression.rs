//! Regressions against scikit-learn's (`golden/regression.json`).

use crate::golden::{self, Case, Golden};
use cornu_linear::*;

/// What an estimator chose, and the errors it was chosen by.
struct Chosen {
    alpha: f64,
    l1_ratio: f64,
    errors: Vec<f64>,
}

/// Fits the case's estimator; what it chose, if it chooses.
fn fit(case: &Case<'_>) -> Result<(LinearModel, Option<Chosen>)> {
    let alpha = case.number("alpha").unwrap_or(1.0);
    let intercept = case.flag("fit_intercept").unwrap_or(true);
    let positive = case.flag("positive").unwrap_or(false);
    let tol = case.number("tol").unwrap_or(1e-4);
    let most = case.number("max_iter").unwrap_or(1000.0) as usize;
    let (x, y, w) = (Rows::from(&case.x), Targets::from(&case.y), case.w());
    macro_rules! net {
        ($e:expr) => {
            $e.fit_intercept(intercept).tol(tol).max_iter(most)
        };
    }
    let path = |fit: ElasticNetCVFit| {
        let chosen = Chosen {
            alpha: fit.alpha(),
            l1_ratio: fit.l1_ratio(),
            errors: fit.errors().to_vec(),
        };
        (fit.model().clone(), Some(chosen))
    };
    let ratios = case.numbers("l1_ratio");
    let ratio = ratios.first().copied().unwrap_or(0.5);
    Ok(match case.estimator() {
        "LinearRegression" => {
            let e = LinearRegression::new()
                .fit_intercept(intercept)
                .positive(positive);
            (e.fit_rows(x, y, w)?, None)
        }
        "Ridge" => {
            let solver = match case.text("solver") {
                Some("svd") => RidgeSolver::Svd,
                Some("cholesky") => RidgeSolver::Cholesky,
                _ => RidgeSolver::Auto,
            };
            let e = Ridge::new().alpha(alpha).fit_intercept(intercept);
            (e.positive(positive).solver(solver).fit_rows(x, y, w)?, None)
        }
        "RidgeCV" => {
            let e = RidgeCV::new().alphas(&case.numbers("alphas"));
            let fit = e.fit_intercept(intercept).fit_rows(x, y, w)?;
            let least = fit.errors().iter().copied().fold(f64::INFINITY, f64::min);
            let chosen = Chosen {
                alpha: fit.alpha(),
                l1_ratio: 0.0,
                errors: vec![least],
            };
            (fit.model().clone(), Some(chosen))
        }
        "Lasso" => {
            let e = net!(Lasso::new().alpha(alpha).positive(positive));
            (e.fit_rows(x, y, w)?, None)
        }
        "ElasticNet" => {
            let e = ElasticNet::new().alpha(alpha).l1_ratio(ratio);
            (net!(e.positive(positive)).fit_rows(x, y, w)?, None)
        }
        "MultiTaskLasso" => (
            net!(MultiTaskLasso::new().alpha(alpha)).fit_rows(x, y, w)?,
            None,
        ),
        "MultiTaskElasticNet" => {
            let e = net!(MultiTaskElasticNet::new().alpha(alpha).l1_ratio(ratio));
            (e.fit_rows(x, y, w)?, None)
        }
        "LassoCV" => path(net!(LassoCV::new().n_alphas(20)).fit_rows(x, y, w)?),
        "ElasticNetCV" => {
            path(net!(ElasticNetCV::new().n_alphas(20).l1_ratio(&ratios)).fit_rows(x, y, w)?)
        }
        "MultiTaskLassoCV" => path(net!(MultiTaskLassoCV::new().n_alphas(20)).fit_rows(x, y, w)?),
        "MultiTaskElasticNetCV" => {
            let e = MultiTaskElasticNetCV::new().n_alphas(20).l1_ratio(&ratios);
            path(net!(e).fit_rows(x, y, w)?)
        }
        other => panic!("no estimator {other}"),
    })
}

/// What an estimator of squares minimises, as `make_regression.py` has it.
fn objective(case: &Case<'_>, model: &LinearModel, chosen: Option<&Chosen>) -> f64 {
    let errors = &case.y - &model.predict_targets(&case.x).unwrap();
    let weights = case.weights();
    let rows = errors.rows().into_iter().zip(&weights);
    let squares: f64 = rows.map(|(e, w)| w * e.dot(&e)).sum();
    let coef = model.coef();
    let l2: f64 = coef.iter().map(|w| w * w).sum();
    let alpha = chosen.map_or(case.number("alpha").unwrap_or(1.0), |chosen| chosen.alpha);
    let name = case.estimator();
    if name == "LinearRegression" {
        return squares;
    }
    if name.starts_with("Ridge") {
        return squares + alpha * l2;
    }
    let given = case.numbers("l1_ratio").first().copied().unwrap_or(1.0);
    let ratio = chosen.map_or(given, |chosen| chosen.l1_ratio);
    let l1: f64 = match name.starts_with("MultiTask") {
        true => coef.columns().into_iter().map(|w| w.dot(&w).sqrt()).sum(),
        false => coef.iter().map(|w| w.abs()).sum(),
    };
    let penalty = ratio * l1 + (1.0 - ratio) / 2.0 * l2;
    squares / (2.0 * weights.iter().sum::<f64>()) + alpha * penalty
}

#[test]
fn coefficients_objectives_and_scores_are_scikit_learns() {
    let golden = Golden::read("regression");
    let mut failed = Vec::new();
    for case in golden.cases() {
        let elsewhere = [
            "PoissonRegressor",
            "GammaRegressor",
            "TweedieRegressor",
            "SGDRegressor",
        ];
        if elsewhere.contains(&case.estimator()) {
            continue;
        }
        let name = case.name();
        let (model, chosen) = fit(&case).unwrap_or_else(|e| panic!("{name}: {e}"));
        let coef = model.coef().iter().copied().collect::<Vec<_>>();
        let compare = |failed: &mut Vec<String>,
                       what: &str,
                       got: &[f64],
                       expected: &[f64],
                       tolerance: f64| {
            if let Some(off) = golden::off(got, expected, tolerance) {
                failed.push(format!("{name} {what}: off by {off:.1e}"));
            }
        };
        compare(&mut failed, "coef", &coef, &case.results("coef"), 1e-6);
        let intercept = model.intercept().to_vec();
        compare(
            &mut failed,
            "intercept",
            &intercept,
            &case.results("intercept"),
            1e-6,
        );
        let score = model
            .score_rows((&case.x).into(), (&case.y).into(), case.w())
            .unwrap();
        compare(&mut failed, "score", &[score], &case.results("score"), 1e-8);
        let scale: f64 = case.y.iter().map(|y| y * y).sum();
        let (ours, theirs) = (
            objective(&case, &model, chosen.as_ref()),
            case.results("objective")[0],
        );
        if let Some(apart) = golden::apart(ours, theirs, scale) {
            failed.push(format!(
                "{name} objective: {ours} and {theirs}, apart by {apart:.1e}"
            ));
        }
        if let ("LinearRegression", Some(rank)) = (case.estimator(), model.rank()) {
            compare(
                &mut failed,
                "rank",
                &[rank as f64],
                &case.results("rank_"),
                0.0,
            );
        }
        if let Some(Chosen { alpha, errors, .. }) = chosen {
            compare(
                &mut failed,
                "alpha",
                &[alpha],
                &case.results("alpha_"),
                1e-12,
            );
            let expected = case.results("errors");
            if !expected.is_empty() {
                compare(&mut failed, "errors", &errors, &expected, 1e-6);
            }
            for best in case.results("best_score_") {
                compare(&mut failed, "best score", &[-errors[0]], &[best], 1e-8);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// The deviance of a Tweedie distribution of a power.
fn deviance(power: f64, y: f64, mean: f64) -> f64 {
    let (one, two) = (1.0 - power, 2.0 - power);
    match power {
        1.0 => 2.0 * (mean - y + if y > 0.0 { y * (y / mean).ln() } else { 0.0 }),
        2.0 => 2.0 * ((mean / y).ln() + y / mean - 1.0),
        0.0 => (y - mean).powi(2),
        _ => 2.0 * (y.powf(two) / (one * two) - y * mean.powf(one) / one + mean.powf(two) / two),
    }
}

#[test]
fn generalised_linear_models_are_scikit_learns() {
    let golden = Golden::read("regression");
    let mut failed = Vec::new();
    for case in golden.cases() {
        let (x, y, w) = (Rows::from(&case.x), Targets::from(&case.y), case.w());
        let solver = match case.text("solver") {
            Some("newton-cholesky") => GlmSolver::NewtonCholesky,
            _ => GlmSolver::Lbfgs,
        };
        macro_rules! glm {
            ($e:expr) => {{
                let e = $e.alpha(0.1).solver(solver).tol(1e-11).max_iter(10_000);
                let intercept = case.flag("fit_intercept").unwrap_or(true);
                e.fit_intercept(intercept).fit_rows(x, y.view(), w)
            }};
        }
        let power = case.number("power").unwrap_or(0.0);
        let model = match case.estimator() {
            "PoissonRegressor" => glm!(PoissonRegressor::new()),
            "GammaRegressor" => glm!(GammaRegressor::new()),
            "TweedieRegressor" => glm!(TweedieRegressor::new().power(power)),
            _ => continue,
        };
        let model = model.unwrap();
        // L-BFGS ends where the value does not fall any more, which is flat.
        let tolerance = if solver == GlmSolver::Lbfgs {
            1e-5
        } else {
            1e-6
        };
        let coef: Vec<f64> = model.linear().coef().iter().copied().collect();
        let intercept = model.linear().intercept().to_vec();
        let score = model.score_rows(x, y.view(), w).unwrap();
        let weights = case.weights();
        let means = model.predict(&case.x).unwrap();
        let power = match case.estimator() {
            "PoissonRegressor" => 1.0,
            "GammaRegressor" => 2.0,
            _ => power,
        };
        let rows = case.y.iter().zip(&means).zip(&weights);
        let losses: f64 = rows.map(|((y, m), w)| w * deviance(power, *y, *m)).sum();
        let squares: f64 = coef.iter().map(|w| w * w).sum();
        let ours = losses / (2.0 * weights.iter().sum::<f64>()) + 0.05 * squares;
        let theirs = case.results("objective")[0];
        if let Some(apart) = golden::apart(ours, theirs, 0.0) {
            failed.push(format!(
                "{} objective: {ours} and {theirs}, apart by {apart:.1e}",
                case.name()
            ));
        }
        let pairs = [
            ("coef", coef),
            ("intercept", intercept),
            ("score", vec![score]),
        ];
        for (what, got) in pairs {
            if let Some(off) = golden::off(&got, &case.results(what), tolerance) {
                failed.push(format!("{} {what}: off by {off:.1e}", case.name()));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn regressions_by_stochastic_gradient_descent_are_scikit_learns() {
    let golden = Golden::read("regression");
    let mut seen = 0;
    for case in golden
        .cases()
        .filter(|case| case.estimator() == "SGDRegressor")
    {
        let loss = match case.text("loss") {
            Some("huber") => RegressorLoss::Huber(0.2),
            Some("epsilon_insensitive") => RegressorLoss::EpsilonInsensitive(0.2),
            Some("squared_epsilon_insensitive") => RegressorLoss::SquaredEpsilonInsensitive(0.2),
            _ => RegressorLoss::SquaredError,
        };
        let rate = LearningRate::InvScaling(0.001, 0.25);
        let sgd = SGDRegressor::new()
            .loss(loss)
            .learning_rate(rate)
            .shuffle(false);
        let model = sgd.max_iter(20).tol(None).fit(&case.x, &case.y).unwrap();
        let coef: Vec<f64> = model.coef().iter().copied().collect();
        assert_eq!(
            golden::off(&coef, &case.results("coef"), 1e-9),
            None,
            "{}",
            case.name()
        );
        let intercept = model.intercept().to_vec();
        assert_eq!(
            golden::off(&intercept, &case.results("intercept"), 1e-9),
            None
        );
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn paths_are_scikit_learns() {
    let golden = Golden::read("regression");
    let case = golden.cases().next().expect("the plain data");
    for i in ["0", "1"] {
        let ratio = golden.numbers(&["paths", i, "l1_ratio"])[0];
        let expected = golden.numbers(&["paths", i, "alphas"]);
        let net = ElasticNet::new()
            .l1_ratio(ratio)
            .tol(1e-13)
            .max_iter(100_000);
        let given = Some(&[0.01, 2.0, 0.3, 0.05][..]);
        let (alphas, models) = net.path(&case.x, &case.y, given).unwrap();
        assert_eq!(alphas, expected);
        let coefs: Vec<f64> = models.iter().flat_map(|m| m.coef().to_owned()).collect();
        let off = golden::off(&coefs, &golden.numbers(&["paths", i, "coefs"]), 1e-6);
        assert_eq!(off, None, "l1_ratio {ratio}");
    }
}
