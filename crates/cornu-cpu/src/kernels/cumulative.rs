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
    fn of<T: Element>(x: T) -> Self;
    fn to<T: Element>(self) -> T;
    fn fold(f: ReduceFn, a: Self, b: Self) -> Self;
}

impl Carry for f64 {
    fn identity(f: ReduceFn, dtype: DType) -> f64 {
        f.identity(dtype)
    }
    #[inline(always)]
    fn of<T: Element>(x: T) -> f64 {
        x.to_f64()
    }
    #[inline(always)]
    fn to<T: Element>(self) -> T {
        T::from_f64(self)
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
    fn of<T: Element>(x: T) -> i64 {
        x.to_i64()
    }
    #[inline(always)]
    fn to<T: Element>(self) -> T {
        T::from_i64(self)
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

    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn walk<T: Element, A: Carry>(&self, x: *const T, y: *mut T, units: Range<usize>) {
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
                    // SAFETY: line `first + j` of this unit is inside the arrays.
                    unsafe {
                        let next = A::fold(f, *carry, A::of(*x.add(at + j)));
                        let value = if self.op.exclusive { *carry } else { next };
                        *y.add(at + j) = value.to();
                        *carry = next;
                    }
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
        with_dtype!(self.dtype, T => {
            let (x, y) = (inputs[0].cast::<T>(), output.cast::<T>());
            // SAFETY: as promised by the caller.
            unsafe {
                if T::DTYPE.is_float() {
                    self.walk::<T, f64>(x, y, units);
                } else {
                    self.walk::<T, i64>(x, y, units);
                }
            }
        });
    }
}
