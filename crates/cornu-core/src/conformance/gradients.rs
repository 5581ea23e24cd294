//! Every gradient rule, evaluated on the device in f64, against central differences.

use super::{Case, Cases, Numbers, arguments, evaluate};
use crate::array::Array;
use crate::dtype::DType::{F64, I32};
use crate::ops::conv::ConvOptions;
use crate::ops::creation::Scalar;
use crate::ops::cumulative::Cumulative;
use crate::ops::elementwise::UnaryFn;
use crate::ops::gather::{ScatterAdd, ScatterAddAlong};
use crate::ops::matmul::MatMul;
use crate::ops::movement::{Pad, SliceOp};
use crate::ops::pool::Windows;
use crate::ops::reduce::{Reduce, ReduceFn};
use crate::ops::{Op, Operation};
use crate::tensor::Tensor;
use crate::{Device, Function, grad};
use std::panic::Location;
use std::sync::Arc;

type F = Arc<dyn Fn(&[Tensor]) -> Tensor + Send + Sync>;

fn node(op: impl Into<Op>, inputs: &[Tensor]) -> Tensor {
    Tensor::new(op.into(), inputs.to_vec(), Location::caller())
}

/// The sum of a result weighted by fixed numbers, so that no two elements count the same.
fn weighted(y: &Tensor) -> Tensor {
    let weights = Numbers::new(77).range(F64, y.shape().clone(), 0.5, 1.5);
    (y * Tensor::constant(weights)).sum()
}

fn check(device: &Device, inputs: &[Array], f: &F) -> Result<(), String> {
    let x = arguments(inputs);
    let loss = weighted(&f(&x));
    loss.check().map_err(|e| e.to_string())?;
    let (traced, count) = (f.clone(), inputs.len());
    let gradient = Function::new(device, move |x| {
        let wrt: Vec<&Tensor> = x[..count].iter().collect();
        grad(&weighted(&traced(x)), &wrt).into()
    });
    let arrays: Vec<&Array> = inputs.iter().collect();
    let got = gradient.call(&arrays).map_err(|e| e.to_string())?;
    let value =
        |inputs: &[Array]| evaluate(std::slice::from_ref(&loss), inputs).0[0].to_vec::<f64>()[0];
    for (k, input) in inputs.iter().enumerate() {
        if !input.dtype().is_float() {
            continue;
        }
        let base = input.to_vec::<f64>();
        let got = got[k].to_vec::<f64>();
        for i in 0..base.len() {
            let h = 1e-5 * base[i].abs().max(1.0);
            let at = |shift: f64| {
                let mut v = base.clone();
                v[i] += shift;
                let mut inputs = inputs.to_vec();
                inputs[k] = Array::from(v).reshape(input.shape()).expect("same size");
                value(&inputs)
            };
            let expected = (at(h) - at(-h)) / (2.0 * h);
            let bound = 2e-6 * (1.0 + expected.abs()) * (1.0 + base[i].abs());
            if (got[i] - expected).abs() > bound || got[i].is_nan() {
                return Err(format!(
                    "d/dx{k}[{i}] is {:e}, by differences {expected:e}",
                    got[i]
                ));
            }
        }
    }
    Ok(())
}

pub(super) struct Maker<'a>(pub(super) &'a mut Cases);

impl Maker<'_> {
    /// Inputs of these shapes from a range.
    fn add(
        &mut self,
        name: &str,
        shapes: &[&[usize]],
        (low, high): (f64, f64),
        f: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static,
    ) {
        let mut n = Numbers::new(name.len() as u64);
        let inputs = shapes.iter().map(|s| n.range(F64, *s, low, high)).collect();
        self.with(name, inputs, f);
    }

    pub(super) fn with(
        &mut self,
        name: &str,
        inputs: Vec<Array>,
        f: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static,
    ) {
        let f: F = Arc::new(f);
        let differentiated = Some(f(&arguments(&inputs)));
        self.0.0.push(Case {
            name: format!("gradient: {name}"),
            differentiated,
            check: Box::new(move |device| check(device, &inputs, &f)),
        });
    }

    /// The gradient's gradient too.
    fn twice(
        &mut self,
        name: &str,
        shapes: &[&[usize]],
        range: (f64, f64),
        f: impl Fn(&[Tensor]) -> Tensor + Send + Sync + Clone + 'static,
    ) {
        self.add(name, shapes, range, f.clone());
        self.add(&format!("{name}, second"), shapes, range, move |x| {
            let wrt: Vec<&Tensor> = x.iter().collect();
            grad(&weighted(&f(x)), &wrt)
                .iter()
                .map(|g| g.square().sum())
                .reduce(|a, b| a + b)
                .expect("at least one input")
        });
    }
}

pub(super) fn add(all: &mut Cases) {
    let m = &mut Maker(all);
    elementwise(m);
    reductions(m);
    others(m);
    pooling(m);
    convolution(m);
    composites(m);
}

fn elementwise(m: &mut Maker<'_>) {
    use UnaryFn::*;
    for f in UnaryFn::ALL {
        if f.is_predicate() {
            continue;
        }
        let ranges: &[(f64, f64)] = match f {
            Log | Sqrt | Rsqrt => &[(0.3, 3.0)],
            Acosh => &[(1.2, 3.0)],
            Asin | Acos | Atanh | ErfInv => &[(-0.9, 0.9)],
            Log1p => &[(-0.8, 3.0)],
            Abs | Relu | Reciprocal => &[(0.2, 2.0), (-2.0, -0.2)],
            Sign | Floor | Ceil | Round => &[(0.1, 0.4), (-0.4, -0.1)],
            _ => &[(-1.3, 1.3)],
        };
        for range in ranges {
            m.twice(f.name(), &[&[7]], *range, move |x| node(f, x));
        }
    }
    let pair: [&[usize]; 2] = [&[3, 4], &[4]];
    let (away, positive) = ((-2.0, 2.0), (0.3, 2.0));
    m.twice("add", &pair, away, |x| &x[0] + &x[1]);
    m.twice("subtract", &pair, away, |x| &x[0] - &x[1]);
    m.twice("multiply", &pair, away, |x| &x[0] * &x[1]);
    m.twice("divide", &pair, positive, |x| &x[0] / &x[1]);
    m.twice("divide by negative", &pair, (-2.0, -0.3), |x| &x[0] / &x[1]);
    m.twice("power", &pair, positive, |x| x[0].pow(&x[1]));
    m.add("power of negative", &[&[5]], (-2.0, -0.5), |x| {
        x[0].pow(3.0)
    });
    m.twice("arctan2", &pair, positive, |x| x[0].atan2(&x[1]));
    m.add("maximum", &pair, away, |x| x[0].maximum(&x[1]));
    m.add("minimum", &pair, away, |x| x[0].minimum(&x[1]));
    let far = vec![
        Array::from([5.3f64, -5.3, 7.1, -0.4]),
        Array::from([2.0f64, 2.0, -3.0, -3.0]),
    ];
    m.with("mod", far, |x| &x[0] % &x[1]);
    m.add("where", &[&[6], &[6]], away, |x| {
        let c = Tensor::constant([true, false, true, true, false, false]);
        c.select(x[0].square(), &x[1] * 3.0)
    });
    m.add("cast", &[&[6]], away, |x| x[0].square().cast(F64));
    m.add("a shared part", &[&[6]], away, |x| {
        let y = x[0].sin();
        &y * &y + y.exp() * &x[0]
    });
}

fn reductions(m: &mut Maker<'_>) {
    for f in [ReduceFn::Sum, ReduceFn::Prod, ReduceFn::Max, ReduceFn::Min] {
        for axes in [vec![0], vec![1], vec![0, 2], vec![0, 1, 2]] {
            let name = format!("{f:?} over {axes:?}");
            let op = Reduce { f, axes };
            m.twice(&name, &[&[2, 3, 2]], (-2.0, 2.0), move |x| {
                node(op.clone(), &[x[0].sin()])
            });
        }
        for axis in 0..2 {
            for (reverse, exclusive) in [(false, false), (true, false), (false, true), (true, true)]
            {
                // Over nothing, maxima and minima are infinite.
                if exclusive && matches!(f, ReduceFn::Max | ReduceFn::Min) {
                    continue;
                }
                let op = Cumulative {
                    f,
                    axis,
                    reverse,
                    exclusive,
                };
                let name = format!("running {f:?} along {axis}, {reverse} {exclusive}");
                m.add(&name, &[&[3, 4]], (-2.0, 2.0), move |x| node(op, x));
            }
        }
    }
    let zeros = vec![Array::from([[0.0f64, 2.0, 3.0], [0.0, 0.0, 1.5]])];
    m.with("Prod with zeros", zeros.clone(), |x| {
        x[0].prod_axes(&[1], false)
    });
    m.with("running Prod with zeros", zeros, |x| x[0].cumprod(1));
}

fn others(m: &mut Maker<'_>) {
    let range = (-2.0, 2.0);
    for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
        for batch in [None, Some(2)] {
            let shape = |t: bool, r: usize, c: usize| {
                let (r, c) = if t { (c, r) } else { (r, c) };
                batch.into_iter().chain([r, c]).collect::<Vec<usize>>()
            };
            let (a, b) = (shape(ta, 2, 3), shape(tb, 3, 4));
            let op = MatMul {
                transpose_a: ta,
                transpose_b: tb,
            };
            let name = format!("matmul {ta} {tb} {batch:?}");
            m.twice(&name, &[&a, &b], range, move |x| node(op, x));
        }
    }
    m.add(
        "matmul, broadcast",
        &[&[2, 1, 2, 3], &[2, 3, 2]],
        range,
        |x| x[0].matmul(&x[1]),
    );
    m.add("matmul of vectors", &[&[3], &[3]], range, |x| {
        x[0].matmul(&x[1])
    });
    let slice = SliceOp {
        start: vec![3, 1],
        len: vec![2, 2],
        step: vec![-2, 2],
    };
    m.twice("slice", &[&[4, 5]], range, move |x| {
        x[0].slice_with(slice.clone()).square()
    });
    let pad = Pad {
        low: vec![1, 0],
        high: vec![0, 2],
        interior: vec![1, 2],
        value: Scalar::Float(3.0),
    };
    m.twice("pad", &[&[3, 2]], range, move |x| {
        x[0].pad_with(pad.clone()).square()
    });
    m.add("transpose", &[&[2, 3, 2]], range, |x| {
        x[0].transpose(&[2, 0, 1])
    });
    m.add("reshape", &[&[2, 3]], range, |x| {
        x[0].reshape([3, 2]).square()
    });
    m.add("broadcast", &[&[3, 1]], range, |x| {
        x[0].broadcast_to([2, 3, 4]).square()
    });
    m.add("broadcast of one", &[&[1, 1]], range, |x| {
        x[0].broadcast_to([1, 3]).square()
    });
    m.add("concatenate", &[&[2, 3], &[2, 1]], range, |x| {
        Tensor::concat(&[x[0].clone(), x[1].clone(), x[0].square()], 1)
    });
    m.add("flip", &[&[5]], range, |x| x[0].flip(0).square());
    for axis in 0..2 {
        let i = || Tensor::constant([0i32, -1, 1, 1, 0]);
        m.add(&format!("take along {axis}"), &[&[3, 2]], range, move |x| {
            x[0].take(i(), axis).square()
        });
        let along = move || {
            let shape = if axis == 0 { [4, 2] } else { [3, 4] };
            Tensor::constant(Numbers::new(5).range(I32, shape, -2.0, 2.0))
        };
        m.add(&format!("take_along {axis}"), &[&[3, 2]], range, move |x| {
            x[0].take_along(along(), axis).square()
        });
        let a = axis as usize;
        let out = || Tensor::constant([0i32, -1, 9, 1, 0]);
        m.add(
            &format!("scatter_add along {axis}"),
            &[&[5, 5]],
            range,
            move |x| node(ScatterAdd { axis: a, len: 3 }, &[x[0].clone(), out()]).square(),
        );
        m.add(
            &format!("scatter_add_along {axis}"),
            &[&[3, 4]],
            range,
            move |x| {
                let i = Tensor::constant(Numbers::new(6).range(I32, [3, 4], -3.0, 4.0));
                node(ScatterAddAlong { axis: a, len: 2 }, &[x[0].clone(), i]).square()
            },
        );
    }
    m.add("sort", &[&[2, 5]], range, |x| x[0].sort(true).square());
    m.add("top_k", &[&[2, 5]], range, |x| x[0].top_k(2).0);
}

fn pooling(m: &mut Maker<'_>) {
    let windows = |size: usize, stride: usize, padding: (usize, usize)| Windows {
        size: vec![size; 2],
        strides: vec![stride; 2],
        padding: vec![padding; 2],
    };
    for (size, stride, padding) in [(2, 2, (0, 0)), (3, 2, (1, 0)), (2, 3, (0, 1))] {
        let w = windows(size, stride, padding);
        let name = format!("pool: {w}");
        let (max, sum, mean) = (w.clone(), w.clone(), w);
        let shape: &[&[usize]] = &[&[2, 5, 4, 3]];
        m.twice(&format!("{name}, max"), shape, (-2.0, 2.0), move |x| {
            x[0].max_pool(max.clone()).square()
        });
        m.twice(&format!("{name}, sum"), shape, (-2.0, 2.0), move |x| {
            x[0].sum_pool(sum.clone()).square()
        });
        m.add(&format!("{name}, mean"), shape, (-2.0, 2.0), move |x| {
            x[0].average_pool(mean.clone())
        });
    }
}

fn convolution(m: &mut Maker<'_>) {
    let mut options = ConvOptions {
        strides: vec![2, 1],
        padding: vec![(1, 0), (0, 1)],
        ..ConvOptions::new(2)
    };
    for (groups, dilation) in [(1, 1), (2, 2)] {
        options.groups = groups;
        options.dilation = vec![dilation; 2];
        let shapes: &[&[usize]] = &[&[2, 5, 4, 4], &[2, 2, 4 / groups, 2]];
        let o = options.clone();
        m.twice(
            &format!("conv of {groups} groups"),
            shapes,
            (-1.0, 1.0),
            move |x| x[0].conv(&x[1], o.clone()),
        );
        let o = options.clone();
        let places: &[&[usize]] = &[&[2, 3, 4, 2], &[2, 2, 4 / groups, 2]];
        let name = format!("transposed conv of {groups} groups");
        let spatial = [5 + dilation - 1, 4 + dilation - 1];
        m.twice(&name, places, (-1.0, 1.0), move |x| {
            x[0].conv_transpose(&x[1], o.clone(), &spatial)
        });
    }
}

fn composites(m: &mut Maker<'_>) {
    let range = (-2.0, 2.0);
    m.twice("softmax", &[&[3, 4]], range, |x| x[0].softmax(-1));
    m.twice("log_softmax", &[&[3, 4]], range, |x| x[0].log_softmax(0));
    m.twice("logsumexp", &[&[3, 4]], range, |x| {
        x[0].logsumexp(&[1], false)
    });
    m.twice("softplus", &[&[7]], (0.1, 2.0), |x| x[0].softplus());
    m.twice("variance", &[&[3, 4]], range, |x| {
        x[0].variance_axes(&[0], false)
    });
    m.add("clip", &[&[9]], range, |x| x[0].clip(-1.0, 1.0) * &x[0]);
    m.twice(
        "two layers",
        &[&[3, 4], &[4, 5], &[5], &[5, 2]],
        range,
        |x| {
            (x[0].matmul(&x[1]) + &x[2])
                .tanh()
                .matmul(&x[3])
                .softmax(-1)
        },
    );
}
