//! Every other family of operations: reductions, products, movement, gathering, sorting, random
//! numbers, and what is composed of them.

use super::{Cases, EXACT, Numbers, Sample, Tolerance};
use crate::array::Array;
use crate::dtype::DType::{self, BF16, Bool, F16, F32, F64, I32, I64, U8};
use crate::ops::conv::{Conv, ConvFn, ConvOptions};
use crate::ops::creation::Scalar;
use crate::ops::cumulative::Cumulative;
use crate::ops::gather::{ScatterAdd, ScatterAddAlong};
use crate::ops::matmul::MatMul;
use crate::ops::movement::{Pad, SliceOp};
use crate::ops::pool::{Pool, PoolFn, Windows};
use crate::ops::reduce::{Reduce, ReduceFn};
use crate::tensor::Tensor;
use std::panic::Location;

const FOLDS: [ReduceFn; 4] = [ReduceFn::Sum, ReduceFn::Prod, ReduceFn::Max, ReduceFn::Min];

const SHAPES: [&[usize]; 12] = [
    &[],
    &[1],
    &[7],
    &[1000],
    &[3, 5],
    &[33, 17],
    &[1, 9],
    &[300, 1],
    &[2, 0],
    &[4, 3, 70],
    &[2, 3, 1, 5],
    &[2, 3, 4, 5],
];

const NUMBERS: [DType; 7] = [U8, I32, I64, BF16, F16, F32, F64];

fn node(op: impl Into<crate::Op>, inputs: &[Tensor]) -> Tensor {
    Tensor::new(op.into(), inputs.to_vec(), Location::caller())
}

/// For sums of `n` numbers.
fn summed(n: usize) -> Tolerance {
    Tolerance {
        relative: 8.0 + n as f64 / 4.0,
        absolute: 4.0 + (n as f64).sqrt(),
    }
}

pub(super) fn add(all: &mut Cases) {
    reductions(all);
    walks(all);
    products(all);
    movement(all);
    gathering(all);
    scattering(all);
    sorting(all);
    random(all);
    hashes(all);
    pooling(all);
    convolution(all);
    composites(all);
}

fn reductions(all: &mut Cases) {
    for shape in SHAPES {
        for mask in 1..1usize << shape.len() {
            let axes: Vec<usize> = (0..shape.len()).filter(|a| mask >> a & 1 == 1).collect();
            for f in FOLDS {
                for dtype in DType::ALL {
                    if dtype == Bool && matches!(f, ReduceFn::Sum | ReduceFn::Prod) {
                        continue;
                    }
                    let axes = axes.clone();
                    let n: usize = axes.iter().map(|a| shape[*a]).product();
                    let name = format!("reduce: {f:?} of {dtype} {shape:?} over {axes:?}");
                    all.sample(name, move || {
                        let mut numbers = Numbers::new(n as u64);
                        let x = match f {
                            ReduceFn::Prod if dtype.is_float() => {
                                numbers.range(dtype, shape, 0.9, 1.1)
                            }
                            _ => numbers.array(dtype, shape),
                        };
                        let axes = axes.clone();
                        let t = match f {
                            ReduceFn::Max | ReduceFn::Min => EXACT,
                            _ => summed(n),
                        };
                        let op = Reduce { f, axes };
                        Sample::of(vec![x], t, |x| vec![node(op.clone(), x)])
                    });
                }
            }
        }
        for axis in 0..shape.len() {
            if shape[axis] == 0 {
                continue;
            }
            for dtype in DType::ALL {
                let name = format!("reduce: argmax and argmin of {dtype} {shape:?} over {axis}");
                all.sample(name, move || {
                    // Few different values: ties.
                    let x = Numbers::new(9).range(I32, shape, 0.0, 5.0).cast(dtype);
                    let a = axis as isize;
                    Sample::of(vec![x], EXACT, |x| vec![x[0].argmax(a), x[0].argmin(a)])
                });
            }
        }
    }
    for dtype in [BF16, F16, F32, F64] {
        all.sample(
            format!("reduce: infinities and NaN of {dtype}"),
            move || {
                let (i, n) = (f64::INFINITY, f64::NAN);
                let x = Array::from(vec![
                    1.0, n, 2.0, i, 1.0, -i, i, -i, 0.0, -0.0, 0.0, 3.0, n, i, n,
                ]);
                let x = x.reshape([5, 3]).expect("15 values").cast(dtype);
                Sample::of(vec![x], summed(5), |x| {
                    let mut all = Vec::new();
                    for a in 0..2 {
                        all.push(x[0].max_axes(&[a], false));
                        all.push(x[0].min_axes(&[a], false));
                        all.push(x[0].sum_axes(&[a], false));
                        all.push(x[0].argmax(a));
                        all.push(x[0].argmin(a));
                    }
                    all
                })
            },
        );
    }
}

fn walks(all: &mut Cases) {
    for shape in SHAPES {
        for axis in 0..shape.len() {
            for (k, f) in FOLDS.into_iter().enumerate() {
                for dtype in NUMBERS {
                    let name = format!("cumulative: {f:?} of {dtype} {shape:?} along {axis}");
                    all.sample(name, move || {
                        let x = Numbers::new(k as u64).range(dtype, shape, 0.5, 2.0);
                        let t = match f {
                            ReduceFn::Max | ReduceFn::Min => EXACT,
                            _ => summed(shape[axis]),
                        };
                        Sample::of(vec![x], t, |x| {
                            let ways = [(false, false), (true, false), (false, true), (true, true)];
                            let op = |(reverse, exclusive)| Cumulative {
                                f,
                                axis,
                                reverse,
                                exclusive,
                            };
                            ways.map(|w| node(op(w), x)).to_vec()
                        })
                    });
                }
            }
        }
    }
}

fn products(all: &mut Cases) {
    let extents = [
        (1, 1, 1, 1),
        (1, 5, 1, 3),
        (1, 1, 64, 10),
        (1, 7, 33, 1),
        (1, 17, 9, 31),
        (3, 4, 5, 6),
        (2, 33, 65, 17),
        (1, 65, 130, 70),
        (1, 3, 0, 4),
        (0, 3, 2, 4),
        (1, 0, 3, 4),
        (5, 1, 8, 1),
    ];
    for (batch, m, k, n) in extents {
        for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
            for dtype in NUMBERS {
                let name = format!("matmul: {batch}x{m}x{k}x{n} of {dtype}, {ta} {tb}");
                all.sample(name, move || {
                    let mut numbers = Numbers::new(k as u64);
                    let shape = |t: bool, r: usize, c: usize| {
                        let (r, c) = if t { (c, r) } else { (r, c) };
                        if batch == 1 {
                            vec![r, c]
                        } else {
                            vec![batch, r, c]
                        }
                    };
                    let a = numbers.array(dtype, shape(ta, m, k));
                    let b = numbers.array(dtype, shape(tb, k, n));
                    let op = MatMul {
                        transpose_a: ta,
                        transpose_b: tb,
                    };
                    Sample::of(vec![a, b], summed(k), |x| vec![node(op, x)])
                });
            }
        }
    }
    let shapes: [(&[usize], &[usize]); 7] = [
        (&[5], &[5]),
        (&[5], &[5, 3]),
        (&[4, 5], &[5]),
        (&[2, 3, 4, 5], &[5, 6]),
        (&[2, 1, 4, 5], &[3, 5, 6]),
        (&[4, 5], &[2, 5, 3]),
        (&[2, 4, 5], &[5]),
    ];
    for (a, b) in shapes {
        all.sample(format!("matmul: {a:?} by {b:?}"), move || {
            let mut n = Numbers::new(3);
            let inputs = vec![n.array(F32, a), n.array(F32, b)];
            Sample::of(inputs, summed(5), |x| vec![x[0].matmul(&x[1])])
        });
    }
    all.sample("matmul: infinities and NaN", || {
        let a = Array::from([[f32::INFINITY, 0.0], [1.0, f32::NAN]]);
        let b = Array::from([[0.0f32, 1.0, 2.0], [0.0, 1.0, -1.0]]);
        Sample::of(vec![a, b], summed(2), |x| vec![x[0].matmul(&x[1])])
    });
}

fn movement(all: &mut Cases) {
    for dtype in DType::ALL {
        let name = |what: &str| format!("movement: {what} of {dtype}");
        let x = move |shape: &[usize]| Numbers::new(1).array(dtype, shape);
        all.sample(name("transpose"), move || {
            Sample::of(
                vec![x(&[2, 3, 4, 5]), x(&[33, 65]), x(&[0, 3])],
                EXACT,
                |x| {
                    vec![
                        x[0].transpose(&[3, 1, 0, 2]),
                        x[0].transpose(&[0, 2, 1, 3]),
                        x[0].transpose(&[1, 2, 3, 0]),
                        x[0].t().reshape([120]),
                        x[1].t(),
                        x[2].t(),
                    ]
                },
            )
        });
        all.sample(name("broadcast"), move || {
            Sample::of(vec![x(&[3, 1]), x(&[]), x(&[1, 0])], EXACT, |x| {
                vec![
                    x[0].broadcast_to([2, 3, 7]),
                    x[0].broadcast_to([3, 33]).t(),
                    x[1].broadcast_to([5, 2]),
                    x[2].broadcast_to([4, 0]),
                    x[0].expand_dims(1).broadcast_to([3, 4, 2]).reshape([12, 2]),
                ]
            })
        });
        all.sample(name("slice"), move || {
            Sample::of(vec![x(&[9, 10]), x(&[1001])], EXACT, |x| {
                let slice = |start: [usize; 2], len: [usize; 2], step: [isize; 2]| {
                    x[0].slice_with(SliceOp {
                        start: start.to_vec(),
                        len: len.to_vec(),
                        step: step.to_vec(),
                    })
                };
                let inner = slice([8, 1], [3, 4], [-4, 2]);
                vec![
                    inner.flip(0).t(),
                    inner,
                    slice([2, 3], [5, 7], [1, 1]),
                    slice([0, 9], [9, 10], [1, -1]),
                    slice([4, 4], [0, 3], [1, -2]),
                    x[1].flip(0),
                    x[1].narrow(0, 17, 900),
                ]
            })
        });
        all.sample(name("pad"), move || {
            Sample::of(vec![x(&[3, 4]), x(&[2, 0]), x(&[])], EXACT, |x| {
                let pad = |low: [usize; 2], high: [usize; 2], interior: [usize; 2]| Pad {
                    low: low.to_vec(),
                    high: high.to_vec(),
                    interior: interior.to_vec(),
                    value: Scalar::Int(1),
                };
                vec![
                    x[0].pad_with(pad([1, 2], [0, 3], [0, 0])),
                    x[0].pad_with(pad([0, 0], [2, 0], [2, 0])),
                    x[0].pad_with(pad([0, 1], [0, 0], [1, 3])),
                    x[0].pad_with(pad([0, 0], [0, 0], [0, 0])),
                    x[1].pad_with(pad([1, 2], [0, 1], [1, 1])),
                    x[2].pad(&[], 1.0),
                ]
            })
        });
        all.sample(name("concatenate"), move || {
            let inputs = vec![x(&[3, 4]), x(&[3, 1]), x(&[3, 0]), x(&[7, 4])];
            Sample::of(inputs, EXACT, |x| {
                let (a, b, c, d) = (&x[0], &x[1], &x[2], &x[3]);
                vec![
                    Tensor::concat(&[a.clone(), b.clone(), c.clone(), b.clone()], 1),
                    Tensor::concat(&[a.clone(), d.clone(), a.clone()], 0),
                    Tensor::concat(std::slice::from_ref(c), 0),
                    Tensor::stack(&[a.clone(), a.flip(0)], 2),
                ]
            })
        });
    }
}

fn gathering(all: &mut Cases) {
    for dtype in DType::ALL {
        for index in [U8, I32, I64] {
            for row in [1usize, 3, 8, 100] {
                let name = format!("gather: rows of {row} {dtype} by {index}");
                all.sample(name, move || {
                    let mut n = Numbers::new(row as u64);
                    let low = if index == U8 { 0.0 } else { -12.0 };
                    let x = n.array(dtype, [10, row]);
                    let i = n.range(index, [3, 7], low, 12.0);
                    let along = n.range(index, [4, row], low, 12.0);
                    Sample::of(vec![x, i, along], EXACT, |x| {
                        vec![
                            x[0].take(&x[1], 0),
                            x[0].t().take(&x[1], 1),
                            x[0].take_along(&x[2], 0),
                            x[0].take(x[1].narrow(0, 1, 1).reshape([7]), 0),
                        ]
                    })
                });
                if dtype == Bool {
                    continue;
                }
                let name = format!("gather: sums of rows of {row} {dtype} by {index}");
                all.sample(name, move || {
                    let mut n = Numbers::new(row as u64);
                    let low = if index == U8 { 0.0 } else { -7.0 };
                    let x = n.array(dtype, [23, row]);
                    let i = n.range(index, [23], low, 8.0);
                    let along = n.range(index, [23, row], low, 8.0);
                    Sample::of(vec![x, i, along], summed(23), |x| {
                        let op = |axis| ScatterAdd { axis, len: 5 };
                        let along = |axis| ScatterAddAlong { axis, len: 6 };
                        vec![
                            node(op(0), &x[..2]),
                            node(op(1), &[x[0].t(), x[1].clone()]),
                            node(along(0), &[x[0].clone(), x[2].clone()]),
                            node(along(1), &[x[0].clone(), x[2].clone()]),
                        ]
                    })
                });
            }
        }
    }
}

fn scattering(all: &mut Cases) {
    for dtype in [BF16, F32, F64] {
        for (rows, row) in [(1usize, 1usize), (90, 100), (700, 16), (3, 5000)] {
            let name = format!("scatter: {rows} rows of {row} {dtype}, and what follows");
            all.sample(name, move || {
                let mut n = Numbers::new(row as u64);
                let x = n.array(dtype, [23, row]);
                let low = -1.5 * rows as f64;
                let i = n.range(I32, [23], low, 1.5 * rows as f64);
                let (w, b) = (n.array(dtype, [rows, row]), n.array(dtype, [row]));
                Sample::of(vec![x, i, w, b], summed(23), move |x| {
                    let sums = node(ScatterAdd { axis: 0, len: rows }, &x[..2]);
                    let lines = x[0].reshape([23, row, 1]);
                    let deep = node(ScatterAdd { axis: 0, len: rows }, &[lines, x[1].clone()]);
                    let moved = &x[2] * 0.5 + &sums;
                    vec![
                        &moved - sums.square() * 0.1 + &x[3],
                        moved,
                        deep * x[2].reshape([rows, row, 1]),
                    ]
                })
            });
        }
    }
}

fn sorting(all: &mut Cases) {
    for dtype in DType::ALL {
        for length in [1usize, 2, 7, 100, 1000] {
            all.sample(format!("sort: {dtype} {length}"), move || {
                let mut n = Numbers::new(length as u64);
                let mut x = n.range(I32, [3, length], 0.0, 50.0).cast(dtype);
                if dtype.is_float() && length > 6 {
                    let mut v = x.to_vec::<f64>();
                    let special = [f64::NAN, -0.0, 0.0, f64::INFINITY, f64::NEG_INFINITY, -0.0];
                    v[1..7].copy_from_slice(&special);
                    v[2 * length] = f64::NAN;
                    x = Array::from(v)
                        .cast(dtype)
                        .reshape([3, length])
                        .expect("same size");
                }
                Sample::of(vec![x], EXACT, |x| {
                    let (values, indices) = x[0].top_k(length.min(5));
                    vec![
                        x[0].argsort(false),
                        x[0].argsort(true),
                        values,
                        indices,
                        x[0].top_k(length.div_ceil(2)).1,
                    ]
                })
            });
        }
    }
}

fn hashes(all: &mut Cases) {
    for shape in SHAPES {
        all.sample(format!("hash: {shape:?}"), move || {
            let mut numbers = Numbers::new(shape.len() as u64);
            let mut draw = || {
                let numbers = numbers.range(F64, shape, -9.2e18, 9.2e18);
                // Numbers of every length.
                let digits = |(i, v): (usize, f64)| v as i64 / 10i64.pow(i as u32 % 19);
                let values = numbers.to_vec::<f64>().into_iter().enumerate().map(digits);
                Array::from_vec(shape, values.collect()).expect("one value per element")
            };
            let (x, y) = (draw(), draw());
            Sample::of(vec![x, y], EXACT, |x| {
                vec![
                    x[0].hash_decimal(None),
                    x[0].hash_decimal(Some([133, u64::MAX])),
                    x[0].hash_joined(&x[1]),
                ]
            })
        });
    }
}

fn random(all: &mut Cases) {
    for dtype in [I32, BF16, F16, F32, F64] {
        for n in [0usize, 1, 5, 127, 1030] {
            all.sample(format!("random: {n} {dtype}"), move || {
                let state = Array::from([7i32, -3, n as i32]);
                Sample::of(vec![state], EXACT, |x| {
                    vec![
                        Tensor::random(&x[0], 0, [n], dtype),
                        Tensor::random(&x[0], 5, [n, 3], dtype),
                        Tensor::random(&(&x[0] + 1), 0, [n], dtype),
                    ]
                })
            });
        }
    }
}

fn pooling(all: &mut Cases) {
    type Axis = (usize, usize, (usize, usize));
    const PLAIN: Axis = (2, 2, (0, 0));
    let cases: [(&[usize], &[Axis]); 11] = [
        (&[2, 4, 6, 5], &[PLAIN, PLAIN]),
        (&[1, 7, 5, 33], &[PLAIN, PLAIN]),
        (&[2, 7, 5, 3], &[(3, 2, (1, 1)), (2, 1, (0, 1))]),
        (&[3, 5, 5, 16], &[(3, 1, (1, 1)), (3, 1, (1, 1))]),
        (&[2, 9, 8, 1], &[(2, 3, (0, 0)), (3, 2, (1, 0))]),
        (&[4, 26, 26, 32], &[PLAIN, PLAIN]),
        (&[3, 8, 7], &[(3, 2, (1, 1))]),
        (&[1, 1, 70], &[(1, 1, (0, 0))]),
        (&[2, 4, 5, 6, 3], &[PLAIN, (3, 1, (1, 1)), (2, 3, (0, 0))]),
        (&[0, 4, 4, 2], &[PLAIN, PLAIN]),
        (&[2, 4, 4, 0], &[PLAIN, PLAIN]),
    ];
    for (shape, axes) in cases {
        let spatial = shape[1..shape.len() - 1].to_vec();
        let windows = Windows {
            size: axes.iter().map(|a| a.0).collect(),
            strides: axes.iter().map(|a| a.1).collect(),
            padding: axes.iter().map(|a| a.2).collect(),
        };
        for dtype in NUMBERS {
            let (spatial, windows) = (spatial.clone(), windows.clone());
            all.sample(format!("pool: {dtype} {shape:?}, {windows}"), move || {
                let mut numbers = Numbers::new(5);
                // Few different values: ties.
                let x = numbers.range(I32, shape, 0.0, 6.0).cast(dtype);
                let v = numbers.range(dtype, shape, 0.0, 9.0);
                let pooled = Tensor::zeros(shape, dtype).max_pool(windows.clone());
                let g = numbers.range(dtype, pooled.shape().clone(), 0.0, 5.0);
                let cells = windows.size.iter().product();
                Sample::of(vec![x, v, g], summed(cells), |x| {
                    let pool = |f: PoolFn, operands: &[Tensor]| {
                        let op = Pool {
                            f,
                            windows: windows.clone(),
                            spatial: spatial.clone(),
                        };
                        node(op, operands)
                    };
                    let [x, v, g] = [0, 1, 2].map(|i| x[i].clone());
                    vec![
                        pool(PoolFn::Max, std::slice::from_ref(&x)),
                        pool(PoolFn::MaxScatter, &[x.clone(), g.clone()]),
                        pool(PoolFn::MaxGather, &[x, v.clone()]),
                        pool(PoolFn::Sum, &[v]),
                        pool(PoolFn::SumScatter, &[g]),
                    ]
                })
            });
        }
    }
    for dtype in [BF16, F16, F32, F64] {
        all.sample(format!("pool: NaN and infinities of {dtype}"), move || {
            let (i, n) = (f64::INFINITY, f64::NAN);
            let x = Array::from(vec![1.0, n, 2.0, -i, -i, -i, n, i, -0.0, 0.0, 3.0, n]);
            let x = x.reshape([1, 12, 1]).expect("12 values").cast(dtype);
            Sample::of(vec![x], EXACT, |x| {
                let windows = |size: usize| Windows {
                    size: vec![size],
                    strides: vec![size],
                    padding: vec![(0, 0)],
                };
                vec![x[0].max_pool(windows(2)), x[0].max_pool(windows(3))]
            })
        });
    }
}

/// Convolutions worth a test: batch, channels, filters, groups, and for each axis the extent, kernel,
/// stride, dilation and padding.
type Convolution = (usize, usize, usize, usize, &'static [[usize; 6]]);

const CONVOLUTIONS: [Convolution; 23] = [
    (2, 3, 5, 1, &[[7, 3, 1, 1, 0, 0], [6, 2, 1, 1, 0, 0]]),
    (1, 1, 32, 1, &[[28, 3, 1, 1, 0, 0], [28, 3, 1, 1, 0, 0]]),
    (3, 32, 64, 1, &[[9, 3, 1, 1, 0, 0], [8, 3, 1, 1, 0, 0]]),
    (2, 16, 16, 1, &[[8, 3, 1, 1, 1, 1], [8, 3, 1, 1, 1, 1]]),
    (2, 16, 32, 1, &[[8, 3, 2, 1, 0, 1], [9, 3, 2, 1, 1, 1]]),
    (2, 8, 12, 1, &[[8, 1, 1, 1, 0, 0], [5, 1, 1, 1, 0, 0]]),
    (2, 8, 12, 1, &[[8, 1, 2, 1, 0, 0], [5, 1, 3, 1, 0, 0]]),
    (2, 4, 6, 2, &[[7, 3, 1, 2, 2, 1], [8, 2, 2, 3, 0, 2]]),
    (2, 6, 6, 6, &[[7, 3, 1, 1, 1, 1], [6, 3, 2, 1, 1, 0]]),
    (2, 20, 40, 20, &[[7, 3, 1, 1, 1, 1], [6, 3, 1, 2, 2, 2]]),
    (2, 3, 4, 1, &[[5, 2, 3, 1, 3, 4], [4, 4, 1, 1, 5, 0]]),
    (3, 4, 7, 1, &[[19, 5, 1, 1, 4, 0]]),
    (2, 5, 3, 1, &[[12, 4, 3, 2, 1, 2]]),
    (
        1,
        2,
        3,
        1,
        &[[4, 2, 1, 1, 0, 0], [5, 3, 2, 1, 1, 1], [3, 2, 1, 1, 1, 0]],
    ),
    (0, 3, 4, 1, &[[5, 3, 1, 1, 0, 0]]),
    (64, 8, 8, 1, &[[17, 3, 1, 1, 1, 1], [15, 3, 1, 1, 1, 1]]),
    (3, 3, 20, 1, &[[11, 3, 2, 1, 1, 0], [19, 3, 2, 1, 2, 1]]),
    (2, 5, 44, 1, &[[9, 3, 1, 2, 2, 2], [14, 5, 1, 1, 3, 3]]),
    (4, 2, 4, 1, &[[2, 3, 1, 1, 2, 2], [3, 2, 1, 1, 8, 8]]),
    (9, 4, 7, 1, &[[33, 5, 1, 1, 4, 0]]),
    (5, 16, 48, 1, &[[7, 3, 1, 1, 1, 1], [7, 3, 1, 1, 1, 1]]),
    (5, 32, 16, 1, &[[5, 3, 1, 1, 2, 2], [9, 3, 1, 1, 0, 2]]),
    (70, 16, 16, 1, &[[1, 3, 1, 1, 1, 1], [2, 3, 1, 1, 3, 0]]),
];

/// The operation without `f`, and the shapes of input, kernel and output.
fn convolved(case: &Convolution) -> (Conv, [Vec<usize>; 3]) {
    let (batch, channels, filters, groups, axes) = *case;
    let of = |i: usize| axes.iter().map(|a| a[i]).collect::<Vec<_>>();
    let op = Conv {
        f: ConvFn::Output,
        options: ConvOptions {
            strides: of(2),
            dilation: of(3),
            padding: axes.iter().map(|a| (a[4], a[5])).collect(),
            groups,
        },
        spatial: of(0),
        size: of(1),
    };
    let places = op.places().expect("they fit");
    let around = |n: usize, extents: &[usize], last: usize| [&[n], extents, &[last]].concat();
    let input = around(batch, &op.spatial, channels);
    let output = around(batch, &places, filters);
    let kernel = [&op.size[..], &[channels / groups, filters]].concat();
    (op, [input, kernel, output])
}

fn convolution(all: &mut Cases) {
    for case in CONVOLUTIONS {
        for dtype in [BF16, F16, F32, F64] {
            let (op, shapes) = convolved(&case);
            // Long sums of few bits say little.
            if !matches!(dtype, F32 | F64) && case.0 * case.1 > 100 {
                continue;
            }
            let name = format!(
                "conv: {dtype} {:?} by {:?}, {}",
                shapes[0], shapes[1], op.options
            );
            all.sample(name, move || {
                let mut numbers = Numbers::new(11);
                let arrays: Vec<Array> = shapes
                    .iter()
                    .map(|s| numbers.range(dtype, &s[..], -1.0, 1.0))
                    .collect();
                let n = shapes[2]
                    .iter()
                    .product::<usize>()
                    .max(shapes[1].iter().product());
                let op = op.clone();
                Sample::of(arrays, summed(n), move |x| {
                    let conv = |f: ConvFn, a: &Tensor, b: &Tensor| {
                        node(Conv { f, ..op.clone() }, &[a.clone(), b.clone()])
                    };
                    let (x, w, y) = (&x[0], &x[1], &x[2]);
                    let bias = Tensor::iota([w.shape()[w.rank() - 1]], 0, dtype) * 0.25;
                    vec![
                        conv(ConvFn::Output, x, w),
                        (conv(ConvFn::Output, x, &(w * 0.5)) + bias).relu(),
                        conv(ConvFn::Input, y, w),
                        x.gt(0.0).select(conv(ConvFn::Input, y, &(w * 0.5)), 0.0),
                        conv(ConvFn::Kernel, x, y),
                        w - conv(ConvFn::Kernel, x, &(y * 0.5)) * 0.125,
                    ]
                })
            });
        }
    }
}

fn composites(all: &mut Cases) {
    for dtype in [BF16, F16, F32, F64] {
        let shapes: [&[usize]; 5] = [&[7], &[3, 10], &[4, 1], &[33, 130], &[2, 3, 5]];
        for shape in shapes {
            let t = Tolerance {
                relative: 60.0,
                absolute: 8.0,
            };
            let name = |what: &str| format!("composite: {what} of {dtype} {shape:?}");
            let one = move || vec![Numbers::new(2).range(dtype, shape, -4.0, 4.0)];
            all.sample(name("softmax"), move || {
                Sample::of(one(), t, |x| vec![x[0].softmax(-1), x[0].softmax(0)])
            });
            all.sample(name("log_softmax"), move || {
                Sample::of(one(), t, |x| {
                    vec![x[0].log_softmax(-1), x[0].log_softmax(0)]
                })
            });
            all.sample(name("logsumexp"), move || {
                Sample::of(one(), t, |x| {
                    vec![x[0].logsumexp(&[-1], false), x[0].logsumexp(&[0], true)]
                })
            });
            all.sample(name("softplus and clip"), move || {
                Sample::of(one(), t, |x| vec![x[0].softplus(), x[0].clip(-1.0, 2.0)])
            });
            all.sample(name("moments"), move || {
                Sample::of(one(), t, |x| {
                    vec![
                        x[0].mean(),
                        x[0].mean_axes(&[-1], true),
                        x[0].variance_axes(&[-1], false),
                        x[0].variance_axes(&[0], true),
                    ]
                })
            });
        }
    }
    all.sample("composite: one_hot", || {
        let labels = Array::from([0i32, 4, -1, 5, 2, 2]);
        Sample::of(vec![labels], EXACT, |x| {
            vec![x[0].one_hot(5, F32), x[0].reshape([2, 3]).one_hot(5, I32)]
        })
    });
    all.sample("composite: counting", || {
        let outputs = vec![
            Tensor::arange(33, F32),
            Tensor::iota([2, 3, 4], 1, I64),
            Tensor::eye(5, F32),
            Tensor::iota([3, 0], 0, U8),
        ];
        Sample::new(Vec::new(), outputs, EXACT)
    });
}
