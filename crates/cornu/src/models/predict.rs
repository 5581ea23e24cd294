//! `predict`.

use super::evaluate::{arrange_inputs, samples_of, steps_of};
use super::graph::Graph;
use super::model::Model;
use crate::data::{Data, Dataset, IntoData, IntoInputs};
use crate::layers::Pass;
use crate::progress::{Progress, Verbose};
use crate::{Array, DType, Error, Logs, Result, Tensor};
use cornu_core::{
    Element, Executable, Program, Slice, SliceMut, TensorType, View, ViewMut, with_values,
};
use std::sync::{Mutex, PoisonError};

/// What [`Model::predict_with`] can be told.
#[derive(Clone, Copy, Debug)]
pub struct Predict {
    batch_size: Option<usize>,
    verbose: Verbose,
    steps: Option<usize>,
}

impl Default for Predict {
    fn default() -> Self {
        Self::new()
    }
}

impl Predict {
    /// Batches chosen by the library, silent.
    pub fn new() -> Self {
        Self {
            batch_size: None,
            verbose: Verbose::Silent,
            steps: None,
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
}

/// The forward passes compiled so far.
#[derive(Default)]
pub(crate) struct Predictor(Mutex<Vec<Forward>>);

struct Forward {
    inputs: Vec<TensorType>,
    outputs: Vec<TensorType>,
    executable: Box<dyn Executable>,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Predictor")
    }
}

/// Batches of `predict` when none is asked for: large enough for the matrix kernels, small enough to
/// stay in cache. (Keras' 32 would only be slower; the result is the same.)
const BATCH: usize = 256;
/// Programs kept; each has an arena.
const KEPT: usize = 16;

impl Predictor {
    pub fn clear(&mut self) {
        self.0
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Runs `run` with the forward pass for inputs of these types, compiled at first use.
    fn with<R>(
        &self,
        graph: &Graph,
        inputs: &[View<'_>],
        run: impl FnOnce(&mut Forward) -> Result<R>,
    ) -> Result<R> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |f: &Forward| {
            let same = |(ty, x): (&TensorType, &View<'_>)| {
                *ty.shape == *x.shape && ty.dtype == x.data.dtype()
            };
            f.inputs.len() == inputs.len() && f.inputs.iter().zip(inputs).all(same)
        };
        if let Some(f) = all.iter_mut().find(|f| fits(f)) {
            return run(f);
        }
        let types: Vec<TensorType> = inputs
            .iter()
            .map(|x| TensorType {
                shape: x.shape.into(),
                dtype: x.data.dtype(),
            })
            .collect();
        let (program, outputs) = trace(graph, &types)?;
        let executable = crate::device().compile(&program)?;
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(Forward {
            inputs: types,
            outputs,
            executable,
        });
        let last = all.len() - 1;
        run(&mut all[last])
    }
}

/// The forward pass for inputs of these types, and the types of its outputs.
fn trace(graph: &Graph, types: &[TensorType]) -> Result<(Program, Vec<TensorType>)> {
    let input = |(i, ty): (usize, &TensorType)| Tensor::input(i, ty.shape.clone(), ty.dtype);
    let xs: Vec<Tensor> = types.iter().enumerate().map(input).collect();
    let mut pass = Pass::default();
    let ys = graph.forward(&graph.adapt_all(&xs), &mut pass).tensors;
    // Layers that keep a state move on whenever they are asked.
    let program = Program::trace(types, &ys, &pass.updates)?;
    Ok((program, ys.iter().map(|y| y.ty().clone()).collect()))
}

#[cfg(feature = "onnx")]
impl Model {
    /// The forward pass for a batch of this size, which changes nothing.
    pub(crate) fn inference(&self, batch: usize) -> Result<Program> {
        let graph = self.graph()?;
        let types = graph.inputs.iter().map(|port| {
            if port.shape.0.iter().skip(1).any(Option::is_none) {
                return Err(Error::shape(format!(
                    "ONNX files are written of models whose inputs leave open the batch alone. Received: \"{}\" of shape {}.",
                    port.name, port.shape
                )));
            }
            Ok(TensorType {
                shape: port.shape.with(batch),
                dtype: port.dtype,
            })
        });
        let types = types.collect::<Result<Vec<_>>>()?;
        let (program, _) = trace(graph, &types)?;
        match program.updates.is_empty() {
            true => Ok(program),
            false => Err(Error::state(format!(
                "The model \"{}\" keeps states between calls, which ONNX files cannot.",
                self.name()
            ))),
        }
    }

    /// The names of the inputs and of the outputs.
    pub(crate) fn ends(&self) -> Result<(Vec<&str>, Vec<&str>)> {
        let graph = self.graph()?;
        fn names(ports: &[super::graph::Port]) -> Vec<&str> {
            ports.iter().map(|p| p.name.as_str()).collect()
        }
        Ok((names(&graph.inputs), names(&graph.outputs)))
    }
}

impl Model {
    /// The model's output for each sample.
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
    pub fn predict_with<'a>(&self, x: impl IntoInputs<'a>, options: Predict) -> Result<Array> {
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
        options: Predict,
    ) -> Result<Vec<Array>> {
        let graph = self.graph()?;
        let x = x.into_inputs();
        let samples = samples_of(&x, "x")?;
        let x = arrange_inputs(graph, x, "x")?;
        same_samples(&x, samples)?;
        let batch = options.batch_size.unwrap_or(BATCH);
        if batch == 0 {
            return Err(Error::new(
                "batch_size must be at least 1. Received: batch_size=0.",
            ));
        }
        if options.steps == Some(0) {
            return Err(Error::new("steps must be at least 1. Received: steps=0."));
        }
        if samples <= batch && options.verbose == Verbose::Silent {
            return self.predict_rows(graph, &x);
        }
        let steps = samples
            .div_ceil(batch)
            .min(options.steps.unwrap_or(usize::MAX));
        let samples = samples.min(steps * batch);
        let mut progress = Progress::stdout(options.verbose)?;
        progress.begin(Some(steps));
        let mut results: Vec<Array> = Vec::new();
        for step in 0..steps {
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
            if progress.due(step + 1) {
                progress.update(step + 1, &Logs::default());
            }
        }
        progress.finish(&Logs::default());
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
    pub fn predict_dataset(&self, data: &dyn Dataset, options: Predict) -> Result<Vec<Array>> {
        if options.batch_size.is_some() {
            return Err(Error::new(
                "batch_size is for arrays: batch the dataset before it is given to predict_dataset.",
            ));
        }
        let graph = self.graph()?;
        let all = steps_of(data, options.steps)?;
        let mut progress = Progress::stdout(options.verbose)?;
        progress.begin(all);
        let mut parts: Vec<Vec<Data<'_>>> = vec![Vec::new(); graph.outputs.len()];
        for (step, batch) in data
            .examples()?
            .take(options.steps.unwrap_or(usize::MAX))
            .enumerate()
        {
            let x = batch?.x;
            let samples = samples_of(&x, "x")?;
            let x = arrange_inputs(graph, x, "x")?;
            same_samples(&x, samples)?;
            for (part, y) in parts.iter_mut().zip(self.predict_rows(graph, &x)?) {
                part.push(y.into_data());
            }
            if progress.due(step + 1) {
                progress.update(step + 1, &Logs::default());
            }
        }
        progress.finish(&Logs::default());
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

    /// The leanest way to run the model: `f32` samples in, results into `output`, nothing allocated
    /// once a number of rows has been seen. Both hold whole samples, row after row.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([2]));
    /// model.build()?;
    /// let mut y = [0.0f32];
    /// model.predict_into(&[1.0, 2.0], &mut y)?;
    /// assert_eq!(y, [3.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not built, its output is not `f32`, or a length does not fit.
    pub fn predict_into(&self, input: &[f32], output: &mut [f32]) -> Result<()> {
        let room = output.len();
        let of = |types: &[TensorType], size: usize| matches!(types, [one] if one.dtype == DType::F32 && one.shape.size() == size);
        let fits = |f: &Forward| of(&f.inputs, input.len()) && of(&f.outputs, room);
        {
            let mut all = self
                .predictor
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(f) = all.iter_mut().find(|f| fits(f)) {
                return run_into(f, input, output);
            }
        }
        let graph = self.graph()?;
        let sample = match &graph.inputs[..] {
            [one] => one.shape.sample()?,
            several => {
                return Err(Error::state(format!(
                    "predict_into is for models of one input; the model \"{}\" has {}.",
                    self.name(),
                    several.len()
                )));
            }
        };
        let rows = input.len() / sample.size().max(1);
        let mut shape = vec![rows];
        shape.extend_from_slice(&sample);
        if rows * sample.size() != input.len() || rows == 0 {
            return Err(Error::shape(format!(
                "The input must hold whole samples of {sample} ({} values). Received: {} values.",
                sample.size(),
                input.len()
            )));
        }
        let x = View {
            shape: &shape,
            data: Slice::F32(input),
        };
        self.predictor.with(graph, &[x], |f| {
            if fits(f) {
                return run_into(f, input, output);
            }
            let outputs: Vec<String> = f.outputs.iter().map(TensorType::to_string).collect();
            Err(Error::shape(format!(
                "The output for {rows} samples is {}. Received: room for {room} float32 values.",
                outputs.join(", ")
            )))
        })
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

fn run_into(f: &mut Forward, input: &[f32], output: &mut [f32]) -> Result<()> {
    let x = View {
        shape: &f.inputs[0].shape,
        data: Slice::F32(input),
    };
    let y = ViewMut {
        shape: &f.outputs[0].shape,
        data: SliceMut::F32(output),
    };
    f.executable.run(&[x], &mut [y])
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
