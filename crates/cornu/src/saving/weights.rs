//! A model's weights by name.

use crate::models::Model;
use crate::{Array, Error, Result};
use std::collections::{HashMap, HashSet};

/// The names of a model's weights, in order: their paths as in Keras, `dense/kernel` in a functional
/// model, `sequential/dense/kernel` in a stack of that name. Of weights of one path (in models inside
/// the model) all but the first have a number at the end.
pub(super) fn names(model: &Model) -> Vec<String> {
    let around = match model.is_stack() {
        true => format!("{}/", model.name()),
        false => String::new(),
    };
    let mut taken: HashSet<String> = HashSet::new();
    let mut free = |w: &crate::layers::Weight| {
        let path = format!("{around}{}", w.variable.name());
        let numbered = (1..).map(|n| format!("{path}_{n}"));
        let mut candidates = std::iter::once(path.clone()).chain(numbered);
        let name = candidates
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(name.clone());
        name
    };
    model.weights().iter().map(&mut free).collect()
}

/// The name of a stack differs from program to program (`sequential_3`): it does not count.
fn without_stack(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, path)| path)
}

/// The weights' values by name.
///
/// # Errors
/// If the model is not built.
pub(super) fn values(model: &Model) -> Result<Vec<(String, Array)>> {
    let values = model.get_weights()?;
    Ok(names(model).into_iter().zip(values).collect())
}

/// Sets all weights by name.
///
/// # Errors
/// If a weight is missing, has another shape, or one is no weight of the model's. Nothing is set then.
pub(super) fn assign(model: &mut Model, arrays: &[(String, Array)]) -> Result<()> {
    model.get_weights()?;
    let mut names = names(model);
    let first = |name: &str| name.split('/').next().map(str::to_string);
    let stacked = model.is_stack()
        && arrays
            .iter()
            .all(|(name, _)| name.matches('/').count() > 1 && first(name) == first(&arrays[0].0));
    let in_file = |name| match stacked {
        true => without_stack(name),
        false => name,
    };
    let mut given: HashMap<&str, &Array> = arrays
        .iter()
        .map(|(name, array)| (in_file(name), array))
        .collect();
    if model.is_stack() {
        names
            .iter_mut()
            .for_each(|name| *name = without_stack(name).to_string());
    }
    let mut values = Vec::with_capacity(names.len());
    for (name, weight) in names.iter().zip(model.weights()) {
        let Some(value) = given.remove(name.as_str()) else {
            return Err(Error::with_kind(
                crate::ErrorKind::Name,
                format!(
                    "The file has no weight \"{name}\", which the model \"{}\" needs.",
                    model.name()
                ),
            ));
        };
        if value.shape() != weight.variable.shape() {
            return Err(Error::shape(format!(
                "The weight \"{name}\" has shape {} in the model. Received: shape {} from the file.",
                weight.variable.shape(),
                value.shape()
            )));
        }
        values.push(value.clone());
    }
    if let Some(name) = given.keys().min() {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        return Err(Error::unknown("weight in the file:", name, &known));
    }
    model.set_weights(&values)
}
