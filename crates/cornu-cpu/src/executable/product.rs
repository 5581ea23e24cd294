//! A matrix product with its epilogue.

use super::{Scratch, Table};
use crate::buffer::Buffer;
use crate::half_product::{integers, round, widen};
use crate::kernels::fused::{FusedKernel, TileKernel};
use crate::kernels::matmul::{Dest, Epilogue, MatmulPlan, MatmulSpec, Output, Tile};
use crate::simd::{Float, Isa};
use crate::team::Team;
use cornu_core::ops::matmul::Extents;
use cornu_core::passes::fuse::MatMulGroup;
use cornu_core::passes::fused::{Fused, Operand};
use cornu_core::program::ValueId;
use cornu_core::{DType, Result, TensorType};

/// What happens with the finished sums.
enum Finish {
    /// They are the result.
    Store(usize),
    /// Element functions follow, tile by tile.
    Tiles(Box<Tiles>),
}

/// A compiled matrix product.
pub(super) struct Product {
    a: usize,
    b: usize,
    /// Where the operands begin in these slots, in bytes.
    offsets: [usize; 2],
    extents: Extents,
    way: Way,
}

enum Way {
    F32 {
        plan: Box<MatmulPlan<f32>>,
        finish: Finish,
        workspace: Buffer,
    },
    F64 {
        plan: Box<MatmulPlan<f64>>,
        finish: Finish,
        workspace: Buffer,
    },
    /// Operands are widened to `f32` first; the product is rounded before what follows.
    Half {
        dtype: DType,
        plan: Box<MatmulPlan<f32>>,
        wide: Buffer,
        workspace: Buffer,
        rest: Box<FusedKernel>,
    },
    Integer {
        dtype: DType,
        transposed: (bool, bool),
        product: Buffer,
        rest: Box<FusedKernel>,
    },
}

impl Product {
    pub fn compile(
        group: &MatMulGroup,
        a: &TensorType,
        slot: &dyn Fn(ValueId) -> usize,
        threads: usize,
    ) -> Result<Product> {
        let e = group.extents;
        let (ta, tb) = (group.op.transpose_a, group.op.transpose_b);
        let spec = MatmulSpec {
            batch: e.batch,
            wide: goes_through_large_operands(&group.epilogue)
                || has_short_rows(&group.epilogue, e.n),
            ..MatmulSpec::new(e.m, e.n, e.k, ta, tb)
        };
        let way = match a.dtype {
            DType::F32 => {
                let plan = Box::new(MatmulPlan::new(spec, threads));
                let workspace = Buffer::new(plan.workspace_bytes());
                Way::F32 {
                    plan,
                    finish: finish(&group.epilogue, slot)?,
                    workspace,
                }
            }
            DType::F64 => {
                let plan = Box::new(MatmulPlan::new(spec, threads));
                let workspace = Buffer::new(plan.workspace_bytes());
                Way::F64 {
                    plan,
                    finish: finish(&group.epilogue, slot)?,
                    workspace,
                }
            }
            dtype @ (DType::BF16 | DType::F16) => {
                let plan = Box::new(MatmulPlan::new(spec, threads));
                let workspace = Buffer::new(plan.workspace_bytes());
                let operands = e.batch * (e.m * e.k + e.k * e.n + e.m * e.n);
                let wide = Buffer::new(operands * 4);
                let rest = Box::new(rest(group, slot)?);
                Way::Half {
                    dtype,
                    plan,
                    wide,
                    workspace,
                    rest,
                }
            }
            dtype => {
                let product = Buffer::new(e.batch * e.m * e.n * dtype.size());
                Way::Integer {
                    dtype,
                    transposed: (ta, tb),
                    product,
                    rest: Box::new(rest(group, slot)?),
                }
            }
        };
        Ok(Product {
            a: slot(group.a),
            b: slot(group.b),
            offsets: group.offsets.map(|at| at * a.dtype.size()),
            extents: e,
            way,
        })
    }

    pub fn scratch_bytes(&self) -> usize {
        match &self.way {
            Way::F32 {
                finish: Finish::Tiles(t),
                ..
            }
            | Way::F64 {
                finish: Finish::Tiles(t),
                ..
            } => t.scratch_bytes(),
            Way::Half { rest, .. } | Way::Integer { rest, .. } => rest.scratch_bytes(),
            _ => 0,
        }
    }

    /// Computes the product and what follows.
    ///
    /// # Safety
    /// `ptrs` has the program's slots; `scratch` holds `step` bytes for each thread of the team.
    pub unsafe fn run(&self, team: &Team, ptrs: &[*mut u8], scratch: *mut u8, step: usize) {
        let a = ptrs[self.a].wrapping_add(self.offsets[0]);
        let b = ptrs[self.b].wrapping_add(self.offsets[1]);
        let e = self.extents;
        // SAFETY: the plan gives slots the memory that shapes ask for.
        unsafe {
            match &self.way {
                Way::F32 {
                    plan,
                    finish,
                    workspace,
                } => {
                    run_float(
                        team,
                        plan,
                        finish,
                        e,
                        (a, b),
                        ptrs,
                        workspace,
                        scratch,
                        step,
                    );
                }
                Way::F64 {
                    plan,
                    finish,
                    workspace,
                } => {
                    run_float(
                        team,
                        plan,
                        finish,
                        e,
                        (a, b),
                        ptrs,
                        workspace,
                        scratch,
                        step,
                    );
                }
                Way::Half {
                    dtype,
                    plan,
                    wide,
                    workspace,
                    rest,
                } => {
                    let (na, nb) = (e.batch * e.m * e.k, e.batch * e.k * e.n);
                    let wa = wide.ptr().cast::<f32>();
                    let (wb, wc) = (wa.add(na), wa.add(na + nb));
                    widen(*dtype, a, wa, na);
                    widen(*dtype, b, wb, nb);
                    let dest = Dest {
                        ptr: wc,
                        ld: e.n,
                        batch_stride: e.m * e.n,
                        accumulate: false,
                    };
                    plan.run(team, wa, wb, Output::Store(dest), workspace.ptr());
                    round(*dtype, wc, e.batch * e.m * e.n);
                    rest.run_with(ptrs, wc.cast(), 0, 1, scratch);
                }
                Way::Integer {
                    dtype,
                    transposed,
                    product,
                    rest,
                } => {
                    integers(*dtype, e, *transposed, a, b, product.ptr());
                    rest.run_with(ptrs, product.ptr(), 0, 1, scratch);
                }
            }
        }
    }
}

/// Whether an epilogue reads operands of the product's size that do not stay in a cache close by.
pub(super) fn goes_through_large_operands(epilogue: &Fused) -> bool {
    let large = 1 << 16; // elements: a quarter of a usual L2 cache in f32
    let whole = |o: &&Operand| o.strides.iter().all(|s| *s != 0);
    epilogue.size() >= large && epilogue.operands[1..].iter().filter(whole).count() > 0
}

/// Whether an epilogue spends much of its time on beginning anew in each row of a tile.
fn has_short_rows(epilogue: &Fused, columns: usize) -> bool {
    columns <= 512 && !epilogue.body.is_empty()
}

/// Element functions on finished tiles, and what they will read.
pub(super) struct Tiles {
    kernel: TileKernel,
    /// The same for whole rows, where these are one run of memory: nothing is copied then.
    strip: Option<FusedKernel>,
}

impl Tiles {
    /// The estimated time for the whole matrix on one thread, in nanoseconds.
    pub(super) fn cost_ns(&self) -> f64 {
        self.kernel.cost_ns()
    }

    pub(super) fn scratch_bytes(&self) -> usize {
        let strip = self.strip.as_ref().map_or(0, FusedKernel::scratch_bytes);
        strip.max(self.kernel.scratch_bytes())
    }

    pub(super) fn compile(epilogue: &Fused, slot: &dyn Fn(ValueId) -> usize) -> Result<Tiles> {
        let strip = FusedKernel::compile_for(epilogue, slot, Isa::get(), true)?;
        Ok(Tiles {
            strip: strip.has_strips().then_some(strip),
            kernel: TileKernel::compile(epilogue, slot)?,
        })
    }
}

/// The epilogue of one run.
pub(super) struct Tail<'a> {
    pub tiles: &'a Tiles,
    pub table: Table<'a>,
    pub scratch: Scratch,
    pub step: usize,
    pub m: usize,
    pub n: usize,
}

impl<T: Float> Epilogue<T> for Tail<'_> {
    fn finish(&self, t: &mut Tile<T>) {
        let row = t.batch * self.m + t.row0;
        let (acc, ld) = (t.acc.cast_const().cast::<u8>(), t.acc_ld);
        let part = self.scratch.of(t.thread, self.step);
        let ptrs = self.table.get();
        // SAFETY: the table has the program's slots, tiles lie within the product and do not
        // overlap, and each thread has its own scratch memory.
        unsafe {
            match &self.tiles.strip {
                Some(strip) if t.cols == self.n && ld == self.n => {
                    let range = (row * self.n, t.rows * self.n);
                    strip.run_strip(ptrs, acc, size_of::<T>(), range, part);
                }
                _ => {
                    let kernel = &self.tiles.kernel;
                    kernel.run_tile(ptrs, 0, row, t.col0, t.rows, t.cols, acc, ld, part);
                }
            }
        }
    }
}

/// Nothing follows but storing, or element functions do.
fn finish(epilogue: &Fused, slot: &dyn Fn(ValueId) -> usize) -> Result<Finish> {
    match epilogue.outputs[..] {
        [only] if epilogue.body.is_empty() && only.register == 0 => {
            Ok(Finish::Store(slot(only.value)))
        }
        _ => Ok(Finish::Tiles(Box::new(Tiles::compile(epilogue, slot)?))),
    }
}

/// # Safety
/// As [`Product::run`].
unsafe fn run_float<T: Float>(
    team: &Team,
    plan: &MatmulPlan<T>,
    finish: &Finish,
    e: Extents,
    (a, b): (*mut u8, *mut u8),
    ptrs: &[*mut u8],
    workspace: &Buffer,
    scratch: *mut u8,
    step: usize,
) {
    let (a, b) = (a.cast_const().cast::<T>(), b.cast_const().cast::<T>());
    // SAFETY: by the caller's promise.
    unsafe {
        match finish {
            Finish::Store(slot) => {
                let ptr = ptrs[*slot].cast::<T>();
                let dest = Dest {
                    ptr,
                    ld: e.n,
                    batch_stride: e.m * e.n,
                    accumulate: false,
                };
                plan.run(team, a, b, Output::Store(dest), workspace.ptr());
            }
            Finish::Tiles(tiles) => {
                let (table, scratch) = (Table(ptrs), Scratch(scratch));
                let epilogue = Tail {
                    tiles,
                    table,
                    scratch,
                    step,
                    m: e.m,
                    n: e.n,
                };
                plan.run(team, a, b, Output::Epilogue(&epilogue), workspace.ptr());
            }
        }
    }
}

/// What follows a product that lies whole in memory.
fn rest(group: &MatMulGroup, slot: &dyn Fn(ValueId) -> usize) -> Result<FusedKernel> {
    FusedKernel::compile_for(&group.epilogue, slot, Isa::get(), true)
}
