//! Files that are made to do harm: an error each, and never much memory.
#![cfg(feature = "saving")]

use cornu::IntoData;
use cornu::prelude::*;
use cornu::saving::{LoadModel, model_from_bytes, model_from_json, model_from_json_with, npy, npz};
use serde_json::{Value, json};
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;
use std::sync::OnceLock;
use zip::write::SimpleFileOptions;

/// A folder of a test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("cornu-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The most memory that this process had at once, in MiB, where the system says.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

/// What no test here may need, whatever runs beside it: several hundred times each of the files.
fn assert_little_memory() {
    assert!(peak().is_none_or(|mib| mib < 600), "{:?} MiB", peak());
}

fn small() -> Model {
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_shape([4]));
    model.build().unwrap();
    model.into()
}

/// A `.keras` file of these members.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        out.start_file(*name, SimpleFileOptions::default()).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// The file of a small model's weights.
fn weights() -> &'static [u8] {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let folder = Folder::new("hostile-weights");
        let path = folder.0.join("model.weights.h5");
        small().save_weights(&path).unwrap();
        std::fs::read(path).unwrap()
    })
}

/// Why a file with this model is refused.
fn refused(config: &str) -> String {
    let file = archive(&[
        ("config.json", config.as_bytes()),
        ("model.weights.h5", weights()),
    ]);
    match model_from_bytes(&file, &LoadModel::new()) {
        Ok(model) => panic!("{} was read", model.to_json()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn hdf5_files_of_all_sorts_give_errors() {
    let path = format!(
        "{}/../../tests/golden/hostile.zip",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut all = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let folder = Folder::new("hostile-hdf5");
    for i in 0..all.len() {
        let mut member = all.by_index(i).unwrap();
        let name = member.name().to_string();
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).unwrap();
        let path = folder.0.join(&name);
        std::fs::write(&path, &bytes).unwrap();
        let mut model = small();
        let before = model.get_weights().unwrap();
        let done = model.load_weights(&path);
        if name.starts_with("plain") {
            done.unwrap();
            continue;
        }
        assert!(done.is_err(), "{name} was read");
        assert_eq!(model.get_weights().unwrap(), before, "{name}");
        let config = small().to_json();
        let file = archive(&[
            ("config.json", config.as_bytes()),
            ("model.weights.h5", &bytes),
        ]);
        assert!(
            model_from_bytes(&file, &LoadModel::new()).is_err(),
            "{name}"
        );
    }
    assert_little_memory();
}

#[test]
fn archives_that_unpack_to_much_give_errors() {
    let zeros = vec![b' '; 64 << 20];
    let config = small().to_json();
    let bomb = archive(&[("config.json", &zeros), ("model.weights.h5", weights())]);
    assert!(bomb.len() < 1 << 20);
    let e = model_from_bytes(&bomb, &LoadModel::new()).unwrap_err();
    assert!(
        e.to_string().contains("\"config.json\" in the archive"),
        "{e}"
    );
    let bomb = archive(&[
        ("config.json", config.as_bytes()),
        ("model.weights.h5", &zeros),
    ]);
    let e = model_from_bytes(&bomb, &LoadModel::new()).unwrap_err();
    assert!(
        e.to_string()
            .contains("\"model.weights.h5\" in the archive"),
        "{e}"
    );
    assert!(npz::from_bytes(&archive(&[("a.npy", &zeros)])).is_err());
    drop(zeros);
    assert_little_memory();
}

#[test]
fn json_nested_deeply_gives_errors() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    for text in [deep("[", "]"), deep("{\"config\":", "}")] {
        refused(&text);
        let e = model_from_json(&text).unwrap_err().to_string();
        assert!(e.contains("no JSON of a model: recursion limit"), "{e}");
    }
    // As deep as JSON may be, models in models.
    let mut model: Value = serde_json::from_str(&small().to_json()).unwrap();
    for _ in 0..24 {
        model["name"] = "inner".into();
        model = json!({"class_name": "Sequential", "config": {"name": "outer", "layers": [model]}});
    }
    let _ = model_from_json(&model.to_string());
    assert_little_memory();
}

#[test]
fn json_of_another_shape_gives_errors() {
    let lookup = |config: Value| layer("StringLookup", config);
    let layers = json!([1, "x", null, [], lookup(json!(1)), {"class_name": "StringLookup"}]);
    for model in [
        json!(""),
        json!(1),
        json!([]),
        json!(null),
        json!({"config": ""}),
        json!({"class_name": "Sequential", "config": {"layers": {}}}),
        json!({"class_name": "Functional", "config": {"layers": layers}}),
        json!({"class_name": "Sequential", "config": {"layers": layers}}),
    ] {
        // A panic would come out as this.
        let e = refused(&model.to_string());
        assert!(!e.contains("cannot be computed"), "{model}: {e}");
    }
}

/// A stack of these layers over samples of a shape.
fn stack(shape: &[u64], layers: &[Value]) -> String {
    let mut batch = vec![Value::Null];
    batch.extend(shape.iter().map(|n| json!(n)));
    let input = json!({"class_name": "InputLayer", "config": {"batch_shape": batch, "dtype": "float32", "name": "x"}});
    let mut all = vec![input];
    all.extend(layers.iter().cloned());
    json!({
        "class_name": "Sequential",
        "config": {"name": "hostile", "layers": all, "build_input_shape": batch},
    })
    .to_string()
}

fn layer(class: &str, config: Value) -> Value {
    json!({"class_name": class, "config": config})
}

#[test]
fn layers_that_ask_for_too_much_are_refused() {
    let many = 1u64 << 40;
    let most = u64::MAX / 2;
    let cell = |class: &str| layer(class, json!({"units": 2}));
    let cases = [
        (vec![4], layer("Dense", json!({"units": many}))),
        (vec![4], layer("Dense", json!({"units": most}))),
        (vec![most, most], layer("Flatten", json!({}))),
        (
            vec![many],
            layer("Activation", json!({"activation": "relu"})),
        ),
        (vec![3], layer("RepeatVector", json!({"n": many}))),
        (
            vec![1],
            layer(
                "IntegerLookup",
                json!({"vocabulary": [3], "num_oov_indices": most}),
            ),
        ),
        (
            vec![1],
            layer(
                "IntegerLookup",
                json!({"vocabulary": [3], "max_tokens": many, "pad_to_max_tokens": true,
                    "output_mode": "multi_hot"}),
            ),
        ),
        (
            vec![4, 4, 1],
            layer("UpSampling2D", json!({"size": [many, many]})),
        ),
        (
            vec![4, 4, 1],
            layer(
                "ZeroPadding2D",
                json!({"padding": [[many, many], [most, most]]}),
            ),
        ),
        (
            vec![4, 4, 1],
            layer(
                "Resizing",
                json!({"height": many, "width": 1, "interpolation": "nearest"}),
            ),
        ),
        (
            vec![4, 4, 1],
            layer("Resizing", json!({"height": 1 << 25, "width": 1 << 4})),
        ),
        (
            vec![9, 1],
            layer("AdaptiveAveragePooling1D", json!({"output_size": many})),
        ),
        (
            vec![6, 8, 2],
            layer("AdaptiveAveragePooling2D", json!({"output_size": i32::MAX})),
        ),
        (
            vec![1 << 20, 1],
            layer("AdaptiveAveragePooling1D", json!({"output_size": 1 << 20})),
        ),
        (
            vec![9, 1],
            layer("AdaptiveMaxPooling1D", json!({"output_size": 1 << 29})),
        ),
        (
            vec![4],
            layer("Embedding", json!({"input_dim": many, "output_dim": many})),
        ),
        (
            vec![4, 4, 1],
            layer(
                "Conv2D",
                json!({"filters": 1, "kernel_size": [most, most], "padding": "same"}),
            ),
        ),
        (
            vec![4, 1],
            layer("Conv1D", json!({"filters": many, "kernel_size": 1})),
        ),
        (
            vec![4, 4, 1],
            layer(
                "MaxPooling2D",
                json!({"pool_size": [most, most], "padding": "same"}),
            ),
        ),
        (
            vec![3],
            layer("CategoryEncoding", json!({"num_tokens": most})),
        ),
        (
            vec![4],
            layer("Reshape", json!({"target_shape": [most, most, 4]})),
        ),
        (
            vec![1 << 29, 1],
            layer("LSTM", json!({"units": 2, "unroll": true})),
        ),
        (
            vec![1 << 29, 1],
            layer(
                "RNN",
                json!({"cell": layer("StackedRNNCells", json!({"cells": [cell("GRUCell"), cell("LSTMCell")]}))}),
            ),
        ),
        (
            vec![1 << 20, 3, 1],
            layer("ConvLSTM1D", json!({"filters": 1, "kernel_size": 1})),
        ),
        (
            vec![1 << 20, 3],
            layer(
                "Bidirectional",
                json!({"layer": layer("GRU", json!({"units": 1, "unroll": true}))}),
            ),
        ),
        (
            vec![4, 4],
            layer(
                "MultiHeadAttention",
                json!({"num_heads": many, "key_dim": many}),
            ),
        ),
    ];
    for (shape, layer) in cases {
        let class = layer["class_name"].as_str().unwrap().to_string();
        let described = stack(&shape, &[layer]);
        refused(&described);
        // Of its description alone one with many steps may be made: they are written out when it is asked.
        let walks = ["LSTM", "RNN", "ConvLSTM1D", "Bidirectional"].contains(&&*class);
        assert!(walks || model_from_json(&described).is_err(), "{class}");
    }
    assert_little_memory();
}

#[test]
fn weights_are_limited_as_is_asked() {
    let described = stack(&[1000], &[layer("Dense", json!({"units": 1000}))]);
    let read = |bytes| model_from_json_with(&described, &LoadModel::new().weight_limit(bytes));
    assert_eq!(read(100 << 20).unwrap().count_params().unwrap(), 1_001_000);
    let e = read(3 << 20).unwrap_err().to_string();
    assert!(e.contains("than what it is read from may ask for"), "{e}");
}

#[test]
fn weights_of_pickled_python_are_refused() {
    let config = small().to_json();
    let file = archive(&[
        ("config.json", config.as_bytes()),
        ("model.weights.npz", b"PK"),
    ]);
    let e = model_from_bytes(&file, &LoadModel::new()).unwrap_err();
    assert!(e.to_string().contains("pickled Python"), "{e}");
}

#[test]
fn arrays_that_claim_much_give_errors() {
    let header = |shape: &str| {
        let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes
    };
    let many = u64::MAX / 4;
    for shape in [
        format!("({many}, {many})"),
        "(1099511627776,)".into(),
        format!("(0, {many}, {many})"),
    ] {
        assert!(npy::from_bytes(&header(&shape)).is_err(), "{shape}");
    }
    assert_little_memory();
}

/// What an argument may be that means harm, or nothing.
fn nonsense() -> Vec<Value> {
    let numbers = [
        json!(0),
        json!(1),
        json!(3),
        json!(-1),
        json!(-7),
        json!(1u64 << 31),
        json!(1u64 << 62),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(-0.5),
        json!(1.0),
        json!(1e300),
        json!(-1e300),
        json!(1e-320),
    ];
    let mut all = vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(""),
        json!("nonsense"),
        json!([]),
        json!([[]]),
        json!({}),
        json!([null]),
        json!([1, 2, 3, 4, 5, 6, 7, 8, 9]),
        json!(["a", null, 3]),
        json!({"class_name": "Dense", "config": {"units": 0}}),
        json!({"class_name": "LSTM", "config": {"units": u64::MAX}}),
        json!({"class_name": "MaxNorm", "config": {"max_value": -1, "axis": [7, -9]}}),
    ];
    for n in &numbers {
        all.extend([
            json!([n]),
            json!([n, n]),
            json!([n, n, n]),
            json!([[n, n], [n, n]]),
        ]);
        all.extend([json!([0, n]), json!([n, 0.5]), json!([null, n])]);
    }
    all.extend(numbers);
    all
}

/// A graph of one layer on as many inputs of a shape as asked for; attention takes them one by one.
fn graph(shape: &[u64], inputs: usize, class: &str, config: &Value) -> String {
    let mut batch = vec![Value::Null];
    batch.extend(shape.iter().map(|n| json!(n)));
    let names: Vec<String> = (0..inputs).map(|i| format!("x{i}")).collect();
    let tensor = |name: &String| json!({"class_name": "__keras_tensor__", "config": {"shape": batch, "dtype": "float32", "keras_history": [name, 0, 0]}});
    let tensors: Vec<Value> = names.iter().map(tensor).collect();
    let arguments = match inputs {
        1 => json!(tensors),
        _ if class.contains("Head") || class.contains("Query") => json!(tensors),
        _ => json!([tensors]),
    };
    let mut layers: Vec<Value> = Vec::new();
    for name in &names {
        layers.push(json!({
            "class_name": "InputLayer", "name": name, "inbound_nodes": [],
            "config": {"batch_shape": batch, "dtype": "float32", "name": name},
        }));
    }
    let mut own = config.clone();
    own["name"] = "hostile".into();
    layers.push(json!({
        "class_name": class, "name": "hostile", "config": own,
        "inbound_nodes": [{"args": arguments, "kwargs": {}}],
    }));
    let ends: Vec<Value> = names.iter().map(|n| json!([n, 0, 0])).collect();
    json!({
        "class_name": "Functional",
        "config": {
            "name": "graph", "trainable": true, "layers": layers, "input_layers": ends,
            "output_layers": [["hostile", 0, 0]],
        },
    })
    .to_string()
}

/// Makes a model of a description and, if it is a small one, asks it. Whether there was a model; the message of
/// a panic is an error.
fn survive(shape: &[u64], inputs: usize, text: &str) -> Result<bool, String> {
    let run = || {
        let options = LoadModel::new().weight_limit(1 << 20);
        let Ok(model) = model_from_json_with(text, &options) else {
            return false;
        };
        let small = |n: usize| n < 100_000;
        let numbers = |shape: &[usize]| shape.iter().copied().fold(1, usize::saturating_mul);
        let mut batch = vec![2usize];
        batch.extend(shape.iter().map(|n| *n as usize));
        let outputs = model.output_shapes().unwrap_or_default();
        if small(numbers(&batch)) && outputs.iter().all(|s| small(numbers(&s.with(2)))) {
            let zeros = Array::zeros(DType::F32, batch);
            let data: Vec<_> = (0..inputs).map(|_| (&zeros).into_data()).collect();
            let _ = model.predict_all(data);
        }
        true
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
        text.unwrap_or_default()
    })
}

/// Every layer with every argument of Keras' set to nonsense, and on inputs of every kind of shape: models or
/// errors, and no panic.
#[test]
fn arguments_without_sense_give_errors() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/layers_signatures.json"
    );
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let shapes: [&[u64]; 14] = [
        &[4],
        &[4, 3],
        &[6, 6, 3],
        &[2, 6, 6, 3],
        &[2, 2, 6, 6, 3],
        &[],
        &[0],
        &[0, 0],
        &[0, 6, 3],
        &[1 << 31],
        &[u64::MAX / 2, 1],
        &[1 << 40, 1 << 40, 3],
        &[6, 6, 0],
        &[1, 1, 1],
    ];
    std::panic::set_hook(Box::new(|_| {}));
    let (mut made, mut refused, mut panics) = (0, 0, Vec::new());
    let mut check = |class: &str, config: &Value, shape: &[u64], inputs: usize, what: &str| {
        let fits = survive(shape, inputs, &graph(shape, inputs, class, config));
        match &fits {
            Ok(true) => made += 1,
            Ok(false) => refused += 1,
            Err(e) => panics.push(format!("{class}, {what}on {inputs} of {shape:?}: {e}")),
        }
        fits == Ok(true)
    };
    for entry in golden["classes"].as_array().unwrap() {
        let class = entry["class"].as_str().unwrap();
        let required = &entry["required"]["config"];
        if required.is_null() || class == "InputLayer" {
            continue;
        }
        let mut fits = Vec::new();
        for shape in shapes {
            for inputs in 1..=3 {
                if check(class, required, shape, inputs, "") {
                    fits.push((shape, inputs));
                }
            }
        }
        for argument in entry["arguments"].as_array().unwrap() {
            let name = argument["name"].as_str().unwrap();
            for value in nonsense() {
                let mut config = required.clone();
                config[name] = value.clone();
                for (shape, inputs) in fits.iter().take(2) {
                    check(class, &config, shape, *inputs, &format!("{name}={value} "));
                }
            }
        }
    }
    let _ = std::panic::take_hook();
    let (n, some) = (panics.len(), panics.iter().take(60));
    let some: Vec<&String> = some.collect();
    assert!(panics.is_empty(), "{n} panics:\n{some:#?}");
    assert!(made > 5_000 && refused > 50_000, "{made} and {refused}");
    assert_little_memory();
}
