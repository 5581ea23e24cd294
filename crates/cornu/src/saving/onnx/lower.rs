//! From the operations of a program to the nodes of a graph.

use super::extents::{Extent, broadcast};
use super::graph::{Attribute, Builder};
use super::{attention, elementwise, recurrent, windows};
use crate::{DType, Error, Result};
use cornu_core::ops::Operation;
use cornu_core::ops::creation::{Constant, Full, Iota, Scalar};
use cornu_core::ops::movement::{Pad, SliceOp};
use cornu_core::ops::reduce::ReduceFn;
use cornu_core::program::{Inst, ValueId};
use cornu_core::{Op, Program};

/// A value of the program as the graph has it: possibly without the axes along which it only repeats, which most
/// nodes add by themselves.
#[derive(Clone)]
pub(super) struct Value {
    pub name: String,
    pub extents: Vec<Extent>,
    /// The states of a recurrence, of which this many rows may be looked at.
    pub tape: Option<Extent>,
}

impl Value {
    pub fn new(name: String, extents: Vec<Extent>) -> Value {
        Value {
            name,
            extents,
            tape: None,
        }
    }
}

/// A program, traced for several sizes of what is open, on its way to a graph.
pub(super) struct Lowering<'p> {
    pub programs: &'p [Program],
    pub graph: Builder,
    values: Vec<Value>,
}

impl<'p> Lowering<'p> {
    /// Writes all nodes; `inputs` are the names of the program's inputs.
    pub fn run(programs: &'p [Program], inputs: &[String], graph: Builder) -> Result<Self> {
        let a = &programs[0];
        let alike = |(a, b): (&Inst, &Inst)| a.op.name() == b.op.name() && a.args == b.args;
        for b in programs {
            if a.insts.len() != b.insts.len() || !a.insts.iter().zip(&b.insts).all(alike) {
                return Err(Error::new(
                    "The model computes otherwise for inputs of another size, which ONNX cannot say.",
                ));
            }
        }
        let values = Vec::with_capacity(a.insts.len());
        let mut lowering = Lowering {
            programs,
            graph,
            values,
        };
        for i in 0..a.insts.len() {
            let at = ValueId(i as u32);
            let scope = a.inst(at).scope.as_deref().unwrap_or_default();
            lowering.graph.scope = scope.to_string();
            let value = lowering.value(at, inputs);
            let value = value.map_err(|e| match scope.is_empty() {
                true => e,
                false => e.in_scope(scope),
            })?;
            lowering.values.push(value);
        }
        Ok(lowering)
    }

    pub fn inst(&self, v: ValueId) -> &'p Inst {
        self.programs[0].inst(v)
    }

    pub fn dtype(&self, v: ValueId) -> DType {
        self.inst(v).ty.dtype
    }

    /// All extents of a value.
    pub fn extents(&self, v: ValueId) -> Result<Vec<Extent>> {
        let rank = self.inst(v).ty.shape.rank();
        let along = |axis| self.extent(|p| p.inst(v).ty.shape[axis]);
        (0..rank).map(along).collect()
    }

    /// A number of the programs, as it depends on what is open.
    pub fn extent(&self, of: impl Fn(&Program) -> usize) -> Result<Extent> {
        let values: Vec<usize> = self.programs.iter().map(of).collect();
        Extent::of(&values)
    }

    /// Refuses an operation whose parameters, but for extents, depend on what is open.
    fn check_parameters(&self, v: ValueId) -> Result<()> {
        let first = &self.inst(v).op;
        match self
            .programs
            .iter()
            .all(|p| same_parameters(first, &p.inst(v).op))
        {
            true => Ok(()),
            false => Err(no_form(&format!(
                "{} with parameters that depend on open extents",
                first.name()
            ))),
        }
    }

    /// The value as it is, axes along which it repeats left out.
    pub fn brief(&self, v: ValueId) -> &Value {
        &self.values[v.index()]
    }

    /// The name of the value with all of its axes.
    pub fn full(&mut self, v: ValueId) -> Result<String> {
        let extents = self.extents(v)?;
        let value = self.brief(v).clone();
        if value.tape.is_some() {
            return Err(no_form("reading what a recurrence keeps for its gradient"));
        }
        if value.extents == extents {
            return Ok(value.name);
        }
        let size = self.graph.size(&extents);
        let name = self.graph.node("Expand", &[&value.name, &size], vec![]);
        self.values[v.index()] = Value::new(name.clone(), extents);
        Ok(name)
    }

    fn value(&mut self, v: ValueId, inputs: &[String]) -> Result<Value> {
        self.check_parameters(v)?;
        let inst = self.inst(v);
        let (extents, args) = (self.extents(v)?, &inst.args);
        let brief = |value: String| Ok(Value::new(value, Vec::new()));
        let name = match &inst.op {
            Op::Input(i) => inputs[*i].clone(),
            Op::Variable(variable) => self.graph.constant(variable.name(), &variable.value()),
            Op::Constant(Constant(array)) => self.graph.constant("constant", array),
            Op::Full(full) => return brief(self.number(v, full)?),
            Op::Iota(iota) => return self.iota(iota, &extents),
            Op::Unary(f) => return elementwise::unary(self, *f, args[0]),
            Op::Binary(f) => return elementwise::binary(self, *f, args[0], args[1]),
            Op::Select(_) => return elementwise::select(self, args),
            Op::Cast(to) => {
                let x = self.brief(args[0]).clone();
                return Ok(Value::new(self.cast(&x.name, to.0), x.extents));
            }
            Op::Reduce(op) => self.reduce(op.f, &op.axes, args[0])?,
            Op::ArgReduce(op) => {
                let x = self.full(args[0])?;
                let attributes = vec![
                    ("axis", Attribute::Int(op.axis as i64)),
                    ("keepdims", Attribute::Int(0)),
                ];
                let kind = if op.max { "ArgMax" } else { "ArgMin" };
                let found = self.graph.node(kind, &[&x], attributes);
                self.cast(&found, inst.ty.dtype)
            }
            Op::Cumulative(op) if op.f == ReduceFn::Sum => {
                let x = self.full(args[0])?;
                let axis = self.graph.scalar(Scalar::Int(op.axis as i64), DType::I64);
                let attributes = vec![
                    ("exclusive", Attribute::Int(i64::from(op.exclusive))),
                    ("reverse", Attribute::Int(i64::from(op.reverse))),
                ];
                self.graph.node("CumSum", &[&x, &axis], attributes)
            }
            Op::MatMul(op) => {
                let turned = [(args[0], op.transpose_a), (args[1], op.transpose_b)];
                let mut names = Vec::new();
                for (v, turn) in turned {
                    let x = self.full(v)?;
                    let rank = self.inst(v).ty.shape.rank();
                    let mut order: Vec<usize> = (0..rank).collect();
                    order.swap(rank - 2, rank - 1);
                    names.push(if turn { self.transpose(&x, &order) } else { x });
                }
                self.graph.node("MatMul", &[&names[0], &names[1]], vec![])
            }
            Op::Conv(op) => windows::conv(self, v, op, args)?,
            Op::Pool(op) => windows::pool(self, op, args)?,
            Op::Reshape(_) => {
                let x = self.full(args[0])?;
                self.reshape(&x, &extents)
            }
            Op::Transpose(op) => {
                let x = self.full(args[0])?;
                self.transpose(&x, &op.0)
            }
            Op::Broadcast(_) => return Ok(self.brief(args[0]).clone()),
            Op::SliceOp(slice) => self.slice(v, slice, args[0])?,
            Op::Pad(pad) => self.pad(pad, args[0], inst.ty.dtype)?,
            Op::Concat(op) => {
                let names = args.iter().map(|v| self.full(*v));
                let names = names.collect::<Result<Vec<_>>>()?;
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let axis = vec![("axis", Attribute::Int(op.0 as i64))];
                self.graph.node("Concat", &names, axis)
            }
            Op::Take(op) => self.gather("Gather", op.axis, args)?,
            Op::TakeAlong(op) => self.gather("GatherElements", op.axis, args)?,
            Op::ArgSort(op) => {
                let x = self.full(args[0])?;
                let k = self.graph.size(&extents[extents.len() - 1..]);
                let largest = vec![("largest", Attribute::Int(i64::from(op.descending)))];
                let found = self.graph.nodes_of("TopK", &[&x, &k], largest, 2);
                self.cast(&found[1], inst.ty.dtype)
            }
            Op::Attention(op) => return attention::attend(self, v, op, args),
            Op::Recurrent(op) => return recurrent::walk(self, op, args),
            other => return Err(no_form(other.name())),
        };
        Ok(Value::new(name, extents))
    }

    pub fn cast(&mut self, x: &str, to: DType) -> String {
        let to = i64::from(super::graph::data_type(to));
        self.graph
            .node("Cast", &[x], vec![("to", Attribute::Int(to))])
    }

    pub fn transpose(&mut self, x: &str, order: &[usize]) -> String {
        let order = order.iter().map(|a| *a as i64).collect();
        self.graph
            .node("Transpose", &[x], vec![("perm", Attribute::Ints(order))])
    }

    /// One extent that depends on what is open is found from the others.
    pub fn reshape(&mut self, x: &str, extents: &[Extent]) -> String {
        let unknown = extents.iter().filter(|e| e.known().is_none()).count();
        let size = match unknown {
            1 => {
                let known: Vec<i64> = extents.iter().map(|e| e.known().unwrap_or(-1)).collect();
                self.graph.list(&known)
            }
            _ => self.graph.size(extents),
        };
        self.graph.node("Reshape", &[x, &size], vec![])
    }

    /// One value everywhere, which may be an open extent or its reciprocal.
    fn number(&mut self, v: ValueId, full: &Full) -> Result<String> {
        let of = |p: &Program| match &p.inst(v).op {
            Op::Full(full) => full.value,
            _ => full.value,
        };
        if self.programs.iter().all(|p| of(p) == full.value) {
            return Ok(self.graph.scalar(full.value, full.dtype));
        }
        let size = |invert: bool| {
            let whole = |p: &Program| {
                let value: f64 = of(p).to();
                let number = if invert { value.recip() } else { value };
                let near = (number - number.round()).abs() <= 1e-6 * number.abs();
                (near && number >= 1.0).then_some(number.round() as usize)
            };
            let all: Option<Vec<usize>> = self.programs.iter().map(whole).collect();
            all.and_then(|values| Extent::of(&values).ok())
        };
        let (extent, inverted) = match (size(false), size(true)) {
            (Some(extent), _) => (extent, false),
            (None, Some(extent)) => (extent, true),
            (None, None) => return Err(no_form("a number that depends on open extents")),
        };
        let size = self.graph.size(&[extent]);
        let size = self.reshape(&size, &[]);
        let number = self.cast(&size, full.dtype);
        Ok(match inverted {
            true => self.graph.node("Reciprocal", &[&number], vec![]),
            false => number,
        })
    }

    fn iota(&mut self, iota: &Iota, extents: &[Extent]) -> Result<Value> {
        let count = extents[iota.axis];
        let one = Extent::fixed(1);
        let mut brief = vec![one; extents.len() - iota.axis];
        brief[0] = count;
        let name = match count.known() {
            Some(n) => self.graph.list(&(0..n).collect::<Vec<_>>()),
            None => {
                let n = self.graph.size(&[count]);
                let scalar = self.reshape(&n, &[]);
                let [zero, step] = [0, 1].map(|i| self.graph.scalar(Scalar::Int(i), DType::I64));
                self.graph.node("Range", &[&zero, &scalar, &step], vec![])
            }
        };
        let name = self.cast(&name, iota.dtype);
        Ok(Value::new(self.reshape(&name, &brief), brief))
    }

    fn reduce(&mut self, f: ReduceFn, axes: &[usize], x: ValueId) -> Result<String> {
        let (dtype, mut name) = (self.dtype(x), self.full(x)?);
        // ONNX reduces numbers only.
        if dtype == DType::Bool {
            name = self.cast(&name, DType::I32);
        }
        let kind = match f {
            ReduceFn::Sum => "ReduceSum",
            ReduceFn::Prod => "ReduceProd",
            ReduceFn::Max => "ReduceMax",
            ReduceFn::Min => "ReduceMin",
        };
        let axes: Vec<i64> = axes.iter().map(|a| *a as i64).collect();
        let axes = self.graph.list(&axes);
        let attributes = vec![
            ("keepdims", Attribute::Int(0)),
            ("noop_with_empty_axes", Attribute::Int(1)),
        ];
        let reduced = self.graph.node(kind, &[&name, &axes], attributes);
        Ok(match dtype {
            DType::Bool => self.cast(&reduced, dtype),
            _ => reduced,
        })
    }

    fn gather(&mut self, kind: &str, axis: usize, args: &[ValueId]) -> Result<String> {
        let (x, mut indices) = (self.full(args[0])?, self.full(args[1])?);
        if self.dtype(args[1]) == DType::U8 {
            indices = self.cast(&indices, DType::I32);
        }
        let axis = vec![("axis", Attribute::Int(axis as i64))];
        Ok(self.graph.node(kind, &[&x, &indices], axis))
    }

    fn slice(&mut self, v: ValueId, slice: &SliceOp, x: ValueId) -> Result<String> {
        let (from, to) = (self.extents(x)?, self.extents(v)?);
        if let Some(rows) = self.brief(x).tape {
            let rest = (1..to.len()).all(|a| to[a] == from[a]);
            return match slice.start.iter().all(|s| *s == 0) && to[0] == rows && rest {
                true => Ok(self.brief(x).name.clone()),
                false => Err(no_form("reading what a recurrence keeps for its gradient")),
            };
        }
        let (mut starts, mut ends, mut axes, mut steps) = (vec![], vec![], vec![], vec![]);
        for a in 0..from.len() {
            let start = self.extent(|p| match &p.inst(v).op {
                Op::SliceOp(slice) => slice.start[a],
                _ => slice.start[a],
            })?;
            let step = slice.step[a] as i64;
            if to[a] == from[a] && step == 1 {
                continue;
            }
            let end = start.plus(to[a].times(step));
            // A walk back to the first element ends before it, which no positive number says.
            let back_to_first = step < 0 && end.known().is_none_or(|n| n < 0);
            starts.push(start);
            ends.push(if back_to_first {
                Extent::fixed(i64::MIN)
            } else {
                end
            });
            axes.push(a as i64);
            steps.push(step);
        }
        let x = self.full(x)?;
        let (starts, ends) = (self.graph.size(&starts), self.graph.size(&ends));
        let (axes, steps) = (self.graph.list(&axes), self.graph.list(&steps));
        let inputs = [&*x, &*starts, &*ends, &*axes, &*steps];
        Ok(self.graph.node("Slice", &inputs, vec![]))
    }

    fn pad(&mut self, pad: &Pad, x: ValueId, dtype: DType) -> Result<String> {
        let (mut name, mut extents) = (self.full(x)?, self.extents(x)?);
        let value = self.graph.scalar(pad.value, dtype);
        for a in (0..extents.len()).filter(|a| pad.interior[*a] > 0) {
            // Between neighbours: a margin after each of them, but for the last one.
            let each = pad.interior[a] as i64 + 1;
            let mut apart = extents.clone();
            apart.insert(a + 1, Extent::fixed(1));
            name = self.reshape(&name, &apart);
            let mut margins = vec![0; 2 * apart.len()];
            margins[apart.len() + a + 1] = each - 1;
            let margins = self.graph.list(&margins);
            name = self.graph.node("Pad", &[&name, &margins, &value], vec![]);
            extents[a] = extents[a].times(each);
            name = self.reshape(&name, &extents);
            let (first, last) = (self.graph.list(&[0]), self.graph.list(&[1 - each]));
            let axis = self.graph.list(&[a as i64]);
            name = self
                .graph
                .node("Slice", &[&name, &first, &last, &axis], vec![]);
            extents[a] = extents[a].plus(Extent::fixed(1 - each));
        }
        let margins: Vec<i64> = pad.low.iter().chain(&pad.high).map(|n| *n as i64).collect();
        let margins = self.graph.list(&margins);
        Ok(self.graph.node("Pad", &[&name, &margins, &value], vec![]))
    }
}

/// Whether two operations of programs that differ in their sizes do the same. What is said of extents in them is
/// seen in the types of values.
fn same_parameters(a: &Op, b: &Op) -> bool {
    match (a, b) {
        (
            Op::Full(_)
            | Op::Iota(_)
            | Op::Reshape(_)
            | Op::Broadcast(_)
            | Op::SliceOp(_)
            | Op::ArgSort(_),
            _,
        ) => true,
        (Op::Conv(a), Op::Conv(b)) => (a.f, &a.options, &a.size) == (b.f, &b.options, &b.size),
        (Op::Pool(a), Op::Pool(b)) => (a.f, &a.windows) == (b.f, &b.windows),
        (Op::Constant(a), Op::Constant(b)) => a == b || a.0 == b.0,
        _ => a == b,
    }
}

/// What is said of an operation that ONNX does not have.
pub(super) fn no_form(what: &str) -> Error {
    Error::new(format!("The operation {what} has no form in ONNX."))
}

/// The name of an operation of its own, for errors.
pub(super) fn named(op: &dyn Operation) -> Error {
    no_form(op.name())
}

/// What two operands broadcast to.
pub(super) fn together(operands: &[&Value]) -> Vec<Extent> {
    operands
        .iter()
        .fold(Vec::new(), |all, v| broadcast(&all, &v.extents))
}
