//! Pooling over channels-last operands, vectorised over channels.

mod axis;
mod cell;
mod flow;
mod windows;

use super::other::{OtherKernel, part, pieces};
use crate::simd::{Isa, Simd, SimdOp, dispatch};
use axis::Axis;
use cell::Cell;
use cornu_core::ops::pool::{Pool, PoolFn};
use cornu_core::{DType, TensorType, bf16, f16};
use std::ops::Range;

/// Channels handled together: they stay in registers while a window is walked.
const BLOCK: usize = 16;

/// Pools images, or carries back what flows through. A unit is a row of windows, or, where windows
/// write into shared cells, a whole image.
#[derive(Debug)]
pub struct PoolKernel {
    f: PoolFn,
    axes: [Axis; 3],
    batch: usize,
    channels: usize,
    dtype: DType,
    isa: Isa,
}

impl PoolKernel {
    /// For a result of this type.
    pub fn compile(op: &Pool, _: &[TensorType], output: &TensorType) -> PoolKernel {
        let rank = op.spatial.len();
        // Counted when the operation was inferred: it fits.
        let counts = op
            .windows
            .count(&op.spatial)
            .unwrap_or_else(|_| vec![0; rank]);
        let mut axes = [Axis::NONE; 3];
        for (i, axis) in axes[3 - rank..].iter_mut().enumerate() {
            *axis = Axis {
                input: op.spatial[i],
                output: counts[i],
                size: op.windows.size[i],
                stride: op.windows.strides[i],
                low: op.windows.padding[i].0,
            };
        }
        PoolKernel {
            f: op.f,
            axes,
            batch: output.shape[0],
            channels: output.shape[output.shape.rank() - 1],
            dtype: output.dtype,
            isa: Isa::get(),
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let windows: usize = self.axes.iter().map(|a| a.output).product();
        let cells: usize = self.axes.iter().map(|a| a.size).product();
        let lanes = if self.channels >= 8 { 0.06 } else { 1.0 };
        (self.batch * windows * self.channels) as f64 * cells as f64 * lanes
    }

    fn rows(&self, extent: impl Fn(&Axis) -> usize) -> usize {
        self.batch * extent(&self.axes[0]) * extent(&self.axes[1])
    }

    fn units(&self) -> usize {
        match self.f {
            PoolFn::Max | PoolFn::MaxGather | PoolFn::Sum => self.rows(|a| a.output),
            PoolFn::SumScatter => self.rows(|a| a.input),
            PoolFn::MaxScatter => self.batch,
        }
    }
}

impl OtherKernel for PoolKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.units(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let units = part(self.units(), piece, pieces);
        macro_rules! run {
            ($T:ty) => {{
                let job = Job::<$T> {
                    kernel: self,
                    x: inputs[0].cast(),
                    v: inputs.get(1).map_or(std::ptr::null(), |v| v.cast()),
                    output: output.cast(),
                    units,
                };
                // SAFETY: as promised by the caller.
                unsafe { dispatch(self.isa, job) }
            }};
        }
        match self.dtype {
            DType::F32 => run!(f32),
            DType::F64 => run!(f64),
            DType::BF16 => run!(bf16),
            DType::F16 => run!(f16),
            DType::I32 => run!(i32),
            DType::I64 => run!(i64),
            DType::U8 => run!(u8),
            DType::Bool => {}
        }
    }
}

/// Some units of a kernel's work.
struct Job<'a, T> {
    kernel: &'a PoolKernel,
    x: *const T,
    v: *const T,
    output: *mut T,
    units: Range<usize>,
}

impl<T: Cell> SimdOp for Job<'_, T> {
    type Output = ();
    const MOST: Isa = T::MOST;

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: units lie inside the arrays, as the caller promised of the arrays.
        unsafe {
            match self.kernel.f {
                PoolFn::SumScatter => self.spread(),
                PoolFn::MaxScatter => self.scatter(),
                _ => self.windows(),
            }
        }
    }
}

/// Blocks of channels, one after another. Of wide cells, whole ones have an extent that the compiler
/// knows, so that their loops have no ends to look for; and being no closure, what is done stays compiled
/// for the instruction set.
macro_rules! blocks {
    ($channels:expr, |$first:ident, $n:ident| $body:expr) => {{
        let channels = $channels;
        let mut $first = 0;
        while T::WIDE && $first + BLOCK <= channels {
            let $n = BLOCK;
            $body;
            $first += BLOCK;
        }
        while $first < channels {
            let $n = T::TOGETHER.min(channels - $first);
            $body;
            $first += T::TOGETHER;
        }
    }};
}

use blocks;

/// A window's cells: ranges along the three axes, in the image that begins at `image`.
type Window = (usize, [Range<usize>; 3]);

impl<T: Cell> Job<'_, T> {
    /// The cells of a window, as places of their first channel.
    #[inline(always)]
    fn cells(&self, (image, [a, b, c]): &Window, mut each: impl FnMut(usize)) {
        let [na, nb, nc] = self.kernel.axes.map(|axis| axis.input);
        for i in a.clone() {
            for j in b.clone() {
                for k in c.clone() {
                    each((((image * na + i) * nb + j) * nc + k) * self.kernel.channels);
                }
            }
        }
    }

    /// The cells of a window of four, by far the most usual one; for wide cells.
    #[inline(always)]
    fn four(&self, (image, [a, b, c]): &Window) -> Option<[usize; 4]> {
        if !T::WIDE || a.len() != 1 || b.len() != 2 || c.len() != 2 {
            return None;
        }
        let [na, nb, nc] = self.kernel.axes.map(|axis| axis.input);
        let channels = self.kernel.channels;
        let begin = (((image * na + a.start) * nb + b.start) * nc + c.start) * channels;
        let below = begin + nc * channels;
        Some([begin, begin + channels, below, below + channels])
    }
}
