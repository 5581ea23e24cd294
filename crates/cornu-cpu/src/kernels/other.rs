//! Kernels of operations that are nothing but themselves: their operands lie whole in memory and
//! nothing fuses with them.

use super::arg_reduce::ArgReduceKernel;
use super::attention::AttentionKernel;
use super::cumulative::CumulativeKernel;
use super::gather::{ScatterAddAlongKernel, ScatterAddKernel, TakeAlongKernel, TakeKernel};
use super::hash::HashKernel;
use super::movement::{ConcatKernel, PadKernel};
use super::pool::PoolKernel;
use super::random::RandomKernel;
use super::recurrent::RecurrentKernel;
use super::sort::ArgSortKernel;
use crate::math::Real;
use crate::simd::{Isa, Simd, SimdOp, dispatch};
use cornu_core::{DType, Op, TensorType};
use std::ops::Range;

/// A compiled operation.
pub trait OtherKernel: Send + Sync {
    /// Into how many pieces it should be cut for a team of `threads` threads; 1 if the work is too
    /// small to share.
    fn pieces(&self, threads: usize) -> usize;

    /// Computes piece `piece` of `pieces`. The result is the same for any number of pieces.
    ///
    /// # Safety
    /// `inputs` and `output` must be valid for the types that the kernel was compiled for, aligned
    /// for their elements, and `output` must overlap no input. Pieces may run at the same time, but
    /// no piece twice, and no two runs of one kernel.
    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize);
}

/// Compiles an operation for operands and a result of these types; `None` if it is none of those
/// that are kernels by themselves.
pub fn compile(
    op: &Op,
    inputs: &[TensorType],
    output: &TensorType,
) -> Option<Box<dyn OtherKernel>> {
    Some(match op {
        Op::Concat(op) => Box::new(ConcatKernel::compile(op, inputs, output)),
        Op::Pad(op) => Box::new(PadKernel::compile(op, inputs, output)),
        Op::Take(op) => Box::new(TakeKernel::compile(op, inputs, output)),
        Op::ScatterAdd(op) => Box::new(ScatterAddKernel::compile(op, inputs, output)),
        Op::TakeAlong(op) => Box::new(TakeAlongKernel::compile(op, inputs, output)),
        Op::ScatterAddAlong(op) => Box::new(ScatterAddAlongKernel::compile(op, inputs, output)),
        Op::Cumulative(op) => Box::new(CumulativeKernel::compile(op, inputs, output)),
        Op::Pool(op) => Box::new(PoolKernel::compile(op, inputs, output)),
        Op::Recurrent(op) => Box::new(RecurrentKernel::forward(op, inputs, output)),
        Op::RecurrentGrad(op) => Box::new(RecurrentKernel::back(op, inputs, output)),
        Op::Attention(op) => Box::new(AttentionKernel::forward(op, inputs)?),
        Op::AttentionGrad(op) => Box::new(AttentionKernel::back(&op.0, inputs)?),
        Op::ArgSort(op) => Box::new(ArgSortKernel::compile(op, inputs, output)),
        Op::ArgReduce(op) => Box::new(ArgReduceKernel::compile(op, inputs, output)),
        Op::Hash(op) => Box::new(HashKernel::compile(op, inputs, output)),
        Op::Random(op) => Box::new(RandomKernel::compile(op, inputs, output)),
        _ => return None,
    })
}

/// Less work than this, in nanoseconds, is not worth a second thread.
const PIECE_NS: f64 = 5000.0;

/// How many pieces are worth it for work of `cost` nanoseconds that can be cut into `units`; as many for one
/// thread as for another.
pub(super) fn pieces(cost: f64, units: usize, threads: usize) -> usize {
    let most = units.min(if threads > 1 { 2 * threads } else { 1 });
    match (cost / PIECE_NS) as usize {
        0 => 1,
        worth if worth > threads => worth.next_multiple_of(threads).min(most.max(1)),
        worth => worth.min(most.max(1)),
    }
}

/// The units of one piece.
pub(super) fn part(units: usize, piece: usize, pieces: usize) -> Range<usize> {
    units * piece / pieces..units * (piece + 1) / pieces
}

/// A kernel of `f32` or `f64`, written over vectors, whose work falls into units.
pub(super) trait RealKernel: Send + Sync + Sized {
    /// What it was compiled for. (Other types were refused when the operation was inferred.)
    fn target(&self) -> (DType, Isa);

    /// What it takes one thread, roughly.
    fn cost_ns(&self) -> f64;

    /// What is shared between pieces.
    fn units(&self) -> usize;

    /// The most pieces that it is worth cutting it into.
    fn most_pieces(&self, _threads: usize) -> usize {
        usize::MAX
    }

    /// Computes some units; to be inlined.
    ///
    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn compute<S: Simd, T: Real>(job: &Job<'_, Self, T>);
}

/// Some units of a kernel's work, on elements of one type.
pub(super) struct Job<'a, K, T> {
    pub kernel: &'a K,
    pub inputs: &'a [*const u8],
    pub output: *mut T,
    pub units: Range<usize>,
}

impl<K: RealKernel, T: Real> SimdOp for Job<'_, K, T> {
    type Output = ();
    const MOST: Isa = T::MOST;

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: as promised by the maker.
        unsafe { K::compute::<S, T>(&self) }
    }
}

impl<K: RealKernel> OtherKernel for K {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.units(), threads).min(self.most_pieces(threads))
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        fn job<'a, K: RealKernel, T>(
            kernel: &'a K,
            inputs: &'a [*const u8],
            output: *mut u8,
            piece: usize,
            pieces: usize,
        ) -> Job<'a, K, T> {
            Job {
                kernel,
                inputs,
                output: output.cast(),
                units: part(kernel.units(), piece, pieces),
            }
        }
        // SAFETY: as promised by the caller.
        unsafe {
            match self.target() {
                (DType::F32, isa) => {
                    dispatch(isa, job::<K, f32>(self, inputs, output, piece, pieces))
                }
                (_, isa) => dispatch(isa, job::<K, f64>(self, inputs, output, piece, pieces)),
            }
        }
    }
}

/// A shape around one axis: how often, how long, and how many elements lie between neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub outer: usize,
    pub n: usize,
    pub inner: usize,
}

impl Around {
    pub(super) fn new(shape: &[usize], axis: usize) -> Around {
        Around {
            outer: shape[..axis].iter().product(),
            n: shape[axis],
            inner: shape[axis + 1..].iter().product(),
        }
    }
}

#[cfg(test)]
mod tests;
