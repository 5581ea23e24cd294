//! Layers one after the other, as one.

use super::base::{Base, options};
use super::recurrent::numbered;
use super::registry::fields;
use super::{Build, Call, InputShape, Layer, Wrapper, snake_case};
use crate::{Result, Tensor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Layers one after the other, as one layer and not, like a [`Sequential`](crate::models::Sequential), as a
/// model: meant for images that several layers change.
///
/// * Input: that of the first layer. Output: that of the last, with its mask; of no layers, the input.
/// * Weights: those of the layers.
///
/// ```
/// use cornu::prelude::*;
/// let changes = Pipeline::new([
///     Box::<dyn Layer>::from(Rescaling::new(1.0 / 255.0)),
///     RandomFlip::new(FlipMode::Horizontal).into(),
///     RandomRotation::new(0.1).into(),
/// ]);
/// let mut model = Sequential::new();
/// model.add(changes.input_shape([8, 8, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 8, 8, 3)");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipeline {
    #[serde(skip)]
    base: Base,
    layers: Vec<Wrapper>,
}

options!(Pipeline);

impl Pipeline {
    /// These layers, the first one first.
    pub fn new<L: Into<Box<dyn Layer>>>(layers: impl IntoIterator<Item = L>) -> Self {
        Self {
            base: Base::default(),
            layers: layers.into_iter().map(Wrapper::new).collect(),
        }
    }

    /// Where Keras' files keep each layer.
    fn fields(&self) -> Vec<String> {
        let classes = self.layers.iter().map(|l| snake_case(l.class_name()));
        numbered(classes.map(|class| format!("_pipeline_layers/{class}")))
    }
}

impl Layer for Pipeline {
    fn class_name(&self) -> &str {
        "Pipeline"
    }

    fn base(&self) -> Option<&Base> {
        Some(&self.base)
    }

    fn config(&self) -> Map<String, Value> {
        fields(self)
    }

    fn supports_masking(&self) -> bool {
        true
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        let names = numbered(self.layers.iter().map(Wrapper::name));
        let mut shape = input.clone();
        for ((layer, field), name) in self.layers.iter().zip(self.fields()).zip(names) {
            let given = std::slice::from_ref(&shape);
            let outputs = cx.layer_named(&field, &name, &**layer, given)?;
            shape = outputs.into_iter().next().unwrap_or(shape);
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        let (mut y, mut mask) = (x.clone(), cx.mask(0).cloned());
        for (layer, field) in self.layers.iter().zip(self.fields()) {
            let outputs = cx.layer_of(&field, &**layer, &[y.clone()], &[mask]);
            y = outputs.tensors.into_iter().next().unwrap_or(y);
            mask = outputs.masks.into_iter().next().flatten();
        }
        cx.set_mask(mask);
        y
    }
}
