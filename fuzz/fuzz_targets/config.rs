//! The JSON of a model in a `.keras` file: layers, their arguments, and how it is compiled.
#![no_main]

use cornu::prelude::*;
use cornu::saving::{LoadModel, model_from_bytes};
use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Write};
use std::sync::OnceLock;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Weights of a layer; most models need others, and are refused when they have been made.
fn weights() -> &'static [u8] {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    WEIGHTS.get_or_init(|| {
        let name = format!("cornu-fuzz-{}.weights.h5", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut model = Sequential::new();
        model.add(Dense::new(1).input_shape([1]));
        model.build().expect("a model that is possible");
        model
            .save_weights(&path)
            .expect("a folder for temporary files");
        std::fs::read(path).expect("the file just written")
    })
}

fuzz_target!(|text: &[u8]| {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in [("config.json", text), ("model.weights.h5", weights())] {
        archive.start_file(name, plain).expect("room for a member");
        archive.write_all(bytes).expect("room for its content");
    }
    let file = archive.finish().expect("room for the end").into_inner();
    let _ = model_from_bytes(&file, &LoadModel::new());
});
