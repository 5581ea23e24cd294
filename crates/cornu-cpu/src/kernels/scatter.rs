//! Sums of slices at the rows of a result (the gradient of reading rows by index), made in blocks of
//! rows that stay in a cache while element functions follow.

use super::fused::{pieces, share};
use super::gather::Indices;
use super::matmul::{Dest, Epilogue, Output, Tile};
use crate::simd::Float;
use crate::team::Team;
use cornu_core::{DType, TensorType};
use std::ops::Range;

/// Bytes of a block of rows: with what follows it fits the caches close by.
const BLOCK_BYTES: usize = 16 << 10;

/// A plan for `result[indices[i]] += x[i]` over the rows of a result that begins as zeros. Slices are
/// sorted by block, in their order, so that every sum has one order for any number of threads.
pub(crate) struct ScatterPlan {
    /// Rows of the result, and elements of each.
    rows: usize,
    inner: usize,
    /// Columns of the result as a matrix, which may have several lines for a row.
    cols: usize,
    /// How many indices there are, and of what type.
    count: usize,
    index: DType,
    /// Rows of a block.
    block: usize,
    /// Where each block's slices begin in `order`; a place more than blocks at both ends.
    starts: Vec<usize>,
    /// The slices whose index is in range, by block.
    order: Vec<usize>,
    pieces: usize,
}

/// Pointers of a run that several threads use, each at places of its own.
struct Shared<V>(V);

// SAFETY: every block is written by one thread, and every thread has its own room for sums.
unsafe impl<V> Sync for Shared<V> {}

impl<V> Shared<V> {
    fn get(&self) -> &V {
        &self.0
    }
}

impl ScatterPlan {
    /// For a result of this type, of at least two axes, and so many indices; `follows` is the
    /// estimated time of what follows, in nanoseconds.
    pub fn new(result: &TensorType, indices: &TensorType, follows: f64, threads: usize) -> Self {
        let rows = result.shape[0];
        let inner: usize = result.shape[1..].iter().product();
        let bytes = result.dtype.size();
        let block = (BLOCK_BYTES / (inner * bytes).max(1)).clamp(1, rows.max(1));
        let blocks = rows.div_ceil(block);
        let count = indices.shape.size();
        let traffic = ((rows + count) * inner * bytes) as f64 * 0.05;
        ScatterPlan {
            rows,
            inner,
            cols: result.shape.last().copied().unwrap_or(1),
            count,
            index: indices.dtype,
            block,
            starts: vec![0; blocks + 2],
            order: vec![0; count],
            pieces: pieces(traffic + follows, threads, blocks),
        }
    }

    /// Elements of a block of sums, of which every thread needs one when something follows.
    pub fn block_elements(&self) -> usize {
        self.block * self.inner
    }

    /// Computes the result. With [`Output::Epilogue`], `sums` has room for a block for each thread.
    ///
    /// # Safety
    /// `x` is valid for a slice for each index, `indices` for as many of the plan's type, and the
    /// output for the result.
    pub unsafe fn run<T: Float>(
        &mut self,
        team: &Team,
        x: *const T,
        indices: *const u8,
        output: Output<'_, T>,
        sums: *mut T,
    ) {
        if self.rows == 0 || self.inner == 0 {
            return;
        }
        let indices = Indices::new(indices, self.index);
        // SAFETY: by the caller's promise.
        unsafe { self.sort(indices) };
        let plan = &*self;
        let blocks = plan.rows.div_ceil(plan.block);
        let shared = Shared((x, indices, output, sums));
        team.run(plan.pieces, &|piece, thread| {
            let (x, indices, output, sums) = shared.get();
            let part = share(blocks, piece, plan.pieces);
            let own = sums.wrapping_add(thread * plan.block_elements());
            // SAFETY: by the caller's promise; pieces have blocks of their own.
            unsafe { plan.piece(part, (*x, *indices), output, own, thread) };
        });
    }

    /// Sorts the slices by the block that they go to, by counting.
    ///
    /// # Safety
    /// There are as many indices as the plan was made for.
    unsafe fn sort(&mut self, indices: Indices) {
        let (rows, block) = (self.rows, self.block);
        self.starts.fill(0);
        // SAFETY: by the caller's promise.
        let block_of = |i: usize| unsafe { indices.place(i, rows) }.map(|row| row / block);
        for b in (0..self.count).filter_map(block_of) {
            self.starts[b + 2] += 1;
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        // Each block's start moves on to the next one's as its slices are put in place.
        for i in 0..self.count {
            if let Some(b) = block_of(i) {
                self.order[self.starts[b + 1]] = i;
                self.starts[b + 1] += 1;
            }
        }
    }

    /// Computes some blocks.
    ///
    /// # Safety
    /// As for [`ScatterPlan::run`]; `own` is this thread's room for a block.
    unsafe fn piece<T: Float>(
        &self,
        blocks: Range<usize>,
        (x, indices): (*const T, Indices),
        output: &Output<'_, T>,
        own: *mut T,
        thread: usize,
    ) {
        let mut clean = false;
        for b in blocks {
            let first = b * self.block;
            let rows = self.block.min(self.rows - first);
            let slices = &self.order[self.starts[b]..self.starts[b + 1]];
            // SAFETY: the block lies within the result and the room for one.
            unsafe {
                match output {
                    Output::Store(Dest { ptr, .. }) => {
                        let to = ptr.add(first * self.inner);
                        self.zero(to, rows);
                        self.add(to, first, slices, x, indices);
                    }
                    Output::Epilogue(epilogue) => {
                        // Blocks that nothing is added to leave the sums at zero.
                        if !clean {
                            self.zero(own, self.block);
                        }
                        clean = slices.is_empty();
                        self.add(own, first, slices, x, indices);
                        self.finish(*epilogue, own, first, rows, thread);
                    }
                }
            }
        }
    }

    /// # Safety
    /// `to` has room for so many rows.
    unsafe fn zero<T: Float>(&self, to: *mut T, rows: usize) {
        // SAFETY: by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(to, rows * self.inner) }.fill(T::ZERO);
    }

    /// Adds slices to the block of rows from `first` on, which lies at `to`.
    ///
    /// # Safety
    /// The slices' rows are in the block.
    unsafe fn add<T: Float>(
        &self,
        to: *mut T,
        first: usize,
        slices: &[usize],
        x: *const T,
        indices: Indices,
    ) {
        for i in slices {
            // SAFETY: slices are counted as indices are.
            let Some(row) = (unsafe { indices.place(*i, self.rows) }) else {
                continue;
            };
            // SAFETY: the slice is one of the operand, the row one of the block.
            let (sum, x) = unsafe {
                let to = to.add((row - first) * self.inner);
                (
                    std::slice::from_raw_parts_mut(to, self.inner),
                    std::slice::from_raw_parts(x.add(i * self.inner), self.inner),
                )
            };
            for (sum, x) in sum.iter_mut().zip(x) {
                *sum = *sum + *x;
            }
        }
    }

    /// Hands a block over.
    fn finish<T: Float>(
        &self,
        epilogue: &dyn Epilogue<T>,
        acc: *mut T,
        first: usize,
        rows: usize,
        thread: usize,
    ) {
        let lines = self.inner / self.cols;
        epilogue.finish(&mut Tile {
            batch: 0,
            row0: first * lines,
            col0: 0,
            rows: rows * lines,
            cols: self.cols,
            acc,
            acc_ld: self.cols,
            thread,
        });
    }
}

#[cfg(test)]
mod tests;
