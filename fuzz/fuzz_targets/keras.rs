//! Whole models: `.keras` archives, and `.h5` files of Keras 2.
#![no_main]

use cornu::saving::{LoadModel, model_from_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = model_from_bytes(bytes, &LoadModel::new());
});
