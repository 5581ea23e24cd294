//! `cornu plot`.

use crate::args::{Direction, Plot};
use crate::data::write_file;
use crate::exit::Failure;
use crate::format::ending;
use crate::model_file::ModelFile;
use cornu::models::{PlotModel, RankDir};

pub fn run(args: &Plot, quiet: bool) -> Result<(), Failure> {
    let ending = ending(&args.output);
    if !["svg", "png", "dot", "gv"].contains(&ending.as_str()) {
        return Err(Failure::usage(format!(
            "--output must end in .svg, .png, .dot or .gv. Received: {}.",
            args.output.display()
        )));
    }
    let file = ModelFile::open_to_ask(&args.model.model, args.model.weights.as_deref())?;
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
    match ending.as_str() {
        "png" => {
            let pixels = cornu_plot::svg_to_png(&file.model.to_svg(&options)?)?;
            write_file(&args.output, &pixels)?;
        }
        _ => file.model.plot_model(&args.output, &options)?,
    }
    if !quiet {
        eprintln!("The picture is in {}.", args.output.display());
    }
    Ok(())
}
