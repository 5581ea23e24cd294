//! Tumours told apart by logistic regression, with the table of the fit, ROC curve and confusion matrix; then
//! handwritten digits.
//!
//! ```sh
//! cargo run --release --features linear --example logistic_regression -- [--pictures FOLDER]
//! ```

use cornu::linear::metrics::{confusion_matrix, log_loss, roc_curve};
use cornu::linear::model_selection::TrainTestSplit;
use cornu::linear::preprocessing::{Pipeline, StandardScaler, Transform, Transformer};
use cornu::linear::statistics::Logit;
use cornu::linear::{Estimator, LogisticRegression, LogisticRegressionCV, Predictor};
use cornu::prelude::*;
use cornu_plot::decision_boundary;
use ndarray::{Array3, Axis};
use std::path::Path;

mod arguments;
mod pictures;

fn main() -> cornu::Result<()> {
    let folder = pictures::folder()?;
    tumours(&folder)?;
    digits(&folder)?;
    println!("pictures are in {}", folder.display());
    Ok(())
}

fn tumours(folder: &Path) -> cornu::Result<()> {
    let cancer = datasets::breast_cancer::load()?;
    let (x, y) = (&cancer.data, &cancer.target);

    // What four measurements say; all thirty would tell the classes apart without an error, and then no
    // coefficient is the best.
    let chosen = [0, 1, 4, 7];
    let names = chosen.map(|j| cancer.feature_names[j].clone());
    let fit = Logit::new()
        .names(names)
        .target("benign")
        .fit(&x.select(Axis(1), &chosen), y)?;
    println!("{}", fit.summary());

    // All measurements, with the penalty that cross-validation chooses.
    let split = TrainTestSplit::new().stratify(true).seed(7).split(x, y)?;
    let model = Pipeline::new(StandardScaler::new(), LogisticRegressionCV::new());
    let model = model.fit(&split.x_train, &split.y_train)?;
    let classifier = model.model().model();
    let x_test = model.transform().transform(&split.x_test)?;
    let probabilities = classifier.predict_proba(&x_test)?;
    println!(
        "tumours: C {:.3}, test accuracy {:.4}, log-loss {:.4}",
        model.model().c(),
        model.score(&split.x_test, &split.y_test)?,
        log_loss(&split.y_test, &probabilities, classifier.classes(), None)?
    );

    // Two measurements are less, but can be drawn.
    let two = StandardScaler::new().fit(&x.select(Axis(1), &[0, 1]))?;
    let (radius, texture) = (two.center()[0], two.center()[1]);
    let scaled = two.transform(&x.select(Axis(1), &[0, 1]))?;
    let by_two = LogisticRegression::new().fit(&scaled, y)?;
    let labels: Vec<usize> = y.iter().map(|&class| class as usize).collect();
    println!(
        "two measurements about their means, {radius:.1} and {texture:.1}: accuracy {:.4}",
        by_two.score(&scaled, y)?
    );
    decision_boundary(scaled.view(), &labels, &cancer.target_names, |places| {
        Ok(by_two
            .predict(places)?
            .iter()
            .map(|&class| class as usize)
            .collect())
    })?
    .x_label("mean radius, standardised")
    .y_label("mean texture, standardised")
    .save(folder.join("decision_boundary.svg"))?;

    let curve = roc_curve(&split.y_test, &probabilities.column(1), None)?;
    cornu_plot::roc_curve([("30 measurements", curve.fpr, curve.tpr)])?
        .save(folder.join("roc_curve.svg"))?;
    let matrix = confusion_matrix(&split.y_test, &model.predict(&split.x_test)?)?;
    cornu_plot::confusion_matrix(matrix.counts.view(), &cancer.target_names)?
        .save(folder.join("confusion_matrix.svg"))
}

fn digits(folder: &Path) -> cornu::Result<()> {
    let ((images, labels), (test_images, test_labels)) = datasets::mnist::load_data()?;
    let rows = |images: Array3<u8>| {
        let count = images.len_of(Axis(0));
        let images = images.mapv(|p| f32::from(p) / 255.0);
        images
            .into_shape_with_order((count, 28 * 28))
            .map_err(|e| cornu::Error::new(e.to_string()))
    };
    let (x, x_test) = (rows(images)?, rows(test_images)?);
    let start = std::time::Instant::now();
    let model = LogisticRegression::new().fit(&x, &labels)?;
    println!(
        "digits: {} iterations in {:.1} s, test accuracy {:.4}",
        model.iterations(),
        start.elapsed().as_secs_f64(),
        model.score(&x_test, &test_labels)?
    );
    let matrix = confusion_matrix(&test_labels, &model.predict(&x_test)?)?;
    let names: Vec<String> = matrix.labels.iter().map(f64::to_string).collect();
    cornu_plot::confusion_matrix(matrix.counts.view(), &names)?
        .save(folder.join("confusion_digits.svg"))
}
