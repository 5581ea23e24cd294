//! Where every variable of a model is in Keras' files of weights.

use crate::layers::Built;
use crate::models::Model;
use crate::{Result, Variable};
use std::collections::HashSet;
use std::sync::Arc;

/// What one object of a model keeps: a group `<path>/vars` with the arrays `0`, `1`, ….
#[derive(Debug)]
pub(crate) struct Place {
    /// The path of the object, by classes, positions and attributes: `layers/dense_1`.
    pub path: String,
    /// The name of the object.
    pub name: String,
    /// Trainable variables, then the others.
    pub variables: Vec<Variable>,
}

/// The places of a model's layers: each once, where Keras meets it first.
pub(crate) fn places(model: &Model) -> Result<Vec<Place>> {
    let mut all = vec![Place {
        path: String::new(),
        name: model.name().to_string(),
        variables: Vec::new(),
    }];
    let mut met = HashSet::new();
    for (path, unit) in model.layer_paths()? {
        if let Some(built) = unit.built.get() {
            walk(built, path, &mut met, &mut all);
        }
    }
    Ok(all)
}

/// A layer, then the layers inside it by the names of their attributes, private ones last.
fn walk(built: &Built, path: String, met: &mut HashSet<usize>, all: &mut Vec<Place>) {
    // Copies of a layer share this.
    if !met.insert(Arc::as_ptr(&built.trainable) as usize) {
        return;
    }
    let of = |trained: bool| built.weights.iter().filter(move |w| w.trainable == trained);
    let kept = of(true).chain(of(false));
    all.push(Place {
        path: path.clone(),
        name: built.name.clone(),
        variables: kept.map(|w| w.variable.clone()).collect(),
    });
    let mut children: Vec<&(String, Built)> = built.children.iter().collect();
    children.sort_by_key(|(field, _)| (field.starts_with('_'), field));
    for (field, child) in children {
        walk(child, format!("{path}/{field}"), met, all);
    }
}
