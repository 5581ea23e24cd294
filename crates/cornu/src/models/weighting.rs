//! Class weights as sample weights.

use crate::data::Inputs;
use crate::{Array, Error, Result};

/// One weight per sample from weights per class; classes without one count 1. The class of a sample
/// is its integer label, or the position of the largest entry of a one-hot row.
pub(super) fn from_classes(y: &Inputs<'_>, weights: &[(usize, f64)]) -> Result<Array> {
    let Some(y) = y.first().filter(|_| y.len() == 1) else {
        return Err(Error::new(format!(
            "class_weight is for a model of one output. Received: {} arrays of targets.",
            y.len()
        )));
    };
    let shape = y.shape();
    let samples = y.samples("y")?;
    let row: usize = shape.iter().skip(1).product();
    let of = |class: usize| {
        weights
            .iter()
            .find(|(c, _)| *c == class)
            .map_or(1.0, |(_, w)| *w) as f32
    };
    if let Some((class, w)) = weights.iter().find(|(_, w)| !w.is_finite() || *w < 0.0) {
        return Err(Error::new(format!(
            "class_weight must be finite and not negative. Received: {w} for class {class}."
        )));
    }
    let values: Vec<f32> = match (shape.len(), row) {
        (_, 1) => y
            .to_vec::<i64>()
            .into_iter()
            .map(|c| usize::try_from(c).map_or(1.0, of))
            .collect(),
        (2, _) => y
            .to_vec::<f64>()
            .chunks(row)
            .map(|r| {
                let best = r
                    .iter()
                    .enumerate()
                    .fold(
                        (0, f64::NEG_INFINITY),
                        |b, (i, v)| {
                            if *v > b.1 { (i, *v) } else { b }
                        },
                    );
                of(best.0)
            })
            .collect(),
        _ => {
            return Err(Error::shape(format!(
                "class_weight needs labels of shape ({samples},) or one-hot rows. Received: y of shape {}.",
                crate::Shape::from(shape)
            )));
        }
    };
    Array::from_vec([samples], values)
}
