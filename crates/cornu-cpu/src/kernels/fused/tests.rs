//! The vector machine against a plain interpreter, element by element.

use super::*;
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};
use cornu_core::passes::fused::{BodyFn, BodyInst, Operand, Output};
use cornu_core::{bf16, f16};

/// A linear congruential generator.
pub(crate) struct Lcg(pub u64);
impl Lcg {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) % n as u64) as usize
    }
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Memory of one type, aligned as arenas are.
#[derive(Clone)]
pub(crate) struct Memory {
    words: Vec<[u64; 8]>,
    pub dtype: DType,
}

#[repr(align(64))]
struct Aligned;

impl Memory {
    pub fn new(dtype: DType, values: &[f64]) -> Memory {
        let bytes = values.len() * dtype.size() + 64;
        let mut memory = Memory {
            words: vec![[0; 8]; bytes / 64 + 1],
            dtype,
        };
        for (i, v) in values.iter().enumerate() {
            memory.set(i, *v);
        }
        memory
    }
    pub fn ptr(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }
    fn bytes(&self, i: usize) -> *const u8 {
        // SAFETY: tests stay within the values.
        unsafe { self.words.as_ptr().cast::<u8>().add(i * self.dtype.size()) }
    }
    pub fn set(&mut self, i: usize, v: f64) {
        let p = self.bytes(i).cast_mut();
        // SAFETY: as above.
        unsafe {
            match self.dtype {
                DType::Bool => p.write(u8::from(v != 0.0)),
                DType::U8 => p.write(v as i64 as u8),
                DType::I32 => p.cast::<i32>().write_unaligned(v as i64 as i32),
                DType::I64 => p.cast::<i64>().write_unaligned(v as i64),
                DType::BF16 => p.cast::<bf16>().write_unaligned(bf16::from_f64(v)),
                DType::F16 => p.cast::<f16>().write_unaligned(f16::from_f64(v)),
                DType::F32 => p.cast::<f32>().write_unaligned(v as f32),
                DType::F64 => p.cast::<f64>().write_unaligned(v),
            }
        }
    }
    pub fn get(&self, i: usize) -> f64 {
        let p = self.bytes(i);
        // SAFETY: as above.
        unsafe {
            match self.dtype {
                DType::Bool | DType::U8 => f64::from(p.read()),
                DType::I32 => f64::from(p.cast::<i32>().read_unaligned()),
                DType::I64 => p.cast::<i64>().read_unaligned() as f64,
                DType::BF16 => p.cast::<bf16>().read_unaligned().to_f64(),
                DType::F16 => p.cast::<f16>().read_unaligned().to_f64(),
                DType::F32 => f64::from(p.cast::<f32>().read_unaligned()),
                DType::F64 => p.cast::<f64>().read_unaligned(),
            }
        }
    }
}

/// A value as a type holds it.
pub(crate) fn rounded(dtype: DType, v: f64) -> f64 {
    match dtype {
        DType::Bool => f64::from(u8::from(v != 0.0)),
        DType::U8 => f64::from(v as i64 as u8),
        DType::I32 => f64::from(v as i64 as i32),
        DType::I64 => v as i64 as f64,
        DType::BF16 => bf16::from_f64(v).to_f64(),
        DType::F16 => f16::from_f64(v).to_f64(),
        DType::F32 => f64::from(v as f32),
        DType::F64 => v,
    }
}

/// The registers of one element; `index` counts in row-major order.
pub(crate) fn interpret(fused: &Fused, memory: &[Memory], index: usize) -> Vec<f64> {
    let mut registers = Vec::new();
    for operand in &fused.operands {
        let mut at = operand.offset as isize;
        let mut rest = index;
        for (n, s) in fused.shape.iter().zip(&operand.strides).rev() {
            at += (rest % n) as isize * s;
            rest /= n;
        }
        registers.push(memory[operand.value.index()].get(at as usize));
    }
    for inst in &fused.body {
        let arg = |k: usize| registers[usize::from(inst.args[k])];
        let from = |k: usize| fused.dtype(inst.args[k]);
        let v = match inst.f {
            BodyFn::Scalar(v) => v.to_f64(),
            BodyFn::Unary(f) if from(0).is_float() || f.is_predicate() => f.eval(arg(0)),
            BodyFn::Unary(f) => match f {
                UnaryFn::Neg => -arg(0),
                UnaryFn::Abs => arg(0).abs(),
                UnaryFn::Sign => UnaryFn::Sign.eval(arg(0)),
                UnaryFn::Square => arg(0) * arg(0),
                _ => arg(0).max(0.0),
            },
            BodyFn::Binary(f) if from(0).is_float() => f.eval(arg(0), arg(1)),
            BodyFn::Binary(f) => f.eval_int(arg(0) as i64, arg(1) as i64) as f64,
            BodyFn::Select => {
                if arg(0) != 0.0 {
                    arg(1)
                } else {
                    arg(2)
                }
            }
            BodyFn::Cast => match (from(0).is_float(), inst.dtype) {
                (true, DType::U8) => f64::from(arg(0) as u8),
                _ => arg(0),
            },
        };
        registers.push(rounded(inst.dtype, v));
    }
    registers
}

pub(crate) fn random_shape(rng: &mut Lcg, most: usize) -> Vec<usize> {
    loop {
        let rank = rng.below(5);
        let shape: Vec<usize> = (0..rank)
            .map(|_| rng.pick(&[1, 2, 3, 5, 7, 10, 16, 17, 40, 64, 300, 1030]))
            .collect();
        if shape.iter().product::<usize>() <= most {
            return shape;
        }
    }
}

/// Strides of a random kind, the offset, and the elements that the memory has to have.
pub(crate) fn random_strides(rng: &mut Lcg, shape: &[usize]) -> (Vec<isize>, usize, usize) {
    let mut strides = vec![0isize; shape.len()];
    let mut order: Vec<usize> = (0..shape.len()).collect();
    let kind = rng.below(6);
    if kind == 3 && shape.len() > 1 {
        let (a, b) = (rng.below(shape.len()), rng.below(shape.len()));
        order.swap(a, b);
    }
    let mut step = 1isize;
    let mut extra = 0;
    for &axis in order.iter().rev() {
        if (kind == 1 && rng.below(2) == 0) || kind == 2 {
            continue; // Broadcast, along some or all axes.
        }
        if kind == 4 {
            step += rng.below(3) as isize; // A slice.
            extra = 3;
        }
        strides[axis] = step;
        step *= shape[axis] as isize;
    }
    let mut offset = extra;
    let mut last = extra;
    for (n, s) in shape.iter().zip(&mut strides) {
        last += n.saturating_sub(1) * *s as usize;
        if kind == 5 && rng.below(2) == 0 {
            offset += n.saturating_sub(1) * *s as usize; // Reversed.
            *s = -*s;
        }
    }
    (strides, offset, last + 1)
}

/// A random body of functions that are exact on small integers, and what it reads.
pub(crate) fn random_fused(rng: &mut Lcg, shape: Vec<usize>) -> (Fused, Vec<Memory>) {
    let mut fused = Fused {
        shape,
        ..Fused::default()
    };
    let mut memory = Vec::new();
    let mut bounds: Vec<f64> = Vec::new();
    let mut dtypes: Vec<DType> = Vec::new();
    let favourite = rng.pick(&DType::ALL);
    for k in 0..1 + rng.below(4) {
        let dtype = if rng.below(3) == 0 {
            rng.pick(&DType::ALL)
        } else {
            favourite
        };
        let (strides, offset, size) = random_strides(rng, &fused.shape);
        let low = if dtype.is_float() || matches!(dtype, DType::I32 | DType::I64) {
            4.0
        } else {
            0.0
        };
        let values: Vec<f64> = (0..size).map(|_| rng.below(9) as f64 - low).collect();
        memory.push(Memory::new(dtype, &values));
        fused.operands.push(Operand {
            value: ValueId(k as u32),
            dtype,
            strides,
            offset,
        });
        bounds.push(8.0);
        dtypes.push(dtype);
    }
    for _ in 0..rng.below(14) {
        let a = rng.below(dtypes.len());
        let same: Vec<usize> = (0..dtypes.len())
            .filter(|r| dtypes[*r] == dtypes[a])
            .collect();
        let (b, c) = (rng.pick(&same), rng.pick(&same));
        let bools: Vec<usize> = (0..dtypes.len())
            .filter(|r| dtypes[*r] == DType::Bool)
            .collect();
        let numeric = dtypes[a] != DType::Bool;
        let (ba, bb) = (bounds[a], bounds[b]);
        let (f, args, dtype, bound) = match rng.below(9) {
            0 => {
                let d = dtypes[a];
                (
                    BodyFn::Scalar(Scalar::Int(rng.below(5) as i64)),
                    [0; 3],
                    d,
                    4.0,
                )
            }
            1 if numeric => {
                let f = rng.pick(&[UnaryFn::Neg, UnaryFn::Abs, UnaryFn::Sign, UnaryFn::Relu]);
                (BodyFn::Unary(f), [a, 0, 0], dtypes[a], ba)
            }
            2 if numeric => (
                BodyFn::Unary(UnaryFn::Square),
                [a, 0, 0],
                dtypes[a],
                ba * ba,
            ),
            3 if numeric => {
                let f = rng.pick(&[BinaryFn::Add, BinaryFn::Sub, BinaryFn::Max, BinaryFn::Min]);
                (BodyFn::Binary(f), [a, b, 0], dtypes[a], ba + bb)
            }
            4 | 5 if numeric => (BodyFn::Binary(BinaryFn::Mul), [a, b, 0], dtypes[a], ba * bb),
            6 if numeric => {
                use BinaryFn::*;
                let f = rng.pick(&[Eq, Ne, Lt, Le, Gt, Ge]);
                (BodyFn::Binary(f), [a, b, 0], DType::Bool, 1.0)
            }
            7 if !bools.is_empty() => (
                BodyFn::Select,
                [rng.pick(&bools), b, c],
                dtypes[b],
                bb.max(bounds[c]),
            ),
            8 => (
                BodyFn::Cast,
                [a, 0, 0],
                rng.pick(&DType::ALL),
                ba.max(256.0),
            ),
            _ if !numeric => {
                let f = rng.pick(&[BinaryFn::And, BinaryFn::Or, BinaryFn::Xor]);
                (BodyFn::Binary(f), [a, b, 0], DType::Bool, 1.0)
            }
            _ => continue,
        };
        if bound > 4e6 || (dtype == DType::U8 && matches!(f, BodyFn::Cast) && bounds[a] > 256.0) {
            continue;
        }
        fused.body.push(BodyInst {
            f,
            args: args.map(|r| r as u16),
            dtype,
        });
        bounds.push(bound);
        dtypes.push(dtype);
    }
    for k in 0..1 + rng.below(3) {
        // Mostly late registers.
        let r = (0..3)
            .map(|_| rng.below(dtypes.len()))
            .max()
            .expect("three");
        fused.outputs.push(Output {
            value: ValueId((fused.operands.len() + k) as u32),
            register: r as u16,
        });
        memory.push(Memory::new(dtypes[r], &vec![77.0; fused.size()]));
    }
    (fused, memory)
}

/// Lets some outputs share the memory of operands that are as long and contiguous: slot per value.
fn alias(rng: &mut Lcg, fused: &Fused) -> Vec<usize> {
    let contiguous = space::row_major(&fused.shape);
    let mut slots: Vec<usize> = (0..fused.operands.len() + fused.outputs.len()).collect();
    let mut taken = vec![false; fused.operands.len()];
    for (o, output) in fused.outputs.iter().enumerate() {
        let k = rng.below(fused.operands.len());
        let x = &fused.operands[k];
        if x.strides == contiguous
            && x.offset == 0
            && x.dtype == fused.dtype(output.register)
            && !taken[k]
        {
            taken[k] = true;
            slots[fused.operands.len() + o] = k;
        }
    }
    slots
}

pub(crate) fn scratch(bytes: usize) -> Memory {
    Memory::new(DType::F32, &vec![f64::NAN; bytes / 4 + 64])
}

pub(crate) fn align(p: *mut u8) -> *mut u8 {
    p.wrapping_add(p.align_offset(align_of::<Aligned>()))
}

pub(crate) fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

#[test]
fn random_bodies_agree_with_the_interpreter() {
    let mut rng = Lcg(7);
    for round in 0..3000 {
        let mut shape = random_shape(&mut rng, 6000);
        if round % 50 == 0 {
            shape.push(0);
        }
        let (fused, memory) = random_fused(&mut rng, shape);
        let expected: Vec<Vec<f64>> = (0..fused.size())
            .map(|i| interpret(&fused, &memory, i))
            .collect();
        let slots = alias(&mut rng, &fused);
        let pieces = 1 + rng.below(3);
        for isa in Isa::available() {
            let slot = |v: ValueId| v.index();
            let kernel = FusedKernel::compile_for(&fused, &slot, isa, false).unwrap();
            let mut memory = memory.clone();
            let own: Vec<*mut u8> = memory.iter_mut().map(Memory::ptr).collect();
            let ptrs: Vec<*mut u8> = slots.iter().map(|s| own[*s]).collect();
            let mut space = scratch(kernel.scratch_bytes());
            for piece in 0..pieces {
                // SAFETY: memory is as the operands say.
                unsafe { kernel.run(&ptrs, piece, pieces, align(space.ptr())) };
            }
            for (o, output) in fused.outputs.iter().enumerate() {
                let got = &memory[slots[fused.operands.len() + o]];
                for (i, e) in expected.iter().enumerate() {
                    let e = e[usize::from(output.register)];
                    assert!(
                        same(got.get(i), e),
                        "round {round}, {isa:?}, output {o}, element {i}: {} != {e}\n{fused:?}\n{slots:?}",
                        got.get(i)
                    );
                }
            }
        }
    }
}

#[test]
fn tiles_agree_with_the_interpreter() {
    let mut rng = Lcg(11);
    for round in 0..1500 {
        let (m, n) = (1 + rng.below(40), 1 + rng.below(70));
        let mut shape = vec![m, n];
        let batches = 1 + rng.below(2);
        if batches > 1 || rng.below(2) == 0 {
            shape.insert(0, batches);
        }
        let (mut fused, mut memory) = random_fused(&mut rng, shape);
        // The product: contiguous, in lanes.
        fused.operands[0].strides = space::row_major(&fused.shape);
        fused.operands[0].offset = 0;
        let dtype = fused.operands[0].dtype;
        let values: Vec<f64> = (0..fused.size()).map(|_| rng.below(5) as f64).collect();
        memory[0] = Memory::new(dtype, &values);
        let wide = if matches!(dtype, DType::BF16 | DType::F16) {
            DType::F32
        } else {
            dtype
        };
        let mut product = Memory::new(wide, &values);
        let expected: Vec<Vec<f64>> = (0..fused.size())
            .map(|i| interpret(&fused, &memory, i))
            .collect();
        let (tile_rows, tile_cols) = (1 + rng.below(m), 1 + rng.below(n));
        for isa in Isa::available() {
            let kernel = TileKernel::compile_for(&fused, &|v| v.index(), isa)
                .unwrap_or_else(|e| panic!("round {round}, {isa:?}: {e}\n{fused:?}"));
            let mut memory = memory.clone();
            let ptrs: Vec<*mut u8> = memory.iter_mut().map(Memory::ptr).collect();
            let mut space = scratch(kernel.scratch_bytes());
            for batch in 0..fused.size() / (m * n) {
                for r in (0..m).step_by(tile_rows) {
                    for c in (0..n).step_by(tile_cols) {
                        let (rows, cols) = (tile_rows.min(m - r), tile_cols.min(n - c));
                        let at = ((batch * m + r) * n + c) * wide.size();
                        let acc = product.ptr().wrapping_add(at);
                        // SAFETY: memory is as the operands say.
                        unsafe {
                            let s = align(space.ptr());
                            kernel.run_tile(&ptrs, batch, r, c, rows, cols, acc, n, s);
                        }
                    }
                }
            }
            for (o, output) in fused.outputs.iter().enumerate() {
                let got = &memory[fused.operands.len() + o];
                for (i, e) in expected.iter().enumerate() {
                    let e = e[usize::from(output.register)];
                    assert!(
                        same(got.get(i), e),
                        "round {round}, {isa:?}, output {o}, element {i}: {} != {e}\n{fused:?}",
                        got.get(i)
                    );
                }
            }
        }
    }
}

/// Every function that a float type has, on ordinary and extreme arguments.
#[test]
fn functions_agree_with_their_definition() {
    let mut xs = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        2.0,
        3.0,
        -3.0,
        1e-6,
        -1e-6,
        1e5,
        -1e5,
        1e9,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    let mut rng = Lcg(3);
    xs.extend((0..200).map(|_| rng.below(2000) as f64 * 0.0101 - 10.0));
    xs.extend((0..200).map(|_| rng.below(2000) as f64 * 0.001 - 1.0));
    let n = xs.len();
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
        let a: Vec<f64> = (0..n * n).map(|i| xs[i / n]).collect();
        let b: Vec<f64> = (0..n * n).map(|i| xs[i % n]).collect();
        let mut memory = [Memory::new(dtype, &a), Memory::new(dtype, &b)];
        let unary = UnaryFn::ALL.map(BodyFn::Unary).into_iter();
        let binary = BinaryFn::ALL.map(BodyFn::Binary).into_iter();
        for f in unary.chain(binary) {
            let (predicate, skip, size) = match f {
                BodyFn::Unary(f) => (f.is_predicate(), f == UnaryFn::Not, n),
                BodyFn::Binary(f) => (f.is_comparison(), f.is_logical(), n * n),
                _ => (false, true, 0),
            };
            if skip {
                continue;
            }
            let out = if predicate { DType::Bool } else { dtype };
            let operand = |k: u32| Operand {
                value: ValueId(k),
                dtype,
                strides: vec![if f.arity() == 1 { n as isize } else { 1 }],
                offset: 0,
            };
            let fused = Fused {
                shape: vec![size],
                operands: vec![operand(0), operand(1)],
                body: vec![BodyInst {
                    f,
                    args: [0, 1, 0],
                    dtype: out,
                }],
                outputs: vec![Output {
                    value: ValueId(2),
                    register: 2,
                }],
            };
            for isa in Isa::available() {
                let kernel = FusedKernel::compile_for(&fused, &|v| v.index(), isa, false).unwrap();
                let mut y = Memory::new(out, &vec![0.0; size]);
                let mut space = scratch(kernel.scratch_bytes());
                let ptrs = [memory[0].ptr(), memory[1].ptr(), y.ptr()];
                // SAFETY: memory is as the operands say.
                unsafe { kernel.run(&ptrs, 0, 1, align(space.ptr())) };
                for i in 0..size {
                    let registers = interpret(&fused, &memory, i);
                    let (got, want) = (y.get(i), registers[2]);
                    // Half precision: one step, where the f32 result lies on the other side of a tie.
                    let steps = if dtype == DType::F64 { 16.0 } else { 4.0 };
                    let near = (got - want).abs() <= want.abs() * dtype.epsilon() * steps;
                    let tiny = (want.abs() < 1e-37 && got.abs() < 1e-37)
                        || (dtype == DType::F16 && (got - want).abs() < 1.2e-7);
                    assert!(
                        same(got, want) || near || tiny,
                        "{isa:?} {dtype} {f:?}({}, {}) = {got}, not {want}",
                        registers[0],
                        registers[1]
                    );
                }
            }
        }
    }
}

#[test]
fn errors_instead_of_panics() {
    let operand = Operand {
        value: ValueId(0),
        dtype: DType::I32,
        strides: vec![1],
        offset: 0,
    };
    let body = |f, args, dtype| Fused {
        shape: vec![4],
        operands: vec![operand.clone()],
        body: vec![BodyInst { f, args, dtype }],
        outputs: vec![Output {
            value: ValueId(1),
            register: 1,
        }],
    };
    let compile = |fused: &Fused| FusedKernel::compile(fused, &|v| v.index());
    assert!(compile(&body(BodyFn::Unary(UnaryFn::Exp), [0; 3], DType::I32)).is_err());
    assert!(compile(&body(BodyFn::Unary(UnaryFn::Neg), [3, 0, 0], DType::I32)).is_err());
    assert!(compile(&body(BodyFn::Select, [0; 3], DType::I32)).is_err());
    let mut fused = body(BodyFn::Unary(UnaryFn::Neg), [0; 3], DType::I32);
    assert!(compile(&fused).is_ok());
    fused.outputs[0].register = 9;
    assert!(compile(&fused).is_err());
}
