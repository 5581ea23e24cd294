//! Sunspots: how many there were in each year from 1700 to 2008.

use ndarray::Array1;

use super::{Source, content::DataFile, table::Text};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "sunspots.csv",
    bytes: 2_944,
    sha256: "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b",
};

/// Loads the series: the numbers of 309 years, the first of them 1700.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let sunspots = cornu::datasets::sunspots::load_data()?;
/// assert_eq!((sunspots.len(), sunspots[0], sunspots[308]), (309, 5.0, 2.9));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load_data() -> Result<Array1<f32>> {
    load_data_from(&source())
}

/// Where [`load_data`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("sunspots")
}

/// [`load_data`] from places of one's own.
///
/// # Errors
/// As [`load_data`].
pub fn load_data_from(source: &Source) -> Result<Array1<f32>> {
    let years = Text::load(source, &FILE, 1)?.parse::<f32>(2)?;
    Ok(years.column(1).to_owned())
}
