//! Speed of the matrix products: the processor's FMA peak, then GFLOP/s and share of the peak for
//! typical shapes.
//!
//! `cargo run --release -p cornu-cpu --example matmul_bench [part of a shape's name]`

use cornu_cpu::kernels::matmul::{Dest, MatmulPlan, MatmulSpec, Output, Tile};
use cornu_cpu::simd::{Float, Isa, Simd, SimdOp, Vector, dispatch};
use cornu_cpu::team::Team;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Independent chains of fused multiply-adds, enough to hide their latency.
struct Peak<T>(usize, std::marker::PhantomData<T>);

const CHAINS: usize = 12;

impl<T: Float> SimdOp for Peak<T> {
    type Output = usize;
    #[inline(always)]
    unsafe fn call<S: Simd>(self) -> usize {
        // SAFETY: register arithmetic only.
        unsafe {
            let x = T::Vec::<S>::splat(black_box(T::from_f64(0.5)));
            let mut sums = [x; CHAINS];
            for _ in 0..self.0 {
                for sum in &mut sums {
                    *sum = sum.fma(x, x);
                }
            }
            for sum in sums {
                black_box(sum.sum());
            }
        }
        2 * CHAINS * T::Vec::<S>::LANES * self.0
    }
}

/// GFLOP/s of all threads together.
fn peak<T: Float>(team: &Team) -> f64 {
    let rounds = 1_000_000;
    let mut best = f64::MAX;
    let mut flops = 0;
    for _ in 0..5 {
        let start = Instant::now();
        team.run(team.threads(), &|_, _| {
            // SAFETY: register arithmetic only.
            black_box(unsafe { dispatch(Isa::get(), Peak::<T>(rounds, std::marker::PhantomData)) });
        });
        best = best.min(start.elapsed().as_secs_f64());
        flops = CHAINS * 2 * rounds * team.threads();
    }
    // SAFETY: register arithmetic only.
    let lanes =
        unsafe { dispatch(Isa::get(), Peak::<T>(1, std::marker::PhantomData)) } / (2 * CHAINS);
    (flops * lanes) as f64 / best / 1e9
}

/// The least and the median time of a call, over about 0.2 s.
fn time(mut f: impl FnMut()) -> (f64, f64) {
    f();
    let start = Instant::now();
    f();
    let once = start.elapsed().max(Duration::from_nanos(20));
    let inner = (20_000 / once.as_nanos()).max(1) as u32;
    let outer = (200_000_000 / (once.as_nanos() * u128::from(inner))).clamp(5, 5000) as usize;
    let mut times: Vec<f64> = (0..outer)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..inner {
                f();
            }
            start.elapsed().as_secs_f64() / f64::from(inner)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[0], times[times.len() / 2])
}

const SHAPES: [(usize, usize, usize, &str); 42] = [
    (128, 784, 512, "NN"),
    (128, 784, 512, "NN+bias_relu"),
    (784, 128, 512, "TN"),
    (784, 128, 512, "TN+sgd"),
    (128, 512, 784, "NT"),
    (128, 512, 10, "NN"),
    (512, 128, 10, "TN"),
    (128, 10, 512, "NT"),
    (1024, 1024, 1024, "NN"),
    (1024, 1024, 1024, "TN"),
    (1024, 1024, 1024, "NT"),
    (1000, 1000, 1000, "NN"),
    (512, 512, 512, "NN"),
    (512, 4096, 512, "NN"),
    (256, 256, 256, "NN"),
    (128, 128, 128, "NN"),
    (64, 64, 64, "NN"),
    (32, 784, 512, "NN"),
    (32, 128, 256, "NN"),
    (32, 64, 256, "NN"),
    (25088, 27, 32, "NN"),
    (6400, 32, 32, "NN"),
    (6400, 128, 192, "NN"),
    (128, 6400, 192, "TN"),
    (64, 6400, 192, "TN"),
    (64, 6400, 32, "TN"),
    (6400, 192, 128, "NT"),
    (128, 6400, 256, "TN"),
    (32, 8, 32, "NN"),
    (32, 32, 32, "NN"),
    (32, 32, 1, "NN"),
    (32, 1, 32, "NT"),
    (32, 32, 32, "TN"),
    (32, 32, 32, "NT"),
    (8, 32, 32, "TN"),
    (32, 32, 1, "TN"),
    (1, 8, 32, "NN"),
    (1, 32, 32, "NN"),
    (1, 32, 1, "NN"),
    (1, 784, 512, "NN"),
    (1, 512, 10, "NN"),
    (1, 512, 784, "NT"),
];

fn measure<T: Float>(filter: &str, teams: &[Team]) {
    let peaks: Vec<f64> = teams.iter().map(peak::<T>).collect();
    println!(
        "peak of {}: {peaks:.1?} GFLOP/s",
        std::any::type_name::<T>()
    );
    for (m, k, n, name) in SHAPES {
        let label = format!("{m}x{k}x{n} {name}");
        if !label.contains(filter) {
            continue;
        }
        let spec = MatmulSpec::new(m, n, k, name.starts_with('T'), name[1..].starts_with('T'));
        let values = |len: usize| -> Vec<T> {
            (0..len)
                .map(|i| T::from_f64((i * 7 % 13) as f64 / 13.0 - 0.5))
                .collect()
        };
        let (a, b, mut c) = (values(m * k), values(k * n), values(m * n));
        let (bias, c_ptr) = (values(n), c.as_mut_ptr().expose_provenance());
        let c_at = |tile: &Tile<T>, r: usize| {
            std::ptr::with_exposed_provenance_mut::<T>(c_ptr)
                .wrapping_add((tile.row0 + r) * n + tile.col0)
        };
        // The arithmetic is left to the compiler's target, so these two show the overhead of tiles,
        // not best code.
        let bias_relu = |tile: &mut Tile<T>| {
            let col0 = tile.col0;
            for r in 0..tile.rows {
                let out = c_at(tile, r);
                for (j, x) in tile.row_mut(r).iter().enumerate() {
                    let y = *x + bias[col0 + j];
                    // SAFETY: tiles lie inside C and do not overlap.
                    unsafe { *out.wrapping_add(j) = if y > T::ZERO { y } else { T::ZERO } };
                }
            }
        };
        let rate = T::from_f64(-1e-6);
        let sgd = |tile: &mut Tile<T>| {
            for r in 0..tile.rows {
                let out = c_at(tile, r);
                for (j, x) in tile.row_mut(r).iter().enumerate() {
                    // SAFETY: tiles lie inside C and do not overlap.
                    unsafe { *out.wrapping_add(j) = *out.wrapping_add(j) + *x * rate };
                }
            }
        };
        let dest = Dest {
            ptr: c.as_mut_ptr(),
            ld: n,
            batch_stride: 0,
            accumulate: false,
        };
        let out = match name {
            "NN+bias_relu" => Output::Epilogue(&bias_relu),
            "TN+sgd" => Output::Epilogue(&sgd),
            _ => Output::Store(dest),
        };
        print!("{label:>26}");
        for (team, peak) in teams.iter().zip(&peaks) {
            let plan = MatmulPlan::<T>::new(spec, team.threads());
            let mut space = vec![0; plan.workspace_bytes()];
            // SAFETY: all buffers were made for this shape.
            let run = || unsafe { plan.run(team, a.as_ptr(), b.as_ptr(), out, space.as_mut_ptr()) };
            let (least, median) = time(run);
            let flops = (2 * m * n * k) as f64;
            let share = flops / least / 1e7 / peak;
            print!(
                "  | {}t {:9.2} us (median {:9.2}) {:6.1} GF/s {share:3.0}% {:2} pieces",
                team.threads(),
                least * 1e6,
                median * 1e6,
                flops / least / 1e9,
                plan.pieces(),
            );
        }
        println!();
    }
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let teams = [Team::new(1), Team::new(2)];
    println!("instruction set: {}", Isa::get().name());
    measure::<f32>(&filter, &teams);
    measure::<f64>(&filter, &teams);
}
