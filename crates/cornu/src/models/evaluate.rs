//! `evaluate`.

use super::network::{Network, check_input};
use super::sequential::Sequential;
use super::trainer::{Signature, Trainer};
use crate::data::{Data, IntoData};
use crate::progress::{Progress, Verbose};
use crate::{Error, Logs, Result};
use cornu_core::TensorType;

/// What [`Sequential::evaluate_with`] can be told.
#[derive(Debug)]
pub struct Evaluate<'a> {
    pub(super) batch_size: Option<usize>,
    pub(super) verbose: Verbose,
    pub(super) sample_weight: Option<Data<'a>>,
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
            sample_weight: None,
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

    /// One weight per sample.
    pub fn sample_weight(mut self, weight: impl IntoData<'a>) -> Self {
        self.sample_weight = Some(weight.into_data());
        self
    }

    /// Stops after this many batches.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }
}

impl Sequential {
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
    pub fn evaluate<'a>(&mut self, x: impl IntoData<'a>, y: impl IntoData<'a>) -> Result<Logs> {
        self.evaluate_with(x, y, Evaluate::new())
    }

    /// As [`Sequential::evaluate`], with options.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`], or an option out of range.
    pub fn evaluate_with<'a>(
        &mut self,
        x: impl IntoData<'a>,
        y: impl IntoData<'a>,
        options: Evaluate<'a>,
    ) -> Result<Logs> {
        let (x, y) = (x.into_data(), y.into_data());
        let mut trainer = self.take_trainer()?;
        let result = self.prepare(&x).and_then(|()| {
            let batch = batch_size(options.batch_size, options.steps, x.samples("x")?)?;
            let weight = options.sample_weight.as_ref().map(Data::by_ref);
            let set = Set::new(self, x.by_ref(), y.by_ref(), weight, batch, "")?;
            trainer.check_targets(self, &set, "")?;
            let mut progress = Progress::stdout(options.verbose)?;
            let steps = set.steps().min(options.steps.unwrap_or(usize::MAX));
            progress.begin(Some(steps));
            let logs = measure(&mut trainer, self, &set, steps, |step, trainer| {
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

pub(super) fn sorted(mut logs: Logs) -> Logs {
    logs.sort();
    logs
}

impl Sequential {
    /// Builds the model from the data's shape if it is not built yet, and checks that it fits.
    pub(super) fn prepare(&mut self, x: &Data<'_>) -> Result<()> {
        if !self.is_built() && self.build().is_err() {
            // The samples' shape says what the first layer does not; a vector of numbers is a
            // column of one feature.
            let mut sample = x.shape().get(1..).unwrap_or_default().to_vec();
            if sample.is_empty() {
                sample.push(1);
            }
            self.build_for(&crate::layers::InputShape::batch_of(sample))?;
        }
        check_input(self, "x", x.shape())
    }
}

/// Samples, targets and weights that belong together, cut into batches.
pub(super) struct Set<'a> {
    pub x: Data<'a>,
    pub y: Data<'a>,
    pub weight: Option<Data<'a>>,
    pub batch: usize,
    pub samples: usize,
}

impl<'a> Set<'a> {
    /// Checks that lengths and shapes fit; `prefix` tells validation data apart in messages.
    pub fn new(
        network: &dyn Network,
        x: Data<'a>,
        y: Data<'a>,
        weight: Option<Data<'a>>,
        batch: usize,
        prefix: &str,
    ) -> Result<Self> {
        let samples = x.samples(&format!("{prefix}x"))?;
        if samples == 0 {
            return Err(Error::shape(format!("{prefix}x holds no samples.")));
        }
        check_input(network, &format!("{prefix}x"), x.shape())?;
        let others = [
            Some(("y", &y)),
            weight.as_ref().map(|w| ("sample_weight", w)),
        ];
        for (what, other) in others.into_iter().flatten() {
            let n = other.samples(&format!("{prefix}{what}"))?;
            if n != samples {
                return Err(Error::shape(format!(
                    "{prefix}x and {prefix}{what} must have the same number of samples. Received: {samples} and {n}."
                )));
            }
        }
        if let Some(w) = &weight
            && w.dtype().is_float()
            && !w.to_vec::<f64>().iter().all(|v| v.is_finite())
        {
            return Err(Error::new(format!(
                "{prefix}sample_weight holds NaN or infinite values."
            )));
        }
        Ok(Self {
            x,
            y,
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
            x: ty(&self.x),
            y: ty(&self.y),
            weight: self.weight.as_ref().map(ty),
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
    network: &dyn Network,
    set: &Set<'_>,
    steps: usize,
    mut after: impl FnMut(usize, &Trainer) -> Result<()>,
) -> Result<Logs> {
    trainer.reset()?;
    for step in 0..steps.min(set.steps()) {
        run_rows(trainer, network, set, false, set.rows(step))?;
        after(step + 1, trainer)?;
        if crate::interrupt::Interrupt::requested() {
            break;
        }
    }
    trainer.figures()
}

/// One step on consecutive rows.
pub(super) fn run_rows(
    trainer: &mut Trainer,
    network: &dyn Network,
    set: &Set<'_>,
    training: bool,
    rows: std::ops::Range<usize>,
) -> Result<()> {
    let signature = set.signature(training, rows.len(), false);
    let step = trainer.step(network, &signature)?;
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
    let x = set.x.rows(rows.clone(), &signature.x.shape);
    let y = set.y.rows(rows.clone(), &signature.y.shape);
    match (&set.weight, &signature.weight) {
        (Some(w), Some(ty)) => trainer.run(place, &[x, y, w.rows(rows, &ty.shape)]),
        _ => trainer.run(place, &[x, y]),
    }
}
