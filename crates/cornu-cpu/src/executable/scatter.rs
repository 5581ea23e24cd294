//! Sums of slices at rows, with what follows them.

use super::product::{Tail, Tiles};
use super::{Scratch, Table};
use crate::buffer::Buffer;
use crate::kernels::matmul::{Dest, Output};
use crate::kernels::scatter::ScatterPlan;
use crate::simd::Float;
use crate::team::Team;
use cornu_core::passes::fuse::RowsGroup;
use cornu_core::program::ValueId;
use cornu_core::{DType, Result};

/// What happens with the sums.
enum End {
    /// They are the result.
    Store(usize),
    /// Element functions follow, block by block, on sums that lie here.
    Tiles(Box<Tiles>, Buffer),
}

/// Compiled sums of slices at rows.
pub(super) struct ScatterRows {
    x: usize,
    indices: usize,
    dtype: DType,
    cols: usize,
    plan: ScatterPlan,
    end: End,
}

impl ScatterRows {
    pub fn compile(
        group: &RowsGroup,
        slot: &dyn Fn(ValueId) -> usize,
        threads: usize,
    ) -> Result<ScatterRows> {
        let (result, epilogue) = (&group.result, &group.epilogue);
        let plan = |follows| ScatterPlan::new(result, &group.types[1], follows, threads);
        let (plan, end) = match epilogue.outputs[..] {
            [only] if epilogue.body.is_empty() && only.register == 0 => {
                (plan(0.0), End::Store(slot(only.value)))
            }
            _ => {
                let tiles = Tiles::compile(epilogue, slot)?;
                let plan = plan(tiles.cost_ns());
                let sums = Buffer::new(plan.block_elements() * threads * result.dtype.size());
                (plan, End::Tiles(Box::new(tiles), sums))
            }
        };
        Ok(ScatterRows {
            x: slot(group.args[0]),
            indices: slot(group.args[1]),
            dtype: result.dtype,
            cols: result.shape.last().copied().unwrap_or(1),
            plan,
            end,
        })
    }

    pub fn scratch_bytes(&self) -> usize {
        match &self.end {
            End::Store(_) => 0,
            End::Tiles(tiles, _) => tiles.scratch_bytes(),
        }
    }

    /// Computes the sums and what follows.
    ///
    /// # Safety
    /// `ptrs` has the program's slots; `scratch` holds `step` bytes for each thread of the team.
    pub unsafe fn run(&mut self, team: &Team, ptrs: &[*mut u8], scratch: *mut u8, step: usize) {
        // SAFETY: by the caller's promise.
        unsafe {
            match self.dtype {
                DType::F64 => self.run_as::<f64>(team, ptrs, scratch, step),
                _ => self.run_as::<f32>(team, ptrs, scratch, step),
            }
        }
    }

    /// # Safety
    /// As for [`ScatterRows::run`]; the sums are of type `T`.
    unsafe fn run_as<T: Float>(
        &mut self,
        team: &Team,
        ptrs: &[*mut u8],
        scratch: *mut u8,
        step: usize,
    ) {
        let (x, indices) = (ptrs[self.x].cast_const().cast::<T>(), ptrs[self.indices]);
        // SAFETY: the plan gives slots the memory that shapes ask for.
        unsafe {
            match &self.end {
                End::Store(slot) => {
                    let dest = Dest {
                        ptr: ptrs[*slot].cast::<T>(),
                        ld: self.cols,
                        batch_stride: 0,
                        accumulate: false,
                    };
                    let none = std::ptr::null_mut();
                    (self.plan).run(team, x, indices, Output::Store(dest), none);
                }
                End::Tiles(tiles, sums) => {
                    let tail = Tail {
                        tiles,
                        table: Table(ptrs),
                        scratch: Scratch(scratch),
                        step,
                        m: 0,
                        n: self.cols,
                    };
                    let sums = sums.ptr().cast();
                    (self.plan).run(team, x, indices, Output::Epilogue(&tail), sums);
                }
            }
        }
    }
}
