//! The way there: fills the tape.

use super::Job;
use super::gates::{Activate, each};
use crate::kernels::panels::{Product, Rows, width};
use crate::math::Real;
use crate::simd::{Float, Simd, Vector};
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
        // What a part of the kernel makes of some rows, added to what comes from elsewhere.
        let add_product = |(first, row), at: usize, onto, c| {
            let element = 1;
            let before = kernel.parts[..at].iter();
            let before: usize = before.map(|part| part.packed(width::<S, T>())).sum();
            S::vectorize(Product {
                a: Rows {
                    first,
                    row,
                    element,
                },
                rows: n,
                packed: packed.add(before),
                part: kernel.parts[at],
                onto: Some(onto),
                c,
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
            let gates = match op.taped {
                true => job.output.add(job.kept(step, rows.start)),
                false => own,
            };
            let keep =
                |b: usize| std::slice::from_raw_parts_mut(gates.add((b - rows.start) * kept), kept);
            // What comes from the input, from a column on.
            let input = |column: usize| {
                let first = (rows.start * steps + t) * columns + column;
                (job.inputs[0].cast::<T>().add(first), steps * columns)
            };
            let old = (h.as_ptr(), u);
            match op.cell {
                Cell::Simple => add_product(old, 0, input(0), (next.as_mut_ptr(), u)),
                Cell::Lstm => add_product(old, 0, input(0), (gates, kept)),
                Cell::Gru { reset_after } => {
                    add_product(old, 0, input(0), (gates, kept));
                    if reset_after {
                        let bias = job.inputs[3].cast();
                        add_product(old, 1, (bias, 0), (gates.add(2 * u), kept));
                    }
                    for (r, b) in rows.clone().enumerate() {
                        let keep = keep(b);
                        activate(op.recurrent_activation, &mut keep[..2 * u]);
                        if !reset_after {
                            let (reset, old) = (keep[u..].as_ptr(), h[r * u..].as_ptr());
                            let to = next[r * u..].as_mut_ptr();
                            each!(S, T, u; r = reset, h = old; {} to => r.mul(h));
                        }
                    }
                    if !reset_after {
                        let reset = (next.as_ptr(), u);
                        add_product(reset, 1, input(2 * u), (gates.add(2 * u), kept));
                    }
                }
            }
            for (r, b) in rows.clone().enumerate() {
                let (h, next) = (&mut h[r * u..][..u], &mut next[r * u..][..u]);
                let state = job.result((b * state_rows + 1 + step) * u, u);
                let keep = keep(b);
                let counts = job.counts(b, t);
                if op.cell == Cell::Lstm {
                    let (gates, new) = keep.split_at_mut(4 * u);
                    let c = &mut c[r * u..][..u];
                    if counts {
                        activate(op.recurrent_activation, &mut gates[..2 * u]);
                        activate(op.activation, &mut gates[2 * u..3 * u]);
                        activate(op.recurrent_activation, &mut gates[3 * u..]);
                        let gates = gates.as_ptr();
                        let (forget, candidate) = (gates.add(u), gates.add(2 * u));
                        let (c, new, next) = (c.as_mut_ptr(), new.as_mut_ptr(), next.as_mut_ptr());
                        each!(S, T, u; i = gates, f = forget, g = candidate, before = c; {
                            let after = f.fma(before, i.mul(g));
                        } c => after, new => after, next => after);
                    } else {
                        new.copy_from_slice(c);
                    }
                }
                if !counts {
                    state.copy_from_slice(h);
                    continue;
                }
                let (to, state) = (h.as_mut_ptr(), state.as_mut_ptr());
                match op.cell {
                    Cell::Simple => {
                        activate(op.activation, next);
                        let next = next.as_ptr();
                        each!(S, T, u; h = next; {} to => h, state => h);
                    }
                    Cell::Lstm => {
                        activate(op.activation, next);
                        let (next, output) = (next.as_ptr(), keep[3 * u..].as_ptr());
                        each!(S, T, u; c = next, o = output; {
                            let h = o.mul(c);
                        } to => h, state => h);
                    }
                    Cell::Gru { reset_after } => {
                        let (gates, candidate) = keep.split_at_mut(kept - u);
                        let (update, reset) = (gates.as_ptr(), gates[u..].as_ptr());
                        if reset_after {
                            let from_input = input(2 * u).0.add(r * steps * columns);
                            let (product, sum) = (gates[2 * u..].as_ptr(), candidate.as_mut_ptr());
                            each!(S, T, u; x = from_input, r = reset, q = product; {}
                                sum => r.fma(q, x));
                        }
                        activate(op.activation, candidate);
                        let candidate = candidate.as_ptr();
                        let one = T::Vec::<S>::splat(T::from_f64(1.0));
                        each!(S, T, u; z = update, new = candidate, old = to; {
                            let h = z.fma(old, one.sub(z).mul(new));
                        } to => h, state => h);
                    }
                }
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
