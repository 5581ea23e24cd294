//! One line through the same points, three times: solved exactly, by gradient descent from tensors, and learnt
//! by a network of one layer. The picture of `docs/least_squares.md` is this program's.
//!
//! ```sh
//! cargo run --release --features linear --example least_squares -- [docs/least_squares.svg]
//! ```

use cornu::linear::{Estimator, LinearRegression, metrics::mean_squared_error};
use cornu::prelude::*;
use cornu_plot::{Figure, Panel};
use ndarray::{Axis, s};

mod arguments;
mod pictures;

const STEPS: usize = 60;

fn main() -> cornu::Result<()> {
    let file = match std::env::args().nth(1) {
        Some(file) => file.into(),
        None => pictures::folder()?.join("least_squares.svg"),
    };
    // Body mass indices of a hundred patients, about their mean, and how far diabetes had gone after a year.
    let diabetes = datasets::diabetes::load_raw()?;
    let bmi = diabetes.data.slice(s![..100, 2]).to_owned();
    let bmi = (&bmi - bmi.mean().unwrap_or(0.0)) / bmi.std(0.0);
    let x = bmi.insert_axis(Axis(1));
    let y = diabetes.target.slice(s![..100]).to_owned();

    // Exactly.
    let exact = LinearRegression::new().fit(&x, &y)?;
    let least = mean_squared_error(&y, &exact.predict_targets(&x)?.column(0), None)?;

    // By gradient descent from tensors: loss, slopes and updates are one compiled step.
    let (x32, y32) = (
        x.mapv(|v| v as f32),
        y.mapv(|v| v as f32).insert_axis(Axis(1)),
    );
    let w = Variable::new("w", Array::zeros(DType::F32, [1, 1]));
    let b = Variable::new("b", [0.0f32]);
    let variables = [w.clone(), b.clone()];
    let step = cornu::function(move |inputs| {
        let [w, b] = variables.each_ref().map(Variable::tensor);
        let loss = (inputs[0].matmul(&w) + &b - &inputs[1]).square().mean();
        let slopes = grad(&loss, &[&w, &b]);
        Traced::from(loss)
            .update(&variables[0], w - &slopes[0] * 0.05)
            .update(&variables[1], b - &slopes[1] * 0.05)
    });
    let (data, targets) = (Array::from(&x32), Array::from(&y32));
    let mut by_tensors = Vec::new();
    for _ in 0..STEPS {
        by_tensors.push(f64::from(step.call(&[&data, &targets])?[0].item::<f32>()?));
    }

    // By a network of one layer.
    set_random_seed(1);
    let mut network = Sequential::new();
    network.add(Input::new([1]));
    network.add(Dense::new(1).kernel_initializer("zeros"));
    network.compile(SGD::new().learning_rate(0.02), "mse", [] as [&str; 0])?;
    let history = network.fit(
        &x32,
        &y32,
        Fit::new().epochs(STEPS).batch_size(25).verbose(0),
    )?;
    let by_network = history["loss"].to_vec();

    let weights = network.get_weights()?;
    let lines = [
        ("exact", exact.coef()[[0, 0]], exact.intercept()[0]),
        (
            "gradient descent",
            f64::from(w.value().to_vec::<f32>()[0]),
            f64::from(b.value().to_vec::<f32>()[0]),
        ),
        (
            "network",
            f64::from(weights[0].to_vec::<f32>()[0]),
            f64::from(weights[1].to_vec::<f32>()[0]),
        ),
    ];
    let column = x.column(0);
    let low = column.iter().copied().fold(f64::INFINITY, f64::min);
    let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut fits = Panel::new("The line")
        .x_label("body mass index, standardised")
        .y_label("progression after a year")
        .points("", column, &y);
    for (name, slope, intercept) in lines {
        println!("{name:17} slope {slope:.4}, intercept {intercept:.4}");
        let ends = [low, high].map(|x| slope * x + intercept);
        // They lie on each other: the later ones are dashed.
        fits = match name {
            "exact" => fits.line(name, [low, high], ends),
            _ => fits.dashed(name, [low, high], ends),
        };
    }
    let passes = |losses: &[f64]| (1..=losses.len()).map(|i| i as f64).collect::<Vec<f64>>();
    let errors = Panel::new("On the way")
        .x_label("passes over the data")
        .y_label("mean squared error")
        .y_log()
        .points("", [0.0; 0], [0.0; 0])
        .line("exact", [1.0, STEPS as f64], [least, least])
        .dashed("gradient descent", passes(&by_tensors), &by_tensors)
        .dashed("network", passes(&by_network), &by_network);
    Figure::new([fits, errors])?.save(file)
}
