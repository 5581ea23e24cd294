//! Alice: the text of Lewis Carroll's "Alice's Adventures in Wonderland" (1865), in the public domain.

use super::{Source, content::DataFile};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "alice29.txt",
    bytes: 152_089,
    sha256: "7467306ee0feed4971260f3c87421154a05be571d944e9cb021a5713700c38f0",
};

/// Loads the whole text, plain ASCII, with a line feed at the end of each line.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let text = cornu::datasets::alice::load()?;
/// assert!(text.contains("Alice was beginning to get very tired of sitting by her sister\non the bank"));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<String> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("alice")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<String> {
    // The file has the line ends of DOS.
    Ok(String::from_utf8_lossy(&source.load(&FILE)?).replace("\r\n", "\n"))
}
