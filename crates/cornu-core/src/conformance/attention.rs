//! Attention: against its loops, against the same made of small operations, and its gradients against
//! differences.

use super::gradients::Maker;
use super::{Cases, Numbers, Sample, Tolerance, compare};
use crate::array::Array;
use crate::dtype::DType::{self, Bool, F32, F64};
use crate::grad;
use crate::ops::attention::{Attention, FAR, Kept};
use crate::tensor::Tensor;

/// Batch, steps, others, heads, d, size: whole blocks, parts of them, nothing.
const EXTENTS: [[usize; 6]; 9] = [
    [2, 3, 4, 2, 5, 3],
    [1, 1, 1, 1, 1, 1],
    [2, 70, 33, 3, 8, 40],
    [1, 33, 200, 2, 32, 32],
    [3, 9, 70, 1, 17, 9],
    [2, 5, 2100, 1, 4, 4],
    [0, 3, 4, 2, 5, 3],
    [2, 0, 4, 2, 5, 3],
    [2, 3, 0, 2, 5, 3],
];

/// Queries, keys, values, and masks of three kinds, the first of which has rows in which nothing is seen.
fn arrays([batch, steps, others, heads, d, size]: [usize; 6], dtype: DType) -> Vec<Array> {
    let mut n = Numbers::new(19);
    let scale = 1.0 / (d as f64).sqrt();
    let mut mask = |batch: usize, steps: usize| {
        let seen = n.range(DType::I32, [batch, steps, others], 0.0, 3.0);
        seen.cast(Bool)
    };
    let mut masks = vec![mask(batch, steps), mask(1, steps), mask(batch, 1)];
    let blind = Array::full(Bool, [batch, 1, others], 0.0);
    if steps == 1 {
        masks[0] = blind;
    } else if steps > 1 {
        let seen = masks[0].to_vec::<f64>();
        let zero = |(i, x): (usize, &f64)| {
            if i / others.max(1) % steps == 1 {
                0.0
            } else {
                *x
            }
        };
        let seen: Vec<f64> = seen.iter().enumerate().map(zero).collect();
        let seen = Array::from(seen).reshape([batch, steps, others]);
        masks[0] = seen.expect("the same size").cast(Bool);
    }
    let mut all = vec![
        n.range(dtype, [batch, steps, heads, d], -2.0 * scale, 2.0 * scale),
        n.range(dtype, [batch, others, heads, d], -2.0, 2.0),
        n.range(dtype, [batch, others, heads, size], -1.0, 1.0),
    ];
    all.extend(masks);
    all
}

/// What is done with operands: which mask there is, if any.
#[derive(Clone, Copy, Debug)]
struct With {
    mask: Option<usize>,
    nowhere: bool,
    kept: Kept,
}

fn run(with: With, x: &[Tensor]) -> Tensor {
    let op = Attention {
        masked: false,
        nowhere: with.nowhere,
        kept: with.kept,
    };
    op.run(&x[0], &x[1], &x[2], with.mask.map(|i| &x[3 + i]))
}

/// The result and its gradients, everything counting.
fn with_gradients(y: Tensor, x: &[Tensor]) -> Vec<Tensor> {
    let weights = Numbers::new(3).range(y.dtype(), y.shape().clone(), 0.5, 1.5);
    let loss = (&y * Tensor::constant(weights)).sum();
    let mut all = vec![y];
    all.extend(grad(&loss, &[&x[0], &x[1], &x[2]]));
    all
}

/// [`run`] made of small operations.
fn composite(with: With, x: &[Tensor]) -> Tensor {
    let heads = |x: &Tensor| x.transpose(&[0, 2, 1, 3]);
    let scores = heads(&x[0]).matmul(heads(&x[1]).t());
    let mask = with.mask.map(|i| x[3 + i].expand_dims(1));
    let shares = match &mask {
        None => scores.softmax(-1),
        Some(mask) => mask.select(&scores, FAR).softmax(-1),
    };
    let shares = match &mask {
        Some(mask) if with.nowhere => mask.select(&shares, 0.0),
        _ => shares,
    };
    heads(&shares.matmul(heads(&x[2])))
}

pub(super) fn add(all: &mut Cases) {
    let tolerance = Tolerance {
        relative: 64.0,
        absolute: 64.0,
    };
    let kinds = [
        (None, false, Kept::Shares),
        (None, true, Kept::Sums),
        (Some(0), false, Kept::Sums),
        (Some(0), true, Kept::Shares),
        (Some(1), false, Kept::Shares),
        (Some(2), true, Kept::Sums),
    ];
    for (mask, nowhere, kept) in kinds {
        let with = With {
            mask,
            nowhere,
            kept,
        };
        for extents in EXTENTS {
            for dtype in [F32, F64] {
                let name = format!("attention: {dtype} {extents:?} {with:?}");
                all.sample(name.clone(), move || {
                    Sample::of(arrays(extents, dtype), tolerance, |x| {
                        with_gradients(run(with, x), x)
                    })
                });
                all.sample(format!("{name}, forward alone"), move || {
                    Sample::of(arrays(extents, dtype), tolerance, |x| vec![run(with, x)])
                });
            }
        }
        all.check(
            format!("attention: as small operations, {with:?}"),
            move |device| {
                let x: Vec<Tensor> = arrays([2, 3, 4, 2, 5, 3], F64)
                    .into_iter()
                    .map(Tensor::constant)
                    .collect();
                let of = |y| {
                    device
                        .eval(&with_gradients(y, &x))
                        .map_err(|e| e.to_string())
                };
                let (got, expected) = (of(run(with, &x))?, of(composite(with, &x))?);
                got.iter()
                    .zip(&expected)
                    .try_for_each(|(a, b)| compare(a, b, tolerance, 1.0))
            },
        );
        let mut maker = Maker(all);
        let inputs = arrays([2, 3, 4, 2, 2, 3], F64);
        maker.with(&format!("attention, {with:?}"), inputs.clone(), move |x| {
            run(with, x)
        });
        maker.with(&format!("attention, {with:?}, second"), inputs, move |x| {
            let all = with_gradients(run(with, x), x);
            let all: Vec<Tensor> = all.iter().map(|g| g.square().sum()).collect();
            all.into_iter()
                .reduce(|a, b| a + b)
                .expect("there are some")
        });
    }
    for (name, value) in [("NaN", f64::NAN), ("an infinity", f64::INFINITY)] {
        for place in 0..3 {
            all.sample(format!("attention: {name} in operand {place}"), move || {
                let mut arrays = arrays([2, 20, 37, 2, 8, 8], F32);
                let mut values = arrays[place].to_vec::<f64>();
                values[9] = value;
                let shape = arrays[place].shape().clone();
                let values = Array::from(values).reshape(shape).expect("the same size");
                arrays[place] = values.cast(F32);
                Sample::of(arrays, tolerance, |x| {
                    let with = With {
                        mask: None,
                        nowhere: false,
                        kept: Kept::Shares,
                    };
                    with_gradients(run(with, x), x)
                })
            });
        }
    }
    // Of one tensor that is queries, keys and values.
    let mut maker = Maker(all);
    let inputs = vec![Numbers::new(5).range(F64, [1, 3, 2, 2], -1.0, 1.0)];
    maker.with("attention of one tensor, second", inputs, |x| {
        let with = With {
            mask: None,
            nowhere: false,
            kept: Kept::Shares,
        };
        let y = run(with, &[x[0].clone(), x[0].clone(), x[0].clone()]);
        let y = &y * &y;
        grad(&y.sum(), &[&x[0]])[0].square().sum()
    });
}
