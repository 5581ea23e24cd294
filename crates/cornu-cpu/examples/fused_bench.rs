//! Times of fused kernels and reductions on one thread, beside loops written by hand.
//!
//! `cargo run --release -p cornu-cpu --example fused_bench`

use cornu_core::DType;
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};
use cornu_core::ops::reduce::ReduceFn;
use cornu_core::passes::fuse::ReduceGroup;
use cornu_core::passes::fused::{BodyFn, BodyInst, Fused, Operand, Output};
use cornu_core::program::ValueId;
use cornu_cpu::kernels::fused::{FusedKernel, TileKernel};
use cornu_cpu::kernels::reduce::ReduceKernel;
use std::hint::black_box;
use std::time::Instant;

/// Builds a body, register by register.
struct Body(Fused);

impl Body {
    fn new(shape: &[usize], operands: &[&[isize]]) -> Body {
        let operand = |(k, s): (usize, &&[isize])| Operand {
            value: ValueId(k as u32),
            dtype: DType::F32,
            strides: s.to_vec(),
            offset: 0,
        };
        Body(Fused {
            shape: shape.to_vec(),
            operands: operands.iter().enumerate().map(operand).collect(),
            ..Fused::default()
        })
    }
    fn push(&mut self, f: BodyFn, args: &[u16], dtype: DType) -> u16 {
        let mut three = [0; 3];
        three[..args.len()].copy_from_slice(args);
        self.0.body.push(BodyInst {
            f,
            args: three,
            dtype,
        });
        (self.0.operands.len() + self.0.body.len() - 1) as u16
    }
    fn scalar(&mut self, v: f64) -> u16 {
        self.push(BodyFn::Scalar(Scalar::Float(v)), &[], DType::F32)
    }
    fn unary(&mut self, f: UnaryFn, a: u16) -> u16 {
        self.push(BodyFn::Unary(f), &[a], DType::F32)
    }
    fn binary(&mut self, f: BinaryFn, a: u16, b: u16) -> u16 {
        self.push(BodyFn::Binary(f), &[a, b], DType::F32)
    }
    fn output(&mut self, value: u32, register: u16) {
        self.0.outputs.push(Output {
            value: ValueId(value),
            register,
        });
    }
}

/// Memory aligned as an arena is.
fn aligned(bytes: usize) -> (Vec<u8>, *mut u8) {
    let mut memory = vec![0u8; bytes + 64];
    let p = memory.as_mut_ptr();
    let at = p.align_offset(64);
    (memory, p.wrapping_add(at))
}

fn floats(n: usize, f: impl Fn(usize) -> f32) -> (Vec<u8>, *mut u8) {
    let (memory, p) = aligned(4 * n + 64);
    for i in 0..n {
        // SAFETY: within the memory.
        unsafe { p.cast::<f32>().add(i).write(f(i)) };
    }
    (memory, p)
}

/// The least time of a call, in nanoseconds.
fn time(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    f();
    let one = start.elapsed().as_nanos().max(20) as f64;
    let calls = (200_000.0 / one).clamp(1.0, 10_000.0) as usize;
    let mut best = f64::INFINITY;
    for _ in 0..60 {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / calls as f64);
    }
    best
}

fn time_fused(fused: &Fused, ptrs: &[*mut u8]) -> f64 {
    let kernel = FusedKernel::compile(fused, &|v| v.index()).expect("a kernel");
    let (_keep, scratch) = aligned(kernel.scratch_bytes());
    // SAFETY: the pointers are to memory of the operands' sizes.
    time(|| unsafe { kernel.run(black_box(ptrs), 0, 1, scratch) })
}

/// v = ρ·v + (1−ρ)·g²; w −= lr·g / √(v + ε): operands w, g, v, lr.
fn rmsprop(n: usize) -> Fused {
    let mut b = Body::new(&[n], &[&[1], &[1], &[1], &[0]]);
    let (rho, rest, eps) = (b.scalar(0.9), b.scalar(0.1), b.scalar(1e-7));
    let g2 = b.unary(UnaryFn::Square, 1);
    let a = b.binary(BinaryFn::Mul, 2, rho);
    let c = b.binary(BinaryFn::Mul, g2, rest);
    let v = b.binary(BinaryFn::Add, a, c);
    let ve = b.binary(BinaryFn::Add, v, eps);
    let root = b.unary(UnaryFn::Sqrt, ve);
    let step = b.binary(BinaryFn::Mul, 1, 3);
    let step = b.binary(BinaryFn::Div, step, root);
    let w = b.binary(BinaryFn::Sub, 0, step);
    b.output(4, v);
    b.output(5, w);
    b.0
}

/// Adam with the bias correction computed from the step: operands w, g, m, v, lr, t.
fn adam(n: usize) -> Fused {
    let mut b = Body::new(&[n], &[&[1], &[1], &[1], &[1], &[0], &[0]]);
    let (one, b1, b2, eps) = (
        b.scalar(1.0),
        b.scalar(0.9),
        b.scalar(0.999),
        b.scalar(1e-7),
    );
    let (r1, r2) = (b.scalar(0.1), b.scalar(0.001));
    let p1 = b.binary(BinaryFn::Pow, b1, 5);
    let p2 = b.binary(BinaryFn::Pow, b2, 5);
    let c1 = b.binary(BinaryFn::Sub, one, p1);
    let c2 = b.binary(BinaryFn::Sub, one, p2);
    let c2 = b.unary(UnaryFn::Sqrt, c2);
    let alpha = b.binary(BinaryFn::Mul, 4, c2);
    let alpha = b.binary(BinaryFn::Div, alpha, c1);
    let d = b.binary(BinaryFn::Sub, 1, 2);
    let d = b.binary(BinaryFn::Mul, d, r1);
    let m = b.binary(BinaryFn::Add, 2, d);
    let g2 = b.unary(UnaryFn::Square, 1);
    let d = b.binary(BinaryFn::Sub, g2, 3);
    let d = b.binary(BinaryFn::Mul, d, r2);
    let v = b.binary(BinaryFn::Add, 3, d);
    let top = b.binary(BinaryFn::Mul, m, alpha);
    let root = b.unary(UnaryFn::Sqrt, v);
    let root = b.binary(BinaryFn::Add, root, eps);
    let step = b.binary(BinaryFn::Div, top, root);
    let w = b.binary(BinaryFn::Sub, 0, step);
    b.output(6, m);
    b.output(7, v);
    b.output(8, w);
    b.0
}

#[inline(always)]
fn rmsprop_loop(w: &mut [f32], g: &[f32], v: &mut [f32], lr: f32) {
    for ((w, g), v) in w.iter_mut().zip(g).zip(v) {
        *v = 0.9f32.mul_add(*v, 0.1 * g * g);
        *w -= lr * g / (*v + 1e-7).sqrt();
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,fma")]
fn rmsprop_avx512(w: &mut [f32], g: &[f32], v: &mut [f32], lr: f32) {
    rmsprop_loop(w, g, v, lr);
}

fn rmsprop_by_hand(w: &mut [f32], g: &[f32], v: &mut [f32], lr: f32) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("fma") {
        // SAFETY: just looked.
        return unsafe { rmsprop_avx512(w, g, v, lr) };
    }
    rmsprop_loop(w, g, v, lr);
}

fn optimizers() {
    for n in [1_000, 1_153, 60_000, 407_000] {
        let (_a, w) = floats(n, |i| (i % 7) as f32);
        let (_b, g) = floats(n, |i| (i % 5) as f32 * 0.01);
        let (_c, v) = floats(n, |_| 0.01);
        let (_d, m) = floats(n, |_| 0.01);
        let (_e, lr) = floats(1, |_| 1e-6);
        let (_f, t) = floats(1, |_| 3.0);
        // SAFETY: three arrays of n.
        let (ws, gs, vs) = unsafe {
            (
                std::slice::from_raw_parts_mut(w.cast::<f32>(), n),
                std::slice::from_raw_parts(g.cast::<f32>(), n),
                std::slice::from_raw_parts_mut(v.cast::<f32>(), n),
            )
        };
        let hand = time(|| rmsprop_by_hand(black_box(ws), gs, vs, 1e-6));
        let ns = time_fused(&rmsprop(n), &[w, g, v, lr, v, w]);
        println!(
            "rmsprop {n:6}: {:8.2} us, by hand {:8.2} us, {:.2}x",
            ns / 1e3,
            hand / 1e3,
            ns / hand
        );
        let ns = time_fused(&adam(n), &[w, g, m, v, lr, t, m, v, w]);
        println!("adam    {n:6}: {:8.2} us", ns / 1e3);
    }
}

fn layers() {
    let (m, n) = (128, 512);
    let (_a, x) = floats(m * n, |i| (i % 7) as f32 - 3.0);
    let (_b, bias) = floats(n, |i| i as f32);
    let (_c, y) = floats(m * n, |_| 0.0);
    let mut b = Body::new(&[m, n], &[&[n as isize, 1], &[0, 1]]);
    let s = b.binary(BinaryFn::Add, 0, 1);
    let r = b.unary(UnaryFn::Relu, s);
    b.output(2, r);
    let ns = time_fused(&b.0, &[x, bias, y]);
    println!(
        "relu(x + bias) {m}x{n}: {:.2} us, {:.0} GB/s",
        ns / 1e3,
        (8 * m * n) as f64 / ns
    );

    // The gradient of relu: g where y > 0.
    let mut b = Body::new(&[m, n], &[&[n as isize, 1], &[n as isize, 1]]);
    let zero = b.scalar(0.0);
    let mask = b.push(BodyFn::Binary(BinaryFn::Gt), &[0, zero], DType::Bool);
    let r = b.push(BodyFn::Select, &[mask, 1, zero], DType::F32);
    b.output(2, r);
    let ns = time_fused(&b.0, &[x, y, y]);
    println!("relu gradient  {m}x{n}: {:.2} us", ns / 1e3);

    for (rows, cols) in [(8, 32), (8, 64), (16, 32), (8, 30)] {
        let mut b = Body::new(&[m, n], &[&[n as isize, 1], &[0, 1]]);
        let s = b.binary(BinaryFn::Add, 0, 1);
        let r = b.unary(UnaryFn::Relu, s);
        b.output(2, r);
        let kernel = TileKernel::compile(&b.0, &|v| v.index()).expect("a kernel");
        let (_keep, scratch) = aligned(kernel.scratch_bytes());
        let ptrs = [x, bias, y];
        // SAFETY: the tile lies within the matrix.
        let ns = time(|| unsafe {
            kernel.run_tile(black_box(&ptrs), 0, 16, 64, rows, cols, x, cols, scratch);
        });
        println!("tile relu(acc + bias) {rows}x{cols}: {ns:.0} ns");
    }
}

/// A reduction of a prologue's register; the result is value 8.
fn reduction(prologue: Fused, register: u16, f: ReduceFn, axis: usize) -> ReduceGroup {
    let shape: Vec<usize> = (0..prologue.shape.len())
        .filter(|a| *a != axis)
        .map(|a| prologue.shape[a])
        .collect();
    let strides = if shape.is_empty() { vec![] } else { vec![1] };
    let operand = Operand {
        value: ValueId(9),
        dtype: DType::F32,
        strides,
        offset: 0,
    };
    let outputs = vec![Output {
        value: ValueId(8),
        register: 0,
    }];
    let epilogue = Fused {
        shape,
        operands: vec![operand],
        body: Vec::new(),
        outputs,
    };
    ReduceGroup {
        prologue,
        register,
        f,
        axes: vec![axis],
        epilogue,
    }
}

fn time_reduce(group: &ReduceGroup, ptrs: &[*mut u8]) -> f64 {
    let kernel = ReduceKernel::compile(group, &|v| v.index()).expect("a kernel");
    let (_keep, scratch) = aligned(kernel.scratch_bytes());
    let (_shared, shared) = aligned(kernel.shared_bytes());
    // SAFETY: the pointers are to memory of the operands' sizes.
    time(|| unsafe { kernel.run(black_box(ptrs), 0, 1, scratch, shared) })
}

fn reductions() {
    let (m, n) = (128usize, 10usize);
    let (_a, x) = floats(m * n, |i| (i % 7) as f32);
    let (_b, y) = floats(m * n, |_| 0.0);
    let (_c, rows) = floats(m, |_| 1.0);
    let ptrs = [x, rows, y, x, x, x, x, x, rows];
    let rowwise: [&[isize]; 2] = [&[n as isize, 1], &[1, 0]];
    let ns = time_reduce(
        &reduction(Body::new(&[m, n], &rowwise).0, 0, ReduceFn::Max, 1),
        &ptrs,
    );
    println!("softmax {m}x{n}: row max {ns:.0} ns");
    let mut b = Body::new(&[m, n], &rowwise);
    let d = b.binary(BinaryFn::Sub, 0, 1);
    let e = b.unary(UnaryFn::Exp, d);
    b.output(2, e);
    let ns = time_reduce(&reduction(b.0, e, ReduceFn::Sum, 1), &ptrs);
    println!("softmax {m}x{n}: exp(x - max) and its row sum {ns:.0} ns");
    let mut b = Body::new(&[m, n], &rowwise);
    let d = b.binary(BinaryFn::Div, 0, 1);
    b.output(2, d);
    println!(
        "softmax {m}x{n}: division {:.0} ns",
        time_fused(&b.0, &ptrs)
    );
    let mut b = Body::new(&[m, n], &[&[n as isize, 1], &[0, 1]]);
    let d = b.binary(BinaryFn::Add, 0, 1);
    b.output(2, d);
    println!("bias {m}x{n}: {:.0} ns", time_fused(&b.0, &ptrs));

    for (m, n, axis) in [
        (128, 512, 0),
        (32, 32, 0),
        (128, 10, 0),
        (128, 512, 1),
        (1, 65536, 1),
    ] {
        let (_a, x) = floats(m * n, |i| (i % 7) as f32);
        let (_b, y) = floats(m.max(n), |_| 0.0);
        let ptrs = [x, x, x, x, x, x, x, x, y];
        let full: &[isize] = &[n as isize, 1];
        let ns = time_reduce(
            &reduction(Body::new(&[m, n], &[full]).0, 0, ReduceFn::Sum, axis),
            &ptrs,
        );
        let mut b = Body::new(&[m, n], &[full, full]);
        let d = b.binary(BinaryFn::Mul, 0, 1);
        let two = time_reduce(&reduction(b.0, d, ReduceFn::Sum, axis), &ptrs);
        println!("sum of {m}x{n} over axis {axis}: {ns:.0} ns; of a product: {two:.0} ns");
    }
}

fn functions() {
    let n = 4096;
    let (_a, x) = floats(n, |i| 0.1 + i as f32 * (0.8 / 4096.0));
    let (_b, y) = floats(n, |_| 0.0);
    print!("ns per element:");
    for f in UnaryFn::ALL.into_iter().filter(|f| !f.is_predicate()) {
        let mut b = Body::new(&[n], &[&[1]]);
        let r = b.unary(f, 0);
        b.output(1, r);
        print!(" {f:?} {:.3}", time_fused(&b.0, &[x, y]) / n as f64);
    }
    for f in BinaryFn::ALL.into_iter().filter(|f| !f.is_logical()) {
        let mut b = Body::new(&[n], &[&[1], &[1]]);
        let dtype = if f.is_comparison() {
            DType::Bool
        } else {
            DType::F32
        };
        let r = b.push(BodyFn::Binary(f), &[0, 1], dtype);
        b.output(2, r);
        print!(" {f:?} {:.3}", time_fused(&b.0, &[x, x, y]) / n as f64);
    }
    println!();
}

fn main() {
    optimizers();
    layers();
    reductions();
    functions();
}
