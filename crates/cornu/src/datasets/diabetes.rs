//! Diabetes: ten measurements of 442 patients, and how far the disease had gone a year later (Efron,
//! Hastie, Johnstone and Tibshirani, "Least Angle Regression", 2004).

use ndarray::{Array1, Axis};

use super::{
    Source,
    content::DataFile,
    table::{Table, Text, names},
};
use crate::Result;

const DATA: DataFile = DataFile {
    name: "diabetes_data_raw.csv",
    bytes: 19_596,
    sha256: "86badf50b4f9436ddd1e497dc0ae1b93166f8120221ee7dca4634fe849f3be7c",
};
const TARGET: DataFile = DataFile {
    name: "diabetes_target.csv",
    bytes: 11_050,
    sha256: "244713a551f62a291a354212d8a048adec6cb1244b2bc44e66a0698f5006d26d",
};

/// Age in years, sex, body mass index, mean blood pressure and six measurements of the serum.
const FEATURES: [&str; 10] = [
    "age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6",
];

/// Loads the table with each feature centred and scaled to a sum of squares of 1, as scikit-learn does.
///
/// # Errors
/// When a file is found in none of the places told in [`datasets`](super), or one in the folder named by
/// `CORNU_DATA` is not the true one.
///
/// # Examples
/// ```
/// let diabetes = cornu::datasets::diabetes::load()?;
/// assert_eq!(diabetes.data.dim(), (442, 10));
/// let bmi = diabetes.data.column(2);
/// assert!(bmi.sum().abs() < 1e-9 && (bmi.dot(&bmi) - 1.0).abs() < 1e-9);
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn load() -> Result<Table<Array1<f64>>> {
    load_from(&source())
}

/// [`load`] with the measurements as they were taken.
///
/// # Errors
/// As [`load`].
pub fn load_raw() -> Result<Table<Array1<f64>>> {
    load_raw_from(&source())
}

/// Where [`load`] looks: the places told in [`datasets`](super).
pub fn source() -> Source {
    Source::standard("diabetes")
}

/// [`load`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_from(source: &Source) -> Result<Table<Array1<f64>>> {
    let mut table = load_raw_from(source)?;
    for mut feature in table.data.axis_iter_mut(Axis(1)) {
        let mean = feature.sum() / feature.len() as f64;
        feature -= mean;
        let norm = feature.dot(&feature).sqrt();
        feature /= norm;
    }
    Ok(table)
}

/// [`load_raw`] from places of one's own.
///
/// # Errors
/// As [`load`].
pub fn load_raw_from(source: &Source) -> Result<Table<Array1<f64>>> {
    let target = Text::load(source, &TARGET, 0)?.parse(1)?;
    Ok(Table {
        data: Text::load(source, &DATA, 0)?.parse(FEATURES.len())?,
        target: target.remove_axis(Axis(1)),
        feature_names: names(&FEATURES),
        target_names: names(&["progression"]),
    })
}
