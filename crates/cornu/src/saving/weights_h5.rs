//! `.weights.h5`: the variables of a model and its optimizer.

use super::hdf5::Group;
use super::shards::Store;
use super::variables::{Place, places};
use crate::models::Model;
use crate::optimizers::loss_scale;
use crate::{Array, Error, Result};

/// All that a model keeps, as the tree of a file.
pub(super) fn tree(model: &Model) -> Result<Group> {
    let mut root = Group::default();
    for place in all_places(model)? {
        let group = root.at(&format!("{}/vars", place.path));
        group.attributes.insert("name".into(), place.name);
        let variables = place.variables.into_iter().enumerate();
        group.variables = variables.map(|(i, v)| (i.to_string(), v)).collect();
    }
    Ok(root)
}

/// The layers' variables and the optimizer's.
pub(super) fn all_places(model: &Model) -> Result<Vec<Place>> {
    let mut all = places(model)?;
    all.extend(optimizer_places(model));
    Ok(all)
}

/// The optimizer's state. Keras' way of scaling the loss is an optimizer around the optimizer, which keeps what
/// both have.
fn optimizer_places(model: &Model) -> Vec<Place> {
    let Ok(optimizer) = model.optimizer() else {
        return Vec::new();
    };
    let place = |path: &str, name: &str, variables| Place {
        path: path.into(),
        name: name.into(),
        variables,
    };
    let own = optimizer.variables();
    match model.loss_scaling() {
        None => vec![place("optimizer", optimizer.name(), own)],
        Some(scale) => {
            let mut all = scale.saved_variables(optimizer.is_built());
            all.extend(own.iter().cloned());
            vec![
                place("optimizer", loss_scale::NAME, all),
                place("optimizer/inner_optimizer", optimizer.name(), own),
            ]
        }
    }
}

/// What a file has for a place: one value for each variable, or why not.
fn values(file: &Store, place: &Place) -> Result<Vec<Array>> {
    let about = |e: Error| match place.name.is_empty() {
        true => e,
        false => e.in_scope(&*place.name),
    };
    let group = match place.path.as_str() {
        "" => "vars".to_string(),
        path => format!("{path}/vars"),
    };
    let mut values = Vec::with_capacity(place.variables.len());
    for (i, variable) in place.variables.iter().enumerate() {
        let path = format!("{group}/{i}");
        let Some(set) = file.dataset(&path).map_err(about)? else {
            return Err(about(Error::io(format!(
                "The file has no value for \"{}\" of shape {}: \"{path}\" is missing.",
                variable.name(),
                variable.shape()
            ))));
        };
        // Before anything is read: the model says how much that may be.
        if set.shape != *variable.shape() {
            return Err(about(Error::shape(format!(
                "\"{}\" has shape {} in the model. Received: shape {} in the file.",
                variable.name(),
                variable.shape(),
                set.shape
            ))));
        }
        values.push(set.read(&path).map_err(about)?);
    }
    let more = format!("{group}/{}", place.variables.len());
    if !place.variables.is_empty() && file.dataset(&more).map_err(about)?.is_some() {
        return Err(about(Error::shape(format!(
            "The layer has {} weights in the model. Received: more in the file.",
            place.variables.len()
        ))));
    }
    Ok(values)
}

/// Sets every variable of the layers from a file. With `skip_mismatch`, layers that the file does not fit keep
/// what they have, and their errors are returned; else nothing is changed if one does not fit.
pub(super) fn load(model: &Model, file: &Store, skip_mismatch: bool) -> Result<Vec<Error>> {
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    for place in places(model)? {
        match values(file, &place) {
            Ok(values) => found.extend(place.variables.into_iter().zip(values)),
            Err(e) if skip_mismatch => skipped.push(e),
            Err(e) => return Err(e),
        }
    }
    for (variable, value) in found {
        variable.assign(value)?;
    }
    Ok(skipped)
}

/// Sets the optimizer's state from a file, if the model is compiled and the file has one that fits.
pub(super) fn load_optimizer(model: &mut Model, file: &Store) -> Result<()> {
    const WITHIN: &str = "optimizer/inner_optimizer";
    let has = |path: &str, i: usize| -> Result<bool> {
        Ok(file.dataset(&format!("{path}/vars/{i}"))?.is_some())
    };
    if has(WITHIN, 0)? {
        model.scale_loss();
    }
    let Some(place) = optimizer_places(model).pop() else {
        return Ok(());
    };
    if !has(&place.path, 0)? {
        return Ok(());
    }
    if has(&place.path, place.variables.len())? {
        model.build_optimizer()?;
    }
    let mut found = Vec::new();
    for place in optimizer_places(model) {
        let values = values(file, &place)?;
        found.extend(place.variables.into_iter().zip(values));
    }
    for (variable, value) in found {
        variable.assign(value)?;
    }
    Ok(())
}
