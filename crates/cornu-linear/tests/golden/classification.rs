//! Classifications against scikit-learn's (`golden/classification.json`).

use crate::golden::{self, Case, Golden};
use cornu_linear::*;
use std::collections::BTreeSet;

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

/// What logistic regressions minimise, as `make_classification.py` has it: `C · Σ w · log-loss + penalty`, of one model
/// for each class the sum.
fn objective(case: &Case<'_>, model: &LinearClassifier) -> f64 {
    let labels = model.classes();
    let z = model.decision_function(&case.x).unwrap();
    let balanced = case.text("class_weight").is_some();
    let all: f64 = case.weights().iter().sum();
    let rest = case.estimator() == "OneVsRest";
    let mut losses = 0.0;
    for (f, z) in z.columns().into_iter().enumerate() {
        if !rest && f > 0 {
            break;
        }
        // Of one class against the rest, the rest is a class.
        let class_of = |y: f64| match rest {
            true => usize::from(y == labels[f]),
            false => labels
                .iter()
                .position(|label| *label == y)
                .expect("a label"),
        };
        let classes = if rest { 2 } else { labels.len() };
        let mut of_class = vec![0.0; classes];
        for (y, w) in case.y.iter().zip(case.weights()) {
            of_class[class_of(*y)] += w;
        }
        for (r, (y, w)) in case.y.iter().zip(case.weights()).enumerate() {
            let class = class_of(*y);
            let functions: Vec<f64> = match classes {
                2 => vec![0.0, z[r]],
                _ => model
                    .decision_function(case.x.slice(ndarray::s![r..=r, ..]))
                    .unwrap()
                    .into_iter()
                    .collect(),
            };
            let most = functions.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = functions.iter().map(|z| (z - most).exp()).sum();
            let weight = match balanced {
                true => w * all / (classes as f64 * of_class[class]),
                false => w,
            };
            losses += weight * (total.ln() + most - functions[class]);
        }
    }
    let ratio = case.number("l1_ratio").unwrap_or(0.0);
    let penalty = |w: &f64| ratio * w.abs() + (1.0 - ratio) / 2.0 * w * w;
    match case.text("penalty") {
        Some("none") => losses,
        _ => {
            case.number("C").unwrap_or(1.0) * losses + model.coef().iter().map(penalty).sum::<f64>()
        }
    }
}

/// Every case by every solver that knows its penalty.
#[test]
fn logistic_regressions_are_scikit_learns_with_every_solver() {
    use LogisticSolver::*;
    let golden = Golden::read("classification");
    let (mut failed, mut seen) = (Vec::new(), BTreeSet::new());
    for case in golden.cases() {
        if !["LogisticRegression", "OneVsRest"].contains(&case.estimator()) {
            continue;
        }
        for solver in [Lbfgs, NewtonCholesky, CoordinateDescent, Saga] {
            let l1 = case.number("l1_ratio").is_some();
            if l1 && matches!(solver, Lbfgs | NewtonCholesky) {
                continue;
            }
            // Without a strong penalty SAGA's last digits take very many passes.
            let weak = !l1 && case.number("C").unwrap_or(1.0) > 0.1;
            if solver == Saga && weak && case.w().is_some() {
                continue;
            }
            let label = format!("{solver:?}");
            let fitted =
                logistic(&case, solver).fit_rows((&case.x).into(), (&case.y).into(), case.w());
            let model = match fitted {
                Ok(model) => model,
                Err(e) => {
                    failed.push(format!("{} by {label}: {e}", case.name()));
                    continue;
                }
            };
            // L-BFGS ends where the value does not fall any more, which is flat.
            let tolerance = if solver == Lbfgs { 1e-5 } else { 1e-6 };
            compare(&case, &label, &model, tolerance, &mut failed);
            if !model.converged() {
                failed.push(format!("{} by {label} has not converged", case.name()));
            }
            let (ours, theirs) = (objective(&case, &model), case.results("objective")[0]);
            if let Some(apart) = golden::apart(ours, theirs, 0.0) {
                failed.push(format!(
                    "{} by {label}, objective: {ours} and {theirs}, apart by {apart:.1e}",
                    case.name()
                ));
            }
            let penalty = match (case.text("penalty"), case.number("l1_ratio")) {
                (Some(_), _) => "none",
                (_, Some(1.0)) => "l1",
                (_, Some(_)) => "elastic net",
                _ => "l2",
            };
            let mode = match (case.estimator(), model.classes().len()) {
                ("OneVsRest", _) => "one against the rest",
                (_, 2) => "two classes",
                _ => "multinomial",
            };
            seen.insert((label, penalty, mode));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // Two solvers for two penalties, two for four, of three kinds of classes.
    assert_eq!(seen.len(), (2 * 2 + 2 * 4) * 3, "{seen:?}");
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
