//! Grouping of instructions into kernels.
//!
//! Every instruction that computes something starts as a group of its own. Groups are merged while
//! the order of the rest stays possible: element functions over one iteration space with each other,
//! a matrix product with the element functions that follow it (its epilogue), a reduction with those
//! that precede it (its prologue) and follow it (its epilogue). Then values that are as well computed where
//! they are read are no longer stored.

mod spare;

use crate::ops::Op;
use crate::ops::matmul::{Extents, MatMul};
use crate::ops::reduce::ReduceFn;
use crate::passes::fused::{BodyFn, BodyInst, Fused, Operand, Output};
use crate::passes::view::{View, Views, is_view};
use crate::program::{Program, ValueId};
use crate::shape::Shape;
use crate::tensor::TensorType;
use std::collections::{BTreeSet, HashMap};

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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Elementwise,
    MatMul,
    Rows,
    Reduce,
    Other,
}

/// A group in the making: its instructions in program order, those before a reduction apart.
#[derive(Clone, Debug)]
struct Cluster {
    kind: Kind,
    before: Vec<usize>,
    core: Option<usize>,
    after: Vec<usize>,
    /// Instructions of other clusters that are computed in this one, too: before the reduction, if there is
    /// one.
    again: Vec<usize>,
}

impl Cluster {
    fn insts(&self) -> impl Iterator<Item = usize> + '_ {
        self.before
            .iter()
            .chain(&self.core)
            .chain(&self.after)
            .copied()
    }
}

struct Grouping<'a> {
    program: &'a Program,
    views: &'a Views,
    clusters: Vec<Option<Cluster>>,
    /// The clusters in an order in which they can run, and the place of each in it.
    order: Vec<usize>,
    place: Vec<usize>,
    /// The cluster of each instruction that computes something.
    member: Vec<Option<usize>>,
    /// Further clusters that compute an instruction.
    again: Vec<Vec<usize>>,
    /// The instructions that read each value from memory or a register, through views.
    users: Vec<Vec<usize>>,
    /// Whether a value is an output or update of the program.
    kept: Vec<bool>,
}

/// The groups of a program, in an order in which they can run.
pub fn fuse(program: &Program, views: &Views) -> Vec<Group> {
    let mut g = Grouping::new(program, views);
    g.merge_elementwise();
    g.merge_matmul_epilogues();
    g.merge_reductions();
    g.spare_memory();
    g.emit()
}

impl<'a> Grouping<'a> {
    fn new(program: &'a Program, views: &'a Views) -> Self {
        let n = program.insts.len();
        let mut g = Grouping {
            program,
            views,
            clusters: Vec::new(),
            order: Vec::new(),
            place: Vec::new(),
            member: vec![None; n],
            again: vec![Vec::new(); n],
            users: vec![Vec::new(); n],
            kept: vec![false; n],
        };
        for (i, inst) in program.insts.iter().enumerate() {
            let kind = match &inst.op {
                Op::Input(_) | Op::Variable(_) | Op::Constant(_) | Op::Full(_) => continue,
                op if is_view(op) && !views.is_base(ValueId(i as u32)) => continue,
                op if is_view(op) || op.is_elementwise() => Kind::Elementwise,
                Op::MatMul(_) => Kind::MatMul,
                op if op.is_blockwise(&inst.ty) => Kind::Rows,
                Op::Reduce(_) => Kind::Reduce,
                _ => Kind::Other,
            };
            let (mut core, mut after) = (None, Vec::new());
            match kind {
                Kind::Elementwise => after.push(i),
                _ => core = Some(i),
            }
            g.member[i] = Some(g.clusters.len());
            g.order.push(g.clusters.len());
            g.place.push(g.clusters.len());
            g.clusters.push(Some(Cluster {
                kind,
                before: Vec::new(),
                core,
                after,
                again: Vec::new(),
            }));
            for v in g.operands(i) {
                g.users[v.base.index()].push(i);
            }
        }
        for v in program
            .outputs
            .iter()
            .chain(program.updates.iter().map(|(_, v)| v))
        {
            g.kept[views.get(*v).base.index()] = true;
        }
        g
    }

    /// What an instruction reads, as views. A view made whole reads what it is a view of.
    fn operands(&self, i: usize) -> Vec<View> {
        let inst = &self.program.insts[i];
        if is_view(&inst.op) {
            return vec![self.source_of_settled(i)];
        }
        inst.args
            .iter()
            .map(|a| self.views.get(*a).clone())
            .collect()
    }

    /// The view that a whole-made view instruction copies.
    fn source_of_settled(&self, i: usize) -> View {
        let inst = &self.program.insts[i];
        let from = self.views.get(inst.args[0]);
        from.through(&inst.op).unwrap_or_else(|| from.clone())
    }

    fn shape(&self, i: usize) -> &Shape {
        &self.program.insts[i].ty.shape
    }

    fn cluster(&self, i: usize) -> Option<&Cluster> {
        self.clusters[self.member[i]?].as_ref()
    }

    /// What must move behind the union of two clusters for it to have a place in the order: all that
    /// depends on the earlier one and stands before the later. `None` if there is no such place: the
    /// later one needs the earlier one through a third.
    fn dependents_between(&self, a: usize, b: usize) -> Option<BTreeSet<usize>> {
        let (first, last) = match self.place[a] < self.place[b] {
            true => (a, b),
            false => (b, a),
        };
        let mut seen = BTreeSet::new();
        let mut stack = vec![first];
        while let Some(c) = stack.pop() {
            for i in self.clusters[c].iter().flat_map(Cluster::insts) {
                for d in self.users[i].iter().filter_map(|u| self.member[*u]) {
                    if d == last && c != first {
                        return None;
                    }
                    if d != first && self.place[d] < self.place[last] && seen.insert(d) {
                        stack.push(d);
                    }
                }
            }
        }
        Some(seen)
    }

    /// Whether merging two clusters leaves an order.
    fn can_merge(&self, a: usize, b: usize) -> bool {
        self.dependents_between(a, b).is_some()
    }

    /// Merges a cluster into another ([`Self::can_merge`] must hold) and keeps the order one in which
    /// every cluster comes after those it needs.
    fn absorb(&mut self, into: usize, from: usize, update: impl FnOnce(&mut Cluster, Cluster)) {
        let Some(behind) = self.dependents_between(into, from) else {
            return;
        };
        let Some(source) = self.clusters[from].take() else {
            return;
        };
        let (first, last) = (self.place[into], self.place[from]);
        let span = first.min(last)..=first.max(last);
        let (late, mut new): (Vec<usize>, Vec<usize>) = self.order[span.clone()]
            .iter()
            .copied()
            .filter(|c| *c != into && *c != from)
            .partition(|c| behind.contains(c));
        new.push(into);
        new.extend(late);
        new.push(from); // no longer a cluster; it keeps the places dense
        for (place, c) in span.zip(new) {
            self.order[place] = c;
            self.place[c] = place;
        }
        for i in source.insts() {
            self.member[i] = Some(into);
        }
        if let Some(target) = &mut self.clusters[into] {
            update(target, source);
        }
    }

    /// Element functions with their producers over the same space.
    fn merge_elementwise(&mut self) {
        for i in 0..self.program.insts.len() {
            if self.cluster(i).is_none_or(|c| c.kind != Kind::Elementwise) {
                continue;
            }
            for view in self.operands(i) {
                let p = view.base.index();
                let (Some(a), Some(b)) = (self.member[p], self.member[i]) else {
                    continue;
                };
                let same_space = self.cluster(p).is_some_and(|c| c.kind == Kind::Elementwise)
                    && self.shape(p) == self.shape(i)
                    && view == View::whole(view.base, self.shape(p));
                if a == b || !same_space || !self.reads_are_aligned(a, b) || !self.can_merge(a, b) {
                    continue;
                }
                self.absorb(b, a, |target, source| {
                    target.after.extend(source.after);
                    target.after.sort_unstable();
                });
            }
        }
    }

    /// Whether every read between two clusters of one space is of the element at the same place.
    fn reads_are_aligned(&self, a: usize, b: usize) -> bool {
        let insts = |c: usize| self.clusters[c].iter().flat_map(Cluster::insts);
        insts(a).chain(insts(b)).all(|i| {
            self.operands(i).iter().all(|view| {
                let p = view.base.index();
                let inside = self.member[p] == Some(a) || self.member[p] == Some(b);
                !inside || *view == View::whole(view.base, self.shape(p))
            })
        })
    }

    /// A matrix product, or another result made in blocks of rows, joins the element functions that
    /// read it.
    fn merge_matmul_epilogues(&mut self) {
        for m in 0..self.program.insts.len() {
            let kind = match self.cluster(m) {
                Some(c) if c.core == Some(m) => c.kind,
                _ => continue,
            };
            if !matches!(kind, Kind::MatMul | Kind::Rows) {
                continue;
            }
            let n = *self.shape(m).last().unwrap_or(&1);
            let candidates: Vec<usize> = self.users[m].clone();
            for u in candidates {
                let (Some(a), Some(b)) = (self.member[m], self.member[u]) else {
                    continue;
                };
                let Some(c) = &self.clusters[b] else { continue };
                if a == b || c.kind != Kind::Elementwise {
                    continue;
                }
                let whole = self.aligned_with(m, b);
                let collapses = c
                    .after
                    .iter()
                    .all(|i| self.operands(*i).iter().all(|v| rows(v, n).is_some()))
                    && self.shape(u).last().copied().unwrap_or(1) == n;
                if whole && collapses && self.can_merge(a, b) {
                    self.absorb(b, a, |target, source| {
                        target.kind = kind;
                        target.core = source.core;
                    });
                    break;
                }
            }
        }
    }

    /// Whether a cluster reads the value of `core` only whole, element for element, over a space of
    /// the same size.
    fn aligned_with(&self, core: usize, cluster: usize) -> bool {
        let size = self.shape(core).size();
        self.clusters[cluster]
            .iter()
            .flat_map(|c| c.after.iter())
            .all(|i| {
                self.shape(*i).size() == size
                    && self
                        .operands(*i)
                        .iter()
                        .all(|v| v.base.index() != core || v.is_whole(size))
            })
    }

    /// A reduction joins what computes its operand, and the element functions that read its result.
    fn merge_reductions(&mut self) {
        for r in 0..self.program.insts.len() {
            if self
                .cluster(r)
                .is_none_or(|c| c.kind != Kind::Reduce || c.core != Some(r))
            {
                continue;
            }
            let view = self.operands(r).remove(0);
            let p = view.base.index();
            if let (Some(a), Some(b)) = (self.member[p], self.member[r]) {
                let joins = self.cluster(p).is_some_and(|c| c.kind == Kind::Elementwise)
                    && view == View::whole(view.base, self.shape(p));
                if joins && self.can_merge(a, b) {
                    self.absorb(b, a, |target, source| target.before = source.after);
                }
            }
            for u in self.users[r].clone() {
                let (Some(a), Some(b)) = (self.member[r], self.member[u]) else {
                    continue;
                };
                let Some(c) = &self.clusters[b] else { continue };
                if a == b || c.kind != Kind::Elementwise {
                    continue;
                }
                let squeezed =
                    |s: &Shape| s.iter().copied().filter(|d| *d != 1).collect::<Vec<_>>();
                let reads_rest = c
                    .after
                    .iter()
                    .flat_map(|i| self.operands(*i))
                    .any(|v| self.member[v.base.index()] == Some(a) && v.base.index() != r);
                let fits = !reads_rest
                    && self.aligned_with(r, b)
                    && squeezed(self.shape(r)) == squeezed(self.shape(u));
                if fits && self.can_merge(a, b) {
                    self.absorb(a, b, |target, source| target.after = source.after);
                    break;
                }
            }
        }
    }

    /// The groups, in an order in which they can run.
    fn emit(&self) -> Vec<Group> {
        let live = self.order.iter().filter(|c| self.clusters[**c].is_some());
        live.map(|c| self.group(*c)).collect()
    }

    fn group(&self, c: usize) -> Group {
        let cluster = self.clusters[c].as_ref().expect("a live cluster");
        let (mut before, mut after) = (cluster.before.clone(), cluster.after.clone());
        let with = match cluster.kind {
            Kind::Reduce => &mut before,
            _ => &mut after,
        };
        with.extend(&cluster.again);
        with.sort_unstable();
        match (cluster.kind, cluster.core) {
            (Kind::MatMul, Some(m)) => {
                let inst = &self.program.insts[m];
                let Op::MatMul(op) = inst.op else {
                    unreachable!("kind says so")
                };
                let base = |v: ValueId| self.views.get(v).base;
                let type_of = |v: ValueId| &self.program.inst(v).ty.shape;
                let extents = op.extents(type_of(inst.args[0]), type_of(inst.args[1]));
                let space = vec![extents.batch * extents.m, extents.n];
                let (epilogue, _) = self.fused(c, after, Some(m), space, |v| rows(v, extents.n));
                let (a, b) = (base(inst.args[0]), base(inst.args[1]));
                Group::MatMul(MatMulGroup {
                    a,
                    b,
                    op,
                    extents,
                    epilogue,
                })
            }
            (Kind::Rows, Some(m)) => {
                let inst = &self.program.insts[m];
                let n = inst.ty.shape.last().copied().unwrap_or(1);
                let space = vec![inst.ty.shape.size() / n.max(1), n];
                let (epilogue, _) = self.fused(c, after, Some(m), space, |v| rows(v, n));
                let base = |v: &ValueId| self.views.get(*v).base;
                Group::Rows(RowsGroup {
                    op: inst.op.clone(),
                    args: inst.args.iter().map(base).collect(),
                    types: inst
                        .args
                        .iter()
                        .map(|v| self.program.inst(*v).ty.clone())
                        .collect(),
                    result: inst.ty.clone(),
                    epilogue,
                })
            }
            (Kind::Reduce, Some(r)) => {
                let inst = &self.program.insts[r];
                let Op::Reduce(reduce) = &inst.op else {
                    unreachable!("kind says so")
                };
                let view = self.views.get(inst.args[0]);
                let (mut prologue, registers) =
                    self.fused(c, before, None, view.shape.to_vec(), |v| {
                        Some(v.strides.clone())
                    });
                let register = match registers.get(&view.base.index()) {
                    Some(register) => *register,
                    None => {
                        // Nothing precedes: the reduction reads memory.
                        prologue.operands.push(Operand {
                            value: view.base,
                            dtype: inst.ty.dtype,
                            strides: view.strides.clone(),
                            offset: view.offset,
                        });
                        (prologue.operands.len() - 1) as u16
                    }
                };
                let space: Vec<usize> = inst.ty.shape.iter().copied().filter(|d| *d != 1).collect();
                let (epilogue, _) = self.fused(c, after, Some(r), space, |v| {
                    Some(
                        (0..v.shape.rank())
                            .filter(|a| v.shape[*a] != 1)
                            .map(|a| v.strides[a])
                            .collect(),
                    )
                });
                let (f, axes) = (reduce.f, reduce.axes.clone());
                Group::Reduce(ReduceGroup {
                    prologue,
                    register,
                    f,
                    axes,
                    epilogue,
                })
            }
            (_, Some(o)) => {
                let inst = &self.program.insts[o];
                let args = inst.args.iter().map(|a| self.views.get(*a).base).collect();
                let types = inst.args.iter().map(|a| self.program.inst(*a).ty.clone());
                Group::Other(OtherGroup {
                    op: inst.op.clone(),
                    args,
                    types: types.collect(),
                    output: ValueId(o as u32),
                })
            }
            (_, None) => {
                let space = self.shape(cluster.after[0]).to_vec();
                let (fused, _) = self.fused(c, after, None, space, |v| Some(v.strides.clone()));
                Group::Elementwise(fused)
            }
        }
    }

    /// Instructions of a cluster as a fused kernel over a space, given each operand's strides in it.
    fn fused(
        &self,
        cluster: usize,
        insts: Vec<usize>,
        core: Option<usize>,
        shape: Vec<usize>,
        strides: impl Fn(&View) -> Option<Vec<isize>>,
    ) -> (Fused, HashMap<usize, u16>) {
        let mut fused = Fused {
            shape,
            ..Fused::default()
        };
        let registers = self.fill(&mut fused, &insts, core, &strides);
        for i in core.iter().chain(&insts) {
            let own = self.member[*i] == Some(cluster);
            if own && (self.kept[*i] || self.is_read(*i)) {
                fused.outputs.push(Output {
                    value: ValueId(*i as u32),
                    register: registers[i],
                });
            }
        }
        (fused, registers)
    }

    /// The clusters that compute an instruction.
    fn homes(&self, i: usize) -> impl Iterator<Item = usize> + '_ {
        self.member[i]
            .into_iter()
            .chain(self.again[i].iter().copied())
    }

    /// The clusters that read from memory what a user of a value reads.
    fn reads_of<'s>(&'s self, user: usize, value: usize) -> impl Iterator<Item = usize> + 's {
        let computes = move |c: &usize| self.homes(value).any(|home| home == *c);
        self.homes(user).filter(move |c| !computes(c))
    }

    /// Whether a cluster reads a value from memory.
    fn is_read(&self, i: usize) -> bool {
        let mut users = self.users[i].iter();
        users.any(|u| self.reads_of(*u, i).next().is_some())
    }

    fn fill(
        &self,
        fused: &mut Fused,
        insts: &[usize],
        core: Option<usize>,
        strides: &impl Fn(&View) -> Option<Vec<isize>>,
    ) -> HashMap<usize, u16> {
        // Operands first, since they are the first registers.
        let mut at: HashMap<usize, Place> = HashMap::new();
        if let Some(core) = core {
            let view = View::whole(ValueId(core as u32), self.shape(core));
            fused.operands.push(Operand {
                value: view.base,
                dtype: self.program.insts[core].ty.dtype,
                strides: strides(&view).unwrap_or_default(),
                offset: 0,
            });
            at.insert(core, Place::Operand(0));
        }
        let mut places: Vec<Vec<Place>> = Vec::new();
        let mut body: Vec<(BodyFn, Vec<Place>, crate::DType)> = Vec::new();
        for i in insts {
            let mut mine = Vec::new();
            for view in self.operands(*i) {
                let base = view.base.index();
                let source = &self.program.insts[base];
                let place = if let Some(place) = at.get(&base) {
                    *place
                } else if let Some(value) = source.splat() {
                    body.push((BodyFn::Scalar(value), Vec::new(), source.ty.dtype));
                    at.insert(base, Place::Body(body.len() - 1));
                    Place::Body(body.len() - 1)
                } else {
                    let operand = Operand {
                        value: view.base,
                        dtype: source.ty.dtype,
                        strides: strides(&view).unwrap_or_default(),
                        offset: view.offset,
                    };
                    let known = fused.operands.iter().position(|o| *o == operand);
                    Place::Operand(known.unwrap_or_else(|| {
                        fused.operands.push(operand);
                        fused.operands.len() - 1
                    }))
                };
                mine.push(place);
            }
            let inst = &self.program.insts[*i];
            let f = match &inst.op {
                Op::Unary(f) => Some(BodyFn::Unary(*f)),
                Op::Binary(f) => Some(BodyFn::Binary(*f)),
                Op::Select(_) => Some(BodyFn::Select),
                Op::Cast(_) => Some(BodyFn::Cast),
                _ => None,
            };
            let place = match f {
                Some(f) => {
                    body.push((f, mine.clone(), inst.ty.dtype));
                    Place::Body(body.len() - 1)
                }
                // A view made whole: a copy.
                None => mine[0],
            };
            at.insert(*i, place);
            places.push(mine);
        }
        let operands = fused.operands.len();
        let register = |p: &Place| match p {
            Place::Operand(i) => *i as u16,
            Place::Body(i) => (operands + i) as u16,
        };
        fused.body = body
            .iter()
            .map(|(f, args, dtype)| {
                let mut registers = [0; 3];
                for (r, p) in registers.iter_mut().zip(args) {
                    *r = register(p);
                }
                BodyInst {
                    f: *f,
                    args: registers,
                    dtype: *dtype,
                }
            })
            .collect();
        at.iter().map(|(i, p)| (*i, register(p))).collect()
    }
}

/// Where a value is in a fused kernel in the making.
#[derive(Clone, Copy)]
enum Place {
    Operand(usize),
    Body(usize),
}

/// The strides of a view as (rows, `n` columns), if its leading axes collapse to one.
fn rows(view: &View, n: usize) -> Option<Vec<isize>> {
    let rank = view.shape.rank();
    if rank == 0 {
        return Some(vec![0, 0]);
    }
    if view.shape[rank - 1] != n {
        return None;
    }
    let mut row: Option<(isize, usize)> = None; // the inner stride so far, and its extent
    for a in (0..rank - 1).rev() {
        let (stride, extent) = (view.strides[a], view.shape[a]);
        if extent == 1 {
            continue;
        }
        row = match row {
            None => Some((stride, extent)),
            Some((inner, len)) if stride == inner * len as isize => Some((inner, len * extent)),
            Some(_) => return None,
        };
    }
    Some(vec![row.map_or(0, |(s, _)| s), view.strides[rank - 1]])
}
