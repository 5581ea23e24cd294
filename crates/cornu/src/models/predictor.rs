//! Forward passes, compiled once for each combination of input types.

use super::graph::Graph;
use super::model::Model;
use crate::layers::Pass;
use crate::{DType, Error, Result, Tensor};
use cornu_core::passes::memory::plan;
use cornu_core::{Compiled, CompiledForms, Program, Slice, SliceMut, TensorType, View, ViewMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The forward passes compiled so far, and how many rows of inputs go through one where nobody asked.
#[derive(Debug, Default)]
pub(super) struct Predictor(CompiledForms, Mutex<Vec<(Vec<TensorType>, usize)>>);

/// Rows that are predicted at a time where nobody asked: enough for the matrix kernels, but no more than let
/// what lies between the layers stay in a cache.
const MOST: usize = 256;
const LEAST: usize = 32;
/// Bytes of a cache that cores share.
const CACHE: usize = 8 << 20;
/// Combinations of inputs whose number of rows is remembered.
const KNOWN: usize = 16;

impl Predictor {
    pub fn clear(&mut self) {
        self.0.clear();
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, Vec<(Vec<TensorType>, usize)>> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows of inputs of these types to predict at a time.
    pub fn rows(&self, graph: &Graph, inputs: &[(&[usize], DType)]) -> usize {
        if inputs.iter().any(|(shape, _)| shape[0] <= LEAST) {
            return MOST;
        }
        let few = |(shape, dtype): &(&[usize], DType)| TensorType {
            shape: [&[LEAST], &shape[1..]].concat().into(),
            dtype: *dtype,
        };
        let types: Vec<TensorType> = inputs.iter().map(few).collect();
        if let Some((_, rows)) = self.known().iter().find(|(t, _)| *t == types) {
            return *rows;
        }
        let rows = match trace(graph, &types) {
            Ok((program, _)) if program.updates.is_empty() => {
                let bytes = plan(&program).arena / LEAST;
                (CACHE / bytes.max(1) / LEAST * LEAST).clamp(LEAST, MOST)
            }
            // States are for batches of one size, and errors are told by whoever runs the program.
            _ => MOST,
        };
        let mut known = self.known();
        if known.len() >= KNOWN {
            known.remove(0);
        }
        known.push((types, rows));
        rows
    }

    /// Runs `run` with the forward pass for inputs of these types, compiled at first use.
    pub fn with<R>(
        &self,
        graph: &Graph,
        inputs: &[View<'_>],
        run: impl FnOnce(&mut Compiled) -> Result<R>,
    ) -> Result<R> {
        let compile = |inputs: Vec<TensorType>| {
            let (program, outputs) = trace(graph, &inputs)?;
            Ok(Compiled {
                executable: crate::device().compile(&program)?,
                inputs,
                outputs,
            })
        };
        self.0.with(inputs, compile, run)
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

impl Model {
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
        let fits = |f: &Compiled| of(&f.inputs, input.len()) && of(&f.outputs, room);
        let known = self
            .predictor
            .0
            .with_known(fits, |f| run_into(f, input, output));
        if let Some(result) = known {
            return result;
        }
        let graph = self.graph()?;
        let sample = match &graph.inputs[..] {
            [one] if one.texts => {
                return Err(Error::state(format!(
                    "predict_into is for numbers; the input of the model \"{}\" is of texts.",
                    self.name()
                )));
            }
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

fn run_into(f: &mut Compiled, input: &[f32], output: &mut [f32]) -> Result<()> {
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

#[cfg(feature = "onnx")]
impl Model {
    /// The numbers of inputs, and the axes of each, that are left open besides the batch.
    pub(crate) fn open_axes(&self) -> Result<Vec<(usize, usize)>> {
        let mut open = Vec::new();
        for (input, port) in self.graph()?.inputs.iter().enumerate() {
            let extents = port.shape.0.iter().enumerate().skip(1);
            open.extend(
                extents
                    .filter(|(_, d)| d.is_none())
                    .map(|(axis, _)| (input, axis)),
            );
        }
        Ok(open)
    }

    /// The forward pass, which changes nothing, for a batch of the first of these sizes and open axes of the
    /// others (one for all of them, or one for each).
    pub(crate) fn inference(&self, sizes: &[usize]) -> Result<Program> {
        let graph = self.graph()?;
        if let Some(texts) = graph.inputs.iter().find(|p| p.texts) {
            return Err(Error::state(format!(
                "The input \"{}\" is of texts, which Cornu writes into no ONNX file: export the model from the StringLookup on.",
                texts.name
            )));
        }
        let (batch, lengths) = sizes.split_first().unwrap_or((&1, &[]));
        let mut lengths = lengths.iter().cycle();
        let types = graph.inputs.iter().map(|port| {
            let mut shape = port.shape.clone();
            for extent in shape.0.iter_mut().skip(1) {
                *extent = extent.or_else(|| lengths.next().copied());
            }
            TensorType {
                shape: shape.with(*batch),
                dtype: port.dtype,
            }
        });
        let types: Vec<_> = types.collect();
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

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn fewer_rows_go_together_where_many_would_not_fit() -> crate::Result<()> {
        let made = |units: usize| -> crate::Result<Model> {
            let mut model = Sequential::new();
            model.add(Dense::new(units).activation("tanh").input_shape([2]));
            model.add(Dense::new(1));
            model.build()?;
            Ok(model.into())
        };
        let rows = |model: &Model, rows: usize| {
            let shape = [rows, 2];
            let types = [(&shape[..], crate::DType::F32)];
            Ok::<_, crate::Error>(model.predictor.rows(model.graph()?, &types))
        };
        let (small, large) = (made(8)?, made(100_000)?);
        assert_eq!(rows(&small, 1000)?, 256);
        assert_eq!(rows(&large, 1000)?, 32);
        assert_eq!(rows(&large, 32)?, 256, "they go at once");
        let x: Vec<f32> = (0..80).map(|i| (i as f32).sin()).collect();
        let x = Array::from_vec([40, 2], x)?;
        let few = large.predict(&x)?.to_vec::<f32>();
        let all = large.predict_with(&x, Predict::new().batch_size(40))?;
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4;
        assert!(few.iter().zip(&all.to_vec::<f32>()).all(near));
        Ok(())
    }
}
