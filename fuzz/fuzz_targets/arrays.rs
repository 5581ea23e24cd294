//! Arrays: `.npy`, `.npz` and `.safetensors`.
#![no_main]

use cornu::saving::{npy, npz, safetensors};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = npy::from_bytes(bytes);
    let _ = npz::from_bytes(bytes);
    let _ = safetensors::from_bytes(bytes);
});
