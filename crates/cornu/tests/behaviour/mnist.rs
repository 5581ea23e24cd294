//! From data to scores: small trainings that must reach what they are known to reach.

use cornu::prelude::*;
use ndarray::{Array1, Array2, s};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A repeatable number in [0, 1) for each index.
fn noise(i: usize) -> f32 {
    let mut z = (i as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 24) as f32
}

/// Sets the seed for a whole test. It is the process' own, so a test beside this one must wait.
fn seeded(seed: u64) -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_random_seed(seed);
    alone
}

#[test]
fn digits() -> cornu::Result<()> {
    let ((images, labels), (test_images, test_labels)) = datasets::mnist::load_data()?;
    let flat = |images: ndarray::Array3<u8>| -> cornu::Result<Array2<f32>> {
        let n = images.shape()[0];
        Ok(images
            .into_shape_with_order((n, 28 * 28))?
            .mapv(|p| f32::from(p) / 255.0))
    };
    let images = flat(images.slice(s![..10_000, .., ..]).to_owned())?;
    let labels = to_categorical(&labels.slice(s![..10_000]), 10)?;
    let (test_images, test_labels) = (flat(test_images)?, to_categorical(&test_labels, 10)?);

    let _alone = seeded(1);
    let mut network = Sequential::new();
    network.add(Dense::new(128).activation("relu").input_shape([28 * 28]));
    network.add(Dense::new(10).activation("softmax"));
    network.compile("rmsprop", "categorical_crossentropy", ["accuracy"])?;
    let fit = Fit::new().epochs(4).batch_size(64).verbose(0);
    let history = network.fit(&images, &labels, fit)?;
    assert_eq!(history["accuracy"].len(), 4);
    let scores = network.evaluate_with(&test_images, &test_labels, Evaluate::new().verbose(0))?;
    assert!(scores["accuracy"] >= 0.93, "{scores}");

    // What evaluate counts is what predict gives.
    let p = network.predict(&test_images)?.to_vec::<f32>();
    let best = |row: &[f32]| (0..10).fold(0, |b, i| if row[i] > row[b] { i } else { b });
    let rows = p.chunks(10).zip(test_labels.rows());
    let right = rows.filter(|(p, t)| t[best(p)] == 1.0).count();
    assert!((right as f64 / 1e4 - scores["accuracy"]).abs() < 1e-4);
    Ok(())
}

#[test]
fn a_line() -> cornu::Result<()> {
    let x = Array1::from_shape_fn(200, |i| noise(i) * 4.0 - 2.0);
    let y = x.mapv(|x| 3.0 * x - 1.0);
    let _alone = seeded(2);
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([1]));
    model.compile(SGD::new().learning_rate(0.05), "mse", ["mae"])?;
    let history = model.fit(&x, &y, Fit::new().epochs(60).verbose(0))?;
    assert!(
        history["loss"].last().is_some_and(|l| *l < 1e-8),
        "{history}"
    );
    let weights = model.get_weights()?;
    assert!((weights[0].item::<f64>()? - 3.0).abs() < 1e-4);
    assert!((weights[1].item::<f64>()? + 1.0).abs() < 1e-4);
    Ok(())
}

#[test]
fn a_logistic_regression() -> cornu::Result<()> {
    let x = Array2::from_shape_fn((600, 2), |(i, j)| noise(2 * i + j) * 2.0 - 1.0);
    let y = x.map_axis(ndarray::Axis(1), |r| u8::from(2.0 * r[0] - r[1] > 0.2));
    let _alone = seeded(3);
    let mut model = Sequential::new();
    model.add(Dense::new(1).activation("sigmoid").input_shape([2]));
    model.compile(
        Adam::new().learning_rate(0.05),
        "binary_crossentropy",
        ["accuracy"],
    )?;
    let fit = Fit::new().epochs(40).validation_split(0.25).verbose(0);
    let history = model.fit(&x, &y, fit)?;
    let last = history.last().expect("40 epochs");
    assert!(
        last["accuracy"] > 0.97 && last["val_accuracy"] > 0.96,
        "{last}"
    );
    let w = model.get_weights()?[0].to_vec::<f64>();
    assert!((w[0] / w[1] + 2.0).abs() < 0.3, "{w:?}");
    Ok(())
}

#[test]
fn exclusive_or() -> cornu::Result<()> {
    let x = Array::from([[0.0f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
    let y = Array::from([0i32, 1, 1, 0]);
    let _alone = seeded(4);
    let mut model = Sequential::new();
    model.add(Dense::new(8).activation("tanh").input_shape([2]));
    model.add(Dense::new(2).activation("softmax"));
    model.compile(
        Adam::new().learning_rate(0.05),
        "sparse_categorical_crossentropy",
        ["accuracy"],
    )?;
    model.fit(&x, &y, Fit::new().epochs(200).verbose(0))?;
    let scores = model.evaluate_with(&x, &y, Evaluate::new().verbose(0))?;
    assert_eq!(scores["accuracy"], 1.0);
    assert!(scores["loss"] < 0.05, "{scores}");
    Ok(())
}
