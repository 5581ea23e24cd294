//! Which strings stand for what, in every spelling of every name that Keras has, against Keras' own look-up.

use crate::golden::{Report, eval, load};
use cornu::activations::Activation;
use cornu::constraints::Constraint;
use cornu::initializers::Initializer;
use cornu::losses::Loss;
use cornu::metrics::Metric;
use cornu::optimizers::Optimizer;
use cornu::regularizers::Regularizer;
use cornu::{Array, Tensor};
use serde_json::Value;

/// What Keras takes and means nothing: what all of a kind come from. An activation without the arguments
/// that it needs, and an initializer that is refused likewise, are known and refused for another reason.
const ABSTRACT: [&str; 10] = [
    "Constraint",
    "Initializer",
    "Loss",
    "Metric",
    "Regularizer",
    "constraint",
    "initializer",
    "metric",
    "regularizer",
    "threshold",
];

/// What stands for a thing here and not in Keras: names that Keras forgot to register, functions' names, and
/// what only `compile` takes there.
const MORE: [(&str, &[&str]); 4] = [
    (
        "losses",
        &[
            "CategoricalGeneralizedCrossEntropy",
            "categorical_generalized_cross_entropy",
            "ce",
            "crossentropy",
        ],
    ),
    (
        "metrics",
        &[
            "ACC",
            "ACCURACY",
            "Acc",
            "CE",
            "CROSSENTROPY",
            "Ce",
            "Crossentropy",
            "Huber",
            "KLD",
            "acc",
            "binary_focal_crossentropy",
            "categorical_focal_crossentropy",
            "ce",
            "crossentropy",
            "huber",
            "kld",
            "log_cosh",
            "logcosh",
            "rmse",
        ],
    ),
    ("optimizers", &["LAMB", "Lamb", "lamb"]),
    ("regularizers", &["l1_l2"]),
];

/// The loss of some predictions, by name.
fn value(name: &str) -> Option<Array> {
    let loss = Loss::from(name);
    let truth = match name.to_lowercase() {
        n if n.contains("sparse") || n == "circle" => Tensor::constant([[1i32], [0]]),
        n if n == "ctc" => Tensor::constant([[1i32], [2]]),
        _ => Tensor::constant([[0.0f32, 1.0, 0.0], [1.0, 0.0, 0.0]]),
    };
    let guess = Tensor::constant([[0.2f32, 0.7, 0.1], [0.5, 0.3, 0.2]]);
    let values = eval(&[loss.compute(&truth, &guess, None, None)]).ok()?;
    values.into_iter().next()
}

/// What a string stands for: `Ok` with its class or name, or that it stands for nothing.
fn meaning(kind: &str, name: &str, want: &str) -> cornu::Result<String> {
    let class = |config: Value| {
        config["class_name"]
            .as_str()
            .unwrap_or_default()
            .to_string()
    };
    Ok(match kind {
        "activations" => {
            let it = Activation::from(name);
            it.check()?;
            it.name().to_string()
        }
        "constraints" => {
            let it = Constraint::from(name);
            it.check()?;
            class(it.to_config())
        }
        "initializers" => {
            let it = Initializer::from(name);
            it.check()?;
            class(it.to_config())
        }
        "losses" => {
            Loss::from(name).check()?;
            // A function and its short names are one if they say the same.
            match value(name) == value(want) {
                true => want.to_string(),
                false => format!("{:?} and not {:?}", value(name), value(want)),
            }
        }
        "metrics" => {
            let it = Metric::from(name);
            it.check()?;
            match it.class_name() {
                // Which accuracy it is, the shapes tell.
                "accuracy" => "Accuracy".to_string(),
                class => class.to_string(),
            }
        }
        "optimizers" => {
            let it = Optimizer::from(name);
            it.check()?;
            it.class_name().to_string()
        }
        _ => {
            let it = Regularizer::from(name);
            it.check()?;
            class(it.to_config())
        }
    })
}

#[test]
fn spellings_of_every_name() {
    let file = load("strings");
    let mut report = Report::default();
    for (kind, of_kind) in file.as_object().unwrap() {
        if kind == "versions" {
            continue;
        }
        for (name, want) in of_kind["taken"].as_object().unwrap() {
            let want = want.as_str().unwrap();
            if ABSTRACT.contains(&name.as_str()) {
                continue;
            }
            let outcome = match meaning(kind, name, want) {
                Ok(got) if got == want => Ok(()),
                Ok(got) => Err(format!("{got} instead of {want}")),
                Err(e) => Err(e.to_string()),
            };
            report.add(|| format!("{kind}, \"{name}\""), outcome);
        }
        let more = MORE.iter().find(|(of, _)| of == kind);
        let more = more.map_or(&[][..], |(_, names)| names);
        for name in of_kind["refused"].as_array().unwrap() {
            let name = name.as_str().unwrap();
            let taken = meaning(kind, name, name).is_ok();
            let said = (taken == more.contains(&name)).then_some(());
            report.add(
                || format!("{kind}, \"{name}\""),
                said.ok_or(format!("taken: {taken}, and Keras refuses it")),
            );
        }
    }
    report.finish(1700);
}
