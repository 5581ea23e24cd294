//! Convolutions as matrix products of patches with the kernel.
//!
//! The patches of a block of places are gathered into a matrix that stays in the cache, one row for
//! each place, and multiplied at once; the whole matrix of patches never exists (`forward`). What flows
//! to the input is the same with the kernel turned around; where places are strides apart, once for each
//! remainder of the input's position (`phase`). What flows to the kernel is a sum over all places: cut by
//! shape alone into chunks, whose sums are added in order (`kernel`).
//!
//! Where few columns are multiplied, gathering would cost more than the products: there the source
//! is read as it lies, line by line (`lines`). Most kernels of 3×3 cells need less than half of the products
//! (`winograd`).

mod forward;
mod kernel;
mod lines;
mod memory;
mod patches;
mod phase;
mod winograd;

use super::matmul::{MatmulPlan, MatmulSpec, Operand, Output};
use crate::simd::{Float, Isa};
use crate::team::Team;
use cornu_core::ops::conv::{Conv, ConvExtents, ConvFn};
use lines::Lines;
use phase::{Phase, phases};
use std::ops::Range;
use winograd::Winograd;

/// Bytes of a block of patches: it stays in a usual L2 cache beside the kernel.
const BLOCK_BYTES: usize = 192 << 10;
const MOST_ROWS: usize = 512;
/// Blocks that large work is cut into at least.
const LEAST_BLOCKS: usize = 16;
/// Elements of the sums for the kernel's gradient beyond which they are not taken by minimal filtering: those of
/// 256 filters of as many channels.
const MOST_SUMS: usize = 1 << 20;
/// Operations worth a piece of their own: some 5 µs.
const PIECE_OPERATIONS: usize = 1 << 19;

/// How the source is read.
enum Way {
    /// In patches that are gathered.
    Patches,
    Lines(Lines),
    Winograd(Winograd),
}

/// A convolution for one shape.
pub(crate) struct ConvPlan<T> {
    f: ConvFn,
    phases: Vec<Phase>,
    way: Way,
    groups: usize,
    /// Channels of the patches' source and of the result (of the kernel's rows for its gradient), and
    /// their parts for a group.
    filters: usize,
    width: usize,
    depth: usize,
    /// Rows of a block, and the products of a whole block and of the last, for each phase.
    block: usize,
    plans: Vec<[MatmulPlan<T>; 2]>,
    isa: Isa,
    threads: usize,
    operations: usize,
}

impl<T: Float> ConvPlan<T> {
    pub fn new(op: &Conv, e: &ConvExtents, threads: usize, wide: bool) -> Self {
        let groups = op.options.groups;
        let (channels, filters) = match op.f {
            ConvFn::Input => (e.filters, e.channels),
            _ => (e.channels, e.filters),
        };
        let phases = phases(op, e, channels);
        let width = filters / groups;
        let operations: usize = phases.iter().map(|p| 2 * p.rows * p.k * filters).sum();
        let block = rows_of_block::<T>(&phases, operations);
        let isa = Isa::get();
        let product = |phase: &Phase, rows: usize| {
            let dense = |ld: usize, trans: bool| Operand {
                ld,
                trans,
                batch_stride: 0,
            };
            let spec = match op.f {
                ConvFn::Kernel => MatmulSpec {
                    m: phase.k,
                    n: width,
                    k: rows,
                    batch: 1,
                    a: dense(phase.k, true),
                    b: dense(filters, false),
                    wide: false,
                },
                _ => MatmulSpec {
                    m: rows,
                    n: width,
                    k: phase.k,
                    batch: 1,
                    a: dense(phase.k, false),
                    b: dense(
                        if op.f == ConvFn::Input {
                            width
                        } else {
                            filters
                        },
                        false,
                    ),
                    wide: wide && groups == 1,
                },
            };
            MatmulPlan::with_isa(spec, 1, isa)
        };
        let plans = phases
            .iter()
            .map(|p| [product(p, block.min(p.rows)), product(p, p.rows % block)])
            .collect();
        let lines = || Lines::new(&phases, e.batch, filters, size_of::<T>()).map(Way::Lines);
        let way = match groups {
            1 => winograd::<T>(op.f, &phases, e.batch, filters).or_else(lines),
            _ => None,
        };
        Self {
            f: op.f,
            way: way.unwrap_or(Way::Patches),
            phases,
            groups,
            filters,
            width,
            depth: channels / groups,
            block,
            plans,
            isa,
            threads,
            operations,
        }
    }

    /// Whether finished tiles can be handed on; else the result must be stored whole.
    pub fn has_tiles(&self) -> bool {
        let in_order = match &self.way {
            Way::Patches => self.phases.iter().all(|p| p.spread.is_none()),
            Way::Lines(_) | Way::Winograd(_) => true,
        };
        self.f != ConvFn::Kernel && in_order
    }

    fn blocks(&self, phase: &Phase) -> usize {
        match &self.way {
            Way::Patches => phase.rows.div_ceil(self.block),
            Way::Lines(lines) => lines.units(),
            Way::Winograd(winograd) => winograd.units(),
        }
    }

    /// The rows of a phase's block, and its product.
    fn rows_of(&self, phase: usize, block: usize) -> (Range<usize>, &MatmulPlan<T>) {
        let all = self.phases[phase].rows;
        let rows = block * self.block..((block + 1) * self.block).min(all);
        let last = rows.len() < self.block.min(all);
        (rows, &self.plans[phase][usize::from(last)])
    }

    fn run_pieces(&self, team: &Team, pieces: usize, run: &(dyn Fn(usize, usize) + Sync)) {
        if self.operations < 2 * PIECE_OPERATIONS || team.threads() > self.threads {
            (0..pieces).for_each(|piece| run(piece, 0));
        } else {
            team.run(pieces, run);
        }
    }
}

/// Rows of a block of patches: it stays in the cache, and large work has some blocks for every thread.
fn rows_of_block<T>(phases: &[Phase], operations: usize) -> usize {
    let longest = phases.iter().map(|p| p.k).max().unwrap_or(0).max(1);
    let most = phases.iter().map(|p| p.rows).max().unwrap_or(0);
    let mut block = (BLOCK_BYTES / size_of::<T>() / longest).clamp(16, MOST_ROWS);
    if operations > LEAST_BLOCKS * PIECE_OPERATIONS / 2 {
        block = block
            .min(most.div_ceil(LEAST_BLOCKS).next_multiple_of(16))
            .max(16);
    }
    block.min(most.max(1))
}

/// The way by minimal filtering, if it is there for the type: for `f32` alone, which networks are made of.
fn winograd<T: Float>(f: ConvFn, phases: &[Phase], images: usize, width: usize) -> Option<Way> {
    if const { size_of::<T>() == 4 } {
        let way = Winograd::new(phases, images, width)?;
        // Sums of the kernel's gradient are more than the kernel, and there are some of them.
        (f != ConvFn::Kernel || way.kernel_size() <= MOST_SUMS).then_some(Way::Winograd(way))
    } else {
        None
    }
}

/// What a run is given.
struct Run<'a, T> {
    a: *const T,
    b: *const T,
    out: Output<'a, T>,
    threads_at: *mut u8,
}

// SAFETY: pieces write disjoint parts of the result and use their own thread's workspace.
unsafe impl<T: Float> Sync for Run<'_, T> {}
