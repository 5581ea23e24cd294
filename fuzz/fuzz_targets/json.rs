//! The JSON of a model without weights, which are made new.
#![no_main]

use cornu::saving::{LoadModel, model_from_json_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let little = LoadModel::new().weight_limit(1 << 24);
    let _ = model_from_json_with(text, &little);
});
