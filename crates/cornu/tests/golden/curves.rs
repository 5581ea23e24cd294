//! Networks of every kind, trained as Keras trains them: read from Keras' own JSON with how they are
//! compiled, the same weights at the start, rows in order, every figure of every epoch.

use crate::golden::{self, Report, array, close, number, usize_of};
use cornu::data::IntoData;
use cornu::prelude::*;
use cornu::saving::model_from_json;
use serde_json::Value;

fn arrays(v: &Value) -> Vec<Array> {
    v.as_array().unwrap().iter().map(array).collect()
}

/// Figures are means over all rows; weights gather the rounding of every step.
const FIGURE: f64 = 1e-5;
const WEIGHT: f64 = 2e-4;

fn check(run: &Value, report: &mut Report) -> cornu::Result<()> {
    let name = run["name"].as_str().unwrap();
    let mut model = model_from_json(&run["model"].to_string())?;
    model.set_weights(&arrays(&run["weights"]))?;
    let held = usize_of(&run["held"]);
    let split = |key: &str| {
        let all = arrays(&run[key]);
        let at = all[0].shape()[0] - held;
        let part = |rows: fn(&Array, usize) -> Array| -> Vec<_> {
            all.iter().map(|a| rows(a, at).into_data()).collect()
        };
        (
            part(|a, at| golden::rows(a, 0, at)),
            part(|a, at| golden::rows(a, at, a.shape()[0])),
        )
    };
    let ((x, last_x), (y, last_y)) = (split("x"), split("y"));
    let options = Fit::new()
        .verbose(0)
        .shuffle(false)
        .epochs(usize_of(&run["epochs"]))
        .batch_size(usize_of(&run["batch_size"]))
        .validation_data(last_x, last_y);
    let history = model.fit(x, y, options)?;

    for (figure, values) in run["history"].as_object().unwrap() {
        let want: Vec<f64> = values.as_array().unwrap().iter().map(number).collect();
        let got = history.get(figure).unwrap_or_default().to_vec();
        let outcome = close(&Array::from(got), &Array::from(want), FIGURE, 1e-6);
        report.add(|| format!("{name}: {figure}"), outcome);
    }
    let trained = model.weights();
    for (weight, want) in trained.iter().zip(arrays(&run["trained"])) {
        // Softmax does not see what is added to all scores of a query: this bias has no gradient but
        // rounding, which AdamW takes for one.
        if weight.variable.name().ends_with("attention/key/bias") {
            continue;
        }
        let outcome = close(&weight.variable.value(), &want, WEIGHT, 1e-5);
        report.add(|| format!("{name}: {}", weight.variable.name()), outcome);
    }
    Ok(())
}

#[test]
fn networks_learn_as_in_keras() {
    let golden = golden::load("curves");
    let mut report = Report::default();
    for run in golden["runs"].as_array().unwrap() {
        let outcome = check(run, &mut report);
        report.add(
            || run["name"].to_string(),
            outcome.map_err(|e| e.to_string()),
        );
    }
    report.finish(120);
}
