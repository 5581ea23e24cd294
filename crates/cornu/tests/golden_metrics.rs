//! Every metric against values that Keras itself computed (`tests/golden/metrics.json`).

use cornu::metrics::Metric;
use cornu::{Array, Device, Shape};
use cornu_core::{Reference, TensorType};
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/metrics.json"
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn number(v: &Value) -> f64 {
    match v {
        Value::String(s) => s.parse().unwrap(),
        Value::Bool(b) => f64::from(u8::from(*b)),
        v => v.as_f64().unwrap(),
    }
}

fn array(v: &Value) -> Array {
    let shape: Vec<usize> = v["shape"].as_array().unwrap().iter().map(size).collect();
    let data: Vec<f64> = v["data"].as_array().unwrap().iter().map(number).collect();
    let dtype = cornu::DType::from_name(v["dtype"].as_str().unwrap_or("float32")).unwrap();
    Array::from_vec(shape, data).unwrap().cast(dtype)
}

fn size(v: &Value) -> usize {
    v.as_u64().unwrap() as usize
}

fn type_of(a: &Array) -> TensorType {
    TensorType {
        shape: a.shape().clone(),
        dtype: a.dtype(),
    }
}

/// Equal within 1e-5 relative and 1e-6 absolute.
fn compare(what: &str, got: &Array, expected: &Array) -> Result<(), String> {
    let (g, e) = (got.to_vec::<f64>(), expected.to_vec::<f64>());
    let near = |(g, e): (&f64, &f64)| {
        (g.is_nan() && e.is_nan()) || g == e || (g - e).abs() <= 1e-6 + 1e-5 * e.abs()
    };
    if got.shape() == expected.shape() && g.iter().zip(&e).all(near) {
        return Ok(());
    }
    Err(format!(
        "{what}: {}{g:?} instead of {}{e:?}",
        got.shape(),
        expected.shape()
    ))
}

/// A value of the configuration as Keras wrote it, numbers compared as numbers.
fn same_config(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_config(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, v)| b.get(k).is_some_and(|w| same_config(v, w)))
        }
        (a, b) => a == b,
    }
}

fn run(case: &Value, device: &Device) -> Result<(), String> {
    let class = case["class"].as_str().unwrap();
    let what = format!("{class} {} {}", case["config"], case["note"]);
    let fail = |e: cornu::Error| format!("{what}: {e}");
    let mut metric = Metric::from_config(class, &case["config"]).map_err(fail)?;
    if metric.name() != case["name"].as_str().unwrap() {
        return Err(format!("{what}: name {}", metric.name()));
    }
    if !same_config(&metric.config(), &case["get_config"]) {
        let expected = &case["get_config"];
        return Err(format!(
            "{what}: config {} instead of {expected}",
            metric.config()
        ));
    }
    let steps = case["steps"].as_array().unwrap();
    for (i, step) in steps.iter().enumerate() {
        let y_true = array(step.get("values").unwrap_or(&step["y_true"]));
        let y_pred = array(step.get("values").unwrap_or(&step["y_pred"]));
        let weight = match &step["sample_weight"] {
            Value::Null => None,
            w => Some(array(w)),
        };
        if i == 0 {
            metric
                .build(&type_of(&y_true), &type_of(&y_pred))
                .map_err(fail)?;
            if case["result_initial"].get("error").is_none() {
                let initial = metric.value(device).map_err(fail)?;
                compare(
                    &format!("{what} at first"),
                    &initial,
                    &array(&case["result_initial"]),
                )?;
            }
        }
        metric
            .update_state(device, y_true, y_pred, weight)
            .map_err(fail)?;
        let expected = array(&step["result"]);
        let at = format!("{what} step {i}");
        compare(&at, &metric.value(device).map_err(fail)?, &expected)?;
        let computed = device.eval(&[metric.result()]).map_err(fail)?;
        compare(&format!("{at} on the device"), &computed[0], &expected)?;
    }
    let variables = case["variables"].as_array().unwrap();
    let shapes: Vec<&Shape> = metric.variables().iter().map(|v| v.shape()).collect();
    for (i, v) in variables.iter().enumerate() {
        let shape: Shape = v["shape"].as_array().unwrap().iter().map(size).collect();
        let name = format!("{}/{}", metric.name(), v["name"].as_str().unwrap());
        if *shapes[i] != shape || metric.variables()[i].name() != name {
            return Err(format!(
                "{what}: variable {:?}, not {v}",
                metric.variables()[i]
            ));
        }
        if let Some(values) = case["variable_values"].as_array() {
            let got = metric.variables()[i].value();
            compare(&format!("{what} {name}"), &got, &array(&values[i]))?;
        }
    }
    metric.reset().map_err(fail)?;
    if case["result_after_reset"] == "as initial" && case["result_initial"].get("error").is_none() {
        let value = metric.value(device).map_err(fail)?;
        compare(
            &format!("{what} reset"),
            &value,
            &array(&case["result_initial"]),
        )?;
    }
    Ok(())
}

#[test]
fn cases() {
    let device = Device::new(Reference);
    let golden = golden();
    let known = ["Mean", "Sum", "MeanSquaredError", "MeanAbsoluteError"];
    let all: Vec<&Value> = golden["cases"].as_array().unwrap().iter().collect();
    let class = |c: &Value| c["class"].as_str().unwrap_or_default().to_string();
    let written = |c: &&&Value| class(c).ends_with("Accuracy") || known.contains(&&*class(c));
    let all: Vec<&Value> = all.iter().filter(written).copied().collect();
    let failures: Vec<String> = all.iter().filter_map(|c| run(c, &device).err()).collect();
    assert!(
        failures.is_empty(),
        "{} of {} cases:\n{}",
        failures.len(),
        all.len(),
        failures.join("\n")
    );
}

#[test]
fn accuracy_by_shape() {
    let device = Device::new(Reference);
    for row in golden()["accuracy_resolution"].as_array().unwrap() {
        let (y_true, y_pred) = (array(&row["y_true"]), array(&row["y_pred"]));
        for name in ["accuracy", "acc", "Accuracy", "ACC"] {
            let expected = &row[name];
            let resolved = Metric::resolve(name, &type_of(&y_true), &type_of(&y_pred)).unwrap();
            assert_eq!(resolved.class_name(), expected["class"].as_str().unwrap());
            assert_eq!(resolved.name(), expected["name"].as_str().unwrap());
            let mut metric = Metric::from(name);
            metric
                .update_state(&device, y_true.clone(), y_pred.clone(), None)
                .unwrap();
            let value = metric.value(&device).unwrap();
            compare(name, &value, &array(&expected["value"])).unwrap();
        }
    }
}
