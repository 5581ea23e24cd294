//! Writing answers.

use crate::exit::Failure;
use cornu::Array;
use cornu::saving::{npy, npz};
use std::io::Write;
use std::path::Path;

/// Writes a file whole or not at all: under another name first.
pub fn write_file(path: impl AsRef<Path>, content: &[u8]) -> Result<(), Failure> {
    let path = path.as_ref();
    Ok(cornu::saving::write(path, content)?)
}

/// Writes a model's outputs under their names: `.npy`, `.npz`, or CSV with a row for each sample, to a
/// file or (`-`) standard output.
pub fn write_answers(path: &str, outputs: &[(String, Array)]) -> Result<(), Failure> {
    let ending = Path::new(path).extension().unwrap_or_default();
    if ending == "npz" {
        return Ok(npz::save(path, outputs.iter().map(|(n, a)| (n, a)))?);
    }
    let [(_, array)] = outputs else {
        return Err(Failure::usage(format!(
            "The model has {} outputs: write them to a .npz file. Received: {path}.",
            outputs.len()
        )));
    };
    if ending == "npy" {
        return Ok(npy::save(path, array)?);
    }
    write_text(path, &csv(array))
}

/// Writes text to a file or (`-`) standard output.
pub fn write_text(path: &str, text: &str) -> Result<(), Failure> {
    match path {
        "-" => {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            Ok(out.flush()?)
        }
        path => write_file(path, text.as_bytes()),
    }
}

/// A line for each sample.
pub fn csv(array: &Array) -> String {
    let rows = array.shape().first().copied().unwrap_or(1);
    let width = array.size().checked_div(rows).unwrap_or(0).max(1);
    let mut text = String::new();
    let mut line = |fields: Vec<String>| {
        text += &fields.join(",");
        text.push('\n');
    };
    match array.dtype().is_float() {
        true => {
            let values = array.to_vec::<f32>();
            values
                .chunks(width)
                .for_each(|row| line(row.iter().map(f32::to_string).collect()));
        }
        false => {
            let values = array.to_vec::<i64>();
            values
                .chunks(width)
                .for_each(|row| line(row.iter().map(i64::to_string).collect()));
        }
    }
    text
}
