//! The symbols of a model that is there: for models of parts of it, with the same weights.

use super::graph::Port;
use super::model::Model;
use super::sequential::LayerId;
use super::symbol::Symbol;
use crate::{Error, Result};
use std::sync::Arc;

impl Model {
    /// The symbols of the inputs: Keras' `model.inputs`.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn inputs(&self) -> Result<Vec<Symbol>> {
        let graph = self.graph()?;
        Ok(self.at(&graph.inputs))
    }

    /// The symbols of the outputs: Keras' `model.outputs`.
    ///
    /// # Errors
    /// If the model is not built.
    pub fn outputs(&self) -> Result<Vec<Symbol>> {
        let graph = self.graph()?;
        Ok(self.at(&graph.outputs))
    }

    fn at(&self, ports: &[Port]) -> Vec<Symbol> {
        let symbols = self.graph.iter().flat_map(|graph| &graph.symbols);
        let symbols: Vec<&Symbol> = symbols.collect();
        ports.iter().map(|p| symbols[p.slot].clone()).collect()
    }

    /// The symbol of a layer's (first) output: Keras' `model.get_layer(…).output`. With
    /// [`inputs`](Model::inputs) it makes models of parts of this one, which share its weights: what an
    /// inner layer sees, or another head on the same body.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(8).activation("relu").input_shape([4]).name("features"));
    /// model.add(Dense::new(3).activation("softmax"));
    /// model.build()?;
    ///
    /// let features = model.layer_output("features")?;
    /// let extractor = Model::new(model.inputs()?, &features)?;
    /// let rows = Array::zeros(DType::F32, [5, 4]);
    /// assert_eq!(extractor.predict(&rows)?.shape().to_string(), "(5, 8)");
    ///
    /// let other_head = Dense::new(1).on(&features);
    /// let mut other = Model::new(model.inputs()?, other_head)?;
    /// other.set_layer_trainable("features", false)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such layer, the model calls it several times, or the model is not built.
    pub fn layer_output<'a>(&self, which: impl Into<LayerId<'a>>) -> Result<Symbol> {
        let graph = self.graph()?;
        let unit = self.find(which.into())?;
        let of_unit = |s: &&Symbol| Arc::ptr_eq(&s.node.unit, unit) && s.index == 0;
        let outputs: Vec<&Symbol> = graph.symbols.iter().filter(of_unit).collect();
        match outputs[..] {
            [one] => Ok(one.clone()),
            _ => Err(Error::state(format!(
                "The layer \"{}\" has several outputs in the model \"{}\", which calls it {} times: keep the symbols that its calls gave.",
                unit.given_name().unwrap_or_default(),
                self.name(),
                outputs.len()
            ))),
        }
    }
}
