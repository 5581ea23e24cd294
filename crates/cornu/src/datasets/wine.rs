//! Wine: 13 measurements of 178 wines of three growers (Forina and others, UCI, 1991).

use ndarray::Array1;

use super::{
    Source,
    content::DataFile,
    table::{Table, Text},
};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "wine_data.csv",
    bytes: 11_157,
    sha256: "10e8a802908b34f86e5da8ce962f3c806694bc98450a18f61851af59f324bede",
};

const FEATURES: [&str; 13] = [
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
];

const CLASSES: [&str; 3] = ["class_0", "class_1", "class_2"];

/// Loads the table: 178 wines, 59, 71 and 48 of the three growers.
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let wine = cornu::datasets::wine::load()?;
/// assert_eq!(wine.data.dim(), (178, 13));
/// assert_eq!(wine.feature_names[0], "alcohol");
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<Table<Array1<u8>>> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("wine")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array1<u8>>> {
    Table::of_classes(&Text::load(source, &FILE, 1)?, &FEATURES, &CLASSES)
}
