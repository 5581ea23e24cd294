//! Where every value lives.
//!
//! Outputs are written straight to the caller's memory and updates straight into their variables where
//! nothing still needs the old value; everything else shares one arena, laid out beforehand by the
//! values' lifetimes. Element functions write over an operand that dies with them.

use crate::array::Array;
use crate::ops::Op;
use crate::ops::creation::Constant;
use crate::passes::fuse::{Group, fuse};
use crate::passes::fused::{Fused, Operand, Output};
use crate::passes::schedule::hasten;
use crate::passes::view::{View, Views};
use crate::program::{Program, ValueId};
use crate::tensor::TensorType;
use crate::{Shape, Variable, order_by};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

/// Start addresses in the arena are multiples of this, one cache line.
pub const ALIGNMENT: usize = 64;

/// Where a value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// In the caller's input of this index.
    Input(usize),
    /// In the caller's output of this index.
    Output(usize),
    /// In the variable of this index of [`Plan::variables`].
    Variable(usize),
    /// In the constant of this index of [`Plan::constants`].
    Constant(usize),
    /// At this byte of the arena.
    Arena(usize),
}

/// A program as kernels in order, with all memory laid out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kernels.
    pub groups: Vec<Group>,
    /// Where each value that a kernel reads or writes lives.
    pub locations: HashMap<ValueId, Location>,
    /// The type of each of those values.
    pub types: HashMap<ValueId, TensorType>,
    /// Constants read from memory.
    pub constants: Vec<Arc<Array>>,
    /// Variables read or updated, in order of creation, and whether they are updated.
    pub variables: Vec<(Variable, bool)>,
    /// The types of the inputs.
    pub inputs: Vec<TensorType>,
    /// The types of the outputs.
    pub outputs: Vec<TensorType>,
    /// Bytes of the arena.
    pub arena: usize,
}

/// Groups a program and lays out its memory.
pub fn plan(program: &Program) -> Plan {
    let views = Views::of(program);
    let groups = hasten(fuse(program, &views), program, &views);
    let variables = program.variables();
    let mut layout = Layout {
        program,
        groups,
        locations: HashMap::new(),
        types: HashMap::new(),
        constants: Vec::new(),
        variables,
    };
    layout.place_leaves(&views);
    layout.place_results(&views);
    let arena = layout.place_rest();
    let updated = |v: &Variable| program.updates.iter().any(|(u, _)| u == v);
    Plan {
        variables: layout
            .variables
            .iter()
            .map(|v| (v.clone(), updated(v)))
            .collect(),
        groups: layout.groups,
        locations: layout.locations,
        types: layout.types,
        constants: layout.constants,
        inputs: program.inputs.clone(),
        outputs: program
            .outputs
            .iter()
            .map(|v| program.inst(*v).ty.clone())
            .collect(),
        arena,
    }
}

struct Layout<'a> {
    program: &'a Program,
    groups: Vec<Group>,
    locations: HashMap<ValueId, Location>,
    types: HashMap<ValueId, TensorType>,
    constants: Vec<Arc<Array>>,
    variables: Vec<Variable>,
}

impl Layout<'_> {
    fn variable(&self, v: &Variable) -> usize {
        self.variables.iter().position(|w| w == v).unwrap_or(0)
    }

    /// What is there before the program runs.
    fn place_leaves(&mut self, views: &Views) {
        let read: Vec<ValueId> = self.groups.iter().flat_map(Group::reads).collect();
        let results = self
            .program
            .outputs
            .iter()
            .chain(self.program.updates.iter().map(|(_, v)| v));
        let results: Vec<ValueId> = results.map(|v| views.get(*v).base).collect();
        for v in read.into_iter().chain(results) {
            let inst = self.program.inst(v);
            self.types.insert(v, inst.ty.clone());
            if self.locations.contains_key(&v) {
                continue;
            }
            let location = match &inst.op {
                Op::Input(i) => Location::Input(*i),
                Op::Variable(variable) => Location::Variable(self.variable(variable)),
                Op::Constant(Constant(array)) => {
                    self.constants.push(array.clone());
                    Location::Constant(self.constants.len() - 1)
                }
                Op::Full(full) => {
                    use crate::ops::Operation;
                    self.constants.push(Arc::new(full.reference(&[], &inst.ty)));
                    Location::Constant(self.constants.len() - 1)
                }
                _ => continue,
            };
            self.locations.insert(v, location);
        }
        for group in &self.groups {
            for v in group.writes() {
                self.types.insert(v, self.program.inst(v).ty.clone());
            }
        }
    }

    /// The caller's outputs and the variables' new values: written directly or copied at the end.
    fn place_results(&mut self, views: &Views) {
        let mut copies: Vec<(ValueId, Location, TensorType)> = Vec::new();
        for (i, v) in self.program.outputs.iter().enumerate() {
            let base = views.get(*v).base;
            match self.locations.entry(base) {
                Entry::Vacant(place) => {
                    place.insert(Location::Output(i));
                }
                Entry::Occupied(_) => {
                    copies.push((base, Location::Output(i), self.program.inst(*v).ty.clone()));
                }
            }
        }
        let mut late: Vec<(ValueId, Location, TensorType)> = Vec::new();
        for (variable, v) in &self.program.updates {
            let base = views.get(*v).base;
            let index = self.variable(variable);
            let place = Location::Variable(index);
            match self.locations.get(&base) {
                Some(l) if *l == place => {}
                None if self.overwrites_safely(index, base, &copies, views) => {
                    self.locations.insert(base, place);
                }
                _ => late.push((base, place, self.program.inst(*v).ty.clone())),
            }
        }
        // Outputs first: they may be old values of variables. An update that copies another
        // variable's old value must not find it overwritten: such values go through the arena.
        let (direct, indirect): (Vec<_>, Vec<_>) = late
            .into_iter()
            .partition(|(base, _, _)| !matches!(self.program.inst(*base).op, Op::Variable(_)));
        let mut staged = Vec::new();
        for (base, place, ty) in indirect {
            let v = self.copy_group(base, ty.clone());
            staged.push((v, place, ty));
        }
        for (base, place, ty) in copies.into_iter().chain(direct).chain(staged) {
            let v = self.copy_group(base, ty);
            self.locations.insert(v, place);
        }
    }

    /// Appends a kernel that copies `source`, whole; the new value.
    fn copy_group(&mut self, source: ValueId, ty: TensorType) -> ValueId {
        let fresh = self.types.keys().map(|v| v.0 + 1).max().unwrap_or(0);
        let value = ValueId(fresh.max(self.program.insts.len() as u32));
        let shape = Shape::from(ty.shape.size());
        let strides = View::whole(source, &shape).strides;
        self.groups.push(Group::Elementwise(Fused {
            shape: shape.to_vec(),
            operands: vec![Operand {
                value: source,
                dtype: ty.dtype,
                strides,
                offset: 0,
            }],
            body: Vec::new(),
            outputs: vec![Output { value, register: 0 }],
        }));
        self.types.insert(value, ty);
        value
    }

    /// Whether `value` can be written into a variable as it is computed: everything that reads the
    /// old value comes before, or reads it element for element in the same kernel.
    fn overwrites_safely(
        &self,
        variable: usize,
        value: ValueId,
        copies: &[(ValueId, Location, TensorType)],
        views: &Views,
    ) -> bool {
        let old: Vec<ValueId> = (0..self.program.insts.len() as u32)
            .map(ValueId)
            .filter(|v| self.locations.get(v) == Some(&Location::Variable(variable)))
            .filter(|v| matches!(self.program.inst(*v).op, Op::Variable(_)))
            .collect();
        let results = self.program.updates.iter().map(|(_, v)| views.get(*v).base);
        let copied = copies
            .iter()
            .map(|(v, _, _)| *v)
            .chain(results)
            .any(|v| old.contains(&v));
        let Some(writer) = self.groups.iter().position(|g| g.writes().contains(&value)) else {
            return false;
        };
        let later = self.groups[writer + 1..]
            .iter()
            .any(|g| g.reads().iter().any(|r| old.contains(r)));
        let same = &self.groups[writer];
        let in_place = old
            .iter()
            .all(|v| !same.reads().contains(v) || aligned(same, *v, value));
        !copied && !later && in_place
    }

    /// Everything else goes to the arena. Returns its size.
    fn place_rest(&mut self) -> usize {
        let mut blocks: Vec<Block> = Vec::new();
        let mut block_of: HashMap<ValueId, usize> = HashMap::new();
        let mut last_read: HashMap<ValueId, usize> = HashMap::new();
        for (t, group) in self.groups.iter().enumerate() {
            for v in group.reads() {
                last_read.insert(v, t);
            }
        }
        for (t, group) in self.groups.iter().enumerate() {
            let mut taken: Vec<usize> = Vec::new();
            for v in group.writes() {
                if self.locations.contains_key(&v) {
                    continue;
                }
                let ty = &self.types[&v];
                let bytes = (ty.shape.size() * ty.dtype.size())
                    .max(1)
                    .next_multiple_of(ALIGNMENT);
                let end = last_read.get(&v).copied().unwrap_or(t).max(t);
                // Over an operand that nothing reads afterwards.
                let over = group.reads().into_iter().find_map(|r| {
                    let block = *block_of.get(&r)?;
                    let dies = blocks[block].end == t && last_read.get(&r) == Some(&t);
                    let fits = self.types[&r].dtype.size() == ty.dtype.size()
                        && self.types[&r].shape.size() == ty.shape.size();
                    let free = dies && fits && !taken.contains(&block) && aligned(group, r, v);
                    free.then_some(block)
                });
                let block = over.unwrap_or_else(|| {
                    blocks.push(Block {
                        bytes,
                        start: t,
                        end,
                        at: 0,
                    });
                    blocks.len() - 1
                });
                blocks[block].end = blocks[block].end.max(end);
                taken.push(block);
                block_of.insert(v, block);
            }
        }
        let arena = arrange(&mut blocks);
        for (v, block) in block_of {
            self.locations.insert(v, Location::Arena(blocks[block].at));
        }
        arena
    }
}

/// A stretch of the arena from the kernel that first writes it to the last that reads it.
struct Block {
    bytes: usize,
    start: usize,
    end: usize,
    at: usize,
}

/// Places blocks, the largest first, each at the lowest address that is free while it lives.
fn arrange(blocks: &mut [Block]) -> usize {
    let order = order_by(blocks.len(), &|b| {
        (-(blocks[b].bytes as i64), blocks[b].start as i64)
    });
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for b in order {
        let mut neighbours: Vec<(usize, usize)> = placed
            .iter()
            .map(|p| &blocks[*p])
            .filter(|p| p.start <= blocks[b].end && blocks[b].start <= p.end)
            .map(|p| (p.at, p.at + p.bytes))
            .collect();
        neighbours.sort_unstable();
        let mut at = 0;
        for (from, to) in neighbours {
            if at + blocks[b].bytes <= from {
                break;
            }
            at = at.max(to);
        }
        blocks[b].at = at;
        total = total.max(at + blocks[b].bytes);
        placed.push(b);
    }
    total
}

/// Whether a group reads `operand` only element for element where it writes `output`.
pub(super) fn aligned(group: &Group, operand: ValueId, output: ValueId) -> bool {
    let within = |f: &Fused, others: &[&Fused]| {
        let whole: Vec<isize> = Shape::from(&f.shape)
            .strides()
            .into_iter()
            .map(|s| s as isize)
            .collect();
        let same_place = |o: &Operand| {
            o.offset == 0 && (0..f.shape.len()).all(|a| f.shape[a] == 1 || o.strides[a] == whole[a])
        };
        f.outputs.iter().any(|o| o.value == output)
            && f.operands
                .iter()
                .filter(|o| o.value == operand)
                .all(same_place)
            && !others
                .iter()
                .any(|g| g.operands.iter().any(|o| o.value == operand))
    };
    match group {
        Group::Elementwise(f) => within(f, &[]),
        // A product or reduction reads its operands while the epilogue already writes.
        Group::MatMul(m) => m.a != operand && m.b != operand && within(&m.epilogue, &[]),
        Group::Rows(r) => !r.args.contains(&operand) && within(&r.epilogue, &[]),
        Group::Reduce(r) => {
            within(&r.epilogue, &[&r.prologue]) || within(&r.prologue, &[&r.epilogue])
        }
        Group::Other(_) => false,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.groups.iter().enumerate() {
            let places = |values: Vec<ValueId>| -> String {
                let place = |v: &ValueId| match self.locations.get(v) {
                    Some(Location::Variable(i)) => self.variables[*i].0.name().to_string(),
                    Some(Location::Arena(at)) => format!("@{at}"),
                    Some(l) => format!("{l:?}"),
                    None => "register".to_string(),
                };
                values.iter().map(place).collect::<Vec<_>>().join(", ")
            };
            let (reads, writes) = (places(group.reads()), places(group.writes()));
            writeln!(f, "{i:3} {}\n      {reads} -> {writes}", group.describe())?;
        }
        writeln!(f, "arena: {} bytes", self.arena)
    }
}
