//! Grouping of instructions into kernels.
//!
//! Every instruction that computes something starts as a group of its own. Groups are merged while
//! the order of the rest stays possible: element functions over one iteration space with each other,
//! a matrix product with the element functions that follow it (its epilogue), a reduction with those
//! that precede it (its prologue) and follow it (its epilogue). Then values that are as well computed where
//! they are read are no longer stored.

mod emit;
mod group;
mod spare;

use crate::ops::Op;
use crate::passes::view::{View, Views, is_view};
use crate::program::{Program, ValueId};
use crate::shape::Shape;
pub use group::{Group, MatMulGroup, OtherGroup, ReduceGroup, RowsGroup};
use std::collections::BTreeSet;

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
