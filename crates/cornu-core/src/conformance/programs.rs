//! Programs with several outputs, updates in place, shared parts and chains that fuse.

use super::{Cases, EXACT, Numbers, Sample, Tolerance};
use crate::Variable;
use crate::array::Array;
use crate::dtype::DType::{F32, I32};
use crate::tensor::Tensor;

const CLOSE: Tolerance = Tolerance {
    relative: 40.0,
    absolute: 40.0,
};

/// For sums over a thousand rows.
const LOOSE: Tolerance = Tolerance {
    relative: 4000.0,
    absolute: 4000.0,
};

fn floats(seed: u64, shape: &[usize]) -> Array {
    Numbers::new(seed).array(F32, shape)
}

fn pair(shape: &[usize]) -> (Variable, Variable) {
    let v = |name: &str, seed| Variable::new(name, floats(seed, shape));
    (v("a", 1), v("b", 2))
}

/// A program without inputs that updates variables; nothing is rounded.
fn updating(outputs: Vec<Tensor>, updates: Vec<(Variable, Tensor)>) -> Sample {
    Sample {
        inputs: Vec::new(),
        outputs,
        updates,
        tolerance: CLOSE,
    }
}

pub(super) fn add(all: &mut Cases) {
    results(all);
    updates(all);
    fusion(all);
}

fn results(all: &mut Cases) {
    all.sample("program: inputs as outputs", || {
        let inputs = vec![floats(1, &[3, 5]), floats(2, &[7])];
        Sample::of(inputs, EXACT, |x| {
            vec![x[1].clone(), x[0].clone(), x[1].clone(), x[0].reshape([15])]
        })
    });
    all.sample("program: views of an input as outputs", || {
        Sample::of(vec![floats(1, &[3, 5])], EXACT, |x| {
            vec![x[0].t(), x[0].flip(1), x[0].t(), x[0].narrow(1, 1, 2)]
        })
    });
    all.sample("program: constants as outputs", || {
        let c = Tensor::constant(floats(1, &[3, 5]));
        let outputs = vec![
            c.clone(),
            Tensor::full([2, 3], 7.0, F32),
            Tensor::from(3.0f32),
            Tensor::arange(9, I32),
            c.reshape([5, 3]),
            c.t(),
        ];
        Sample::new(Vec::new(), outputs, EXACT)
    });
    all.sample("program: the same output twice", || {
        Sample::of(vec![floats(1, &[33])], CLOSE, |x| {
            let y = x[0].exp();
            vec![y.clone(), y.clone(), y.reshape([3, 11]), &y + 1.0]
        })
    });
    all.sample("program: variables as outputs", || {
        let (a, b) = pair(&[4, 3]);
        let outputs = vec![a.tensor(), b.tensor().reshape([12]), b.tensor().t()];
        updating(outputs, Vec::new())
    });
    all.sample("program: no outputs", || updating(Vec::new(), Vec::new()));
    all.sample("program: a shared part", || {
        Sample::of(vec![floats(1, &[8, 9])], CLOSE, |x| {
            let e = x[0].exp();
            vec![e.sum(), &e / e.sum_axes(&[1], true), e.log(), e.clone()]
        })
    });
    all.sample("program: empty values", || {
        Sample::of(vec![floats(1, &[0, 4])], CLOSE, |x| {
            let w = Tensor::constant(floats(2, &[4, 3]));
            vec![
                x[0].matmul(&w).relu(),
                x[0].sum(),
                x[0].exp(),
                x[0].sum_axes(&[0], false),
                x[0].t().matmul(x[0].exp()) + 1.0,
            ]
        })
    });
}

fn updates(all: &mut Cases) {
    for n in [1usize, 7, 100] {
        let name = |what: &str| format!("program: {what}, {n}");
        all.sample(name("update of its own old value"), move || {
            let (a, b) = pair(&[n]);
            let new = a.tensor() * 0.9 + b.tensor() * 0.1;
            updating(vec![new.sum()], vec![(a, new)])
        });
        all.sample(name("swap"), move || {
            let (a, b) = pair(&[n]);
            updating(Vec::new(), vec![(a.clone(), b.tensor()), (b, a.tensor())])
        });
        all.sample(name("swap of views"), move || {
            let (a, b) = pair(&[n, 2]);
            let (ta, tb) = (a.tensor().reshape([2 * n]), b.tensor().reshape([2 * n]));
            let updates = vec![
                (a.clone(), tb.reshape([n, 2])),
                (b, (ta * 1.0).reshape([n, 2])),
            ];
            updating(vec![a.tensor().reshape([2, n])], updates)
        });
        all.sample(name("rotation of three"), move || {
            let (a, b) = pair(&[n]);
            let c = Variable::new("c", floats(3, &[n]));
            let updates = vec![
                (a.clone(), b.tensor()),
                (b.clone(), c.tensor()),
                (c, a.tensor() * 0.5),
            ];
            updating(vec![a.tensor(), b.tensor()], updates)
        });
        all.sample(name("old value returned"), move || {
            let (a, _) = pair(&[n]);
            let new = a.tensor() + 1.0;
            updating(vec![a.tensor(), new.clone(), a.tensor()], vec![(a, new)])
        });
        all.sample(name("a view of the old value returned"), move || {
            let (a, _) = pair(&[n, 2]);
            let new = a.tensor() + 1.0;
            let old = a.tensor();
            updating(vec![old.reshape([2 * n]), old.t()], vec![(a, new)])
        });
        all.sample(name("old value needed later"), move || {
            let (a, b) = pair(&[n]);
            let new = a.tensor() * 0.5;
            let later = (&new.sum() + a.tensor()).sum() * b.tensor();
            updating(vec![later.clone()], vec![(a, new), (b, later)])
        });
        all.sample(name("one value to two variables"), move || {
            let (a, b) = pair(&[n]);
            let new = a.tensor().tanh() + b.tensor();
            updating(vec![new.clone()], vec![(a, new.clone()), (b, new)])
        });
        all.sample(name("a variable's new value to another"), move || {
            let (a, b) = pair(&[n]);
            updating(
                Vec::new(),
                vec![(b, a.tensor()), (a.clone(), a.tensor() + 1.0)],
            )
        });
        all.sample(name("unchanged"), move || {
            let (a, b) = pair(&[n]);
            updating(vec![b.tensor() + a.tensor()], vec![(a.clone(), a.tensor())])
        });
        all.sample(
            name("update by an input, a constant, a number"),
            move || {
                let (a, b) = pair(&[n]);
                let c = Variable::new("c", floats(3, &[n]));
                let x = floats(4, &[n]);
                let input = Tensor::input(0, [n], F32);
                Sample {
                    inputs: vec![x],
                    outputs: vec![a.tensor() + c.tensor()],
                    updates: vec![
                        (a, input.reshape([n])),
                        (b, Tensor::constant(floats(5, &[n]))),
                        (c, Tensor::zeros([n], F32)),
                    ],
                    tolerance: EXACT,
                }
            },
        );
        all.sample(name("update out of order"), move || {
            // The new value reads the old one backwards and as a whole.
            let (a, b) = pair(&[n]);
            let flipped = a.tensor().flip(0) + 1.0;
            let shifted = b.tensor().cumsum(0);
            updating(Vec::new(), vec![(a, flipped), (b, shifted)])
        });
        all.sample(name("update by its own broadcast sum"), move || {
            let (a, b) = pair(&[n, 3]);
            let normal = a.tensor() / (a.tensor().square().sum_axes(&[0], true) + 1.0);
            let product = b.tensor().matmul(Tensor::constant(floats(9, &[3, 3])));
            updating(vec![normal.max()], vec![(a, normal), (b, product)])
        });
        all.sample(name("Adam"), move || {
            let (w, g) = pair(&[n]);
            let m = Variable::new("m", floats(3, &[n]));
            let v = Variable::new("v", floats(4, &[n]).cast(F32));
            let t = Variable::new("t", 1i32);
            let step = t.tensor() + 1;
            let m1 = m.tensor() * 0.9 + g.tensor() * 0.1;
            let v1 = v.tensor().abs() * 0.999 + g.tensor().square() * 0.001;
            let rate = (1.0 - Tensor::from(0.999f32).pow(step.cast(F32))).sqrt() * 0.01;
            let w1 = w.tensor() - &m1 * &rate / (v1.sqrt() + 1e-7);
            let updates = vec![(w, w1), (m, m1), (v, v1), (t, step)];
            updating(Vec::new(), updates)
        });
        all.sample(name("RMSprop"), move || {
            let (w, g) = pair(&[n]);
            let v = Variable::new("v", floats(4, &[n]).cast(F32));
            let g = g.tensor();
            let v1 = v.tensor().abs() * 0.9 + g.square() * 0.1;
            let rate = Tensor::constant(floats(5, &[1])).broadcast_to([n]);
            let w1 = w.tensor() - &g * rate * (&v1 + 1e-7).rsqrt();
            updating(Vec::new(), vec![(w, w1), (v, v1)])
        });
        all.sample(name("sums of products of three"), move || {
            let inputs = (1..5).map(|seed| floats(seed, &[n])).collect();
            Sample::of(inputs, CLOSE, |x| {
                let [a, b, c, d] = [&x[0], &x[1], &x[2], &x[3]];
                vec![
                    a * b * c + d,
                    d - a * b * c,
                    d - a * b / (c.square() + 1.0),
                    (a - b) * c + d,
                    a * b + c.square() * d,
                    // With a product that is read again, and operands that are the same.
                    (a - b) * c + b,
                    (a * b).sin() + (d - a * b * c),
                ]
            })
        });
    }
}

fn fusion(all: &mut Cases) {
    // Larger than what every plan stores rather than computes again.
    all.sample("program: a product normalised, with its gradient", || {
        let inputs = [(1, vec![1100, 3]), (2, vec![3, 32]), (3, vec![1100, 32])];
        let inputs = inputs.map(|(seed, shape)| floats(seed, &shape));
        Sample::of(inputs.to_vec(), LOOSE, |x| {
            let y = x[0].matmul(&x[1]);
            let centred = &y - &y.mean_axes(&[0], true);
            let scale = (centred.square().mean_axes(&[0], true) + 0.1).rsqrt();
            let active = (&centred * &scale + 0.3).relu();
            let g = active.gt(0.0).select(&x[2], 0.0);
            let slope = (&g * &centred).mean_axes(&[0], true);
            let flow = &g * &scale - &centred * slope - g.mean_axes(&[0], true);
            vec![active, flow.matmul(x[1].t())]
        })
    });

    for (m, k, n) in [(1, 1, 1), (5, 7, 3), (33, 17, 40), (8, 64, 10)] {
        let name = |what: &str| format!("program: {what}, {m}x{k}x{n}");
        let inputs = move || vec![floats(1, &[m, k]), floats(2, &[k, n]), floats(3, &[n])];
        all.sample(name("dense layer"), move || {
            Sample::of(inputs(), CLOSE, |x| {
                vec![(x[0].matmul(&x[1]) + &x[2]).relu()]
            })
        });
        all.sample(name("product used by several"), move || {
            Sample::of(inputs(), CLOSE, |x| {
                let y = x[0].matmul(&x[1]);
                vec![y.clone(), y.tanh(), y.sum_axes(&[0], false) + &x[2], y.t()]
            })
        });
        all.sample(name("two products into one sum"), move || {
            Sample::of(inputs(), CLOSE, |x| {
                let y = x[0].matmul(&x[1]);
                let z = x[0].sin().matmul(&x[1]);
                vec![(&y + &z).relu() * &y]
            })
        });
        all.sample(
            name("product with a mask of its own shape and batch"),
            move || {
                Sample::of(inputs(), CLOSE, |x| {
                    let a = Tensor::stack(&[x[0].clone(), &x[0] * 2.0], 0);
                    let b = Tensor::stack(&[x[1].clone(), x[1].cos()], 0);
                    let y = a.matmul(&b);
                    let scale = y.max_axes(&[2], true);
                    vec![&y - &scale, (y + &x[2]).sigmoid()]
                })
            },
        );
        all.sample(name("softmax cross-entropy with its gradient"), move || {
            Sample::of(inputs(), CLOSE, |x| {
                let w = &x[1];
                let logits = x[0].matmul(w) + &x[2];
                let labels = Tensor::iota([m], 0, I32).cast(F32).floor().cast(I32);
                let target = labels.one_hot(n, F32);
                let loss = -(logits.log_softmax(-1) * target)
                    .sum_axes(&[1], false)
                    .mean();
                let mut all = crate::grad(&loss, &[w, &x[2], &x[0]]);
                all.push(loss);
                all
            })
        });
        all.sample(name("layer normalisation with its gradient"), move || {
            Sample::of(inputs(), CLOSE, |x| {
                let mean = x[0].mean_axes(&[-1], true);
                let centred = &x[0] - &mean;
                let y = &centred * (centred.square().mean_axes(&[-1], true) + 1.0).rsqrt();
                let mut all = crate::grad(&y.matmul(&x[1]).square().mean(), &[&x[0], &x[1]]);
                all.push(y);
                all
            })
        });
        all.sample(name("batch statistics and a training step"), move || {
            let w = Variable::new("w", floats(2, &[k, n]));
            let mean = Variable::new("mean", floats(3, &[k]));
            let x = Tensor::input(0, [m, k], F32);
            let batch = x.mean_axes(&[0], false);
            let spread = x.variance_axes(&[0], false);
            let normal = (&x - &batch) * (spread + 0.1).rsqrt();
            let loss = normal.matmul(w.tensor()).square().mean();
            let dw = crate::grad(&loss, &[&w.tensor()]).remove(0);
            let new = w.tensor() - dw * 0.1;
            let average = mean.tensor() * 0.9 + batch * 0.1;
            Sample {
                inputs: vec![floats(1, &[m, k])],
                outputs: vec![loss],
                updates: vec![(w, new), (mean, average)],
                tolerance: CLOSE,
            }
        });
    }
    all.sample("program: chains into reductions over each axis", || {
        Sample::of(
            vec![floats(1, &[6, 5, 7]), floats(2, &[5, 1])],
            CLOSE,
            |x| {
                let y = (&x[0] * &x[1]).tanh() + 1.0;
                vec![
                    y.sum_axes(&[0], false).sqrt(),
                    y.max_axes(&[1], true) - &y,
                    y.mean_axes(&[2], false).log() * 2.0,
                    y.sum_axes(&[0, 2], true) * &x[1],
                    y.min(),
                ]
            },
        )
    });
    all.sample("program: reductions of reductions", || {
        Sample::of(vec![floats(1, &[6, 5, 7])], CLOSE, |x| {
            let y = x[0].sum_axes(&[2], false).exp();
            let z = y.max_axes(&[0], false) - y.sum_axes(&[0], false);
            vec![z.sum(), &z * 2.0, y]
        })
    });
    all.sample("program: a matrix beside its transpose", || {
        Sample::of(vec![floats(1, &[9, 9])], CLOSE, |x| {
            let y = x[0].exp();
            let z = &y + y.t();
            vec![z.t().matmul(&y) + &z, &y - &z]
        })
    });
}
