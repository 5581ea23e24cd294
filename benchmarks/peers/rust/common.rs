//! What the Rust peers share: options, the workloads' data, the clockwork and the JSON line.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Epochs of a fit.
pub const EPOCHS: usize = 5;
/// Seed and rows (train, test) of the `tabular` data: README.md, "Data".
const SYNTHETIC: (u64, usize, usize) = (20_261, 20_000, 10_000);

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    Mlp,
    Tabular,
}

impl Workload {
    /// Rows of a training batch.
    pub fn batch(self) -> usize {
        match self {
            Self::Mlp => 128,
            Self::Tabular => 32,
        }
    }

    /// Values in a row of inputs.
    pub fn features(self) -> usize {
        match self {
            Self::Mlp => 784,
            Self::Tabular => 8,
        }
    }
}

pub struct Options {
    pub workload: Workload,
    pub threads: usize,
    pub repeat: usize,
    pub data: PathBuf,
}

/// Options of the command line: `--workload mlp|tabular [--threads 2] [--repeat 1] [--data FOLDER]`.
pub fn options() -> Result<Options> {
    let mut workload = None;
    let (mut threads, mut repeat) = (2, 1);
    let mut data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../datasets/mnist");
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match (name.as_str(), value.as_str()) {
            ("--workload", "mlp") => workload = Some(Workload::Mlp),
            ("--workload", "tabular") => workload = Some(Workload::Tabular),
            ("--threads", _) => threads = value.parse()?,
            ("--repeat", _) => repeat = value.parse()?,
            ("--data", _) => data = value.into(),
            _ => return Err(format!("unknown option {name} {value}").into()),
        }
    }
    let workload = workload.ok_or("--workload mlp|tabular is missing")?;
    Ok(Options {
        workload,
        threads,
        repeat,
        data,
    })
}

/// Starts the program over with rayon's threads bounded in its environment, if they are not yet. Without that
/// rayon takes every core, and Candle asks the operating system for their number at every product.
pub fn bound_threads(options: &Options) -> Result<()> {
    const NAME: &str = "RAYON_NUM_THREADS";
    let threads = options.threads.to_string();
    if std::env::var(NAME).is_ok_and(|set| set == threads) {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    Err(again
        .args(std::env::args().skip(1))
        .env(NAME, threads)
        .exec()
        .into())
}

/// Rows of inputs, and a class number (`mlp`) or target (`tabular`) for each.
pub struct Part {
    pub x: Vec<f32>,
    pub y: Vec<f32>,
}

/// The training and the test rows of a workload.
pub fn load(options: &Options) -> Result<(Part, Part)> {
    match options.workload {
        Workload::Mlp => Ok((
            mnist_part(&options.data, "train")?,
            mnist_part(&options.data, "t10k")?,
        )),
        Workload::Tabular => Ok(synthetic()),
    }
}

fn mnist_part(folder: &Path, name: &str) -> Result<Part> {
    let images = read_idx(&folder.join(format!("{name}-images-idx3-ubyte.gz")), 3)?;
    let labels = read_idx(&folder.join(format!("{name}-labels-idx1-ubyte.gz")), 1)?;
    Ok(Part {
        x: images.into_iter().map(|p| f32::from(p) / 255.0).collect(),
        y: labels.into_iter().map(f32::from).collect(),
    })
}

/// The values of a gzipped IDX file of unsigned bytes with `rank` axes.
fn read_idx(path: &Path, rank: u8) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
    if !bytes.starts_with(&[0, 0, 8, rank]) {
        return Err(format!("{}: not an IDX file of bytes", path.display()).into());
    }
    Ok(bytes.split_off(4 + 4 * usize::from(rank)))
}

/// SplitMix64, a small generator that every language writes in four lines.
pub struct SplitMix(pub u64);

impl SplitMix {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 * 2f64.powi(-53)
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - u).ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
    }

    /// A fresh order of the rows `0..n` (Fisher-Yates).
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            order.swap(i, (self.next() % (i as u64 + 1)) as usize);
        }
        order
    }
}

fn synthetic() -> (Part, Part) {
    let (seed, train, test) = SYNTHETIC;
    let mut random = SplitMix(seed);
    let mut part = |rows: usize| {
        let mut part = Part {
            x: Vec::with_capacity(8 * rows),
            y: Vec::with_capacity(rows),
        };
        for _ in 0..rows {
            let x: [f64; 8] = std::array::from_fn(|_| random.normal());
            let smooth = x[0].sin() + 0.5 * x[1] * x[2] + 0.25 * x[3] * x[3] - x[4].tanh();
            let y = smooth + 0.3 * x[5] + 0.1 * random.normal();
            part.x.extend(x.map(|v| v as f32));
            part.y.push(y as f32);
        }
        part
    };
    (part(train), part(test))
}

/// One engine: `new` builds a fresh model for a workload.
pub trait Peer: Sized {
    /// `engine` and `version` of the JSON line.
    const NAME: (&'static str, &'static str);

    fn new(workload: Workload) -> Result<Self>;

    /// Hands over the training rows, before the first epoch.
    fn give(&mut self, train: &Part) -> Result<()>;

    /// One epoch over the rows in the given order; `first_step` is called when the first step is done.
    fn epoch(&mut self, order: &[u32], first_step: &mut dyn FnMut()) -> Result<()>;

    /// Mean loss and metric over all rows.
    fn evaluate(&self, test: &Part) -> Result<(f32, f32)>;

    /// From a slice of rows to the outputs, in batches of `batch` rows.
    fn predict(&self, x: &[f32], batch: usize) -> Result<Vec<f32>>;

    /// Runs `time` on a closure that runs the model on one row made ready beforehand.
    fn lean_call(&self, row: &[f32], time: &mut dyn FnMut(&mut dyn FnMut())) -> Result<()>;
}

/// Median time of `call` in microseconds, after a warm-up, over up to two seconds or 20,000 calls.
fn median_us(call: &mut dyn FnMut()) -> f64 {
    for _ in 0..3 {
        call();
    }
    let mut times = Vec::new();
    let began = Instant::now();
    while times.len() < 20_000 && (began.elapsed() < Duration::from_secs(2) || times.len() < 5) {
        let t = Instant::now();
        call();
        times.push(t.elapsed());
    }
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// Peak resident memory in MB, as the kernel counts it.
fn peak_rss_mb() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
}

/// Times a peer and prints the one JSON line.
pub fn run<P: Peer>(process_start: Instant, options: &Options) -> Result<()> {
    let workload = options.workload;
    let before_data = process_start.elapsed();
    let (train, test) = load(options)?;
    let data_read = Instant::now();
    let n = train.y.len();

    let mut random = SplitMix(1);
    let mut start = None;
    let (mut first_epoch, mut fit, mut best) = (0.0, 0.0, f64::INFINITY);
    let mut last = None;
    for repeat in 0..options.repeat {
        let began = Instant::now();
        let mut peer = P::new(workload)?;
        let built = Instant::now();
        peer.give(&train)?;
        let giving = built.elapsed();
        for epoch in 0..EPOCHS {
            let epoch_began = if epoch == 0 { began } else { Instant::now() };
            let order = random.permutation(n);
            peer.epoch(&order, &mut || {
                start.get_or_insert_with(|| before_data + data_read.elapsed() - giving);
            })?;
            let seconds = epoch_began.elapsed().as_secs_f64();
            match (repeat, epoch) {
                (0, 0) => first_epoch = seconds,
                (_, 0) => {}
                _ => best = best.min(seconds),
            }
        }
        if repeat == 0 {
            fit = began.elapsed().as_secs_f64();
        }
        last = Some(peer);
    }
    let peer = last.ok_or("--repeat must be at least 1")?;
    let rss = peak_rss_mb()?;
    let (loss, metric) = peer.evaluate(&test)?;

    let mut per_s = 0f64;
    for batch in [32, 1000] {
        let us = median_us(&mut || {
            std::hint::black_box(peer.predict(&test.x, batch).expect("predicts"));
        });
        per_s = per_s.max(test.y.len() as f64 / us * 1e6);
    }
    let row = &test.x[..workload.features()];
    let predict1 = median_us(&mut || {
        std::hint::black_box(peer.predict(row, 32).expect("predicts"));
    });
    let mut call1 = 0.0;
    peer.lean_call(row, &mut |call| call1 = median_us(call))?;

    let (name, metric_name) = match workload {
        Workload::Mlp => ("mlp", "test_accuracy"),
        Workload::Tabular => ("tabular", "test_mae"),
    };
    println!(
        "{{\"w\": \"{name}\", \"engine\": \"{}\", \"version\": \"{}\", \"threads\": {}, \
         \"first_epoch_s\": {first_epoch:.4}, \"epoch_s\": {best:.5}, \"fit_s\": {fit:.4}, \
         \"samples_per_s\": {:.0}, \"predict_per_s\": {per_s:.0}, \"predict1_us\": {predict1:.2}, \
         \"call1_us\": {call1:.2}, \"rss_mb\": {rss:.1}, \"start_s\": {:.4}, \
         \"test_loss\": {loss:.5}, \"{metric_name}\": {metric:.5}}}",
        P::NAME.0,
        P::NAME.1,
        options.threads,
        n as f64 / best,
        start.unwrap_or_default().as_secs_f64(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that README.md states, as NumPy makes them in `harness.py`.
    #[test]
    fn synthetic_rows_are_those_of_the_other_peers() {
        let (train, test) = synthetic();
        assert_eq!(
            (train.x.len(), train.y.len(), test.y.len()),
            (160_000, 20_000, 10_000)
        );
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-6 * b.abs();
        assert!(near(train.x[0], -0.479_467_72) && near(train.x[7], 0.357_258_47));
        assert!(near(train.y[0], 0.631_335_56) && near(test.y[0], 1.305_459));
        let sum: f64 = train.y.iter().map(|y| f64::from(*y)).sum();
        assert!((sum - 4952.5895).abs() < 1e-3);
    }
}
