//! What flows to the kernel: a sum over all places, cut by shape alone into chunks that are added in order.

use super::{ConvPlan, PIECE_OPERATIONS, Run, Way};
use crate::kernels::matmul::{Dest, Output};
use crate::simd::Float;
use crate::team::Team;
use std::ops::Range;

/// Chunks of places whose sums are kept apart.
const CHUNKS: usize = 8;

impl<T: Float> ConvPlan<T> {
    /// Computes what flows to the kernel.
    ///
    /// # Safety
    /// As for [`ConvPlan::run`]; `to` has room for the kernel.
    pub unsafe fn run_kernel(
        &self,
        team: &Team,
        x: *const T,
        g: *const T,
        to: *mut T,
        workspace: *mut u8,
    ) {
        let chunks = self.chunks();
        let size = self.sums_size();
        // SAFETY: as for `run`.
        let threads_at = unsafe { workspace.add(self.shared_bytes()) };
        let job = Run {
            a: x,
            b: g,
            out: Output::Store(Dest {
                ptr: workspace.cast(),
                ld: self.filters,
                batch_stride: 0,
                accumulate: false,
            }),
            threads_at,
        };
        self.run_pieces(team, chunks.len() * self.groups, &|piece, thread| {
            let (group, chunk) = (piece / chunks.len(), piece % chunks.len());
            // SAFETY: as promised by the caller; each chunk and group has its own sums.
            unsafe { self.chunk(&job, group, chunk, chunks[chunk].clone(), thread) }
        });
        // SAFETY: the sums of all chunks are there now.
        unsafe {
            if self.phases.iter().all(|p| p.rows == 0) {
                std::slice::from_raw_parts_mut(to, self.kernel_size()).fill(T::ZERO);
                return;
            }
            let all: *mut T = workspace.cast();
            let sums = std::slice::from_raw_parts_mut(all, size);
            for chunk in 1..chunks.len() {
                let part = std::slice::from_raw_parts(all.add(chunk * size), size);
                for (sum, part) in sums.iter_mut().zip(part) {
                    *sum = *sum + *part;
                }
            }
            match &self.way {
                Way::Winograd(winograd) => winograd.kernel_of(self.isa, all.cast(), to.cast()),
                _ => to.copy_from_nonoverlapping(all, size),
            }
        }
    }

    /// The blocks of each chunk of places.
    pub(super) fn chunks(&self) -> Vec<Range<usize>> {
        let blocks = self.phases.first().map_or(0, |p| self.blocks(p));
        let chunks = match self.operations < 2 * PIECE_OPERATIONS {
            true => 1,
            false => CHUNKS.min(blocks.max(1)),
        };
        (0..chunks)
            .map(|c| blocks * c / chunks..blocks * (c + 1) / chunks)
            .collect()
    }

    /// What the places of some blocks give to the kernel of a group.
    unsafe fn chunk(
        &self,
        job: &Run<'_, T>,
        group: usize,
        chunk: usize,
        blocks: Range<usize>,
        thread: usize,
    ) {
        let Output::Store(sums) = job.out else { return };
        let (first, isa) = (blocks.start, self.isa);
        // SAFETY: each thread has its own parts of the memory; rows lie inside the operands.
        unsafe {
            let parts = self.parts(job.threads_at, thread);
            let to = sums.ptr.add(chunk * self.sums_size());
            for block in blocks {
                let more = block > first;
                match &self.way {
                    Way::Patches => {
                        let [patches, _, work] = parts;
                        let patches: *mut T = patches.cast();
                        let (rows, plan) = self.rows_of(0, block);
                        let channel = group * self.depth;
                        self.phases[0]
                            .patches
                            .gather(isa, job.a, channel, rows.clone(), patches);
                        let dest = Dest {
                            ptr: to.add(group * self.width),
                            accumulate: more,
                            ..sums
                        };
                        let g = job.b.add(rows.start * self.filters + group * self.width);
                        plan.run_alone(patches, g, Output::Store(dest), work);
                    }
                    Way::Lines(lines) => {
                        let [copies, list, _] = parts;
                        let (copies, list) = (copies.cast(), list.cast());
                        lines.kernel(isa, block, job.a, job.b, to, more, copies, list);
                    }
                    Way::Winograd(winograd) => {
                        let (a, b, to) = (job.a.cast(), job.b.cast(), to.cast());
                        winograd.kernel(isa, block, a, b, to, more, parts[0].cast());
                    }
                }
            }
        }
    }
}
