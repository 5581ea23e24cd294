//! Reading samples and writing answers.

mod images;
#[cfg(feature = "parquet")]
mod parquet;
mod table;
mod write;

pub use images::{image_sizes, images};
pub use table::{Table, is_missing, number};
pub use write::{csv, write_answers, write_file, write_text};

use crate::exit::Failure;
use cornu::Array;
use cornu::saving::{npy, npz};
use std::io::Read;
use std::path::Path;

/// What a file holds.
#[derive(Debug)]
pub enum Content {
    /// One array.
    Array(Array),
    /// Several, by name.
    Arrays(Vec<(String, Array)>),
    /// Rows of text.
    Table(Table),
}

impl Content {
    /// The only array; a table of numbers is one.
    pub fn into_array(self, path: &str) -> Result<Array, Failure> {
        match self {
            Content::Array(array) => Ok(array),
            Content::Table(table) => table.numbers(path),
            Content::Arrays(mut arrays) => match (arrays.pop(), arrays.len()) {
                (Some((_, array)), 0) => Ok(array),
                (_, more) => Err(Failure::data(format!(
                    "{path} must hold one array. Received: {}.",
                    if more == 0 { 0 } else { more + 1 }
                ))),
            },
        }
    }
}

/// Reads a file, or standard input if the path is `-`, as what its content shows it to be: NumPy's files
/// and Parquet have a signature, anything else is CSV.
pub fn read(path: &str) -> Result<Content, Failure> {
    let bytes = match path {
        "-" => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            read.map(|_| bytes)
        }
        path => std::fs::read(path),
    };
    let bytes = bytes.map_err(|e| Failure::file(path, e))?;
    let named = |e: cornu::Error| Failure::data(format!("{path}: {e}"));
    if bytes.starts_with(b"\x93NUMPY") {
        return Ok(Content::Array(npy::from_bytes(&bytes).map_err(named)?));
    }
    if bytes.starts_with(b"PK") {
        return Ok(Content::Arrays(npz::from_bytes(&bytes).map_err(named)?));
    }
    if bytes.starts_with(b"PAR1") {
        return parquet(bytes, path).map(Content::Table);
    }
    let known = ["csv", "tsv", "txt", "data", ""];
    let ending = Path::new(path).extension().unwrap_or_default();
    if path != "-" && !known.iter().any(|k| ending.eq_ignore_ascii_case(k)) {
        return Err(Failure::data(format!(
            "{path} must be .csv, .parquet, .npy or .npz. Received: something else."
        )));
    }
    Table::parse(&bytes, path).map(Content::Table)
}

#[cfg(feature = "parquet")]
fn parquet(bytes: Vec<u8>, path: &str) -> Result<Table, Failure> {
    parquet::table(bytes, path)
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: Vec<u8>, path: &str) -> Result<Table, Failure> {
    Err(Failure::usage(format!(
        "{path} is Parquet, which this program was built without: install it with its feature parquet."
    )))
}
