//! The models that Keras saved, asked and trained through the program.

#[path = "../../cornu/tests/golden/mod.rs"]
mod golden;

use cornu::Array;
use cornu::saving::{LoadModel, model_from_bytes, npz};
use golden::Report;
use golden::saved::{Case, saved};
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("cornu-cli-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// Runs the program in a folder, on a line of words.
fn cornu(folder: &Path, line: &str) -> Result<(), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_cornu"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// Puts the model into the folder; the names of its inputs and of its outputs.
fn put(folder: &Path, case: &Case) -> cornu::Result<[Vec<String>; 2]> {
    std::fs::write(folder.join("model.keras"), &case.file).unwrap();
    let model = model_from_bytes(&case.file, &LoadModel::new())?;
    Ok([model.input_names()?, model.output_names()?])
}

fn predicts(folder: &Path, case: &Case) -> Result<(), String> {
    let text = |e: cornu::Error| e.to_string();
    let [names, _] = put(folder, case).map_err(text)?;
    let inputs = case.arrays("inputs");
    npz::save(folder.join("x.npz"), names.iter().zip(&inputs)).map_err(text)?;
    cornu(folder, "predict model.keras --input x.npz --output y.npz")?;
    let got = npz::load(folder.join("y.npz")).map_err(text)?;
    let got: Vec<Array> = got.into_iter().map(|(_, array)| array).collect();
    case.all_close(&got)
}

#[test]
fn saved_models_predict_what_keras_predicts() {
    let (folder, mut report) = (folder("predict"), Report::default());
    for case in saved() {
        report.add(|| case.name.clone(), predicts(&folder, &case));
    }
    report.finish(45);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Five epochs of one batch are the five steps of the golden curves.
fn goes_on(folder: &Path, case: &Case) -> Result<(), String> {
    let text = |e: cornu::Error| e.to_string();
    let names = put(folder, case).map_err(text)?.concat();
    let arrays = [case.arrays("inputs"), case.arrays("targets")].concat();
    npz::save(folder.join("data.npz"), names.iter().zip(&arrays)).map_err(text)?;
    let samples = arrays[0].shape()[0];
    let line = format!(
        "train --model model.keras --data data.npz --epochs 5 --batch-size {samples} --validation-split 0 --log log.csv -q -o after.keras"
    );
    cornu(folder, &line)?;
    let log = std::fs::read_to_string(folder.join("log.csv")).unwrap();
    let lines: Vec<Vec<&str>> = log.lines().map(|l| l.split(',').collect()).collect();
    case.same_curve(|step, name| {
        let at = lines[0].iter().position(|n| *n == name)?;
        lines.get(step + 1)?.get(at)?.parse().ok()
    })
}

#[test]
fn training_goes_on_as_in_keras() {
    let (folder, mut report) = (folder("train"), Report::default());
    for case in saved().into_iter().filter(Case::is_trained) {
        report.add(|| case.name.clone(), goes_on(&folder, &case));
    }
    report.finish(9);
    std::fs::remove_dir_all(folder).unwrap();
}
