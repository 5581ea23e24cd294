//! Regressions against scikit-learn's (`golden/regression.json`).

#[allow(dead_code)] // shared by several tests
mod golden;

use cornu_linear::*;
use golden::{Case, Golden};

/// Fits the case's estimator; what it chose, if it chooses.
fn fit(case: &Case<'_>) -> Result<(LinearModel, Option<(f64, Vec<f64>)>)> {
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
        let chosen = (fit.alpha(), fit.errors().to_vec());
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
            (fit.model().clone(), Some((fit.alpha(), vec![least])))
        }
        "Lasso" => {
            let e = net!(Lasso::new().alpha(alpha).positive(positive));
            (e.fit_rows(x, y, w)?, None)
        }
        "ElasticNet" => {
            let e = net!(ElasticNet::new().alpha(alpha).l1_ratio(ratio));
            (e.fit_rows(x, y, w)?, None)
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
        other => panic!("no estimator {other}"),
    })
}

#[test]
fn coefficients_and_scores_are_scikit_learns() {
    let golden = Golden::read("regression");
    let mut failed = Vec::new();
    for case in golden.cases() {
        let name = case.name();
        let (model, chosen) = fit(&case).unwrap_or_else(|e| panic!("{name}: {e}"));
        let coef = model.coef().iter().copied().collect::<Vec<_>>();
        let mut compare = |what: &str, got: &[f64], expected: &[f64], tolerance: f64| {
            if let Some(off) = golden::off(got, expected, tolerance) {
                failed.push(format!("{name} {what}: off by {off:.1e}"));
            }
        };
        compare("coef", &coef, &case.results("coef"), 1e-6);
        let intercept = model.intercept().to_vec();
        compare("intercept", &intercept, &case.results("intercept"), 1e-6);
        let score = model
            .score_rows((&case.x).into(), (&case.y).into(), case.w())
            .unwrap();
        compare("score", &[score], &case.results("score"), 1e-8);
        if let ("LinearRegression", Some(rank)) = (case.estimator(), model.rank()) {
            compare("rank", &[rank as f64], &case.results("rank_"), 0.0);
        }
        if let Some((alpha, errors)) = chosen {
            compare("alpha", &[alpha], &case.results("alpha_"), 1e-12);
            let expected = case.results("errors");
            if !expected.is_empty() {
                compare("errors", &errors, &expected, 1e-6);
            }
            for best in case.results("best_score_") {
                compare("best score", &[-errors[0]], &[best], 1e-8);
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
