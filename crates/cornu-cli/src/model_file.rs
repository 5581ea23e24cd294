//! Models in files: the architecture, the weights, and what the program adds to them.

use crate::data::write_file;
use crate::exit::Failure;
use crate::schema::Schema;
use cornu::Array;
use cornu::models::Sequential;
use cornu::optimizers::Optimizer;
use cornu::saving::npz;
use cornu::saving::safetensors::{self, Content};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Under this key a `.safetensors` file of weights holds the rest of the model, as JSON.
pub const KEY: &str = "cornu";

/// How a model was compiled.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Training {
    pub optimizer: String,
    pub learning_rate: Option<f64>,
    pub loss: String,
    pub metrics: Vec<String>,
}

impl Training {
    /// Compiles a model in this way.
    pub fn compile(&self, model: &mut Sequential) -> Result<(), Failure> {
        let optimizer = Optimizer::from(self.optimizer.as_str());
        optimizer.check()?;
        if let Some(rate) = self.learning_rate {
            optimizer.set_learning_rate(rate)?;
        }
        Ok(model.compile(optimizer, self.loss.as_str(), self.metrics.clone())?)
    }
}

/// What beside the weights makes a model.
#[derive(Debug, Default, Deserialize, Serialize)]
struct About {
    model: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<Schema>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training: Option<Training>,
}

/// A model as the program knows it.
#[derive(Debug)]
pub struct ModelFile {
    pub model: Sequential,
    /// The table that it takes.
    pub table: Option<Schema>,
    /// The names of the classes, if it was trained on folders of images.
    pub classes: Option<Vec<String>>,
    pub training: Option<Training>,
}

/// The ending of a file's name, in lower case.
pub fn ending(path: &Path) -> String {
    let ending = path.extension().unwrap_or_default();
    ending.to_string_lossy().to_lowercase()
}

/// The arrays of a file of weights.
pub fn weights(path: &Path) -> Result<Vec<(String, Array)>, Failure> {
    match ending(path).as_str() {
        "safetensors" => Ok(safetensors::load(path)?.arrays),
        "npz" => Ok(npz::load(path)?),
        _ => Err(Failure::data(format!(
            "Weights come from .safetensors or .npz. Received: {}.",
            path.display()
        ))),
    }
}

impl ModelFile {
    /// A model alone.
    pub fn new(model: Sequential) -> Self {
        Self {
            model,
            table: None,
            classes: None,
            training: None,
        }
    }

    /// Reads a model, and its weights if they are in another file.
    pub fn open(path: &Path, other: Option<&Path>) -> Result<ModelFile, Failure> {
        let mut file = match ending(path).as_str() {
            "json" => ModelFile::new(from_json(path)?),
            "safetensors" => Self::whole(path)?,
            _ => {
                return Err(Failure::data(format!(
                    "A model comes from .safetensors or .json. Received: {}.",
                    path.display()
                )));
            }
        };
        if let Some(other) = other {
            match ending(other).as_str() {
                "npz" => npz::load_weights(&mut file.model, other)?,
                _ => safetensors::load_weights(&mut file.model, other)?,
            }
        }
        Ok(file)
    }

    fn whole(path: &Path) -> Result<ModelFile, Failure> {
        let content = safetensors::load(path)?;
        let Some((_, text)) = content.metadata.iter().find(|(key, _)| key == KEY) else {
            return Err(Failure::data(format!(
                "{} holds weights only: give the model's .json, and this file with --weights.",
                path.display()
            )));
        };
        let about: About = serde_json::from_str(text)
            .map_err(|e| Failure::data(format!("{}: {e}.", path.display())))?;
        let mut model = built(&about.model)?;
        safetensors::load_weights(&mut model, path)?;
        Ok(ModelFile {
            model,
            table: about.table,
            classes: about.classes,
            training: about.training,
        })
    }

    /// Writes the whole model to a `.safetensors` file, its architecture to `.json`, or its weights to
    /// `.npz`.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        match ending(path).as_str() {
            "npz" => Ok(npz::save_weights(&self.model, path)?),
            "json" => {
                let object = json!({
                    "module": "keras",
                    "class_name": "Sequential",
                    "config": self.model.to_config(),
                    "registered_name": null,
                });
                write_file(path, format!("{object:#}\n").as_bytes())
            }
            "safetensors" => {
                let about = About {
                    model: self.model.to_config(),
                    table: self.table.clone(),
                    classes: self.classes.clone(),
                    training: self.training.clone(),
                };
                let text = serde_json::to_string(&about)
                    .map_err(|e| Failure::data(format!("{}: {e}.", path.display())))?;
                let content = Content {
                    arrays: safetensors::weights(&self.model)?,
                    metadata: vec![(KEY.to_string(), text)],
                };
                Ok(safetensors::save(path, &content)?)
            }
            _ => Err(Failure::usage(format!(
                "A model goes to .safetensors, .json or .npz. Received: {}.",
                path.display()
            ))),
        }
    }

    /// The shape of one sample, as the model's input takes it; unknown extents are `None`.
    pub fn sample(&self) -> Vec<Option<usize>> {
        let shape = &self.model.to_config()["build_input_shape"];
        let extents = shape.as_array().into_iter().flatten().skip(1);
        extents.map(|d| d.as_u64().map(|d| d as usize)).collect()
    }

    /// The names of the classes, as far as they are known.
    pub fn class_names(&self) -> Option<&[String]> {
        match (&self.table, &self.classes) {
            (
                Some(Schema {
                    target: crate::schema::Target::Class { values, .. },
                    ..
                }),
                _,
            ) => Some(values),
            (_, classes) => classes.as_deref(),
        }
    }
}

fn from_json(path: &Path) -> Result<Sequential, Failure> {
    let text = std::fs::read(path).map_err(|e| Failure::file(path.display(), e))?;
    let object: Value = serde_json::from_slice(&text)
        .map_err(|e| Failure::data(format!("{}: {e}.", path.display())))?;
    match object["class_name"].as_str() {
        Some("Sequential") => built(&object["config"]),
        None if object["layers"].is_array() => built(&object),
        other => Err(Failure::data(format!(
            "{} must be the JSON of a Sequential. Received: class_name {}.",
            path.display(),
            other.unwrap_or("missing")
        ))),
    }
}

fn built(config: &Value) -> Result<Sequential, Failure> {
    let mut model = Sequential::from_config(config)?;
    model.build()?;
    Ok(model)
}
