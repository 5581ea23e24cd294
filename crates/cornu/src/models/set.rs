//! Samples, targets and weights that belong together, checked and cut into batches.

use super::graph::Graph;
use super::labels;
use super::trainer::{Signature, Trainer};
use crate::data::{Cardinality, Data, Dataset, Example, Inputs};
use crate::{Error, Result};
use cornu_core::TensorType;

/// The number of samples in the first array.
pub(super) fn samples_of(x: &Inputs<'_>, what: &str) -> Result<usize> {
    x.first().map_or(Ok(0), |x| x.samples(what))
}

/// The arrays in the order of the network's inputs, checked.
pub(super) fn arrange_inputs<'a>(
    graph: &Graph,
    x: Inputs<'a>,
    what: &str,
) -> Result<Vec<Data<'a>>> {
    let names: Vec<&str> = graph.inputs.iter().map(|p| p.name.as_str()).collect();
    let placed = x.arrange(what, &names)?;
    if let Some(missing) = (0..names.len()).find(|i| placed.iter().all(|(p, _)| p != i)) {
        return Err(Error::new(format!(
            "{what} has no array for the input \"{}\".",
            names[missing]
        )));
    }
    placed
        .into_iter()
        .map(|(i, data)| {
            graph.check_input(i, what, data.shape())?;
            graph.check_data(i, what, &data)?;
            labels::check_rows(&graph.inputs[i], &data, what)?;
            Ok(data)
        })
        .collect()
}

/// Samples, targets and weights that belong together, cut into batches.
pub(super) struct Set<'a> {
    pub x: Vec<Data<'a>>,
    pub y: Vec<Data<'a>>,
    /// The output that each of `y` is for.
    pub targets: Vec<usize>,
    /// None, one for all targets, or one for each.
    pub weight: Vec<Data<'a>>,
    pub batch: usize,
    pub samples: usize,
}

impl<'a> Set<'a> {
    /// Checks that lengths and shapes fit; `prefix` tells validation data apart in messages.
    pub fn new(
        graph: &Graph,
        x: Inputs<'a>,
        y: Inputs<'a>,
        weight: Inputs<'a>,
        batch: usize,
        prefix: &str,
    ) -> Result<Self> {
        let samples = samples_of(&x, &format!("{prefix}x"))?;
        if samples == 0 {
            return Err(Error::shape(format!("{prefix}x holds no samples.")));
        }
        let x = arrange_inputs(graph, x, &format!("{prefix}x"))?;
        let names: Vec<&str> = graph.outputs.iter().map(|p| p.name.as_str()).collect();
        let placed = match y.is_empty() {
            true => Vec::new(),
            false => y.arrange(&format!("{prefix}y"), &names)?,
        };
        let (targets, y): (Vec<usize>, Vec<Data<'a>>) = placed.into_iter().unzip();
        let weight: Vec<Data<'a>> = if weight.len() <= 1 {
            weight.into_data()
        } else {
            let placed = weight.arrange(&format!("{prefix}sample_weight"), &names)?;
            if placed.iter().map(|(p, _)| p).ne(&targets) {
                return Err(Error::new(format!(
                    "{prefix}sample_weight must be one array for all outputs, or one for each array in y."
                )));
            }
            placed.into_iter().map(|(_, d)| d).collect()
        };
        let others = x.iter().map(|d| ("x", d)).chain(y.iter().map(|d| ("y", d)));
        for (what, other) in others.chain(weight.iter().map(|d| ("sample_weight", d))) {
            let n = other.samples(&format!("{prefix}{what}"))?;
            if n != samples {
                return Err(Error::shape(format!(
                    "{prefix}x and {prefix}{what} must have the same number of samples. Received: {samples} and {n}."
                )));
            }
        }
        let finite =
            |w: &Data<'_>| !w.dtype().is_float() || w.to_vec::<f64>().iter().all(|v| v.is_finite());
        if !weight.iter().all(finite) {
            return Err(Error::new(format!(
                "{prefix}sample_weight holds NaN or infinite values."
            )));
        }
        Ok(Self {
            x,
            y,
            targets,
            weight,
            batch,
            samples,
        })
    }

    /// Number of batches; the last may be short.
    pub fn steps(&self) -> usize {
        self.samples.div_ceil(self.batch)
    }

    /// The rows of a batch.
    pub fn rows(&self, step: usize) -> std::ops::Range<usize> {
        step * self.batch..self.samples.min((step + 1) * self.batch)
    }

    /// The signature of a step on `rows` rows, picked by index or given as they are.
    pub fn signature(&self, training: bool, rows: usize, picked: bool) -> Signature {
        let ty = |d: &Data<'_>| {
            let mut shape = d.shape().to_vec();
            if !picked {
                shape[0] = rows;
            }
            TensorType {
                shape: shape.into(),
                dtype: d.dtype(),
            }
        };
        Signature {
            training,
            x: self.x.iter().map(ty).collect(),
            y: self.y.iter().map(ty).collect(),
            targets: self.targets.clone(),
            weight: self.weight.iter().map(ty).collect(),
            picked: picked.then_some(rows),
        }
    }
}

/// A batch of a dataset, checked; `prefix` tells validation data apart in messages.
pub(super) fn set_of(
    graph: &Graph,
    trainer: &Trainer,
    batch: Example,
    prefix: &str,
) -> Result<Set<'static>> {
    let n = samples_of(&batch.x, &format!("{prefix}x"))?;
    let set = Set::new(graph, batch.x, batch.y, batch.weight, n, prefix)?;
    trainer.check_targets(graph, &set, prefix)?;
    Ok(set)
}

/// The number of batches that will be seen, if it is known.
pub(super) fn steps_of(data: &dyn Dataset, asked: Option<usize>) -> Result<Option<usize>> {
    match (data.cardinality(), asked) {
        (_, Some(0)) => Err(Error::new("steps must be at least 1. Received: steps=0.")),
        (Cardinality::Infinite, None) => Err(Error::new(
            "A dataset that is repeated for ever needs a number of steps.",
        )),
        (Cardinality::Known(n), asked) => Ok(Some(asked.map_or(n, |steps| steps.min(n)))),
        (Cardinality::Infinite, asked) => Ok(asked),
        (Cardinality::Unknown, _) => Ok(None),
    }
}

/// Keras' default: 32, or what the number of steps asks for.
pub(super) fn batch_size(
    asked: Option<usize>,
    steps: Option<usize>,
    samples: usize,
) -> Result<usize> {
    if asked == Some(0) || steps == Some(0) {
        let name = if asked == Some(0) {
            "batch_size"
        } else {
            "steps"
        };
        return Err(Error::new(format!(
            "{name} must be at least 1. Received: {name}=0."
        )));
    }
    Ok(asked.unwrap_or_else(|| steps.map_or(32, |s| samples.div_ceil(s).max(1))))
}

/// One step on consecutive rows.
pub(super) fn run_rows(
    trainer: &mut Trainer,
    graph: &Graph,
    set: &Set<'_>,
    training: bool,
    rows: std::ops::Range<usize>,
) -> Result<()> {
    let signature = set.signature(training, rows.len(), false);
    let step = trainer.step(graph, &signature)?;
    run_compiled(trainer, set, &signature, step, rows)
}

/// A compiled step, by its place, on consecutive rows.
pub(super) fn run_compiled(
    trainer: &mut Trainer,
    set: &Set<'_>,
    signature: &Signature,
    place: usize,
    rows: std::ops::Range<usize>,
) -> Result<()> {
    let arrays = [&set.x, &set.y, &set.weight].into_iter().flatten();
    let types = [&signature.x, &signature.y, &signature.weight];
    let types = types.into_iter().flatten();
    trainer.run(
        place,
        arrays
            .zip(types)
            .map(|(d, ty)| d.rows(rows.clone(), &ty.shape)),
    )
}
