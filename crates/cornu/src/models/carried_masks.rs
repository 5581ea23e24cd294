//! Masks in Keras' functional models.
//!
//! Keras finds masks while a model is put together, by operations that become layers of the model, and hands
//! them to the calls that follow as arguments. Cornu finds them when it computes: such operations are left
//! out, and only masks of one's own, which would be lost, are refused.

use super::functional::{Named, Node, is_operation};
use crate::{Error, Result};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Arguments of calls that are masks.
pub(super) const ARGUMENTS: [&str; 5] = ["mask", "query_mask", "value_mask", "key_mask", "masks"];

/// The names of the operations that only make masks, of layers (objects and their calls) and the ends of the
/// model.
///
/// # Errors
/// A mask that no `Embedding` or `Masking` begins.
pub(super) fn operations(
    layers: &HashMap<&str, (&Value, &[Node])>,
    ends: &[Named],
) -> Result<HashSet<String>> {
    let inputs = |name: &str| {
        let nodes = layers.get(name).map_or(&[][..], |(_, nodes)| nodes);
        nodes.iter().flat_map(|n| &n.inputs)
    };
    let from_operation = |n: &Named| {
        let object = layers.get(n.layer.as_str());
        object.is_some_and(|(object, _)| is_operation(object))
    };
    let masked = masked_tensors(layers);
    let mut masking: HashSet<String> = HashSet::new();
    for (name, (_, nodes)) in layers {
        let mut open: Vec<&Named> = nodes.iter().flat_map(|n| &n.masks).collect();
        while let Some(mask) = open.pop() {
            if from_operation(mask) {
                if masking.insert(mask.layer.clone()) {
                    open.extend(inputs(&mask.layer));
                }
            } else if !masked.contains(&mask.place()) {
                return Err(Error::new(
                    "A layer is called with a mask of its own, which Cornu does not take in a call.",
                )
                .in_scope(*name));
            }
        }
    }
    // What a layer or an end of the model reads is computed, whatever else it serves for.
    let mut open: Vec<&Named> = ends.iter().collect();
    let computed = layers.keys().filter(|name| !masking.contains(**name));
    open.extend(computed.flat_map(|name| inputs(name)));
    while let Some(read) = open.pop() {
        if masking.remove(&read.layer) {
            open.extend(inputs(&read.layer));
        }
    }
    Ok(masking)
}

/// The tensors that layers look at to find a mask.
fn masked_tensors<'a>(
    layers: &HashMap<&str, (&Value, &'a [Node])>,
) -> HashSet<(&'a str, usize, usize)> {
    let begins = layers.values().filter(|(object, _)| {
        let class = object["class_name"].as_str();
        class == Some("Masking")
            || (class == Some("Embedding") && object["config"]["mask_zero"] == true)
    });
    let read = begins.flat_map(|(_, nodes)| nodes.iter().flat_map(|n| &n.inputs));
    read.map(Named::place).collect()
}
