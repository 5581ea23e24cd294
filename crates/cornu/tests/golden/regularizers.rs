//! Regularizers against Keras' own penalties, gradients and configurations.

use crate::golden::{self, Report, close, eval, load, tensor};
use cornu::grad;
use cornu::regularizers::Regularizer;
use serde_json::{Value, json};

fn object(class: &Value, config: &Value) -> Value {
    json!({"module": "keras.regularizers", "class_name": class, "config": config, "registered_name": null})
}

#[test]
fn penalties_and_gradients() {
    let file = load("regularizers");
    let mut report = Report::default();
    for case in file["cases"].as_array().unwrap() {
        let x = tensor(&case["x"]);
        let outcome = Regularizer::from_config(&object(&case["class"], &case["config"]))
            .and_then(|r| {
                let y = r.penalty(&x);
                let dx = grad(&y, &[&x]).remove(0);
                eval(&[y, dx])
            })
            .map_err(|e| e.to_string())
            .and_then(|got| {
                close(&got[0], &golden::array(&case["value"]), 1e-5, 1e-6)?;
                // The slope of |x| at 0 is a convention: 0 here, as in TensorFlow and PyTorch; 1 in JAX.
                let zero = golden::array(&case["x"]).to_vec::<f64>().contains(&0.0);
                if zero && case["class"] != "L2" {
                    return Ok(());
                }
                close(&got[1], &golden::array(&case["grad"]), 1e-5, 1e-6)
                    .map_err(|e| format!("gradient: {e}"))
            });
        report.add(
            || format!("{} {} {}", case["class"], case["config"], case["x"]),
            outcome,
        );
    }
    report.finish(50);
}

#[test]
fn strings_and_configurations() {
    let file = load("regularizers");
    for (string, want) in file["strings"].as_object().unwrap() {
        let got = Regularizer::from(string.as_str()).to_config();
        assert_eq!(got["class_name"], want["class"]);
        assert_eq!(got["module"], "keras.regularizers");
        for (key, value) in want["config"].as_object().unwrap() {
            match value.as_f64() {
                // Keras rounds some factors to f32.
                Some(v) => assert!((got["config"][key].as_f64().unwrap() - v).abs() < 1e-8),
                None => assert_eq!(&got["config"][key], value),
            }
        }
    }
    for string in file["refused_strings"].as_array().unwrap() {
        let string = string.as_str().unwrap();
        // "l1_l2" is the name of Keras' function, which its own look-up by string misses.
        assert_eq!(
            Regularizer::from(string).check().is_ok(),
            string == "l1_l2",
            "{string}"
        );
    }
}
