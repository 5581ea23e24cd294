//! Reductions against plain loops.

use super::*;
use crate::kernels::fused::tests::{
    Lcg, Memory, align, interpret, random_fused, random_shape, rounded, same, scratch,
};
use cornu_core::DType;
use cornu_core::ops::elementwise::BinaryFn;
use cornu_core::passes::fused::{BodyFn, BodyInst, Operand, Output};

fn fold(f: ReduceFn, a: f64, b: f64) -> f64 {
    match f {
        ReduceFn::Sum => a + b,
        ReduceFn::Prod => a * b,
        ReduceFn::Max => BinaryFn::Max.eval(a, b),
        ReduceFn::Min => BinaryFn::Min.eval(a, b),
    }
}

/// The index of the result that element `i` of `shape` belongs to.
fn target(shape: &[usize], axes: &[usize], i: usize) -> usize {
    let (mut rest, mut t, mut step) = (i, 0, 1);
    for (a, n) in shape.iter().enumerate().rev() {
        if !axes.contains(&a) {
            t += rest % n * step;
            step *= n;
        }
        rest /= n;
    }
    t
}

/// Runs a kernel in so many pieces, both phases.
fn run(kernel: &ReduceKernel, ptrs: &[*mut u8], pieces: usize) {
    let (mut own, mut shared) = (
        scratch(kernel.scratch_bytes()),
        scratch(kernel.shared_bytes()),
    );
    let (own, shared) = (align(own.ptr()), align(shared.ptr()));
    for piece in 0..pieces {
        // SAFETY: memory is as the operands say.
        unsafe { kernel.run(ptrs, piece, pieces, own, shared) };
    }
    let second = if pieces > 1 {
        kernel.finish_pieces(pieces)
    } else {
        0
    };
    for piece in 0..second {
        // SAFETY: as above.
        unsafe { kernel.finish(ptrs, piece, second, own, shared) };
    }
}

#[test]
fn random_reductions_agree_with_loops() {
    let mut rng = Lcg(23);
    for round in 0..2500 {
        let mut shape = random_shape(&mut rng, 5000);
        if round % 40 == 0 {
            shape.insert(rng.below(shape.len() + 1), 0);
        }
        let (mut prologue, mut memory) = random_fused(&mut rng, shape);
        let axes: Vec<usize> = (0..prologue.shape.len())
            .filter(|_| rng.below(2) == 0)
            .collect();
        if rng.below(2) == 0 {
            memory.truncate(prologue.operands.len());
            prologue.outputs.clear();
            if rng.below(2) == 0 {
                prologue.body.clear();
            }
        }
        let registers = prologue.operands.len() + prologue.body.len();
        let register = (registers - 1 - rng.below(registers.min(3))) as u16;
        let dtype = prologue.dtype(register);
        let f = rng.pick(&[ReduceFn::Sum, ReduceFn::Max, ReduceFn::Min]);
        if dtype == DType::Bool && f == ReduceFn::Sum {
            continue;
        }
        let reduced: Vec<usize> = (0..prologue.shape.len())
            .filter(|a| !axes.contains(a))
            .map(|a| prologue.shape[a])
            .collect();
        // The result twice: itself, and added to itself.
        let mut epilogue = Fused {
            shape: reduced.clone(),
            operands: vec![Operand {
                value: ValueId(u32::MAX),
                dtype,
                strides: space::row_major(&reduced),
                offset: 0,
            }],
            ..Fused::default()
        };
        let out = ValueId(memory.len() as u32);
        let results: usize = reduced.iter().product();
        memory.push(Memory::new(dtype, &vec![55.0; results]));
        epilogue.outputs.push(Output {
            value: out,
            register: 0,
        });
        let doubled = dtype != DType::Bool && dtype != DType::I64 && rng.below(2) == 0;
        if doubled {
            let f = BodyFn::Binary(BinaryFn::Add);
            epilogue.body.push(BodyInst {
                f,
                args: [0, 0, 0],
                dtype,
            });
            epilogue.outputs[0].register = 1;
        }
        let group = ReduceGroup {
            prologue,
            register,
            f,
            axes,
            epilogue,
        };

        let p = &group.prologue;
        let start = if dtype.is_float() {
            f.identity(dtype)
        } else {
            f.identity_int(dtype) as f64
        };
        let mut expected = vec![start; results];
        let mut elements = Vec::new();
        for i in 0..p.size() {
            let registers = interpret(p, &memory, i);
            let t = target(&p.shape, &group.axes, i);
            expected[t] = fold(f, expected[t], registers[usize::from(register)]);
            elements.push(registers);
        }
        let mut within = true;
        for e in &mut expected {
            within &= e.abs() < 1.6e7 || e.is_infinite() || !dtype.is_float();
            *e = rounded(dtype, *e);
            if doubled {
                *e = rounded(dtype, *e + *e);
            }
        }
        if !within {
            continue; // Not exact in f32.
        }
        for isa in Isa::available() {
            let kernel = ReduceKernel::compile_for(&group, &|v| v.index(), isa).unwrap();
            for pieces in [1, 2, 3] {
                let mut memory = memory.clone();
                let ptrs: Vec<*mut u8> = memory.iter_mut().map(Memory::ptr).collect();
                run(&kernel, &ptrs, pieces);
                for (t, e) in expected.iter().enumerate() {
                    let got = memory[out.index()].get(t);
                    assert!(
                        same(got, *e),
                        "round {round}, {isa:?}, {pieces} pieces, {:?}, result {t}: {got} != {e}\n{group:?}",
                        kernel.mode
                    );
                }
                for output in &group.prologue.outputs {
                    for (i, registers) in elements.iter().enumerate() {
                        let e = registers[usize::from(output.register)];
                        assert!(
                            same(memory[output.value.index()].get(i), e),
                            "round {round}"
                        );
                    }
                }
            }
        }
    }
}

/// The reduction of one f32 array, as it is.
fn plain(shape: &[usize], axes: &[usize], f: ReduceFn) -> ReduceGroup {
    let operand = |value, shape: &[usize]| Operand {
        value: ValueId(value),
        dtype: DType::F32,
        strides: space::row_major(shape),
        offset: 0,
    };
    let reduced: Vec<usize> = (0..shape.len())
        .filter(|a| !axes.contains(a))
        .map(|a| shape[a])
        .collect();
    ReduceGroup {
        prologue: Fused {
            shape: shape.to_vec(),
            operands: vec![operand(0, shape)],
            ..Fused::default()
        },
        register: 0,
        f,
        axes: axes.to_vec(),
        epilogue: Fused {
            operands: vec![operand(9, &reduced)],
            outputs: vec![Output {
                value: ValueId(1),
                register: 0,
            }],
            shape: reduced,
            ..Fused::default()
        },
    }
}

#[test]
fn long_sums_are_accurate_and_do_not_depend_on_pieces() {
    for (shape, axes) in [
        (vec![1_000_000], vec![0]),
        (vec![1000, 1000], vec![0]),
        (vec![1000, 1000], vec![1]),
        (vec![250_000, 4], vec![0]),
        (vec![100_000, 10], vec![1]),
        (vec![10, 100, 1000], vec![0, 2]),
    ] {
        let n: usize = shape.iter().product();
        let mut rng = Lcg(5);
        let values: Vec<f64> = (0..n)
            .map(|_| f64::from(rng.below(1 << 24) as f32 * (1.0 / 1e7)))
            .collect();
        let group = plain(&shape, &axes, ReduceFn::Sum);
        let results = group.epilogue.size();
        let mut exact = vec![0.0; results];
        for (i, v) in values.iter().enumerate() {
            exact[target(&shape, &axes, i)] += v;
        }
        let mut x = Memory::new(DType::F32, &values);
        for isa in Isa::available() {
            let kernel = ReduceKernel::compile_for(&group, &|v| v.index(), isa).unwrap();
            let mut first = Vec::new();
            for pieces in [1, 2, 3, 7, 64] {
                let mut y = Memory::new(DType::F32, &vec![0.0; results]);
                run(&kernel, &[x.ptr(), y.ptr()], pieces);
                let got: Vec<f64> = (0..results).map(|i| y.get(i)).collect();
                for (g, e) in got.iter().zip(&exact) {
                    assert!(((g - e) / e).abs() < 3e-7, "{shape:?} {axes:?}: {g} {e}");
                }
                if pieces == 1 {
                    first = got;
                } else {
                    assert_eq!(first, got, "{shape:?} {axes:?} in {pieces}");
                }
            }
        }
    }
}

#[test]
fn nan_products_and_empty_axes() {
    for (f, empty) in [
        (ReduceFn::Max, f64::NEG_INFINITY),
        (ReduceFn::Min, f64::INFINITY),
        (ReduceFn::Sum, 0.0),
        (ReduceFn::Prod, 1.0),
    ] {
        for n in [1usize, 9, 100, 1000] {
            for at in [0, n / 2, n - 1] {
                let mut values = vec![1.0; n];
                values[at] = f64::NAN;
                let mut x = Memory::new(DType::F32, &values);
                let mut y = Memory::new(DType::F32, &[0.0]);
                let kernel = ReduceKernel::compile(&plain(&[n], &[0], f), &|v| v.index()).unwrap();
                run(&kernel, &[x.ptr(), y.ptr()], 1);
                assert!(y.get(0).is_nan(), "{f:?} {n} {at}");
            }
        }
        let mut x = Memory::new(DType::F32, &[]);
        let mut y = Memory::new(DType::F32, &[9.0; 3]);
        let kernel = ReduceKernel::compile(&plain(&[3, 0], &[1], f), &|v| v.index()).unwrap();
        run(&kernel, &[x.ptr(), y.ptr()], 1);
        assert_eq!((0..3).map(|i| y.get(i)).collect::<Vec<_>>(), [empty; 3]);
    }
    let mut x = Memory::new(DType::F32, &[1.0, 2.0, 3.0, -4.0]);
    let mut y = Memory::new(DType::F32, &[0.0; 2]);
    let group = plain(&[2, 2], &[0], ReduceFn::Prod);
    let kernel = ReduceKernel::compile(&group, &|v| v.index()).unwrap();
    run(&kernel, &[x.ptr(), y.ptr()], 1);
    assert_eq!((y.get(0), y.get(1)), (3.0, -8.0));
}
