//! `cornu bench`.

use super::predict::{Samples, as_inputs};
use crate::args::Bench;
use crate::exit::Failure;
use crate::model_file::{Input, ModelFile};
use cornu::data::{IntoData, Texts};
use cornu::{Array, DType};
use serde_json::json;
use std::io::Write;
use std::time::{Duration, Instant};

pub fn run(args: &Bench) -> Result<(), Failure> {
    let time = Duration::try_from_secs_f64(args.seconds).unwrap_or_default();
    if args.batch_size == 0 || args.length == 0 || time.is_zero() {
        return Err(Failure::usage(
            "--batch-size, --length and --seconds must be above 0.",
        ));
    }
    let start = Instant::now();
    let file = ModelFile::open_to_ask(&args.model.model, args.model.weights.as_deref())?;
    let load = start.elapsed();
    let inputs = file.inputs()?;
    let rows = |n: usize| -> Result<Samples, Failure> {
        let zeros = |input: &Input| {
            let extents = input.shape.iter().map(|d| d.unwrap_or(args.length));
            let shape: Vec<usize> = std::iter::once(n).chain(extents).collect();
            let data = match input.texts {
                true => {
                    let texts = vec![""; shape.iter().product()];
                    Texts::of_shape(shape, texts)?.into_data()
                }
                false => Array::zeros(DType::F32, shape).into_data(),
            };
            Ok((Some(input.name.clone()), data))
        };
        inputs.iter().map(zeros).collect()
    };
    let one = measure(&file, &rows(1)?, time)?;
    let many = measure(&file, &rows(args.batch_size)?, time)?;
    let throughput = args.batch_size as f64 / many.as_secs_f64();
    let memory = peak_memory();
    let mut out = std::io::stdout().lock();
    if args.json {
        let figures = json!({
            "load_ms": load.as_secs_f64() * 1e3,
            "latency_us": one.as_secs_f64() * 1e6,
            "batch_size": args.batch_size,
            "samples_per_second": throughput,
            "peak_memory_bytes": memory,
        });
        writeln!(out, "{figures}")?;
        return Ok(());
    }
    writeln!(out, "load:        {:.2} ms", load.as_secs_f64() * 1e3)?;
    writeln!(
        out,
        "latency:     {:.2} µs for one sample (median)",
        one.as_secs_f64() * 1e6
    )?;
    writeln!(
        out,
        "throughput:  {throughput:.0} samples/s in batches of {}",
        args.batch_size
    )?;
    if let Some(bytes) = memory {
        writeln!(out, "peak memory: {:.1} MB", bytes as f64 / 1e6)?;
    }
    Ok(())
}

/// The median time of a call.
fn measure(file: &ModelFile, x: &Samples, time: Duration) -> Result<Duration, Failure> {
    file.model.predict_all(as_inputs(x))?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.is_empty() || (start.elapsed() < time && times.len() < 1_000_000) {
        let call = Instant::now();
        file.model.predict_all(as_inputs(x))?;
        times.push(call.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// The most memory that the process had, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}
