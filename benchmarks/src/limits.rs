//! What this machine can do at best: arithmetic and memory.

use cornu_cpu::simd::{Isa, Simd, SimdOp, Vector, dispatch};
use cornu_cpu::team::Team;
use std::hint::black_box;
use std::time::Instant;

/// Independent chains of fused multiply-adds, enough to hide their latency.
const CHAINS: usize = 12;

struct Chains(usize);

impl SimdOp for Chains {
    type Output = usize;

    #[inline(always)]
    unsafe fn call<S: Simd>(self) -> usize {
        // SAFETY: register arithmetic only, on a processor that `dispatch` has asked.
        unsafe {
            let x = S::F32::splat(black_box(0.5));
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
        2 * CHAINS * S::F32::LANES * self.0
    }
}

/// Floating-point operations per second in `f32`, of all threads together.
pub fn peak_flops() -> f64 {
    let team = Team::global();
    let rounds = 500_000;
    // SAFETY: `Isa::get` is what the processor has.
    let run = |rounds: usize| unsafe { dispatch(Isa::get(), Chains(rounds)) };
    let each = run(1) * rounds;
    best_of(5, || {
        team.run(team.threads(), &|_, _| {
            black_box(run(rounds));
        });
    })
    .recip()
        * (each * team.threads()) as f64
}

/// Bytes per second read from main memory, of all threads together.
pub fn bandwidth() -> f64 {
    let team = Team::global();
    let words = vec![1u64; 32 << 20];
    let part = words.len() / team.threads();
    let seconds = best_of(5, || {
        team.run(team.threads(), &|piece, _| {
            let sums = words[piece * part..(piece + 1) * part]
                .chunks_exact(8)
                .fold([0u64; 8], |mut s, c| {
                    for (s, c) in s.iter_mut().zip(c) {
                        *s ^= c;
                    }
                    s
                });
            black_box(sums);
        });
    });
    (part * team.threads() * 8) as f64 / seconds
}

fn best_of(times: usize, mut work: impl FnMut()) -> f64 {
    let time = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..times)
        .map(|_| time(&mut work))
        .fold(f64::INFINITY, f64::min)
}
