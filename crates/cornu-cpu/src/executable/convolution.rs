//! A convolution with what follows it.

use super::product::{Tail, Tiles, goes_through_large_operands};
use super::{Scratch, Table};
use crate::buffer::Buffer;
use crate::half_product::{round, widen};
use crate::kernels::conv::ConvPlan;
use crate::kernels::fused::FusedKernel;
use crate::kernels::matmul::{Dest, Output};
use crate::simd::{Float, Isa};
use crate::team::Team;
use cornu_core::ops::conv::{Conv, ConvFn};
use cornu_core::passes::fuse::RowsGroup;
use cornu_core::program::ValueId;
use cornu_core::{DType, Result};

/// What happens with the result.
enum End {
    /// It is stored.
    Store(usize),
    /// Element functions follow, tile by tile.
    Tiles(Box<Tiles>),
    /// Element functions follow when the result is whole.
    Whole(Box<FusedKernel>, Buffer),
}

enum Plan {
    F32(Box<ConvPlan<f32>>),
    F64(Box<ConvPlan<f64>>),
    /// Operands are widened to `f32` first; the result is rounded before what follows.
    Half(DType, Box<ConvPlan<f32>>, Buffer),
}

/// A compiled convolution.
pub(super) struct Convolution {
    f: ConvFn,
    args: [usize; 2],
    sizes: [usize; 2],
    /// Rows and columns of the result.
    m: usize,
    n: usize,
    plan: Plan,
    end: End,
    workspace: Buffer,
}

impl Convolution {
    pub fn compile(
        group: &RowsGroup,
        op: &Conv,
        slot: &dyn Fn(ValueId) -> usize,
        threads: usize,
    ) -> Result<Convolution> {
        let e = op.extents(&group.types)?;
        let wide = goes_through_large_operands(&group.epilogue);
        let (size, dtype) = (group.result.shape.size(), group.result.dtype);
        let (plan, tiles, bytes) = match dtype {
            DType::F64 => {
                let plan = ConvPlan::new(op, &e, threads, wide);
                let (tiles, bytes) = (plan.has_tiles(), plan.workspace_bytes());
                (Plan::F64(Box::new(plan)), tiles, bytes)
            }
            DType::F32 => {
                let plan = ConvPlan::new(op, &e, threads, wide);
                let (tiles, bytes) = (plan.has_tiles(), plan.workspace_bytes());
                (Plan::F32(Box::new(plan)), tiles, bytes)
            }
            half => {
                let plan = ConvPlan::new(op, &e, threads, false);
                let bytes = plan.workspace_bytes();
                let elements: usize = group.types.iter().map(|t| t.shape.size()).sum();
                (
                    Plan::Half(half, Box::new(plan), Buffer::new(elements * 4)),
                    false,
                    bytes,
                )
            }
        };
        let half = matches!(plan, Plan::Half(..));
        let end = match group.epilogue.outputs[..] {
            [only] if group.epilogue.body.is_empty() && only.register == 0 && !half => {
                End::Store(slot(only.value))
            }
            _ if tiles => End::Tiles(Box::new(Tiles::compile(&group.epilogue, slot)?)),
            _ => {
                let rest = FusedKernel::compile_for(&group.epilogue, slot, Isa::get(), true)?;
                let wide = if half { 4 } else { dtype.size() };
                End::Whole(Box::new(rest), Buffer::new(size * wide))
            }
        };
        let n = group.result.shape.last().copied().unwrap_or(1);
        Ok(Convolution {
            f: op.f,
            args: [slot(group.args[0]), slot(group.args[1])],
            sizes: [group.types[0].shape.size(), group.types[1].shape.size()],
            m: size / n.max(1),
            n,
            plan,
            end,
            workspace: Buffer::new(bytes),
        })
    }

    pub fn scratch_bytes(&self) -> usize {
        match &self.end {
            End::Store(_) => 0,
            End::Tiles(tiles) => tiles.scratch_bytes(),
            End::Whole(rest, _) => rest.scratch_bytes(),
        }
    }

    /// Computes the convolution and what follows.
    ///
    /// # Safety
    /// `ptrs` has the program's slots; `scratch` holds `step` bytes for each thread of the team.
    pub unsafe fn run(&self, team: &Team, ptrs: &[*mut u8], scratch: *mut u8, step: usize) {
        let (a, b) = (ptrs[self.args[0]], ptrs[self.args[1]]);
        // SAFETY: the plan gives slots the memory that shapes ask for.
        unsafe {
            match &self.plan {
                Plan::F32(plan) => {
                    self.run_as(plan, team, a.cast(), b.cast(), ptrs, scratch, step);
                }
                Plan::F64(plan) => {
                    self.run_as(plan, team, a.cast(), b.cast(), ptrs, scratch, step);
                }
                Plan::Half(dtype, plan, wide) => {
                    let wa = wide.ptr().cast::<f32>();
                    let wb = wa.add(self.sizes[0]);
                    widen(*dtype, a, wa, self.sizes[0]);
                    widen(*dtype, b, wb, self.sizes[1]);
                    let End::Whole(rest, result) = &self.end else {
                        return;
                    };
                    let to = result.ptr().cast::<f32>();
                    self.store(plan, team, wa, wb, to);
                    round(*dtype, to, self.m * self.n);
                    rest.run_with(ptrs, to.cast(), 0, 1, scratch);
                }
            }
        }
    }

    /// # Safety
    /// As for [`Convolution::run`]; `to` has room for the result.
    unsafe fn store<T: Float>(
        &self,
        plan: &ConvPlan<T>,
        team: &Team,
        a: *const T,
        b: *const T,
        to: *mut T,
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            if self.f == ConvFn::Kernel {
                return plan.run_kernel(team, a, b, to, self.workspace.ptr());
            }
            let dest = Dest {
                ptr: to,
                ld: self.n,
                batch_stride: 0,
                accumulate: false,
            };
            plan.run(team, a, b, Output::Store(dest), self.workspace.ptr());
        }
    }

    /// # Safety
    /// As for [`Convolution::run`].
    #[allow(clippy::too_many_arguments)] // the same for every type
    unsafe fn run_as<T: Float>(
        &self,
        plan: &ConvPlan<T>,
        team: &Team,
        a: *const T,
        b: *const T,
        ptrs: &[*mut u8],
        scratch: *mut u8,
        step: usize,
    ) {
        let (table, scratch) = (Table(ptrs), Scratch(scratch));
        // SAFETY: by the caller's promise.
        unsafe {
            match &self.end {
                End::Store(slot) => self.store(plan, team, a, b, ptrs[*slot].cast()),
                End::Tiles(tiles) => {
                    let (m, n) = (self.m, self.n);
                    let tail = Tail {
                        tiles,
                        table,
                        scratch,
                        step,
                        m,
                        n,
                    };
                    plan.run(team, a, b, Output::Epilogue(&tail), self.workspace.ptr());
                }
                End::Whole(rest, result) => {
                    self.store(plan, team, a, b, result.ptr().cast());
                    let pieces = rest.pieces(team.threads());
                    let result = Scratch(result.ptr());
                    team.run(pieces, &|piece, thread| {
                        let own = scratch.of(thread, step);
                        rest.run_with(table.get(), result.of(0, 0), piece, pieces, own);
                    });
                }
            }
        }
    }
}
