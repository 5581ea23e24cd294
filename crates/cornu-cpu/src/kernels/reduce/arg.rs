//! The index of the first largest or smallest element along an axis.

use crate::kernels::fused::{moves, pieces, share};
use cornu_core::{DType, Error, Result};

/// `argmax` or `argmin` of a row-major array; the result is `i32`. A NaN counts as the largest and as
/// the smallest.
pub struct ArgReduceKernel {
    max: bool,
    dtype: DType,
    outer: usize,
    n: usize,
    inner: usize,
}

/// Whether `a` comes before `best`.
trait Better: Copy {
    fn better(self, best: Self, max: bool) -> bool;
}
macro_rules! better {
    ($($t:ty),*) => {
        $(impl Better for $t {
            #[inline(always)]
            #[allow(clippy::eq_op)] // NaN is not itself
            fn better(self, best: Self, max: bool) -> bool {
                let wins = if max { self > best } else { self < best };
                // A NaN wins over all but a NaN.
                (wins || self != self) && best == best
            }
        })*
    };
}
better!(f32, f64, i32, i64, u8);

impl ArgReduceKernel {
    /// Compiles the reduction of an array of this shape and type along `axis`.
    ///
    /// # Errors
    /// An axis out of range, or without elements.
    pub fn compile(shape: &[usize], axis: usize, max: bool, dtype: DType) -> Result<Self> {
        match shape.get(axis) {
            None | Some(0) => Err(Error::shape(format!(
                "No element along axis {axis} of {shape:?}."
            ))),
            Some(n) => Ok(ArgReduceKernel {
                max,
                dtype,
                outer: shape[..axis].iter().product(),
                n: *n,
                inner: shape[axis + 1..].iter().product(),
            }),
        }
    }

    /// The estimated time on one thread, in nanoseconds.
    pub fn cost_ns(&self) -> f64 {
        20.0 + 0.8 * (self.outer * self.n * self.inner) as f64
    }

    /// Into how many pieces to cut the work for so many threads; 1 if it is not worth sharing.
    pub fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), threads, self.outer.max(1))
    }

    /// Computes piece `piece` of `pieces`.
    ///
    /// # Safety
    /// `from` is valid and aligned for the array, `to` for the indices.
    pub unsafe fn run(&self, from: *const u8, to: *mut i32, piece: usize, pieces: usize) {
        let outer = share(self.outer, piece, pieces);
        // SAFETY: by the caller's promise.
        unsafe {
            match self.dtype {
                DType::Bool | DType::U8 => self.typed::<u8>(from.cast(), to, outer),
                DType::I32 => self.typed::<i32>(from.cast(), to, outer),
                DType::I64 => self.typed::<i64>(from.cast(), to, outer),
                DType::F32 => self.typed::<f32>(from.cast(), to, outer),
                DType::F64 => self.typed::<f64>(from.cast(), to, outer),
                DType::BF16 | DType::F16 => self.half(from, to, outer),
            }
        }
    }

    /// # Safety
    /// See [`ArgReduceKernel::run`].
    unsafe fn typed<T: Better>(
        &self,
        from: *const T,
        to: *mut i32,
        mut outer: std::ops::Range<usize>,
    ) {
        /// Rows side by side, so that their comparisons do not wait for each other.
        const ROWS: usize = 8;
        while self.inner == 1 && outer.len() >= ROWS {
            // SAFETY: by the caller's promise.
            unsafe {
                let at = from.add(outer.start * self.n);
                let mut best: [T; ROWS] = std::array::from_fn(|r| at.add(r * self.n).read());
                let mut index = [0i32; ROWS];
                for k in 1..self.n {
                    for r in 0..ROWS {
                        let v = at.add(r * self.n + k).read();
                        let better = v.better(best[r], self.max);
                        best[r] = if better { v } else { best[r] };
                        index[r] = if better { k as i32 } else { index[r] };
                    }
                }
                to.add(outer.start).cast::<[i32; ROWS]>().write(index);
            }
            outer.start += ROWS;
        }
        for o in outer {
            for i in 0..self.inner {
                // SAFETY: by the caller's promise.
                unsafe {
                    let at = from.add(o * self.n * self.inner + i);
                    let mut best = at.read();
                    let mut index = 0;
                    for k in 1..self.n {
                        let v = at.add(k * self.inner).read();
                        let better = v.better(best, self.max);
                        best = if better { v } else { best };
                        index = if better { k } else { index };
                    }
                    to.add(o * self.inner + i).write(index as i32);
                }
            }
        }
    }

    /// Half formats are converted one element at a time.
    ///
    /// # Safety
    /// See [`ArgReduceKernel::run`].
    unsafe fn half(&self, from: *const u8, to: *mut i32, outer: std::ops::Range<usize>) {
        let load = moves::loader(self.dtype);
        for o in outer {
            for i in 0..self.inner {
                let (mut best, mut index) = (0f32, 0);
                for k in 0..self.n {
                    let mut v = 0f32;
                    // SAFETY: by the caller's promise.
                    unsafe {
                        let at = (o * self.n + k) * self.inner + i;
                        load((&raw mut v).cast(), from.add(at * 2), 1, 1, 1, 1);
                    }
                    if k == 0 || v.better(best, self.max) {
                        (best, index) = (v, k);
                    }
                }
                // SAFETY: by the caller's promise.
                unsafe { to.add(o * self.inner + i).write(index as i32) };
            }
        }
    }
}
