//! Every kernel against the reference rules, cut into one and into many pieces.

use super::compile;
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::cumulative::Cumulative;
use cornu_core::ops::gather::{ScatterAdd, ScatterAddAlong, Take, TakeAlong};
use cornu_core::ops::movement::{Concat, Pad};
use cornu_core::ops::random::Random;
use cornu_core::ops::reduce::{ArgReduce, ReduceFn};
use cornu_core::ops::sort::ArgSort;
use cornu_core::random::Stream;
use cornu_core::{Array, DType, Element, Op, Shape, TensorType, bf16, f16, with_dtype};

const NUMBERS: [DType; 7] = [
    DType::U8,
    DType::I32,
    DType::I64,
    DType::BF16,
    DType::F16,
    DType::F32,
    DType::F64,
];

struct Numbers(Stream);

impl Numbers {
    fn array(&mut self, dtype: DType, shape: &[usize], low: i32, high: i32) -> Array {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n)
            .map(|_| {
                let v = f64::from(low) + f64::from(self.0.below((high - low) as u32));
                if dtype.is_float() { v * 0.75 } else { v }
            })
            .collect();
        let a = Array::from(values).cast(dtype);
        a.reshape(shape).unwrap()
    }
}

fn ty(a: &Array) -> TensorType {
    TensorType {
        shape: a.shape().clone(),
        dtype: a.dtype(),
    }
}

fn pointer(a: &Array) -> *const u8 {
    with_dtype!(a.dtype(), T => a.as_slice::<T>().unwrap().as_ptr().cast())
}

/// Bits of every element, NaN as one.
fn bits(a: &Array) -> Vec<u64> {
    let float = a.dtype().is_float();
    let floats = a.to_vec::<f64>().into_iter();
    if float {
        floats
            .map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() })
            .collect()
    } else {
        a.to_vec::<i64>().into_iter().map(|v| v as u64).collect()
    }
}

/// Runs a kernel in 1, 2, 3 and 8 pieces, last piece first, and compares.
fn check(op: impl Into<Op>, inputs: &[&Array], tolerance: f64) {
    let op: Op = op.into();
    let types: Vec<TensorType> = inputs.iter().map(|a| ty(a)).collect();
    let rules = op.rules().unwrap();
    let output = rules.infer(&types).unwrap();
    let expected = rules.reference(inputs, &output);
    let kernel = compile(&op, &types, &output).unwrap();
    let pointers: Vec<*const u8> = inputs.iter().map(|a| pointer(a)).collect();
    assert!((1..=8).contains(&kernel.pieces(4)) && kernel.pieces(1) == 1);
    let mut first: Option<Array> = None;
    for pieces in [1, 2, 3, 8] {
        let mut got = Array::full(output.dtype, output.shape.clone(), 1.0);
        let to: *mut u8 = with_dtype!(output.dtype, T => {
            got.as_slice_mut::<T>().unwrap().as_mut_ptr().cast()
        });
        for piece in (0..pieces).rev() {
            // SAFETY: the arrays have the types the kernel was compiled for.
            unsafe { kernel.run(&pointers, to, piece, pieces) };
        }
        if tolerance == 0.0 || !output.dtype.is_float() {
            assert_eq!(bits(&got), bits(&expected), "{op:?} of {types:?}, {pieces}");
        } else {
            let (g, e) = (got.to_vec::<f64>(), expected.to_vec::<f64>());
            for (g, e) in g.iter().zip(&e) {
                let bound = tolerance * output.dtype.epsilon() * e.abs().max(1.0);
                let same = g == e || (g.is_nan() && e.is_nan()) || (g - e).abs() <= bound;
                assert!(same, "{op:?} of {types:?}: {g}, not {e}");
            }
        }
        if let Some(first) = &first {
            assert_eq!(bits(first), bits(&got), "{op:?} in {pieces} pieces");
        }
        first.get_or_insert(got);
    }
}

fn shapes() -> Vec<Vec<usize>> {
    [
        &[1][..],
        &[7],
        &[33],
        &[1000],
        &[3, 5],
        &[1, 9],
        &[17, 1],
        &[4, 3, 70],
        &[2, 0, 3],
        &[2, 3, 4, 5],
    ]
    .map(<[usize]>::to_vec)
    .to_vec()
}

#[test]
fn rows_by_index() {
    let mut n = Numbers(Stream::new(1, 0));
    for shape in shapes() {
        for axis in 0..shape.len() {
            let extent = shape[axis] as i32;
            for dtype in NUMBERS.into_iter().chain([DType::Bool]) {
                let x = n.array(dtype, &shape, 0, 9);
                for index in [DType::I32, DType::I64, DType::U8] {
                    let low = if index == DType::U8 { 0 } else { -extent - 2 };
                    let i = n.array(index, &[2, 5], low, extent + 3);
                    check(Take { axis }, &[&x, &i], 0.0);
                    let mut along = shape.clone();
                    along[axis] = 6;
                    let i = n.array(index, &along, low, extent + 3);
                    check(TakeAlong { axis }, &[&x, &i], 0.0);
                }
            }
        }
    }
    for row in [1, 2, 4, 8, 16, 17, 32, 784] {
        let x = n.array(DType::F32, &[50, row], -9, 9);
        let i = n.array(DType::I32, &[128], -52, 52);
        check(Take { axis: 0 }, &[&x, &i], 0.0);
    }
    let extremes = Array::from([i64::MIN, i64::MAX, -1, i64::from(u32::MAX)]);
    check(
        Take { axis: 0 },
        &[&Array::from([1.0f32, 2.0]), &extremes],
        0.0,
    );
}

#[test]
fn sums_by_index() {
    let mut n = Numbers(Stream::new(2, 0));
    for shape in shapes() {
        for axis in 0..shape.len() {
            for dtype in NUMBERS {
                let x = n.array(dtype, &shape, 0, 9);
                for len in [0, 1, 5] {
                    let i = n.array(DType::I32, &[shape[axis]], -7, 8);
                    check(ScatterAdd { axis, len }, &[&x, &i], 2.0);
                    let i = n.array(DType::I64, &shape, -7, 8);
                    check(ScatterAddAlong { axis, len }, &[&x, &i], 2.0);
                }
            }
        }
    }
}

#[test]
fn joins_and_margins() {
    let mut n = Numbers(Stream::new(3, 0));
    for shape in shapes() {
        for axis in 0..shape.len() {
            for dtype in [DType::Bool, DType::BF16, DType::I32, DType::F64] {
                let x = n.array(dtype, &shape, 0, 2);
                let mut other = shape.clone();
                other[axis] = 3;
                let y = n.array(dtype, &other, 0, 2);
                check(Concat(axis), &[&x, &y, &x], 0.0);
                check(Concat(axis), &[&y], 0.0);
                for value in [Scalar::Int(0), Scalar::Int(1)] {
                    let mut pad = Pad {
                        low: vec![0; shape.len()],
                        high: vec![0; shape.len()],
                        interior: vec![0; shape.len()],
                        value,
                    };
                    check(pad.clone(), &[&x], 0.0);
                    pad.low[axis] = 2;
                    pad.high[axis] = 1;
                    check(pad.clone(), &[&x], 0.0);
                    pad.interior[axis] = 2;
                    check(pad.clone(), &[&x], 0.0);
                    pad.low[0] = 1;
                    check(pad, &[&x], 0.0);
                }
            }
        }
    }
}

#[test]
fn running_folds() {
    let mut n = Numbers(Stream::new(4, 0));
    for shape in shapes() {
        for axis in 0..shape.len() {
            for dtype in NUMBERS {
                for f in [ReduceFn::Sum, ReduceFn::Prod, ReduceFn::Max, ReduceFn::Min] {
                    for (reverse, exclusive) in [(false, false), (true, false), (true, true)] {
                        let op = Cumulative {
                            f,
                            axis,
                            reverse,
                            exclusive,
                        };
                        check(op, &[&n.array(dtype, &shape, 0, 3)], 1.0);
                    }
                }
            }
        }
    }
}

/// Values with ties, both zeros, infinities and NaN.
fn special<T: Element>(n: &mut Numbers, shape: &[usize]) -> Array {
    let all = [
        1.0,
        -0.0,
        0.0,
        -3.0,
        2.5,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
        1.0,
    ];
    let size: usize = shape.iter().product();
    let values: Vec<T> = (0..size)
        .map(|_| T::from_f64(all[n.0.below(all.len() as u32) as usize]))
        .collect();
    Array::from_vec(shape, values).unwrap()
}

#[test]
fn order_and_extremes() {
    let mut n = Numbers(Stream::new(5, 0));
    for shape in shapes().into_iter().filter(|s| !s.contains(&0)) {
        let mut arrays: Vec<Array> = NUMBERS
            .into_iter()
            .chain([DType::Bool])
            .map(|d| n.array(d, &shape, 0, 7))
            .collect();
        arrays.push(special::<f32>(&mut n, &shape));
        arrays.push(special::<f64>(&mut n, &shape));
        arrays.push(special::<bf16>(&mut n, &shape));
        arrays.push(special::<f16>(&mut n, &shape));
        for x in &arrays {
            for axis in 0..shape.len() {
                for max in [true, false] {
                    check(ArgReduce { max, axis }, &[x], 0.0);
                }
            }
            let last = shape[shape.len() - 1];
            for descending in [true, false] {
                for k in [0, 1, 2, last / 2, last] {
                    let k = k.min(last);
                    check(ArgSort { descending, k }, &[x], 0.0);
                }
            }
        }
    }
}

#[test]
fn draws() {
    for state in [
        Array::from([0i32, 0, 0]),
        Array::from([7i32, -1, 3]),
        Array::from([-1i32, i32::MIN, i32::MAX]),
    ] {
        for dtype in [DType::I32, DType::F32, DType::F64, DType::BF16, DType::F16] {
            for n in [0usize, 1, 3, 127, 128, 129, 1000] {
                let op = Random {
                    shape: Shape::from(n),
                    dtype,
                    stream: 9,
                };
                check(op, &[&state], 0.0);
            }
        }
    }
}
