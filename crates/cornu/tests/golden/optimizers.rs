//! Every optimizer and schedule against what Keras computed.

use crate::golden::{array, load};
use cornu::optimizers::{AdamW, Optimizer, schedules};
use cornu::{Array, Device, Function, Tensor, Variable};
use cornu_core::{Reference, function::Traced};
use serde_json::Value;
use std::sync::Arc;

fn list(v: &Value) -> &Vec<Value> {
    v.as_array().unwrap()
}

/// What differs by more than `tolerance` of the largest expected value.
fn difference(got: &Array, expected: &Value, tolerance: f64) -> Option<String> {
    let expected = array(expected);
    if got.shape() != expected.shape() || got.dtype() != expected.dtype() {
        return Some(format!("{got:?} instead of {expected:?}"));
    }
    let (a, b) = (got.to_vec::<f64>(), expected.to_vec::<f64>());
    let scale = b.iter().fold(f64::MIN_POSITIVE, |m, x| m.max(x.abs()));
    let off = a.iter().zip(&b).map(|(a, b)| (a - b).abs() / scale);
    let worst = off.fold(0.0, |m: f64, x| if x <= m { m } else { x });
    (worst.is_nan() || worst > tolerance)
        .then(|| format!("off by {worst:e}: {a:?} instead of {b:?}"))
}

/// Whether two configurations are the same, numbers compared as numbers.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(v, w)| same(v, w))
        }
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// Keras' MaxNorm constraint along axis 0.
fn max_norm(w: &Tensor, limit: f64) -> Tensor {
    let norm = w.square().sum_axes(&[0], true).sqrt();
    w * norm.clip(0.0, limit) / (norm + 1e-7)
}

fn optimizer(case: &Value) -> Optimizer {
    let config = &case["config"];
    if let Some(names) = case["exclude_from_weight_decay"].as_array() {
        assert_eq!(case["class"], "AdamW");
        return AdamW::new()
            .learning_rate(config["learning_rate"].as_f64().unwrap())
            .weight_decay(config["weight_decay"].as_f64())
            .exclude_from_weight_decay(names.iter().map(|n| n.as_str().unwrap()))
            .into();
    }
    let class = case["class"].as_str().unwrap();
    Optimizer::from_config(class, config.as_object().unwrap().clone()).unwrap()
}

/// Five steps of one case; what differs from Keras.
fn run(case: &Value, golden: &Value) -> Vec<String> {
    let kernel = Variable::new("dense/kernel", array(&golden["initial"]["kernel"]));
    let bias = Variable::new("dense/bias", array(&golden["initial"]["bias"]));
    let variables = [kernel, bias];
    let mut optimizer = optimizer(case);
    optimizer.build(&variables).unwrap();
    let optimizer = Arc::new(optimizer);
    let limit = case["kernel_max_norm"]["max_value"].as_f64();
    let step = {
        let (optimizer, variables) = (optimizer.clone(), variables.clone());
        Function::new(&Device::new(Reference), move |g| {
            let gradients: Vec<_> = variables.iter().cloned().zip(g.iter().cloned()).collect();
            let constrain = |v: &Variable, new: &Tensor| match limit {
                Some(limit) if v == &variables[0] => max_norm(new, limit),
                _ => new.clone(),
            };
            Traced {
                outputs: vec![],
                updates: optimizer.apply(&gradients, &constrain).unwrap(),
            }
        })
    };
    let mut wrong = Vec::new();
    let mut compare = |what: String, got: &Array, expected: &Value, tolerance: f64| {
        wrong.extend(difference(got, expected, tolerance).map(|d| format!("{what}: {d}")));
    };
    for (i, gradients) in list(&golden["gradients"]).iter().enumerate() {
        let rate = case["learning_rate"][i].as_f64().unwrap();
        assert!((optimizer.learning_rate() - rate).abs() <= 1e-6 * rate);
        step.call(&[&array(&gradients[0]), &array(&gradients[1])])
            .unwrap();
        for (j, v) in variables.iter().enumerate() {
            let expected = &case["variables"][i][j];
            compare(
                format!("step {i}, {}", v.name()),
                &v.value(),
                expected,
                1e-6,
            );
        }
    }
    let slots = list(&case["slots"]);
    let state = optimizer.variables();
    assert_eq!(state.len(), slots.len(), "{state:?}");
    for (got, expected) in state.iter().zip(slots) {
        let path = expected["path"].as_str().unwrap();
        // Keras gives some of Nadam's and Adafactor's state names that say nothing of it.
        if !["variable", "bias", "adafactor/kernel"].contains(&path) {
            assert_eq!(got.name(), path);
        }
        compare(path.to_owned(), &got.value(), &expected["value"], 1e-6);
    }
    optimizer.finalize().unwrap();
    if let Some(finalized) = case["finalized"].as_array() {
        for (v, expected) in variables.iter().zip(finalized) {
            compare(
                format!("finalized {}", v.name()),
                &v.value(),
                expected,
                1e-6,
            );
        }
    }
    let config = Value::Object(optimizer.to_config());
    if !same(&config, &case["get_config"]) {
        wrong.push(format!("{config} instead of {}", case["get_config"]));
    }
    let again = Optimizer::deserialize(&optimizer.serialize()).unwrap();
    assert_eq!(Value::Object(again.to_config()), config);
    wrong
}

#[test]
fn five_steps_are_those_of_keras() {
    let golden = load("optimizers");
    let mut wrong = Vec::new();
    for case in list(&golden["cases"]) {
        let differences = run(case, &golden);
        if !differences.is_empty() {
            let text = differences.join("\n    ");
            wrong.push(format!("{} {}: {text}", case["class"], case["config"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} cases differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn strings_are_those_of_keras() {
    let golden = load("optimizers");
    for (name, class) in golden["optimizer_strings"].as_object().unwrap() {
        let optimizer = Optimizer::from(name.as_str());
        optimizer.check().unwrap();
        assert_eq!(optimizer.class_name(), class.as_str().unwrap());
    }
    for name in list(&golden["refused_strings"]) {
        let name = name.as_str().unwrap();
        // Keras' table of names lacks Lamb.
        let known = name.eq_ignore_ascii_case("lamb");
        assert_eq!(Optimizer::from(name).check().is_ok(), known, "{name}");
    }
}

#[test]
fn schedules_are_those_of_keras() {
    for case in list(&load("schedules")["cases"]) {
        let schedule = schedules::deserialize(&serde_json::json!({
            "class_name": case["class"],
            "config": case["config"],
        }))
        .unwrap();
        let steps = array(&case["values"]).size() as u64;
        let values: Vec<f32> = (0..steps).map(|step| schedule.value(step) as f32).collect();
        let wrong = difference(&Array::from(values), &case["values"], 1e-6);
        assert!(wrong.is_none(), "{schedule:?}: {}", wrong.unwrap());
        let json = schedules::serialize(&*schedule);
        assert!(same(&json, &case["serialized"]), "{json}");
    }
}
