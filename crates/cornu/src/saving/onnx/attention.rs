//! Attention as the products and the softmax that it is made of.

use super::graph::Attribute;
use super::lower::{Lowering, Value};
use crate::Result;
use cornu_core::ops::attention::{Attention, FAR};
use cornu_core::ops::creation::Scalar;
use cornu_core::program::ValueId;

/// The nodes of attention, whose result is the value `v`: a vector of what is attended to.
pub(super) fn attend(
    to: &mut Lowering<'_>,
    v: ValueId,
    op: &Attention,
    args: &[ValueId],
) -> Result<Value> {
    let dtype = to.dtype(v);
    let names = args.iter().map(|v| to.full(*v));
    let names = names.collect::<Result<Vec<_>>>()?;
    let q = to.transpose(&names[0], &[0, 2, 1, 3]);
    let k = to.transpose(&names[1], &[0, 2, 3, 1]);
    let values = to.transpose(&names[2], &[0, 2, 1, 3]);
    let mut scores = to.graph.node("MatMul", &[&q, &k], vec![]);
    let mask = names.get(3).map(|mask| {
        let axis = to.graph.list(&[1]);
        to.graph.node("Unsqueeze", &[mask, &axis], vec![])
    });
    if let Some(mask) = &mask {
        let far = to.graph.scalar(Scalar::Float(FAR), dtype);
        scores = to.graph.node("Where", &[mask, &scores, &far], vec![]);
    }
    let last = vec![("axis", Attribute::Int(-1))];
    let mut shares = to.graph.node("Softmax", &[&scores], last);
    if let (Some(mask), true) = (&mask, op.nowhere) {
        let none = to.graph.scalar(Scalar::Float(0.0), dtype);
        shares = to.graph.node("Where", &[mask, &shares, &none], vec![]);
    }
    let attended = to.graph.node("MatMul", &[&shares, &values], vec![]);
    let attended = to.transpose(&attended, &[0, 2, 1, 3]);
    let extents = to.extents(v)?;
    let name = to.reshape(&attended, &extents);
    Ok(Value::new(name, extents))
}
