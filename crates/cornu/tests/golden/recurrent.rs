//! Recurrent layers and those around others, of several inputs and outputs, against Keras' own.

use crate::golden::{self, Report, array, close, same_json as same, usize_of};
use cornu::layers;
use cornu::prelude::*;
use serde_json::{Value, json};

const RELATIVE: f64 = 1e-5;
const ABSOLUTE: f64 = 3e-6;

fn list<'a>(case: &'a Value, key: &str) -> &'a [Value] {
    case[key].as_array().expect("a list")
}

fn verdict(fits: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if fits { Ok(()) } else { Err(message()) }
}

fn check(case: &Value, report: &mut Report, name: &str) -> cornu::Result<()> {
    let mut add = |what: &str, outcome| report.add(|| format!("{name}, {what}"), outcome);
    let inputs: Vec<Array> = list(case, "inputs").iter().map(array).collect();
    let symbol = |a: &Array| {
        let input = Input::new(a.shape()[1..].to_vec()).dtype(a.dtype().name());
        match case["get_config"]["stateful"] == true {
            true => input.batch_size(a.shape()[0]).symbol(),
            false => input.symbol(),
        }
    };
    let symbols: Vec<Symbol> = inputs.iter().map(symbol).collect();
    let object = json!({
        "module": "keras.layers", "class_name": case["class"],
        "config": case["get_config"], "registered_name": null,
    });
    let layer = layers::from_config(&object)?;
    let own = layers::to_config(&*layer, case["get_config"]["name"].as_str().unwrap());
    // Keras' object of a model says how it is compiled too, and its weights begin with its name.
    let model_inside = case["get_config"]["layer"]["class_name"] == "Sequential";
    if !model_inside {
        add("configuration", same(&own, &object));
    }

    let outputs = layer.on_all(symbols.clone());
    let shapes: Vec<Value> = outputs.iter().map(|o| o.shape().to_json()).collect();
    if case["get_config"]["stateful"] != true {
        add(
            "output shapes",
            same(&json!(shapes), &case["output_shapes"]),
        );
    }
    let mut model = Model::new(symbols, outputs)?;
    let weights = model.weights();
    let own: Vec<Value> = weights
        .iter()
        .map(|w| json!({"path": w.variable.name(), "trainable": w.trainable}))
        .collect();
    let told: Vec<Value> = list(case, "weights")
        .iter()
        .map(|w| {
            let path = w["path"].as_str().unwrap();
            json!({"path": path.trim_start_matches("inside/"), "trainable": w["trainable"]})
        })
        .collect();
    add("weights", same(&json!(own), &json!(told)));
    let (own, told) = (model.count_params()?, usize_of(&case["count_params"]));
    add(
        "parameters",
        verdict(own == told, || format!("{own} instead of {told}")),
    );
    let values: Vec<Array> = list(case, "weights")
        .iter()
        .map(|w| array(&w["value"]))
        .collect();
    model.set_weights(&values)?;

    let variables: Vec<Variable> = inputs
        .iter()
        .map(|a| Variable::new("x", a.clone()))
        .collect();
    let xs: Vec<Tensor> = variables.iter().map(Variable::tensor).collect();
    let mask = (!case["mask"].is_null()).then(|| golden::tensor(&case["mask"]));
    let random = Tensor::constant([1i32, 2, 3]);
    let training = case["training"] == true;
    let called = model.call_masked(&xs, &[mask], training.then_some(&random))?;
    let near = |got: &Array, want: &Value| close(got, &array(want), RELATIVE, ABSOLUTE);
    let count = list(case, "outputs").len();
    add(
        "number of outputs",
        verdict(called.outputs.len() == count, || {
            called.outputs.len().to_string()
        }),
    );
    for (i, (y, want)) in called.outputs.iter().zip(list(case, "outputs")).enumerate() {
        add(&format!("output {i}"), near(&y.eval()?, want));
    }
    for moved in list(case, "moved").iter().filter(|_| training) {
        let path = moved["path"].as_str().unwrap();
        let update = called.updates.iter().find(|(v, _)| v.name() == path);
        let (_, value) = update.ok_or_else(|| cornu::Error::new(format!("no update of {path}")))?;
        add(path, near(&value.eval()?, &moved["value"]));
    }
    if list(case, "grad_inputs").is_empty() {
        return Ok(());
    }
    let weighted = called.outputs.iter().zip(list(case, "w"));
    let loss = weighted
        .map(|(y, w)| (y * golden::tensor(w)).sum())
        .reduce(|sum, l| sum + l)
        .ok_or_else(|| cornu::Error::new("no output"))?;
    let trained = weights
        .iter()
        .filter(|w| w.trainable)
        .map(|w| w.variable.tensor());
    let trained: Vec<Tensor> = trained.collect();
    let of: Vec<&Tensor> = xs.iter().chain(&trained).collect();
    let got = cornu::device().eval(&grad(&loss, &of))?;
    let wanted = list(case, "grad_inputs")
        .iter()
        .chain(list(case, "grad_weights"));
    for (i, (g, want)) in got.iter().zip(wanted).enumerate() {
        add(&format!("gradient {i}"), near(g, want));
    }
    Ok(())
}

#[test]
fn layers_over_sequences() {
    let mut report = Report::default();
    let files = ["layers_recurrent", "layers_conv_lstm", "layers_nested"].map(golden::load);
    let cases = files.iter().flat_map(|file| list(file, "recurrent"));
    for (i, case) in cases.enumerate() {
        let name = format!(
            "{i} {} {} {}",
            case["class"], case["note"], case["get_config"]["name"]
        );
        // Unrolled, Keras shows zeros at masked steps before the first that counts; not unrolled, the
        // initial state. Unrolling changes no result here.
        if case["note"] == "masked states" && case["get_config"]["unroll"] == true {
            continue;
        }
        let outcome = check(case, &mut report, &name);
        report.add(|| name, outcome.map_err(|e| e.to_string()));
    }
    report.finish(1000);
}

/// Keras' layer on one batch after the other, and on the first again once its states are reset.
fn check_kept(case: &Value, report: &mut Report, name: &str) -> cornu::Result<()> {
    let batches: Vec<Array> = list(case, "batches").iter().map(array).collect();
    let shape = batches[0].shape();
    let input = Input::new(shape[1..].to_vec())
        .batch_size(shape[0])
        .symbol();
    let object = json!({
        "module": "keras.layers", "class_name": case["class"],
        "config": case["get_config"], "registered_name": null,
    });
    let outputs = layers::from_config(&object)?.on_all(vec![input.clone()]);
    let mut model = Model::new(vec![input], outputs)?;
    let weights: Vec<Array> = list(case, "weights").iter().map(array).collect();
    model.set_weights(&weights)?;
    let mask = (!case["mask"].is_null()).then(|| golden::tensor(&case["mask"]));
    let mut call = |what: &str, x: &Array, want: &[Value]| -> cornu::Result<()> {
        let got = match &mask {
            None => model.predict_all(x)?,
            // What a program is told of masks it finds itself; here one is given from outside.
            Some(mask) => {
                let x = Tensor::constant(x.clone());
                let called = model.call_masked(&[x], &[Some(mask.clone())], None)?;
                let outputs: cornu::Result<Vec<Array>> =
                    called.outputs.iter().map(Tensor::eval).collect();
                let outputs = outputs?;
                // All are found before one of them is written.
                let values = called.updates.iter().map(|(_, value)| value.eval());
                let values = values.collect::<cornu::Result<Vec<Array>>>()?;
                for ((state, _), value) in called.updates.iter().zip(values) {
                    state.assign(value)?;
                }
                outputs
            }
        };
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let outcome = close(got, &array(want), RELATIVE, ABSOLUTE);
            report.add(|| format!("{name}, {what}, output {i}"), outcome);
        }
        let fits = verdict(got.len() == want.len(), || format!("{} outputs", got.len()));
        report.add(|| format!("{name}, {what}"), fits);
        Ok(())
    };
    for (i, (x, want)) in batches.iter().zip(list(case, "outputs")).enumerate() {
        call(&format!("batch {i}"), x, want.as_array().expect("outputs"))?;
    }
    model.reset_states()?;
    call("begun anew", &batches[0], list(case, "reset"))
}

#[test]
fn states_that_are_kept_from_batch_to_batch() {
    let mut report = Report::default();
    for (i, case) in list(&golden::load("layers_recurrent"), "stateful")
        .iter()
        .enumerate()
    {
        let name = format!("{i} {}", case["class"]);
        let outcome = check_kept(case, &mut report, &name);
        report.add(|| name, outcome.map_err(|e| e.to_string()));
    }
    report.finish(170);
}
