//! Times Cornu's workloads through its public API; one JSON line each.
//!
//! `cargo run --release -p cornu-benchmarks -- [WORKLOAD…]` (`mlp`, `tabular`, `convnet`, `lstm`, `gru`, `transformer`,
//! `resnet20`; all by default). `peers/compare.py` runs other libraries on the same workloads and prints the ratios.

mod limits;
mod measure;
mod workload;

use cornu::Result;
use std::process::ExitCode;
use workload::Workload;

fn main() -> ExitCode {
    let started = std::time::Instant::now();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(started, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(started: std::time::Instant, arguments: &[String]) -> Result<()> {
    let names: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match names[..] {
        ["start", name] => measure::start(started, Workload::named(name)?),
        [] => Workload::ALL.into_iter().try_for_each(measure::all),
        _ => names
            .into_iter()
            .try_for_each(|name| measure::all(Workload::named(name)?)),
    }
}
