//! Linear models as networks: the same predictions, also after saving.
#![cfg(feature = "linear")]

use cornu::linear::metrics::{
    log_loss, mean_absolute_error, mean_squared_error, r2_score, roc_auc_score,
};
use cornu::linear::model_selection::GridSearchCV;
use cornu::linear::preprocessing::{Pipeline, RobustScaler, StandardScaler, Transform};
use cornu::linear::statistics::{Logit, Ols};
use cornu::linear::*;
use cornu::prelude::*;
use ndarray::{Array1, Array2, ArrayD, Axis};

fn data() -> (Array2<f64>, Array1<f64>) {
    let x = Array2::from_shape_fn((60, 3), |(r, c)| {
        ((r * (2 * c + 3) + c) % 11) as f64 / 5.0 - 1.0
    });
    let y = Array1::from_shape_fn(60, |r| {
        2.0 * x[[r, 0]] - x[[r, 1]] + 0.3 * ((r % 5) as f64 - 2.0)
    });
    (x, y)
}

/// The network's outputs, and those of the network read back from its file.
fn outputs(model: &impl ToSequential, x: &Array2<f64>, name: &str) -> ArrayD<f32> {
    let network = model.to_sequential().expect("a network");
    let x = x.mapv(|v| v as f32);
    let made = network.predict(&x).expect("predictions");
    let file = std::env::temp_dir().join(format!("cornu-{}-{name}.keras", std::process::id()));
    network.save(&file).expect("saved");
    let back = cornu::saving::load_model(&file).expect("read back");
    std::fs::remove_file(&file).expect("removed");
    assert_eq!(back.predict(&x).expect("predictions"), made, "{name}");
    made.into_ndarray().expect("f32")
}

fn same(network: ArrayD<f32>, exact: Array2<f64>, name: &str) {
    assert_eq!(network.shape(), exact.shape(), "{name}");
    for (got, expected) in network.iter().zip(&exact) {
        let off = (f64::from(*got) - expected).abs();
        assert!(
            off <= 2e-6 * (1.0 + expected.abs()),
            "{name}: {got} for {expected}"
        );
    }
}

#[test]
fn regressions_predict_alike() {
    let (x, y) = data();
    let column = |v: Array1<f64>| v.insert_axis(Axis(1));
    let model = LinearRegression::new().fit(&x, &y).unwrap();
    same(
        outputs(&model, &x, "ols"),
        column(model.predict(&x).unwrap()),
        "LinearRegression",
    );
    let two = Array2::from_shape_fn((60, 2), |(r, t)| y[r] + t as f64 * x[[r, 2]]);
    let model = Ridge::new().fit(&x, &two).unwrap();
    same(
        outputs(&model, &x, "two"),
        model.predict_targets(&x).unwrap(),
        "two targets",
    );
    let counts = y.mapv(|v| (v + 4.0).round());
    let model = PoissonRegressor::new().fit(&x, &counts).unwrap();
    same(
        outputs(&model, &x, "poisson"),
        column(model.predict(&x).unwrap()),
        "PoissonRegressor",
    );
    let model = TweedieRegressor::new().fit(&x, &y).unwrap();
    same(
        outputs(&model, &x, "tweedie"),
        column(model.predict(&x).unwrap()),
        "TweedieRegressor",
    );
    let model = HuberRegressor::new().fit(&x, &y).unwrap();
    same(
        outputs(&model, &x, "huber"),
        column(model.predict(&x).unwrap()),
        "HuberRegressor",
    );
    let fit = Ols::new().fit(&x, &y).unwrap();
    same(
        outputs(&fit, &x, "statistics"),
        column(fit.fittedvalues()),
        "Ols",
    );
}

#[test]
fn classifications_predict_alike() {
    let (x, y) = data();
    let last = |p: Array2<f64>| p.select(Axis(1), &[p.ncols() - 1]);
    let two = y.mapv(|v| u8::from(v > 0.0));
    let model = LogisticRegression::new().fit(&x, &two).unwrap();
    same(
        outputs(&model, &x, "logistic"),
        last(model.predict_proba(&x).unwrap()),
        "two classes",
    );
    let fit = Logit::new()
        .fit(
            &x,
            &Array1::from_shape_fn(60, |r| u8::from(y[r] + (r % 3) as f64 > 1.0)),
        )
        .unwrap();
    let linear = fit.model().unwrap().predict_targets(&x).unwrap();
    let probabilities = linear.mapv(|z| 1.0 / (1.0 + (-z).exp()));
    same(outputs(&fit, &x, "logit"), probabilities, "Logit");
    let three = y.mapv(|v| if v > 1.0 { 2 } else { u8::from(v > -1.0) });
    let model = LogisticRegression::new().fit(&x, &three).unwrap();
    same(
        outputs(&model, &x, "softmax"),
        model.predict_proba(&x).unwrap(),
        "three classes",
    );
    // One against the rest: the sigmoids themselves; the same class has the greatest.
    let model = LogisticRegression::new().multi_class(MultiClass::OneVsRest);
    let model = model.fit(&x, &three).unwrap();
    let sigmoids = model
        .decision_function(&x)
        .unwrap()
        .mapv(|z| 1.0 / (1.0 + (-z).exp()));
    same(
        outputs(&model, &x, "rest"),
        sigmoids,
        "one against the rest",
    );
    let model = RidgeClassifier::new().fit(&x, &three).unwrap();
    same(
        outputs(&model, &x, "scores"),
        model.decision_function(&x).unwrap(),
        "scores",
    );
}

#[test]
fn pipelines_and_searches_predict_alike() {
    let (x, y) = data();
    let x = x * 30.0 + 7.0;
    let column = |v: Array1<f64>| v.insert_axis(Axis(1));
    let pipeline = Pipeline::new(StandardScaler::new(), Lasso::new().alpha(0.1));
    let fit = pipeline.fit(&x, &y).unwrap();
    same(
        outputs(&fit, &x, "pipeline"),
        column(fit.predict(&x).unwrap()),
        "Pipeline",
    );
    let three = y.mapv(|v| if v > 1.0 { 2 } else { u8::from(v > -1.0) });
    let scaler = RobustScaler::new().unit_variance(true);
    let grid = [0.1, 1.0].map(|c| Pipeline::new(scaler, LogisticRegression::new().c(c)));
    let search = GridSearchCV::new(grid).cv(3).fit(&x, &three).unwrap();
    let best = search.model();
    let scaled = best.transform().transform(&x).unwrap();
    same(
        outputs(&search, &x, "search"),
        best.model().predict_proba(&scaled).unwrap(),
        "GridSearchCV",
    );
}

#[test]
fn a_converted_model_learns_on() {
    let (x, y) = data();
    let exact = LinearRegression::new().fit(&x, &y).unwrap();
    let mut network = exact.to_sequential().unwrap();
    network
        .compile(SGD::new().learning_rate(0.01), "mse", [] as [&str; 0])
        .unwrap();
    let (x, y) = (x.mapv(|v| v as f32), y.mapv(|v| v as f32));
    let before = network.evaluate(&x, &y).unwrap()["loss"];
    network
        .fit(&x, &y, Fit::new().epochs(3).batch_size(60).verbose(0))
        .unwrap();
    let after = network.evaluate(&x, &y).unwrap()["loss"];
    // It is at the optimum already.
    assert!((after - before).abs() < 1e-6, "{before} {after}");
}

/// The metrics of both worlds say the same of the same predictions.
#[test]
fn models_are_measured_alike() {
    let (x, y) = data();
    let (x32, y32) = (x.mapv(|v| v as f32), y.mapv(|v| v as f32));
    let near = |network: f64, exact: f64, tolerance: f64| {
        assert!((network - exact).abs() < tolerance, "{network} {exact}");
    };
    let model = Ridge::new().fit(&x, &y).unwrap();
    let predicted = model.predict(&x).unwrap();
    let mut network = model.to_sequential().unwrap();
    network
        .compile(SGD::new(), "mse", ["mae", "r2_score"])
        .unwrap();
    let measured = network.evaluate(&x32, &y32).unwrap();
    let error = mean_absolute_error(&y, &predicted, None).unwrap();
    near(measured["mae"], error, 1e-6);
    let error = mean_squared_error(&y, &predicted, None).unwrap();
    near(measured["loss"], error, 1e-6);
    near(
        measured["r2_score"],
        r2_score(&y, &predicted, None).unwrap(),
        1e-6,
    );

    let two = Array1::from_shape_fn(60, |r| f32::from(u8::from(y[r] + (r % 3) as f64 > 1.0)));
    let model = LogisticRegression::new().fit(&x, &two).unwrap();
    let probabilities = model.predict_proba(&x).unwrap();
    let mut network = model.to_sequential().unwrap();
    network
        .compile(SGD::new(), "binary_crossentropy", ["accuracy", "auc"])
        .unwrap();
    let measured = network.evaluate(&x32, &two).unwrap();
    let loss = log_loss(&two, &probabilities, model.classes(), None).unwrap();
    near(measured["loss"], loss, 1e-5);
    near(measured["accuracy"], model.score(&x, &two).unwrap(), 1e-6);
    // Keras' area is that of 200 thresholds.
    let area = roc_auc_score(&two, &probabilities.column(1), None).unwrap();
    near(measured["auc"], area, 5e-3);
}

#[test]
fn coefficients_beyond_f32_are_refused() {
    let model = LinearModel::new(ndarray::array![[1e300]], ndarray::array![0.0]).unwrap();
    let message = model.to_sequential().expect_err("refused").to_string();
    assert!(message.contains("finite in f32"), "{message}");
}
