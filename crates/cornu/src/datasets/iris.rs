//! Iris: four lengths of 150 flowers of three species, the table of R. A. Fisher (1936).

use ndarray::Array1;

use super::{
    Source,
    content::DataFile,
    table::{Table, Text},
};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "iris.csv",
    bytes: 2_734,
    sha256: "f13ffa8fdd56fd8e6c8d16d4081a3fbd3114bcd0aae4256c43205169cd9d1449",
};

const FEATURES: [&str; 4] = [
    "sepal length (cm)",
    "sepal width (cm)",
    "petal length (cm)",
    "petal width (cm)",
];

const CLASSES: [&str; 3] = ["setosa", "versicolor", "virginica"];

/// Loads the table: 150 flowers, 50 of each species.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let iris = cornu::datasets::iris::load()?;
/// assert_eq!(iris.data.dim(), (150, 4));
/// assert_eq!(iris.target_names[iris.target[149] as usize], "virginica");
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<Table<Array1<u8>>> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("iris")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array1<u8>>> {
    Table::of_classes(&Text::load(source, &FILE, 1)?, &FEATURES, &CLASSES)
}
