//! Recurrent cells over whole sequences: against their loops, against the same made of small
//! operations, and their gradients against differences.

use super::gradients::Maker;
use super::{Cases, Numbers, Sample, Tolerance, compare};
use crate::array::Array;
use crate::dtype::DType::{self, Bool, F32, F64};
use crate::grad;
use crate::ops::recurrent::{Cell, Gate, Operands, Recurrent};
use crate::tensor::Tensor;

const CELLS: [Cell; 4] = [
    Cell::Simple,
    Cell::Lstm,
    Cell::Gru { reset_after: true },
    Cell::Gru { reset_after: false },
];

/// Batch, steps, units: whole blocks, parts of them, nothing.
const EXTENTS: [[usize; 3]; 8] = [
    [2, 3, 4],
    [1, 1, 1],
    [9, 5, 33],
    [32, 6, 64],
    [70, 2, 17],
    [3, 0, 5],
    [0, 3, 5],
    [5, 4, 80],
];

fn op(cell: Cell, reverse: bool) -> Recurrent {
    Recurrent {
        cell,
        activation: Gate::Tanh,
        recurrent_activation: Gate::Sigmoid,
        reverse,
        masked: false,
        taped: true,
    }
}

/// z, kernel, initial states, bias, mask.
fn arrays(cell: Cell, [batch, steps, units]: [usize; 3], dtype: DType) -> Vec<Array> {
    let columns = units * cell.gates();
    let mut n = Numbers::new(11);
    let scale = 1.0 / (units.max(1) as f64).sqrt();
    let mut all = vec![
        n.range(dtype, [batch, steps, columns], -1.5, 1.5),
        n.range(dtype, [units, columns], -scale, scale),
    ];
    for _ in 0..cell.states() {
        all.push(n.range(dtype, [batch, units], -1.0, 1.0));
    }
    all.push(n.range(dtype, [units], -1.0, 1.0));
    all.push(n.range(DType::I32, [batch, steps], 0.0, 3.0).cast(Bool));
    all
}

/// Outputs and last states; which operands are used is said by the bits of `with`: initial states,
/// bias, mask.
fn run(op: Recurrent, x: &[Tensor], with: usize) -> Vec<Tensor> {
    let states = op.cell.states();
    let y = op.run(&Operands {
        z: &x[0],
        kernel: &x[1],
        initial: (with & 1 != 0).then_some(&x[2..2 + states]),
        bias: (with & 2 != 0).then_some(&x[2 + states]),
        mask: (with & 4 != 0).then(|| &x[3 + states]),
    });
    std::iter::once(y.outputs).chain(y.states).collect()
}

/// A scalar in which everything counts, and its gradients.
fn gradients(y: &[Tensor], x: &[Tensor], with: usize, states: usize) -> Vec<Tensor> {
    let loss = y.iter().enumerate().map(|(i, y)| {
        let weights = Numbers::new(3 + i as u64).range(y.dtype(), y.shape().clone(), 0.5, 1.5);
        (y * Tensor::constant(weights)).sum()
    });
    let loss = loss.reduce(|a, b| a + b).expect("there are outputs");
    let mut wrt = vec![&x[0], &x[1]];
    if with & 1 != 0 {
        wrt.extend(&x[2..2 + states]);
    }
    if with & 2 != 0 {
        wrt.push(&x[2 + states]);
    }
    grad(&loss, &wrt)
}

/// [`run`] made of small operations.
fn composite(op: Recurrent, x: &[Tensor], with: usize) -> Vec<Tensor> {
    let (z, kernel, states) = (&x[0], &x[1], op.cell.states());
    let (batch, steps, u) = (z.shape()[0], z.shape()[1], kernel.shape()[0]);
    let zeros = || Tensor::zeros([batch, u], z.dtype());
    let mut state: Vec<Tensor> = match with & 1 {
        0 => (0..states).map(|_| zeros()).collect(),
        _ => x[2..2 + states].to_vec(),
    };
    let mut outputs = Vec::new();
    for step in 0..steps {
        let t = if op.reverse { steps - 1 - step } else { step };
        let at = z.narrow(1, t, 1).squeeze(1);
        let h = &state[0];
        let q = h.matmul(kernel);
        let part = |x: &Tensor, i: usize| x.narrow(1, i * u, u);
        let sum = |i: usize| part(&at, i) + part(&q, i);
        let next = match op.cell {
            Cell::Simple => vec![sum(0).tanh()],
            Cell::Lstm => {
                let c = sum(1).sigmoid() * &state[1] + sum(0).sigmoid() * sum(2).tanh();
                vec![sum(3).sigmoid() * c.tanh(), c]
            }
            Cell::Gru { reset_after } => {
                let (z, r) = (sum(0).sigmoid(), sum(1).sigmoid());
                let inner = match (reset_after, with & 2) {
                    (true, 0) => r * part(&q, 2),
                    (true, _) => r * (part(&q, 2) + &x[2 + states]),
                    (false, _) => (r * h).matmul(kernel.narrow(1, 2 * u, u)),
                };
                let candidate = (part(&at, 2) + inner).tanh();
                vec![&z * h + (1.0 - &z) * candidate]
            }
        };
        state = match with & 4 {
            0 => next,
            _ => {
                let counts = x[3 + states].narrow(1, t, 1);
                let pairs = next.iter().zip(&state);
                pairs.map(|(new, old)| counts.select(new, old)).collect()
            }
        };
        outputs.push(state[0].clone());
    }
    std::iter::once(Tensor::stack(&outputs, 1))
        .chain(state)
        .collect()
}

pub(super) fn add(all: &mut Cases) {
    let tolerance = Tolerance {
        relative: 64.0,
        absolute: 64.0,
    };
    for cell in CELLS {
        for extents in EXTENTS {
            for dtype in [F32, F64] {
                for (with, reverse) in [(0, false), (3, true), (7, false), (5, true)] {
                    let with = if cell.has_bias() { with } else { with & !2 };
                    let name = format!("recurrent: {cell:?} {dtype} {extents:?} {with} {reverse}");
                    all.sample(name, move || {
                        Sample::of(arrays(cell, extents, dtype), tolerance, |x| {
                            let mut y = run(op(cell, reverse), x, with);
                            y.extend(gradients(&y, x, with, cell.states()));
                            y
                        })
                    });
                }
            }
        }
        activations(all, cell, tolerance);
        for with in if cell.has_bias() {
            [0, 1, 3, 7]
        } else {
            [0, 1, 4, 5]
        } {
            let name = format!("recurrent: {cell:?} as small operations, {with}");
            all.check(name, move |device| {
                let x: Vec<Tensor> = arrays(cell, [3, 4, 5], F64)
                    .into_iter()
                    .map(Tensor::constant)
                    .collect();
                let op = op(cell, with == 1);
                let all = |y: Vec<Tensor>| {
                    let gradients = gradients(&y, &x, with, cell.states());
                    let all: Vec<Tensor> = y.into_iter().chain(gradients).collect();
                    device.eval(&all).map_err(|e| e.to_string())
                };
                let (got, expected) = (all(run(op, &x, with))?, all(composite(op, &x, with))?);
                got.iter()
                    .zip(&expected)
                    .try_for_each(|(a, b)| compare(a, b, tolerance, 1.0))
            });
        }
        differences(&mut Maker(all), cell);
    }
}

fn activations(all: &mut Cases, cell: Cell, tolerance: Tolerance) {
    use Gate::*;
    for (activation, recurrent_activation) in [
        (Relu, HardSigmoid),
        (Linear, Sigmoid),
        (Sigmoid, Tanh),
        (HardSigmoid, Linear),
        (Tanh, Relu),
    ] {
        let name = format!("recurrent: {cell:?} with {activation:?} and {recurrent_activation:?}");
        all.sample(name, move || {
            Sample::of(arrays(cell, [5, 3, 9], F64), tolerance, |x| {
                let op = Recurrent {
                    activation,
                    recurrent_activation,
                    ..op(cell, false)
                };
                let mut y = run(op, x, 0);
                y.extend(gradients(&y, x, 0, cell.states()));
                y
            })
        });
    }
}

fn differences(m: &mut Maker<'_>, cell: Cell) {
    for (with, reverse) in [(3, false), (7, true)] {
        let with = if cell.has_bias() { with } else { with & !2 };
        let inputs = arrays(cell, [2, 3, 3], F64);
        let name = format!("recurrent: {cell:?}, {with}");
        m.with(&name, inputs, move |x| {
            let y = run(op(cell, reverse), x, with);
            let rows = y.iter().map(|y| y.reshape([y.size()]));
            Tensor::concat(&rows.collect::<Vec<_>>(), 0)
        });
    }
}
