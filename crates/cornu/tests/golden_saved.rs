//! Models that Keras saved: what they predict, how their training goes on, and that Cornu says of them what Keras
//! said.
#![cfg(feature = "saving")]

mod golden;

use cornu::data::Inputs;
use cornu::prelude::*;
use cornu::saving::{LoadModel, load_model, model_from_bytes, model_from_json, npz};
use golden::saved::{Case, cases, saved};
use golden::{Report, array, same_json};
use serde_json::{Map, Value, json};
use std::io::{Cursor, Read};
use std::path::PathBuf;

/// What Keras 3's legacy saver and Keras 2 saved.
fn legacy() -> Vec<Case> {
    cases("legacy", "model.h5")
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

fn predicts(case: &Case) -> Result<(), String> {
    let model = loaded(case)?;
    let inputs = case.arrays("inputs");
    let got = model
        .predict_all(given(&inputs))
        .map_err(|e| e.to_string())?;
    case.all_close(&got)
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
    let arrays = |key: &str| -> Vec<Array> {
        let all = expected[key].as_array().unwrap();
        all.iter().map(array).collect()
    };
    assert_eq!(model.get_weights().unwrap(), arrays("weights"));
    let kept = model.optimizer().unwrap().variables();
    let kept: Vec<Array> = kept.iter().map(Variable::value).collect();
    assert_eq!(kept, arrays("optimizer"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// Five steps of training, as the golden curves are made.
fn train(model: &mut Model, case: &Case) -> Result<Vec<Logs>, String> {
    let (x, y) = (case.arrays("inputs"), case.arrays("targets"));
    let step = |_| {
        model
            .train_on_batch(given(&x), given(&y))
            .map_err(|e| e.to_string())
    };
    (0..5).map(step).collect()
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
        if case.is_trained() {
            train(&mut model, case)?;
        }
        let path = folder.join(format!("{}.keras", case.name));
        model.save(&path).map_err(|e| e.to_string())?;
        let shards = folder.join(format!("{}.weights.json", case.name));
        // 32 KiB each: several of some models, one of others.
        let sharded = model.save_weights_sharded(shards, 2f64.powi(-15));
        sharded.map_err(|e| e.to_string())?;
        let named = |ending: &str| folder.join(format!("{}.{ending}", case.name));
        let alone = model.save_weights(named("weights.h5"));
        alone.map_err(|e| e.to_string())?;
        let arrays = npz::save_weights(&model, named("npz"));
        arrays.map_err(|e| e.to_string())?;
        #[cfg(feature = "safetensors")]
        cornu::saving::safetensors::save_weights(&model, named("safetensors"))
            .map_err(|e| e.to_string())?;
        let mut again = load_model(&path).map_err(|e| e.to_string())?;
        let inputs = case.arrays("inputs");
        let predict = |model: &Model| model.predict_all(given(&inputs)).map_err(|e| e.to_string());
        let outputs = predict(&again)?;
        if outputs != predict(&model)? {
            return Err("the model from the file predicts otherwise".into());
        }
        let mut made = json!({"outputs": outputs.iter().map(written).collect::<Vec<_>>()});
        if case.is_trained() {
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
    case.same_curve(|step, name| got.get(step)?.get(name))
}

#[test]
fn training_goes_on_as_in_keras() {
    for cases in [saved(), legacy()] {
        let trained = cases.into_iter().filter(Case::is_trained).collect();
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

/// Models that ONNX has no form for, and what stands in the way: a histogram of each image is counted by scattering.
#[cfg(feature = "onnx")]
const NOT_ONNX: [(&str, &str); 1] =
    [("mixing", "contrast_limited_adaptive_histogram_equalization")];

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
    check(saved(), 45, |case| {
        let path = folder.join(format!("{}.onnx", case.name));
        let written = loaded(case)?.export(&path).map_err(|e| e.to_string());
        let Some((_, layer)) = NOT_ONNX.iter().find(|(name, _)| *name == case.name) else {
            return written;
        };
        match written {
            Err(e) if e.contains(layer) && e.contains("has no form in ONNX") => Ok(()),
            other => Err(format!("is refused no more, or otherwise: {other:?}")),
        }
    });
    if kept.is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}
