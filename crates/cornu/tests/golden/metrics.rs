//! Every metric against values that Keras itself computed (`tests/golden/metrics.json`).

use crate::golden::{array, load, usize_of};
use cornu::metrics::Metric;
use cornu::{Array, Device, Shape};
use cornu_core::{Reference, TensorType};
use serde_json::Value;

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
        let shape: Shape = v["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(usize_of)
            .collect();
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
    let golden = load("metrics");
    // Keras' Poisson metric alone does not fit a vector of labels to a column of predictions but
    // pairs every label with every prediction. Here it fits them, as all others do.
    let paired =
        |c: &&Value| c["class"] == "Poisson" && c["note"] == "y_true rank 1, y_pred a column";
    let all: Vec<&Value> = golden["cases"].as_array().unwrap().iter().collect();
    let all: Vec<&Value> = all.into_iter().filter(|c| !paired(c)).collect();
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
    for row in load("metrics")["accuracy_resolution"].as_array().unwrap() {
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

#[test]
fn strings() {
    let golden = load("metrics");
    for (name, class) in golden["metric_strings"].as_object().unwrap() {
        let metric = Metric::from(name.as_str());
        metric.check().unwrap();
        assert_eq!(metric.name(), name);
        if !["accuracy", "Accuracy"].contains(&name.as_str()) {
            assert_eq!(metric.class_name(), class.as_str().unwrap(), "{name}");
        }
    }
    // Keras refuses these where it takes a metric by name: some need arguments or mean nothing. The
    // others are taken here; most of them Keras takes in `compile` or as the string of a loss.
    let wrong = [
        "",
        "IoU",
        "MeanIoU",
        "OneHotIoU",
        "OneHotMeanIoU",
        "PrecisionAtRecall",
        "RecallAtPrecision",
        "SensitivityAtSpecificity",
        "SpecificityAtSensitivity",
        "f1score",
        "io_u",
        "iou",
        "mean_io_u",
    ];
    for name in golden["refused_strings"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        let refused = Metric::from(name).check().is_err();
        assert_eq!(refused, wrong.contains(&name), "{name}");
    }
}

#[test]
fn default_configs() {
    for (class, config) in load("metrics")["default_configs"].as_object().unwrap() {
        let metric = Metric::from_config(class, &Value::Object(Default::default())).unwrap();
        assert!(
            same_config(&metric.config(), config),
            "{} {config}",
            metric.config()
        );
    }
}

#[test]
fn types_that_do_not_fit_are_named() {
    let ty = |shape: &[usize]| TensorType {
        shape: shape.into(),
        dtype: cornu::DType::F32,
    };
    let text = |metric: Metric, y_true: &[usize], y_pred: &[usize]| {
        let mut metric = metric;
        metric
            .build(&ty(y_true), &ty(y_pred))
            .unwrap_err()
            .to_string()
    };
    let e = text("categorical_accuracy".into(), &[32, 1], &[32, 10]);
    assert!(
        e.contains("\"categorical_accuracy\" (CategoricalAccuracy)"),
        "{e}"
    );
    assert!(
        e.contains("(32, 1)") && e.contains("(32, 10)") && e.contains("sparse"),
        "{e}"
    );
    let e = text("f1_score".into(), &[8, 4, 3], &[8, 4, 3]);
    assert!(e.contains("(samples, classes)"), "{e}");
    let e = text(
        cornu::metrics::AUC::new().curve("RCO").name("area"),
        &[8],
        &[8],
    );
    assert!(
        e.contains("\"area\"") && e.contains("Did you mean \"ROC\""),
        "{e}"
    );
    let e = text("mse".into(), &[8, 3], &[8, 2]);
    assert!(e.contains("\"mse\" (MeanSquaredError)"), "{e}");
    let e = text(
        cornu::metrics::Precision::new().thresholds(1.5).into(),
        &[8],
        &[8],
    );
    assert!(e.contains("[0, 1]"), "{e}");
}

#[test]
fn updates_need_a_state_and_follow_the_program() {
    let metric = Metric::from("mae");
    let x = cornu::Tensor::constant([[1.0f32]]);
    assert!(metric.updates(&x, &x, None).is_err());
    assert!(metric.result().check().is_err());
    // In a program: the state is read and written in place, batch after batch, of any length.
    let mut metric = Metric::from(("off", |t: &cornu::Tensor, p: &cornu::Tensor| (t - p).abs()));
    metric.build(x.ty(), x.ty()).unwrap();
    let inside = metric.clone();
    let step = cornu::Function::new(&Device::new(Reference), move |x| cornu::Traced {
        outputs: vec![],
        updates: inside.updates(&x[0], &x[1], None).unwrap(),
    });
    let zeros = |n: usize| Array::zeros(cornu::DType::F32, [n, 1]);
    step.call(&[&zeros(3), &Array::full(cornu::DType::F32, [3, 1], 2.0)])
        .unwrap();
    step.call(&[&zeros(1), &zeros(1)]).unwrap();
    assert_eq!(metric.host_value(), Some(1.5));
}
