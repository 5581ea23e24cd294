//! What runs as one kernel.

use crate::ops::Op;
use crate::ops::matmul::{Extents, MatMul};
use crate::ops::reduce::ReduceFn;
use crate::passes::fused::Fused;
use crate::program::ValueId;
use crate::tensor::TensorType;

/// What runs as one kernel.
#[derive(Clone, Debug)]
pub enum Group {
    /// Element functions over one iteration space.
    Elementwise(Fused),
    /// A reduction with what precedes and follows it.
    Reduce(ReduceGroup),
    /// A matrix product with what follows it.
    MatMul(MatMulGroup),
    /// An instruction whose result is made in blocks of rows, with what follows it.
    Rows(RowsGroup),
    /// Any other instruction; its operands lie whole in memory.
    Other(OtherGroup),
}

/// Element functions over the unreduced space, a reduction of one of their registers, and element
/// functions over the reduced space.
#[derive(Clone, Debug)]
pub struct ReduceGroup {
    /// What precedes; its outputs are written as well.
    pub prologue: Fused,
    /// The register of the prologue that is reduced.
    pub register: u16,
    /// How elements are combined.
    pub f: ReduceFn,
    /// The axes of the prologue's space that disappear.
    pub axes: Vec<usize>,
    /// What follows, over the reduced space (axes of extent 1 left out); operand 0 is the reduction.
    pub epilogue: Fused,
}

/// A matrix product and the element functions that follow it.
#[derive(Clone, Debug)]
pub struct MatMulGroup {
    /// The first operand.
    pub a: ValueId,
    /// The second operand.
    pub b: ValueId,
    /// Where each begins in what it is part of, in elements.
    pub offsets: [usize; 2],
    /// Which operands are transposed.
    pub op: MatMul,
    /// The extents.
    pub extents: Extents,
    /// What follows, over (batch · m, n); operand 0 is the product.
    pub epilogue: Fused,
}

/// An instruction whose result is made in blocks of rows, and the element functions that follow it.
#[derive(Clone, Debug)]
pub struct RowsGroup {
    /// What is computed.
    pub op: Op,
    /// The values read, whole.
    pub args: Vec<ValueId>,
    /// The operands' types as the operation sees them.
    pub types: Vec<TensorType>,
    /// The result's type.
    pub result: TensorType,
    /// What follows, over (rows, last axis); operand 0 is the result.
    pub epilogue: Fused,
}

/// An instruction that is a kernel by itself.
#[derive(Clone, Debug)]
pub struct OtherGroup {
    /// What is computed.
    pub op: Op,
    /// The values read, whole.
    pub args: Vec<ValueId>,
    /// The operands' types as the operation sees them: a value may lie in memory under another shape.
    pub types: Vec<TensorType>,
    /// The value written.
    pub output: ValueId,
}

impl Group {
    /// The values the group reads from memory.
    pub fn reads(&self) -> Vec<ValueId> {
        let operands = |f: &Fused, skip: usize| -> Vec<ValueId> {
            f.operands[skip.min(f.operands.len())..]
                .iter()
                .map(|o| o.value)
                .collect()
        };
        match self {
            Group::Elementwise(f) => operands(f, 0),
            Group::Reduce(r) => [operands(&r.prologue, 0), operands(&r.epilogue, 1)].concat(),
            Group::MatMul(m) => [vec![m.a, m.b], operands(&m.epilogue, 1)].concat(),
            Group::Rows(r) => [r.args.clone(), operands(&r.epilogue, 1)].concat(),
            Group::Other(o) => o.args.clone(),
        }
    }

    /// The values the group writes to memory.
    pub fn writes(&self) -> Vec<ValueId> {
        let outputs = |f: &Fused| -> Vec<ValueId> { f.outputs.iter().map(|o| o.value).collect() };
        match self {
            Group::Elementwise(f) => outputs(f),
            Group::Reduce(r) => [outputs(&r.prologue), outputs(&r.epilogue)].concat(),
            Group::MatMul(m) => outputs(&m.epilogue),
            Group::Rows(r) => outputs(&r.epilogue),
            Group::Other(o) => vec![o.output],
        }
    }

    /// A short name for plans: what the group is made of.
    pub fn describe(&self) -> String {
        let body = |f: &Fused| -> String {
            f.body
                .iter()
                .map(|i| i.f.name())
                .collect::<Vec<_>>()
                .join("·")
        };
        match self {
            Group::Elementwise(f) => format!("elementwise {:?} {}", f.shape, body(f)),
            Group::Reduce(r) => format!(
                "{:?} over {:?} of {:?} [{}] then [{}]",
                r.f,
                r.axes,
                r.prologue.shape,
                body(&r.prologue),
                body(&r.epilogue)
            ),
            Group::MatMul(m) => {
                let e = m.extents;
                format!(
                    "matmul {}×{}×{}×{} then [{}]",
                    e.batch,
                    e.m,
                    e.k,
                    e.n,
                    body(&m.epilogue)
                )
            }
            Group::Rows(r) => {
                let types: Vec<String> = r.types.iter().map(TensorType::to_string).collect();
                format!(
                    "{} {} then [{}]",
                    r.op.name(),
                    types.join(" "),
                    body(&r.epilogue)
                )
            }
            Group::Other(o) => o.op.name().to_string(),
        }
    }
}
