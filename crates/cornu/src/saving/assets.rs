//! What layers keep in files of their own beside the weights: vocabularies.

use crate::layers::snake_case;
use crate::{Error, Result};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Puts the vocabularies that Keras keeps in `assets/<path>/vocabulary.txt` into the configurations of their
/// layers; paths are those of the layers' weights. `read` gives a file, if it is there.
pub(super) fn fill(
    model: &mut Value,
    mut read: impl FnMut(&str) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    inside(model, "assets", &mut read)
}

fn inside(
    model: &mut Value,
    path: &str,
    read: &mut dyn FnMut(&str) -> Result<Option<Vec<u8>>>,
) -> Result<()> {
    let layers = model.get_mut("config").and_then(|c| c.get_mut("layers"));
    let Some(layers) = layers.and_then(Value::as_array_mut) else {
        return Ok(());
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    for layer in layers {
        let class = layer["class_name"].as_str().unwrap_or_default().to_string();
        let stem = snake_case(&class);
        let n = counts.entry(stem.clone()).or_default();
        let path = match *n {
            0 => format!("{path}/layers/{stem}"),
            n => format!("{path}/layers/{stem}_{n}"),
        };
        *n += 1;
        let texts = match class.as_str() {
            "StringLookup" => true,
            "IntegerLookup" => false,
            "Sequential" | "Functional" => {
                inside(layer, &path, read)?;
                continue;
            }
            _ => continue,
        };
        let config = layer.get_mut("config").and_then(Value::as_object_mut);
        let Some(config) = config else {
            continue;
        };
        if config.get("vocabulary").is_none_or(Value::is_null)
            && let Some(bytes) = read(&format!("{path}/vocabulary.txt"))?
        {
            set(config, &path, texts, bytes)?;
        }
    }
    Ok(())
}

/// The terms of a vocabulary: one on each line.
fn set(config: &mut Map<String, Value>, path: &str, texts: bool, bytes: Vec<u8>) -> Result<()> {
    let wrong = |what: String| Error::io(format!("\"{path}/vocabulary.txt\" in the file {what}."));
    let text = String::from_utf8(bytes).map_err(|e| wrong(format!("is no text: {e}")))?;
    let mut lines: Vec<&str> = text.lines().collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let term = |line: &&str| match texts {
        true => Ok(json!(line)),
        false => {
            let number = line.parse::<i64>();
            number.map(|n| json!(n)).map_err(|_| {
                wrong(format!(
                    "must hold an integer on each line. Received: {line:?}"
                ))
            })
        }
    };
    let terms = lines.iter().map(term).collect::<Result<Vec<Value>>>()?;
    config.insert("vocabulary".into(), Value::Array(terms));
    Ok(())
}
