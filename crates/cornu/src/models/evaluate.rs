//! `evaluate`.

use super::graph::Graph;
use super::labels;
use super::model::Model;
use super::trainer::{Signature, Trainer};
use crate::data::{Cardinality, Data, Dataset, Example, Inputs, IntoInputs};
use crate::layers::InputShape;
use crate::progress::{Progress, Verbose};
use crate::{Error, Logs, Result};
use cornu_core::TensorType;

/// What [`Model::evaluate_with`] can be told.
#[derive(Debug)]
pub struct Evaluate<'a> {
    pub(super) batch_size: Option<usize>,
    pub(super) verbose: Verbose,
    pub(super) sample_weight: Inputs<'a>,
    pub(super) steps: Option<usize>,
}

impl Default for Evaluate<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Evaluate<'a> {
    /// Batches of 32, with a progress bar.
    pub fn new() -> Self {
        Self {
            batch_size: None,
            verbose: Verbose::Auto,
            sample_weight: Inputs::new(),
            steps: None,
        }
    }

    /// Samples measured at a time: 32 by default.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// What is shown meanwhile: 0 nothing, 1 a bar on a terminal or one line, 2 one line.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// One weight per sample: for all outputs alike, or for each.
    pub fn sample_weight(mut self, weight: impl IntoInputs<'a>) -> Self {
        self.sample_weight = weight.into_inputs();
        self
    }

    /// Stops after this many batches.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }
}

impl Model {
    /// Loss and metrics over data, in this order: the loss, then the metrics as given to `compile`.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([1]));
    /// model.compile("sgd", "mse", ["mae"])?;
    /// let scores = model.evaluate(&Array::from([[1.0f32], [2.0]]), &Array::from([[1.0f32], [4.0]]))?;
    /// assert_eq!((scores["loss"], scores["mae"]), (2.0, 1.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not compiled, or the data does not fit the model or the loss.
    pub fn evaluate<'a>(&mut self, x: impl IntoInputs<'a>, y: impl IntoInputs<'a>) -> Result<Logs> {
        self.evaluate_with(x, y, Evaluate::new())
    }

    /// As [`Model::evaluate`], with options.
    ///
    /// # Errors
    /// As [`Model::evaluate`], or an option out of range.
    pub fn evaluate_with<'a>(
        &mut self,
        x: impl IntoInputs<'a>,
        y: impl IntoInputs<'a>,
        options: Evaluate<'a>,
    ) -> Result<Logs> {
        let (x, y) = (x.into_inputs(), y.into_inputs());
        let mut trainer = self.take_trainer()?;
        let result = self.prepare(&x).and_then(|()| {
            let graph = self.graph()?;
            trainer.bind(graph)?;
            let batch = batch_size(options.batch_size, options.steps, samples_of(&x, "x")?)?;
            let weight = options.sample_weight.by_ref();
            let set = Set::new(graph, x.by_ref(), y.by_ref(), weight, batch, "")?;
            trainer.check_targets(graph, &set, "")?;
            let mut progress = Progress::stdout(options.verbose)?;
            let steps = set.steps().min(options.steps.unwrap_or(usize::MAX));
            progress.begin(Some(steps));
            let logs = measure(&mut trainer, graph, &set, steps, |step, trainer| {
                if progress.due(step) {
                    progress.update(step, &sorted(trainer.figures()?));
                }
                Ok(())
            })?;
            progress.finish(&sorted(logs.clone()));
            Ok(logs)
        });
        self.trainer = Some(trainer);
        result
    }

    /// Loss and metrics over the batches that a dataset makes.
    ///
    /// ```
    /// use cornu::data::{Dataset, from_tensor_slices};
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([1]));
    /// model.compile("sgd", "mse", ["mae"])?;
    /// let data = from_tensor_slices(Array::from([[1.0f32], [2.0]]), Array::from([[1.0f32], [4.0]]));
    /// let scores = model.evaluate_dataset(&data.batch(1), Evaluate::new().verbose(0))?;
    /// assert_eq!((scores["loss"], scores["mae"]), (2.0, 1.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::evaluate_with`]; whatever the dataset gives as an error; a dataset without end and
    /// without [`Evaluate::steps`]; a `batch_size` or `sample_weight`, which are for arrays.
    pub fn evaluate_dataset(&mut self, data: &dyn Dataset, options: Evaluate<'_>) -> Result<Logs> {
        if options.batch_size.is_some() || !options.sample_weight.is_empty() {
            return Err(Error::new(
                "batch_size and sample_weight are for arrays. A dataset is batched and weighted \
                 before it is given to evaluate_dataset.",
            ));
        }
        let all = steps_of(data, options.steps)?;
        let mut trainer = self.take_trainer()?;
        let result = self.prepare_for(data).and_then(|()| {
            let graph = self.graph()?;
            trainer.bind(graph)?;
            let mut progress = Progress::stdout(options.verbose)?;
            progress.begin(all);
            let steps = options.steps.unwrap_or(usize::MAX);
            let logs = measure_dataset(&mut trainer, graph, data, steps, "", |step, trainer| {
                if progress.due(step) {
                    progress.update(step, &sorted(trainer.figures()?));
                }
                Ok(())
            })?;
            progress.finish(&sorted(logs.clone()));
            Ok(logs)
        });
        self.trainer = Some(trainer);
        result
    }
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

pub(super) fn sorted(mut logs: Logs) -> Logs {
    logs.sort();
    logs
}

impl Model {
    /// Builds the model from the data's shape if it is not built yet, and checks that it fits.
    pub(super) fn prepare(&mut self, x: &Inputs<'_>) -> Result<()> {
        if !self.is_built() && self.build().is_err() {
            // The samples' shape says what the first layer does not; a vector of numbers is a
            // column of one feature.
            let shape = |x: &Data<'_>| {
                let mut sample = x.shape().get(1..).unwrap_or_default().to_vec();
                if sample.is_empty() {
                    sample.push(1);
                }
                InputShape::batch_of(sample)
            };
            self.build_for_all(&x.iter().map(shape).collect::<Vec<_>>())?;
        }
        arrange_inputs(self.graph()?, x.by_ref(), "x").map(|_| ())
    }

    /// Builds the model from the first batch of a dataset if it is not built yet.
    pub(super) fn prepare_for(&mut self, data: &dyn Dataset) -> Result<()> {
        if self.is_built() || self.build().is_ok() {
            return Ok(());
        }
        match data.examples()?.next() {
            Some(first) => self.prepare(&first?.x),
            None => Err(Error::new("The dataset gave no batch.")),
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

/// Loss and metrics over the first `steps` batches.
pub(super) fn measure(
    trainer: &mut Trainer,
    graph: &Graph,
    set: &Set<'_>,
    steps: usize,
    mut after: impl FnMut(usize, &Trainer) -> Result<()>,
) -> Result<Logs> {
    trainer.reset()?;
    for step in 0..steps.min(set.steps()) {
        run_rows(trainer, graph, set, false, set.rows(step))?;
        after(step + 1, trainer)?;
        if crate::interrupt::Interrupt::requested() {
            break;
        }
    }
    trainer.figures()
}

/// Loss and metrics over the first `steps` batches of a dataset.
pub(super) fn measure_dataset(
    trainer: &mut Trainer,
    graph: &Graph,
    data: &dyn Dataset,
    steps: usize,
    prefix: &str,
    mut after: impl FnMut(usize, &Trainer) -> Result<()>,
) -> Result<Logs> {
    trainer.reset()?;
    let mut seen = 0;
    for batch in data.examples()?.take(steps) {
        let set = set_of(graph, trainer, batch?, prefix)?;
        run_rows(trainer, graph, &set, false, 0..set.samples)?;
        seen += 1;
        after(seen, trainer)?;
        if crate::interrupt::Interrupt::requested() {
            break;
        }
    }
    match seen {
        0 => Err(Error::new(format!(
            "The {prefix}dataset gave no batch: there is nothing to measure."
        ))),
        _ => trainer.figures(),
    }
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
