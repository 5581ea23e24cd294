//! The way there: fills the tape.

use super::Job;
use super::gates::Activate;
use crate::kernels::panels::{Part, Product, Rows, width};
use crate::math::Real;
use crate::simd::Simd;
use cornu_core::ops::recurrent::{Cell, Extents};
use std::ops::Range;

/// Takes some sequences through all steps.
///
/// # Safety
/// `packed` holds the kernel's parts, `space` its memory for a block of rows; the rest as for
/// `OtherKernel::run`.
#[inline(always)]
pub(super) unsafe fn walk<S: Simd, T: Real>(
    job: &Job<'_, T>,
    packed: *const T,
    space: &mut [T],
    rows: Range<usize>,
) {
    let kernel = job.kernel;
    let Extents {
        steps, units: u, ..
    } = kernel.extents;
    let op = kernel.op;
    let (columns, kept, state_rows) = (
        u * op.cell.gates(),
        u * op.cell.kept(),
        op.cell.state_rows(steps),
    );
    let n = rows.len();
    let (h, space) = space.split_at_mut(n * u);
    let (c, space) = space.split_at_mut(n * u);
    let (next, space) = space.split_at_mut(n * u);
    // What is made of each step, where the tape does not keep it.
    let own = space.as_mut_ptr();
    // SAFETY: every row and step is inside the operands and the tape by their types; `add_product`'s
    // rows are those of this block.
    unsafe {
        let activate = |gate, x: &mut [T]| S::vectorize(Activate(gate, x));
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
        for (b, h) in rows.clone().zip(h.chunks_exact_mut(u.max(1))) {
            h.copy_from_slice(job.operand(2, b * u, u));
            job.result(b * state_rows * u, u).copy_from_slice(h);
        }
        if op.cell == Cell::Lstm {
            c.copy_from_slice(job.operand(3, rows.start * u, n * u));
        }
        for step in 0..steps {
            let t = job.time(step);
            let input = |b: usize| job.operand(0, (b * steps + t) * columns, columns);
            let gates = match op.taped {
                true => job.output.add(job.kept(step, rows.start)),
                false => own,
            };
            let keep =
                |b: usize| std::slice::from_raw_parts_mut(gates.add((b - rows.start) * kept), kept);
            // The gates' sums, onto what comes from the input.
            let h_rows = (h.as_ptr(), u);
            let part = kernel.parts[0];
            match op.cell {
                Cell::Simple => {
                    for (b, next) in rows.clone().zip(next.chunks_exact_mut(u.max(1))) {
                        next.copy_from_slice(input(b));
                    }
                    add_product(h_rows, packed, part, (next.as_mut_ptr(), u));
                }
                Cell::Lstm | Cell::Gru { reset_after: false } => {
                    for b in rows.clone() {
                        keep(b)[..columns].copy_from_slice(input(b));
                    }
                    add_product(h_rows, packed, part, (gates, kept));
                }
                Cell::Gru { reset_after: true } => {
                    let bias = job.operand(3, 0, u);
                    for b in rows.clone() {
                        let (x, keep) = (input(b), keep(b));
                        keep[..2 * u].copy_from_slice(&x[..2 * u]);
                        keep[2 * u..3 * u].copy_from_slice(bias);
                        keep[3 * u..].copy_from_slice(&x[2 * u..]);
                    }
                    add_product(h_rows, packed, part, (gates, kept));
                }
            }
            if let Cell::Gru { reset_after } = op.cell {
                for (r, b) in rows.clone().enumerate() {
                    let keep = keep(b);
                    activate(op.recurrent_activation, &mut keep[..2 * u]);
                    let reset = &mut next[r * u..][..u];
                    let reset = reset.iter_mut().zip(&keep[u..2 * u]);
                    let old = &h[r * u..][..u];
                    reset.zip(old).for_each(|((x, r), h)| *x = *r * *h);
                }
                if !reset_after {
                    let behind = packed.add(part.packed(width::<S, T>()));
                    let candidate = (gates.add(2 * u), kept);
                    let reset = (next.as_ptr(), u);
                    add_product(reset, behind, kernel.parts[1], candidate);
                }
            }
            for (r, b) in rows.clone().enumerate() {
                let (h, next) = (&mut h[r * u..][..u], &mut next[r * u..][..u]);
                let counts = job.counts(b, t);
                match op.cell {
                    Cell::Simple => activate(op.activation, next),
                    Cell::Lstm => {
                        let (gates, new) = keep(b).split_at_mut(4 * u);
                        activate(op.recurrent_activation, &mut gates[..2 * u]);
                        activate(op.activation, &mut gates[2 * u..3 * u]);
                        activate(op.recurrent_activation, &mut gates[3 * u..]);
                        let c = &mut c[r * u..][..u];
                        if counts {
                            let (i, f) = (&gates[..u], &gates[u..2 * u]);
                            let (g, o) = (&gates[2 * u..3 * u], &gates[3 * u..4 * u]);
                            for j in 0..u {
                                c[j] = f[j] * c[j] + i[j] * g[j];
                            }
                            next.copy_from_slice(c);
                            activate(op.activation, next);
                            next.iter_mut().zip(o).for_each(|(h, o)| *h = *h * *o);
                        }
                        new.copy_from_slice(c);
                    }
                    Cell::Gru { reset_after } => {
                        let (z, rest) = keep(b).split_at_mut(u);
                        let (r, rest) = rest.split_at_mut(u);
                        let candidate = if reset_after {
                            let (q, candidate) = rest.split_at_mut(u);
                            for j in 0..u {
                                candidate[j] = candidate[j] + r[j] * q[j];
                            }
                            candidate
                        } else {
                            rest
                        };
                        activate(op.activation, candidate);
                        for j in 0..u {
                            next[j] = z[j] * h[j] + (T::from_f64(1.0) - z[j]) * candidate[j];
                        }
                    }
                }
                if counts {
                    h.copy_from_slice(next);
                }
                job.result((b * state_rows + 1 + step) * u, u)
                    .copy_from_slice(h);
            }
        }
        if op.cell == Cell::Lstm {
            for (b, c) in rows.zip(c.chunks_exact(u.max(1))) {
                job.result((b * state_rows + 1 + steps) * u, u)
                    .copy_from_slice(c);
            }
        }
    }
}
