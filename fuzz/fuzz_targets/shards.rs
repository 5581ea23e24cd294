//! The index of weights in several files.
#![no_main]

use cornu::prelude::*;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = format!("cornu-fuzz-{}.weights.json", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).expect("a folder for temporary files");
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_shape([4]));
    model.build().expect("a model that is possible");
    let _ = model.load_weights(&path);
});
