//! Constant folding, algebraic clean-up and dead code.

use crate::array::Array;
use crate::dtype::DType;
use crate::ops::Op;
use crate::ops::creation::{Constant, Full, Scalar};
use crate::ops::elementwise::{BinaryFn, Cast, UnaryFn};
use crate::ops::movement::{Broadcast, Reshape, Transpose};
use crate::ops::reduce::{Reduce, ReduceFn};
use crate::program::{Builder, Inst, Program, ValueId};
use crate::shape::Shape;
use crate::tensor::TensorType;
use std::sync::Arc;

/// Results up to this many elements are computed when the program is made.
const FOLD_LIMIT: usize = 4096;

/// A simpler value equal to `op` on `args`, if there is one.
pub fn rewrite(
    b: &mut Builder,
    op: &Op,
    args: &[ValueId],
    ty: &TensorType,
    scope: Option<&str>,
) -> Option<ValueId> {
    if let Some(v) = splat(b, op, args, ty, scope) {
        return Some(v);
    }
    match op {
        Op::Iota(iota) => {
            // Counting is a small constant, stretched.
            let n = ty.shape[iota.axis];
            let line: Vec<i64> = (0..n as i64).collect();
            let line = Array::from(line).cast(ty.dtype);
            let short = TensorType {
                shape: n.into(),
                dtype: ty.dtype,
            };
            let v = b.push(Constant(Arc::new(line)).into(), vec![], short, scope);
            if ty.shape.rank() == 1 {
                return Some(v);
            }
            let mut shape = vec![1; ty.shape.rank()];
            shape[iota.axis] = n;
            let tall = TensorType {
                shape: shape.into(),
                dtype: ty.dtype,
            };
            let v = b.push(Reshape(tall.shape.clone()).into(), vec![v], tall, scope);
            Some(b.push(
                Broadcast(ty.shape.clone()).into(),
                vec![v],
                ty.clone(),
                scope,
            ))
        }
        Op::Reshape(_) | Op::Broadcast(_) if b.inst(args[0]).ty.shape == ty.shape => Some(args[0]),
        Op::Reshape(r) => {
            let inner = b.inst(args[0]);
            if let Op::Reshape(_) = inner.op {
                let source = inner.args[0];
                return Some(b.push(r.clone().into(), vec![source], ty.clone(), scope));
            }
            None
        }
        Op::Broadcast(_) => {
            let inner = b.inst(args[0]);
            if let Op::Broadcast(_) = inner.op {
                let source = inner.args[0];
                return Some(b.push(op.clone(), vec![source], ty.clone(), scope));
            }
            None
        }
        Op::Transpose(Transpose(order)) => {
            if order.iter().enumerate().all(|(i, a)| i == *a) {
                return Some(args[0]);
            }
            let inner = b.inst(args[0]);
            if let Op::Transpose(Transpose(first)) = &inner.op {
                let both: Vec<usize> = order.iter().map(|a| first[*a]).collect();
                let source = inner.args[0];
                return Some(b.push(Transpose(both).into(), vec![source], ty.clone(), scope));
            }
            None
        }
        Op::Cast(Cast(d)) if b.inst(args[0]).ty.dtype == *d => Some(args[0]),
        // Integers and booleans are always finite.
        Op::Unary(f @ (UnaryFn::IsNan | UnaryFn::IsInf | UnaryFn::IsFinite))
            if !b.inst(args[0]).ty.dtype.is_float() =>
        {
            let value = Scalar::Int(i64::from(*f == UnaryFn::IsFinite));
            Some(full(b, value, ty, scope))
        }
        Op::Unary(UnaryFn::Neg) => match b.inst(args[0]) {
            Inst {
                op: Op::Unary(UnaryFn::Neg),
                args,
                ..
            } => Some(args[0]),
            _ => None,
        },
        Op::Binary(f) => binary(b, *f, args, ty, scope),
        Op::Select(_) => match b.inst(args[0]).splat() {
            Some(c) => Some(if c.to_i64() != 0 { args[1] } else { args[2] }),
            None if args[1] == args[2] => Some(args[1]),
            None => None,
        },
        Op::Reduce(Reduce { f, axes }) => {
            if let Some(v) = sum_of_mean(b, *f, axes, args[0], ty, scope) {
                return Some(v);
            }
            let from = &b.inst(args[0]).ty.shape;
            if axes.iter().all(|a| from[*a] == 1) {
                return Some(b.push(
                    Reshape(ty.shape.clone()).into(),
                    args.to_vec(),
                    ty.clone(),
                    scope,
                ));
            }
            None
        }
        Op::MatMul(m) => {
            // A transposed operand is read transposed. Where other axes move too, it must be copied, but
            // then with the source's last axis left in its place.
            let (mut m, mut operands) = (*m, args.to_vec());
            for (operand, transposed) in operands
                .iter_mut()
                .zip([&mut m.transpose_a, &mut m.transpose_b])
            {
                let inst = b.inst(*operand);
                let Op::Transpose(Transpose(order)) = &inst.op else {
                    continue;
                };
                let n = order.len();
                if n >= 2 && order[n - 2] == n - 1 {
                    let (mut order, source) = (order.clone(), inst.args[0]);
                    order.swap(n - 2, n - 1);
                    let mut shape = inst.ty.shape.to_vec();
                    shape.swap(n - 2, n - 1);
                    let ty = TensorType {
                        shape: shape.into(),
                        dtype: inst.ty.dtype,
                    };
                    *operand = b.push(Transpose(order).into(), vec![source], ty, scope);
                    *transposed = !*transposed;
                }
            }
            (operands != *args).then(|| b.push(m.into(), operands, ty.clone(), scope))
        }
        _ => fold(b, op, args, ty, scope),
    }
}

/// The sum of a scaled sum (a mean over samples of a mean over features) as one sum, scaled.
fn sum_of_mean(
    b: &mut Builder,
    f: ReduceFn,
    axes: &[usize],
    x: ValueId,
    ty: &TensorType,
    scope: Option<&str>,
) -> Option<ValueId> {
    let scaled = b.inst(x);
    let Op::Binary(BinaryFn::Mul) = scaled.op else {
        return None;
    };
    // A half-precision sum could overflow before it is scaled.
    if f != ReduceFn::Sum || !matches!(ty.dtype, DType::F32 | DType::F64) {
        return None;
    }
    let (total, factor) = (scaled.args[0], b.inst(scaled.args[1]).splat()?);
    let inner = b.inst(total);
    let Op::Reduce(Reduce {
        f: ReduceFn::Sum,
        axes: first,
    }) = &inner.op
    else {
        return None;
    };
    let source = inner.args[0];
    let kept: Vec<usize> = (0..b.inst(source).ty.shape.rank())
        .filter(|a| !first.contains(a))
        .collect();
    let mut all = first.clone();
    all.extend(axes.iter().map(|a| kept[*a]));
    all.sort_unstable();
    let sum = Reduce { f, axes: all };
    let sum = b.push(sum.into(), vec![source], ty.clone(), scope);
    let factor = full(b, factor, ty, scope);
    Some(b.push(BinaryFn::Mul.into(), vec![sum, factor], ty.clone(), scope))
}

fn full(b: &mut Builder, value: Scalar, ty: &TensorType, scope: Option<&str>) -> ValueId {
    let op = Full {
        value,
        shape: ty.shape.clone(),
        dtype: ty.dtype,
    };
    b.push(op.into(), Vec::new(), ty.clone(), scope)
}

/// Operations on values that are the same everywhere give such a value.
fn splat(
    b: &mut Builder,
    op: &Op,
    args: &[ValueId],
    ty: &TensorType,
    scope: Option<&str>,
) -> Option<ValueId> {
    if let Op::Constant(Constant(a)) = op {
        if a.size() == 1 {
            let value = scalar(a);
            return Some(full(b, value, ty, scope));
        }
        return None;
    }
    if args.is_empty() {
        return None;
    }
    let values: Vec<Scalar> = args
        .iter()
        .map(|a| b.inst(*a).splat())
        .collect::<Option<_>>()?;
    if ty.shape.size() == 0 {
        return None;
    }
    match op {
        Op::Reshape(_) | Op::Broadcast(_) | Op::Transpose(_) | Op::SliceOp(_) => {
            Some(full(b, values[0], ty, scope))
        }
        Op::Reduce(Reduce {
            f: ReduceFn::Max | ReduceFn::Min,
            ..
        }) if b.inst(args[0]).ty.shape.size() > 0 => Some(full(b, values[0], ty, scope)),
        Op::Reduce(Reduce {
            f: ReduceFn::Sum, ..
        }) => {
            let n = b.inst(args[0]).ty.shape.size() / ty.shape.size();
            let sum = match values[0] {
                Scalar::Float(v) => Scalar::Float(v * n as f64),
                Scalar::Int(v) => Scalar::Int(v.wrapping_mul(n as i64)),
            };
            Some(full(b, sum, ty, scope))
        }
        op if op.is_elementwise() => {
            let operands: Vec<Array> = args
                .iter()
                .zip(&values)
                .map(|(a, v)| single(*v, b.inst(*a).ty.dtype))
                .collect();
            let one = TensorType {
                shape: Shape::scalar(),
                dtype: ty.dtype,
            };
            let result = op
                .rules()?
                .reference(&operands.iter().collect::<Vec<_>>(), &one);
            let value = scalar(&result);
            Some(full(b, value, ty, scope))
        }
        _ => None,
    }
}

fn single(value: Scalar, dtype: DType) -> Array {
    crate::with_dtype!(dtype, T => Array::scalar(value.to::<T>()))
}

fn scalar(a: &Array) -> Scalar {
    if a.dtype().is_float() {
        Scalar::Float(a.to_vec::<f64>()[0])
    } else {
        Scalar::Int(a.to_vec::<i64>()[0])
    }
}

/// `x + 0`, `x · 1`, `x²` and the like.
fn binary(
    b: &mut Builder,
    f: BinaryFn,
    args: &[ValueId],
    ty: &TensorType,
    scope: Option<&str>,
) -> Option<ValueId> {
    let left = b.inst(args[0]).splat().map(Scalar::to_f64);
    let right = b.inst(args[1]).splat().map(Scalar::to_f64);
    let mut unary = |f: UnaryFn, v: ValueId| Some(b.push(f.into(), vec![v], ty.clone(), scope));
    match (f, left, right) {
        (BinaryFn::Add, Some(0.0), _) | (BinaryFn::Mul, Some(1.0), _) => Some(args[1]),
        (BinaryFn::Add | BinaryFn::Sub, _, Some(0.0)) => Some(args[0]),
        (BinaryFn::Mul | BinaryFn::Div | BinaryFn::Pow, _, Some(1.0)) => Some(args[0]),
        (BinaryFn::Mul, Some(-1.0), _) => unary(UnaryFn::Neg, args[1]),
        (BinaryFn::Mul, _, Some(-1.0)) => unary(UnaryFn::Neg, args[0]),
        (BinaryFn::Sub, Some(0.0), _) if !ty.dtype.is_float() => unary(UnaryFn::Neg, args[1]),
        (BinaryFn::Mul, ..) if args[0] == args[1] => unary(UnaryFn::Square, args[0]),
        (BinaryFn::Pow, _, Some(2.0)) => unary(UnaryFn::Square, args[0]),
        (BinaryFn::Pow, _, Some(-1.0)) => unary(UnaryFn::Reciprocal, args[0]),
        _ => None,
    }
}

/// Evaluates an operation on small constants.
fn fold(
    b: &mut Builder,
    op: &Op,
    args: &[ValueId],
    ty: &TensorType,
    scope: Option<&str>,
) -> Option<ValueId> {
    // Splats and stretched constants stay as they are: they cost nothing in a fused kernel.
    if args.is_empty() || matches!(op, Op::Broadcast(_)) || ty.shape.size() > FOLD_LIMIT {
        return None;
    }
    let constants: Vec<Arc<Array>> = args
        .iter()
        .map(|a| match &b.inst(*a).op {
            Op::Constant(Constant(array)) => Some(array.clone()),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let operands: Vec<&Array> = constants.iter().map(|a| &**a).collect();
    let result = op.rules()?.reference(&operands, ty);
    Some(b.push(
        Constant(Arc::new(result)).into(),
        Vec::new(),
        ty.clone(),
        scope,
    ))
}

/// Drops what no output or update needs.
pub fn prune(program: Program) -> Program {
    let mut needed = vec![false; program.insts.len()];
    for v in program
        .outputs
        .iter()
        .chain(program.updates.iter().map(|(_, v)| v))
    {
        needed[v.index()] = true;
    }
    for i in (0..program.insts.len()).rev() {
        if needed[i] {
            for a in &program.insts[i].args {
                needed[a.index()] = true;
            }
        }
    }
    let mut place = vec![ValueId(0); program.insts.len()];
    let mut insts = Vec::new();
    for (i, mut inst) in program.insts.into_iter().enumerate() {
        if needed[i] {
            for a in &mut inst.args {
                *a = place[a.index()];
            }
            place[i] = ValueId(insts.len() as u32);
            insts.push(inst);
        }
    }
    let at = |v: ValueId| place[v.index()];
    Program {
        insts,
        inputs: program.inputs,
        outputs: program.outputs.into_iter().map(at).collect(),
        updates: program
            .updates
            .into_iter()
            .map(|(v, n)| (v, at(n)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Tensor, Variable};

    fn ops(t: &Tensor) -> Vec<&'static str> {
        let inputs = [TensorType {
            shape: [2, 3].into(),
            dtype: DType::F32,
        }];
        let p = Program::trace(&inputs, std::slice::from_ref(t), &[]).unwrap();
        p.insts.iter().map(|i| i.op.name()).collect()
    }

    #[test]
    fn algebra_and_common_subexpressions() {
        let x = Tensor::input(0, [2, 3], DType::F32);
        assert_eq!(ops(&((&x + 0.0) * 1.0)), ["input"]);
        assert_eq!(ops(&(&x * &x)), ["input", "square"]);
        assert_eq!(ops(&(x.exp() + x.exp())), ["input", "exp", "add"]);
        assert_eq!(ops(&x.t().t()), ["input"]);
        assert_eq!(ops(&x.t().matmul(&x)), ["input", "matmul"]);
        assert_eq!(
            ops(&(&x + (Tensor::from(2.0f32) * 3.0))),
            ["input", "full", "add"]
        );
    }

    #[test]
    fn a_sum_of_means_is_one_sum() {
        let x = Tensor::input(0, [2, 3], DType::F32);
        let mean = x.mean_axes(&[1], false);
        assert_eq!(ops(&mean.sum()), ["input", "full", "sum", "multiply"]);
        let y = crate::Device::new(crate::Reference);
        let x = Tensor::constant([[1.0f32, 2.0, 6.0], [1.0, 1.0, 4.0]]);
        let y = y.eval(&[x.mean_axes(&[1], false).mean()]).unwrap();
        assert_eq!(y[0].item::<f32>().unwrap(), 2.5);
    }

    #[test]
    fn dead_code_goes() {
        let w = Variable::new("w", [1.0f32]);
        let p = Program::trace(&[], &[w.tensor() + 1.0], &[]).unwrap();
        assert_eq!(p.insts.len(), 3, "{p}");
        let twice = [(w.clone(), w.tensor()), (w.clone(), w.tensor())];
        assert!(Program::trace(&[], &[], &twice).is_err());
    }
}
