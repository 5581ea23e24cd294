//! Running sums, products, maxima and minima, carried in f64 and i64.

use super::other::{Around, OtherKernel, part, pieces};
use cornu_core::ops::cumulative::Cumulative;
use cornu_core::ops::reduce::ReduceFn;
use cornu_core::{DType, Element, TensorType, with_dtype};
use std::ops::Range;

/// Neighbouring lines walked together.
const LINES: usize = 64;

/// What is carried along a line.
trait Carry: Copy {
    fn identity(f: ReduceFn, dtype: DType) -> Self;
    fn fold(f: ReduceFn, a: Self, b: Self) -> Self;
}

impl Carry for f64 {
    fn identity(f: ReduceFn, dtype: DType) -> f64 {
        f.identity(dtype)
    }
    #[inline(always)]
    fn fold(f: ReduceFn, a: f64, b: f64) -> f64 {
        match f {
            ReduceFn::Sum => a + b,
            ReduceFn::Prod => a * b,
            // NaN, once there, stays.
            ReduceFn::Max if a >= b || a.is_nan() => a,
            ReduceFn::Min if a <= b || a.is_nan() => a,
            ReduceFn::Max | ReduceFn::Min => b,
        }
    }
}

impl Carry for i64 {
    fn identity(f: ReduceFn, dtype: DType) -> i64 {
        f.identity_int(dtype)
    }
    #[inline(always)]
    fn fold(f: ReduceFn, a: i64, b: i64) -> i64 {
        match f {
            ReduceFn::Sum => a.wrapping_add(b),
            ReduceFn::Prod => a.wrapping_mul(b),
            ReduceFn::Max => a.max(b),
            ReduceFn::Min => a.min(b),
        }
    }
}

/// A walk along an axis. A unit is a group of neighbouring lines.
#[derive(Debug)]
pub struct CumulativeKernel {
    op: Cumulative,
    around: Around,
    dtype: DType,
}

impl CumulativeKernel {
    /// For operands of these types.
    pub fn compile(op: &Cumulative, _: &[TensorType], output: &TensorType) -> CumulativeKernel {
        CumulativeKernel {
            op: *op,
            around: Around::new(&output.shape, op.axis),
            dtype: output.dtype,
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let Around { outer, n, inner } = self.around;
        (outer * n * inner) as f64 * if inner == 1 { 1.2 } else { 0.5 }
    }

    fn groups(&self) -> usize {
        self.around.inner.div_ceil(LINES)
    }

    /// Walks along some units' lines; `read` and `write` are of an element, counted through operand
    /// and result.
    fn walk<A: Carry>(
        &self,
        read: impl Fn(usize) -> A,
        write: impl Fn(usize, A),
        units: Range<usize>,
    ) {
        let Around { n, inner, .. } = self.around;
        let f = self.op.f;
        for unit in units {
            let first = unit % self.groups() * LINES;
            let width = LINES.min(inner - first);
            let mut carry = [A::identity(f, self.dtype); LINES];
            for step in 0..n {
                let along = if self.op.reverse { n - 1 - step } else { step };
                let at = (unit / self.groups() * n + along) * inner + first;
                for (j, carry) in carry[..width].iter_mut().enumerate() {
                    let next = A::fold(f, *carry, read(at + j));
                    write(at + j, if self.op.exclusive { *carry } else { next });
                    *carry = next;
                }
            }
        }
    }
}

impl OtherKernel for CumulativeKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.around.outer * self.groups(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let units = part(self.around.outer * self.groups(), piece, pieces);
        let (x, dtype) = (inputs[0], self.dtype);
        // SAFETY: as promised by the caller; the walk's elements are inside the arrays.
        unsafe {
            if dtype == DType::F32 {
                let (x, y) = (x.cast::<f32>(), output.cast::<f32>());
                let read = |i| f64::from(*x.add(i));
                self.walk(read, |i, v| *y.add(i) = v as f32, units);
            } else if dtype.is_float() {
                // A look at the type for each element, but the code of one walk for all of them.
                let read = |i| with_dtype!(dtype, T => (*x.cast::<T>().add(i)).to_f64());
                let write =
                    |i, v| with_dtype!(dtype, T => *output.cast::<T>().add(i) = T::from_f64(v));
                self.walk(read, write, units);
            } else {
                let read = |i| with_dtype!(dtype, T => (*x.cast::<T>().add(i)).to_i64());
                let write =
                    |i, v| with_dtype!(dtype, T => *output.cast::<T>().add(i) = T::from_i64(v));
                self.walk(read, write, units);
            }
        }
    }
}
