//! Models in files: the architecture, the weights, and what the program adds to them.

use crate::data::write_file;
use crate::exit::Failure;
use crate::schema::Schema;
use cornu::Array;
use cornu::models::Model;
use cornu::optimizers::Optimizer;
use cornu::saving::npz;
use cornu::saving::safetensors::{self, Content};
use cornu::saving::{load_model, model_from_json};
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
    pub fn compile(&self, model: &mut Model) -> Result<(), Failure> {
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
    pub model: Model,
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
    pub fn new(model: Model) -> Self {
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
            "keras" => ModelFile::new(load_model(path)?),
            "safetensors" => Self::whole(path)?,
            _ => {
                return Err(Failure::data(format!(
                    "A model comes from .keras, .safetensors or .json. Received: {}.",
                    path.display()
                )));
            }
        };
        if let Some(other) = other {
            match ending(other).as_str() {
                "npz" => npz::load_weights(&mut file.model, other)?,
                "h5" => file.model.load_weights(other)?,
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
        let mut model = built(about.model)?;
        safetensors::load_weights(&mut model, path)?;
        Ok(ModelFile {
            model,
            table: about.table,
            classes: about.classes,
            training: about.training,
        })
    }

    /// Writes the whole model to a `.keras` or `.safetensors` file, its architecture to `.json`, or its
    /// weights to `.weights.h5` or `.npz`.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        match ending(path).as_str() {
            "npz" => Ok(npz::save_weights(&self.model, path)?),
            "keras" => Ok(self.model.save(path)?),
            "h5" => Ok(self.model.save_weights(path)?),
            "json" => write_file(path, self.model.to_json().as_bytes()),
            "safetensors" => {
                let model = serde_json::from_str(&self.model.to_json());
                let about = About {
                    model: model.map_err(|e| Failure::data(format!("{}: {e}.", path.display())))?,
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
                "A model goes to .keras, .safetensors, .json, .weights.h5 or .npz. Received: {}.",
                path.display()
            ))),
        }
    }

    /// The shape of one sample, as the model's input takes it; unknown extents are `None`.
    pub fn sample(&self) -> Vec<Option<usize>> {
        let config = self.model.to_config();
        let mut layers = config["layers"].as_array().into_iter().flatten();
        let input = layers.find(|layer| layer["class_name"] == "InputLayer");
        let shape = input.map(|input| &input["config"]["batch_shape"]);
        let extents = shape
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .skip(1);
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

fn from_json(path: &Path) -> Result<Model, Failure> {
    let text = std::fs::read(path).map_err(|e| Failure::file(path.display(), e))?;
    let object: Value = serde_json::from_slice(&text)
        .map_err(|e| Failure::data(format!("{}: {e}.", path.display())))?;
    // The bare configuration of a stack is understood too.
    built(match &object["layers"] {
        Value::Array(_) => json!({"class_name": "Sequential", "config": object}),
        _ => object,
    })
}

fn built(object: Value) -> Result<Model, Failure> {
    let mut model = model_from_json(&object.to_string())?;
    model.build()?;
    Ok(model)
}
