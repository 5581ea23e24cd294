//! HDF5 files of weights, for a model of a dense layer and a recurrent one.
#![no_main]

use cornu::prelude::*;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let name = format!("cornu-fuzz-{}.weights.h5", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, bytes).expect("a folder for temporary files");
    let mut model = Sequential::new();
    model.add(Dense::new(3).input_shape([4, 2]));
    model.add(GRU::new(2));
    model
        .compile("adam", "mse", ())
        .expect("a model that is possible");
    let _ = model.load_weights(&path);
});
