//! The archives of models that Keras saved.

use super::{array, close, number};
use cornu::Array;
use serde_json::Value;
use std::io::Read;

/// A folder of an archive: what Keras wrote, and what it then computed.
pub struct Case {
    pub name: String,
    pub file: Vec<u8>,
    pub made: Value,
}

/// The cases of an archive, whose models are in files of this name.
pub fn cases(archive: &str, model: &str) -> Vec<Case> {
    let path = format!(
        "{}/../../tests/golden/{archive}.zip",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = archive.file_names().map(str::to_string).collect();
    let mut member = |name: &str| {
        let mut bytes = Vec::new();
        let mut member = archive.by_name(name).unwrap();
        member.read_to_end(&mut bytes).unwrap();
        bytes
    };
    let folders = names.iter().filter_map(|n| n.strip_suffix("/case.json"));
    let case = |name: &str| Case {
        name: name.to_string(),
        file: member(&format!("{name}/{model}")),
        made: serde_json::from_slice(&member(&format!("{name}/case.json"))).unwrap(),
    };
    folders.map(case).collect()
}

/// What Keras 3 saved.
pub fn saved() -> Vec<Case> {
    let mut all = cases("saved", "model.keras");
    all.extend(cases("saved_layers", "model.keras"));
    all
}

impl Case {
    /// The `inputs`, `outputs` or `targets`.
    pub fn arrays(&self, which: &str) -> Vec<Array> {
        let all = self.made[which].as_array();
        all.into_iter().flatten().map(array).collect()
    }

    /// Whether Keras went on training it.
    pub fn is_trained(&self) -> bool {
        !self.made["curve"].is_null()
    }

    /// Compares outputs with Keras'; those of 16 bits have two or three digits.
    pub fn all_close(&self, got: &[Array]) -> Result<(), String> {
        let want = self.arrays("outputs");
        if got.len() != want.len() {
            return Err(format!("{} outputs instead of {}", got.len(), want.len()));
        }
        let (relative, absolute) = match self.name.as_str() {
            "mixed_precision" | "weights_in_half" => (2e-2, 1e-2),
            _ => (1e-5, 1e-5),
        };
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            close(&got.cast(want.dtype()), want, relative, absolute)
                .map_err(|e| format!("output {i}: {e}"))?;
        }
        Ok(())
    }

    /// Compares the figures of training's steps with Keras'.
    pub fn same_curve(&self, got: impl Fn(usize, &str) -> Option<f64>) -> Result<(), String> {
        for (i, want) in self.made["curve"].as_array().unwrap().iter().enumerate() {
            for (name, want) in want.as_object().unwrap() {
                let (got, want) = (got(i, name), number(want));
                let fits = |got: f64| (got - want).abs() <= 1e-5 * want.abs().max(1.0);
                if !got.is_some_and(fits) {
                    return Err(format!("step {i}: {name} is {got:?} instead of {want}"));
                }
            }
        }
        Ok(())
    }
}
