//! Files that are made to do harm: an error each, and never much memory.
#![cfg(feature = "saving")]

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
