//! `cornu plot`.

use crate::args::{Direction, Plot};
use crate::exit::Failure;
use crate::model_file::{ModelFile, ending};
use cornu::models::{PlotModel, RankDir};

pub fn run(args: &Plot, quiet: bool) -> Result<(), Failure> {
    if !["svg", "dot", "gv"].contains(&ending(&args.output).as_str()) {
        return Err(Failure::usage(format!(
            "--output must end in .svg, .dot or .gv. Received: {}.",
            args.output.display()
        )));
    }
    let file = ModelFile::open(&args.model.model, args.model.weights.as_deref())?;
    let options = PlotModel::new()
        .show_shapes(args.show_shapes)
        .show_dtype(args.show_dtype)
        .show_layer_names(!args.hide_layer_names)
        .show_layer_activations(args.show_layer_activations)
        .show_trainable(args.show_trainable)
        .expand_nested(args.expand_nested)
        .rankdir(match args.rankdir {
            Direction::Tb => RankDir::TopToBottom,
            Direction::Lr => RankDir::LeftToRight,
        });
    file.model.plot_model(&args.output, &options)?;
    if !quiet {
        eprintln!("The picture is in {}.", args.output.display());
    }
    Ok(())
}
