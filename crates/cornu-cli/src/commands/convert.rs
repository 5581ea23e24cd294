//! `cornu convert`.

use crate::args::Convert;
use crate::exit::Failure;
use crate::format::Format;
use crate::model_file::{KEY, ModelFile, weights};
use cornu::saving::npz;
use cornu::saving::safetensors::{self, Content};

pub fn run(args: &Convert, quiet: bool) -> Result<(), Failure> {
    let (from, to) = (Format::of(&args.from)?, Format::of(&args.to)?);
    // Arrays by name go to each other's format without the model that they are of.
    let plain = match from {
        Format::Npz => true,
        Format::Safetensors => !is_whole(args)?,
        _ => false,
    };
    if plain && args.weights.is_none() {
        let arrays = weights(&args.from)?;
        match to {
            Format::Npz => return Ok(npz::save(&args.to, arrays.iter().map(|(n, a)| (n, a)))?),
            Format::Safetensors => {
                let metadata = Vec::new();
                return Ok(safetensors::save(&args.to, &Content { arrays, metadata })?);
            }
            _ => {}
        }
    }
    if from == Format::Json && to != Format::Json && args.weights.is_none() {
        return Err(Failure::usage(format!(
            "{} has no weights: give them with --weights.",
            args.from.display()
        )));
    }
    let file = ModelFile::open(&args.from, args.weights.as_deref())?;
    let state = file.model.optimizer().is_ok_and(|o| o.is_built());
    if state && to == Format::Safetensors && !quiet {
        eprintln!("The optimizer's state is left out, which .safetensors has no place for.");
    }
    match to {
        Format::Shards => Ok(file.model.save_weights_sharded(&args.to, args.shard_size)?),
        _ => file.save(&args.to),
    }
}

/// Whether a file of weights holds the architecture too.
fn is_whole(args: &Convert) -> Result<bool, Failure> {
    let metadata = safetensors::load(&args.from)?.metadata;
    Ok(metadata.iter().any(|(key, _)| key == KEY))
}
