//! Turning what is not yet numbers into arrays, before a model sees it.

mod text_vectorization;

pub use text_vectorization::{OutputMode, Split, Standardize, TextVectorization};
