//! Models that Keras saved: what they predict, how their training goes on, and that Cornu says of them what Keras
//! said.
#![cfg(feature = "saving")]

mod golden;

use cornu::data::Inputs;
use cornu::prelude::*;
use cornu::saving::{LoadModel, load_model, model_from_bytes, model_from_json};
use golden::{Report, array, close, number, same_json};
use serde_json::{Map, Value, json};
use std::io::{Cursor, Read};
use std::path::PathBuf;

/// A folder of the archive: what Keras wrote, and what it then computed.
struct Case {
    name: String,
    file: Vec<u8>,
    made: Value,
}

/// The cases of an archive, whose models are in files of this name.
fn cases(archive: &str, model: &str) -> Vec<Case> {
    let path = format!(
        "{}/../../tests/golden/{archive}.zip",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(str::to_string).collect();
    let mut member = |name: &str| {
        let mut bytes = Vec::new();
        let mut member = archive.by_name(name).unwrap();
        member.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let folders = names.iter().filter_map(|n| n.strip_suffix("/case.json"));
    let case = |name: &str| Case {
        name: name.to_string(),
        file: member(&format!("{name}/{model}")),
        made: serde_json::from_slice(&member(&format!("{name}/case.json"))).unwrap(),
    };
    folders.map(case).collect()
}

/// What Keras 3 saved.
fn saved() -> Vec<Case> {
    let mut all = cases("saved", "model.keras");
    all.extend(cases("saved_layers", "model.keras"));
    all
}

/// What Keras 3's legacy saver and Keras 2 saved.
fn legacy() -> Vec<Case> {
    cases("legacy", "model.h5")
}

fn arrays(v: &Value) -> Vec<Array> {
    v.as_array().unwrap().iter().map(array).collect()
}

/// An array as the golden files have it.
fn written(array: &Array) -> Value {
    let values = array.to_vec::<f64>();
    let data = values.into_iter().map(|v| match v.is_finite() {
        true => json!(v),
        false => json!(v.to_string()),
    });
    let shape: Vec<usize> = array.shape().iter().copied().collect();
    json!({"shape": shape, "data": data.collect::<Vec<_>>(), "dtype": array.dtype().name()})
}

fn given(arrays: &[Array]) -> Inputs<'_> {
    arrays.iter().fold(Inputs::new(), |all, a| all.then(a))
}

/// Runs one check on every case.
fn check(cases: Vec<Case>, at_least: usize, one: impl Fn(&Case) -> Result<(), String>) {
    let mut report = Report::default();
    for case in cases {
        report.add(|| case.name.clone(), one(&case));
    }
    report.finish(at_least);
}

fn loaded(case: &Case) -> Result<Model, String> {
    model_from_bytes(&case.file, &LoadModel::new()).map_err(|e| e.to_string())
}

/// How far values may be from Keras'; those of 16 bits have two or three digits.
fn tolerance(case: &Case) -> (f64, f64) {
    match case.name.as_str() {
        "mixed_precision" | "weights_in_half" => (2e-2, 1e-2),
        _ => (1e-5, 1e-5),
    }
}

fn all_close(case: &Case, got: &[Array]) -> Result<(), String> {
    let want = arrays(&case.made["outputs"]);
    if got.len() != want.len() {
        return Err(format!("{} outputs instead of {}", got.len(), want.len()));
    }
    let (relative, absolute) = tolerance(case);
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        close(&got.cast(want.dtype()), want, relative, absolute)
            .map_err(|e| format!("output {i}: {e}"))?;
    }
    Ok(())
}

fn predicts(case: &Case) -> Result<(), String> {
    let model = loaded(case)?;
    let inputs = arrays(&case.made["inputs"]);
    let got = model
        .predict_all(given(&inputs))
        .map_err(|e| e.to_string())?;
    all_close(case, &got)
}

#[test]
fn saved_models_predict_what_keras_predicts() {
    check(saved(), 45, predicts);
}

#[test]
fn legacy_models_predict_what_keras_predicts() {
    check(legacy(), 15, predicts);
}

#[test]
fn weights_alone_are_read_from_legacy_files() {
    let folder = std::env::temp_dir().join(format!("cornu-{}-golden-legacy", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    check(legacy(), 15, |case| {
        let text = |e: cornu::Error| e.to_string();
        let path = folder.join(format!("{}.h5", case.name));
        std::fs::write(&path, &case.file).unwrap();
        let model = loaded(case)?;
        let mut other = model_from_json(&model.to_json()).map_err(text)?;
        other.load_weights(&path).map_err(text)?;
        match other.get_weights().map_err(text)? == model.get_weights().map_err(text)? {
            true => Ok(()),
            false => Err("the weights differ".into()),
        }
    });
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn weights_in_several_files_are_read() {
    let folder = std::env::temp_dir().join(format!("cornu-{}-golden-shards", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = format!(
        "{}/../../tests/golden/legacy.zip",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).unwrap();
        if let Some(name) = member.name().strip_prefix("shards/") {
            let mut out = std::fs::File::create(folder.join(name)).unwrap();
            std::io::copy(&mut member, &mut out).unwrap();
        }
    }
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut model = Sequential::new();
    model.add(Dense::new(5).name("first").input_shape([6]));
    model.add(ReLU::new());
    model.add(Dense::new(3).name("second"));
    model.compile("adam", "mse", ()).unwrap();
    model
        .load_weights(folder.join("small.weights.json"))
        .unwrap();
    assert_eq!(model.get_weights().unwrap(), arrays(&expected["weights"]));
    let kept = model.optimizer().unwrap().variables();
    let kept: Vec<Array> = kept.iter().map(Variable::value).collect();
    assert_eq!(kept, arrays(&expected["optimizer"]));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Five steps of training, as the golden curves are made.
fn train(model: &mut Model, case: &Case) -> Result<Vec<Logs>, String> {
    let (x, y) = (arrays(&case.made["inputs"]), arrays(&case.made["targets"]));
    let step = |_| {
        model
            .train_on_batch(given(&x), given(&y))
            .map_err(|e| e.to_string())
    };
    (0..5).map(step).collect()
}

fn is_trained(case: &Case) -> bool {
    !case.made["curve"].is_null()
}

/// With a folder in `CORNU_SAVED` the files stay there, with what Cornu computes from them, for
/// `tests/interop/check_saved.py`.
#[test]
fn models_for_keras() {
    let kept = std::env::var_os("CORNU_SAVED").map(PathBuf::from);
    let scratch = format!("cornu-{}-golden-saved", std::process::id());
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(scratch));
    std::fs::create_dir_all(&folder).unwrap();
    check(saved(), 45, |case| {
        let mut model = loaded(case)?;
        if is_trained(case) {
            train(&mut model, case)?;
        }
        let path = folder.join(format!("{}.keras", case.name));
        model.save(&path).map_err(|e| e.to_string())?;
        let shards = folder.join(format!("{}.weights.json", case.name));
        // 32 KiB each: several of some models, one of others.
        let sharded = model.save_weights_sharded(shards, 2f64.powi(-15));
        sharded.map_err(|e| e.to_string())?;
        let mut again = load_model(&path).map_err(|e| e.to_string())?;
        let inputs = arrays(&case.made["inputs"]);
        let predict = |model: &Model| model.predict_all(given(&inputs)).map_err(|e| e.to_string());
        let outputs = predict(&again)?;
        if outputs != predict(&model)? {
            return Err("the model from the file predicts otherwise".into());
        }
        let mut made = json!({"outputs": outputs.iter().map(written).collect::<Vec<_>>()});
        if is_trained(case) {
            let logs = train(&mut again, case)?;
            if logs != train(&mut model, case)? {
                return Err("the model from the file goes on otherwise".into());
            }
            let step = |logs: &Logs| {
                logs.iter()
                    .map(|(k, v)| (k.to_string(), json!(v)))
                    .collect()
            };
            made["curve"] = logs
                .iter()
                .map(step)
                .collect::<Vec<Map<String, Value>>>()
                .into();
        }
        let text = made.to_string();
        std::fs::write(folder.join(format!("{}.json", case.name)), text).map_err(|e| e.to_string())
    });
    if kept.is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

fn goes_on(case: &Case) -> Result<(), String> {
    let got = train(&mut loaded(case)?, case)?;
    let curve = case.made["curve"].as_array().unwrap();
    for (i, (got, want)) in got.iter().zip(curve).enumerate() {
        for (name, want) in want.as_object().unwrap() {
            let (got, want) = (got.get(name), number(want));
            let fits = |got: f64| (got - want).abs() <= 1e-5 * want.abs().max(1.0);
            if !got.is_some_and(fits) {
                return Err(format!("step {i}: {name} is {got:?} instead of {want}"));
            }
        }
    }
    Ok(())
}

#[test]
fn training_goes_on_as_in_keras() {
    for cases in [saved(), legacy()] {
        let trained = cases.into_iter().filter(is_trained).collect();
        check(trained, 9, goes_on);
    }
}

/// Models of which Cornu says something else, and why.
const OTHERWISE: [(&str, &str); 4] = [
    ("gru", "loss_weights of one output are one number"),
    ("lstm", "losses name all of their arguments"),
    ("small_convnet", "losses name all of their arguments"),
    ("residual_blocks", "arithmetic on tensors becomes layers"),
];

/// What counts in a configuration: no numbers of objects, policies by their names, and neither masks, which Keras
/// computes as a part of the model, nor arguments of calls that say nothing. A model has no policy of its own.
fn essential(value: &Value) -> Value {
    match value {
        Value::Array(all) => all
            .iter()
            .filter(|v| !is_operation(v))
            .map(essential)
            .collect(),
        Value::Object(map) if map.get("class_name").is_some_and(|c| c == "DTypePolicy") => {
            map["config"]["name"].clone()
        }
        Value::Object(map) => {
            let empty = |v: &Value| {
                v.as_object()
                    .is_some_and(|m| m.values().all(Value::is_null))
            };
            let all = map.iter().map(|(k, v)| match (k.as_str(), essential(v)) {
                ("initial_state", one @ Value::Object(_)) => (k, json!([one])),
                (_, v) => (k, v),
            });
            let counts = |(key, value): &(&String, Value)| match key.as_str() {
                "shared_object_id" | "build_config" | "registered_name" | "jit_compile" => false,
                "mask" | "training" => false,
                "kwargs" | "compile_config" => !empty(value),
                "dtype" => !map.contains_key("layers"),
                _ => true,
            };
            Value::Object(all.filter(counts).map(|(k, v)| (k.clone(), v)).collect())
        }
        other => other.clone(),
    }
}

fn is_operation(object: &Value) -> bool {
    object["module"]
        .as_str()
        .is_some_and(|m| m.starts_with("keras.src.ops"))
}

#[test]
fn cornu_says_of_a_model_what_keras_said() {
    check(saved(), 45, |case| {
        let mut archive = zip::ZipArchive::new(Cursor::new(&case.file)).unwrap();
        let mut text = String::new();
        let mut member = archive.by_name("config.json").unwrap();
        member.read_to_string(&mut text).unwrap();
        let want: Value = serde_json::from_str(&text).unwrap();
        let got = serde_json::from_str(&loaded(case)?.to_json()).map_err(|e| e.to_string())?;
        let same = same_json(&essential(&got), &essential(&want));
        match OTHERWISE.iter().any(|(name, _)| *name == case.name) {
            true if same.is_ok() => Err("it is not otherwise any more".into()),
            true => Ok(()),
            false => same,
        }
    });
}

/// With a folder in `CORNU_ONNX` the files stay there, for `tests/interop/check_onnx.py`.
#[cfg(feature = "onnx")]
#[test]
fn models_for_onnx() {
    let kept = std::env::var_os("CORNU_ONNX").map(PathBuf::from);
    let scratch = format!("cornu-{}-golden-onnx", std::process::id());
    let folder = kept
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(scratch));
    std::fs::create_dir_all(&folder).unwrap();
    let refused = [("gru", "leave open the batch alone")];
    check(saved(), 45, |case| {
        let path = folder.join(format!("{}.onnx", case.name));
        let done = loaded(case)?.export(&path).map_err(|e| e.to_string());
        match refused.iter().find(|(name, _)| *name == case.name) {
            None => done,
            Some((_, why)) if done.as_ref().is_err_and(|e| e.contains(why)) => Ok(()),
            Some(_) => Err(format!("not refused as it should be: {done:?}")),
        }
    });
    if kept.is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}
