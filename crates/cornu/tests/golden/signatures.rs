//! Every argument of every layer's constructor against Keras' own: its name, its default, and what another
//! value does to the configuration.

use crate::golden::{self, Report, same_json as same};
use cornu::layers;
use serde_json::{Value, json};

/// Classes of Keras that Cornu does not have: other frameworks', those of sound and boxes, and what is abstract
/// there.
const MISSING: [&str; 10] = [
    "FlaxLayer",
    "JaxLayer",
    "Layer",
    "MaxNumBoundingBoxes",
    "MelSpectrogram",
    "STFTSpectrogram",
    "TFSMLayer",
    "TextVectorization",
    "TorchModuleWrapper",
    "Wrapper",
];

/// Arguments of Keras that no configuration of Cornu has, of a class or, if it is `""`, of all.
const LEFT_OUT: [(&str, &str); 18] = [
    // Quantised and low-rank kernels.
    ("", "lora_rank"),
    ("", "lora_alpha"),
    ("", "quantization_config"),
    ("", "gptq_unpacked_column_size"),
    // How to compute, not what.
    ("", "use_cudnn"),
    ("", "flash_attention"),
    ("BatchNormalization", "synchronized"),
    // Sparse and ragged tensors, of which Keras' own files tell nothing.
    ("Discretization", "sparse"),
    ("HashedCrossing", "sparse"),
    ("Hashing", "sparse"),
    ("InputLayer", "sparse"),
    ("InputLayer", "ragged"),
    // Values, for which there is `set_weights`.
    ("Bidirectional", "weights"),
    ("Embedding", "weights"),
    // A shape in two parts, which files have as `batch_shape`, and a tensor that is there already.
    ("InputLayer", "shape"),
    ("InputLayer", "batch_size"),
    ("InputLayer", "input_tensor"),
    // What may be left out when a model is called.
    ("InputLayer", "optional"),
];

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("a string")
}

/// The layer that Keras' constructor makes of these arguments says the same of itself.
fn check(class: &str, case: &Value) -> Result<(), String> {
    let object = |config: &Value| json!({"module": "keras.layers", "class_name": class, "config": config, "registered_name": null});
    let layer = layers::from_config(&object(&case["config"])).map_err(|e| e.to_string())?;
    let mut want = case["get_config"].clone();
    let own = layers::to_config(&*layer, text(&want, "name"));
    match class {
        // As Keras writes it once the layer is built.
        "LayerNormalization" | "RMSNormalization" if want["axis"].is_i64() => {
            want["axis"] = json!([want["axis"]]);
        }
        // Keras forgets these two.
        "SimpleRNN" => want["activity_regularizer"] = own["config"]["activity_regularizer"].clone(),
        "RandomGrayscale" => {
            if let Some(seed) = own["config"].get("seed") {
                want["seed"] = seed.clone();
            }
        }
        _ => golden::with_policy(&mut want),
    }
    same(&own["config"], &want)
}

#[test]
fn arguments_of_constructors() {
    let golden = golden::load("layers_signatures");
    let mut report = Report::default();
    for entry in list(&golden, "classes") {
        let class = text(entry, "class");
        let known = layers::from_config(&json!({"class_name": class, "config": {}}));
        let unknown = known.is_err_and(|e| e.to_string().contains("nknown layer class"));
        if MISSING.contains(&class) || unknown {
            let said = (MISSING.contains(&class) == unknown).then_some(());
            let wrong = || format!("is there: {}; listed as missing: {}", !unknown, unknown);
            report.add(|| class.to_string(), said.ok_or_else(wrong));
            continue;
        }
        let Some(required) = entry.get("required") else {
            continue;
        };
        report.add(|| class.to_string(), check(class, required));
        for argument in list(entry, "arguments") {
            let argument = text(argument, "name");
            let varied = list(entry, "varied");
            let case = varied.iter().find(|v| v["argument"] == argument);
            let case = case.filter(|c| c.get("refused").is_none());
            let left_out = LEFT_OUT
                .iter()
                .any(|(c, a)| *a == argument && (c.is_empty() || *c == class));
            let outcome = match case {
                Some(case) => check(class, case),
                None => Err("not compared".to_string()),
            };
            let outcome = match (left_out, outcome) {
                (true, Ok(())) => Err("is there, and listed as left out".to_string()),
                (true, Err(_)) => Ok(()),
                (false, outcome) => outcome,
            };
            report.add(|| format!("{class}, {argument}"), outcome);
        }
    }
    report.finish(850);
}
