//! The way back: from what flows to what is attended to, to queries, keys and values.

use super::rows::{Flow, Shares};
use super::{Job, turned};
use crate::kernels::panels::{Part, Product, Rows, pack, width};
use crate::math::Real;
use crate::simd::Simd;
use cornu_core::ops::attention::{Extents, Kept};

/// One head.
///
/// # Safety
/// As for [`forward::blocks`](super::forward::blocks).
#[inline(always)]
pub(super) unsafe fn head<S: Simd, T: Real>(job: &Job<'_, T>, head: usize, memory: *mut T) {
    let kernel = job.kernel;
    let e = kernel.extents;
    let Extents {
        steps,
        others,
        heads,
        d,
        size,
        ..
    } = e;
    let wide = width::<S, T>();
    let (keys, values) = (job.matrix(head, others, d), job.matrix(head, others, size));
    let [queries, all_keys, _] = e.operands();
    let (tape, above) = (job.inputs[0].cast::<T>(), job.inputs[1].cast::<T>());
    let kept = tape.wrapping_add(e.attended());
    // SAFETY: the memory holds packed matrices, rows and scores one after the other; operands, tape and
    // result are as large as their types say.
    unsafe {
        let [dq, dk, dv] = [0, queries, queries + all_keys].map(|at| job.output.add(at));
        let mut free = memory;
        let mut room = |elements: usize| {
            let at = free;
            free = free.add(elements);
            at
        };
        let packed = |source: *const T, part: Part, to: *mut T| {
            pack::<S, T>(source, part, to);
            (to.cast_const(), part)
        };
        let to_shares = {
            let part = turned(values);
            packed(job.operand(2), part, room(part.packed(wide)))
        };
        let to_queries = packed(job.operand(1), keys, room(keys.packed(wide)));
        let to_scores = match kernel.op.kept {
            Kept::Shares => None,
            _ => {
                let part = turned(keys);
                let to = room(part.packed(wide));
                Some(packed(job.operand(1), part, to))
            }
        };
        let query_rows = room(kernel.block * d.next_multiple_of(wide));
        let above_rows = room(kernel.block * size.next_multiple_of(wide));
        let own_shares = room(kernel.block * kernel.row());
        let flow = room(kernel.block * kernel.row());
        let product = |a, rows, (packed, part), (c, ld): (*mut T, usize), add: bool| {
            S::vectorize(Product {
                a,
                rows,
                packed,
                part,
                onto: add.then_some((c.cast_const(), ld)),
                c: (c, ld),
            });
        };
        let (key_row, value_row) = (heads * d, heads * size);
        let sums = |part: Part, to: *mut T| (to.add(part.first), part.row);
        if steps == 0 {
            for (part, to) in [(keys, dk), (values, dv)] {
                let (to, row) = sums(part, to);
                (0..others).for_each(|j| {
                    std::slice::from_raw_parts_mut(to.add(j * row), part.n).fill(T::ZERO);
                });
            }
        }
        for first in (0..steps).step_by(kernel.block) {
            let rows = kernel.block.min(steps - first);
            let (query, attended) = (
                job.at(head, first, steps, d),
                job.at(head, first, steps, size),
            );
            let along = |first: *const T, row| Rows {
                first,
                row,
                element: 1,
            };
            let across = |first: *const T, element| Rows {
                first,
                row: 1,
                element,
            };
            let (shares, row) = match to_scores {
                None => (kept.add((head * steps + first) * others), others),
                Some(keys) => {
                    let q = along(job.operand(0).add(query), key_row);
                    product(q, rows, keys, (own_shares, kernel.row()), false);
                    for i in 0..rows {
                        let at = kept.add(2 * (head * steps + first + i));
                        let scores = own_shares.add(i * kernel.row());
                        S::vectorize(Shares {
                            scores: std::slice::from_raw_parts_mut(scores, others),
                            seen: job.seen(head, first + i),
                            nowhere: kernel.op.nowhere,
                            most: *at,
                            sum: *at.add(1),
                        });
                    }
                    (own_shares.cast_const(), kernel.row())
                }
            };
            let g = along(above.add(attended), value_row);
            product(g, rows, to_shares, (flow, kernel.row()), false);
            for i in 0..rows {
                S::vectorize(Flow {
                    flow: std::slice::from_raw_parts_mut(flow.add(i * kernel.row()), others),
                    shares: std::slice::from_raw_parts(shares.add(i * row), others),
                    seen: job.seen(head, first + i),
                });
            }
            let flows = along(flow, kernel.row());
            product(flows, rows, to_queries, (dq.add(query), key_row), false);
            // Every query adds to all keys and values.
            let block = |part: Part, first: usize, row| Part {
                first,
                row,
                k: rows,
                ..part
            };
            let q = packed(job.operand(0), block(keys, query, key_row), query_rows);
            let g = packed(above, block(values, attended, value_row), above_rows);
            let add = first > 0;
            product(across(flow, kernel.row()), others, q, sums(keys, dk), add);
            product(across(shares, row), others, g, sums(values, dv), add);
        }
    }
}
