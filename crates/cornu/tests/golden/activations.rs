//! Activations against Keras' own values and gradients.

use crate::golden::{self, Report, close, eval, load, tensor};
use cornu::activations::{self as a, Activation};
use cornu::{Tensor, grad};
use serde_json::Value;

fn axes(args: &Value) -> Vec<isize> {
    match &args["axis"] {
        Value::Null => vec![-1],
        Value::Array(v) => v.iter().map(|a| a.as_i64().unwrap() as isize).collect(),
        v => vec![v.as_i64().unwrap() as isize],
    }
}

fn apply(name: &str, args: &Value, x: &Tensor) -> Tensor {
    let arg = |name: &str, default: f64| args.get(name).map_or(default, |v| v.as_f64().unwrap());
    if args.as_object().unwrap().is_empty() {
        return Activation::from(name).apply(x);
    }
    match name {
        "celu" => a::celu_with(x, arg("alpha", 1.0)),
        "elu" => a::elu_with(x, arg("alpha", 1.0)),
        "gelu" => a::gelu_with(x, args["approximate"].as_bool().unwrap()),
        "hard_shrink" => a::hard_shrink_with(x, arg("threshold", 0.5)),
        "soft_shrink" => a::soft_shrink_with(x, arg("threshold", 0.5)),
        "leaky_relu" => a::leaky_relu_with(x, arg("negative_slope", 0.2)),
        "relu" => a::relu_with(
            x,
            arg("negative_slope", 0.0),
            args.get("max_value").map(|v| v.as_f64().unwrap()),
            arg("threshold", 0.0),
        ),
        "squareplus" => a::squareplus_with(x, arg("b", 4.0)),
        "threshold" => a::threshold(x, arg("threshold", 0.0), arg("default_value", 0.0)),
        "softmax" => a::softmax_with(x, &axes(args)),
        "log_softmax" => a::log_softmax_with(x, &axes(args)),
        "sparsemax" => a::sparsemax_with(x, axes(args)[0]),
        "glu" => a::glu_with(x, axes(args)[0]),
        _ => panic!("{name} with {args}"),
    }
}

#[test]
fn values_and_gradients() {
    let file = load("activations");
    let mut report = Report::default();
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let note = case["note"].as_str().unwrap();
        // Keras 3.15 sums the cumulative sums where one of them is meant, so that its sparsemax does not
        // sum to 1 unless a single element is left (as in "large"). Ours is the paper's: see below.
        if name == "sparsemax" && note != "large" {
            continue;
        }
        let x = tensor(&case["x"]);
        let y = apply(name, &case["args"], &x);
        let dx = grad(&(&y * tensor(&case["w"])).sum(), &[&x]).remove(0);
        // XLA's tanh and sigmoid are exactly ±1 and 0 a little earlier than the true functions.
        let absolute = match (name, note) {
            ("gelu", "smooth") | ("glu", "large") => 1e-5,
            _ => 1e-6,
        };
        let outcome = eval(&[y, dx]).map_err(|e| e.to_string()).and_then(|got| {
            close(&got[0], &golden::array(&case["y"]), 1e-5, 1e-6)?;
            close(&got[1], &golden::array(&case["grad"]), 1e-5, absolute)
                .map_err(|e| format!("gradient: {e}"))
        });
        report.add(|| format!("{name} {} {note}", case["args"]), outcome);
    }
    report.finish(140);
}

#[test]
fn sparsemax_is_the_projection_onto_the_simplex() {
    let x = Tensor::constant([[0.7f32, 0.7, 0.7, 0.7], [1.0, 0.9, -1.0, 0.0]]);
    let y = eval(&[a::sparsemax(&x)]).unwrap().remove(0);
    let want = [[0.25f32, 0.25, 0.25, 0.25], [0.55, 0.45, 0.0, 0.0]];
    close(&y, &want.into(), 1e-6, 1e-7).unwrap();
}

#[test]
fn strings() {
    let file = load("activations");
    for (string, name) in file["strings"].as_object().unwrap() {
        let activation = Activation::from(string.as_str());
        assert_eq!(activation.name(), name.as_str().unwrap());
        // "threshold" is known, but has no default arguments in Keras either.
        assert_eq!(
            activation.check().is_ok(),
            string != "threshold",
            "{string}"
        );
    }
    for string in file["refused_strings"].as_array().unwrap() {
        assert!(
            Activation::from(string.as_str().unwrap()).check().is_err(),
            "{string}"
        );
    }
}
