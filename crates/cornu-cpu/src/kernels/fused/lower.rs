//! From the body of a `Fused` to nodes: products merged with sums, comparisons with selections, and what
//! is the same at every element marked.

use super::functions::{Pair, Wrapped, wraps};
use super::{Lane, space};
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};
use cornu_core::passes::fused::{BodyFn, Fused};
use cornu_core::{DType, Error, Result};

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum NodeOp {
    /// A constant.
    Const(Scalar),
    /// Operand `.0`.
    Operand(usize),
    Unary(UnaryFn),
    Binary(BinaryFn),
    /// Two functions of three operands.
    Pair(Pair),
    /// A function of a sum or difference.
    Wrapped(Wrapped),
    Select,
    /// The third where the comparison of the first two holds, else the fourth.
    Choose(BinaryFn),
    Cast,
    /// Merged into its only user.
    Merged,
}

/// A register of the body.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub op: NodeOp,
    pub args: Vec<usize>,
    pub dtype: DType,
    /// Whether it is the same at every element.
    pub uniform: bool,
}

impl Node {
    pub fn lane(&self) -> Lane {
        Lane::of(self.dtype)
    }
}

/// Lowers a body. `keep`: a register whose value is needed besides the outputs. `given`: operand 0 is passed
/// with each call.
///
/// # Errors
/// A body that is not well formed.
pub(crate) fn lower(fused: &Fused, keep: Option<u16>, given: bool) -> Result<Vec<Node>> {
    let rank = fused.shape.len();
    let bad = |what: &str| {
        Err(Error::new(format!(
            "A fused kernel is not well formed: {what}."
        )))
    };
    let mut nodes: Vec<Node> = Vec::new();
    for (k, operand) in fused.operands.iter().enumerate() {
        if operand.strides.len() != rank {
            return bad("an operand has another rank");
        }
        let fixed = |(s, n): (&isize, &usize)| *s == 0 || *n == 1;
        nodes.push(Node {
            op: NodeOp::Operand(k),
            args: Vec::new(),
            dtype: operand.dtype,
            uniform: !(given && k == 0) && operand.strides.iter().zip(&fused.shape).all(fixed),
        });
    }
    for inst in &fused.body {
        let args: Vec<usize> = inst.args[..inst.f.arity()]
            .iter()
            .map(|r| usize::from(*r))
            .collect();
        if args.iter().any(|a| *a >= nodes.len()) {
            return bad("a register is read before it is defined");
        }
        let op = match inst.f {
            BodyFn::Scalar(value) => NodeOp::Const(value),
            BodyFn::Unary(f) => NodeOp::Unary(f),
            BodyFn::Binary(f) => NodeOp::Binary(f),
            BodyFn::Select => NodeOp::Select,
            BodyFn::Cast => NodeOp::Cast,
        };
        let types_fit = match op {
            NodeOp::Binary(_) => nodes[args[0]].dtype == nodes[args[1]].dtype,
            NodeOp::Select => {
                nodes[args[0]].dtype == DType::Bool
                    && nodes[args[1]].dtype == inst.dtype
                    && nodes[args[2]].dtype == inst.dtype
            }
            _ => true,
        };
        if !types_fit {
            return bad("operands have other types");
        }
        let uniform = args.iter().all(|a| nodes[*a].uniform);
        nodes.push(Node {
            op,
            args,
            dtype: inst.dtype,
            uniform,
        });
    }
    let mut uses = vec![0usize; nodes.len()];
    nodes
        .iter()
        .flat_map(|n| &n.args)
        .for_each(|a| uses[*a] += 1);
    for r in fused.outputs.iter().map(|o| o.register).chain(keep) {
        match uses.get_mut(usize::from(r)) {
            Some(n) => *n += 1,
            None => return bad("an output of no register"),
        }
    }
    merge(&mut nodes, &uses);
    Ok(nodes)
}

/// Merges a product into the sum and a comparison into the selection that alone uses it.
fn merge(nodes: &mut [Node], uses: &[usize]) {
    let exact = |d: DType| matches!(d, DType::F32 | DType::F64);
    // The products that sums and differences will take in.
    let mut into_sum = vec![false; nodes.len()];
    for node in nodes.iter() {
        if matches!(node.op, NodeOp::Binary(BinaryFn::Add | BinaryFn::Sub)) && !node.uniform {
            let product = |a: &&usize| {
                let ops = [
                    NodeOp::Binary(BinaryFn::Mul),
                    NodeOp::Unary(UnaryFn::Square),
                ];
                uses[**a] == 1 && !nodes[**a].uniform && ops.contains(&nodes[**a].op)
            };
            if let Some(a) = node.args.iter().find(product) {
                into_sum[*a] = true;
            }
        }
    }
    for i in 0..nodes.len() {
        if nodes[i].uniform {
            continue;
        }
        let args = nodes[i].args.clone();
        let once = |a: usize| uses[a] == 1 && !nodes[a].uniform;
        let factors = |a: usize| match nodes[a].op {
            NodeOp::Binary(BinaryFn::Mul) if once(a) => Some(nodes[a].args.clone()),
            NodeOp::Unary(UnaryFn::Square) if once(a) => Some(vec![nodes[a].args[0]; 2]),
            _ => None,
        };
        let merged = match nodes[i].op {
            NodeOp::Binary(f @ (BinaryFn::Add | BinaryFn::Sub)) if exact(nodes[i].dtype) => {
                let (x, y) = (args[0], args[1]);
                let sum = f == BinaryFn::Add;
                let first = if sum { Pair::MulAdd } else { Pair::MulSub };
                let second = if sum { Pair::MulAdd } else { Pair::SubMul };
                let left = factors(x).map(|p| (x, NodeOp::Pair(first), vec![p[0], p[1], y]));
                let right = || factors(y).map(|p| (y, NodeOp::Pair(second), vec![p[0], p[1], x]));
                let root = |a: usize, other: usize| {
                    (sum && nodes[a].op == NodeOp::Unary(UnaryFn::Sqrt) && once(a))
                        .then(|| {
                            (
                                a,
                                NodeOp::Wrapped(Wrapped::SqrtAdd),
                                vec![nodes[a].args[0], other],
                            )
                        })
                        .filter(|_| nodes[i].dtype == DType::F32)
                };
                left.or_else(right)
                    .or_else(|| root(x, y))
                    .or_else(|| root(y, x))
            }
            NodeOp::Binary(BinaryFn::Mul) if exact(nodes[i].dtype) => {
                let (x, y) = (args[0], args[1]);
                let three = |a: usize, other: usize| {
                    let product = factors(a)
                        .map(|p| (a, NodeOp::Pair(Pair::MulMul), vec![p[0], p[1], other]));
                    product.or_else(|| {
                        let difference = nodes[a].op == NodeOp::Binary(BinaryFn::Sub) && once(a);
                        difference.then(|| {
                            let d = &nodes[a].args;
                            (
                                a,
                                NodeOp::Pair(Pair::DifferenceMul),
                                vec![d[0], d[1], other],
                            )
                        })
                    })
                };
                // The product itself may go into a sum, which is as good.
                three(x, y).or_else(|| three(y, x)).filter(|_| !into_sum[i])
            }
            NodeOp::Binary(BinaryFn::Div) if exact(nodes[i].dtype) => factors(args[0]).map(|p| {
                (
                    args[0],
                    NodeOp::Pair(Pair::MulDiv),
                    vec![p[0], p[1], args[1]],
                )
            }),
            NodeOp::Unary(f) if nodes[i].dtype == DType::F32 && wraps(f) && once(args[0]) => {
                let inner = &nodes[args[0]];
                let op = match inner.op {
                    NodeOp::Binary(BinaryFn::Add) => Some(Wrapped::OfSum(f)),
                    NodeOp::Binary(BinaryFn::Sub) => Some(Wrapped::OfDifference(f)),
                    _ => None,
                };
                op.filter(|_| f != UnaryFn::Square || !into_sum[i])
                    .map(|op| (args[0], NodeOp::Wrapped(op), inner.args.clone()))
            }
            NodeOp::Select => match nodes[args[0]].op {
                NodeOp::Binary(f)
                    if f.is_comparison()
                        && once(args[0])
                        && nodes[nodes[args[0]].args[0]].lane() == nodes[i].lane()
                        && matches!(nodes[i].lane(), Lane::F32 | Lane::F64) =>
                {
                    let c = &nodes[args[0]].args;
                    Some((
                        args[0],
                        NodeOp::Choose(f),
                        vec![c[0], c[1], args[1], args[2]],
                    ))
                }
                _ => None,
            },
            _ => None,
        };
        if let Some((gone, op, args)) = merged {
            nodes[gone].op = NodeOp::Merged;
            nodes[gone].args.clear();
            nodes[i].op = op;
            nodes[i].args = args;
        }
    }
}

/// The operands' strides and, last, those of a row-major output.
pub(crate) fn all_strides(fused: &Fused) -> Vec<Vec<isize>> {
    let mut all: Vec<Vec<isize>> = fused.operands.iter().map(|o| o.strides.clone()).collect();
    all.push(space::row_major(&fused.shape));
    all
}
