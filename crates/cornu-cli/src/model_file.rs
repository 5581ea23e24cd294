//! Models in files: the architecture, the weights, and what the program adds to them.

use crate::data::write_file;
use crate::exit::Failure;
use crate::format::Format;
use crate::schema::{Schema, Target};
use cornu::Array;
use cornu::models::Model;
use cornu::saving::npz;
use cornu::saving::safetensors::{self, Content};
use cornu::saving::{LoadModel, load_model_with, model_from_json, read_member};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Under this key a `.safetensors` file of weights holds the rest of the model, as JSON.
pub const KEY: &str = "cornu";
/// The member of a `.keras` file with what the program adds.
const MEMBER: &str = "cornu.json";

/// What the program knows of a model beside what Keras does.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct About {
    /// The table that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Schema>,
    /// The names of the classes, if it was trained on folders of images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
}

impl About {
    fn is_empty(&self) -> bool {
        self.table.is_none() && self.classes.is_none()
    }
}

/// A whole model in a `.safetensors` file, but for its weights.
#[derive(Debug, Deserialize, Serialize)]
struct Whole {
    model: Value,
    #[serde(flatten)]
    about: About,
}

/// A model as the program knows it.
#[derive(Debug)]
pub struct ModelFile {
    pub model: Model,
    pub about: About,
}

/// An input of a model.
#[derive(Debug)]
pub struct Input {
    pub name: String,
    /// The shape of one sample; unknown extents are `None`.
    pub shape: Vec<Option<usize>>,
    /// Whether it is of texts.
    pub texts: bool,
}

/// The arrays of a file of weights by name.
pub fn weights(path: &Path) -> Result<Vec<(String, Array)>, Failure> {
    match Format::of(path)? {
        Format::Safetensors => Ok(safetensors::load(path)?.arrays),
        Format::Npz => Ok(npz::load(path)?),
        _ => Err(weights_only(path)),
    }
}

fn weights_only(path: &Path) -> Failure {
    Failure::data(format!(
        "{0} holds weights only: give the model's .json, and --weights {0}.",
        path.display()
    ))
}

fn parsed<T: DeserializeOwned>(path: &Path, text: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(text).map_err(|e| Failure::data(format!("{}: {e}.", path.display())))
}

fn text(path: &Path, object: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(object).map_err(|e| Failure::data(format!("{}: {e}.", path.display())))
}

impl ModelFile {
    /// A model alone.
    pub fn new(model: Model) -> Self {
        let about = About::default();
        Self { model, about }
    }

    /// Reads a model, and its weights if they are in another file.
    pub fn open(path: &Path, other: Option<&Path>) -> Result<ModelFile, Failure> {
        Self::read(path, other, &LoadModel::new())
    }

    /// The same without what it is compiled with and its optimizer's state, for models that are only asked.
    pub fn open_to_ask(path: &Path, other: Option<&Path>) -> Result<ModelFile, Failure> {
        Self::read(path, other, &LoadModel::new().compile(false))
    }

    fn read(path: &Path, other: Option<&Path>, options: &LoadModel) -> Result<ModelFile, Failure> {
        let mut file = match Format::of(path)? {
            Format::Keras | Format::Legacy => Self::keras(path, options)?,
            Format::Json => ModelFile::new(from_json(path)?),
            Format::Safetensors => Self::safetensors(path)?,
            Format::Weights | Format::Shards | Format::Npz => return Err(weights_only(path)),
            Format::Onnx => {
                return Err(Failure::usage(format!(
                    "An .onnx file is written for other programs to run; a model comes from .keras, .safetensors, .json or Keras 2's .h5. Received: {}.",
                    path.display()
                )));
            }
        };
        let Some(other) = other else {
            return Ok(file);
        };
        match Format::of(other)? {
            Format::Npz => npz::load_weights(&mut file.model, other)?,
            Format::Safetensors => safetensors::load_weights(&mut file.model, other)?,
            Format::Json | Format::Onnx => {
                return Err(Failure::usage(format!(
                    "--weights must end in .weights.h5, .weights.json, .safetensors, .npz, .keras or .h5. Received: {}.",
                    other.display()
                )));
            }
            _ => file.model.load_weights(other)?,
        }
        Ok(file)
    }

    fn keras(path: &Path, options: &LoadModel) -> Result<ModelFile, Failure> {
        let wrong = |e: cornu::Error| Failure::data(format!("{}: {e}", path.display()));
        if path.is_dir() {
            let about = match std::fs::read(path.join(MEMBER)) {
                Ok(text) => parsed(path, &text)?,
                Err(_) => About::default(),
            };
            let model = load_model_with(path, options).map_err(wrong)?;
            return Ok(ModelFile { model, about });
        }
        std::fs::File::open(path).map_err(|e| Failure::file(path.display(), e))?;
        let about = match Format::of(path)? {
            Format::Keras => read_member(path, MEMBER).map_err(wrong)?,
            _ => None,
        };
        let about = match about {
            Some(text) => parsed(path, &text)?,
            None => About::default(),
        };
        let model = load_model_with(path, options).map_err(wrong)?;
        Ok(ModelFile { model, about })
    }

    fn safetensors(path: &Path) -> Result<ModelFile, Failure> {
        let content = safetensors::load(path)?;
        let Some((_, text)) = content.metadata.iter().find(|(key, _)| key == KEY) else {
            return Err(weights_only(path));
        };
        let Whole { model, about } = parsed(path, text.as_bytes())?;
        let mut model = built(model)?;
        safetensors::load_weights(&mut model, path)?;
        Ok(ModelFile { model, about })
    }

    /// Writes the whole model to a `.keras` or `.safetensors` file (the latter without the optimizer's
    /// state), its computation to `.onnx`, its architecture to `.json`, or its weights to `.weights.h5` or
    /// `.npz`.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        match Format::of(path)? {
            Format::Npz => Ok(npz::save_weights(&self.model, path)?),
            Format::Keras if self.about.is_empty() => Ok(self.model.save(path)?),
            Format::Keras => {
                let about = text(path, &self.about)?;
                let members = [(MEMBER, about.as_bytes())];
                Ok(self.model.save_with_members(path, &members)?)
            }
            Format::Weights => Ok(self.model.save_weights(path)?),
            Format::Onnx => Ok(self.model.export(path)?),
            Format::Json => write_file(path, self.model.to_json().as_bytes()),
            Format::Safetensors => {
                let whole = Whole {
                    model: parsed(path, self.model.to_json().as_bytes())?,
                    about: self.about.clone(),
                };
                let content = Content {
                    arrays: safetensors::weights(&self.model)?,
                    metadata: vec![(KEY.to_string(), text(path, &whole)?)],
                };
                Ok(safetensors::save(path, &content)?)
            }
            Format::Legacy | Format::Shards => Err(Failure::usage(format!(
                "A model goes to .keras, .safetensors, .onnx, .json, .weights.h5, .weights.json or .npz. Received: {}.",
                path.display()
            ))),
        }
    }

    /// The model's inputs, in its order.
    pub fn inputs(&self) -> Result<Vec<Input>, Failure> {
        let config = self.model.to_config();
        let layers = config["layers"].as_array().map_or(&[][..], Vec::as_slice);
        let entries = || layers.iter().filter(|l| l["class_name"] == "InputLayer");
        let names = self.model.input_names()?;
        let only = names.len() == 1;
        let of = |name: String| {
            let entry = entries().find(|l| only || l["config"]["name"] == *name);
            let shape = entry.map(|l| &l["config"]["batch_shape"]);
            let extents = shape.and_then(Value::as_array).into_iter().flatten();
            let extents = extents.skip(1);
            Input {
                name,
                shape: extents.map(|d| d.as_u64().map(|d| d as usize)).collect(),
                texts: entry.is_some_and(|l| l["config"]["dtype"] == "string"),
            }
        };
        Ok(names.into_iter().map(of).collect())
    }

    /// A name for each of the model's outputs: that of its layer, with a number at further outputs of one layer.
    pub fn outputs(&self) -> Result<Vec<String>, Failure> {
        let mut names: Vec<String> = Vec::new();
        for name in self.model.output_names()? {
            let numbered = (1..).map(|n| format!("{name}_{n}"));
            let mut candidates = std::iter::once(name.clone()).chain(numbered);
            names.extend(candidates.find(|name| !names.contains(name)));
        }
        Ok(names)
    }

    /// The names of the classes, as far as they are known.
    pub fn class_names(&self) -> Option<&[String]> {
        match &self.about.table {
            Some(Schema {
                target: Target::Class { values, .. },
                ..
            }) => Some(values),
            _ => self.about.classes.as_deref(),
        }
    }
}

fn from_json(path: &Path) -> Result<Model, Failure> {
    let text = std::fs::read(path).map_err(|e| Failure::file(path.display(), e))?;
    let object: Value = parsed(path, &text)?;
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
