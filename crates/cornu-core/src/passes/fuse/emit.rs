//! Writing the merged clusters out: operands and registers of their bodies.

use super::{Group, Grouping, Kind, MatMulGroup, OtherGroup, ReduceGroup, RowsGroup, rows};
use crate::ops::Op;
use crate::passes::fused::{BodyFn, BodyInst, Fused, Operand, Output};
use crate::passes::view::View;
use crate::program::ValueId;
use std::collections::HashMap;

impl Grouping<'_> {
    /// The groups, in an order in which they can run.
    pub(super) fn emit(&self) -> Vec<Group> {
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
                let [a, b] = [0, 1].map(|i| self.views.get(inst.args[i]));
                let type_of = |v: ValueId| &self.program.inst(v).ty.shape;
                let extents = op.extents(type_of(inst.args[0]), type_of(inst.args[1]));
                let space = vec![extents.batch * extents.m, extents.n];
                let (epilogue, _) = self.fused(c, after, Some(m), space, |v| rows(v, extents.n));
                Group::MatMul(MatMulGroup {
                    a: a.base,
                    b: b.base,
                    offsets: [a.offset, b.offset],
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
