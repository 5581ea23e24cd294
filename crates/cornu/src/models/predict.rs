//! `predict`.

use super::network::{Network, Pass, adapt, check_input};
use super::sequential::Sequential;
use crate::data::{Data, IntoData};
use crate::progress::{Progress, Verbose};
use crate::{Array, DType, Error, Logs, Result, Tensor};
use cornu_core::{Element, Executable, Program, SliceMut, TensorType, View, ViewMut, with_values};
use std::sync::{Mutex, PoisonError};

/// What [`Sequential::predict_with`] can be told.
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
    input: TensorType,
    output: TensorType,
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

    /// Runs `run` with the forward pass for inputs of a type, compiled at first use.
    fn with<R>(
        &self,
        network: &dyn Network,
        shape: &[usize],
        dtype: DType,
        run: impl FnOnce(&mut Forward) -> Result<R>,
    ) -> Result<R> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(f) = all
            .iter_mut()
            .find(|f| *f.input.shape == *shape && f.input.dtype == dtype)
        {
            return run(f);
        }
        let input = TensorType {
            shape: shape.into(),
            dtype,
        };
        let x = adapt(network, &Tensor::input(0, input.shape.clone(), dtype));
        let y = network.forward(&x, &mut Pass::default());
        let program = Program::trace(std::slice::from_ref(&input), std::slice::from_ref(&y), &[])?;
        let executable = crate::device().compile(&program)?;
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(Forward {
            input,
            output: y.ty().clone(),
            executable,
        });
        let last = all.len() - 1;
        run(&mut all[last])
    }
}

impl Sequential {
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
    pub fn predict<'a>(&self, x: impl IntoData<'a>) -> Result<Array> {
        self.predict_with(x, Predict::new())
    }

    /// As [`Sequential::predict`], with options.
    ///
    /// # Errors
    /// As [`Sequential::predict`], or a batch size of 0.
    pub fn predict_with<'a>(&self, x: impl IntoData<'a>, options: Predict) -> Result<Array> {
        self.built()?;
        let x = x.into_data();
        let samples = x.samples("x")?;
        check_input(self, "x", x.shape())?;
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
            return self.predict_rows(x.view());
        }
        let steps = samples
            .div_ceil(batch)
            .min(options.steps.unwrap_or(usize::MAX));
        let samples = samples.min(steps * batch);
        let mut progress = Progress::stdout(options.verbose)?;
        progress.begin(Some(steps));
        let mut result: Option<Array> = None;
        for step in 0..steps {
            let rows = step * batch..samples.min((step + 1) * batch);
            let mut shape = x.shape().to_vec();
            shape[0] = rows.len();
            let view = x.rows(rows.clone(), &shape);
            self.predictor.with(self, &shape, x.dtype(), |f| {
                let out = result.get_or_insert_with(|| {
                    let mut shape = f.output.shape.to_vec();
                    shape[0] = samples;
                    Array::zeros(f.output.dtype, shape)
                });
                let row = f.output.shape.size() / rows.len();
                let mut part = [ViewMut {
                    shape: &f.output.shape,
                    data: part(out, rows.start * row..rows.end * row),
                }];
                f.executable.run(&[view], &mut part)
            })?;
            if progress.due(step + 1) {
                progress.update(step + 1, &Logs::default());
            }
        }
        progress.finish(&Logs::default());
        result.map_or_else(|| self.predict_rows(x.view()), Ok)
    }

    /// The model's output for one batch.
    ///
    /// # Errors
    /// As [`Sequential::predict`].
    pub fn predict_on_batch<'a>(&self, x: impl IntoData<'a>) -> Result<Array> {
        self.built()?;
        let x = x.into_data();
        check_input(self, "x", x.shape())?;
        self.predict_rows(x.view())
    }

    fn predict_rows(&self, x: View<'_>) -> Result<Array> {
        self.predictor.with(self, x.shape, x.data.dtype(), |f| {
            let mut out = Array::zeros(f.output.dtype, f.output.shape.clone());
            f.executable.run(&[x], &mut [out.view_mut()])?;
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
        let fits = |f: &Forward| {
            f.input.dtype == DType::F32
                && f.input.shape.size() == input.len()
                && f.output.shape.size() == room
                && f.output.dtype == DType::F32
        };
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
        self.built()?;
        let sample = self.input_shape().sample()?;
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
        self.predictor.with(self, &shape, DType::F32, |f| {
            if fits(f) {
                return run_into(f, input, output);
            }
            Err(Error::shape(format!(
                "The output for {rows} samples is {}. Received: room for {} float32 values.",
                f.output, room
            )))
        })
    }
}

fn run_into(f: &mut Forward, input: &[f32], output: &mut [f32]) -> Result<()> {
    let x = View {
        shape: &f.input.shape,
        data: cornu_core::Slice::F32(input),
    };
    let y = ViewMut {
        shape: &f.output.shape,
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
