//! The index of the largest or smallest element.

use super::other::{Around, OtherKernel, part, pieces};
use cornu_core::ops::reduce::ArgReduce;
use cornu_core::{DType, Element, TensorType, bf16, f16};
use std::ops::Range;

/// An element as an integer of the same order: both zeros are equal, NaN is the largest.
pub(super) trait Key: Element {
    /// The integer.
    fn key(self) -> i64;
    /// The integer of the reverse order, in which NaN is the largest too.
    fn reverse(self) -> i64;
}

macro_rules! int_key {
    ($($t:ty)*) => {$(
        impl Key for $t {
            #[inline(always)]
            fn key(self) -> i64 {
                i64::from(self)
            }
            #[inline(always)]
            fn reverse(self) -> i64 {
                !i64::from(self)
            }
        }
    )*};
}
int_key!(bool u8 i32 i64);

impl Key for f32 {
    #[inline(always)]
    fn key(self) -> i64 {
        // Adding 0 makes −0 a 0.
        let bits = (self + 0.0).to_bits() as i32;
        let ordered = bits ^ ((bits >> 31) as u32 >> 1) as i32;
        i64::from(if self.is_nan() { i32::MAX } else { ordered })
    }
    #[inline(always)]
    fn reverse(self) -> i64 {
        (-self).key()
    }
}

impl Key for f64 {
    #[inline(always)]
    fn key(self) -> i64 {
        let bits = (self + 0.0).to_bits() as i64;
        let ordered = bits ^ ((bits >> 63) as u64 >> 1) as i64;
        if self.is_nan() { i64::MAX } else { ordered }
    }
    #[inline(always)]
    fn reverse(self) -> i64 {
        (-self).key()
    }
}

macro_rules! half_key {
    ($($t:ty)*) => {$(
        impl Key for $t {
            #[inline(always)]
            fn key(self) -> i64 {
                self.to_f32().key()
            }
            #[inline(always)]
            fn reverse(self) -> i64 {
                self.to_f32().reverse()
            }
        }
    )*};
}
half_key!(bf16 f16);

/// Calls `$body` with `$T` bound to the Rust type of a `DType`, all of which are keys.
macro_rules! with_key {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            cornu_core::DType::Bool => {
                type $T = bool;
                $body
            }
            cornu_core::DType::U8 => {
                type $T = u8;
                $body
            }
            cornu_core::DType::I32 => {
                type $T = i32;
                $body
            }
            cornu_core::DType::I64 => {
                type $T = i64;
                $body
            }
            cornu_core::DType::BF16 => {
                type $T = cornu_core::bf16;
                $body
            }
            cornu_core::DType::F16 => {
                type $T = cornu_core::f16;
                $body
            }
            cornu_core::DType::F32 => {
                type $T = f32;
                $body
            }
            cornu_core::DType::F64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(super) use with_key;

/// Lines walked together: enough to hide the latency of a comparison, and full vectors where they
/// are neighbours.
const LINES: usize = 8;

/// A search along an axis.
#[derive(Debug)]
pub struct ArgReduceKernel {
    max: bool,
    around: Around,
    dtype: DType,
}

impl ArgReduceKernel {
    /// For operands of these types.
    pub fn compile(op: &ArgReduce, inputs: &[TensorType], _: &TensorType) -> ArgReduceKernel {
        ArgReduceKernel {
            max: op.max,
            around: Around::new(&inputs[0].shape, op.axis),
            dtype: inputs[0].dtype,
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let Around { outer, n, inner } = self.around;
        (outer * n * inner) as f64 * 0.5
    }

    /// Writes for each line in `range` where its greatest key is; `key` is of an element, counted
    /// through the operand.
    ///
    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn search(&self, key: impl Fn(usize) -> i64, y: *mut i32, range: Range<usize>) {
        let Around { n, inner, .. } = self.around;
        let start = |line: usize| line / inner * n * inner + line % inner;
        let mut line = range.start;
        while line < range.end {
            let lines = LINES.min(range.end - line);
            // A last group that is not full does some line again.
            let mut starts = [0; LINES];
            for (j, s) in starts.iter_mut().enumerate() {
                *s = start(line + j.min(lines - 1));
            }
            let mut best = [i64::MIN; LINES];
            let mut index = [0i32; LINES];
            for i in 0..n {
                for j in 0..LINES {
                    let key = key(starts[j] + i * inner);
                    let better = key > best[j];
                    best[j] = if better { key } else { best[j] };
                    index[j] = if better { i as i32 } else { index[j] };
                }
            }
            // SAFETY: these lines are inside the result.
            unsafe { std::ptr::copy_nonoverlapping(index.as_ptr(), y.add(line), lines) };
            line += lines;
        }
    }
}

impl OtherKernel for ArgReduceKernel {
    fn pieces(&self, threads: usize) -> usize {
        let lines = self.around.outer * self.around.inner;
        pieces(self.cost_ns(), lines.div_ceil(LINES), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let range = part(self.around.outer * self.around.inner, piece, pieces);
        let (x, y) = (inputs[0], output.cast::<i32>());
        let (max, dtype) = (self.max, self.dtype);
        // SAFETY: as promised by the caller; `i` is an element of the operand.
        unsafe {
            if dtype == DType::F32 && max {
                self.search(|i| x.cast::<f32>().add(i).read().key(), y, range);
            } else if dtype == DType::F32 {
                self.search(|i| x.cast::<f32>().add(i).read().reverse(), y, range);
            } else {
                // A look at the type for each element, but the code of one search for all of them.
                let key = |i| {
                    with_key!(dtype, T => {
                        let v = x.cast::<T>().add(i).read();
                        if max { v.key() } else { v.reverse() }
                    })
                };
                self.search(key, y, range);
            }
        }
    }
}
