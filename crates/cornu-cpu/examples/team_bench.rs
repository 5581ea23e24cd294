//! What a fork-join of the thread team costs: empty, with work, after idling, and beside a busy
//! neighbour process on one core (Linux: the example starts itself again under `taskset`).
//!
//! `cargo run --release -p cornu-cpu --example team_bench`

use cornu_cpu::team::Team;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

/// Does nothing of use, for a fixed number of
/// dependent steps, so that a thread that loses its core takes longer.
fn work(steps: u64) {
    let mut x = black_box(1_u64);
    for _ in 0..steps {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(x);
}

/// Steps of [`work`] that take a microsecond when nothing disturbs.
fn steps_per_microsecond() -> f64 {
    let steps = 1_000_000;
    let least = (0..10)
        .map(|_| seconds(|| work(steps)))
        .fold(f64::MAX, f64::min);
    steps as f64 / (least * 1e6)
}

fn seconds(f: impl FnOnce()) -> f64 {
    let start = Instant::now();
    f();
    start.elapsed().as_secs_f64()
}

/// Tenth percentile (what it takes when nothing disturbs), median, 99th percentile and mean of `f` in µs.
fn report(label: &str, rounds: usize, mut f: impl FnMut() -> f64) {
    let mut times: Vec<f64> = (0..rounds).map(|_| f() * 1e6).collect();
    times.sort_by(f64::total_cmp);
    let mean = times.iter().sum::<f64>() / rounds as f64;
    let [early, median, late] = [10, 50, 99].map(|percent| times[rounds * percent / 100]);
    println!(
        "{label:>44}: p10 {early:8.2} us, median {median:8.2}, p99 {late:8.2}, mean {mean:8.2}"
    );
}

fn all(team: &Team, per_us: f64) {
    let pieces = team.threads();
    report("empty", 20_000, || seconds(|| team.run(pieces, &|_, _| ())));
    for us in [5.0, 50.0] {
        let steps = (us * per_us) as u64;
        let label = |what: &str| format!("{what} of {us} us each");
        let single = || seconds(|| (0..pieces).for_each(|_| work(steps)));
        report(&label("one thread, all pieces"), 2_000, single);
        let forked = || seconds(|| team.run(pieces, &|_, _| work(steps)));
        report(&label("a piece per thread"), 2_000, forked);
        let finer = || seconds(|| team.run(4 * pieces, &|_, _| work(steps / 4)));
        report(&label("four times as many, a quarter"), 2_000, finer);
        let rested = || {
            std::thread::sleep(Duration::from_millis(2));
            forked()
        };
        report(&label("a piece per thread, after 2 ms idle"), 200, rested);
    }
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("busy") {
        // The neighbour: busy until it is killed, or for a minute.
        let end = Instant::now() + Duration::from_secs(60);
        while Instant::now() < end {
            work(1_000_000);
        }
        return;
    }
    let team = Team::global();
    let per_us = steps_per_microsecond();
    println!("{} threads, quiet", team.threads());
    all(team, per_us);
    let neighbour = std::env::current_exe().and_then(|exe| {
        Command::new("taskset")
            .args(["-c", "0"])
            .arg(exe)
            .arg("busy")
            .spawn()
    });
    match neighbour {
        Ok(mut child) => {
            std::thread::sleep(Duration::from_millis(100));
            println!("{} threads beside a busy process on core 0", team.threads());
            all(team, per_us);
            if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
                println!("the neighbour could not be ended: {error}");
            }
        }
        Err(error) => println!("no neighbour: taskset could not be started ({error})"),
    }
}
