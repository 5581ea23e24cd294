//! One workload, timed as a user would run it.

use crate::limits;
use crate::workload::{Workload, head};
use cornu::callbacks::{Callback, Trained};
use cornu::prelude::*;
use cornu::{Error, Result};
use serde_json::json;
use std::time::{Duration, Instant};

const EPOCHS: usize = 5;

/// Notes when epochs begin and end.
#[derive(Default)]
struct Clock {
    begun: Option<Instant>,
    seconds: Vec<f64>,
}

impl Callback for Clock {
    fn on_epoch_begin(&mut self, _: &mut dyn Trained, _: usize) -> Result<()> {
        self.begun = Some(Instant::now());
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut dyn Trained, _: usize, _: &mut Logs) -> Result<()> {
        self.seconds
            .extend(self.begun.map(|b| b.elapsed().as_secs_f64()));
        Ok(())
    }
}

/// Runs a workload and prints its line.
pub fn all(workload: Workload) -> Result<()> {
    let start_s = start_in_a_child(workload)?;
    let sets = workload.data()?;
    let mut clock = Clock::default();

    let begun = Instant::now();
    let mut model = workload.model()?;
    let options = Fit::new()
        .epochs(EPOCHS)
        .batch_size(workload.batch())
        .verbose(0)
        .callback(&mut clock);
    model.fit(&sets.x, &sets.y, options)?;
    let fit_s = begun.elapsed().as_secs_f64();
    let rss_mb = peak_rss_mb();

    let first_epoch_s = clock.seconds[0];
    let epoch_s = clock.seconds[1..]
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let samples = sets.x.shape()[0] as f64;
    let scores = model.evaluate_with(&sets.test_x, &sets.test_y, Evaluate::new().verbose(0))?;

    let whole = median(7, || model.predict(&sets.test_x).map(|_| ()))?;
    let row = head(&sets.test_x, 1)?;
    let predict1 = median(2001, || model.predict(&row).map(|_| ()))?;
    let input: Vec<f32> = row.to_vec();
    let mut output = vec![0.0; workload.outputs()];
    let call1 = median(2001, || model.predict_into(&input, &mut output))?;

    let limit = (limits::peak_flops() / workload.flops_per_sample())
        .min(limits::bandwidth() / workload.bytes_per_sample());
    let line = json!({
        "w": workload.name(),
        "engine": "cornu",
        "first_epoch_s": round(first_epoch_s),
        "epoch_s": round(epoch_s),
        "fit_s": round(fit_s),
        "samples_per_s": round(samples / epoch_s),
        "predict_per_s": round(sets.test_x.shape()[0] as f64 / whole),
        "predict1_us": round(predict1 * 1e6),
        "call1_us": round(call1 * 1e6),
        "rss_mb": round(rss_mb),
        "start_s": round(start_s),
        "limit_samples_per_s": round(limit),
        "test_loss": round(scores["loss"]),
        (format!("test_{}", workload.metric())): round(scores[workload.metric()]),
    });
    println!("{line}");
    Ok(())
}

/// In a process of its own: seconds from its start to the end of the first training step, without
/// reading the data.
pub fn start(started: Instant, workload: Workload) -> Result<()> {
    let before_data = started.elapsed();
    let sets = workload.data()?;
    let batch = workload.batch();
    let (x, y) = (head(&sets.x, batch)?, head(&sets.y, batch)?);
    let resumed = Instant::now();
    let mut model = workload.model()?;
    model.train_on_batch(x, y)?;
    println!("{}", (before_data + resumed.elapsed()).as_secs_f64());
    Ok(())
}

fn start_in_a_child(workload: Workload) -> Result<f64> {
    let program = std::env::current_exe()?;
    let output = std::process::Command::new(program)
        .args(["start", workload.name()])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| {
        Error::new(format!(
            "The start was not timed: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    })
}

/// The median time of a call in seconds. Calls of less than a microsecond are timed in groups.
fn median(times: usize, mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    call()?;
    let begun = Instant::now();
    call()?;
    let group =
        (Duration::from_micros(2).as_nanos() / begun.elapsed().as_nanos().max(1)).max(1) as usize;
    let mut all = Vec::with_capacity(times);
    for _ in 0..times {
        let begun = Instant::now();
        for _ in 0..group {
            call()?;
        }
        all.push(begun.elapsed().as_secs_f64() / group as f64);
    }
    all.sort_by(f64::total_cmp);
    Ok(all[times / 2])
}

/// The largest resident memory of this process so far, in megabytes; 0 where the system does not say.
fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// Six significant digits.
fn round(v: f64) -> f64 {
    format!("{v:.5e}").parse().unwrap_or(v)
}
