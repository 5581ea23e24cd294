//! Whether what a built layer is called on fits the weights that it has: Keras' `input_spec`.

use super::built::{Built, Site, declare};
use super::{InputShape, Layer};
use crate::{Error, Result, Tensor};

/// Refuses inputs for which the layer would have declared other weights than those that it has, or none at
/// all. So no layer has to say a second time, beside its `build`, what it can take.
pub(super) fn compatible(layer: &dyn Layer, built: &Built, inputs: &[Tensor]) -> Result<()> {
    // What went wrong before is not this layer's.
    if inputs.iter().any(|x| x.check().is_err()) {
        return Ok(());
    }
    let known = &built.inputs;
    let as_built = |(i, x): (usize, &Tensor)| known.get(i).is_some_and(|k| k.accepts(x.shape()));
    if inputs.len() == known.len() && inputs.iter().enumerate().all(as_built) {
        return Ok(());
    }
    let given: Vec<InputShape> = inputs
        .iter()
        .enumerate()
        .map(|(i, x)| like(x.shape(), known.get(i).unwrap_or(&known[0])))
        .collect();
    if same_weights(built, &weights_for(layer, built, &given)?) {
        return Ok(());
    }
    Err(Error::shape(difference(layer, built, &given)))
}

/// A shape with what was unknown when the layer was built left open: in any case a batch.
fn like(shape: &[usize], known: &InputShape) -> InputShape {
    let same = shape.len() == known.rank();
    let open = |axis: usize| (axis == 0 || same) && known.0.get(axis) == Some(&None);
    let extents = shape.iter().enumerate();
    InputShape(
        extents
            .map(|(axis, n)| (!open(axis)).then_some(*n))
            .collect(),
    )
}

/// What the layer would have declared for inputs of these shapes.
fn weights_for(layer: &dyn Layer, built: &Built, inputs: &[InputShape]) -> Result<Built> {
    let site = Site {
        path: "",
        seed: 0,
        stream: &mut 0,
        dry: true,
    };
    declare(layer, &built.name, inputs, site)
}

fn same_weights(a: &Built, b: &Built) -> bool {
    let weights = a.weights.len() == b.weights.len()
        && a.weights
            .iter()
            .zip(&b.weights)
            .all(|(a, b)| a.name == b.name && a.variable.shape() == b.variable.shape());
    weights
        && a.children.len() == b.children.len()
        && a.children
            .iter()
            .zip(&b.children)
            .all(|((_, a), (_, b))| same_weights(a, b))
}

/// Says, in Keras' words, which extent of which input the weights do not allow.
fn difference(layer: &dyn Layer, built: &Built, given: &[InputShape]) -> String {
    let known = &built.inputs;
    if known.len() != given.len() {
        return format!(
            "The weights are for {} inputs. Received: {}.",
            known.len(),
            given.len()
        );
    }
    for (i, (of, shape)) in known.iter().zip(given).enumerate() {
        let allowed = |shape: &InputShape| {
            let mut trial = known.clone();
            trial[i] = shape.clone();
            weights_for(layer, built, &trial).is_ok_and(|b| same_weights(built, &b))
        };
        if allowed(shape) {
            continue;
        }
        // The same number of axes, of which the last have the extents that the layer knows.
        let last = of.rank().min(shape.rank()).saturating_sub(1);
        let mut fitting = shape.clone();
        fitting.0[shape.rank() - last..].clone_from_slice(&of.0[of.rank() - last..]);
        let wrong = format!("Input {i} is incompatible with the layer: expected");
        for from_end in 1..=last {
            let mut trial = fitting.clone();
            trial.0[shape.rank() - from_end] = shape.0[shape.rank() - from_end];
            if allowed(&fitting) && !allowed(&trial) {
                return format!(
                    "{wrong} axis -{from_end} of the input shape to have value {}. Received: an input with \
                     shape {shape}.",
                    of.0[of.rank() - from_end].unwrap_or_default()
                );
            }
        }
        return format!("{wrong} a shape like {of}. Received: an input with shape {shape}.");
    }
    let list = |shapes: &[InputShape]| {
        let shapes: Vec<String> = shapes.iter().map(InputShape::to_string).collect();
        shapes.join(" and ")
    };
    format!(
        "The weights are for inputs of shape {}. Received: {}.",
        list(known),
        list(given)
    )
}
