//! Classifications against scikit-learn's (`golden/classification.json`).

use crate::golden::{self, Case, Golden};
use cornu_linear::*;

fn logistic(case: &Case<'_>, solver: LogisticSolver) -> LogisticRegression {
    let penalty = match (case.text("penalty"), case.number("l1_ratio")) {
        (Some("none"), _) => Penalty::None,
        (_, Some(1.0)) => Penalty::L1,
        (_, Some(ratio)) => Penalty::ElasticNet(ratio),
        _ => Penalty::L2,
    };
    let multi_class = match case.estimator() {
        "OneVsRest" => MultiClass::OneVsRest,
        _ => MultiClass::Multinomial,
    };
    LogisticRegression::new()
        .solver(solver)
        .penalty(penalty)
        .multi_class(multi_class)
        .c(case.number("C").unwrap_or(1.0))
        .class_weight(class_weight(case))
        .fit_intercept(case.flag("fit_intercept").unwrap_or(true))
        .tol(1e-10)
        .max_iter(100_000)
}

fn class_weight(case: &Case<'_>) -> ClassWeight {
    match case.text("class_weight") {
        Some(_) => ClassWeight::Balanced,
        None => ClassWeight::One,
    }
}

/// Compares a model with the case's results.
fn compare(
    case: &Case<'_>,
    label: &str,
    model: &LinearClassifier,
    tolerance: f64,
    failed: &mut Vec<String>,
) {
    let mut check = |what: &str, got: &[f64], tolerance: f64| {
        if let Some(off) = golden::off(got, &case.results(what), tolerance) {
            failed.push(format!(
                "{} by {label}, {what}: off by {off:.1e}",
                case.name()
            ));
        }
    };
    let coef: Vec<f64> = model.coef().iter().copied().collect();
    check("coef", &coef, tolerance);
    check("intercept", &model.intercept().to_vec(), tolerance);
    let score = model.score_rows((&case.x).into(), (&case.y).into(), case.w());
    check("score", &[score.unwrap()], 1e-9);
    if !case.results("proba").is_empty() && model.probabilities() != Probabilities::None {
        let proba = model
            .predict_proba(case.x.slice(ndarray::s![..5, ..]))
            .unwrap();
        check(
            "proba",
            &proba.iter().copied().collect::<Vec<_>>(),
            tolerance,
        );
    }
}

#[test]
fn logistic_regressions_are_scikit_learns_with_every_solver() {
    use LogisticSolver::*;
    let golden = Golden::read("classification");
    let mut failed = Vec::new();
    for case in golden.cases() {
        if !["LogisticRegression", "OneVsRest"].contains(&case.estimator()) {
            continue;
        }
        let l1 = case.number("l1_ratio").is_some();
        for solver in [Lbfgs, NewtonCholesky, CoordinateDescent, Saga] {
            let refuses = l1 && matches!(solver, Lbfgs | NewtonCholesky);
            // SAGA needs very many passes where the penalty is weak.
            if refuses || (solver == Saga && !l1) {
                continue;
            }
            let model =
                logistic(&case, solver).fit_rows((&case.x).into(), (&case.y).into(), case.w());
            let label = format!("{solver:?}");
            match model {
                Ok(model) => {
                    // L-BFGS ends where the value does not fall any more, which is flat.
                    let tolerance = if solver == Lbfgs { 1e-5 } else { 1e-6 };
                    compare(&case, &label, &model, tolerance, &mut failed);
                    if !model.converged() {
                        failed.push(format!("{} by {label} has not converged", case.name()));
                    }
                }
                Err(e) => failed.push(format!("{} by {label}: {e}", case.name())),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// `C · Σ w · log-loss + penalty` of coefficients and intercepts.
fn objective(case: &Case<'_>, coef: &[f64], intercept: &[f64]) -> f64 {
    let (classes, features) = (intercept.len(), case.x.ncols());
    let mut labels: Vec<f64> = case.y.iter().copied().collect();
    labels.sort_by(f64::total_cmp);
    labels.dedup();
    let row_loss = |r: usize| {
        let dot = |w: &[f64]| w.iter().zip(case.x.row(r)).map(|(w, x)| w * x).sum::<f64>();
        let mut z: Vec<f64> = coef
            .chunks(features)
            .zip(intercept)
            .map(|(w, b)| dot(w) + b)
            .collect();
        if classes == 1 {
            z.insert(0, 0.0);
        }
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = z.iter().map(|z| (z - most).exp()).sum();
        let class = labels
            .iter()
            .position(|l| *l == case.y[[r, 0]])
            .expect("a label");
        case.w().map_or(1.0, |w| w[r]) * (total.ln() + most - z[class])
    };
    let losses: f64 = (0..case.x.nrows()).map(row_loss).sum();
    let ratio = case.number("l1_ratio").unwrap_or(0.0);
    let penalty = |w: &f64| ratio * w.abs() + (1.0 - ratio) / 2.0 * w * w;
    match case.text("penalty") {
        Some("none") => losses,
        _ => case.number("C").unwrap_or(1.0) * losses + coef.iter().map(penalty).sum::<f64>(),
    }
}

#[test]
fn objectives_are_as_low_as_scikit_learns() {
    use LogisticSolver::*;
    let golden = Golden::read("classification");
    let mut compared = 0;
    for case in golden.cases() {
        if case.estimator() != "LogisticRegression" || case.text("class_weight").is_some() {
            continue;
        }
        let theirs = objective(&case, &case.results("coef"), &case.results("intercept"));
        let solvers = match case.number("l1_ratio") {
            Some(_) => [CoordinateDescent, Saga],
            None => [Lbfgs, NewtonCholesky],
        };
        for solver in solvers {
            let estimator = logistic(&case, solver);
            let model = estimator
                .fit_rows((&case.x).into(), (&case.y).into(), case.w())
                .unwrap();
            let coef: Vec<f64> = model.coef().iter().copied().collect();
            let ours = objective(&case, &coef, &model.intercept().to_vec());
            assert!(
                ours <= theirs * (1.0 + 1e-8),
                "{} by {solver:?}: {ours} where {theirs} is possible",
                case.name()
            );
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

fn sgd(case: &Case<'_>) -> SGDClassifier {
    let loss = match case.text("loss").unwrap_or("hinge") {
        "hinge" => ClassifierLoss::Hinge,
        "log_loss" => ClassifierLoss::LogLoss,
        "modified_huber" => ClassifierLoss::ModifiedHuber,
        "squared_hinge" => ClassifierLoss::SquaredHinge,
        _ => ClassifierLoss::Perceptron,
    };
    let penalty = match case.text("penalty") {
        Some("l1") => Penalty::L1,
        Some("elasticnet") => Penalty::ElasticNet(case.number("l1_ratio").unwrap_or(0.15)),
        _ => Penalty::L2,
    };
    let first = case.number("eta0").unwrap_or(0.0);
    let rate = match case.text("learning_rate") {
        Some("invscaling") => {
            LearningRate::InvScaling(first, case.number("power_t").unwrap_or(0.5))
        }
        Some("adaptive") => LearningRate::Adaptive(first),
        _ => LearningRate::Optimal,
    };
    SGDClassifier::new()
        .loss(loss)
        .penalty(penalty)
        .learning_rate(rate)
        .alpha(case.number("alpha").unwrap_or(1e-4))
        .max_iter(case.number("max_iter").unwrap_or(1000.0) as usize)
        .tol(case.number("tol"))
        .shuffle(false)
}

#[test]
fn other_classifications_are_scikit_learns() {
    let golden = Golden::read("classification");
    let mut failed = Vec::new();
    for case in golden.cases() {
        let (x, y, w) = ((&case.x).into(), (&case.y).into(), case.w());
        let model = match case.estimator() {
            "RidgeClassifier" => {
                let ridge = RidgeClassifier::new().alpha(case.number("alpha").unwrap_or(1.0));
                ridge.class_weight(class_weight(&case)).fit_rows(x, y, w)
            }
            "SGDClassifier" => sgd(&case).fit_rows(x, y, w),
            "Perceptron" => {
                let perceptron = Perceptron::new().max_iter(30).tol(None).shuffle(false);
                perceptron.fit_rows(x, y, w)
            }
            _ => continue,
        };
        compare(&case, "itself", &model.unwrap(), 1e-6, &mut failed);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
