//! `cornu diff`.

use crate::args::Diff;
use crate::exit::{Exit, Failure};
use crate::model_file::ModelFile;
use cornu::saving::safetensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;

pub fn run(args: &Diff, quiet: bool) -> Result<Exit, Failure> {
    let a = ModelFile::open_to_ask(&args.a, None)?;
    let b = ModelFile::open_to_ask(&args.b, None)?;
    let mut lines = Vec::new();
    architecture("", &a.model.to_config(), &b.model.to_config(), &mut lines);
    let named = |file: &ModelFile| -> Result<BTreeMap<String, _>, Failure> {
        Ok(safetensors::weights(&file.model)?.into_iter().collect())
    };
    let (a, mut b) = (named(&a)?, named(&b)?);
    for (name, left) in &a {
        match b.remove(name) {
            None => lines.push(format!("weight {name}: only in the first")),
            Some(right) if left.shape() != right.shape() => {
                lines.push(format!(
                    "weight {name}: shape {} and {}",
                    left.shape(),
                    right.shape()
                ));
            }
            Some(right) => {
                let (left, right) = (left.to_vec::<f64>(), right.to_vec::<f64>());
                let apart = left.iter().zip(&right).map(|(l, r)| (l - r).abs());
                // Where one is NaN and the other is not, they differ.
                let nan = left
                    .iter()
                    .zip(&right)
                    .any(|(l, r)| l.is_nan() != r.is_nan());
                let largest = apart.fold(0.0, f64::max);
                if nan || largest > args.tolerance {
                    lines.push(format!(
                        "weight {name}: the largest difference is {largest:.3e}"
                    ));
                }
            }
        }
    }
    lines.extend(
        b.keys()
            .map(|name| format!("weight {name}: only in the second")),
    );
    if !quiet {
        let mut out = std::io::stdout().lock();
        for line in &lines {
            writeln!(out, "{line}")?;
        }
    }
    Ok(if lines.is_empty() {
        Exit::Success
    } else {
        Exit::Different
    })
}

/// Says where two configurations differ.
fn architecture(path: &str, a: &Value, b: &Value, lines: &mut Vec<String>) {
    let inside = |key: &str| match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or_default()
                };
                architecture(&inside(key), &of(a), &of(b), lines);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                architecture(&inside(&i.to_string()), a, b, lines);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            lines.push(format!("{path}: {} and {}", a.len(), b.len()));
        }
        _ if a != b => lines.push(format!("{path}: {a} and {b}")),
        _ => {}
    }
}
