//! Attention, head by head: keys and values of a head are packed once, and a block of queries passes from
//! scores to what is attended to while all of it lies in the caches of one core.

mod backward;
mod forward;
mod rows;

use super::other::{self, RealKernel};
use super::panels::{Part, ROWS};
use super::spare::Spare;
use crate::math::Real;
use crate::simd::{Isa, Simd};
use cornu_core::ops::attention::{Attention, Extents};
use cornu_core::{DType, TensorType};

/// The most queries of a block.
const BLOCK: usize = 4 * ROWS;
/// Scores of a block, so that they stay in a cache close by.
const SCORES: usize = 1 << 14;

/// Attention, or the way back through it.
#[derive(Debug)]
pub struct AttentionKernel {
    op: Attention,
    back: bool,
    extents: Extents,
    dtype: DType,
    isa: Isa,
    /// Queries of a block.
    block: usize,
    /// What pieces work in.
    scratch: Spare,
}

impl AttentionKernel {
    /// The way there.
    pub fn forward(op: &Attention, inputs: &[TensorType]) -> Option<AttentionKernel> {
        AttentionKernel::new(op, inputs, false)
    }

    /// The way back.
    pub fn back(op: &Attention, inputs: &[TensorType]) -> Option<AttentionKernel> {
        AttentionKernel::new(op, inputs.get(2..)?, true)
    }

    fn new(op: &Attention, operands: &[TensorType], back: bool) -> Option<AttentionKernel> {
        let extents = op.extents(operands).ok()?;
        let rows = SCORES / extents.others.max(1) / ROWS * ROWS;
        Some(AttentionKernel {
            op: *op,
            back,
            extents,
            dtype: operands[0].dtype,
            isa: Isa::get(),
            block: rows.clamp(ROWS, BLOCK),
            scratch: Spare::default(),
        })
    }

    /// Blocks of queries of a head.
    fn blocks(&self) -> usize {
        self.extents.steps.div_ceil(self.block)
    }

    /// Scores from one row to the next in memory of a piece's own: not a number that puts all rows into the
    /// same places of a cache.
    fn row(&self) -> usize {
        self.extents.others.next_multiple_of(16) + 16
    }

    /// Elements that a piece works in: packed keys and values both ways, packed rows of a block, two
    /// matrices of scores.
    fn memory(&self) -> usize {
        let Extents {
            others, d, size, ..
        } = self.extents;
        // Panels are as wide as two vectors at most.
        let wide = |n: usize| n.next_multiple_of(32);
        let both = wide(d) + wide(size);
        let packed = others * both + (d + size) * wide(others);
        packed + self.block * (both + 2 * self.row())
    }
}

impl RealKernel for AttentionKernel {
    fn target(&self) -> (DType, Isa) {
        (self.dtype, self.isa)
    }

    fn cost_ns(&self) -> f64 {
        let Extents {
            batch,
            steps,
            others,
            heads,
            d,
            size,
            ..
        } = self.extents;
        let products = (d + size) * if self.back { 2 } else { 1 };
        (batch * heads * steps * others) as f64 * (products as f64 * 0.02 + 0.5)
    }

    /// Blocks of queries or, on the way back, on which all queries of a head add to the same sums, heads.
    fn units(&self) -> usize {
        let heads = self.extents.batch * self.extents.heads;
        heads * if self.back { 1 } else { self.blocks() }
    }

    #[inline(always)]
    unsafe fn compute<S: Simd, T: Real>(job: &Job<'_, T>) {
        let kernel = job.kernel;
        let buffer = kernel.scratch.take(kernel.memory() * size_of::<T>());
        let memory: *mut T = buffer.ptr().cast();
        // SAFETY: the buffer has what `memory` says; all else as promised by the caller.
        unsafe {
            if kernel.back {
                for head in job.units.clone() {
                    backward::head::<S, T>(job, head, memory);
                }
            } else {
                forward::blocks::<S, T>(job, memory);
            }
        }
        kernel.scratch.put(buffer);
    }
}

/// One piece of a run.
type Job<'a, T> = other::Job<'a, AttentionKernel, T>;

impl<T: Real> Job<'_, T> {
    /// The first element of queries, keys and values.
    fn operand(&self, i: usize) -> *const T {
        self.inputs[i + if self.kernel.back { 2 } else { 0 }].cast()
    }

    /// Where a head's numbers begin in a tensor `(batch, steps, heads, size)`.
    #[inline(always)]
    fn at(&self, head: usize, step: usize, steps: usize, size: usize) -> usize {
        let heads = self.kernel.extents.heads;
        ((head / heads * steps + step) * heads + head % heads) * size
    }

    /// A head's matrix in such a tensor, its rows being steps.
    fn matrix(&self, head: usize, steps: usize, size: usize) -> Part {
        Part {
            first: self.at(head, 0, steps, size),
            row: self.kernel.extents.heads * size,
            column: 1,
            k: steps,
            n: size,
        }
    }

    /// What a query may see; `None` if all.
    ///
    /// # Safety
    /// The query is one of the head's.
    #[inline(always)]
    unsafe fn seen(&self, head: usize, i: usize) -> Option<&[u8]> {
        let Extents {
            others,
            heads,
            mask: [batch, steps],
            ..
        } = self.kernel.extents;
        if !self.kernel.op.masked {
            return None;
        }
        let b = if batch == 1 { 0 } else { head / heads };
        let i = if steps == 1 { 0 } else { i };
        let mask = self.inputs[self.inputs.len() - 1];
        // SAFETY: inside the mask, whose extents are those of the queries or 1.
        unsafe {
            let row = mask.add((b * steps + i) * others);
            Some(std::slice::from_raw_parts(row, others))
        }
    }
}

/// A matrix turned.
fn turned(part: Part) -> Part {
    Part {
        row: part.column,
        column: part.row,
        k: part.n,
        n: part.k,
        ..part
    }
}
