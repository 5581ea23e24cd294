//! The way back: from the gradient of the states to that of the projected input.

use super::Job;
use super::gates::{Activate, chain, each};
use crate::kernels::panels::{Part, Product, Rows, width};
use crate::math::Real;
use crate::simd::{Float, Simd, Vector};
use cornu_core::ops::recurrent::{Cell, Extents};
use std::ops::Range;

/// Takes some sequences back through all steps.
///
/// # Safety
/// As for [`forward::walk`](super::forward::walk).
#[inline(always)]
pub(super) unsafe fn walk<S: Simd, T: Real>(
    job: &Job<'_, T>,
    packed: *const T,
    space: &mut [T],
    rows: Range<usize>,
    initial: bool,
) {
    let kernel = job.kernel;
    let Extents {
        batch,
        steps,
        units: u,
    } = kernel.extents;
    let op = kernel.op;
    let columns = u * op.cell.gates();
    let (kept, state_rows) = (u * op.cell.kept(), op.cell.state_rows(steps));
    let n = rows.len();
    let (dh, space) = space.split_at_mut(n * u);
    let (dc, space) = space.split_at_mut(n * u);
    let (inner, space) = space.split_at_mut(n * u);
    let (y, space) = space.split_at_mut(u);
    // What flows to the recurrent product.
    let flow = &mut space[..n * columns];
    let (part, last) = (kernel.parts[0], kernel.parts[kernel.parts.len() - 1]);
    dh.fill(T::ZERO);
    // SAFETY: every row and step is inside the operands and the result by their types; `add_product`'s
    // rows are those of this block.
    unsafe {
        let activate = |gate, x: &mut [T]| S::vectorize(Activate(gate, x));
        let add_product = |(first, row), packed, part: Part, c: *mut T| {
            let element = 1;
            S::vectorize(Product {
                a: Rows {
                    first,
                    row,
                    element,
                },
                rows: n,
                packed,
                part,
                onto: Some((c.cast_const(), u)),
                c: (c, u),
            });
        };
        let (of_gates, of_new) = (op.recurrent_activation, op.activation);
        let zero = T::Vec::<S>::splat(T::ZERO);
        let one = T::Vec::<S>::splat(T::from_f64(1.0));
        let g = |b: usize, row: usize| job.operand(1, (b * state_rows + row) * u, u);
        let state = |b: usize, row: usize| job.operand(0, (b * state_rows + row) * u, u);
        for (r, b) in rows.clone().enumerate() {
            if op.cell == Cell::Lstm {
                dc[r * u..][..u].copy_from_slice(g(b, 1 + steps));
            }
        }
        for step in (0..steps).rev() {
            let t = job.time(step);
            let keep = |b: usize| job.operand(0, job.kept(step, b), kept);
            let result = |b: usize| job.result((b * steps + t) * columns, columns);
            // What each row's gates get, for the caller and for the product; what goes past the product
            // is left in dh.
            for (r, b) in rows.clone().enumerate() {
                let (flow, result) = (&mut flow[r * columns..][..columns], result(b));
                let (to_h, g) = (dh[r * u..].as_mut_ptr(), g(b, 1 + step).as_ptr());
                if !job.counts(b, t) {
                    each!(S, T, u; past = to_h, above = g; {} to_h => past.add(above));
                    flow.fill(T::ZERO);
                    result.fill(T::ZERO);
                    continue;
                }
                let (flow, result) = (flow.as_mut_ptr(), result.as_mut_ptr());
                match op.cell {
                    Cell::Simple => {
                        let new = state(b, step + 1).as_ptr();
                        each!(S, T, u; past = to_h, above = g, h = new; {
                            let d = chain(of_new, h, past.add(above));
                        } flow => d, result => d, to_h => zero);
                    }
                    Cell::Lstm => {
                        let before = match step {
                            0 => job.operand(3, b * u, u),
                            _ => job.operand(0, job.kept(step - 1, b) + 4 * u, u),
                        };
                        let keep = keep(b);
                        y.copy_from_slice(&keep[4 * u..5 * u]);
                        activate(of_new, y);
                        let (before, keep, y) = (before.as_ptr(), keep.as_ptr(), y.as_ptr());
                        let to_c = dc[r * u..].as_mut_ptr();
                        each!(S, T, u;
                            past = to_h, above = g, i = keep, f = keep.add(u), candidate = keep.add(2 * u),
                            o = keep.add(3 * u), of_c = y, c = before, later = to_c;
                            {
                                let d = past.add(above);
                                let dc = later.add(chain(of_new, of_c, d.mul(o)));
                                let di = chain(of_gates, i, dc.mul(candidate));
                                let df = chain(of_gates, f, dc.mul(c));
                                let dg = chain(of_new, candidate, dc.mul(i));
                                let d_o = chain(of_gates, o, d.mul(of_c));
                            }
                            flow => di, flow.add(u) => df, flow.add(2 * u) => dg,
                            flow.add(3 * u) => d_o, result => di, result.add(u) => df,
                            result.add(2 * u) => dg, result.add(3 * u) => d_o,
                            to_c => dc.mul(f), to_h => zero);
                    }
                    Cell::Gru { reset_after } => {
                        let keep = keep(b);
                        let new = keep[kept - u..].as_ptr();
                        let (keep, before) = (keep.as_ptr(), state(b, step).as_ptr());
                        if reset_after {
                            each!(S, T, u;
                                past = to_h, above = g, z = keep, r = keep.add(u),
                                q = keep.add(2 * u), candidate = new, old = before;
                                {
                                    let d = past.add(above);
                                    let dz = chain(of_gates, z, d.mul(old.sub(candidate)));
                                    let dg = chain(of_new, candidate, d.mul(one.sub(z)));
                                    let dr = chain(of_gates, r, dg.mul(q));
                                }
                                flow => dz, flow.add(u) => dr, flow.add(2 * u) => dg.mul(r),
                                result => dz, result.add(u) => dr, result.add(2 * u) => dg,
                                to_h => d.mul(z));
                        } else {
                            each!(S, T, u;
                                past = to_h, above = g, z = keep, candidate = new, old = before;
                                {
                                    let d = past.add(above);
                                    let dz = chain(of_gates, z, d.mul(old.sub(candidate)));
                                    let dg = chain(of_new, candidate, d.mul(one.sub(z)));
                                }
                                flow => dz, flow.add(2 * u) => dg,
                                result => dz, result.add(2 * u) => dg,
                                to_h => d.mul(z));
                        }
                    }
                }
            }
            if op.cell == (Cell::Gru { reset_after: false }) {
                let behind = packed.add(part.packed(width::<S, T>()));
                let candidate = (flow.as_ptr().add(2 * u), columns);
                inner.fill(T::ZERO);
                add_product(candidate, behind, last, inner.as_mut_ptr());
                for (r, b) in rows.clone().enumerate().filter(|(_, b)| job.counts(*b, t)) {
                    let (reset, before) = (keep(b)[u..].as_ptr(), state(b, step).as_ptr());
                    let (inner, to_h) = (inner[r * u..].as_ptr(), dh[r * u..].as_mut_ptr());
                    let flow = flow[r * columns + u..].as_mut_ptr();
                    let result = result(b)[u..].as_mut_ptr();
                    each!(S, T, u; d = inner, old = before, r = reset, past = to_h; {
                        let dr = chain(of_gates, r, d.mul(old));
                    } flow => dr, result => dr, to_h => d.fma(r, past));
                }
            }
            add_product((flow.as_ptr(), columns), packed, part, dh.as_mut_ptr());
        }
        if initial {
            let first = batch * steps * columns;
            let all = job.result(first + rows.start * u, n * u);
            all.copy_from_slice(dh);
            if op.cell == Cell::Lstm {
                let all = job.result(first + (batch + rows.start) * u, n * u);
                all.copy_from_slice(dc);
            }
        }
    }
}
