//! Summing by index: what flows back to what was read.

use super::Indices;
use crate::kernels::other::{Around, OtherKernel, part, pieces};
use cornu_core::ops::gather::{ScatterAdd, ScatterAddAlong};
use cornu_core::{DType, Element, TensorType, bf16, f16};
use std::cell::UnsafeCell;
use std::ops::Range;

/// What sums are kept in, and how it is added to.
trait Sum<T>: Copy + Default {
    fn add(&mut self, x: T);
}

macro_rules! sum {
    ($($acc:ty, $t:ty, $a:ident, $x:ident => $e:expr;)*) => {$(
        impl Sum<$t> for $acc {
            #[inline(always)]
            fn add(&mut self, $x: $t) {
                let $a = *self;
                *self = $e;
            }
        }
    )*};
}
sum! {
    f32, f32, a, x => a + x;
    f64, f64, a, x => a + x;
    u8, u8, a, x => a.wrapping_add(x);
    i32, i32, a, x => a.wrapping_add(x);
    i64, i64, a, x => a.wrapping_add(x);
    f32, bf16, a, x => a + x.to_f32();
    f32, f16, a, x => a + x.to_f32();
}

/// Memory for the sums of half-precision results, which are kept in f32. Every piece uses only the
/// elements that it writes.
struct Sums(Box<[UnsafeCell<f32>]>);

// SAFETY: the pieces of a run touch disjoint elements, and there is one run at a time.
unsafe impl Sync for Sums {}

impl Sums {
    fn new(output: &TensorType) -> Sums {
        let n = match output.dtype {
            DType::BF16 | DType::F16 => output.shape.size(),
            _ => 0,
        };
        Sums((0..n).map(|_| UnsafeCell::new(0.0)).collect())
    }

    fn as_ptr(&self) -> *mut f32 {
        self.0.as_ptr().cast_mut().cast()
    }
}

/// A kernel that adds elements into a result of zeros, in the order of the elements.
trait Scatter: Sync {
    fn types(&self) -> (DType, DType);
    fn units(&self) -> usize;
    fn sums(&self) -> &Sums;
    /// The parts of the result that some units own: how many, and start and length of each.
    fn owned(&self, range: &Range<usize>) -> impl Iterator<Item = Range<usize>>;
    /// Adds what belongs to some units.
    ///
    /// # Safety
    /// The pointers must be valid for the operands' and the result's elements.
    unsafe fn add<T: Copy, A: Sum<T>>(
        &self,
        x: *const T,
        indices: Indices,
        sums: *mut A,
        range: &Range<usize>,
    );

    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn scatter(&self, inputs: &[*const u8], output: *mut u8, range: Range<usize>) {
        let (dtype, index) = self.types();
        let (x, indices) = (inputs[0], Indices::new(inputs[1], index));
        // SAFETY: as promised by the caller; `Sums` holds as many elements as a result of half precision.
        unsafe {
            match dtype {
                DType::F32 => self.direct::<f32>(x, indices, output, &range),
                DType::F64 => self.direct::<f64>(x, indices, output, &range),
                DType::I32 => self.direct::<i32>(x, indices, output, &range),
                DType::I64 => self.direct::<i64>(x, indices, output, &range),
                DType::U8 | DType::Bool => self.direct::<u8>(x, indices, output, &range),
                DType::BF16 => self.through::<bf16>(x, indices, output, &range),
                DType::F16 => self.through::<f16>(x, indices, output, &range),
            }
        }
    }

    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn direct<T: Element + Sum<T>>(
        &self,
        x: *const u8,
        indices: Indices,
        output: *mut u8,
        range: &Range<usize>,
    ) {
        let output = output.cast::<T>();
        // SAFETY: owned parts are inside the result.
        unsafe {
            for o in self.owned(range) {
                std::ptr::write_bytes(output.add(o.start), 0, o.len());
            }
            self.add::<T, T>(x.cast(), indices, output, range);
        }
    }

    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn through<T: Element>(
        &self,
        x: *const u8,
        indices: Indices,
        output: *mut u8,
        range: &Range<usize>,
    ) where
        f32: Sum<T>,
    {
        let (sums, output) = (self.sums().as_ptr(), output.cast::<T>());
        // SAFETY: owned parts are inside the result, and the sums are as many.
        unsafe {
            for o in self.owned(range) {
                std::ptr::write_bytes(sums.add(o.start), 0, o.len());
            }
            self.add::<T, f32>(x.cast(), indices, sums, range);
            for o in self.owned(range) {
                for i in o {
                    *output.add(i) = T::from_f64(f64::from(*sums.add(i)));
                }
            }
        }
    }
}

/// Sums rows into their places. A piece owns some rows of the result and looks at every index.
pub struct ScatterAddKernel {
    /// Around the axis of the result.
    around: Around,
    count: usize,
    dtype: DType,
    index: DType,
    sums: Sums,
}

impl ScatterAddKernel {
    /// For operands of these types.
    pub fn compile(
        op: &ScatterAdd,
        inputs: &[TensorType],
        output: &TensorType,
    ) -> ScatterAddKernel {
        ScatterAddKernel {
            around: Around::new(&output.shape, op.axis),
            count: inputs[1].shape.size(),
            dtype: output.dtype,
            index: inputs[1].dtype,
            sums: Sums::new(output),
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let Around { outer, n, inner } = self.around;
        let bytes = self.dtype.size() as f64;
        (outer * n * inner) as f64 * bytes * 0.03
            + (outer * self.count) as f64 * (1.5 + inner as f64 * bytes * 0.05)
    }
}

impl Scatter for ScatterAddKernel {
    fn types(&self) -> (DType, DType) {
        (self.dtype, self.index)
    }

    fn units(&self) -> usize {
        self.around.outer * self.around.n
    }

    fn sums(&self) -> &Sums {
        &self.sums
    }

    fn owned(&self, range: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let inner = self.around.inner;
        std::iter::once(range.start * inner..range.end * inner)
    }

    unsafe fn add<T: Copy, A: Sum<T>>(
        &self,
        x: *const T,
        indices: Indices,
        sums: *mut A,
        range: &Range<usize>,
    ) {
        let Around { n, inner, .. } = self.around;
        if range.is_empty() {
            return;
        }
        for o in range.start / n..=(range.end - 1) / n {
            for i in 0..self.count {
                // SAFETY: `i` is below the number of indices, and the row is one of the result.
                unsafe {
                    let row = indices.place(i, n).map(|p| o * n + p);
                    let Some(row) = row.filter(|r| range.contains(r)) else {
                        continue;
                    };
                    let from = x.add((o * self.count + i) * inner);
                    let to = std::slice::from_raw_parts_mut(sums.add(row * inner), inner);
                    for (j, to) in to.iter_mut().enumerate() {
                        to.add(*from.add(j));
                    }
                }
            }
        }
    }
}

/// Sums elements into their places along an axis. A piece owns some lines along that axis.
pub struct ScatterAddAlongKernel {
    /// Around the axis of the result.
    around: Around,
    count: usize,
    dtype: DType,
    index: DType,
    sums: Sums,
}

impl ScatterAddAlongKernel {
    /// For operands of these types.
    pub fn compile(
        op: &ScatterAddAlong,
        inputs: &[TensorType],
        output: &TensorType,
    ) -> ScatterAddAlongKernel {
        ScatterAddAlongKernel {
            around: Around::new(&output.shape, op.axis),
            count: inputs[1].shape[op.axis],
            dtype: output.dtype,
            index: inputs[1].dtype,
            sums: Sums::new(output),
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let Around { outer, n, inner } = self.around;
        (outer * inner) as f64 * (n as f64 * 0.3 + self.count as f64 * 2.0)
    }

    /// The lines of some units: of each outer part the lines `from..to`.
    fn lines(&self, range: &Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + use<> {
        let inner = self.around.inner.max(1);
        let (start, end) = (range.start, range.end);
        (start / inner..end.div_ceil(inner)).map(move |o| {
            let from = start.saturating_sub(o * inner);
            (o, from..(end - o * inner).min(inner))
        })
    }
}

impl Scatter for ScatterAddAlongKernel {
    fn types(&self) -> (DType, DType) {
        (self.dtype, self.index)
    }

    fn units(&self) -> usize {
        self.around.outer * self.around.inner
    }

    fn sums(&self) -> &Sums {
        &self.sums
    }

    fn owned(&self, range: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Around { n, inner, .. } = self.around;
        self.lines(range).flat_map(move |(o, js)| {
            (0..n).map(move |l| {
                let row = (o * n + l) * inner;
                row + js.start..row + js.end
            })
        })
    }

    unsafe fn add<T: Copy, A: Sum<T>>(
        &self,
        x: *const T,
        indices: Indices,
        sums: *mut A,
        range: &Range<usize>,
    ) {
        let Around { n, inner, .. } = self.around;
        for (o, js) in self.lines(range) {
            for c in 0..self.count {
                for j in js.clone() {
                    let at = (o * self.count + c) * inner + j;
                    // SAFETY: `at` is inside the operands, and the place was checked.
                    unsafe {
                        if let Some(p) = indices.place(at, n) {
                            (*sums.add((o * n + p) * inner + j)).add(*x.add(at));
                        }
                    }
                }
            }
        }
    }
}

macro_rules! scatter_kernel {
    ($($kernel:ty)*) => {$(
        impl OtherKernel for $kernel {
            fn pieces(&self, threads: usize) -> usize {
                pieces(self.cost_ns(), self.units(), threads)
            }

            unsafe fn run(
                &self,
                inputs: &[*const u8],
                output: *mut u8,
                piece: usize,
                pieces: usize,
            ) {
                // SAFETY: as promised by the caller.
                unsafe { self.scatter(inputs, output, part(self.units(), piece, pieces)) }
            }
        }
    )*};
}
scatter_kernel!(ScatterAddKernel ScatterAddAlongKernel);
