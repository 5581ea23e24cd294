//! Which values are mere views of others: the same memory read by strides.

use crate::ops::Op;
use crate::ops::movement::{Broadcast, Reshape, SliceOp, Transpose};
use crate::program::{Program, ValueId};
use crate::shape::Shape;

/// A value read from the memory of another: element `(i0, i1, …)` is `base[offset + Σ iₖ·strides[k]]`,
/// in elements.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The value whose memory is read.
    pub base: ValueId,
    /// The extents of the view.
    pub shape: Shape,
    /// Strides in elements, one per axis.
    pub strides: Vec<isize>,
    /// Where the first element lies.
    pub offset: usize,
}

impl View {
    /// A value as itself.
    pub fn whole(base: ValueId, shape: &Shape) -> View {
        let strides = shape.strides().into_iter().map(|s| s as isize).collect();
        View {
            base,
            shape: shape.clone(),
            strides,
            offset: 0,
        }
    }

    /// Whether the view is its base, element for element in order, under whatever shape.
    pub fn is_whole(&self, base_size: usize) -> bool {
        self.offset == 0 && self.shape.size() == base_size && self.is_contiguous()
    }

    fn is_contiguous(&self) -> bool {
        let row = self.shape.strides();
        (0..self.shape.rank()).all(|a| self.shape[a] <= 1 || self.strides[a] == row[a] as isize)
    }

    /// The view that `op` takes of this one; `None` if it cannot be said in strides.
    pub fn through(&self, op: &Op) -> Option<View> {
        let (shape, strides, offset) = match op {
            Op::Reshape(Reshape(to)) if self.is_contiguous() => {
                let strides = to.strides().into_iter().map(|s| s as isize).collect();
                (to.clone(), strides, self.offset)
            }
            Op::Reshape(Reshape(to)) => (to.clone(), restride(self, to)?, self.offset),
            Op::Transpose(Transpose(order)) => (
                order.iter().map(|a| self.shape[*a]).collect(),
                order.iter().map(|a| self.strides[*a]).collect(),
                self.offset,
            ),
            Op::Broadcast(Broadcast(to)) => {
                let missing = to.rank() - self.shape.rank();
                let stride = |i: usize| match i.checked_sub(missing) {
                    Some(a) if self.shape[a] != 1 || to[i] == 1 => self.strides[a],
                    _ => 0,
                };
                (
                    to.clone(),
                    (0..to.rank()).map(stride).collect(),
                    self.offset,
                )
            }
            Op::SliceOp(SliceOp { start, len, step }) => {
                let first: isize = match len.contains(&0) {
                    true => 0,
                    false => start
                        .iter()
                        .zip(&self.strides)
                        .map(|(a, b)| *a as isize * b)
                        .sum(),
                };
                (
                    len.clone().into(),
                    step.iter().zip(&self.strides).map(|(a, b)| a * b).collect(),
                    self.offset.checked_add_signed(first)?,
                )
            }
            _ => return None,
        };
        Some(View {
            base: self.base,
            shape,
            strides,
            offset,
        })
    }
}

/// Strides for `to`, if it differs from the view's shape only by axes of extent 1.
fn restride(view: &View, to: &Shape) -> Option<Vec<isize>> {
    let kept: Vec<usize> = (0..view.shape.rank())
        .filter(|a| view.shape[*a] != 1)
        .collect();
    let mut source = kept.iter();
    let mut strides = Vec::with_capacity(to.rank());
    for extent in to.iter() {
        if *extent == 1 {
            strides.push(0);
            continue;
        }
        let a = *source.next()?;
        if view.shape[a] != *extent {
            return None;
        }
        strides.push(view.strides[a]);
    }
    source.next().is_none().then_some(strides)
}

/// For every value: the view it is. A value that is no view of another (or that something needs in
/// memory of its own) is a view of itself.
#[derive(Debug)]
pub struct Views(Vec<View>);

impl Views {
    /// The views of a program. What outputs and every operation that is not elementwise or a reduction
    /// read must lie whole and in order in memory, and what matrix products read in order somewhere in
    /// it: a view that does not is made so.
    pub fn of(program: &Program) -> Views {
        let mut views = Views(Vec::with_capacity(program.insts.len()));
        for (i, inst) in program.insts.iter().enumerate() {
            let me = ValueId(i as u32);
            let view = match inst.op {
                Op::Reshape(_) | Op::Transpose(_) | Op::Broadcast(_) | Op::SliceOp(_) => {
                    let source = inst.args[0];
                    views.get(source).through(&inst.op).or_else(|| {
                        views.settle(source, program);
                        views.get(source).through(&inst.op)
                    })
                }
                _ => None,
            };
            views
                .0
                .push(view.unwrap_or_else(|| View::whole(me, &inst.ty.shape)));
        }
        for inst in &program.insts {
            if !is_view(&inst.op) && !inst.op.is_elementwise() && !matches!(inst.op, Op::Reduce(_))
            {
                for a in &inst.args {
                    let product = matches!(inst.op, Op::MatMul(_));
                    if !product || !views.get(*a).is_contiguous() {
                        views.settle_unless_whole(*a, program);
                    }
                }
            }
        }
        for v in program
            .outputs
            .iter()
            .chain(program.updates.iter().map(|(_, v)| v))
        {
            views.settle_unless_whole(*v, program);
        }
        views
    }

    /// The view that a value is.
    pub fn get(&self, v: ValueId) -> &View {
        &self.0[v.index()]
    }

    /// Whether a value has memory of its own.
    pub fn is_base(&self, v: ValueId) -> bool {
        self.0[v.index()].base == v
    }

    fn settle(&mut self, v: ValueId, program: &Program) {
        self.0[v.index()] = View::whole(v, &program.inst(v).ty.shape);
    }

    fn settle_unless_whole(&mut self, v: ValueId, program: &Program) {
        let view = self.get(v);
        if !view.is_whole(program.inst(view.base).ty.shape.size()) {
            self.settle(v, program);
        }
    }
}

/// Whether an operation only looks at its operand another way.
pub fn is_view(op: &Op) -> bool {
    matches!(
        op,
        Op::Reshape(_) | Op::Transpose(_) | Op::Broadcast(_) | Op::SliceOp(_)
    )
}
