//! Recurrences: as a node of their own where ONNX has one, else as its `Scan`, a graph that is walked over the steps.

use super::extents::Extent;
use super::graph::Attribute;
use super::lower::{Lowering, Value};
use super::native::{self, Walked};
use super::proto::GraphProto;
use crate::{DType, Result};
use cornu_core::ops::creation::Scalar;
use cornu_core::ops::recurrent::{Cell, Gate, Recurrent};
use cornu_core::program::ValueId;

/// The states, `(batch · rows, units)`: what a program reads of a recurrence.
pub(super) fn walk(to: &mut Lowering<'_>, op: &Recurrent, args: &[ValueId]) -> Result<Value> {
    let (z, kernel) = (to.extents(args[0])?, to.extents(args[1])?);
    let (batch, units) = (z[0], kernel[0]);
    let Walked { steps, last_c } = match native::walk(to, op, args)? {
        Some(walked) => walked,
        None => scan(to, op, args, [batch, units])?,
    };
    // The initial h, the h after each step, the last c.
    let initial = to.full(args[2])?;
    let mut parts = vec![
        to.reshape(&initial, &[batch, Extent::fixed(1), units]),
        steps,
    ];
    parts.extend(last_c);
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let states = to
        .graph
        .node("Concat", &parts, vec![("axis", Attribute::Int(1))]);
    let rows = to.extent(|p| {
        let shape = &p.inst(args[0]).ty.shape;
        shape[0] * op.cell.state_rows(shape[1])
    })?;
    Ok(Value {
        name: to.reshape(&states, &[rows, units]),
        extents: vec![rows, units],
        tape: Some(rows),
    })
}

/// A recurrence as a `Scan`.
fn scan(
    to: &mut Lowering<'_>,
    op: &Recurrent,
    args: &[ValueId],
    [batch, units]: [Extent; 2],
) -> Result<Walked> {
    let dtype = to.dtype(args[0]);
    let names = args.iter().map(|v| to.full(*v));
    let names = names.collect::<Result<Vec<_>>>()?;
    let count = op.cell.states();
    let initial = &names[2..2 + count];
    let body = Step {
        op,
        dtype,
        kernel: &names[1],
        bias: op.cell.has_bias().then(|| names[3].as_str()),
        units: units.known().unwrap_or_default(),
    };
    let body = body.graph(to);
    let mut inputs: Vec<&str> = initial.iter().map(String::as_str).collect();
    inputs.push(&names[0]);
    inputs.extend(op.masked.then(|| names[names.len() - 1].as_str()));
    let scanned = inputs.len() - count;
    let each = |n: i64| Attribute::Ints(vec![n; scanned]);
    let attributes = vec![
        ("body", Attribute::Graph(body)),
        ("num_scan_inputs", Attribute::Int(scanned as i64)),
        ("scan_input_axes", each(1)),
        ("scan_input_directions", each(i64::from(op.reverse))),
        ("scan_output_axes", Attribute::Ints(vec![1])),
    ];
    let walked = to.graph.nodes_of("Scan", &inputs, attributes, count + 1);
    let last_c =
        (op.cell == Cell::Lstm).then(|| to.reshape(&walked[1], &[batch, Extent::fixed(1), units]));
    Ok(Walked {
        steps: walked[count].clone(),
        last_c,
    })
}

/// What happens at one step.
struct Step<'s> {
    op: &'s Recurrent,
    dtype: DType,
    kernel: &'s str,
    bias: Option<&'s str>,
    units: i64,
}

impl Step<'_> {
    fn graph(&self, to: &mut Lowering<'_>) -> GraphProto {
        let before = std::mem::take(&mut to.graph.nodes);
        let count = self.op.cell.states();
        let mut free = |stem: &str| to.graph.free(&format!("step/{stem}"));
        let given: Vec<String> = ["h", "c"][..count].iter().map(|s| free(s)).collect();
        let (z, mask) = (free("z"), self.op.masked.then(|| free("mask")));
        let mut after = match self.op.cell {
            Cell::Simple => vec![self.simple(to, &z, &given[0])],
            Cell::Lstm => self.lstm(to, &z, &given[0], &given[1]),
            Cell::Gru { .. } => vec![self.gru(to, &z, &given[0])],
        };
        if let Some(mask) = &mask {
            let axis = to.graph.list(&[1]);
            let counts = to.graph.node("Unsqueeze", &[mask, &axis], vec![]);
            for (new, old) in after.iter_mut().zip(&given) {
                *new = to.graph.node("Where", &[&counts, new, old], vec![]);
            }
        }
        // What is shown of a step is its h.
        after.push(to.graph.node("Identity", &[&after[0]], vec![]));
        let batch = Extent::open(0);
        let row = |name: &String, columns: i64| {
            to.graph
                .value_info(name, self.dtype, &[batch, Extent::fixed(columns)])
        };
        let mut input: Vec<_> = given.iter().map(|s| row(s, self.units)).collect();
        input.push(row(&z, self.units * self.op.cell.gates() as i64));
        let of_mask = |m: &String| to.graph.value_info(m, DType::Bool, &[batch]);
        input.extend(mask.iter().map(of_mask));
        let output = after.iter().map(|s| row(s, self.units)).collect();
        GraphProto {
            node: std::mem::replace(&mut to.graph.nodes, before),
            name: "step".into(),
            initializer: Vec::new(),
            input,
            output,
        }
    }

    /// x + h·R, in as many parts as there are gates.
    fn gates(&self, to: &mut Lowering<'_>, z: &str, h: &str) -> Vec<String> {
        let product = to.graph.node("MatMul", &[h, self.kernel], vec![]);
        let sum = to.graph.node("Add", &[z, &product], vec![]);
        self.parts(to, &sum, self.op.cell.gates())
    }

    fn parts(&self, to: &mut Lowering<'_>, x: &str, parts: usize) -> Vec<String> {
        let sizes = to.graph.list(&vec![self.units; parts]);
        let axis = vec![("axis", Attribute::Int(1))];
        to.graph.nodes_of("Split", &[x, &sizes], axis, parts)
    }

    fn simple(&self, to: &mut Lowering<'_>, z: &str, h: &str) -> String {
        let product = to.graph.node("MatMul", &[h, self.kernel], vec![]);
        let sum = to.graph.node("Add", &[z, &product], vec![]);
        gate(to, self.op.activation, &sum)
    }

    fn lstm(&self, to: &mut Lowering<'_>, z: &str, h: &str, c: &str) -> Vec<String> {
        let parts = self.gates(to, z, h);
        let (a, s) = (self.op.activation, self.op.recurrent_activation);
        let [i, f, o] = [0, 1, 3].map(|k| gate(to, s, &parts[k]));
        let candidate = gate(to, a, &parts[2]);
        let kept = to.graph.node("Mul", &[&f, c], vec![]);
        let new = to.graph.node("Mul", &[&i, &candidate], vec![]);
        let c = to.graph.node("Add", &[&kept, &new], vec![]);
        let shown = gate(to, a, &c);
        vec![to.graph.node("Mul", &[&o, &shown], vec![]), c]
    }

    fn gru(&self, to: &mut Lowering<'_>, z: &str, h: &str) -> String {
        let (a, s) = (self.op.activation, self.op.recurrent_activation);
        let x = self.parts(to, z, 3);
        let (update, inner) = match self.bias {
            Some(bias) => {
                let product = to.graph.node("MatMul", &[h, self.kernel], vec![]);
                let q = self.parts(to, &product, 3);
                let [update, reset] = [0, 1].map(|k| {
                    let sum = to.graph.node("Add", &[&x[k], &q[k]], vec![]);
                    gate(to, s, &sum)
                });
                let inner = to.graph.node("Add", &[&q[2], bias], vec![]);
                let inner = to.graph.node("Mul", &[&reset, &inner], vec![]);
                (update, inner)
            }
            None => {
                let axis = vec![("axis", Attribute::Int(1))];
                let sizes = to.graph.list(&[self.units; 3]);
                let kernels = to.graph.nodes_of("Split", &[self.kernel, &sizes], axis, 3);
                let [update, reset] = [0, 1].map(|k| {
                    let product = to.graph.node("MatMul", &[h, &kernels[k]], vec![]);
                    let sum = to.graph.node("Add", &[&x[k], &product], vec![]);
                    gate(to, s, &sum)
                });
                let kept = to.graph.node("Mul", &[&reset, h], vec![]);
                let inner = to.graph.node("MatMul", &[&kept, &kernels[2]], vec![]);
                (update, inner)
            }
        };
        let sum = to.graph.node("Add", &[&x[2], &inner], vec![]);
        let candidate = gate(to, a, &sum);
        let one = to.graph.scalar(Scalar::Float(1.0), self.dtype);
        let rest = to.graph.node("Sub", &[&one, &update], vec![]);
        let old = to.graph.node("Mul", &[&update, h], vec![]);
        let new = to.graph.node("Mul", &[&rest, &candidate], vec![]);
        to.graph.node("Add", &[&old, &new], vec![])
    }
}

fn gate(to: &mut Lowering<'_>, f: Gate, x: &str) -> String {
    let node = match f {
        Gate::Linear => return x.to_string(),
        Gate::Tanh => "Tanh",
        Gate::Sigmoid => "Sigmoid",
        Gate::Relu => "Relu",
        Gate::HardSigmoid => {
            let slope = vec![
                ("alpha", Attribute::Float(1.0 / 6.0)),
                ("beta", Attribute::Float(0.5)),
            ];
            return to.graph.node("HardSigmoid", &[x], slope);
        }
    };
    to.graph.node(node, &[x], vec![])
}
