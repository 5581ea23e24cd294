//! Metrics, splits and cross-validation against scikit-learn's (`golden/selection.json`).

use crate::golden::{Golden, off};
use cornu_linear::metrics::*;
use cornu_linear::model_selection::*;
use cornu_linear::*;

fn equal(what: &str, got: &[f64], expected: &[f64]) {
    assert_eq!(off(got, expected, 1e-11), None, "{what}: {got:?}");
}

#[test]
fn metrics_are_scikit_learns() {
    let golden = Golden::read("selection");
    let data = |name: &str| golden.numbers(&["data", name]);
    let (two, score, three, predicted) = (
        data("two"),
        data("score"),
        data("three"),
        data("three_pred"),
    );
    let proba = golden.matrix(&["data", "proba"]);
    let (y, y_pred) = (
        golden.matrix(&["data", "y"]),
        golden.matrix(&["data", "y_pred"]),
    );
    let weights = data("w");
    for (kind, w) in [("plain", None), ("weighted", Some(&weights[..]))] {
        let check = |what: &str, got: &[f64]| equal(what, got, &golden.numbers(&[kind, what]));
        check(
            "accuracy",
            &[accuracy_score(&three, &predicted, w).unwrap()],
        );
        check(
            "log_loss",
            &[log_loss(&three, &proba, &[1.0, 3.0, 7.0], w).unwrap()],
        );
        check("auc", &[roc_auc_score(&two, &score, w).unwrap()]);
        check("r2", &[r2_score(&y, &y_pred, w).unwrap()]);
        check("mae", &[mean_absolute_error(&y, &y_pred, w).unwrap()]);
        check("mse", &[mean_squared_error(&y, &y_pred, w).unwrap()]);
        let curve = roc_curve(&two, &score, w).unwrap();
        check("fpr", &curve.fpr);
        check("tpr", &curve.tpr);
        check("thresholds", &curve.thresholds[1..]);
        let averages = [
            Average::Micro,
            Average::Macro,
            Average::Weighted,
            Average::Label(3.0),
        ];
        check(
            "precision",
            &averages.map(|a| precision_score(&three, &predicted, a, w).unwrap()),
        );
        check(
            "recall",
            &averages.map(|a| recall_score(&three, &predicted, a, w).unwrap()),
        );
        check(
            "f1",
            &averages.map(|a| f1_score(&three, &predicted, a, w).unwrap()),
        );
    }
    let matrix = confusion_matrix(&three, &predicted).unwrap();
    assert_eq!(matrix.labels, [1.0, 3.0, 7.0, 9.0]);
    let counts: Vec<f64> = matrix.counts.iter().map(|&n| n as f64).collect();
    equal("confusion", &counts, &golden.numbers(&["confusion"]));
}

#[test]
fn splits_are_scikit_learns() {
    let golden = Golden::read("selection");
    let labels = golden.numbers(&["data", "three"]);
    let compare = |kind: &str, count: usize, splits: Vec<Split>| {
        let expected = golden.numbers(&[kind, &count.to_string()]);
        let tests: Vec<f64> = splits
            .iter()
            .flat_map(|s| s.test.iter().map(|&r| r as f64))
            .collect();
        assert_eq!(tests, expected, "{kind} {count}");
        for split in splits {
            assert!(split.train.is_sorted() && split.train.len() + split.test.len() == 40);
        }
    };
    for count in [2, 3, 7] {
        compare(
            "kfold",
            count,
            KFold::new().n_splits(count).split(40).unwrap(),
        );
    }
    for count in [2, 3, 5] {
        let folds = StratifiedKFold::new().n_splits(count);
        compare("stratified", count, folds.split(&labels).unwrap());
    }
}

#[test]
fn scores_are_scikit_learns() {
    let golden = Golden::read("selection");
    let x = golden.matrix(&["data", "x"]);
    let (target, labels) = (
        golden.numbers(&["target"]),
        golden.numbers(&["data", "three"]),
    );
    let scores = cross_val_score(&Ridge::new(), &x, &target, 4).unwrap();
    equal("ridge_scores", &scores, &golden.numbers(&["ridge_scores"]));
    let scores = cross_val_score(&LogisticRegression::new(), &x, &labels, 3).unwrap();
    equal(
        "logistic_scores",
        &scores,
        &golden.numbers(&["logistic_scores"]),
    );

    let candidates = [0.01, 1.0, 5.0, 100.0].map(|alpha| Ridge::new().alpha(alpha));
    let weights = golden.numbers(&["data", "w"]);
    let search = GridSearchCV::new(candidates)
        .fit_weighted(&x, &target, &weights)
        .unwrap();
    let scores: Vec<f64> = search.scores().t().iter().copied().collect();
    equal("grid_scores", &scores, &golden.numbers(&["grid_scores"]));
    assert_eq!(
        search.best_index() as f64,
        golden.numbers(&["grid_best"])[0]
    );
    assert_eq!(
        search.best_estimator(),
        &Ridge::new().alpha([0.01, 1.0, 5.0, 100.0][search.best_index()])
    );
    let coef: Vec<f64> = search.model().coef().iter().copied().collect();
    equal("grid_coef", &coef, &golden.numbers(&["grid_coef"]));
}

#[test]
fn random_splits_hold_every_row_once() {
    let labels: Vec<f64> = (0..30).map(|r| f64::from(u8::from(r % 5 == 0))).collect();
    let y = Targets::from(&labels);
    for split in [
        TrainTestSplit::new().rows(&y).unwrap(),
        TrainTestSplit::new()
            .test_size(0.5)
            .stratify(true)
            .rows(&y)
            .unwrap(),
        KFold::new().shuffle(3).split(30).unwrap().remove(0),
        StratifiedKFold::new()
            .shuffle(3)
            .split(&labels)
            .unwrap()
            .remove(0),
    ] {
        let mut all = [&split.train[..], &split.test].concat();
        assert_ne!(all, (0..30).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..30).collect::<Vec<_>>());
    }
    let split = TrainTestSplit::new()
        .test_size(0.3)
        .stratify(true)
        .split(&x30(), &labels)
        .unwrap();
    assert_eq!((split.y_train.len(), split.y_test.len()), (21, 9));
    let ones = split.y_test.values().iter().sum::<f64>();
    assert!(
        (1.0..=2.0).contains(&ones),
        "{ones} of 6 ones in three tenths"
    );
    let same = TrainTestSplit::new().seed(4).rows(&y).unwrap();
    assert_eq!(same, TrainTestSplit::new().seed(4).rows(&y).unwrap());
    assert_ne!(same, TrainTestSplit::new().seed(5).rows(&y).unwrap());
}

fn x30() -> ndarray::Array2<f64> {
    ndarray::Array2::from_shape_fn((30, 1), |(r, _)| r as f64)
}

#[test]
fn what_cannot_be_split_or_scored_is_refused() {
    fn refused<T: std::fmt::Debug>(result: Result<T>, part: &str) {
        let message = result.expect_err("bad input must be refused").to_string();
        assert!(message.contains(part), "{message}");
    }
    let y = Targets::from(&[0, 0, 1]);
    refused(
        TrainTestSplit::new().test_size(1.0).rows(&y),
        "between 0 and 1",
    );
    refused(
        TrainTestSplit::new().test_size(f64::NAN).rows(&y),
        "between 0 and 1",
    );
    refused(
        TrainTestSplit::new().stratify(true).rows(&y),
        "at least two of each",
    );
    refused(KFold::new().split(3), "for each of the 3 rows. Received: 5");
    refused(KFold::new().n_splits(1).split(3), "Received: 1");
    refused(
        StratifiedKFold::new().n_splits(3).split(&[0, 0, 1]),
        "most frequent label",
    );
    refused(StratifiedKFold::new().split(&[0.0; 0]), "Received: 5");
    let given = vec![Split {
        train: vec![0],
        test: vec![3],
    }];
    refused(Folds::from(given).splits(&y, false), "Received: 3");
    refused(Folds::from(Vec::new()).splits(&y, false), "at least one");
    let none: [Ridge; 0] = [];
    refused(
        GridSearchCV::new(none).fit(&x30(), &x30().column(0)),
        "at least one candidate",
    );

    refused(accuracy_score(&[0, 1], &[0], None), "Received: 1 rows");
    refused(accuracy_score(&[0; 0], &[0; 0], None), "at least one row");
    refused(r2_score(&[0.0, f64::NAN], &[0.0, 1.0], None), "finite");
    refused(r2_score(&[0.0, 1.0], &[0.0, f64::INFINITY], None), "finite");
    refused(mean_squared_error(&[0.0], &[0.0], Some(&[0.0])), "not 0");
    refused(roc_curve(&[1, 1], &[0.2, 0.3], None), "two classes");
    refused(roc_curve(&[0, 1, 2], &[0.2, 0.3, 0.4], None), "two classes");
    refused(
        roc_curve(&[0, 1], &[0.2, 0.3], Some(&[0.0, 1.0])),
        "both classes",
    );
    refused(
        precision_score(&[0, 1], &[0, 1], Average::Label(2.0), None),
        "Received: 2",
    );
    let proba = ndarray::array![[0.5, 0.5], [1.5, -0.5]];
    refused(log_loss(&[0, 1], &proba, &[0.0, 1.0], None), "from 0 to 1");
    let proba = ndarray::array![[0.5, 0.5], [0.5, 0.5]];
    refused(log_loss(&[0, 3], &proba, &[0.0, 1.0], None), "Received: 3");
    refused(log_loss(&[0, 1], &proba, &[0.0], None), "2 rows of 1");
}
