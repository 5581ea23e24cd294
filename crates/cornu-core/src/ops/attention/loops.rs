//! Attention by plain loops.

use super::{Attention, Extents, FAR, Kept};
use crate::array::Array;
use crate::tensor::TensorType;

/// The operands of attention, with what is asked for all the time.
struct Operands {
    e: Extents,
    nowhere: bool,
    q: Vec<f64>,
    k: Vec<f64>,
    v: Vec<f64>,
    mask: Option<Vec<f64>>,
}

impl Operands {
    fn of(op: &Attention, inputs: &[&Array]) -> Option<Operands> {
        let ty = |a: &&Array| TensorType {
            shape: a.shape().clone(),
            dtype: a.dtype(),
        };
        let types: Vec<TensorType> = inputs.iter().map(ty).collect();
        Some(Operands {
            e: op.extents(&types).ok()?,
            nowhere: op.nowhere,
            q: inputs[0].to_vec(),
            k: inputs[1].to_vec(),
            v: inputs[2].to_vec(),
            mask: inputs.get(3).map(|m| m.to_vec()),
        })
    }

    /// All batches, heads and steps, in the order of the tape.
    fn rows(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let Extents {
            batch,
            heads,
            steps,
            ..
        } = self.e;
        (0..batch)
            .flat_map(move |b| (0..heads).flat_map(move |h| (0..steps).map(move |i| (b, h, i))))
    }

    fn query(&self, (b, h, i): (usize, usize, usize)) -> usize {
        ((b * self.e.steps + i) * self.e.heads + h) * self.e.d
    }

    fn attended(&self, (b, h, i): (usize, usize, usize)) -> usize {
        ((b * self.e.steps + i) * self.e.heads + h) * self.e.size
    }

    fn key(&self, b: usize, h: usize, j: usize) -> usize {
        ((b * self.e.others + j) * self.e.heads + h) * self.e.d
    }

    fn value(&self, b: usize, h: usize, j: usize) -> usize {
        ((b * self.e.others + j) * self.e.heads + h) * self.e.size
    }

    fn seen(&self, (b, _, i): (usize, usize, usize), j: usize) -> bool {
        let [mb, ms] = self.e.mask;
        let at = (b.min(mb - 1) * ms + i.min(ms - 1)) * self.e.others + j;
        self.mask.as_ref().is_none_or(|m| m[at] != 0.0)
    }

    /// The scores of a query, those left out far below.
    fn scores(&self, row: (usize, usize, usize)) -> Vec<f64> {
        let q = &self.q[self.query(row)..][..self.e.d];
        let score = |j: usize| match self.seen(row, j) {
            true => dot(q, &self.k[self.key(row.0, row.1, j)..][..self.e.d]),
            false => FAR,
        };
        (0..self.e.others).map(score).collect()
    }

    /// The shares of scores with their maximum and sum.
    fn shares(&self, row: (usize, usize, usize), most: f64, sum: f64) -> Vec<f64> {
        let scores = self.scores(row);
        let share = |(j, s): (usize, f64)| match self.nowhere && !self.seen(row, j) {
            true => 0.0,
            false => (s - most).exp() / sum,
        };
        scores.into_iter().enumerate().map(share).collect()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The tape.
pub(super) fn forward(op: &Attention, inputs: &[&Array]) -> Vec<f64> {
    let Some(x) = Operands::of(op, inputs) else {
        return Vec::new();
    };
    let e = x.e;
    let mut tape = vec![0.0; e.attended()];
    for row in x.rows() {
        let scores = x.scores(row);
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
        let shares = x.shares(row, most, sum);
        let to = x.attended(row);
        for (j, share) in shares.iter().enumerate() {
            for c in 0..e.size {
                tape[to + c] += share * x.v[x.value(row.0, row.1, j) + c];
            }
        }
        match op.kept {
            Kept::Nothing => {}
            Kept::Sums => tape.extend([most, sum]),
            Kept::Shares => tape.extend(shares),
        }
    }
    tape
}

/// What flows to queries, keys and values.
pub(super) fn backward(op: &Attention, inputs: &[&Array]) -> Vec<f64> {
    let Some(x) = Operands::of(op, &inputs[2..]) else {
        return Vec::new();
    };
    let e = x.e;
    let (tape, g): (Vec<f64>, Vec<f64>) = (inputs[0].to_vec(), inputs[1].to_vec());
    let kept = &tape[e.attended()..];
    let [mut dq, mut dk, mut dv] = e.operands().map(|n| vec![0.0; n]);
    for (r, row) in x.rows().enumerate() {
        let (b, h, _) = row;
        let shares = match op.kept {
            Kept::Shares => kept[r * e.others..][..e.others].to_vec(),
            _ => x.shares(row, kept[2 * r], kept[2 * r + 1]),
        };
        let g = &g[x.attended(row)..][..e.size];
        let flow: Vec<f64> = (0..e.others)
            .map(|j| dot(g, &x.v[x.value(b, h, j)..][..e.size]))
            .collect();
        let mean = dot(&flow, &shares);
        let q = x.query(row);
        for (j, share) in shares.iter().enumerate() {
            let (key, value) = (x.key(b, h, j), x.value(b, h, j));
            (0..e.size).for_each(|c| dv[value + c] += share * g[c]);
            if x.seen(row, j) {
                let flow = share * (flow[j] - mean);
                for c in 0..e.d {
                    dq[q + c] += flow * x.k[key + c];
                    dk[key + c] += flow * x.q[q + c];
                }
            }
        }
    }
    [dq, dk, dv].concat()
}
