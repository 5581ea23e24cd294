//! Functions of elements: every function, on every type it takes, over odd lengths and special values.

use super::{Cases, EXACT, Numbers, Sample, Tolerance};
use crate::array::Array;
use crate::dtype::DType;
use crate::ops::elementwise::{BinaryFn, UnaryFn};
use crate::ops::{Op, Operation};
use crate::tensor::{Tensor, TensorType};
use std::panic::Location;

const LENGTHS: [usize; 6] = [0, 1, 7, 33, 64, 1003];

/// Values around which functions change their ways.
const SPECIAL: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.1,
    -0.1,
    1e-6,
    -1e-6,
    3.0,
    -3.0,
    10.0,
    -10.0,
    87.0,
    -87.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

pub(super) fn add(all: &mut Cases) {
    for f in UnaryFn::ALL {
        for dtype in DType::ALL {
            unary(all, f, dtype);
        }
    }
    for f in BinaryFn::ALL {
        for dtype in DType::ALL {
            binary(all, f, dtype);
        }
    }
    for dtype in DType::ALL {
        select(all, dtype);
        for to in DType::ALL {
            cast(all, dtype, to);
        }
    }
}

fn node(op: impl Into<Op>, inputs: &[Tensor]) -> Tensor {
    Tensor::new(op.into(), inputs.to_vec(), Location::caller())
}

fn takes(op: &dyn Operation, dtypes: &[DType]) -> bool {
    let types: Vec<TensorType> = dtypes
        .iter()
        .map(|dtype| TensorType {
            shape: [2].into(),
            dtype: *dtype,
        })
        .collect();
    op.infer(&types).is_ok()
}

/// The special values, then numbers from a range in which the function is defined and finite.
fn operand(n: &mut Numbers, dtype: DType, length: usize, low: f64, high: f64) -> Array {
    if !dtype.is_float() {
        return n.array(dtype, [length]);
    }
    let plain = n.range(dtype, [length], low, high).to_vec::<f64>();
    let values: Vec<f64> = plain
        .into_iter()
        .enumerate()
        .map(|(i, v)| {
            if length > 30 {
                SPECIAL.get(i).copied().unwrap_or(v)
            } else {
                v
            }
        })
        .collect();
    Array::from(values).cast(dtype)
}

/// What a device may differ by: a few units in the last place; where the function crosses 0 at other
/// places than 0, a few of 1.
fn tolerance(f: UnaryFn) -> Tolerance {
    use UnaryFn::*;
    match f {
        Neg | Abs | Sign | Floor | Ceil | Round | Relu | Not | IsNan | IsInf | IsFinite => EXACT,
        Sin | Cos | Tan | Log | Acos | Acosh | Erf | ErfInv => Tolerance {
            relative: 32.0,
            absolute: 0.05,
        },
        _ => Tolerance {
            relative: 16.0,
            absolute: 0.0,
        },
    }
}

fn unary(all: &mut Cases, f: UnaryFn, dtype: DType) {
    use UnaryFn::*;
    if !takes(&f, &[dtype]) {
        return;
    }
    let (low, high) = match f {
        Exp | Expm1 | Sinh | Cosh => (-10.0, 10.0),
        Log | Sqrt | Rsqrt => (0.01, 50.0),
        Log1p | Asin | Acos | Atanh | ErfInv => (-0.99, 0.99),
        Acosh => (1.01, 50.0),
        Tan => (-1.4, 1.4),
        _ => (-20.0, 20.0),
    };
    for length in LENGTHS {
        let name = format!("elementwise: {} of {dtype}, {length}", f.name());
        all.sample(name, move || {
            let x = operand(&mut Numbers::new(1), dtype, length, low, high);
            let mut t = tolerance(f);
            if length > 30 && t.absolute > 0.0 {
                // Special values up to 87 are among the operands; the scale is no larger.
                t.absolute = 2.0 / 87.0;
            }
            Sample::of(vec![x], t, |x| vec![node(f, x)])
        });
    }
}

fn binary(all: &mut Cases, f: BinaryFn, dtype: DType) {
    if !takes(&f, &[dtype; 2]) {
        return;
    }
    let t = match f {
        BinaryFn::Div | BinaryFn::Atan2 => Tolerance {
            relative: 8.0,
            absolute: 0.0,
        },
        BinaryFn::Pow => Tolerance {
            relative: 200.0,
            absolute: 0.0,
        },
        BinaryFn::Rem => Tolerance {
            relative: 8.0,
            absolute: 2.0,
        },
        // The larger of 0 and −0 is either.
        BinaryFn::Add | BinaryFn::Sub | BinaryFn::Mul | BinaryFn::Max | BinaryFn::Min => {
            Tolerance {
                relative: 1.0,
                absolute: 0.0,
            }
        }
        _ => EXACT,
    };
    for length in LENGTHS {
        let name = format!("elementwise: {} of {dtype}, {length}", f.name());
        all.sample(name, move || {
            let mut n = Numbers::new(2);
            let low = if f == BinaryFn::Pow { 0.1 } else { -8.0 };
            // Every special value meets every other.
            let (a, b) = if length > 600 && dtype.is_float() && f != BinaryFn::Rem {
                let k = SPECIAL.len();
                let pick = |of: &dyn Fn(usize) -> usize| {
                    let v: Vec<f64> = (0..k * k).map(|i| SPECIAL[of(i)]).collect();
                    Array::from(v).cast(dtype)
                };
                (pick(&|i| i / k), pick(&|i| i % k))
            } else {
                (
                    n.range(
                        dtype,
                        [length],
                        if dtype == DType::U8 { 0.0 } else { low },
                        8.0,
                    ),
                    n.range(
                        dtype,
                        [length],
                        if dtype == DType::U8 { 0.0 } else { -4.0 },
                        4.0,
                    ),
                )
            };
            Sample::of(vec![a, b], t, |x| vec![node(f, x)])
        });
    }
    let shapes: [(&[usize], &[usize]); 7] = [
        (&[], &[5]),
        (&[3, 1], &[1, 9]),
        (&[4, 5, 33], &[33]),
        (&[4, 5, 7], &[5, 1]),
        (&[1, 0], &[3, 1]),
        (&[2, 3, 4, 5], &[2, 1, 4, 1]),
        (&[2, 3, 4, 5], &[3, 1, 1]),
    ];
    for (a, b) in shapes {
        let name = format!("elementwise: {} of {dtype}, {a:?} and {b:?}", f.name());
        all.sample(name, move || {
            let mut n = Numbers::new(3);
            let low = if dtype.is_float() { 0.2 } else { 0.0 };
            let (x, y) = (n.range(dtype, a, low, 3.0), n.range(dtype, b, low, 3.0));
            Sample::of(vec![x, y], t, |x| {
                let shape = x[0].shape().broadcast(x[1].shape()).expect("chosen so");
                vec![node(
                    f,
                    &[x[0].broadcast_to(&shape), x[1].broadcast_to(&shape)],
                )]
            })
        });
    }
}

fn select(all: &mut Cases, dtype: DType) {
    for length in LENGTHS {
        all.sample(
            format!("elementwise: where of {dtype}, {length}"),
            move || {
                let mut n = Numbers::new(4);
                let inputs = vec![
                    n.array(DType::Bool, [length]),
                    operand(&mut n, dtype, length, -9.0, 9.0),
                    operand(&mut n, dtype, length, -9.0, 9.0),
                ];
                Sample::of(inputs, EXACT, |x| vec![x[0].select(&x[1], &x[2])])
            },
        );
    }
}

fn cast(all: &mut Cases, from: DType, to: DType) {
    for length in LENGTHS {
        all.sample(
            format!("elementwise: cast of {from} to {to}, {length}"),
            move || {
                let mut n = Numbers::new(5);
                let mut x = operand(&mut n, from, length, -300.0, 300.0);
                if from == DType::I64 && length > 30 {
                    let extremes = [i64::MAX, i64::MIN, 1 << 40, -(1 << 33) - 5, 300, -1];
                    let mut v = x.to_vec::<i64>();
                    v[..6].copy_from_slice(&extremes);
                    x = Array::from(v);
                }
                let t = if to.is_float() && to != from {
                    Tolerance {
                        relative: 1.0,
                        absolute: 0.0,
                    }
                } else {
                    EXACT
                };
                Sample::of(vec![x], t, |x| vec![x[0].cast(to)])
            },
        );
    }
}
