//! The way there.

use super::rows::Softmax;
use super::{Job, turned};
use crate::kernels::panels::{Part, Product, Rows, pack, width};
use crate::math::Real;
use crate::simd::Simd;
use cornu_core::ops::attention::{Extents, Kept};

/// The blocks of queries of a piece.
///
/// # Safety
/// `memory` has what [`memory`](super::AttentionKernel::memory) says; the rest as for `OtherKernel::run`.
#[inline(always)]
pub(super) unsafe fn blocks<S: Simd, T: Real>(job: &Job<'_, T>, memory: *mut T) {
    let kernel = job.kernel;
    let Extents {
        steps,
        others,
        heads,
        d,
        size,
        ..
    } = kernel.extents;
    let keys = |head| turned(job.matrix(head, others, d));
    let values = |head| job.matrix(head, others, size);
    let tape = job.output.wrapping_add(kernel.extents.attended());
    let mut packed = None;
    for unit in job.units.clone() {
        let (head, block) = (unit / kernel.blocks(), unit % kernel.blocks());
        let first = block * kernel.block;
        let rows = kernel.block.min(steps - first);
        // SAFETY: the memory holds both packed matrices and a block's scores; operands and the tape are as
        // large as their types say.
        unsafe {
            let (keys, values): (Part, Part) = (keys(head), values(head));
            let packed_values = memory.add(keys.packed(width::<S, T>()));
            let own = packed_values.add(values.packed(width::<S, T>()));
            if packed != Some(head) {
                pack::<S, T>(job.operand(1), keys, memory);
                pack::<S, T>(job.operand(2), values, packed_values);
                packed = Some(head);
            }
            let (scores, row) = match kernel.op.kept {
                Kept::Shares => (tape.add((head * steps + first) * others), others),
                _ => (own, kernel.row()),
            };
            S::vectorize(Product {
                a: Rows {
                    first: job.operand(0).add(job.at(head, first, steps, d)),
                    row: heads * d,
                    element: 1,
                },
                rows,
                packed: memory,
                part: keys,
                onto: None,
                c: (scores, row),
            });
            for i in 0..rows {
                let (most, sum) = S::vectorize(Softmax {
                    scores: std::slice::from_raw_parts_mut(scores.add(i * row), others),
                    seen: job.seen(head, first + i),
                    nowhere: kernel.op.nowhere,
                });
                if kernel.op.kept == Kept::Sums {
                    let at = tape.add(2 * (head * steps + first + i));
                    (*at, *at.add(1)) = (most, sum);
                }
            }
            S::vectorize(Product {
                a: Rows {
                    first: scores,
                    row,
                    element: 1,
                },
                rows,
                packed: packed_values,
                part: values,
                onto: None,
                c: (
                    job.output.add(job.at(head, first, steps, size)),
                    heads * size,
                ),
            });
        }
    }
}
