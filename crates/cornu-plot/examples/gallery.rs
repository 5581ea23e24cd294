//! Draws one picture of each kind, of made-up numbers.
//!
//! `cargo run -p cornu-plot --example gallery -- FOLDER`

use cornu_plot::*;
use ndarray::{Array2, array};

/// Numbers that look random and are the same everywhere.
fn noise(i: usize) -> f64 {
    let x = (i as f64 * 12.9898).sin() * 43758.5453;
    x - x.floor() - 0.5
}

fn main() -> Result<()> {
    let folder = std::env::args()
        .nth(1)
        .ok_or_else(|| Error::new("Usage: gallery FOLDER"))?;
    let file = |name: &str| format!("{folder}/{name}.png");

    let epochs = |from: f64, to: f64| -> Vec<f64> {
        let at = |e: usize| to + (from - to) * (-(e as f64) / 4.0).exp() + 0.01 * noise(e);
        (0..20).map(at).collect()
    };
    learning_curves([
        ("loss", epochs(2.1, 0.05)),
        ("accuracy", epochs(0.3, 0.99)),
        ("val_loss", epochs(1.9, 0.22)),
        ("val_accuracy", epochs(0.35, 0.94)),
    ])?
    .save(file("learning_curves"))?;

    let counts = Array2::from_shape_fn((10, 10), |(i, j)| match i == j {
        true => 960 + i,
        false => (i * 7 + j * 3) % 9,
    });
    let digits: Vec<String> = (0..10).map(|d| d.to_string()).collect();
    confusion_matrix(counts.view(), &digits)?.save(file("confusion_matrix"))?;
    let counts = array![[50, 0, 0], [0, 44, 6], [0, 3, 47]];
    let species = ["Iris setosa", "Iris versicolor", "Iris virginica"];
    confusion_matrix(counts.view(), &species)?.save(file("confusion_iris"))?;

    let x: Vec<f64> = (0..80).map(|i| 18.0 + 0.3 * i as f64).collect();
    let y: Vec<f64> = (0..80)
        .map(|i| 40.0 + 5.0 * x[i] + 90.0 * noise(i))
        .collect();
    regression_line(&x, &y, |x| {
        let (mean, half) = (40.0 + 5.0 * x, 6.0 + 0.06 * (x - 30.0).powi(2));
        let (low, high) = (mean - half, mean + half);
        Ok(Estimate { mean, low, high })
    })?
    .x_label("body mass index")
    .y_label("progression")
    .save(file("regression_line"))?;

    let fitted: Vec<f64> = x.iter().map(|x| 40.0 + 5.0 * x).collect();
    let rest: Vec<f64> = (0..80).map(|i| 90.0 * noise(i)).collect();
    residuals(&fitted, &rest).save(file("residuals"))?;

    let rate = |power: f64| -> Vec<f64> {
        (0..=50)
            .map(|i| (f64::from(i) / 50.0).powf(power))
            .collect()
    };
    roc_curve([
        ("logistic regression", rate(1.0), rate(0.2)),
        ("one feature", rate(1.0), rate(0.6)),
    ])?
    .save(file("roc_curve"))?;

    let alphas: Vec<f64> = (0..60)
        .map(|k| 10f64.powf(0.5 - f64::from(k) / 15.0))
        .collect();
    let coefs = Array2::from_shape_fn((10, 60), |(j, k)| {
        let over = (2.0 - 0.3 * j as f64 - alphas[k].sqrt()).max(0.0);
        60.0 * over * (noise(j) + 0.2)
    });
    let names = [
        "age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6",
    ];
    coefficient_path(&alphas, coefs.view(), &names)?.save(file("coefficient_path"))?;

    let points = Array2::from_shape_fn((150, 2), |(i, f)| (i % 3) as f64 + 1.5 * noise(2 * i + f));
    let labels: Vec<usize> = (0..150).map(|i| i % 3).collect();
    decision_boundary(points.view(), &labels, &species, |places| {
        let class =
            |p: ndarray::ArrayView1<f64>| ((p[0] + p[1]) / 2.0).round().clamp(0.0, 2.0) as usize;
        Ok(places.rows().into_iter().map(class).collect())
    })?
    .x_label("petal length")
    .y_label("petal width")
    .save(file("decision_boundary"))
}
