//! Recurrences that ONNX has nodes for: `LSTM`, `GRU` and `RNN`.

use super::extents::Extent;
use super::graph::Attribute;
use super::lower::Lowering;
use crate::{Array, DType, Result};
use cornu_core::Op;
use cornu_core::ops::elementwise::BinaryFn;
use cornu_core::ops::recurrent::{Cell, Gate, Recurrent};
use cornu_core::program::ValueId;

/// What a node gives: the h after each step, `(batch, steps, units)`, and the last c, `(batch, 1, units)`.
pub(super) struct Walked {
    pub steps: String,
    pub last_c: Option<String>,
}

/// The input's product, `x·kernel + bias`, whose factors nodes take themselves.
struct Projection {
    x: ValueId,
    kernel: Array,
    bias: Option<Array>,
}

/// The node that walks as the operation does, if there is one: without masks, in `float32`, with weights that are
/// known and activations that every program knows.
pub(super) fn walk(
    to: &mut Lowering<'_>,
    op: &Recurrent,
    args: &[ValueId],
) -> Result<Option<Walked>> {
    // A simple cell has no gates.
    let gates = match op.cell {
        Cell::Simple => Some(""),
        Cell::Lstm | Cell::Gru { .. } => name(op.recurrent_activation),
    };
    let (Some(activation), Some(gates)) = (name(op.activation), gates) else {
        return Ok(None);
    };
    if op.masked || to.dtype(args[0]) != DType::F32 {
        return Ok(None);
    }
    let (Some(input), Some(kernel)) = (projection(to, args[0]), fixed(to, args[1])) else {
        return Ok(None);
    };
    let count = op.cell.states();
    let reset_bias = match op.cell.has_bias() {
        true => match fixed(to, args[2 + count]) {
            Some(bias) => Some(bias),
            None => return Ok(None),
        },
        false => None,
    };
    let units = kernel.shape()[0];
    let (node, order, activations): (_, &[usize], Vec<&str>) = match op.cell {
        Cell::Simple => ("RNN", &[0], vec![activation]),
        Cell::Lstm => ("LSTM", &[0, 3, 1, 2], vec![gates, activation, activation]),
        Cell::Gru { .. } => ("GRU", &[0, 1, 2], vec![gates, activation]),
    };
    let columns = units * order.len();
    let mut bias = vec![0f32; 2 * columns];
    if let Some(own) = &input.bias {
        bias[..columns].copy_from_slice(&turned(own, units, order));
    }
    if let Some(own) = &reset_bias {
        bias[2 * columns - units..].copy_from_slice(&own.to_vec::<f32>());
    }
    let features = input.kernel.shape()[0];
    let weights = [
        (
            "W",
            [1, columns, features],
            turned(&input.kernel, units, order),
        ),
        ("R", [1, columns, units], turned(&kernel, units, order)),
    ];
    let mut names = Vec::new();
    for (stem, shape, values) in weights {
        let array = Array::from_vec(shape, values)?;
        names.push(constant(to, stem, &array));
    }
    names.push(constant(to, "B", &Array::from_vec([1, 2 * columns], bias)?));

    // ONNX walks along the first axis. Backwards, it would give the steps in the input's order.
    let x = to.full(input.x)?;
    let mut x = to.transpose(&x, &[1, 0, 2]);
    if op.reverse {
        let (first, last) = (to.graph.list(&[-1]), to.graph.list(&[i64::MIN]));
        let (axis, back) = (to.graph.list(&[0]), to.graph.list(&[-1]));
        let inputs = [&*x, &*first, &*last, &*axis, &*back];
        x = to.graph.node("Slice", &inputs, vec![]);
    }
    let batch = to.extents(args[0])?[0];
    let (one, width) = (Extent::fixed(1), Extent::fixed(units as i64));
    // No lengths of sequences; initial states where they are not zeros.
    let mut inputs = vec![x, names[0].clone(), names[1].clone(), names[2].clone()];
    if !args[2..2 + count].iter().all(|state| is_zero(to, *state)) {
        inputs.push(String::new());
        for state in &args[2..2 + count] {
            let state = to.full(*state)?;
            inputs.push(to.reshape(&state, &[one, batch, width]));
        }
    }
    let mut attributes = vec![
        ("hidden_size", Attribute::Int(units as i64)),
        ("activations", Attribute::Texts(activations)),
    ];
    if let Cell::Gru { reset_after } = op.cell {
        let before = Attribute::Int(i64::from(reset_after));
        attributes.push(("linear_before_reset", before));
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let outputs = to.graph.nodes_of(node, &inputs, attributes, 1 + count);
    let axis = to.graph.list(&[1]);
    let steps = to.graph.node("Squeeze", &[&outputs[0], &axis], vec![]);
    Ok(Some(Walked {
        steps: to.transpose(&steps, &[1, 0, 2]),
        last_c: outputs.get(2).map(|c| to.transpose(c, &[1, 0, 2])),
    }))
}

fn constant(to: &mut Lowering<'_>, stem: &str, array: &Array) -> String {
    let stem = match to.graph.scope.is_empty() {
        true => stem.to_string(),
        false => format!("{}/{stem}", to.graph.scope),
    };
    to.graph.constant(&stem, array)
}

/// ONNX's name of an activation, where it has no parameters.
fn name(gate: Gate) -> Option<&'static str> {
    match gate {
        Gate::Tanh => Some("Tanh"),
        Gate::Sigmoid => Some("Sigmoid"),
        Gate::Relu => Some("Relu"),
        Gate::Linear | Gate::HardSigmoid => None,
    }
}

/// Columns as rows, gate by gate in another order.
fn turned(kernel: &Array, units: usize, order: &[usize]) -> Vec<f32> {
    let values = kernel.to_vec::<f32>();
    let width = units * order.len();
    let columns = order
        .iter()
        .flat_map(|gate| gate * units..(gate + 1) * units);
    let column = |c: usize| values.iter().skip(c).step_by(width).copied();
    columns.flat_map(column).collect()
}

/// The value without what only repeats or rearranges it.
fn source(to: &Lowering<'_>, mut v: ValueId) -> ValueId {
    while let Op::Broadcast(_) | Op::Reshape(_) = &to.inst(v).op {
        v = to.inst(v).args[0];
    }
    v
}

/// The factors of `z`, whose product is one of all rows of all steps, in another shape.
fn projection(to: &Lowering<'_>, z: ValueId) -> Option<Projection> {
    let is_product = |v: &ValueId| matches!(to.inst(source(to, *v)).op, Op::MatMul(_));
    let inst = to.inst(z);
    let (product, bias) = match &inst.op {
        Op::Binary(BinaryFn::Add) => {
            let product = inst.args.iter().position(is_product)?;
            (inst.args[product], Some(inst.args[1 - product]))
        }
        _ => (z, None),
    };
    let product = to.inst(source(to, product));
    let Op::MatMul(op) = &product.op else {
        return None;
    };
    let (rows, kernel) = (product.args[0], product.args[1]);
    let x = match &to.inst(rows).op {
        Op::Reshape(_) => to.inst(rows).args[0],
        _ => rows,
    };
    let kernel = fixed(to, source(to, kernel))?;
    let (&[batch, steps, columns], &[of_batch, of_steps, features]) =
        (&inst.ty.shape[..], &to.inst(x).ty.shape[..])
    else {
        return None;
    };
    let fits = [batch, steps] == [of_batch, of_steps] && kernel.shape()[..] == [features, columns];
    if op.transpose_a || op.transpose_b || !fits {
        return None;
    }
    let bias = match bias {
        Some(bias) => Some(fixed(to, source(to, bias)).filter(|b| b.size() == columns)?),
        None => None,
    };
    Some(Projection { x, kernel, bias })
}

/// The value, if it does not depend on the model's inputs.
fn fixed(to: &Lowering<'_>, v: ValueId) -> Option<Array> {
    let inst = to.inst(v);
    match &inst.op {
        Op::Input(_) => None,
        Op::Variable(variable) => Some(variable.value()),
        op => {
            let args = inst.args.iter().map(|a| fixed(to, *a));
            let args = args.collect::<Option<Vec<Array>>>()?;
            let args: Vec<&Array> = args.iter().collect();
            Some(op.rules()?.reference(&args, &inst.ty))
        }
    }
}

fn is_zero(to: &Lowering<'_>, v: ValueId) -> bool {
    match &to.inst(source(to, v)).op {
        Op::Full(full) => full.value.to::<f64>() == 0.0,
        _ => false,
    }
}
