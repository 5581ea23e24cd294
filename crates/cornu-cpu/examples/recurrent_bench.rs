//! Speed of recurrences: the least time of the way there, and of both ways, without the products over
//! all steps around them.
//!
//! `CORNU_NUM_THREADS=1 cargo run --release -p cornu-cpu --example recurrent_bench [part of a name]`

use cornu_core::ops::recurrent::{Cell, Gate, Operands, Recurrent};
use cornu_core::{Array, Device, Program, Result, Tensor, Variable, grad};
use std::time::{Duration, Instant};

/// The least time of a run of the program that computes this.
fn time(output: &Tensor) -> Result<f64> {
    let program = Program::trace(&[], std::slice::from_ref(output), &[])?;
    let mut executable = Device::new(cornu_cpu::Cpu::new()).compile(&program)?;
    let mut array = Array::zeros(output.dtype(), output.shape().clone());
    let (mut least, begun) = (Duration::MAX, Instant::now());
    while begun.elapsed() < Duration::from_secs(1) {
        let begun = Instant::now();
        executable.run(&[], &mut [array.view_mut()])?;
        least = least.min(begun.elapsed());
    }
    Ok(least.as_secs_f64() * 1e6)
}

fn noise(name: &str, shape: &[usize], scale: f32) -> Result<Tensor> {
    let size: usize = shape.iter().product();
    let value = |i: usize| (((i * 7919) % 1009) as f32 / 504.5 - 1.0) * scale;
    let array = Array::from_vec(shape.to_vec(), (0..size).map(value).collect())?;
    Ok(Variable::new(name, array).tensor())
}

/// Sequences, steps, units.
const SHAPES: [(usize, usize, usize); 3] = [(32, 200, 64), (32, 50, 256), (1, 200, 64)];

fn main() -> Result<()> {
    let filter = std::env::args().nth(1).unwrap_or_default();
    let cells = [
        ("simple_rnn", Cell::Simple),
        ("lstm", Cell::Lstm),
        ("gru", Cell::Gru { reset_after: true }),
        ("gru, reset before", Cell::Gru { reset_after: false }),
    ];
    for (batch, steps, units) in SHAPES {
        for (name, cell) in cells {
            let label = format!("{batch}x{steps}x{units} {name}");
            if !label.contains(&filter) {
                continue;
            }
            let op = Recurrent {
                cell,
                activation: Gate::Tanh,
                recurrent_activation: Gate::Sigmoid,
                reverse: false,
                masked: false,
                taped: true,
            };
            let columns = cell.gates() * units;
            let z = noise("z", &[batch, steps, columns], 2.0)?;
            let kernel = noise("kernel", &[units, columns], 0.2)?;
            let y = op
                .run(&Operands {
                    z: &z,
                    kernel: &kernel,
                    initial: None,
                    bias: None,
                    mask: None,
                })
                .outputs;
            let g = noise("g", y.shape(), 1.0)?;
            let back = grad(&(&y * &g).sum(), &[&z]).remove(0);
            let (there, both) = (time(&y)?, time(&back)?);
            println!("{label:28} there {there:8.1} us  both ways {both:8.1} us");
        }
    }
    Ok(())
}
