//! Layers, stacks of layers and their summaries against Keras' own.

use crate::golden::{self, Report, array, close, number, same_json as same, usize_of};
use cornu::layers::{self, InputShape};
use cornu::prelude::*;
use serde_json::{Value, json};

/// A Keras object of a class with this configuration.
fn object(class: &Value, config: &Value) -> Value {
    json!({"module": "keras.layers", "class_name": class, "config": config, "registered_name": null})
}

/// A built model of one layer, for samples of the input's shape.
fn one_layer(case: &Value, shape: &[usize]) -> cornu::Result<Sequential> {
    let layer = layers::from_config(&object(&case["class"], &case["get_config"]))?;
    let mut model = Sequential::from_layers(vec![layer]);
    model.build_for(&InputShape::batch_of(&shape[1..]))?;
    Ok(model)
}

fn equal<T: PartialEq + std::fmt::Debug>(got: T, want: T) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{got:?} instead of {want:?}"))
    }
}

const RELATIVE: f64 = 1e-5;
// Gradients through many steps of a sequence are sums in f32, whose order is not Keras'.
const ABSOLUTE: f64 = 3e-6;

fn near(got: &[Array], want: &Value) -> Result<(), String> {
    let want = want.as_array().ok_or("no list")?;
    equal(got.len(), want.len())?;
    got.iter()
        .zip(want)
        .try_for_each(|(g, w)| close(g, &array(w), RELATIVE, ABSOLUTE))
}

/// The value of a weight of a model's layers.
fn value_of(model: &Sequential, name: &str) -> cornu::Result<Array> {
    let weights = model.weights();
    let weight = weights.iter().find(|w| w.name == name);
    let weight = weight.ok_or_else(|| cornu::Error::new(format!("no weight \"{name}\"")))?;
    Ok(weight.variable.read().clone())
}

/// Everything that a case tells, in turn.
fn check(case: &Value, report: &mut Report, name: &str) -> cornu::Result<()> {
    let mut add = |what: &str, outcome| report.add(|| format!("{name}, {what}"), outcome);
    let input = array(&case["input"]);
    let mut model = one_layer(case, input.shape())?;

    let config = layers::to_config(
        &*model.layers()[0],
        case["get_config"]["name"].as_str().unwrap(),
    );
    let mut told = case["get_config"].clone();
    golden::with_policy(&mut told);
    add(
        "configuration",
        same(&config, &object(&case["class"], &told)),
    );

    let golden: Vec<&Value> = case["weights"].as_array().unwrap().iter().collect();
    let told: Vec<(&str, &str, bool)> = golden
        .iter()
        .map(|w| {
            let text = |key: &str| w[key].as_str().unwrap();
            (
                text("name"),
                text("path"),
                w["trainable"].as_bool().unwrap(),
            )
        })
        .collect();
    let weights = model.weights();
    let own = weights
        .iter()
        .map(|w| (&*w.name, w.variable.name(), w.trainable))
        .collect();
    add("weights' names", equal(own, told));
    add(
        "parameters",
        equal(model.count_params()?, usize_of(&case["count_params"])),
    );
    let shape = model.output_shape()?.to_json();
    // Of EinsumDense Keras forgets what its output_shape leaves open, and turns elided axes round.
    let mut known = case["batch_output_shape"].clone();
    if case["class"] == "EinsumDense" || case["config"]["layer"]["class_name"] == "EinsumDense" {
        known = case["output"]["shape"].clone();
        known[0] = Value::Null;
    }
    add("output shape", same(&shape, &known));
    let values: Vec<Array> = golden.iter().map(|w| array(&w["value"])).collect();
    model.set_weights(&values)?;

    // Until `finalize_state` Keras' layer computes with the moments from before `set_weights`; what it
    // computes with moments that it found is compared in `preprocessing.rs`.
    if case["class"] == "Normalization" && case["get_config"]["mean"].is_null() {
        return Ok(());
    }
    // Turned by a quarter, every cell of this image lies between two, and rounding picks one.
    if case["class"] == "RandomRotation" && case["config"]["interpolation"] == "nearest" {
        return Ok(());
    }

    let x = Variable::new("x", input.clone());
    let training = case["training"].as_bool().unwrap();
    let state = Tensor::constant([1i32, 2, 3]);
    let mask = case["call_args"].get("mask").map(golden::tensor);
    let masked = mask.is_some();
    let called = model.call_masked(&[x.tensor()], &[mask], training.then_some(&state))?;
    let output = called.output.eval()?;
    // Hues and what lies between cells are differences of bytes.
    let absolute = match case["class"].as_str() {
        Some(
            "RandomHue" | "RandomSaturation" | "RandomColorJitter" | "RandomRotation"
            | "RandomPerspective",
        ) => 255.0 * ABSOLUTE,
        _ => ABSOLUTE,
    };
    add(
        "output",
        close(&output, &array(&case["output"]), RELATIVE, absolute),
    );
    if !training && !masked {
        let predicted = model.predict(&input)?;
        add(
            "predict",
            close(&predicted, &array(&case["output"]), RELATIVE, ABSOLUTE),
        );
    }

    // State that moves in training, such as running means; outside training nothing does.
    let state = case["state"].as_array();
    for moved in state.filter(|_| training).into_iter().flatten() {
        let name = moved["name"].as_str().unwrap();
        let update = called
            .updates
            .iter()
            .find(|(v, _)| v.name().ends_with(name));
        let value = match update {
            Some((_, value)) => value.eval()?,
            None => value_of(&model, name)?,
        };
        let outcome = close(&value, &array(&moved["value"]), RELATIVE, ABSOLUTE);
        add(name, outcome);
    }
    if !training {
        add("updates outside training", equal(called.updates.len(), 0));
    }

    // What follows in `losses` are penalties on outputs, which the golden file leaves out.
    let weights = model.weights();
    let regularized = weights.iter().filter(|w| w.regularizer.is_some()).count();
    let penalties = &called.losses[..regularized];
    let recorded = case["losses"].as_array().unwrap();
    let recorded: f64 = recorded.iter().map(number).sum();
    let mut penalty = 0.0;
    for p in penalties {
        penalty += p.eval()?.item::<f64>()?;
    }
    let fits = (penalty - recorded).abs() <= RELATIVE * recorded.abs();
    add(
        "penalties",
        fits.then_some(())
            .ok_or(format!("{penalty} instead of {recorded}")),
    );

    if case["w"].is_null() {
        return Ok(());
    }
    let trained: Vec<Tensor> = weights
        .iter()
        .filter(|w| w.trainable)
        .map(|w| w.variable.tensor())
        .collect();
    let gradients = |loss: &Tensor| -> cornu::Result<(Array, Vec<Array>)> {
        let x = x.tensor();
        let of: Vec<&Tensor> = std::iter::once(&x).chain(&trained).collect();
        let mut values = cornu::device().eval(&grad(loss, &of))?;
        let rest = values.split_off(1);
        Ok((values.remove(0), rest))
    };
    let weighted = (&called.output * Tensor::constant(array(&case["w"]))).sum();
    let (dx, dw) = gradients(&weighted)?;
    add(
        "gradient of x",
        close(&dx, &array(&case["grad_input"]), RELATIVE, ABSOLUTE),
    );
    add("gradient of weights", near(&dw, &case["grad_weights"]));
    if !penalties.is_empty() {
        let sum = penalties
            .iter()
            .fold(Tensor::from(0.0f32), |sum, p| sum + p);
        let (_, dw) = gradients(&sum)?;
        add(
            "gradient of penalties",
            near(&dw, &case["losses_grad_weights"]),
        );
    }
    Ok(())
}

/// The cases of every file of layers: the first one's and those of families.
fn files() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let names = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().ok()?;
        let stem = name.strip_suffix(".json")?;
        stem.starts_with("layers").then(|| stem.to_string())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn single_layers() {
    let mut report = Report::default();
    for file in files() {
        let golden = golden::load(&file);
        for (i, case) in golden["cases"].as_array().into_iter().flatten().enumerate() {
            // The mask of Softmax is of its elements and not of steps: two cases.
            if case["class"] == "Softmax" && !case["call_args"].as_object().unwrap().is_empty() {
                continue;
            }
            let name = format!("{file} {i} {} {}", case["class"], case["config"]);
            let outcome = check(case, &mut report, &name);
            report.add(|| name, outcome.map_err(|e| e.to_string()));
        }
    }
    report.finish(6000);
}

#[test]
fn penalties_on_outputs_are_divided_by_the_batch() -> cornu::Result<()> {
    let x = Tensor::constant([[1.0f32, 2.0], [3.0, 4.0]]);
    let penalty = |layer: Box<dyn Layer>| -> cornu::Result<f64> {
        let mut model = Sequential::from_layers(vec![layer]);
        model.build_for(&InputShape::batch_of([2]))?;
        let losses = model.call_with(&x, None)?.losses;
        assert_eq!(losses.len(), 1);
        losses[0].eval()?.item::<f64>()
    };
    // Outputs [[3, 3], [7, 7]]: 0.1 (9 + 9 + 49 + 49) / 2.
    let dense = Dense::new(2)
        .kernel_initializer("ones")
        .activity_regularizer(L2::new(0.1));
    assert!((penalty(dense.into())? - 5.8).abs() < 1e-5);
    // (0.1 (1 + 2 + 3 + 4) + 0.2 (1 + 4 + 9 + 16)) / 2.
    let layer = ActivityRegularization::new().l1(0.1).l2(0.2);
    assert!((penalty(layer.into())? - 3.5).abs() < 1e-5);
    Ok(())
}

#[test]
fn dropout_statistics() -> cornu::Result<()> {
    let golden = golden::load("layers");
    for case in golden["dropout_statistics"].as_array().unwrap() {
        let shape: Vec<usize> = case["shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(usize_of)
            .collect();
        let model = one_layer(case, &shape)?;
        assert_eq!(model.weights().len(), 0);
        let ones = Tensor::full(shape.clone(), 1.0, DType::F32);
        let draw = |step: i32| -> cornu::Result<Vec<f32>> {
            let state = Tensor::constant([5i32, 9, step]);
            Ok(model
                .call_with(&ones, Some(&state))?
                .output
                .eval()?
                .to_vec())
        };
        let y = draw(0)?;
        assert_eq!(y, draw(0)?);
        assert_eq!(y != draw(1)?, case["second_call_differs"] == true);
        let rate = number(&case["config"]["rate"]);
        let zeros = y.iter().filter(|v| **v == 0.0).count() as f64 / y.len() as f64;
        let by_row = case["rows_constant"] == true;
        // Four standard deviations of the share of 200,000 draws, or 400.
        let draws = if by_row {
            shape[0] as f64
        } else {
            y.len() as f64
        };
        let bound = 4.0 * (rate * (1.0 - rate) / draws).sqrt();
        assert!((zeros - rate).abs() < bound, "{}: {zeros}", case["config"]);
        let kept = number(&case["kept_min"]);
        assert!(
            y.iter()
                .all(|v| *v == 0.0 || (f64::from(*v) / kept - 1.0).abs() < 1e-6)
        );
        let constant = y
            .chunks(shape[1])
            .all(|row| row.iter().all(|v| *v == row[0]));
        assert_eq!(constant, by_row, "{}", case["config"]);
    }
    Ok(())
}

#[test]
fn stacks() -> cornu::Result<()> {
    let golden = golden::load("layers");
    let mut report = Report::default();
    for (i, case) in golden["sequential"].as_array().unwrap().iter().enumerate() {
        let mut add = |what: &str, outcome| report.add(|| format!("{i}, {what}"), outcome);
        let mut model = Sequential::from_config(&case["get_config"])?;
        add(
            "built at once",
            equal(model.is_built(), case["built_at_once"] == true),
        );
        // Keras' own `dtype` of a whole model says nothing that its layers do not.
        let told = |model: &Sequential, want: &Value| {
            let mut config = model.to_config();
            config["dtype"] = want["dtype"].clone();
            same(&config, want)
        };
        add("configuration", told(&model, &case["get_config"]));
        if let Some(shape) = case.get("built_with") {
            model.build_for(&InputShape::from_json(shape)?)?;
        }
        add(
            "configuration when built",
            told(&model, &case["get_config_built"]),
        );
        add(
            "output shape",
            same(&model.output_shape()?.to_json(), &case["output_shape"]),
        );
        add(
            "parameters",
            equal(model.count_params()?, usize_of(&case["count_params"])),
        );
        let layers: Vec<Value> = model
            .layers()
            .iter()
            .zip(model.layer_names())
            .filter(|(l, _)| l.class_name() != "InputLayer")
            .map(|(l, name)| json!({"name": name, "class": l.class_name()}))
            .collect();
        add("layers", same(&json!(layers), &case["layers"]));
        let weights: Vec<Value> = model
            .weights()
            .iter()
            .map(|w| {
                let path = format!("{}/{}", model.name(), w.variable.name());
                json!({"path": path, "shape": w.variable.shape().to_vec()})
            })
            .collect();
        add("weights", same(&json!(weights), &case["weights"]));
    }
    report.finish(28);
    Ok(())
}

/// Trains one step on zeros, as the script that made the golden file does.
fn fit_once(model: &mut Sequential, optimizer: Optimizer) -> cornu::Result<()> {
    model.compile(optimizer, "mse", ())?;
    let zeros = |shape: &InputShape| {
        let mut shape = shape.with(4).to_vec();
        shape[0] = 4;
        Array::zeros(DType::F32, shape)
    };
    let input = InputShape::from_json(&model.to_config()["build_input_shape"])?;
    let (x, y) = (zeros(&input), zeros(&model.output_shape()?));
    model.fit(&x, &y, Fit::new().verbose(0))?;
    Ok(())
}

#[test]
fn summaries_of_models() -> cornu::Result<()> {
    if std::env::var("COLUMNS").is_ok_and(|c| c != "80") {
        println!("skipped: the golden file is for a terminal of 80 columns");
        return Ok(());
    }
    let golden = golden::load("printed");
    let mut report = Report::default();
    for case in golden["summaries"].as_array().unwrap() {
        let note = case["note"].as_str().unwrap();
        let args = &case["args"];
        // Models within models, and the choice of columns and layers, are not supported; of a table
        // wider than the terminal Keras shows only the left.
        let others = ["positions", "layer_range", "line_length 100"];
        if note.starts_with("nested") || others.contains(&note) {
            continue;
        }
        let mut model = Sequential::from_config(&case["model"])?;
        match note {
            "compiled, not fitted" => model.compile("adam", "mse", ())?,
            "fitted with adam" | "long names, fitted" => fit_once(&mut model, Adam::new().into())?,
            "fitted with sgd" => fit_once(&mut model, SGD::new().into())?,
            "fitted with momentum" => fit_once(&mut model, SGD::new().momentum(0.9).into())?,
            _ => {}
        }
        let mut summary = model.summary();
        summary.show_trainable = args["show_trainable"] == true;
        if let Some(n) = args["line_length"].as_u64() {
            summary = summary.with_line_length(n as usize)?;
        }
        let (text, want) = (summary.to_string(), case["text"].as_str().unwrap());
        let same = text.trim_end() == want.trim_end();
        let both = || format!("\n{text}\ninstead of\n{want}");
        report.add(|| note.to_string(), same.then_some(()).ok_or_else(both));
    }
    report.finish(17);
    Ok(())
}

/// What `fit` makes of a kernel that a layer divides in each step, from where the optimizer goes on, as Keras'
/// layer and optimizer do when they are called one after the other.
#[test]
fn a_divided_kernel_is_trained_from_there() -> cornu::Result<()> {
    let file = golden::load("layers_norm");
    for case in file["divided"].as_array().unwrap() {
        let layer = json!({"module": "keras.layers", "class_name": "SpectralNormalization", "config": case["layer"]});
        let mut model = Sequential::from_layers(vec![layers::from_config(&layer)?]);
        let (x, y) = (golden::array(&case["x"]), golden::array(&case["y"]));
        model.build_for(&layers::InputShape::batch_of(&x.shape()[1..]))?;
        let arrays = |key: &str| -> Vec<Array> {
            let list = case[key].as_array().unwrap();
            list.iter().map(golden::array).collect()
        };
        model.set_weights(&arrays("weights"))?;
        let optimizer = &case["optimizer"];
        let config = optimizer["config"].as_object().unwrap().clone();
        let class = optimizer["class_name"].as_str().unwrap();
        model.compile(Optimizer::from_config(class, config)?, "mse", ())?;
        let steps = golden::usize_of(&case["steps"]);
        model.fit(&x, &y, Fit::new().epochs(steps).shuffle(false).verbose(0))?;
        for (weight, want) in model.weights().iter().zip(arrays("trained")) {
            golden::close(&weight.variable.read(), &want, 1e-4, 1e-5).unwrap();
        }
        let output = golden::array(&case["output"]);
        golden::close(&model.predict(&x)?, &output, 1e-4, 1e-5).unwrap();
    }
    Ok(())
}
