//! Sequences made arrays, compared with Keras' own (`tests/golden/sequences.json`).

use crate::golden::{array, load, number, usize_of};
use cornu::data::Dataset;
use cornu::utils::{PadSequences, Side, pad_sequences_with, timeseries_dataset_from_array};
use cornu::{Array, DType, Inputs};
use serde_json::Value;

fn side(v: &Value) -> Side {
    match v.as_str() {
        Some("post") => Side::Post,
        _ => Side::Pre,
    }
}

/// A sequence of numbers or of rows.
fn sequence(v: &Value) -> Array {
    let steps = v.as_array().unwrap();
    let row = steps.first().and_then(Value::as_array).map(Vec::len);
    let numbers: Vec<f32> = match row {
        Some(_) => steps
            .iter()
            .flat_map(|s| s.as_array().unwrap().iter().map(|n| number(n) as f32))
            .collect(),
        None => steps.iter().map(|n| number(n) as f32).collect(),
    };
    let shape: Vec<usize> = [steps.len()].into_iter().chain(row).collect();
    Array::from_vec(shape, numbers).unwrap()
}

#[test]
fn padded_sequences_are_kerass() -> cornu::Result<()> {
    let golden = load("sequences");
    let cases = golden["pad_sequences"].as_array().unwrap();
    assert!(cases.len() >= 9);
    for case in cases {
        let args = &case["args"];
        let mut options = PadSequences::new()
            .padding(side(&args["padding"]))
            .truncating(side(&args["truncating"]));
        if !args["maxlen"].is_null() {
            options = options.maxlen(usize_of(&args["maxlen"]));
        }
        if !args["value"].is_null() {
            options = options.value(number(&args["value"]));
        }
        if let Some(name) = args["dtype"].as_str() {
            options = options.dtype(DType::from_name(name)?);
        }
        let sequences: Vec<Array> = case["sequences"]
            .as_array()
            .unwrap()
            .iter()
            .map(sequence)
            .collect();
        let padded = pad_sequences_with(&sequences, options)?;
        assert_eq!(padded, array(&case["result"]), "{args}");
    }
    Ok(())
}

#[test]
fn windows_over_series_are_kerass() -> cornu::Result<()> {
    let golden = load("sequences");
    let cases = golden["timeseries"].as_array().unwrap();
    assert!(cases.len() >= 14);
    for case in cases {
        let args = &case["args"];
        let of = |name: &str, default: usize| match &args[name] {
            Value::Null => default,
            v => usize_of(v),
        };
        let targets = match &case["targets"] {
            Value::Null => Inputs::new(),
            targets => Inputs::new().then(array(targets)),
        };
        let length = usize_of(&args["sequence_length"]);
        let mut windows = timeseries_dataset_from_array(array(&case["data"]), targets, length)
            .sequence_stride(of("sequence_stride", 1))
            .sampling_rate(of("sampling_rate", 1))
            .start_index(of("start_index", 0))
            .batch_size(match args.get("batch_size") {
                Some(Value::Null) => None,
                _ => Some(of("batch_size", 128)),
            });
        if !args["end_index"].is_null() {
            windows = windows.end_index(of("end_index", 0));
        }
        let batches = windows.examples()?.collect::<cornu::Result<Vec<_>>>()?;
        let expected = case["batches"].as_array().unwrap();
        assert_eq!(batches.len(), expected.len(), "{args}");
        for (ours, keras) in batches.iter().zip(expected) {
            let first = |arrays: &Inputs<'_>| arrays.first().map(|a| a.to_array());
            assert_eq!(first(&ours.x), Some(array(&keras["x"])), "{args}");
            assert_eq!(first(&ours.y), keras.get("y").map(array), "{args}");
        }
    }
    Ok(())
}
