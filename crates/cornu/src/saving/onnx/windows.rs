//! Convolutions and pooling. Cornu has channels last, ONNX before the spatial axes.

use super::graph::Attribute;
use super::lower::{Lowering, named};
use crate::{DType, Result};
use cornu_core::Op;
use cornu_core::ops::conv::{Conv, ConvFn};
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::pool::{Pool, PoolFn};
use cornu_core::program::ValueId;

/// The order of axes that puts channels before so many spatial axes, and the one that undoes it.
fn orders(axes: usize) -> [Vec<usize>; 2] {
    let spatial = 1..=axes;
    let first = [0, axes + 1].into_iter().chain(spatial).collect();
    let last = [0].into_iter().chain(2..=axes + 1).chain([1]).collect();
    [first, last]
}

fn ints(values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute::Ints(values.into_iter().map(|n| n as i64).collect())
}

/// What comes before each axis, then what comes after.
fn margins(padding: &[(usize, usize)]) -> Attribute {
    let (low, high) = (padding.iter().map(|p| p.0), padding.iter().map(|p| p.1));
    ints(low.chain(high))
}

/// What the last place of the kernel leaves of each axis, and of the margin after it.
fn left_over(op: &Conv) -> Result<Vec<usize>> {
    let (places, o) = (op.places()?, &op.options);
    let left = |i: usize| {
        let reach = (op.size[i] - 1) * o.dilation[i] + 1;
        let (low, high) = o.padding[i];
        (op.spatial[i] + low + high) - ((places[i] - 1) * o.strides[i] + reach)
    };
    Ok((0..op.spatial.len()).map(left).collect())
}

pub(super) fn conv(
    to: &mut Lowering<'_>,
    v: ValueId,
    op: &Conv,
    args: &[ValueId],
) -> Result<String> {
    let axes = op.spatial.len();
    let [first, last] = orders(axes);
    let (x, kernel) = (to.full(args[0])?, to.full(args[1])?);
    let x = to.transpose(&x, &first);
    // Filters, channels, cells; for both directions.
    let order: Vec<usize> = [axes + 1, axes].into_iter().chain(0..axes).collect();
    let kernel = to.transpose(&kernel, &order);
    let o = &op.options;
    let mut attributes = vec![
        ("strides", ints(o.strides.iter().copied())),
        ("dilations", ints(o.dilation.iter().copied())),
        ("pads", margins(&o.padding)),
        ("group", Attribute::Int(o.groups as i64)),
    ];
    let node = match op.f {
        ConvFn::Output => "Conv",
        ConvFn::Input => {
            let left = left_over(op)?;
            for p in to.programs {
                match &p.inst(v).op {
                    Op::Conv(other) if left_over(other)? == left => {}
                    _ => return Err(named(op)),
                }
            }
            attributes.push(("output_padding", ints(left)));
            "ConvTranspose"
        }
        ConvFn::Kernel => return Err(named(op)),
    };
    let y = to.graph.node(node, &[&x, &kernel], attributes);
    Ok(to.transpose(&y, &last))
}

pub(super) fn pool(to: &mut Lowering<'_>, op: &Pool, args: &[ValueId]) -> Result<String> {
    let [first, last] = orders(op.spatial.len());
    let dtype = to.dtype(args[0]);
    let mut x = to.full(args[0])?;
    // ONNX pools floats only.
    let floats = if dtype.is_float() { dtype } else { DType::F64 };
    if floats != dtype {
        x = to.cast(&x, floats);
    }
    let x = to.transpose(&x, &first);
    let w = &op.windows;
    let mut attributes = vec![
        ("kernel_shape", ints(w.size.iter().copied())),
        ("strides", ints(w.strides.iter().copied())),
        ("pads", margins(&w.padding)),
    ];
    let y = match op.f {
        PoolFn::Max => to.graph.node("MaxPool", &[&x], attributes),
        PoolFn::Sum => {
            attributes.push(("count_include_pad", Attribute::Int(1)));
            let mean = to.graph.node("AveragePool", &[&x], attributes);
            let cells = Scalar::Float(w.size.iter().product::<usize>() as f64);
            let cells = to.graph.scalar(cells, floats);
            to.graph.node("Mul", &[&mean, &cells], vec![])
        }
        PoolFn::MaxScatter | PoolFn::MaxGather | PoolFn::SumScatter => return Err(named(op)),
    };
    let y = to.transpose(&y, &last);
    Ok(if floats == dtype {
        y
    } else {
        to.cast(&y, dtype)
    })
}
