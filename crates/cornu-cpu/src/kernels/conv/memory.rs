//! The memory that a run works in: what all threads share, then a part for each thread.

use super::{ConvPlan, Way};
use crate::kernels::matmul::MatmulPlan;
use crate::simd::Float;
use cornu_core::ops::conv::ConvFn;

const LINE: usize = 64;

impl<T: Float> ConvPlan<T> {
    /// Bytes of memory that a run needs, aligned to cache lines.
    pub fn workspace_bytes(&self) -> usize {
        self.shared_bytes() + self.thread_bytes().iter().sum::<usize>() * self.threads
    }

    /// Bytes that all threads share.
    pub(super) fn shared_bytes(&self) -> usize {
        let ready = match &self.way {
            Way::Winograd(winograd) => winograd.kernel_size(),
            _ => 0,
        };
        let elements = match self.f {
            ConvFn::Output => ready,
            ConvFn::Input => self.kernel_size() + ready,
            ConvFn::Kernel => self.sums_size() * self.chunks().len(),
        };
        (elements * size_of::<T>()).next_multiple_of(LINE)
    }

    /// Bytes of a thread's parts: for patches, a tile whose rows are spread, and the product; for lines, the
    /// list of them, and sums that are handed on; for minimal filtering, and such sums.
    fn thread_bytes(&self) -> [usize; 3] {
        let size = size_of::<T>();
        let bytes = match &self.way {
            Way::Patches => {
                let longest = self.phases.iter().map(|p| p.k).max().unwrap_or(0);
                let spread = self.phases.iter().any(|p| p.spread.is_some());
                let work = self.plans.iter().flatten().map(MatmulPlan::workspace_bytes);
                [
                    self.block * longest * size,
                    usize::from(spread) * self.block * self.width * size,
                    work.max().unwrap_or(0),
                ]
            }
            Way::Lines(lines) => {
                let (elements, listed) = lines.workspace();
                let list = listed * size_of::<usize>();
                [elements * size, list, lines.sums() * size]
            }
            Way::Winograd(winograd) => [winograd.workspace() * size, winograd.results() * size, 0],
        };
        bytes.map(|bytes| bytes.next_multiple_of(LINE))
    }

    /// A thread's parts of a run's memory.
    ///
    /// # Safety
    /// `threads_at` is valid for the parts of all threads, of which this is one.
    pub(super) unsafe fn parts(&self, threads_at: *mut u8, thread: usize) -> [*mut u8; 3] {
        let [a, b, c] = self.thread_bytes();
        // SAFETY: as promised by the caller.
        unsafe {
            let own = threads_at.add(thread * (a + b + c));
            [own, own.add(a), own.add(a + b)]
        }
    }

    /// Elements of the kernel as patches see it.
    pub(super) fn kernel_size(&self) -> usize {
        let cells: usize = self.phases.iter().map(|p| p.cells.len()).sum();
        cells * self.depth * self.filters
    }

    /// Elements of the kernel's gradient before it is finished.
    pub(super) fn sums_size(&self) -> usize {
        match &self.way {
            Way::Winograd(winograd) => winograd.kernel_size(),
            _ => self.kernel_size(),
        }
    }
}
