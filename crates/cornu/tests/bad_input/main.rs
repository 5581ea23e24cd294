//! Every mistake that a user can make, and the sentence that tells what to mend. No panics.

mod building;
mod calls;
mod compiling;
mod configuration;
mod data;
mod graphs;
mod labels;
mod options;
mod order;
mod own_layers;
mod sequences;
mod space;
mod weighting;

use cornu::layers::InputShape;
use cornu::metrics::Metric;
use cornu::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Outcome = cornu::Result<()>;

/// A mistake: its name, the message, and the code that makes it.
struct Case(&'static str, &'static str, fn() -> Outcome);

/// The message of what fails; what did not fail or panicked instead, in words.
fn message(run: fn() -> Outcome) -> String {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => "(no error)".to_string(),
        Ok(Err(e)) => e.to_string(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
            format!("(panic) {}", text.unwrap_or_default())
        }
    }
}

/// Two layers on three features: four classes.
fn classes() -> cornu::Result<Sequential> {
    let mut model = Sequential::new();
    model.add(Dense::new(5).activation("relu").input_shape([3]));
    model.add(Dense::new(4).activation("softmax"));
    model.compile("sgd", "sparse_categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

fn one(layer: impl Into<Box<dyn Layer>>) -> Outcome {
    Sequential::from_layers(vec![layer.into()]).build()
}

fn compiled(optimizer: &str, loss: &str, metric: &str) -> Outcome {
    let mut model = Sequential::new();
    model.add(Dense::new(1).input_shape([3]));
    model.compile(optimizer, loss, [metric])
}

fn x() -> Array {
    Array::zeros(DType::F32, [6, 3])
}

fn y() -> Array {
    Array::from([0i32, 1, 2, 3, 0, 1])
}

fn quiet() -> Fit<'static> {
    Fit::new().verbose(0)
}

fn fit(options: Fit<'_>) -> Outcome {
    classes()?.fit(x(), y(), options).map(|_| ())
}

fn fit_on(x: &Array, y: &Array) -> Outcome {
    classes()?.fit(x, y, quiet()).map(|_| ())
}

fn evaluate(options: Evaluate<'_>) -> Outcome {
    classes()?.evaluate_with(x(), y(), options).map(|_| ())
}

/// Fits targets of a shape with a loss, on predictions of shape (6, 4).
fn targets(loss: &str, y: Array) -> Outcome {
    let mut model = classes()?;
    model.compile("sgd", loss, ())?;
    model.fit(x(), y, quiet()).map(|_| ())
}

const ALL: &[&[Case]] = &[
    building::CASES,
    calls::CASES,
    compiling::CASES,
    configuration::CASES,
    data::CASES,
    graphs::CASES,
    labels::CASES,
    options::CASES,
    order::CASES,
    own_layers::CASES,
    sequences::CASES,
    space::CASES,
    weighting::CASES,
];

#[test]
fn messages() {
    // Panics are told by `message`.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    for Case(name, expected, run) in ALL.iter().copied().flatten() {
        let got = message(*run);
        // A line's number may change; that it is here may not.
        let here = format!("(at {}", file!().trim_end_matches("main.rs"));
        let got = match got.split_once(&here) {
            Some((text, _)) => format!("{text}(at this file)"),
            None => got,
        };
        // Lines of the library are for its authors: what comes before them is compared.
        let got = match got.split_once(" (at crates/cornu/src/") {
            Some((text, _)) => text.to_string(),
            None => got,
        };
        if got != *expected {
            failures.push(format!("{name}\n  got      {got}\n  expected {expected}"));
        }
    }
    let _ = std::panic::take_hook();
    assert!(
        failures.is_empty(),
        "{} of {}\n{}",
        failures.len(),
        ALL.iter().map(|cases| cases.len()).sum::<usize>(),
        failures.join("\n")
    );
}

#[test]
fn after_a_mistake_the_model_is_usable() -> cornu::Result<()> {
    let mut model = classes()?;
    assert!(model.fit(x(), Array::from([0i32]), quiet()).is_err());
    assert!(model.fit(x(), Array::from([7i32; 6]), quiet()).is_err());
    assert!(
        model
            .evaluate(Array::zeros(DType::F32, [6, 5]), y())
            .is_err()
    );
    let history = model.fit(x(), y(), quiet())?;
    assert!(history["loss"][0].is_finite());
    // An ignored class may have any number.
    model.compile(
        "sgd",
        SparseCategoricalCrossentropy::new().ignore_class(255i64),
        (),
    )?;
    let labels = Array::from([0u8, 255, 2, 3, 255, 1]);
    let history = model.fit(x(), &labels, quiet())?;
    assert!(history["loss"][0].is_finite());
    // Weights of another type are converted.
    let weights: Vec<Array> = model
        .get_weights()?
        .iter()
        .map(|w| w.cast(DType::F64))
        .collect();
    model.set_weights(&weights)?;
    // No samples, no predictions.
    let none = model.predict(Array::zeros(DType::F32, [0, 3]))?;
    assert_eq!(none.shape().dims(), [0, 4]);
    Ok(())
}
