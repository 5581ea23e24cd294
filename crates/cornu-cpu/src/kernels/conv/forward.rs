//! Output, and what flows to the input: block by block, each finished at once.

use super::{ConvPlan, Run, Way};
use crate::kernels::matmul::{Dest, Output, Tile, transpose};
use crate::simd::Float;
use crate::team::Team;
use cornu_core::ops::conv::ConvFn;
use std::ops::Range;

impl<T: Float> ConvPlan<T> {
    /// Computes output or what flows to the input.
    ///
    /// # Safety
    /// The operands are valid for the shapes that the plan was made for, `out` for the result (a
    /// function only if [`ConvPlan::has_tiles`]), `workspace` for [`ConvPlan::workspace_bytes`].
    pub unsafe fn run(
        &self,
        team: &Team,
        a: *const T,
        b: *const T,
        out: Output<'_, T>,
        workspace: *mut u8,
    ) {
        // SAFETY: the workspace begins with what all threads share.
        let threads_at = unsafe { workspace.add(self.shared_bytes()) };
        let (mut b, mut shared) = (b, workspace.cast::<T>());
        if self.f == ConvFn::Input {
            // SAFETY: as promised by the caller.
            unsafe { self.turn(b, shared) };
            b = shared;
            shared = shared.wrapping_add(self.kernel_size());
        }
        let units: Vec<usize> = match &self.way {
            Way::Patches => (self.phases.iter())
                .map(|p| self.blocks(p) * self.groups)
                .collect(),
            Way::Lines(lines) => vec![lines.units()],
            Way::Winograd(winograd) => {
                // SAFETY: as promised by the caller; the workspace has room.
                unsafe { winograd.ready(self.isa, b.cast(), shared.cast()) };
                b = shared;
                vec![winograd.units()]
            }
        };
        let job = Run {
            a,
            b,
            out,
            threads_at,
        };
        self.run_pieces(team, units.iter().sum(), &|mut piece, thread| {
            let mut phase = 0;
            while piece >= units[phase] {
                piece -= units[phase];
                phase += 1;
            }
            // SAFETY: as promised by the caller; pieces write disjoint rows and columns.
            unsafe { self.piece(&job, phase, piece, thread) }
        });
    }

    /// The kernel as what flows to the input needs it: for each phase and group, its cells in order,
    /// each transposed.
    unsafe fn turn(&self, kernel: *const T, mut to: *mut T) {
        // Here the source's channels are the convolution's filters, and the result's its channels.
        let (from_width, from_depth) = (self.depth, self.width);
        let row = from_width * self.groups;
        for phase in &self.phases {
            for g in 0..self.groups {
                for cell in &phase.cells {
                    // SAFETY: the cells are the kernel's, and there is room for all of them.
                    unsafe {
                        let from = kernel.add(cell * from_depth * row + g * from_width);
                        transpose(self.isa, from_depth, from_width, from, row, to, from_depth);
                        to = to.add(from_depth * from_width);
                    }
                }
            }
        }
    }

    unsafe fn piece(&self, job: &Run<'_, T>, phase: usize, piece: usize, thread: usize) {
        // SAFETY: each thread has its own parts of the memory; the operands are as the caller promised.
        unsafe {
            let parts = self.parts(job.threads_at, thread);
            match &self.way {
                Way::Patches => self.block(job, phase, piece, thread, parts),
                Way::Lines(lines) => {
                    let [copies, list, sums] = parts;
                    let (isa, sums) = (self.isa, sums.cast());
                    let (copies, list) = (copies.cast(), list.cast());
                    let (to, ld) = self.rows(job, sums);
                    let rows = lines.output(isa, piece, job.a, job.b, to, ld, copies, list);
                    self.hand_on(job, rows, sums, thread);
                }
                Way::Winograd(winograd) => {
                    let [work, sums, _] = parts;
                    let (isa, sums) = (self.isa, sums.cast());
                    let (to, ld) = self.rows(job, sums);
                    let (a, b, to) = (job.a.cast(), job.b.cast(), |row| to(row).cast());
                    let rows = winograd.output(isa, piece, a, b, to, ld, work.cast());
                    self.hand_on(job, rows, sums, thread);
                }
            }
        }
    }

    /// A block of places whose patches are gathered.
    unsafe fn block(
        &self,
        job: &Run<'_, T>,
        at: usize,
        piece: usize,
        thread: usize,
        [patches, tile, work]: [*mut u8; 3],
    ) {
        let phase = &self.phases[at];
        let (g, block) = (piece / self.blocks(phase), piece % self.blocks(phase));
        let (rows, plan) = self.rows_of(at, block);
        let (patches, tile) = (patches.cast::<T>(), tile.cast::<T>());
        // SAFETY: the parts have room for a block; rows lie inside the operands and the result.
        unsafe {
            phase
                .patches
                .gather(self.isa, job.a, g * self.depth, rows.clone(), patches);
            let kernel = match self.f {
                ConvFn::Input => {
                    let before: usize = self.phases[..at].iter().map(|p| p.cells.len()).sum();
                    let cell = self.depth * self.width;
                    job.b
                        .add((before * self.groups + g * phase.cells.len()) * cell)
                }
                _ => job.b.add(g * self.width),
            };
            let store = |dest| plan.run_alone(patches, kernel, Output::Store(dest), work);
            match (&job.out, &phase.spread) {
                (Output::Store(dest), None) => store(Dest {
                    ptr: dest.ptr.add(rows.start * dest.ld + g * self.width),
                    ..*dest
                }),
                (Output::Store(dest), Some(spread)) => {
                    store(Dest {
                        ptr: tile,
                        ld: self.width,
                        batch_stride: 0,
                        accumulate: false,
                    });
                    for (i, row) in rows.enumerate() {
                        let to = dest.ptr.add(spread.place(row) * dest.ld + g * self.width);
                        std::ptr::copy_nonoverlapping(tile.add(i * self.width), to, self.width);
                    }
                }
                (Output::Epilogue(epilogue), _) => {
                    let finish = |t: &mut Tile<T>| {
                        t.row0 += rows.start;
                        t.col0 += g * self.width;
                        t.thread = thread;
                        epilogue.finish(t);
                    };
                    plan.run_alone(patches, kernel, Output::Epilogue(&finish), work);
                }
            }
        }
    }

    /// Where whole rows from one on are stored, and how far apart: in the result, or in `sums` if they are
    /// handed on.
    fn rows(&self, job: &Run<'_, T>, sums: *mut T) -> (impl Fn(usize) -> *mut T, usize) {
        let (to, ld, apart) = match &job.out {
            Output::Store(dest) => (dest.ptr, dest.ld, dest.ld),
            Output::Epilogue(_) => (sums, self.filters, 0),
        };
        (move |row| to.wrapping_add(row * apart), ld)
    }

    /// Hands on finished rows, if they are not stored.
    fn hand_on(&self, job: &Run<'_, T>, rows: Range<usize>, sums: *mut T, thread: usize) {
        if let Output::Epilogue(epilogue) = &job.out {
            epilogue.finish(&mut Tile {
                batch: 0,
                row0: rows.start,
                col0: 0,
                rows: rows.len(),
                cols: self.filters,
                acc: sums,
                acc_ld: self.filters,
                thread,
            });
        }
    }
}
