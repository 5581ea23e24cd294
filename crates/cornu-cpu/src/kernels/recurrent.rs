//! Recurrent cells over whole sequences. Each thread takes its sequences through all steps, so that
//! none ever waits for another; the recurrent kernel is packed once per thread, and a step's states
//! and gates stay in the nearest cache.

mod backward;
mod forward;
mod gates;

use super::other::{self, RealKernel};
use super::panels::{Part, ROWS, pack, width};
use super::spare::Spare;
use crate::math::Real;
use crate::simd::{Isa, Simd};
use cornu_core::ops::recurrent::{Cell, Extents, Recurrent, RecurrentGrad};
use cornu_core::{DType, TensorType};

/// Sequences that are walked together.
const BLOCK: usize = 4 * ROWS;

/// Which way a kernel goes, with what only that way needs.
#[derive(Clone, Copy, Debug)]
enum Way {
    Forward,
    Back { initial: bool },
}

/// A recurrence, or the way back through it. A unit is `ROWS` sequences.
#[derive(Debug)]
pub struct RecurrentKernel {
    op: Recurrent,
    way: Way,
    extents: Extents,
    dtype: DType,
    isa: Isa,
    /// The parts that the recurrent kernel is packed in: all of it, or the gates and the candidate, if
    /// these are sums of different things.
    parts: Vec<Part>,
    /// What pieces work in.
    scratch: Spare,
}

impl RecurrentKernel {
    /// The way there.
    pub fn forward(op: &Recurrent, inputs: &[TensorType], _: &TensorType) -> RecurrentKernel {
        let (z, u) = (&inputs[0].shape, inputs[1].shape[0]);
        let extents = Extents {
            batch: z[0],
            steps: z[1],
            units: u,
        };
        RecurrentKernel::new(*op, Way::Forward, extents, inputs[0].dtype)
    }

    /// The way back.
    pub fn back(op: &RecurrentGrad, inputs: &[TensorType], _: &TensorType) -> RecurrentKernel {
        let g = &inputs[1].shape;
        let extents = Extents {
            batch: g[0],
            steps: g[1] - op.forward.cell.states(),
            units: g[2],
        };
        let way = Way::Back {
            initial: op.initial,
        };
        RecurrentKernel::new(op.forward, way, extents, inputs[0].dtype)
    }

    fn new(op: Recurrent, way: Way, extents: Extents, dtype: DType) -> RecurrentKernel {
        let u = extents.units;
        let columns = u * op.cell.gates();
        let splits = match (op.cell, way) {
            (Cell::Gru { reset_after: false }, _) | (Cell::Gru { .. }, Way::Forward) => {
                vec![(0, 2 * u), (2 * u, u)]
            }
            _ => vec![(0, columns)],
        };
        let part = |(first, n): (usize, usize)| match way {
            Way::Forward => Part {
                first,
                row: columns,
                column: 1,
                k: u,
                n,
            },
            Way::Back { .. } => Part {
                first,
                row: 1,
                column: columns,
                k: n,
                n: u,
            },
        };
        RecurrentKernel {
            op,
            way,
            extents,
            dtype,
            isa: Isa::get(),
            parts: splits.into_iter().map(part).collect(),
            scratch: Spare::default(),
        }
    }

    /// Elements of the packed parts, and of all scratch memory.
    fn memory(&self, width: usize) -> (usize, usize) {
        let packed = self.parts.iter().map(|p| p.packed(width)).sum();
        let rows = BLOCK * self.extents.units;
        let step = match self.way {
            Way::Forward => self.op.cell.kept(),
            Way::Back { .. } => 1 + self.op.cell.gates(),
        };
        (packed, packed + rows * (3 + step))
    }
}

impl RealKernel for RecurrentKernel {
    fn target(&self) -> (DType, Isa) {
        (self.dtype, self.isa)
    }

    fn cost_ns(&self) -> f64 {
        let Extents {
            batch,
            steps,
            units,
        } = self.extents;
        let gates = units * self.op.cell.gates();
        (batch * steps * gates) as f64 * (units as f64 * 0.03 + 1.0)
    }

    fn units(&self) -> usize {
        self.extents.batch.div_ceil(ROWS)
    }

    /// Every piece packs the recurrent kernel.
    fn most_pieces(&self, threads: usize) -> usize {
        threads
    }

    #[inline(always)]
    unsafe fn compute<S: Simd, T: Real>(job: &Job<'_, T>) {
        let kernel = job.kernel;
        let sequences = job.units.start * ROWS..(job.units.end * ROWS).min(kernel.extents.batch);
        let (packed, all) = kernel.memory(width::<S, T>());
        let buffer = kernel.scratch.take(all * size_of::<T>());
        let memory: *mut T = buffer.ptr().cast();
        let source = match kernel.way {
            Way::Forward => job.inputs[1],
            Way::Back { .. } => job.inputs[2],
        };
        // SAFETY: the buffer has room for the packed parts and, behind them, a block's rows; all else
        // as promised by the caller.
        unsafe {
            let mut to = memory;
            for part in &kernel.parts {
                pack::<S, T>(source.cast(), *part, to);
                to = to.add(part.packed(width::<S, T>()));
            }
            let space = std::slice::from_raw_parts_mut(memory.add(packed), all - packed);
            for first in sequences.clone().step_by(BLOCK) {
                let rows = first..(first + BLOCK).min(sequences.end);
                match kernel.way {
                    Way::Forward => forward::walk::<S, T>(job, memory, space, rows),
                    Way::Back { initial } => {
                        backward::walk::<S, T>(job, memory, space, rows, initial);
                    }
                }
            }
        }
        kernel.scratch.put(buffer);
    }
}

/// One piece of a run.
type Job<'a, T> = other::Job<'a, RecurrentKernel, T>;

impl<T: Real> Job<'_, T> {
    /// An operand from an element on.
    ///
    /// # Safety
    /// It has `len` elements from there.
    #[inline(always)]
    unsafe fn operand(&self, index: usize, at: usize, len: usize) -> &[T] {
        // SAFETY: as promised by the caller.
        unsafe { std::slice::from_raw_parts(self.inputs[index].cast::<T>().add(at), len) }
    }

    /// A part of the result.
    ///
    /// # Safety
    /// It has these elements, and nobody else looks at them meanwhile.
    #[inline(always)]
    #[allow(clippy::mut_from_ref)] // the result is this job's to write
    unsafe fn result(&self, at: usize, len: usize) -> &mut [T] {
        // SAFETY: as promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.output.add(at), len) }
    }

    /// Whether a step of a sequence counts.
    ///
    /// # Safety
    /// Both are inside the mask.
    #[inline(always)]
    unsafe fn counts(&self, b: usize, t: usize) -> bool {
        let kernel = self.kernel;
        if !kernel.op.masked {
            return true;
        }
        let mask = self.inputs[self.inputs.len() - 1];
        // SAFETY: as promised by the caller.
        unsafe { *mask.add(b * kernel.extents.steps + t) != 0 }
    }

    /// The input's step at a step of the walk.
    #[inline(always)]
    fn time(&self, step: usize) -> usize {
        match self.kernel.op.reverse {
            true => self.kernel.extents.steps - 1 - step,
            false => step,
        }
    }

    /// Where on the tape begins what is kept of a sequence's step.
    #[inline(always)]
    fn kept(&self, step: usize, b: usize) -> usize {
        let Extents {
            batch,
            steps,
            units,
        } = self.kernel.extents;
        let cell = self.kernel.op.cell;
        (batch * cell.state_rows(steps) + (step * batch + b) * cell.kept()) * units
    }
}
