//! The same seed gives the same bits, on any number of threads.

use cornu::prelude::*;
use std::process::Command;

const CHILD: &str = "CORNU_TEST_DETERMINISM";

/// Trains with dropout and shuffling; returns every bit of weights, figures and predictions.
fn train(seed: u64, features: usize, units: usize, samples: usize) -> cornu::Result<Vec<u64>> {
    set_random_seed(seed);
    let x: Vec<f32> = (0..samples * features)
        .map(|i| ((i * 7919) % 1013) as f32 / 1013.0)
        .collect();
    let y: Vec<i32> = (0..samples).map(|i| (i % 3) as i32).collect();
    let x = Array::from_vec([samples, features], x)?;
    let mut model = Sequential::new();
    model.add(Dense::new(units).activation("relu").input_shape([features]));
    model.add(Dropout::new(0.3));
    model.add(Dense::new(units / 2).activation("tanh"));
    model.add(Dense::new(3).activation("softmax"));
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])?;
    let fit = Fit::new()
        .epochs(2)
        .batch_size(50)
        .validation_split(0.1)
        .verbose(0);
    let history = model.fit(&x, &y, fit)?;
    let figures = history
        .history
        .iter()
        .flat_map(|(_, values)| values.clone());
    let weights = model.get_weights()?;
    let weights = weights.iter().flat_map(|w| w.to_vec::<f64>());
    let predicted = model.predict(&x)?.to_vec::<f64>();
    Ok(figures
        .chain(weights)
        .chain(predicted)
        .map(f64::to_bits)
        .collect())
}

/// A short name for many bits (FNV).
fn digest(bits: &[u64]) -> u64 {
    let mix = |h: u64, b: &u64| (h ^ b).wrapping_mul(0x0100_0000_01B3).rotate_left(23);
    bits.iter().fold(0xCBF2_9CE4_8422_2325, mix)
}

/// Small layers that one thread does alone, large ones that all share, and an inner dimension so long
/// that it is cut into blocks.
fn digests(seed: u64) -> cornu::Result<[u64; 3]> {
    Ok([
        digest(&train(seed, 13, 32, 230)?),
        digest(&train(seed, 784, 300, 230)?),
        digest(&train(seed, 5000, 64, 230)?),
    ])
}

/// What a child process does: tells the digests.
#[test]
fn child() {
    if let Ok(seed) = std::env::var(CHILD) {
        let [small, large, long] = digests(seed.parse().unwrap()).unwrap();
        println!("\nsmall {small:016x}\nlarge {large:016x}\nlong {long:016x}");
    }
}

fn in_child(seed: u64, threads: usize) -> [String; 3] {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env(CHILD, seed.to_string())
        .env("CORNU_NUM_THREADS", threads.to_string())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |name: &str| {
        let found = text.lines().find_map(|l| l.strip_prefix(name));
        found.unwrap_or_else(|| panic!("{text}")).to_string()
    };
    ["small ", "large ", "long "].map(line)
}

#[test]
fn threads_change_no_bit() {
    let one = in_child(11, 1);
    assert_eq!(one, in_child(11, 1), "two runs");
    for threads in [2, 3] {
        assert_eq!(one, in_child(11, threads), "{threads} threads");
    }
}

#[test]
fn seeds_tell_runs_apart() -> cornu::Result<()> {
    let (a, b) = (train(1, 13, 32, 230)?, train(2, 13, 32, 230)?);
    assert_eq!(a.len(), b.len());
    assert_ne!(a, b);
    Ok(())
}
