//! Models, weights and arrays in files.
//!
//! Every reader is bounded: a file that is cut off, altered or made to do harm gives an [`Error`](crate::Error), and never
//! takes more memory than a small multiple of its own size.

#[cfg(feature = "saving")]
mod archive;
#[cfg(feature = "saving")]
mod assets;
mod content;
mod custom;
mod elements;
#[cfg(feature = "saving")]
mod hdf5;
#[cfg(feature = "saving")]
mod legacy_h5;
mod load;
mod members;
#[cfg(feature = "saving")]
mod model;
pub mod npy;
pub mod npz;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "safetensors")]
pub mod safetensors;
#[cfg(feature = "saving")]
mod shards;
#[cfg(feature = "saving")]
mod variables;
mod weights;
#[cfg(feature = "saving")]
mod weights_h5;

pub use custom::CustomObjects;
pub(crate) use custom::{
    custom_activation, custom_constraint, custom_initializer, custom_layer, custom_loss,
    custom_metric, custom_optimizer, custom_regularizer,
};
pub use load::LoadModel;
#[cfg(feature = "saving")]
pub use model::{load_model, load_model_with, model_from_bytes, read_member};

use crate::Result;
use crate::files::write_atomically;
use crate::models::Model;
use std::io::Write;
use std::path::Path;

/// A model from the text of Keras' JSON ([`Model::to_json`]): its architecture, and how it is compiled, with
/// weights as they are made new, of at most 1 GiB ([`LoadModel::weight_limit`] says otherwise).
///
/// # Errors
/// Text that is no JSON of a model; a class, an argument or a string that is not known; more weights.
pub fn model_from_json(text: &str) -> Result<Model> {
    model_from_json_with(text, &LoadModel::new())
}

/// As [`model_from_json`], with options.
///
/// # Errors
/// As [`model_from_json`].
pub fn model_from_json_with(text: &str, options: &LoadModel) -> Result<Model> {
    options.of_json(text)
}

/// Writes a file so that at every moment there is either what was there before or the whole of the new.
///
/// # Errors
/// If the file cannot be written.
pub fn write(path: impl AsRef<Path>, content: &[u8]) -> Result<()> {
    write_atomically(path.as_ref(), |file| Ok(file.write_all(content)?))
}
