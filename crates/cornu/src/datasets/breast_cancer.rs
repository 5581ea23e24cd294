//! Breast cancer: 30 measurements of cell nuclei in 569 tumours, malignant or benign (Wolberg, Street and
//! Mangasarian, Wisconsin, 1995).

use ndarray::Array1;

use super::{
    Source,
    content::DataFile,
    table::{Table, Text},
};
use crate::Result;

const FILE: DataFile = DataFile {
    name: "breast_cancer.csv",
    bytes: 119_913,
    sha256: "fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed",
};

const FEATURES: [&str; 30] = [
    "mean radius",
    "mean texture",
    "mean perimeter",
    "mean area",
    "mean smoothness",
    "mean compactness",
    "mean concavity",
    "mean concave points",
    "mean symmetry",
    "mean fractal dimension",
    "radius error",
    "texture error",
    "perimeter error",
    "area error",
    "smoothness error",
    "compactness error",
    "concavity error",
    "concave points error",
    "symmetry error",
    "fractal dimension error",
    "worst radius",
    "worst texture",
    "worst perimeter",
    "worst area",
    "worst smoothness",
    "worst compactness",
    "worst concavity",
    "worst concave points",
    "worst symmetry",
    "worst fractal dimension",
];

const CLASSES: [&str; 2] = ["malignant", "benign"];

/// Loads the table: 569 tumours, 212 malignant (class 0) and 357 benign (class 1).
///
/// # Errors
/// When the file is found in none of the places told in [`datasets`](super), or the one in the folder
/// named by `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let cancer = cornu::datasets::breast_cancer::load()?;
/// assert_eq!(cancer.data.dim(), (569, 30));
/// assert_eq!(cancer.target.iter().filter(|&&class| class == 1).count(), 357);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<Table<Array1<u8>>> {
    load_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("breast_cancer")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array1<u8>>> {
    Table::of_classes(&Text::load(source, &FILE, 1)?, &FEATURES, &CLASSES)
}
