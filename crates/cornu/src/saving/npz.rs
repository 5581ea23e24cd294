//! NumPy's `.npz`: several arrays by name in a zip archive.

use super::content::Content;
use super::members::{Members, Writer};
use super::{npy, weights};
use crate::models::Model;
use crate::{Array, Error, Result};
use std::path::Path;

/// All arrays of a file together may take this much for each byte of the file, beside
/// [`SMALL`]: arrays of mostly zeros compress well, archives made to fill memory do better.
const EXPANSION: u64 = 64;
/// What any file may take.
const SMALL: u64 = 64 << 20;

/// Reads the arrays of a `.npz` file, with their names, in the file's order.
///
/// Archives made by NumPy's `savez` and `savez_compressed` are read. A compressed one is refused if
/// it takes more than 64 times its own size and 64 MiB.
///
/// ```no_run
/// for (name, array) in cornu::saving::npz::load("data.npz")? {
///     println!("{name}: {}", array.shape());
/// }
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If the file cannot be read or is not a whole archive, or a member is not an array that
/// [`npy::load`] takes.
pub fn load(path: impl AsRef<Path>) -> Result<Vec<(String, Array)>> {
    let path = path.as_ref();
    let cannot = |e: std::io::Error| Error::io(format!("Cannot read {}: {e}.", path.display()));
    let content = Content::of_file(path).map_err(cannot)?;
    arrays(content).map_err(|e| Error::with_kind(e.kind(), format!("{}: {e}", path.display())))
}

/// Reads the arrays from the content of a `.npz` file; see [`load`].
///
/// ```
/// use cornu::{Array, saving::npz};
/// let a = Array::from([1.0f32, 2.0]);
/// let file = npz::to_bytes([("a", &a)])?;
/// assert_eq!(npz::from_bytes(&file)?, [("a".to_string(), a)]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<(String, Array)>> {
    arrays(bytes.to_vec().into())
}

fn arrays(content: Content) -> Result<Vec<(String, Array)>> {
    let broken = |e: String| Error::new(format!("This is not a .npz archive: {e}."));
    let mut left = SMALL.saturating_add(EXPANSION.saturating_mul(content.length()));
    let members = Members::open(content).map_err(broken)?;
    let mut arrays: Vec<(String, Array)> = Vec::new();
    for member in members.all() {
        let name = member.name.strip_suffix(".npy").unwrap_or(&member.name);
        if member.claimed > left {
            return Err(Error::new(format!(
                "The arrays of a .npz archive may take {EXPANSION} times its size and {} MiB. Received: more, with the array \"{name}\".",
                SMALL >> 20
            )));
        }
        let content = members.read(member, left).map_err(broken)?;
        left -= member.claimed;
        let in_array = |e: Error| Error::with_kind(e.kind(), format!("The array \"{name}\": {e}"));
        let array = npy::from_bytes(&content).map_err(in_array)?;
        arrays.push((name.to_string(), array));
    }
    Ok(arrays)
}

/// Writes arrays by name to a `.npz` file, uncompressed as by NumPy's `savez`; whole or not at all.
///
/// ```no_run
/// use cornu::{Array, saving::npz};
/// let (x, y) = (Array::from([[1.0f32], [2.0]]), Array::from([0, 1]));
/// npz::save("data.npz", [("x", &x), ("y", &y)])?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// If two arrays have one name, or the file cannot be written.
pub fn save<'a>(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (impl Into<String>, &'a Array)>,
) -> Result<()> {
    super::write(path, &to_bytes(arrays)?)
}

/// The content of a `.npz` file of these arrays; see [`save`].
///
/// # Errors
/// If two arrays have one name.
pub fn to_bytes<'a>(
    arrays: impl IntoIterator<Item = (impl Into<String>, &'a Array)>,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut archive = Writer::new(&mut bytes);
    for (name, array) in arrays {
        let name = format!("{}.npy", name.into());
        archive.member(&name, |out| Ok(out.write_all(&npy::to_bytes(array))?))?;
    }
    archive.finish()?;
    Ok(bytes)
}

/// Writes a model's weights to a `.npz` file, by Keras' names (`sequential/dense/kernel`); whole or not at all.
///
/// # Errors
/// If the model is not built, or the file cannot be written.
pub fn save_weights(model: &Model, path: impl AsRef<Path>) -> Result<()> {
    let arrays = weights::values(model)?;
    save(path, arrays.iter().map(|(name, array)| (name, array)))
}

/// Sets a model's weights to those in a `.npz` file, by name.
///
/// # Errors
/// As [`load`]; if the model is not built, a weight is missing, has another shape, or one is no weight
/// of the model's: the error names it, and nothing is set.
pub fn load_weights(model: &mut Model, path: impl AsRef<Path>) -> Result<()> {
    weights::assign(model, &load(path)?)
}
