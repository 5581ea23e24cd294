//! Losses against Keras' own values and gradients: reductions, weights and masks included.

use crate::golden::{self, Report, close, eval, load, tensor};
use cornu::losses::Loss;
use cornu::{Tensor, grad};
use serde_json::{Value, json};

fn loss(class: &str, config: &Value) -> cornu::Result<Loss> {
    let mut config = config.clone();
    // What the file gives as constructor arguments is also a configuration.
    if config["reduction"].is_null() {
        config.as_object_mut().unwrap().remove("reduction");
    }
    Loss::from_config(&json!({"module": "keras.losses", "class_name": class, "config": config}))
}

#[test]
fn values_and_gradients() {
    let file = load("losses");
    let mut report = Report::default();
    for case in file["cases"].as_array().unwrap() {
        let class = case["class"].as_str().unwrap();
        let note = case["note"].as_str().unwrap();
        let optional = |key: &str| (!case[key].is_null()).then(|| tensor(&case[key]));
        let (y_true, y_pred) = (tensor(&case["y_true"]), tensor(&case["y_pred"]));
        let (weight, mask) = (optional("sample_weight"), optional("mask"));
        let outcome = loss(class, &case["config"])
            .and_then(|loss| {
                let value = loss.compute(&y_true, &y_pred, weight.as_ref(), mask.as_ref());
                let dp: Tensor = grad(&value.sum(), &[&y_pred]).remove(0);
                eval(&[value, dp])
            })
            .map_err(|e| e.to_string())
            .and_then(|got| {
                close(&got[0], &golden::array(&case["value"]), 1e-5, 1e-6)?;
                close(&got[1], &golden::array(&case["grad"]), 1e-5, 1e-6)
                    .map_err(|e| format!("gradient: {e}"))
            });
        report.add(|| format!("{class} {} {note}", case["config"]), outcome);
    }
    report.finish(707);
}

#[test]
fn strings() {
    let file = load("losses");
    for (string, name) in file["loss_strings"].as_object().unwrap() {
        let loss = Loss::from(string.as_str());
        loss.check().unwrap();
        assert_eq!(loss.to_config(), json!(string));
        // A function keeps the string as its name, a class has its own.
        let class =
            string.starts_with(char::is_uppercase) && string.chars().any(char::is_lowercase);
        if class || string == "CTC" {
            let default = &file["default_configs"][name.as_str().unwrap()]["name"];
            assert_eq!(loss.name(), default.as_str().unwrap());
        } else {
            assert_eq!(loss.name(), string);
        }
    }
    for string in file["refused_strings"].as_array().unwrap() {
        let string = string.as_str().unwrap();
        let accepted = [
            // Keras forgot to register these two.
            "CategoricalGeneralizedCrossEntropy",
            "categorical_generalized_cross_entropy",
            // `compile` takes these two; `keras.losses.get` does not.
            "crossentropy",
            "ce",
        ];
        assert_eq!(
            Loss::from(string).check().is_ok(),
            accepted.contains(&string),
            "{string}"
        );
    }
}

#[test]
fn default_configurations() {
    let file = load("losses");
    for (class, want) in file["default_configs"].as_object().unwrap() {
        let mut got = loss(class, &json!({})).unwrap().to_config();
        assert_eq!(got["class_name"], json!(class));
        assert_eq!(got["module"], "keras.losses");
        let config = got["config"].as_object_mut().unwrap();
        // Keras leaves out these arguments, so that they are lost; it takes them.
        let left_out = match class.as_str() {
            "Huber" => "delta",
            "CosineSimilarity" | "SparseCategoricalCrossentropy" => "axis",
            _ => "",
        };
        config.remove(left_out);
        assert_eq!(&got["config"], want, "{class}");
    }
}
