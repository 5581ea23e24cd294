//! `predict`.

use super::graph::Graph;
use super::measure::{each, each_of_batches};
use super::model::Model;
use super::set::{arrange_inputs, samples_of, steps_of};
use super::training::Training;
use crate::callbacks::Callback;
use crate::data::{Data, Dataset, IntoData, IntoInputs};
use crate::progress::{Progress, Verbose};
use crate::{Array, Error, Logs, Result};
use cornu_core::{Element, SliceMut, TensorType, View, ViewMut, with_values};

/// What [`Model::predict_with`] can be told.
#[allow(missing_debug_implementations)] // callbacks are trait objects
pub struct Predict<'a> {
    batch_size: Option<usize>,
    verbose: Verbose,
    steps: Option<usize>,
    callbacks: Vec<Box<dyn Callback + 'a>>,
}

impl Default for Predict<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'a> Predict<'a> {
    /// Batches chosen by the library, silent.
    pub fn new() -> Self {
        Self {
            batch_size: None,
            verbose: Verbose::Silent,
            steps: None,
            callbacks: Vec::new(),
        }
    }

    /// Samples computed at a time: bounds the memory in use; does not change the result.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = Some(batch_size);
        self
    }

    /// What is shown meanwhile; nothing by default.
    pub fn verbose(mut self, verbose: impl Into<Verbose>) -> Self {
        self.verbose = verbose.into();
        self
    }

    /// Stops after this many batches.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Adds a callback, whose hooks of predictions are called; give `&mut callback` to look at it
    /// afterwards.
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }
}

impl Model {
    /// The model's output for each sample. Several threads may ask at once: each computes in memory of its own.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([2]));
    /// model.build()?;
    /// let y = model.predict(&ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0]]))?;
    /// assert_eq!(y.to_vec::<f32>(), [3.0, 7.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not built, or `x` does not fit its input shape.
    pub fn predict<'a>(&self, x: impl IntoInputs<'a>) -> Result<Array> {
        self.predict_with(x, Predict::new())
    }

    /// As [`Model::predict`], with options.
    ///
    /// # Errors
    /// As [`Model::predict`], or a batch size of 0.
    pub fn predict_with<'a>(&self, x: impl IntoInputs<'a>, options: Predict<'_>) -> Result<Array> {
        self.only(self.predict_all_with(x, options)?)
    }

    /// The outputs of a model of several, for each sample.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let x = Input::new([2]).symbol();
    /// let model = Model::new(&x, [&x * 2.0, &x + 1.0])?;
    /// let y = model.predict_all(&Array::from([[1.0f32, 2.0]]))?;
    /// assert_eq!((y[0].to_vec::<f32>(), y[1].to_vec::<f32>()), (vec![2.0, 4.0], vec![2.0, 3.0]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_all<'a>(&self, x: impl IntoInputs<'a>) -> Result<Vec<Array>> {
        self.predict_all_with(x, Predict::new())
    }

    /// As [`Model::predict_all`], with options.
    ///
    /// # Errors
    /// As [`Model::predict_with`].
    pub fn predict_all_with<'a>(
        &self,
        x: impl IntoInputs<'a>,
        mut options: Predict<'_>,
    ) -> Result<Vec<Array>> {
        let graph = self.graph()?;
        let x = x.into_inputs();
        let samples = samples_of(&x, "x")?;
        let x = arrange_inputs(graph, x, "x")?;
        same_samples(&x, samples)?;
        let batch = options.batch_size.unwrap_or_else(|| {
            let types: Vec<_> = x.iter().map(|d| (d.shape(), d.dtype())).collect();
            self.predictor.rows(graph, &types)
        });
        if batch == 0 {
            return Err(Error::new(
                "batch_size must be at least 1. Received: batch_size=0.",
            ));
        }
        if options.steps == Some(0) {
            return Err(Error::new("steps must be at least 1. Received: steps=0."));
        }
        let quiet = options.verbose == Verbose::Silent && options.callbacks.is_empty();
        if samples <= batch && quiet {
            return self.predict_rows(graph, &x);
        }
        let steps = samples
            .div_ceil(batch)
            .min(options.steps.unwrap_or(usize::MAX));
        let samples = samples.min(steps * batch);
        let mut watch = Watch::begin(self, Some(steps), &mut options)?;
        let mut results: Vec<Array> = Vec::new();
        for step in 0..steps {
            watch.batch_begins(step)?;
            let rows = step * batch..samples.min((step + 1) * batch);
            let shape = |d: &Data<'_>| {
                let mut shape = d.shape().to_vec();
                shape[0] = rows.len();
                shape
            };
            let shapes: Vec<Vec<usize>> = x.iter().map(shape).collect();
            let views = x.iter().zip(&shapes).map(|(d, s)| d.rows(rows.clone(), s));
            let views: Vec<View<'_>> = views.collect();
            self.predictor.with(graph, &views, |f| {
                if results.is_empty() {
                    results.extend(f.outputs.iter().map(|y| {
                        let mut shape = y.shape.to_vec();
                        shape[0] = samples;
                        Array::zeros(y.dtype, shape)
                    }));
                }
                let mut parts: Vec<ViewMut<'_>> = results
                    .iter_mut()
                    .zip(&f.outputs)
                    .map(|(out, y)| {
                        let row = y.shape.size() / rows.len();
                        ViewMut {
                            shape: &y.shape,
                            data: part(out, rows.start * row..rows.end * row),
                        }
                    })
                    .collect();
                f.executable.run(&views, &mut parts)
            })?;
            watch.batch_ends(step)?;
        }
        watch.end()?;
        match results.is_empty() {
            true => self.predict_rows(graph, &x),
            false => Ok(results),
        }
    }

    /// The model's output for each sample of the batches that a dataset makes; targets are not looked
    /// at.
    ///
    /// ```
    /// use cornu::data::{Dataset, from_tensor_slices};
    /// use cornu::prelude::*;
    /// let x = Input::new([1]).symbol();
    /// let model = Model::new(&x, &x * 2.0)?;
    /// let data = from_tensor_slices(Array::from([[1.0f32], [2.0], [3.0]]), ()).batch(2);
    /// let y = model.predict_dataset(&data, Predict::new())?;
    /// assert_eq!(y[0].to_vec::<f32>(), [2.0, 4.0, 6.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// One array for each output of the model.
    ///
    /// # Errors
    /// As [`Model::predict_with`]; whatever the dataset gives as an error; a dataset without end and
    /// without [`Predict::steps`]; a `batch_size`, which is for arrays.
    pub fn predict_dataset(
        &self,
        data: &dyn Dataset,
        mut options: Predict<'_>,
    ) -> Result<Vec<Array>> {
        if options.batch_size.is_some() {
            return Err(Error::new(
                "batch_size is for arrays: batch the dataset before it is given to predict_dataset.",
            ));
        }
        let graph = self.graph()?;
        let all = steps_of(data, options.steps)?;
        let most = options.steps.unwrap_or(usize::MAX);
        let mut watch = Watch::begin(self, all, &mut options)?;
        let mut parts: Vec<Vec<Data<'_>>> = vec![Vec::new(); graph.outputs.len()];
        for (step, batch) in data.examples()?.take(most).enumerate() {
            watch.batch_begins(step)?;
            let x = batch?.x;
            let samples = samples_of(&x, "x")?;
            let x = arrange_inputs(graph, x, "x")?;
            same_samples(&x, samples)?;
            for (part, y) in parts.iter_mut().zip(self.predict_rows(graph, &x)?) {
                part.push(y.into_data());
            }
            watch.batch_ends(step)?;
        }
        watch.end()?;
        parts.iter().map(|batches| Data::concat(batches)).collect()
    }

    /// The model's output for one batch.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_on_batch<'a>(&self, x: impl IntoInputs<'a>) -> Result<Array> {
        let graph = self.graph()?;
        let x = x.into_inputs();
        let samples = samples_of(&x, "x")?;
        let x = arrange_inputs(graph, x, "x")?;
        same_samples(&x, samples)?;
        self.only(self.predict_rows(graph, &x)?)
    }

    /// The only output.
    fn only(&self, mut outputs: Vec<Array>) -> Result<Array> {
        match outputs.len() {
            1 => Ok(outputs.remove(0)),
            n => Err(Error::state(format!(
                "The model \"{}\" has {n} outputs: call predict_all.",
                self.name()
            ))),
        }
    }

    fn predict_rows(&self, graph: &Graph, x: &[Data<'_>]) -> Result<Vec<Array>> {
        let views: Vec<View<'_>> = x.iter().map(Data::view).collect();
        self.predictor.with(graph, &views, |f| {
            let zeros = |y: &TensorType| Array::zeros(y.dtype, y.shape.clone());
            let mut out: Vec<Array> = f.outputs.iter().map(zeros).collect();
            let mut parts: Vec<ViewMut<'_>> = out.iter_mut().map(Array::view_mut).collect();
            f.executable.run(&views, &mut parts)?;
            Ok(out)
        })
    }
}

/// What progress and callbacks see of a prediction.
struct Watch<'w, 'c> {
    asked: Training<&'w Model>,
    callbacks: &'w mut [Box<dyn Callback + 'c>],
    /// Whether a callback wants to see batches.
    hooks: bool,
    progress: Progress,
}

impl<'w, 'c> Watch<'w, 'c> {
    fn begin(model: &'w Model, steps: Option<usize>, options: &'w mut Predict<'c>) -> Result<Self> {
        let mut watch = Watch {
            asked: Training::new(model, steps, 1),
            hooks: options.callbacks.iter().any(|c| c.wants_batches()),
            callbacks: &mut options.callbacks,
            progress: Progress::stdout(options.verbose)?,
        };
        watch.progress.begin(steps);
        each(watch.callbacks, |c| c.on_predict_begin(&mut watch.asked))?;
        Ok(watch)
    }

    fn batch_begins(&mut self, batch: usize) -> Result<()> {
        match self.hooks {
            true => each_of_batches(self.callbacks, |c| {
                c.on_predict_batch_begin(&mut self.asked, batch)
            }),
            false => Ok(()),
        }
    }

    fn batch_ends(&mut self, batch: usize) -> Result<()> {
        if self.progress.due(batch + 1) {
            self.progress.update(batch + 1, &Logs::default());
        }
        match self.hooks {
            true => each_of_batches(self.callbacks, |c| {
                c.on_predict_batch_end(&mut self.asked, batch)
            }),
            false => Ok(()),
        }
    }

    fn end(mut self) -> Result<()> {
        self.progress.finish(&Logs::default());
        each(self.callbacks, |c| c.on_predict_end(&mut self.asked))
    }
}

/// Refuses arrays of different numbers of samples.
fn same_samples(x: &[Data<'_>], samples: usize) -> Result<()> {
    for other in x {
        let n = other.samples("x")?;
        if n != samples {
            return Err(Error::shape(format!(
                "All inputs must have the same number of samples. Received: {samples} and {n}."
            )));
        }
    }
    Ok(())
}

fn part(a: &mut Array, range: std::ops::Range<usize>) -> SliceMut<'_> {
    with_values!(SliceMut, a.view_mut().data, v => Element::view_mut(&mut v[range]))
}

/// A view's data as [`Data`], for callers inside the crate.
impl<'a> IntoData<'a> for &'a Data<'_> {
    fn into_data(self) -> Data<'a> {
        self.by_ref()
    }
}
