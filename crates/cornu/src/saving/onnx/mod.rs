//! ONNX: a model's way from inputs to outputs for other programs to run.
//!
//! What is written is the traced program of inference, so that whatever layers are made of has its form, layers
//! of one's own too. The batch may be of any size, and so may what inputs leave open, as the number of steps;
//! recurrences are ONNX's `LSTM`, `GRU` and `RNN`, or, with a mask or an activation that these do not have, `Scan`s.

mod attention;
mod elementwise;
mod extents;
mod graph;
mod lower;
mod native;
mod proto;
mod recurrent;
#[cfg(test)]
mod tests;
mod windows;

use crate::files::write_atomically;
use crate::models::Model;
use crate::{DType, Error, Result};
use cornu_core::Program;
use graph::{Builder, Open};
use lower::Lowering;
use prost::Message;
use proto::{GraphProto, ModelProto, OperatorSetIdProto};
use std::io::Write;
use std::path::Path;

/// The version of ONNX's operators, and of its files, that are written.
const OPSET: i64 = 18;
const IR_VERSION: i64 = 8;

/// What a protocol buffer can hold.
const LARGEST: usize = i32::MAX as usize;

impl Model {
    /// Writes what the model predicts as an ONNX file, which other programs run: Keras'
    /// `model.export(path, format="onnx")`. The file holds the weights, but neither layers nor training: keep
    /// the model with [`Model::save`] too. It is written whole or not at all.
    ///
    /// Inputs and outputs have the names of the model's, types as they are, and batches of any size. Other extents
    /// that inputs leave open, such as the number of steps, are open in the file too: up to two, or one that all
    /// of them are.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(2).activation("relu").input_shape([3]));
    /// model.build()?;
    /// let path = std::env::temp_dir().join(format!("cornu-{}.onnx", std::process::id()));
    /// model.export(&path)?;
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Another ending than `.onnx`, a model that is not built, or that ONNX cannot say: one that keeps states
    /// between calls, in which an extent depends on an open one otherwise than as its multiple, or that uses an
    /// operation without a form in ONNX, which is named; weights of more than 2 GiB; or what the file system says.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.extension().is_none_or(|e| e != "onnx") {
            return Err(Error::new(format!(
                "The name of a file to be exported must end in \".onnx\". Received: {}.",
                path.display()
            )));
        }
        let bytes = to_bytes(self)?;
        write_atomically(path, |out| Ok(out.write_all(&bytes)?))
    }
}

/// The content of the file that [`Model::export`] writes.
///
/// # Errors
/// As [`Model::export`].
pub fn to_bytes(model: &Model) -> Result<Vec<u8>> {
    let weights: usize = model.get_weights()?.iter().map(|w| w.size() * 4).sum();
    if weights > LARGEST {
        return Err(Error::new(format!(
            "A file of ONNX holds at most 2 GiB. Received: weights of {weights} bytes."
        )));
    }
    let open = model.open_axes()?;
    let traced = |lengths: usize| -> Result<Vec<Program>> {
        let sizes = extents::traces(1 + lengths);
        sizes.iter().map(|sizes| model.inference(sizes)).collect()
    };
    // Lengths are each their own, unless there are too many or the model needs them to be one.
    let (lengths, programs) = match open.len() {
        n @ ..=1 => (n, traced(n)?),
        n if n < extents::MOST => match traced(n) {
            Ok(programs) => (n, programs),
            Err(_) => (1, traced(1)?),
        },
        _ => (1, traced(1)?),
    };
    let (inputs, outputs) = model.ends()?;
    let mut builder = Builder::default();
    let names: Vec<String> = inputs.iter().map(|name| builder.free(name)).collect();
    let outputs: Vec<String> = outputs.iter().map(|name| builder.free(name)).collect();
    builder.open.push(Open::new("batch", &names[0], 0));
    for (n, (input, axis)) in open.iter().take(lengths).enumerate() {
        let name = match n {
            0 => "length".to_string(),
            n => format!("length_{n}"),
        };
        builder.open.push(Open::new(&name, &names[*input], *axis));
    }
    let mut lowering = Lowering::run(&programs, &names, builder)?;
    lowering.graph.scope.clear();
    let mut described = [Vec::new(), Vec::new()];
    for (i, name) in names.iter().enumerate() {
        let ty = &programs[0].inputs[i];
        let along = |axis| lowering.extent(|p| p.inputs[i].shape[axis]);
        let extents = (0..ty.shape.rank())
            .map(along)
            .collect::<Result<Vec<_>>>()?;
        described[0].push(lowering.graph.value_info(name, ty.dtype, &extents));
    }
    for (name, v) in outputs.iter().zip(&programs[0].outputs) {
        let value = lowering.full(*v)?;
        lowering.graph.alias(&value, name);
        let (dtype, extents): (DType, _) = (lowering.dtype(*v), lowering.extents(*v)?);
        described[1].push(lowering.graph.value_info(name, dtype, &extents));
    }
    lowering.graph.prune(&outputs);
    let [input, output] = described;
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "cornu".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(GraphProto {
            node: lowering.graph.nodes,
            name: model.name().to_string(),
            initializer: lowering.graph.initializers,
            input,
            output,
        }),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
    };
    Ok(model.encode_to_vec())
}
