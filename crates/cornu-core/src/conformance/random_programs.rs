//! Random programs over small shapes: broadcasting, views, reductions, products, updates.

use super::{Cases, Numbers, Sample, Tolerance};
use crate::array::Array;
use crate::dtype::DType;
use crate::ops::creation::Scalar;
use crate::ops::movement::{Pad, SliceOp};
use crate::tensor::Tensor;
use crate::{Shape, Variable};

/// How many programs.
const COUNT: u64 = 240;

/// Values larger than this are not made.
const LARGEST: usize = 400;

pub(super) fn add(all: &mut Cases) {
    for seed in 0..COUNT {
        all.sample(format!("random program {seed}"), move || program(seed));
    }
}

struct Maker {
    n: Numbers,
    dtype: DType,
    inputs: Vec<Array>,
    variables: Vec<Variable>,
    pool: Vec<Tensor>,
}

fn program(seed: u64) -> Sample {
    let mut n = Numbers::new(seed);
    let dtype = *n.pick(&[DType::F32, DType::F32, DType::F64]);
    let mut m = Maker {
        n,
        dtype,
        inputs: Vec::new(),
        variables: Vec::new(),
        pool: Vec::new(),
    };
    for _ in 0..2 + m.n.below(3) {
        let shape = m.shape();
        m.leaf(shape);
    }
    let steps = 5 + m.n.below(36);
    while m.pool.len() < steps {
        let t = m.step();
        if t.size() <= LARGEST && t.dtype() == dtype && t.check().is_ok() {
            m.pool.push(t);
        }
    }
    let outputs = (0..1 + m.n.below(4)).map(|_| m.late()).collect();
    let mut updates = Vec::new();
    for v in m.variables.clone() {
        if m.n.below(4) > 0 {
            let t = m.fitted(v.shape());
            updates.push((v, t));
        }
    }
    Sample {
        inputs: m.inputs,
        outputs,
        updates,
        tolerance: Tolerance {
            relative: 200.0,
            absolute: 200.0,
        },
    }
}

impl Maker {
    fn shape(&mut self) -> Shape {
        let rank = self.n.below(4);
        (0..rank)
            .map(|_| *self.n.pick(&[1, 2, 3, 3, 4, 7]))
            .collect()
    }

    /// An input, a variable or a constant.
    fn leaf(&mut self, shape: Shape) -> Tensor {
        let value = self.n.range(self.dtype, shape, -1.0, 1.0);
        let t = match self.n.below(5) {
            0 | 1 => {
                self.inputs.push(value.clone());
                Tensor::input(self.inputs.len() - 1, value.shape().clone(), self.dtype)
            }
            2 | 3 => {
                let v = Variable::new(format!("v{}", self.variables.len()), value);
                self.variables.push(v.clone());
                v.tensor()
            }
            _ if self.n.below(3) == 0 => Tensor::full(value.shape(), 0.5, self.dtype),
            _ => Tensor::constant(value),
        };
        self.pool.push(t.clone());
        t
    }

    fn any(&mut self) -> Tensor {
        let i = self.n.below(self.pool.len());
        self.pool[i].clone()
    }

    /// One of those made last.
    fn late(&mut self) -> Tensor {
        let n = self.pool.len();
        let i = n - 1 - self.n.below(n.min(8));
        self.pool[i].clone()
    }

    fn axis(&mut self, t: &Tensor) -> isize {
        self.n.below(t.rank()) as isize
    }

    /// A value of this shape made of what is there.
    fn fitted(&mut self, shape: &Shape) -> Tensor {
        let same: Vec<Tensor> = self
            .pool
            .iter()
            .filter(|t| t.shape() == shape)
            .cloned()
            .collect();
        if !same.is_empty() && self.n.below(4) > 0 {
            let old = self.n.pick(&same).clone();
            return if self.n.below(2) == 0 { old } else { old * 0.9 };
        }
        let t = self.late();
        (t.mean() + 0.1).broadcast_to(shape)
    }

    /// A second operand: of the same shape, of a shape that broadcasts, or any.
    fn beside(&mut self, t: &Tensor) -> Tensor {
        match self.n.below(4) {
            0 => self.any(),
            1 => {
                let dropped = self.n.below(t.rank() + 1);
                let shape: Shape = t.shape()[dropped..]
                    .iter()
                    .map(|d| if self.n.below(3) == 0 { 1 } else { *d })
                    .collect();
                self.leaf(shape)
            }
            _ => {
                let fits: Vec<Tensor> = self
                    .pool
                    .iter()
                    .filter(|u| u.shape().broadcast(t.shape()).is_ok())
                    .cloned()
                    .collect();
                self.n.pick(&fits).clone()
            }
        }
    }

    fn step(&mut self) -> Tensor {
        let t = if self.n.below(3) == 0 {
            self.any()
        } else {
            self.late()
        };
        match self.n.below(24) {
            0 => -&t,
            1 => t.tanh(),
            2 => t.sigmoid(),
            3 => t.relu(),
            4 => t.sin() + 1.0,
            5 => (t.tanh() + 1.5).log(),
            6..=11 => {
                let u = self.beside(&t);
                match self.n.below(6) {
                    0 => &t + &u,
                    1 => &t - &u,
                    2 => (&t * &u).tanh(),
                    3 => t.maximum(&u),
                    4 => t.minimum(&u),
                    _ => &t / (u.square() + 1.0),
                }
            }
            12 | 13 => self.reduction(&t),
            14 | 15 => self.product(&t),
            16..=20 => self.view(&t),
            21 => self.choice(&t),
            _ => self.mover(&t),
        }
    }

    fn reduction(&mut self, t: &Tensor) -> Tensor {
        if t.rank() == 0 {
            return t.sum();
        }
        let mut axes: Vec<isize> = (0..t.rank() as isize)
            .filter(|_| self.n.below(2) == 0)
            .collect();
        if axes.is_empty() {
            axes.push(self.axis(t));
        }
        let keep = self.n.below(2) == 0;
        match self.n.below(5) {
            0 => t.sum_axes(&axes, keep),
            1 => t.mean_axes(&axes, keep),
            2 => t.max_axes(&axes, keep),
            3 => t.min_axes(&axes, keep),
            _ => t.softmax(axes[0]),
        }
    }

    fn product(&mut self, t: &Tensor) -> Tensor {
        let t = match t.rank() {
            0 => t.reshape([1, 1]),
            1 => t.reshape([1, t.size()]),
            _ => t.clone(),
        };
        let k = t.shape()[t.rank() - 1];
        let fits: Vec<Tensor> = self
            .pool
            .iter()
            .filter(|u| u.rank() >= 2 && u.shape()[u.rank() - 1] == k)
            .cloned()
            .collect();
        let y = if fits.is_empty() || self.n.below(2) == 0 {
            let n = *self.n.pick(&[1, 2, 5]);
            let w = self.leaf([k, n].into());
            t.matmul(w)
        } else {
            t.matmul(self.n.pick(&fits).t())
        };
        let y = y * 0.5;
        match self.n.below(3) {
            0 => y,
            1 => {
                let bias = self.leaf([y.shape()[y.rank() - 1]].into());
                (y + bias).relu()
            }
            _ => y.tanh(),
        }
    }

    fn view(&mut self, t: &Tensor) -> Tensor {
        let rank = t.rank();
        match self.n.below(7) {
            0 if rank > 0 => {
                let mut order: Vec<usize> = (0..rank).collect();
                self.n.0.shuffle(&mut order);
                t.transpose(&order)
            }
            1 => t.reshape([t.size()]),
            2 if rank > 0 => {
                let mut slice = SliceOp {
                    start: vec![0; rank],
                    len: t.shape().to_vec(),
                    step: vec![1; rank],
                };
                let a = self.n.below(rank);
                let n = t.shape()[a];
                let step = 1 + self.n.below(2);
                let start = self.n.below(n);
                if self.n.below(2) == 0 {
                    slice.start[a] = start;
                    slice.len[a] = (n - start).div_ceil(step);
                    slice.step[a] = step as isize;
                } else {
                    slice.start[a] = start;
                    slice.len[a] = start / step + 1;
                    slice.step[a] = -(step as isize);
                }
                t.slice_with(slice)
            }
            3 => {
                let mut shape = t.shape().to_vec();
                let at = self.n.below(rank + 1);
                shape.insert(at, 1);
                let wide = t.reshape(shape.clone());
                shape[at] = *self.n.pick(&[1, 2, 3]);
                wide.broadcast_to(shape)
            }
            4 if rank > 1 => {
                // Two axes joined.
                let a = self.n.below(rank - 1);
                let mut shape = t.shape().to_vec();
                let next = shape.remove(a + 1);
                shape[a] *= next;
                t.reshape(shape)
            }
            5 if rank > 0 => {
                // An axis split.
                let a = self.n.below(rank);
                let mut shape = t.shape().to_vec();
                if shape[a].is_multiple_of(2) {
                    shape[a] /= 2;
                    shape.insert(a + 1, 2);
                }
                t.reshape(shape)
            }
            _ => t.expand_dims(-1),
        }
    }

    fn choice(&mut self, t: &Tensor) -> Tensor {
        // The condition does not depend on rounding.
        let shape = t.shape().clone();
        let c = Tensor::constant(self.n.array(DType::Bool, shape));
        let u = self.fitted(t.shape());
        c.select(t, &u)
    }

    fn mover(&mut self, t: &Tensor) -> Tensor {
        if t.rank() == 0 {
            return t.expand_dims(0);
        }
        let axis = self.axis(t);
        let a = axis as usize;
        match self.n.below(6) {
            0 => {
                let u = self.fitted(t.shape());
                Tensor::concat(&[t.clone(), u, t.clone()], axis)
            }
            1 => {
                let mut pad = Pad {
                    low: vec![0; t.rank()],
                    high: vec![0; t.rank()],
                    interior: vec![0; t.rank()],
                    value: Scalar::Float(0.25),
                };
                pad.low[a] = self.n.below(2);
                pad.high[a] = self.n.below(3);
                pad.interior[a] = self.n.below(2);
                t.pad_with(pad)
            }
            2 => {
                let n = t.shape()[a] as f64;
                let count = 1 + self.n.below(4);
                let i = self.n.range(DType::I32, [count], -n, n);
                t.take(Tensor::constant(i), axis)
            }
            3 => t.cumsum(axis) * 0.5,
            4 => {
                let n = t.shape()[a] as f64;
                let i = self.n.range(DType::I32, t.shape().clone(), -n, n);
                t.take_along(Tensor::constant(i), axis)
            }
            _ => t.cast(DType::F64).sin().cast(self.dtype),
        }
    }
}
