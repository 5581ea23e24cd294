//! Attention: for each step a mean of values, by how well its query fits their keys.
//!
//! The shares that values have are the softmax of products of queries and keys. As one operation they
//! need not lie whole in memory: a backend makes them head by head. The result is a *tape*, a vector:
//! first what is attended to, `(batch, steps, heads, size)`, then what the way back needs, as
//! [`Kept`] says. Gradients flow to the first part only.
//!
//! Formula: Vaswani and others (2017).

mod loops;

use super::Operation;
use super::elementwise::map;
use crate::array::Array;
use crate::dtype::DType;
use crate::grad;
use crate::tensor::{Tensor, TensorType};
use crate::{Error, Result};
use std::panic::Location;
use std::sync::Arc;

/// What masked scores are put to.
pub const FAR: f64 = -1e9;

/// Up to so many shares are kept for the way back, which makes them anew if there are more.
const KEPT_SHARES: usize = 1 << 24;

/// What the tape has for the way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// Nothing: there is no way back.
    Nothing,
    /// The largest score m of each query and the sum of all eˢ⁻ᵐ: `(batch, heads, steps, 2)`.
    Sums,
    /// All shares: `(batch, heads, steps, others)`.
    Shares,
}

/// Attention from queries `(batch, steps, heads, d)`, scaled already, keys `(batch, others, heads, d)`,
/// values `(batch, others, heads, size)` and, if `masked`, a mask `(batch or 1, steps or 1, others)` of
/// what may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attention {
    /// Whether there is a mask. What it leaves out has the score [`FAR`], so that a step which may look
    /// nowhere looks everywhere alike.
    pub masked: bool,
    /// Whether such a step sees nothing instead.
    pub nowhere: bool,
    /// What the tape has for the way back.
    pub kept: Kept,
}

/// What flows back to queries, keys and values, one after the other in a vector, from the tape, the
/// gradient of what is attended to, queries, keys, values and the mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionGrad(pub Attention);

/// The extents of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// Independent attentions, each of which has all heads.
    pub batch: usize,
    /// Queries of each head.
    pub steps: usize,
    /// Keys and values of each head.
    pub others: usize,
    /// Heads.
    pub heads: usize,
    /// Numbers in a query and a key.
    pub d: usize,
    /// Numbers in a value.
    pub size: usize,
    /// The mask's extents of batch and steps: as they are or 1.
    pub mask: [usize; 2],
}

impl Extents {
    /// Numbers attended to.
    pub fn attended(&self) -> usize {
        self.batch * self.steps * self.heads * self.size
    }

    /// Numbers in queries, keys and values.
    pub fn operands(&self) -> [usize; 3] {
        let at = self.batch * self.heads;
        [
            at * self.steps * self.d,
            at * self.others * self.d,
            at * self.others * self.size,
        ]
    }

    /// Numbers kept for the way back.
    pub fn kept(&self, kept: Kept) -> usize {
        let rows = self.batch * self.heads * self.steps;
        match kept {
            Kept::Nothing => 0,
            Kept::Sums => 2 * rows,
            Kept::Shares => rows * self.others,
        }
    }
}

impl Attention {
    /// The extents of queries, keys, values and the mask.
    ///
    /// # Errors
    /// If they do not go together.
    pub fn extents(&self, inputs: &[TensorType]) -> Result<Extents> {
        let refused = || {
            let given: Vec<String> = inputs.iter().map(TensorType::to_string).collect();
            Error::shape(format!(
                "attention needs queries (batch, steps, heads, d), keys (batch, others, heads, d), values \
                 (batch, others, heads, size), all of float32 or float64, and a boolean mask (batch or 1, \
                 steps or 1, others) if there is one. Received: {}.",
                given.join(", ")
            ))
        };
        let [q, k, v, mask @ ..] = inputs else {
            return Err(refused());
        };
        let (&[batch, steps, heads, d], &[kb, others, kh, kd], &[vb, vo, vh, size]) =
            (&q.shape[..], &k.shape[..], &v.shape[..])
        else {
            return Err(refused());
        };
        let mut fits = [kb, kh, kd, vb, vo, vh] == [batch, heads, d, batch, others, heads]
            && matches!(q.dtype, DType::F32 | DType::F64)
            && k.dtype == q.dtype
            && v.dtype == q.dtype
            && mask.len() == usize::from(self.masked);
        let mut extents = [1, 1];
        if let [mask] = mask {
            match mask.shape[..] {
                [mb, ms, n] => {
                    let within = |n: usize, all: usize| n == all || n == 1;
                    fits &= within(mb, batch) && within(ms, steps) && n == others;
                    fits &= mask.dtype == DType::Bool;
                    extents = [mb, ms];
                }
                _ => fits = false,
            }
        }
        let extents = Extents {
            batch,
            steps,
            others,
            heads,
            d,
            size,
            mask: extents,
        };
        fits.then_some(extents).ok_or_else(refused)
    }

    /// What is attended to, `(batch, steps, heads, size)`. Whether there is a mask is taken from the
    /// operands.
    #[track_caller]
    pub fn run(self, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Tensor {
        let line = Location::caller();
        let op = Attention {
            masked: mask.is_some(),
            ..self
        };
        let mut inputs = vec![q.clone(), k.clone(), v.clone()];
        inputs.extend(mask.cloned());
        let types: Vec<TensorType> = inputs.iter().map(|x| x.ty().clone()).collect();
        let e = match op.extents(&types) {
            Ok(e) => e,
            Err(error) => {
                let operands: Vec<&Tensor> = inputs.iter().collect();
                return Tensor::failed(error, &operands, line);
            }
        };
        let tape = Tensor::new(op.into(), inputs.clone(), line);
        let attended = tape.narrow(0, 0, e.attended());
        let attended = attended.reshape([e.batch, e.steps, e.heads, e.size]);
        let rule = move |inputs: &[Tensor], _: &Tensor, g: &Tensor| {
            let mut operands = vec![tape.clone(), g.clone()];
            operands.extend_from_slice(inputs);
            let flow = Tensor::new(AttentionGrad(op).into(), operands, line);
            let mut gradients: Vec<Option<Tensor>> =
                parts(&flow, e, inputs).into_iter().map(Some).collect();
            gradients.resize(inputs.len(), None);
            gradients
        };
        Tensor::with_rule(&attended, &inputs, Arc::new(rule))
    }
}

/// What a vector has for queries, keys and values, in their shapes.
fn parts(flow: &Tensor, e: Extents, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut from = 0;
    let part = |(n, like): (usize, &Tensor)| {
        let part = flow.narrow(0, from, n).reshape(like.shape().clone());
        from += n;
        part
    };
    e.operands().into_iter().zip(inputs).map(part).collect()
}

/// The same by operations that can be differentiated again and again.
fn composite(op: &Attention, q: &Tensor, k: &Tensor, v: &Tensor, mask: Option<&Tensor>) -> Tensor {
    let heads = |x: &Tensor| x.transpose(&[0, 2, 1, 3]);
    let scores = heads(q).matmul(heads(k).t());
    let mask = mask.map(|m| m.expand_dims(1));
    let shares = match &mask {
        None => scores.softmax(-1),
        Some(mask) => mask.select(&scores, FAR).softmax(-1),
    };
    let shares = match &mask {
        Some(mask) if op.nowhere => mask.select(&shares, 0.0),
        _ => shares,
    };
    heads(&shares.matmul(heads(v)))
}

impl Operation for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let e = self.extents(inputs)?;
        Ok(TensorType {
            shape: [e.attended() + e.kept(self.kept)].into(),
            dtype: inputs[0].dtype,
        })
    }

    /// Only what is attended to is differentiated, by the rule that [`Attention::run`] gives it.
    fn grad(&self, inputs: &[Tensor], _: &Tensor, _: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        vec![None; inputs.len()]
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        map(ty, loops::forward(self, inputs).into_iter())
    }

    fn without_tape(&self) -> Option<super::Op> {
        (self.kept != Kept::Nothing).then(|| {
            let kept = Kept::Nothing;
            Attention { kept, ..*self }.into()
        })
    }
}

impl Operation for AttentionGrad {
    fn name(&self) -> &'static str {
        "attention_grad"
    }

    fn infer(&self, inputs: &[TensorType]) -> Result<TensorType> {
        let [tape, g, operands @ ..] = inputs else {
            return Err(Error::shape("attention_grad needs a tape and a gradient."));
        };
        let e = self.0.extents(operands)?;
        let length = e.attended() + e.kept(self.0.kept);
        if tape.shape[..] != [length] || g.shape[..] != [e.batch, e.steps, e.heads, e.size] {
            return Err(Error::shape(format!(
                "attention_grad expects a tape of {length} numbers and a gradient ({}, {}, {}, {}). \
                 Received: {tape} and {g}.",
                e.batch, e.steps, e.heads, e.size
            )));
        }
        Ok(TensorType {
            shape: [e.operands().iter().sum::<usize>()].into(),
            dtype: tape.dtype,
        })
    }

    /// By way of the small operations; the tape is a function of queries, keys and values.
    fn grad(&self, inputs: &[Tensor], _: &Tensor, g: &Tensor, _: &[bool]) -> Vec<Option<Tensor>> {
        let types: Vec<TensorType> = inputs[2..].iter().map(|x| x.ty().clone()).collect();
        let Ok(e) = self.0.extents(&types) else {
            return vec![None; inputs.len()];
        };
        // One tensor may be several of the operands, whose gradients are told apart here.
        let same = |x: &Tensor| {
            let rule = |_: &[Tensor], _: &Tensor, g: &Tensor| vec![Some(g.clone())];
            Tensor::with_rule(x, std::slice::from_ref(x), Arc::new(rule))
        };
        let own: Vec<Tensor> = inputs[1..5].iter().map(same).collect();
        let [above, q, k, v] = [&own[0], &own[1], &own[2], &own[3]];
        let first = (composite(&self.0, q, k, v, inputs.get(5)) * above).sum();
        let first = grad(&first, &[q, k, v]);
        let flows = parts(g, e, &own[1..]);
        let second = first.iter().zip(&flows).map(|(x, g)| (x * g).sum());
        let Some(second) = second.reduce(|a, b| a + b) else {
            return vec![None; inputs.len()];
        };
        let mut gradients = vec![None];
        gradients.extend(grad(&second, &[above, q, k, v]).into_iter().map(Some));
        gradients.resize(inputs.len(), None);
        gradients
    }

    fn reference(&self, inputs: &[&Array], ty: &TensorType) -> Array {
        map(ty, loops::backward(&self.0, inputs).into_iter())
    }
}

/// A mean of values `v` `(batch, others, heads, size)` for each query of `q` `(batch, steps, heads, d)`, by
/// the softmax of its products with the keys `k` `(batch, others, heads, d)`:
/// `(batch, steps, heads, size)`. Queries are not scaled here.
///
/// A mask, `(batch or 1, steps or 1, others)`, says what a step may see. One that may look nowhere sees all
/// alike or, with `nowhere`, nothing: 0. What comes in 16 bits is computed in `float32`.
///
/// ```
/// use cornu_core::ops::attention::attention;
/// use cornu_core::{Device, Reference, Tensor};
/// // One head; the query fits both keys alike.
/// let q = Tensor::constant([0.0f32]).reshape([1, 1, 1, 1]);
/// let k = Tensor::constant([1.0f32, 2.0]).reshape([1, 2, 1, 1]);
/// let v = Tensor::constant([10.0f32, 20.0]).reshape([1, 2, 1, 1]);
/// let y = attention(&q, &k, &v, None, false);
/// assert_eq!(Device::new(Reference).eval(&[y]).unwrap()[0].to_vec::<f32>(), [15.0]);
/// ```
#[track_caller]
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    mask: Option<&Tensor>,
    nowhere: bool,
) -> Tensor {
    let given = q.dtype();
    let of = |x: &Tensor| match given {
        DType::BF16 | DType::F16 => x.cast(DType::F32),
        _ => x.clone(),
    };
    let others = k.shape().get(1).copied().unwrap_or_default();
    let rows: usize = q.shape().iter().take(3).product();
    let op = Attention {
        masked: mask.is_some(),
        nowhere,
        kept: match rows.saturating_mul(others) <= KEPT_SHARES {
            true => Kept::Shares,
            false => Kept::Sums,
        },
    };
    op.run(&of(q), &of(k), &of(v), mask).cast(given)
}
