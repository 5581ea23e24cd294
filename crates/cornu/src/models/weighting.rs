//! Class weights as weights of samples, or of the steps of samples.

use super::graph::Graph;
use crate::data::{Data, Inputs};
use crate::{Array, Error, Result, Shape};

/// Weights from weights of classes; classes without one count 1. The class is the number that the target
/// is, or the position of the largest entry of a one-hot row. Targets of several steps get a weight for
/// each step.
pub(super) fn from_classes(
    graph: &Graph,
    y: &Inputs<'_>,
    weights: &[(usize, f64)],
) -> Result<Array> {
    let Some(y) = y.first().filter(|_| y.len() == 1) else {
        return Err(Error::new(format!(
            "class_weight is for a model of one output. Received: {} arrays of targets.",
            y.len()
        )));
    };
    if let Some((class, w)) = weights.iter().find(|(_, w)| !w.is_finite() || *w < 0.0) {
        return Err(Error::new(format!(
            "class_weight must be finite and not negative. Received: {w} for class {class}."
        )));
    }
    y.samples("y")?;
    let of = |class: f64| {
        let own = weights.iter().find(|(c, _)| *c as f64 == class);
        own.map_or(1.0, |(_, w)| *w) as f32
    };
    let targets = y.to_vec::<f64>();
    let (lead, row) = classes(graph, y);
    let values = match row {
        1 => targets.iter().map(|class| of(class.round())).collect(),
        row => targets.chunks(row).map(|r| of(largest(r))).collect(),
    };
    Array::from_vec(lead, values)
}

/// The shape of the weights, and how many of the targets' numbers stand for one class.
fn classes(graph: &Graph, y: &Data<'_>) -> (Shape, usize) {
    let shape = y.shape();
    let (last, lead) = shape.split_last().unwrap_or((&1, &[]));
    let predicted = graph.outputs.first().map_or(0, |o| o.shape.0.len());
    match (shape.len(), *last) {
        (1, _) => (shape.into(), 1),
        (_, 1) => (lead.into(), 1),
        // Numbers have an axis less than the predictions, one-hot rows as many.
        (rank, _) if rank < predicted => (shape.into(), 1),
        (_, row) => (lead.into(), row.max(1)),
    }
}

/// The position of the largest entry, the first if there are several.
fn largest(row: &[f64]) -> f64 {
    let entries = row.iter().enumerate();
    let best = entries.fold((0, f64::NEG_INFINITY), |best, (i, v)| match *v > best.1 {
        true => (i, *v),
        false => best,
    });
    best.0 as f64
}
