//! Joining and padding. Everything else that only moves elements is a strided copy of a fused kernel.

use super::other::{OtherKernel, part, pieces};
use cornu_core::ops::movement::{Concat, Pad};
use cornu_core::{TensorType, with_dtype};
use std::ops::Range;

/// Copies `n` bytes; short ones without a call.
///
/// # Safety
/// Both must be valid for `n` bytes and not overlap.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, n: usize) {
    // SAFETY: as promised by the caller.
    unsafe {
        match n {
            4 => std::ptr::copy_nonoverlapping(from, to, 4),
            8 => std::ptr::copy_nonoverlapping(from, to, 8),
            16 => std::ptr::copy_nonoverlapping(from, to, 16),
            _ => std::ptr::copy_nonoverlapping(from, to, n),
        }
    }
}

/// Operands one after another. The result is a repetition of a row made of one part of each operand.
#[derive(Debug)]
pub struct ConcatKernel {
    outer: usize,
    /// Where each operand's part ends in a row, in bytes.
    ends: Vec<usize>,
}

impl ConcatKernel {
    /// For operands of these types.
    pub fn compile(op: &Concat, inputs: &[TensorType], output: &TensorType) -> ConcatKernel {
        let mut end = 0;
        let ends = inputs.iter().map(|x| {
            end += x.shape[op.0..].iter().product::<usize>() * x.dtype.size();
            end
        });
        ConcatKernel {
            ends: ends.collect(),
            outer: output.shape[..op.0].iter().product(),
        }
    }

    /// Bytes of a row of the result.
    fn row(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        (self.outer * self.ends.len()) as f64 * 2.0 + (self.outer * self.row()) as f64 * 0.04
    }
}

impl OtherKernel for ConcatKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.outer * self.row(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let row = self.row();
        let Range { mut start, end } = part(self.outer * row, piece, pieces);
        // The first row may be begun, and the last left, in the middle.
        while start < end {
            let o = start / row;
            let mut begin = 0;
            for (x, to) in inputs.iter().zip(&self.ends) {
                let (lo, hi) = ((o * row + begin).max(start), (o * row + to).min(end));
                if lo < hi {
                    let from = o * (to - begin) + lo - o * row - begin;
                    // SAFETY: byte `lo` of the result is byte `from` of this operand.
                    unsafe { copy(x.add(from), output.add(lo), hi - lo) };
                }
                begin = *to;
            }
            start = (o + 1) * row;
        }
    }
}

/// One padded axis: elements before, of the operand, between its neighbours, in the result.
#[derive(Clone, Copy, Debug)]
struct Axis {
    low: usize,
    n: usize,
    step: usize,
    out: usize,
}

impl Axis {
    /// The operand's index at an index of the result.
    fn source(&self, i: usize) -> Option<usize> {
        let i = i.checked_sub(self.low)?;
        (i.is_multiple_of(self.step) && i / self.step < self.n).then_some(i / self.step)
    }
}

/// A margin and elements between neighbours.
#[derive(Debug)]
pub struct PadKernel {
    /// The axes up to the last that is padded.
    axes: Vec<Axis>,
    /// Elements behind each position of those.
    block: usize,
    value: [u8; 8],
    size: usize,
}

impl PadKernel {
    /// For operands of these types.
    pub fn compile(op: &Pad, inputs: &[TensorType], output: &TensorType) -> PadKernel {
        let axis = |a: usize| Axis {
            low: op.low[a],
            n: inputs[0].shape[a],
            step: op.interior[a] + 1,
            out: output.shape[a],
        };
        let mut axes: Vec<Axis> = (0..output.shape.rank()).map(axis).collect();
        let mut block = 1;
        while let Some(last) = axes.last()
            && last.n == last.out
        {
            block *= last.n;
            axes.pop();
        }
        if axes.is_empty() {
            let one = Axis {
                low: 0,
                n: 1,
                step: 1,
                out: 1,
            };
            axes.push(one);
        }
        let mut value = [0; 8];
        with_dtype!(output.dtype, T => {
            // SAFETY: no element type is larger than eight bytes.
            unsafe { value.as_mut_ptr().cast::<T>().write_unaligned(op.value.to::<T>()) }
        });
        PadKernel {
            axes,
            block,
            value,
            size: output.dtype.size(),
        }
    }

    /// Rows of the result: all but the last padded axis.
    fn rows(&self) -> usize {
        let lead = &self.axes[..self.axes.len() - 1];
        lead.iter().map(|a| a.out).product()
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let last = self.axes[self.axes.len() - 1];
        let blocks = if last.step > 1 { last.n } else { 1 };
        let bytes = (last.out * self.block * self.size) as f64;
        self.rows() as f64 * (5.0 + blocks as f64 * 2.0 + bytes * 0.05)
    }

    /// # Safety
    /// `to` must be valid for `n` elements.
    unsafe fn fill(&self, to: *mut u8, n: usize) {
        // SAFETY: as promised by the caller; the value was written with this size.
        unsafe {
            let value = self.value.as_ptr();
            match self.size {
                1 => std::slice::from_raw_parts_mut(to, n).fill(self.value[0]),
                2 => std::slice::from_raw_parts_mut(to.cast::<u16>(), n)
                    .fill(value.cast::<u16>().read_unaligned()),
                4 => std::slice::from_raw_parts_mut(to.cast::<u32>(), n)
                    .fill(value.cast::<u32>().read_unaligned()),
                _ => std::slice::from_raw_parts_mut(to.cast::<u64>(), n)
                    .fill(value.cast::<u64>().read_unaligned()),
            }
        }
    }

    /// The operand's row at a row of the result.
    fn source(&self, row: usize) -> Option<usize> {
        let lead = &self.axes[..self.axes.len() - 1];
        let (mut rest, mut source, mut stride) = (row, 0, 1);
        for axis in lead.iter().rev() {
            source += axis.source(rest % axis.out)? * stride;
            stride *= axis.n;
            rest /= axis.out;
        }
        Some(source)
    }
}

impl OtherKernel for PadKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.rows(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let last = self.axes[self.axes.len() - 1];
        let bytes = self.block * self.size;
        for row in part(self.rows(), piece, pieces) {
            // SAFETY: the row is one of the result, and its source one of the operand.
            unsafe {
                let to = output.add(row * last.out * bytes);
                let Some(source) = self.source(row) else {
                    self.fill(to, last.out * self.block);
                    continue;
                };
                let from = inputs[0].add(source * last.n * bytes);
                if last.n == 0 {
                    self.fill(to, last.out * self.block);
                } else if last.step == 1 {
                    self.fill(to, last.low * self.block);
                    copy(from, to.add(last.low * bytes), last.n * bytes);
                    let after = last.low + last.n;
                    self.fill(to.add(after * bytes), (last.out - after) * self.block);
                } else {
                    self.fill(to, last.out * self.block);
                    for i in 0..last.n {
                        let at = (last.low + i * last.step) * bytes;
                        copy(from.add(i * bytes), to.add(at), bytes);
                    }
                }
            }
        }
    }
}
