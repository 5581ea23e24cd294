//! The program `cornu`: models from the command line.

mod args;
mod commands;
mod data;
mod exit;
mod format;
mod model_file;
mod network;
mod schema;

use clap::Parser;
use exit::{Exit, Failure};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

fn run(cli: args::Cli) -> Result<Exit, Failure> {
    if let Some(threads) = cli.threads {
        cornu::set_num_threads(threads)?;
    }
    if let Some(seed) = cli.seed {
        cornu::utils::set_random_seed(seed);
    }
    commands::run(cli.command, cli.quiet)
}
