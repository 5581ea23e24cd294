//! Reading and summing by index. An index is checked before it is used, whatever it says.

mod sums;

use super::other::{Around, OtherKernel, part, pieces};
use super::prefetch;
use cornu_core::ops::gather::{Take, TakeAlong};
use cornu_core::{DType, TensorType, bf16, f16};
use std::ops::Range;
pub use sums::{ScatterAddAlongKernel, ScatterAddKernel};

/// Integers that index, of one of three types. A look at the type for each, which the processor soon
/// foresees, spares every kernel being compiled for each of them.
#[derive(Clone, Copy)]
pub(super) struct Indices {
    at: *const u8,
    dtype: DType,
}

impl Indices {
    pub fn new(at: *const u8, dtype: DType) -> Indices {
        Indices { at, dtype }
    }

    /// The place along an axis of `n` that index `i` means, if there is one; negative ones count from
    /// the end.
    ///
    /// # Safety
    /// There are more than `i`.
    #[inline(always)]
    pub unsafe fn place(&self, i: usize, n: usize) -> Option<usize> {
        // SAFETY: as promised by the caller.
        let i = unsafe {
            match self.dtype {
                DType::U8 => i64::from(*self.at.add(i)),
                DType::I64 => *self.at.cast::<i64>().add(i),
                _ => i64::from(*self.at.cast::<i32>().add(i)),
            }
        };
        let i = i.wrapping_add(n as i64 & (i >> 63));
        ((i as u64) < n as u64).then_some(i as usize)
    }
}

/// The bits of what stands for an element out of range: NaN, or 0 of integers.
fn hole(dtype: DType) -> u64 {
    match dtype {
        DType::F64 => f64::NAN.to_bits(),
        DType::F32 => u64::from(f32::NAN.to_bits()),
        DType::BF16 => u64::from(bf16::NAN.to_bits()),
        DType::F16 => u64::from(f16::NAN.to_bits()),
        DType::Bool | DType::U8 | DType::I32 | DType::I64 => 0,
    }
}

/// Calls `$body` with `$T` bound to an unsigned integer of an element's size, which moves it, and `$hole`
/// to what stands for one out of range.
macro_rules! with_bits {
    ($dtype:expr, $T:ident, $hole:ident => $body:expr) => {{
        let bits = hole($dtype);
        match $dtype.size() {
            1 => {
                type $T = u8;
                let $hole = bits as u8;
                $body
            }
            2 => {
                type $T = u16;
                let $hole = bits as u16;
                $body
            }
            4 => {
                type $T = u32;
                let $hole = bits as u32;
                $body
            }
            _ => {
                type $T = u64;
                let $hole = bits;
                $body
            }
        }
    }};
}

const LINE: usize = 64;

/// Copies `bytes` and meanwhile asks for as many at `next`.
///
/// # Safety
/// `from` and `to` must be valid for `bytes` and not overlap.
#[inline]
unsafe fn copy_ahead(from: *const u8, to: *mut u8, bytes: usize, next: *const u8) {
    let mut at = 0;
    while at + LINE <= bytes {
        prefetch(next.wrapping_add(at));
        // SAFETY: inside both, as the caller promises.
        unsafe { std::ptr::copy_nonoverlapping(from.add(at), to.add(at), LINE) };
        at += LINE;
    }
    prefetch(next.wrapping_add(bytes.saturating_sub(1)));
    // SAFETY: as above.
    unsafe { std::ptr::copy_nonoverlapping(from.add(at), to.add(at), bytes - at) };
}

/// Slices by index: whole rows are copied.
#[derive(Debug)]
pub struct TakeKernel {
    around: Around,
    count: usize,
    /// Bytes of one slice.
    row: usize,
    dtype: DType,
    index: DType,
}

impl TakeKernel {
    /// For operands of these types.
    pub fn compile(op: &Take, inputs: &[TensorType], output: &TensorType) -> TakeKernel {
        let around = Around::new(&inputs[0].shape, op.axis);
        TakeKernel {
            around,
            count: inputs[1].shape.size(),
            row: around.inner * output.dtype.size(),
            dtype: output.dtype,
            index: inputs[1].dtype,
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        (self.around.outer * self.count) as f64 * (1.0 + self.row as f64 * 0.04)
    }

    /// # Safety
    /// As for [`OtherKernel::run`]; `N` is the length of a row or 0.
    unsafe fn rows<const N: usize>(
        &self,
        x: *const u8,
        indices: Indices,
        output: *mut u8,
        range: Range<usize>,
    ) {
        let row = if N == 0 { self.row } else { N };
        let Around { outer, n, .. } = self.around;
        for o in 0..outer {
            // The part of this repetition of the indices that is in the range.
            let first = o * self.count;
            let from = range.start.max(first);
            let to = range.end.min(first + self.count);
            let source = x.wrapping_add(o * n * row);
            for r in from..to {
                // SAFETY: `r - first` is below the number of indices, output row `r` is inside the
                // result, and the source row is inside the operand, since its index was checked.
                unsafe {
                    let to = output.add(r * row);
                    match indices.place(r - first, n) {
                        Some(p) if N > 0 => {
                            std::ptr::copy_nonoverlapping(source.add(p * row), to, N);
                        }
                        Some(p) if row < 4 * LINE => {
                            std::ptr::copy_nonoverlapping(source.add(p * row), to, row);
                        }
                        Some(p) => {
                            let ahead = (r + 1).min(first + self.count - 1) - first;
                            let next = indices.place(ahead, n).unwrap_or(p);
                            copy_ahead(source.add(p * row), to, row, source.add(next * row));
                        }
                        None => self.fill(to, row),
                    }
                }
            }
        }
    }

    /// Fills a row whose index is out of range.
    ///
    /// # Safety
    /// `to` must be valid for `row` bytes and aligned for the elements.
    #[cold]
    unsafe fn fill(&self, to: *mut u8, row: usize) {
        with_bits!(self.dtype, T, hole => {
            // SAFETY: as promised by the caller.
            unsafe { std::slice::from_raw_parts_mut(to.cast::<T>(), row / size_of::<T>()) }
                .fill(hole);
        });
    }
}

impl OtherKernel for TakeKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.around.outer * self.count, threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let range = part(self.around.outer * self.count, piece, pieces);
        let (x, indices) = (inputs[0], Indices::new(inputs[1], self.index));
        // SAFETY: as promised by the caller.
        unsafe {
            match self.row {
                4 => self.rows::<4>(x, indices, output, range),
                8 => self.rows::<8>(x, indices, output, range),
                16 => self.rows::<16>(x, indices, output, range),
                32 => self.rows::<32>(x, indices, output, range),
                64 => self.rows::<64>(x, indices, output, range),
                128 => self.rows::<128>(x, indices, output, range),
                _ => self.rows::<0>(x, indices, output, range),
            }
        }
    }
}

/// One element per position by index.
#[derive(Debug)]
pub struct TakeAlongKernel {
    around: Around,
    count: usize,
    dtype: DType,
    index: DType,
}

impl TakeAlongKernel {
    /// For operands of these types.
    pub fn compile(op: &TakeAlong, inputs: &[TensorType], output: &TensorType) -> TakeAlongKernel {
        TakeAlongKernel {
            around: Around::new(&inputs[0].shape, op.axis),
            count: inputs[1].shape[op.axis],
            dtype: output.dtype,
            index: inputs[1].dtype,
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        (self.around.outer * self.count * self.around.inner) as f64 * 1.5
    }

    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn rows<T: Copy>(
        &self,
        x: *const T,
        indices: Indices,
        hole: T,
        output: *mut T,
        range: Range<usize>,
    ) {
        let Around { n, inner, .. } = self.around;
        for r in range {
            let base = r / self.count * n * inner;
            for j in 0..inner {
                let at = r * inner + j;
                // SAFETY: `at` is inside the indices and the result; the place was checked.
                unsafe {
                    let value = match indices.place(at, n) {
                        Some(p) => *x.add(base + p * inner + j),
                        None => hole,
                    };
                    *output.add(at) = value;
                }
            }
        }
    }
}

impl OtherKernel for TakeAlongKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.around.outer * self.count, threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let range = part(self.around.outer * self.count, piece, pieces);
        let indices = Indices::new(inputs[1], self.index);
        with_bits!(self.dtype, T, hole => {
            // SAFETY: as promised by the caller.
            unsafe { self.rows::<T>(inputs[0].cast(), indices, hole, output.cast(), range) }
        });
    }
}
