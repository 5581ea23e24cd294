//! Functions of elements.

use super::lower::{Lowering, Value, named, together};
use crate::{DType, Result};
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::elementwise::{BinaryFn, UnaryFn};
use cornu_core::program::ValueId;

/// The node that is this function, for those that ONNX has.
fn unary_node(f: UnaryFn) -> Option<&'static str> {
    use UnaryFn::*;
    Some(match f {
        Neg => "Neg",
        Abs => "Abs",
        Sign => "Sign",
        Exp => "Exp",
        Log => "Log",
        Sqrt => "Sqrt",
        Reciprocal => "Reciprocal",
        Sin => "Sin",
        Cos => "Cos",
        Tan => "Tan",
        Asin => "Asin",
        Acos => "Acos",
        Atan => "Atan",
        Sinh => "Sinh",
        Cosh => "Cosh",
        Tanh => "Tanh",
        Asinh => "Asinh",
        Acosh => "Acosh",
        Atanh => "Atanh",
        Sigmoid => "Sigmoid",
        Erf => "Erf",
        Floor => "Floor",
        Ceil => "Ceil",
        Round => "Round",
        Relu => "Relu",
        Not => "Not",
        IsNan => "IsNaN",
        IsInf => "IsInf",
        Expm1 | Log1p | Rsqrt | Square | ErfInv | IsFinite => return None,
    })
}

pub(super) fn unary(to: &mut Lowering<'_>, f: UnaryFn, x: ValueId) -> Result<Value> {
    let (dtype, x) = (to.dtype(x), to.brief(x).clone());
    let graph = &mut to.graph;
    let name = match (unary_node(f), f) {
        (Some(node), _) => graph.node(node, &[&x.name], vec![]),
        (None, UnaryFn::Square) => graph.node("Mul", &[&x.name, &x.name], vec![]),
        (None, UnaryFn::Rsqrt) => {
            let root = graph.node("Sqrt", &[&x.name], vec![]);
            graph.node("Reciprocal", &[&root], vec![])
        }
        (None, UnaryFn::Expm1) => {
            let (one, e) = (
                graph.scalar(Scalar::Float(1.0), dtype),
                graph.node("Exp", &[&x.name], vec![]),
            );
            graph.node("Sub", &[&e, &one], vec![])
        }
        (None, UnaryFn::Log1p) => {
            let one = graph.scalar(Scalar::Float(1.0), dtype);
            let sum = graph.node("Add", &[&x.name, &one], vec![]);
            graph.node("Log", &[&sum], vec![])
        }
        (None, UnaryFn::IsFinite) => {
            let [nan, inf] = ["IsNaN", "IsInf"].map(|op| graph.node(op, &[&x.name], vec![]));
            let either = graph.node("Or", &[&nan, &inf], vec![]);
            graph.node("Not", &[&either], vec![])
        }
        (None, other) => return Err(named(&other)),
    };
    Ok(Value::new(name, x.extents))
}

pub(super) fn binary(to: &mut Lowering<'_>, f: BinaryFn, a: ValueId, b: ValueId) -> Result<Value> {
    use BinaryFn::*;
    let dtype = to.dtype(a);
    let (a, b) = (to.brief(a).clone(), to.brief(b).clone());
    let extents = together(&[&a, &b]);
    let graph = &mut to.graph;
    let mut node = |op: &str| graph.node(op, &[&a.name, &b.name], vec![]);
    let name = match (f, dtype == DType::Bool) {
        (Add, _) => node("Add"),
        (Sub, _) => node("Sub"),
        (Mul, _) => node("Mul"),
        (Div, _) => node("Div"),
        (Pow, _) => node("Pow"),
        (Max, true) | (Or, _) => node("Or"),
        (Min, true) | (And, _) => node("And"),
        (Max, false) => node("Max"),
        (Min, false) => node("Min"),
        (Xor, _) => node("Xor"),
        (Eq, _) => node("Equal"),
        (Ne, _) => {
            let equal = node("Equal");
            graph.node("Not", &[&equal], vec![])
        }
        (Lt, _) => node("Less"),
        (Le, _) => node("LessOrEqual"),
        (Gt, _) => node("Greater"),
        (Ge, _) => node("GreaterOrEqual"),
        (Rem, _) if !dtype.is_float() => node("Mod"),
        (Rem, _) => {
            // The remainder has the divisor's sign, as in Python: a − ⌊a / b⌋ · b.
            let ratio = node("Div");
            let whole = graph.node("Floor", &[&ratio], vec![]);
            let taken = graph.node("Mul", &[&whole, &b.name], vec![]);
            graph.node("Sub", &[&a.name, &taken], vec![])
        }
        (Atan2, _) => return Err(named(&f)),
    };
    Ok(Value::new(name, extents))
}

pub(super) fn select(to: &mut Lowering<'_>, args: &[ValueId]) -> Result<Value> {
    let operands: Vec<Value> = args.iter().map(|v| to.brief(*v).clone()).collect();
    let extents = together(&operands.iter().collect::<Vec<_>>());
    let names: Vec<&str> = operands.iter().map(|v| v.name.as_str()).collect();
    Ok(Value::new(to.graph.node("Where", &names, vec![]), extents))
}
