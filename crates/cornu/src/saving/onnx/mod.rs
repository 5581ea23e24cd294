//! ONNX: a model's way from inputs to outputs for other programs to run.
//!
//! What is written is the traced program of inference, so that whatever layers are made of has its form, layers
//! of one's own too. The batch may be of any size; recurrences are `Scan`s, which walk over their steps.

mod elementwise;
mod extents;
mod graph;
mod lower;
mod proto;
mod recurrent;
#[cfg(test)]
mod tests;
mod windows;

use crate::files::write_atomically;
use crate::models::Model;
use crate::{DType, Error, Result};
use extents::BATCHES;
use graph::{Builder, value_info};
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
    /// Inputs and outputs have the names of the model's, types as they are, and batches of any size.
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
    /// between calls, has inputs with extents left open besides the batch, or uses an operation without a form
    /// in ONNX, which is named; weights of more than 2 GiB; or what the file system says.
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
    let programs = BATCHES.map(|n| model.inference(n));
    let [first, second] = programs;
    let (first, second) = (first?, second?);
    let (inputs, outputs) = model.ends()?;
    let mut builder = Builder::default();
    let names: Vec<String> = inputs.iter().map(|name| builder.free(name)).collect();
    let outputs: Vec<String> = outputs.iter().map(|name| builder.free(name)).collect();
    builder.read_batch_from(&names[0]);
    let mut lowering = Lowering::run([&first, &second], &names, builder)?;
    lowering.graph.scope.clear();
    let mut described = [Vec::new(), Vec::new()];
    for (i, name) in names.iter().enumerate() {
        let [a, b] = [&first, &second].map(|p| &p.inputs[i]);
        let extents = a.shape.iter().zip(b.shape.iter());
        let extents = extents.map(|(a, b)| extents::Extent::of(*a, *b));
        let extents = extents.collect::<Result<Vec<_>>>()?;
        described[0].push(value_info(name, a.dtype, &extents));
    }
    for (name, v) in outputs.iter().zip(&first.outputs) {
        let value = lowering.full(*v)?;
        lowering.graph.alias(&value, name);
        let (dtype, extents): (DType, _) = (lowering.dtype(*v), lowering.extents(*v)?);
        described[1].push(value_info(name, dtype, &extents));
    }
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
