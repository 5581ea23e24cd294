//! Linnerud: three exercises and three measurements of 20 men in a fitness club (A. C. Linnerud, in
//! M. Tenenhaus, "La régression PLS", 1998); several numbers to predict.

use ndarray::Array2;

use super::{
    Source,
    content::DataFile,
    table::{Table, Text, names},
};
use crate::Result;

const EXERCISE: DataFile = DataFile {
    name: "linnerud_exercise.csv",
    bytes: 212,
    sha256: "cb8d8c24937643fa2459682efb86c5e667bcd6dd93109eef81964d9e9f11bf8c",
};
const PHYSIOLOGICAL: DataFile = DataFile {
    name: "linnerud_physiological.csv",
    bytes: 219,
    sha256: "2bf7e05c1cd7d0adf0eca1e456941f624bed0a4fc96694d60d0ff7853ec5fcf7",
};

/// Loads the table: chin-ups, sit-ups and jumps of 20 men, and their weight, waist and pulse.
///
/// # Errors
/// When a file is found in none of the places told in [`datasets`](super), or one in the folder named by
/// `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let linnerud = cornu::datasets::linnerud::load()?;
/// assert_eq!(linnerud.data.dim(), (20, 3));
/// assert_eq!(linnerud.target_names, ["Weight", "Waist", "Pulse"]);
/// assert_eq!(linnerud.target[[0, 0]], 191.0);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<Table<Array2<f64>>> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("linnerud")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array2<f64>>> {
    Ok(Table {
        data: Text::load(source, &EXERCISE, 1)?.parse(3)?,
        target: Text::load(source, &PHYSIOLOGICAL, 1)?.parse(3)?,
        feature_names: names(&["Chins", "Situps", "Jumps"]),
        target_names: names(&["Weight", "Waist", "Pulse"]),
    })
}
