//! `.safetensors`: arrays by name, as model hubs share them.
//!
//! Weights have the names of Keras' variables: `sequential/dense/kernel` in a stack, `dense/kernel` in other models. Read, a stack's own
//! name does not count.

use super::elements::{Kind, append};
use super::weights as by_name;
use crate::models::Model;
use crate::{Array, DType, Error, Result, Shape};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::path::Path;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// The arrays by name, sorted by name.
    pub arrays: Vec<(String, Array)>,
    /// The texts beside them, sorted by name.
    pub metadata: Vec<(String, String)>,
}

/// Reads a `.safetensors` file.
///
/// Element types that Cornu does not have become the next larger ones that hold them, as in
/// [`npy::load`](super::npy::load).
///
/// ```no_run
/// let file = cornu::saving::safetensors::load("model.safetensors")?;
/// for (name, array) in file.arrays {
///     println!("{name}: {}", array.shape());
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read, is not of this format, or holds 8-bit floats or other elements that
/// Cornu has no type for.
pub fn load(path: impl AsRef<Path>) -> Result<Content> {
    let path = path.as_ref();
    let cannot = |e: std::io::Error| Error::io(format!("Cannot read {}: {e}.", path.display()));
    let bytes = std::fs::read(path).map_err(cannot)?;
    from_bytes(&bytes).map_err(|e| Error::with_kind(e.kind(), format!("{}: {e}", path.display())))
}

/// Reads the content of a `.safetensors` file; see [`load`].
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Content> {
    let broken = |e| Error::new(format!("This is not a .safetensors file: {e}."));
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let mut content = Content::default();
    for (name, tensor) in file.iter() {
        let kind = kind(tensor.dtype()).ok_or_else(|| {
            Error::dtype(format!(
                "The array \"{name}\" must hold booleans, integers or floats of at least 16 bits. Received: {:?}.",
                tensor.dtype()
            ))
        })?;
        let shape = Shape::from(tensor.shape());
        content
            .arrays
            .push((name.to_string(), kind.array(shape, tensor.data())?));
    }
    let texts = header.metadata().iter().flatten();
    content.metadata = texts.map(|(k, v)| (k.clone(), v.clone())).collect();
    content.arrays.sort_by(|a, b| a.0.cmp(&b.0));
    content.metadata.sort();
    Ok(content)
}

/// Writes arrays and texts to a `.safetensors` file, whole or not at all.
///
/// # Errors
/// If two arrays have one name, or the file cannot be written.
pub fn save(path: impl AsRef<Path>, content: &Content) -> Result<()> {
    super::write(path, &to_bytes(content)?)
}

/// The content of a `.safetensors` file; see [`save`].
///
/// ```
/// use cornu::{Array, saving::safetensors::{Content, from_bytes, to_bytes}};
/// let content = Content {
///     arrays: vec![("a".to_string(), Array::from([1.0f32, 2.0]))],
///     metadata: vec![("by".to_string(), "me".to_string())],
/// };
/// assert_eq!(from_bytes(&to_bytes(&content)?)?, content);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If two arrays have one name.
pub fn to_bytes(content: &Content) -> Result<Vec<u8>> {
    let failed = |e| Error::new(format!("A .safetensors file: {e}."));
    let mut names: Vec<&str> = content
        .arrays
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
        return Err(Error::new(format!(
            "Two arrays have the name \"{}\".",
            twice[0]
        )));
    }
    let raw: Vec<Vec<u8>> = content
        .arrays
        .iter()
        .map(|(_, array)| {
            let mut bytes = Vec::with_capacity(array.size() * array.dtype().size());
            append(array, &mut bytes);
            bytes
        })
        .collect();
    let views = content
        .arrays
        .iter()
        .zip(&raw)
        .map(|((name, array), bytes)| {
            let view = TensorView::new(dtype(array.dtype()), array.shape().to_vec(), bytes);
            view.map(|view| (name.as_str(), view))
        });
    let views = views
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(failed)?;
    let texts = content.metadata.iter().cloned();
    let texts = (!content.metadata.is_empty()).then(|| texts.collect());
    serialize(views, texts).map_err(failed)
}

/// A model's weights with the names that they have in files.
///
/// # Errors
/// If the model is not built.
pub fn weights(model: &Model) -> Result<Vec<(String, Array)>> {
    by_name::values(model)
}

/// Writes a model's weights to a `.safetensors` file, whole or not at all.
///
/// ```no_run
/// use cornu::{prelude::*, saving::safetensors};
/// let mut model = Sequential::new();
/// model.add(Dense::new(1).input_shape([2]));
/// model.build()?;
/// safetensors::save_weights(&model, "model.safetensors")?;
/// safetensors::load_weights(&mut model, "model.safetensors")?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If the model is not built, or the file cannot be written.
pub fn save_weights(model: &Model, path: impl AsRef<Path>) -> Result<()> {
    let arrays = weights(model)?;
    save(
        path,
        &Content {
            arrays,
            metadata: Vec::new(),
        },
    )
}

/// Sets a model's weights to those in a `.safetensors` file, by name.
///
/// # Errors
/// As [`load`]; if the model is not built, a weight is missing, has another shape, or one is no weight
/// of the model's: the error names it, and nothing is set.
pub fn load_weights(model: &mut Model, path: impl AsRef<Path>) -> Result<()> {
    by_name::assign(model, &load(path)?.arrays)
}

fn kind(dtype: Dtype) -> Option<Kind> {
    let (letter, size) = match dtype {
        Dtype::BOOL => (b'b', 1),
        Dtype::U8 => (b'u', 1),
        Dtype::I8 => (b'i', 1),
        Dtype::U16 => (b'u', 2),
        Dtype::I16 => (b'i', 2),
        Dtype::U32 => (b'u', 4),
        Dtype::I32 => (b'i', 4),
        Dtype::U64 => (b'u', 8),
        Dtype::I64 => (b'i', 8),
        Dtype::BF16 => (b'B', 2),
        Dtype::F16 => (b'f', 2),
        Dtype::F32 => (b'f', 4),
        Dtype::F64 => (b'f', 8),
        _ => return None,
    };
    Some(Kind {
        letter,
        size,
        big_endian: false,
    })
}

fn dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::Bool => Dtype::BOOL,
        DType::U8 => Dtype::U8,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
        DType::BF16 => Dtype::BF16,
        DType::F16 => Dtype::F16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
    }
}
