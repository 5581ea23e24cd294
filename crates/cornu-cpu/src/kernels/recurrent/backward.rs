//! The way back: from the gradient of the states to that of the projected input.

use super::Job;
use super::gates::{Activate, Chain};
use crate::kernels::panels::{Part, Product, Rows, width};
use crate::math::Real;
use crate::simd::Simd;
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
        let chain = |gate, d: &mut [T], y: &[T]| S::vectorize(Chain(gate, d, y));
        let add_product = |(first, row), packed, part: Part, c| {
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
                c,
                add: true,
            });
        };
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
            // What each row's gates get; what goes past the product is left in dh.
            for (r, b) in rows.clone().enumerate() {
                let dh = &mut dh[r * u..][..u];
                let flow = &mut flow[r * columns..][..columns];
                dh.iter_mut()
                    .zip(g(b, 1 + step))
                    .for_each(|(d, g)| *d = *d + *g);
                if !job.counts(b, t) {
                    flow.fill(T::ZERO);
                    continue;
                }
                match op.cell {
                    Cell::Simple => {
                        flow.copy_from_slice(dh);
                        chain(op.activation, flow, state(b, step + 1));
                        dh.fill(T::ZERO);
                    }
                    Cell::Lstm => {
                        let before = match step {
                            0 => job.operand(3, b * u, u),
                            _ => job.operand(0, job.kept(step - 1, b) + 4 * u, u),
                        };
                        let keep = keep(b);
                        let (i, f) = (&keep[..u], &keep[u..2 * u]);
                        let (candidate, o) = (&keep[2 * u..3 * u], &keep[3 * u..4 * u]);
                        y.copy_from_slice(&keep[4 * u..5 * u]);
                        activate(op.activation, y);
                        let (di, rest) = flow.split_at_mut(u);
                        let (df, rest) = rest.split_at_mut(u);
                        let (dg, d_o) = rest.split_at_mut(u);
                        let dc = &mut dc[r * u..][..u];
                        // What flows to c, in the place of its gradient by i.
                        for j in 0..u {
                            di[j] = dh[j] * o[j];
                        }
                        chain(op.activation, di, y);
                        for j in 0..u {
                            let d = dc[j] + di[j];
                            di[j] = d * candidate[j];
                            df[j] = d * before[j];
                            dg[j] = d * i[j];
                            dc[j] = d * f[j];
                            d_o[j] = dh[j] * y[j];
                        }
                        chain(op.recurrent_activation, di, i);
                        chain(op.recurrent_activation, df, f);
                        chain(op.activation, dg, candidate);
                        chain(op.recurrent_activation, d_o, o);
                        dh.fill(T::ZERO);
                    }
                    Cell::Gru { .. } => {
                        let keep = keep(b);
                        let (z, candidate) = (&keep[..u], &keep[kept - u..]);
                        let old = state(b, step);
                        let (dz, rest) = flow.split_at_mut(u);
                        let dg = &mut rest[u..2 * u];
                        for j in 0..u {
                            dz[j] = dh[j] * (old[j] - candidate[j]);
                            dg[j] = dh[j] * (T::from_f64(1.0) - z[j]);
                            dh[j] = dh[j] * z[j];
                        }
                        chain(op.recurrent_activation, dz, z);
                        chain(op.activation, dg, candidate);
                    }
                }
            }
            if let Cell::Gru { reset_after } = op.cell {
                if !reset_after {
                    let behind = packed.add(part.packed(width::<S, T>()));
                    let candidate = (flow.as_ptr().add(2 * u), columns);
                    inner.fill(T::ZERO);
                    add_product(candidate, behind, last, (inner.as_mut_ptr(), u));
                }
                for (r, b) in rows.clone().enumerate() {
                    let flow = &mut flow[r * columns..][..columns];
                    if !job.counts(b, t) {
                        result(b).fill(T::ZERO);
                        continue;
                    }
                    let (keep, old) = (keep(b), state(b, step));
                    let reset = &keep[u..2 * u];
                    let (dh, inner) = (&mut dh[r * u..][..u], &inner[r * u..][..u]);
                    let (_, rest) = flow.split_at_mut(u);
                    let (dr, dg) = rest.split_at_mut(u);
                    for j in 0..u {
                        if reset_after {
                            dr[j] = dg[j] * keep[2 * u + j];
                        } else {
                            dr[j] = inner[j] * old[j];
                            dh[j] = dh[j] + inner[j] * reset[j];
                        }
                    }
                    chain(op.recurrent_activation, dr, reset);
                    result(b).copy_from_slice(flow);
                    if reset_after {
                        let dg = &mut flow[2 * u..];
                        dg.iter_mut().zip(reset).for_each(|(d, r)| *d = *d * *r);
                    }
                }
            } else {
                for (b, flow) in rows.clone().zip(flow.chunks_exact(columns.max(1))) {
                    result(b).copy_from_slice(flow);
                }
            }
            let to = (dh.as_mut_ptr(), u);
            add_product((flow.as_ptr(), columns), packed, part, to);
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
