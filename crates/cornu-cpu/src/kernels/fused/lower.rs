//! From the body of a `Fused` to nodes: products merged with sums, comparisons with selections, and what
//! is the same at every element marked.

use super::combined::{Pair, Triple, Wrapped, wraps};
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
    /// Three functions of four.
    Triple(Triple),
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
    let kept = fused.outputs.iter().map(|o| o.register).chain(keep);
    let kept: Vec<usize> = kept.map(usize::from).collect();
    if kept.iter().any(|r| *r >= nodes.len()) {
        return bad("an output of no register");
    }
    let uses = count_uses(&nodes, &kept);
    merge(&mut nodes, &uses);
    // What a square was merged into reads the square's operand twice.
    let uses = count_uses(&nodes, &kept);
    merge_more(&mut nodes, &uses);
    Ok(nodes)
}

/// How many times each node is read, those that are `kept` once more.
fn count_uses(nodes: &[Node], kept: &[usize]) -> Vec<usize> {
    let mut uses = vec![0; nodes.len()];
    let read = nodes.iter().flat_map(|n| &n.args).chain(kept);
    read.for_each(|a| uses[*a] += 1);
    uses
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

/// Merges a third function into two that are merged already.
fn merge_more(nodes: &mut [Node], uses: &[usize]) {
    for i in 0..nodes.len() {
        if nodes[i].uniform || !matches!(nodes[i].dtype, DType::F32 | DType::F64) {
            continue;
        }
        let args = &nodes[i].args;
        // The operands of one that alone is used here.
        let of = |a: usize, op: NodeOp| {
            let only = uses[a] == 1 && !nodes[a].uniform && nodes[a].op == op;
            only.then(|| &nodes[a].args[..])
        };
        // The product of a factor that is itself one of two, and the other factor, added to a third.
        let factor = |inner: BinaryFn, kind: Triple| {
            let [x, y, z] = args[..] else { return None };
            [(x, y), (y, x)].into_iter().find_map(|(a, other)| {
                let two = of(a, NodeOp::Binary(inner))?;
                Some((a, kind, vec![two[0], two[1], other, z]))
            })
        };
        let merged = match nodes[i].op {
            NodeOp::Pair(Pair::SubMul) => factor(BinaryFn::Mul, Triple::SubMulMul),
            NodeOp::Pair(Pair::MulAdd) => factor(BinaryFn::Mul, Triple::MulMulAdd)
                .or_else(|| factor(BinaryFn::Sub, Triple::DifferenceMulAdd))
                .or_else(|| {
                    let square = of(args[2], NodeOp::Pair(Pair::MulMul))?;
                    let operands = vec![args[0], args[1], square[0], square[2]];
                    (square[0] == square[1]).then_some((args[2], Triple::MulAddSquareMul, operands))
                }),
            NodeOp::Binary(BinaryFn::Sub) => of(args[1], NodeOp::Pair(Pair::MulDiv)).map(|p| {
                let operands = vec![p[0], p[1], p[2], args[0]];
                (args[1], Triple::SubMulDiv, operands)
            }),
            _ => None,
        };
        if let Some((gone, op, args)) = merged {
            nodes[gone].op = NodeOp::Merged;
            nodes[gone].args.clear();
            nodes[i].op = NodeOp::Triple(op);
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

#[cfg(test)]
mod tests {
    use super::*;
    use cornu_core::passes::fused::{BodyInst, Operand, Output};
    use cornu_core::program::ValueId;

    /// Functions and the registers that they read.
    type Body = [(BodyFn, [u16; 3])];

    /// What is left of a body of four operands, of which the last result is stored.
    fn left(dtype: DType, body: &Body) -> Vec<NodeOp> {
        let operand = |k: u32| Operand {
            value: ValueId(k),
            dtype,
            strides: vec![1],
            offset: 0,
        };
        let fused = Fused {
            shape: vec![64],
            operands: (0..4).map(operand).collect(),
            body: (body.iter())
                .map(|(f, args)| BodyInst {
                    f: *f,
                    args: *args,
                    dtype,
                })
                .collect(),
            outputs: vec![Output {
                value: ValueId(4),
                register: 3 + body.len() as u16,
            }],
        };
        let nodes = lower(&fused, None, false).unwrap();
        let gone = |n: &Node| matches!(n.op, NodeOp::Operand(_) | NodeOp::Merged);
        nodes.iter().filter(|n| !gone(n)).map(|n| n.op).collect()
    }

    /// A square's operand was used once, but is read twice by what the square is merged into.
    #[test]
    fn the_product_of_a_square_stays() {
        let product = (BodyFn::Binary(BinaryFn::Mul), [0, 1, 0]);
        let square = (BodyFn::Unary(UnaryFn::Square), [4, 0, 0]);
        for (f, args, pair) in [
            (BinaryFn::Add, [5, 3, 0], Pair::MulAdd),
            (BinaryFn::Sub, [3, 5, 0], Pair::SubMul),
        ] {
            let body = [product, square, (BodyFn::Binary(f), args)];
            let expected = [NodeOp::Binary(BinaryFn::Mul), NodeOp::Pair(pair)];
            assert_eq!(left(DType::F32, &body), expected);
        }
    }

    #[test]
    fn three_functions_are_one() {
        use BinaryFn::{Add, Div, Mul, Sub};
        let of = |f| BodyFn::Binary(f);
        let square = BodyFn::Unary(UnaryFn::Square);
        let all: [(Triple, &Body); 5] = [
            (
                Triple::MulMulAdd,
                &[
                    (of(Mul), [0, 1, 0]),
                    (of(Mul), [4, 2, 0]),
                    (of(Add), [5, 3, 0]),
                ],
            ),
            (
                Triple::SubMulMul,
                &[
                    (of(Mul), [0, 1, 0]),
                    (of(Mul), [4, 2, 0]),
                    (of(Sub), [3, 5, 0]),
                ],
            ),
            (
                Triple::SubMulDiv,
                &[
                    (of(Mul), [0, 1, 0]),
                    (of(Div), [4, 2, 0]),
                    (of(Sub), [3, 5, 0]),
                ],
            ),
            (
                Triple::DifferenceMulAdd,
                &[
                    (of(Sub), [0, 1, 0]),
                    (of(Mul), [4, 2, 0]),
                    (of(Add), [3, 5, 0]),
                ],
            ),
            (
                Triple::MulAddSquareMul,
                &[
                    (of(Mul), [0, 1, 0]),
                    (square, [2, 0, 0]),
                    (of(Mul), [5, 3, 0]),
                    (of(Add), [4, 6, 0]),
                ],
            ),
        ];
        for (triple, body) in all {
            for dtype in [DType::F32, DType::F64] {
                assert_eq!(left(dtype, body), [NodeOp::Triple(triple)]);
            }
            // Every one of them rounds to half precision.
            assert_eq!(left(DType::BF16, body).len(), body.len());
        }
    }
}
