//! `cornu convert`.

use crate::args::Convert;
use crate::exit::Failure;
use crate::model_file::{ModelFile, ending, weights};
use cornu::saving::npz;
use cornu::saving::safetensors::{self, Content};

pub fn run(args: &Convert) -> Result<(), Failure> {
    let (from, to) = (ending(&args.from), ending(&args.to));
    let whole = match from.as_str() {
        "json" | "keras" | "h5" => true,
        "safetensors" => ["json", "keras", "onnx"].contains(&to.as_str()) || is_whole(args)?,
        _ => false,
    };
    if whole {
        if from == "json" && to != "json" && args.weights.is_none() {
            return Err(Failure::usage(format!(
                "{} has no weights: give them with --weights.",
                args.from.display()
            )));
        }
        let file = ModelFile::open(&args.from, args.weights.as_deref())?;
        return file.save(&args.to);
    }
    let arrays = weights(&args.from)?;
    match to.as_str() {
        "npz" => Ok(npz::save(&args.to, arrays.iter().map(|(n, a)| (n, a)))?),
        "safetensors" => {
            let metadata = Vec::new();
            Ok(safetensors::save(&args.to, &Content { arrays, metadata })?)
        }
        _ => Err(Failure::usage(format!(
            "Weights go to .safetensors or .npz. Received: {}.",
            args.to.display()
        ))),
    }
}

/// Whether a file of weights holds the architecture too.
fn is_whole(args: &Convert) -> Result<bool, Failure> {
    let metadata = safetensors::load(&args.from)?.metadata;
    Ok(metadata
        .iter()
        .any(|(key, _)| key == crate::model_file::KEY))
}
