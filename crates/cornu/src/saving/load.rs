//! How models are made of what was read.

use super::CustomObjects;
use crate::layers::{Source, weight_budget};
use crate::models::Model;
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How [`load_model_with`](super::load_model_with) and [`model_from_json_with`](super::model_from_json_with) make a
/// model.
#[derive(Clone, Debug)]
pub struct LoadModel {
    pub(super) compile: bool,
    custom_objects: CustomObjects,
    weight_limit: Option<usize>,
}

impl Default for LoadModel {
    fn default() -> Self {
        Self::new()
    }
}

impl LoadModel {
    /// Compiled as it was saved, and without objects of one's own.
    pub fn new() -> Self {
        Self {
            compile: true,
            custom_objects: CustomObjects::new(),
            weight_limit: None,
        }
    }

    /// Whether the model is compiled as it was when it was saved; it is by default.
    pub fn compile(mut self, compile: bool) -> Self {
        self.compile = compile;
        self
    }

    /// What names in the file stand for that Keras does not define.
    pub fn custom_objects(mut self, objects: CustomObjects) -> Self {
        self.custom_objects = objects;
        self
    }

    /// How many bytes of weights may be made before the model is refused. By default 16 times the size of the
    /// file, and a mebibyte; of a description without weights 1 GiB.
    pub fn weight_limit(mut self, bytes: usize) -> Self {
        self.weight_limit = Some(bytes);
        self
    }

    /// What makes a model of untrusted content: within its budget, and with a panic, should it come to that, as
    /// an error.
    pub(super) fn read(
        &self,
        source: Source,
        make: impl FnOnce() -> Result<Model>,
    ) -> Result<Model> {
        let bounded = || weight_budget(source, self.weight_limit, make);
        let guarded = AssertUnwindSafe(|| self.custom_objects.within(bounded));
        catch_unwind(guarded).unwrap_or_else(|_| {
            Err(Error::io(
                "The model in the file is not possible: what it asks for cannot be computed.",
            ))
        })
    }

    /// A model from its JSON alone.
    pub(super) fn of_json(&self, text: &str) -> Result<Model> {
        self.read(Source::Description, || {
            let object = serde_json::from_str(text)
                .map_err(|e| Error::new(format!("The text is no JSON of a model: {e}.")))?;
            Model::deserialize(&object, self.compile)
        })
    }
}
