//! One file for each command.

mod bench;
mod convert;
mod datasets;
mod diff;
mod evaluate;
mod linear;
mod plot;
mod predict;
mod train;
mod training_data;

use crate::args::{Cli, Command};
use crate::data::write_file;
use crate::exit::{Exit, Failure};
use crate::format::ending;
use crate::model_file::ModelFile;
use clap::CommandFactory;
use std::io::Write;
use std::path::Path;

/// Does what is asked; `quiet` leaves out all but results.
pub fn run(command: Command, quiet: bool) -> Result<Exit, Failure> {
    match command {
        Command::Summary(args) => {
            let file = ModelFile::open(&args.model, args.weights.as_deref())?;
            writeln!(std::io::stdout(), "{}", file.model.summary())?;
        }
        Command::Plot(args) => plot::run(&args, quiet)?,
        Command::Diff(args) => return diff::run(&args, quiet),
        Command::Predict(args) => predict::run(&args)?,
        Command::Evaluate(args) => evaluate::run(&args, quiet)?,
        Command::Train(args) => train::run(&args, quiet)?,
        Command::Convert(args) => convert::run(&args, quiet)?,
        Command::Bench(args) => bench::run(&args)?,
        Command::Datasets { command } => datasets::run(command, quiet)?,
        Command::Devices => {
            let threads = cornu_cpu::team::Team::global().threads();
            let isa = cornu_cpu::simd::Isa::get().name();
            let device = cornu::device();
            let arch = std::env::consts::ARCH;
            writeln!(
                std::io::stdout(),
                "{}: {arch}, {isa}, threads: {threads}",
                device.name()
            )?;
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cornu", &mut script);
            std::io::stdout().write_all(&script)?;
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            for command in Cli::command()
                .get_subcommands()
                .filter(|c| c.get_name() != "help")
            {
                let name = format!("cornu {}", command.get_name());
                let man = clap_mangen::Man::new(
                    command.clone().display_name(name.clone()).bin_name(name),
                );
                man.render_name_section(&mut page)?;
                man.render_synopsis_section(&mut page)?;
                man.render_options_section(&mut page)?;
            }
            std::io::stdout().write_all(&page)?;
        }
    }
    Ok(Exit::Success)
}

/// Writes a picture as the ending says: `.svg` or `.png`.
fn draw(figure: &cornu_plot::Figure, path: &Path) -> Result<(), Failure> {
    match ending(path).as_str() {
        "svg" => write_file(path, figure.svg().as_bytes()),
        "png" => write_file(path, &figure.png()?),
        _ => Err(Failure::usage(format!(
            "A picture goes to .svg or .png. Received: {}.",
            path.display()
        ))),
    }
}
