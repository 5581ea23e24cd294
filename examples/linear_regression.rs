//! How far diabetes had gone after a year, by linear regression: the table of the fit, scores of rows not
//! seen, and pictures.
//!
//! ```sh
//! cargo run --release --features linear --example linear_regression -- [--pictures FOLDER]
//! ```

use cornu::linear::metrics::mean_absolute_error;
use cornu::linear::model_selection::{TrainTestSplit, cross_val_score};
use cornu::linear::preprocessing::{Pipeline, StandardScaler, Transform, Transformer};
use cornu::linear::statistics::Ols;
use cornu::linear::{Estimator, Lasso, LassoCV, LinearRegression, Predictor, ToSequential};
use cornu::prelude::*;
use cornu_plot::{Estimate, coefficient_path, regression_line, residuals};
use ndarray::{Array2, Axis};

mod arguments;
mod pictures;

fn main() -> cornu::Result<()> {
    let folder = pictures::folder()?;
    let diabetes = datasets::diabetes::load_raw()?;
    let (x, y) = (&diabetes.data, &diabetes.target);

    // What the fit says of the data.
    let ols = Ols::new()
        .names(&diabetes.feature_names)
        .target("progression");
    let fit = ols.fit(x, y)?;
    println!("{}", fit.summary());
    residuals(&fit.fittedvalues().to_vec(), &fit.resid().to_vec())
        .save(folder.join("residuals.svg"))?;

    // One feature alone, which can be drawn.
    let bmi = x.select(Axis(1), &[2]);
    let line = Ols::new().fit(&bmi, y)?;
    regression_line(&bmi.column(0).to_vec(), &y.to_vec(), |at| {
        let (mean, low, high) = line.predict_mean_interval(&[at], 0.05)?;
        Ok(Estimate { mean, low, high })
    })?
    .title("Diabetes")
    .x_label("body mass index")
    .y_label("progression after a year")
    .save(folder.join("regression_line.svg"))?;

    // How good predictions are of patients that the model has not seen.
    let split = TrainTestSplit::new().seed(42).split(x, y)?;
    let least_squares = LinearRegression::new();
    let lasso = Pipeline::new(StandardScaler::new(), LassoCV::new());
    let scores = cross_val_score(&least_squares, &split.x_train, &split.y_train, 5)?;
    println!("cross-validation: R² {:.3?}", scores);
    let exact = least_squares.fit(&split.x_train, &split.y_train)?;
    let chosen = lasso.fit(&split.x_train, &split.y_train)?;
    for (name, predicted, score) in [
        (
            "least squares",
            exact.predict(&split.x_test)?,
            exact.score(&split.x_test, &split.y_test)?,
        ),
        (
            "lasso",
            chosen.predict(&split.x_test)?,
            chosen.score(&split.x_test, &split.y_test)?,
        ),
    ] {
        let error = mean_absolute_error(&split.y_test, &predicted, None)?;
        println!("{name:14} test R² {score:.3}, mean absolute error {error:.1}");
    }
    println!("lasso chose alpha {:.3}", chosen.model().alpha());

    // Which features stay as the penalty grows.
    let scaled = StandardScaler::new().fit(x)?.transform(x)?;
    let (alphas, models) = Lasso::new().path(&scaled, y, None)?;
    let coefs = Array2::from_shape_fn((x.ncols(), alphas.len()), |(j, k)| models[k].coef()[[0, j]]);
    coefficient_path(&alphas, coefs.view(), &diabetes.feature_names)?
        .title("Lasso's coefficients")
        .save(folder.join("coefficient_path.svg"))?;

    // The same function as a network.
    let network = exact.to_sequential()?;
    let file = folder.join("diabetes.keras");
    network.save(&file)?;
    println!("pictures and diabetes.keras are in {}", folder.display());
    Ok(())
}
