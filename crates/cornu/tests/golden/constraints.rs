//! Constraints against Keras' own weights.

use crate::golden::{self, Report, close, eval, load, tensor};
use cornu::constraints::Constraint;
use serde_json::{Value, json};

#[test]
fn weights() {
    let file = load("constraints");
    let mut report = Report::default();
    for case in file["cases"].as_array().unwrap() {
        let x = tensor(&case["x"]);
        let object = json!({"class_name": case["class"], "config": case["config"]});
        let outcome = Constraint::from_config(&object)
            .and_then(|c| eval(&[c.apply(&x)]))
            .map_err(|e| e.to_string())
            .and_then(|got| close(&got[0], &golden::array(&case["y"]), 1e-5, 1e-6));
        report.add(
            || format!("{} {} {}", case["class"], case["config"], case["note"]),
            outcome,
        );
    }
    report.finish(55);
}

/// Equal, whether numbers are written as 2 or as 2.0.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[test]
fn strings_and_configurations() {
    let file = load("constraints");
    for (string, want) in file["strings"].as_object().unwrap() {
        let got = Constraint::from(string.as_str()).to_config();
        assert_eq!(got["class_name"], want["class"]);
        let config = want["config"].as_object().unwrap();
        assert_eq!(got["config"].as_object().unwrap().len(), config.len());
        for (key, value) in config {
            assert!(same(&got["config"][key], value), "{string}: {key}");
        }
    }
    for string in file["refused_strings"].as_array().unwrap() {
        assert!(
            Constraint::from(string.as_str().unwrap()).check().is_err(),
            "{string}"
        );
    }
}
