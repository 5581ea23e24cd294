//! `.weights.h5`: the variables of a model and its optimizer.

use super::hdf5::{File, Group};
use super::variables::{Place, places};
use crate::models::Model;
use crate::{Array, Error, Result, Variable};

/// All that a model keeps, as the tree of a file.
pub(super) fn tree(model: &Model) -> Result<Group> {
    let mut root = Group::default();
    for place in places(model)?.into_iter().chain(optimizer_place(model)) {
        let group = root.at(&format!("{}/vars", place.path));
        group.attributes.insert("name".into(), place.name);
        let values = place.variables.iter().map(Variable::value).enumerate();
        group.arrays = values.map(|(i, value)| (i.to_string(), value)).collect();
    }
    Ok(root)
}

fn optimizer_place(model: &Model) -> Option<Place> {
    let optimizer = model.optimizer().ok()?;
    Some(Place {
        path: "optimizer".into(),
        name: optimizer.name().to_string(),
        variables: optimizer.variables(),
    })
}

/// What a file has for a place: one value for each variable, or why not.
fn values(file: &File, place: &Place) -> Result<Vec<Array>> {
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
pub(super) fn load(model: &Model, file: &File, skip_mismatch: bool) -> Result<Vec<Error>> {
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
pub(super) fn load_optimizer(model: &mut Model, file: &File) -> Result<()> {
    let Some(place) = optimizer_place(model) else {
        return Ok(());
    };
    if file.dataset("optimizer/vars/0")?.is_none() {
        return Ok(());
    }
    let steps = place.variables.len();
    let trained = file.dataset(&format!("optimizer/vars/{steps}"))?.is_some();
    let place = match trained {
        true => {
            model.build_optimizer()?;
            optimizer_place(model).unwrap_or(place)
        }
        false => place,
    };
    for (variable, value) in place.variables.iter().zip(values(file, &place)?) {
        variable.assign(value)?;
    }
    Ok(())
}
