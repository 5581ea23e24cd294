//! Keras, as a native Rust library.
