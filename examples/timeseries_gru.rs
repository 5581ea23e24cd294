//! A recurrent network that predicts next year's sunspots from the eleven years before (one cycle of
//! the sun), against the naive forecast that next year will be as this one.
//!
//! ```sh
//! cargo run --release --example timeseries_gru -- [--epochs 60]
//! ```

use arguments::argument;
use cornu::prelude::*;
use ndarray::s;

mod arguments;

/// Years that are looked back, and years of the series that are trained on.
const WINDOW: usize = 11;
const TRAINED: usize = 220;

fn main() -> cornu::Result<()> {
    let epochs = argument("--epochs", 60)?;
    let series = datasets::sunspots::load_data()? / 100.0;
    let steps = series.clone().insert_axis(ndarray::Axis(1));
    let windows = |from: usize, to: usize| {
        let x = steps.slice(s![from..to - 1, ..]).to_owned();
        let y = series.slice(s![from + WINDOW..to]).to_owned();
        timeseries_dataset_from_array(x, y, WINDOW).batch_size(16)
    };
    // The years to come begin where the trained ones end: no target is in both.
    let train = windows(0, TRAINED).shuffle(true).prefetch(4);
    let test = windows(TRAINED - WINDOW, series.len());

    let mut model = Sequential::new();
    model.add(Input::new([WINDOW, 1]));
    model.add(GRU::new(32));
    model.add(Dense::new(1));
    model.compile(Adam::new().learning_rate(0.005), "mse", ["mae"])?;
    model.fit_dataset(&train, Fit::new().epochs(epochs).verbose(2))?;

    let scores = model.evaluate_dataset(&test, Evaluate::new().verbose(0))?;
    let last = series.slice(s![TRAINED - 1..series.len() - 1]).to_owned();
    let naive = (&series.slice(s![TRAINED..]) - &last).mapv(f32::abs).mean();
    println!(
        "test_mae: {:.1} sunspots  naive_mae: {:.1} sunspots",
        scores["mae"] * 100.0,
        naive.unwrap_or(f32::NAN) * 100.0
    );
    Ok(())
}
