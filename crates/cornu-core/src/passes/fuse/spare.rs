//! Sparing passes over memory, once all groups are known.
//!
//! Merging as much as possible makes a group compute values that only a later group reads. Where that
//! one can compute such a value itself, of what lies in memory anyway, the value need not be stored:
//! it *sinks* into its reader, or, if it is a cheap function of a single large value, each reader
//! computes it *again*.

use super::{Grouping, Kind, rows};
use crate::ops::Op;
use crate::ops::elementwise::{BinaryFn, UnaryFn};
use crate::passes::view::View;
use std::collections::BTreeSet;

/// Elements from which a value is no longer in a cache close by when it is read. (The tests' programs are
/// small.)
const LARGE: usize = if cfg!(test) { 4 } else { 1 << 15 };

impl Grouping<'_> {
    pub(super) fn spare_memory(&mut self) {
        let all = 0..self.program.insts.len();
        for i in all.clone() {
            if self.may_move(i)
                && let Some(reader) = self.better_computed_in(i)
            {
                self.sink(i, reader);
            }
        }
        for i in all {
            if self.may_move(i) && self.is_cheap(i) {
                self.compute_again(i);
            }
        }
    }

    /// Whether an instruction is a large value's element function that nobody outside the program needs,
    /// in a group that is not it alone.
    fn may_move(&self, i: usize) -> bool {
        let inst = &self.program.insts[i];
        let inside = self.cluster(i).is_some_and(|c| c.core != Some(i));
        let function = inst.op.is_elementwise();
        // The old value of a variable that is read later could not be overwritten sooner.
        let settled = |v: &View| !matches!(self.program.inst(v.base).op, Op::Variable(_));
        inside
            && function
            && !self.kept[i]
            && inst.ty.shape.size() >= LARGE
            && self.operands(i).iter().all(settled)
    }

    fn bytes(&self, i: usize) -> usize {
        let ty = &self.program.insts[i].ty;
        ty.shape.size() * ty.dtype.size()
    }

    /// The large values that an instruction reads.
    fn large_operands(&self, i: usize) -> BTreeSet<usize> {
        let large = |base: &usize| {
            let inst = &self.program.insts[*base];
            inst.splat().is_none() && 2 * inst.ty.shape.size() >= self.shape(i).size()
        };
        let bases = self.operands(i).into_iter().map(|v| v.base.index());
        bases.filter(large).collect()
    }

    /// The clusters that read a value from memory.
    fn readers(&self, i: usize) -> BTreeSet<usize> {
        let users = self.users[i].iter();
        users.flat_map(|u| self.reads_of(*u, i)).collect()
    }

    /// Whether a value is in memory even if one of its users does not read it.
    fn is_there_without(&self, value: usize, user: usize) -> bool {
        let leaf = matches!(
            self.program.insts[value].op,
            Op::Input(_) | Op::Variable(_) | Op::Constant(_) | Op::Full(_)
        );
        let mut others = self.users[value].iter().filter(|u| **u != user);
        leaf || self.kept[value] || others.any(|u| self.reads_of(*u, value).next().is_some())
    }

    /// Whether what an instruction reads is in memory wherever the instruction is computed.
    fn is_there(&self, operand: &View, i: usize) -> bool {
        let base = operand.base.index();
        let elsewhere = self.member[i].is_some_and(|own| self.reads_of(i, base).any(|c| c == own));
        elsewhere || self.is_there_without(base, i)
    }

    /// Whether a cluster that reads a value element for element can compute it.
    fn can_compute(&self, cluster: usize, i: usize) -> bool {
        let Some(c) = &self.clusters[cluster] else {
            return false;
        };
        let whole = View::whole(crate::program::ValueId(i as u32), self.shape(i));
        let reads_well = |u: &usize| {
            let place = match c.kind {
                Kind::Elementwise | Kind::MatMul | Kind::Rows => c.after.contains(u),
                Kind::Reduce => c.before.contains(u) || c.core == Some(*u),
                Kind::Other => false,
            };
            let aligned = (self.operands(*u).iter())
                .all(|v| v.base != whole.base || (*v == whole && whole.shape == v.shape));
            place && aligned && (c.core == Some(*u) || self.shape(*u) == self.shape(i))
        };
        let fits = match (c.kind, c.core) {
            (Kind::MatMul | Kind::Rows, Some(core)) => {
                let n = self.shape(core).last().copied().unwrap_or(1);
                self.operands(i).iter().all(|v| rows(v, n).is_some())
            }
            _ => true,
        };
        let users = self.users[i].iter();
        fits && users
            .filter(|u| self.member[**u] == Some(cluster))
            .all(reads_well)
    }

    /// The one reader of a value that would pass over less memory if it computed the value itself.
    fn better_computed_in(&self, i: usize) -> Option<usize> {
        let own = self.member[i]?;
        let readers = self.readers(i);
        let reader = *readers.first().filter(|_| readers.len() == 1)?;
        let used_inside = self.users[i].iter().any(|u| self.member[*u] == Some(own));
        let alone = self.clusters[own].as_ref()?.insts().count() == 1;
        let operands = self.operands(i);
        let there = |v: &View| self.is_there(v, i);
        if used_inside || alone || !operands.iter().all(there) || !self.can_compute(reader, i) {
            return None;
        }
        let reads = |cluster: usize, value: usize, besides: usize| {
            let users = self.users[value].iter();
            users
                .filter(|u| **u != besides)
                .any(|u| self.member[*u] == Some(cluster))
        };
        let (mut more, mut less) = (0, 2 * self.bytes(i));
        for v in self.large_operands(i) {
            if !reads(reader, v, i) {
                more += self.bytes(v);
            }
            if self.member[v] != Some(own) && !reads(own, v, i) {
                less += self.bytes(v);
            }
        }
        (more < less).then_some(reader)
    }

    /// Moves an instruction into the cluster that reads it.
    fn sink(&mut self, i: usize, reader: usize) {
        self.take_out(i);
        self.member[i] = Some(reader);
        if let Some(c) = &mut self.clusters[reader] {
            let part = match c.kind {
                Kind::Reduce => &mut c.before,
                _ => &mut c.after,
            };
            part.push(i);
            part.sort_unstable();
        }
    }

    fn take_out(&mut self, i: usize) {
        let Some(own) = self.member[i].take() else {
            return;
        };
        if let Some(c) = &mut self.clusters[own] {
            c.before.retain(|j| *j != i);
            c.after.retain(|j| *j != i);
            if c.insts().next().is_none() {
                self.clusters[own] = None;
            }
        }
    }

    /// Whether computing a value takes no longer than reading it.
    fn is_cheap(&self, i: usize) -> bool {
        use BinaryFn::{Add, Max, Min, Mul, Sub};
        match &self.program.insts[i].op {
            Op::Unary(f) => matches!(f, UnaryFn::Neg | UnaryFn::Relu | UnaryFn::Square),
            Op::Binary(f) => matches!(f, Add | Sub | Mul | Max | Min),
            _ => false,
        }
    }

    /// Lets every reader compute a value of one large operand that is in memory anyway.
    fn compute_again(&mut self, i: usize) {
        let large = self.large_operands(i);
        let Some(source) = large.first().filter(|_| large.len() == 1) else {
            return;
        };
        let readers = self.readers(i);
        let there = |v: &View| self.is_there(v, i);
        let worth = !readers.is_empty()
            && self.is_there_without(*source, i)
            && self.bytes(*source) <= self.bytes(i)
            && self.operands(i).iter().all(there)
            && readers.iter().all(|c| self.can_compute(*c, i));
        if !worth {
            return;
        }
        for reader in readers {
            self.again[i].push(reader);
            if let Some(c) = &mut self.clusters[reader] {
                c.again.push(i);
            }
        }
        let own = self.member[i];
        if !self.users[i].iter().any(|u| self.member[*u] == own) {
            self.take_out(i);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::passes::memory::plan;
    use crate::{DType, Program, Tensor, TensorType};

    /// How many values of the shape `[8, 4]` a program writes.
    fn written(inputs: usize, outputs: &[Tensor]) -> usize {
        let ty = TensorType {
            shape: [8, 4].into(),
            dtype: DType::F32,
        };
        let program = Program::trace(&vec![ty.clone(); inputs], outputs, &[]).unwrap();
        let plan = plan(&program);
        let writes = plan.groups.iter().flat_map(|g| g.writes());
        writes.filter(|v| *plan.types[v].shape == *ty.shape).count()
    }

    fn input(i: usize) -> Tensor {
        Tensor::input(i, [8, 4], DType::F32)
    }

    #[test]
    fn a_difference_is_taken_again() {
        let y = input(0).matmul(input(1).t().matmul(input(1)));
        let centred = &y - &y.mean_axes(&[0], true);
        let spread = centred.square().mean_axes(&[0], true);
        // The product and the result.
        assert_eq!(written(2, &[centred / spread]), 2);
    }

    #[test]
    fn a_product_sinks_into_its_sum() {
        let (x, y) = (input(0), input(1));
        let g = x.gt(0.0).select(&y, 0.0);
        let slope = (&g * &x).sum_axes(&[0], true);
        // The selected values and the result; neither of the products.
        assert_eq!(written(2, &[g.clone(), &g * 3.0 - x * slope]), 2);
    }
}
