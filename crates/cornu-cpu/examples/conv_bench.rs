//! Speed of convolutions and of what stands around them in training: the least time of one run on one
//! thread, and GFLOP/s where there is arithmetic.
//!
//! `CORNU_NUM_THREADS=1 cargo run --release -p cornu-cpu --example conv_bench [part of a name]`

use cornu_core::ops::conv::ConvOptions;
use cornu_core::ops::pool::Windows;
use cornu_core::{Array, Device, Program, Result, Tensor, Variable, ViewMut, grad};
use std::time::{Duration, Instant};

/// The least time of a run of the program that computes these.
fn time(outputs: &[Tensor]) -> Result<f64> {
    let program = Program::trace(&[], outputs, &[])?;
    let mut executable = Device::new(cornu_cpu::Cpu::new()).compile(&program)?;
    let mut arrays: Vec<Array> = outputs
        .iter()
        .map(|t| Array::zeros(t.dtype(), t.shape().clone()))
        .collect();
    let mut views: Vec<ViewMut<'_>> = arrays.iter_mut().map(Array::view_mut).collect();
    let (mut least, begun) = (Duration::MAX, Instant::now());
    while begun.elapsed() < Duration::from_millis(600) {
        let begun = Instant::now();
        executable.run(&[], &mut views)?;
        least = least.min(begun.elapsed());
    }
    Ok(least.as_secs_f64())
}

fn noise(name: &str, shape: &[usize]) -> Result<Variable> {
    let size: usize = shape.iter().product();
    let value = |i: usize| ((i * 7919) % 1009) as f32 / 1009.0 - 0.5;
    let array = Array::from_vec(shape.to_vec(), (0..size).map(value).collect())?;
    Ok(Variable::new(name, array))
}

/// A convolution of square images: the image's and the kernel's extent, channels and filters, stride, and
/// whether padding keeps the extent.
const CONVOLUTIONS: [(&str, usize, usize, usize, usize, usize, bool); 10] = [
    ("resnet first", 32, 3, 3, 16, 1, true),
    ("resnet 16", 32, 3, 16, 16, 1, true),
    ("resnet 32", 16, 3, 32, 32, 1, true),
    ("resnet 64", 8, 3, 64, 64, 1, true),
    ("resnet 16-32", 32, 3, 16, 32, 2, true),
    ("resnet 32-64", 16, 3, 32, 64, 2, true),
    ("resnet 1x1 16-32", 32, 1, 16, 32, 2, true),
    ("resnet 1x1 32-64", 16, 1, 32, 64, 2, true),
    ("convnet first", 28, 3, 1, 32, 1, false),
    ("convnet second", 13, 3, 32, 64, 1, false),
];

const POOLS: [(&str, usize, usize); 2] = [("convnet first", 26, 32), ("convnet second", 11, 64)];

const BATCH: usize = 128;

fn convolutions(filter: &str) -> Result<()> {
    for (name, extent, size, channels, filters, stride, same) in CONVOLUTIONS {
        if !name.contains(filter) {
            continue;
        }
        let mut options = ConvOptions::new(2);
        options.strides = vec![stride; 2];
        if same {
            let all = (extent.div_ceil(stride) - 1) * stride + size;
            let zeros = all.saturating_sub(extent);
            options.padding = vec![(zeros / 2, zeros - zeros / 2); 2];
        }
        let x = noise("x", &[BATCH, extent, extent, channels])?.tensor();
        let kernel = noise("kernel", &[size, size, channels, filters])?.tensor();
        let y = x.conv(&kernel, options);
        let g = noise("g", y.shape())?.tensor();
        let bias = noise("bias", &[filters])?.tensor();
        let scale = noise("scale", &[channels])?.tensor();
        let gradients = grad(&(&y * &g).sum(), &[&x, &kernel]);
        let flops = (2 * y.shape().size() * size * size * channels) as f64;
        let active = (&y + &bias).relu();
        let masked = x.gt(0.0).select(&gradients[0], 0.0);
        let followed = [&masked * &scale, &masked * &x, masked];
        print!("conv {name:18}");
        for (what, outputs) in [
            ("output", &[y][..]),
            ("then relu", &[active.gt(0.0), active]),
            ("input", &gradients[..1]),
            ("then scaled", &followed),
            ("kernel", &gradients[1..]),
        ] {
            let s = time(outputs)?;
            print!("  {what} {:7.1} us {:5.1} GF/s", s * 1e6, flops / s / 1e9);
        }
        println!();
    }
    Ok(())
}

fn pools(filter: &str) -> Result<()> {
    for (name, extent, channels) in POOLS {
        if !name.contains(filter) {
            continue;
        }
        let x = noise("x", &[BATCH, extent, extent, channels])?.tensor();
        let windows = Windows {
            size: vec![2; 2],
            strides: vec![2; 2],
            padding: vec![(0, 0); 2],
        };
        let y = x.max_pool(windows);
        let g = noise("g", y.shape())?.tensor();
        let gradients = grad(&(&y * &g).sum(), &[&x]);
        let (forward, backward) = (time(&[y])?, time(&gradients)?);
        println!(
            "pool {name:18}  output {:7.1} us  input {:7.1} us",
            forward * 1e6,
            backward * 1e6
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let filter = std::env::args().nth(1).unwrap_or_default();
    convolutions(&filter)?;
    pools(&filter)
}
