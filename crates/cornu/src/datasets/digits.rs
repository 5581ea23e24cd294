//! Digits: 1,797 handwritten digits of 8×8 grey levels, 0 to 16 (Alpaydin and Kaynak, UCI, 1998).

use ndarray::Array1;

use super::{
    Source,
    content::DataFile,
    table::{Table, Text},
};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "digits.csv",
    bytes: 264_712,
    sha256: "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8",
};

/// Loads the table: 1,797 images of 64 pixels, row by row, and the digits they show.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let digits = cornu::datasets::digits::load()?;
/// assert_eq!(digits.target[3], 3);
/// let images = digits.data.into_shape_with_order((1797, 8, 8))?;
/// assert_eq!(images[[0, 0, 3]], 13.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn load() -> Result<Table<Array1<u8>>> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("digits")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array1<u8>>> {
    let pixels: Vec<String> = (0..64)
        .map(|i| format!("pixel_{}_{}", i / 8, i % 8))
        .collect();
    let pixels: Vec<&str> = pixels.iter().map(String::as_str).collect();
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    Table::of_classes(&Text::load(source, &FILE, 0)?, &pixels, &digits)
}
