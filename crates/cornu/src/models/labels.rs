//! Numbers of classes that a loss cannot take, and of rows that a layer has not, found before the first
//! step.

use super::graph::{Graph, Port};
use crate::data::Data;
use crate::losses::{ClassNumbers, Loss};
use crate::{DType, Error, Result, Shape};
use cornu_core::{Slice, TensorType};

/// Refuses targets whose shape does not fit the loss at an output, and class numbers outside the
/// classes; `prefix` tells validation data apart in messages. A pass over the targets, where they are
/// class numbers.
pub(super) fn check(
    loss: &Loss,
    graph: &Graph,
    output: usize,
    samples: usize,
    y: &Data<'_>,
    prefix: &str,
) -> Result<()> {
    let Some(Ok(sample)) = graph.outputs.get(output).map(|o| o.shape.sample()) else {
        // The shape of the output is known when a step is compiled, not before.
        return Ok(());
    };
    let y_true = TensorType {
        shape: y.shape().into(),
        dtype: y.dtype(),
    };
    let y_pred = TensorType {
        shape: std::iter::once(samples)
            .chain(sample.iter().copied())
            .collect::<Shape>(),
        dtype: DType::F32,
    };
    let in_set = |e: Error| match prefix {
        "" => e,
        _ => Error::with_kind(e.kind(), format!("{prefix}y: {}", e.message())),
    };
    loss.validate(&y_true, &y_pred).map_err(in_set)?;
    let Some(numbers) = loss.class_numbers(&y_true, &y_pred) else {
        return Ok(());
    };
    match outside(y, numbers) {
        None => Ok(()),
        Some((at, label)) => Err(Error::new(format!(
            "Loss \"{}\": {prefix}y must hold class numbers from 0 to {}, for the {} classes that the model predicts. Received: {label} at position {at}.",
            loss.name(),
            numbers.classes.saturating_sub(1),
            numbers.classes
        ))),
    }
}

/// Refuses numbers of rows that the layer at an input has not. A pass over the data, where they are such
/// numbers.
pub(super) fn check_rows(port: &Port, x: &Data<'_>, what: &str) -> Result<()> {
    let Some((layer, rows)) = &port.rows else {
        return Ok(());
    };
    let numbers = ClassNumbers {
        classes: *rows,
        ignored: None,
    };
    match outside(x, numbers) {
        None => Ok(()),
        Some((at, number)) => Err(Error::new(format!(
            "{what} must hold whole numbers from 0 to {}, for the {rows} rows of the layer \"{layer}\". Received: {number} at position {at}.",
            rows.saturating_sub(1)
        ))),
    }
}

/// Place and value of the first number that is no class.
fn outside(y: &Data<'_>, numbers: ClassNumbers) -> Option<(usize, String)> {
    let (classes, ignored) = (numbers.classes, numbers.ignored);
    let integer = |v: i64| (v >= 0) & (v < classes as i64) | (ignored == Some(v));
    let float = |v: f64| (v >= 0.0) & (v < classes as f64) | (ignored.map(|i| i as f64) == Some(v));
    match y.view().data {
        Slice::Bool(v) => first(v, |b| integer(i64::from(b))),
        Slice::U8(v) => first(v, |b| integer(i64::from(b))),
        Slice::I32(v) => first(v, |b| integer(i64::from(b))),
        Slice::I64(v) => first(v, integer),
        Slice::F32(v) => first(v, |b| float(f64::from(b))),
        Slice::F64(v) => first(v, float),
        Slice::BF16(_) | Slice::F16(_) => first(&y.to_vec::<f64>(), float),
    }
}

fn first<T: Copy + ToString>(values: &[T], inside: impl Fn(T) -> bool) -> Option<(usize, String)> {
    // Without a way out in the middle this is vectorised; mostly there is nothing to find.
    if values.iter().fold(true, |all, v| all & inside(*v)) {
        return None;
    }
    let at = values.iter().position(|v| !inside(*v))?;
    Some((at, values[at].to_string()))
}
