//! The tables that ship with the repository are scikit-learn's: sums of columns, corners and classes.

use cornu::datasets::{Table, breast_cancer, diabetes, digits, iris, linnerud, wine};
use ndarray::{Array1, Axis};

/// Checks size, names, sums of the first columns, and the ends of the first and the last row.
#[track_caller]
fn check<Y>(table: &Table<Y>, dim: (usize, usize), sums: &[f64], first: &[f64], last: &[f64]) {
    assert_eq!(table.data.dim(), dim);
    assert_eq!(table.feature_names.len(), dim.1);
    for (column, &sum) in sums.iter().enumerate() {
        let got = table.data.column(column).sum();
        assert!(
            (got - sum).abs() < 1e-8 * sum.abs().max(1.0),
            "{got} is not {sum}"
        );
    }
    let row = |i: usize| table.data.row(i).to_vec();
    assert_eq!(row(0)[..first.len()], *first);
    assert_eq!(row(dim.0 - 1)[dim.1 - last.len()..], *last);
}

fn counts(classes: &Array1<u8>) -> Vec<usize> {
    let mut counts = vec![0; 1 + usize::from(*classes.iter().max().unwrap())];
    for &class in classes {
        counts[usize::from(class)] += 1;
    }
    counts
}

#[test]
fn classes_and_features_are_those_of_scikit_learn() {
    let table = iris::load().unwrap();
    check(
        &table,
        (150, 4),
        &[876.5, 458.6, 563.7, 179.9],
        &[5.1, 3.5, 1.4],
        &[5.1, 1.8],
    );
    assert_eq!(counts(&table.target), [50, 50, 50]);
    assert_eq!(table.target_names, ["setosa", "versicolor", "virginica"]);

    let table = wine::load().unwrap();
    check(
        &table,
        (178, 13),
        &[2314.11, 415.87, 421.24, 3470.1],
        &[14.23, 1.71],
        &[1.6, 560.0],
    );
    assert_eq!(counts(&table.target), [59, 71, 48]);

    let table = breast_cancer::load().unwrap();
    let sums = [8038.429, 10975.81, 52330.38, 372631.9];
    check(
        &table,
        (569, 30),
        &sums,
        &[17.99, 10.38],
        &[0.2871, 0.07039],
    );
    assert_eq!(counts(&table.target), [212, 357]);
    assert_eq!(table.feature_names[29], "worst fractal dimension");

    let table = digits::load().unwrap();
    check(
        &table,
        (1797, 64),
        &[0.0, 546.0, 9353.0, 21269.0],
        &[0.0, 0.0, 5.0],
        &[12.0, 1.0, 0.0],
    );
    assert_eq!(
        counts(&table.target),
        [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    );
    assert_eq!(table.feature_names[10], "pixel_1_2");
}

#[test]
fn diabetes_is_scaled_as_scikit_learn_does_and_raw_if_asked() {
    let table = diabetes::load().unwrap();
    check(&table, (442, 10), &[0.0; 10], &[], &[]);
    assert!((table.data[[0, 0]] - 0.038075906433423026).abs() < 1e-14);
    assert!((table.data[[441, 9]] - 0.0030644094143684884).abs() < 1e-14);
    assert_eq!(table.target.sum(), 67243.0);
    let raw = diabetes::load_raw().unwrap();
    check(&raw, (442, 10), &[], &[59.0, 2.0, 32.1, 101.0], &[]);
    assert_eq!(raw.target, table.target);
}

#[test]
fn linnerud_has_three_targets() {
    let table = linnerud::load().unwrap();
    check(
        &table,
        (20, 3),
        &[189.0, 2911.0, 1406.0],
        &[5.0, 162.0, 60.0],
        &[2.0, 110.0, 43.0],
    );
    assert_eq!(
        table.target.sum_axis(Axis(0)).to_vec(),
        [3572.0, 708.0, 1122.0]
    );
}
