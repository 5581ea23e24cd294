//! The recurrences by plain loops.

use super::{Cell, Extents, Recurrent, RecurrentGrad};
use crate::array::Array;

/// `a · b`, or `a · bᵀ`, of a row `a` and the columns from `first` on of `b` with rows of `width`.
fn product(a: &[f64], b: &[f64], width: usize, first: usize, columns: usize) -> Vec<f64> {
    let at = |j: usize| {
        a.iter()
            .enumerate()
            .map(move |(i, x)| x * b[i * width + first + j])
    };
    (0..columns).map(|j| at(j).sum()).collect()
}

fn product_t(a: &[f64], b: &[f64], width: usize, first: usize, rows: usize) -> Vec<f64> {
    let row = |i: usize| &b[i * width + first..][..a.len()];
    let dot = |i| a.iter().zip(row(i)).map(|(x, y)| x * y).sum();
    (0..rows).map(dot).collect()
}

/// The tape.
pub(super) fn forward(op: &Recurrent, inputs: &[&Array]) -> Vec<f64> {
    let Ok(Extents {
        batch,
        steps,
        units: u,
    }) = op.extents(inputs[0].shape(), inputs[1].shape())
    else {
        return Vec::new();
    };
    let (cell, width) = (op.cell, u * op.cell.gates());
    let values: Vec<Vec<f64>> = inputs.iter().map(|a| a.to_vec()).collect();
    let (z, kernel) = (&values[0], &values[1]);
    let bias = cell.has_bias().then(|| &values[3]);
    let rows = cell.state_rows(steps);
    let mut tape = vec![0.0; (batch * rows + steps * batch * cell.kept()) * u];
    let (states, kept) = tape.split_at_mut(batch * rows * u);
    let (a, s) = (op.activation, op.recurrent_activation);
    for b in 0..batch {
        let mut h = values[2][b * u..][..u].to_vec();
        let mut c = match cell {
            Cell::Lstm => values[3][b * u..][..u].to_vec(),
            _ => Vec::new(),
        };
        states[b * rows * u..][..u].copy_from_slice(&h);
        for step in 0..steps {
            let t = if op.reverse { steps - 1 - step } else { step };
            let x = &z[(b * steps + t) * width..][..width];
            let keep = &mut kept[(step * batch + b) * cell.kept() * u..][..cell.kept() * u];
            let counts = !op.masked || values[inputs.len() - 1][b * steps + t] != 0.0;
            let q = product(&h, kernel, width, 0, width);
            let old = h.clone();
            for j in 0..u {
                let gate = |k: usize| x[k * u + j] + q[k * u + j];
                match cell {
                    Cell::Simple => h[j] = a.eval(gate(0)),
                    Cell::Lstm => {
                        let (i, f, o) = (s.eval(gate(0)), s.eval(gate(1)), s.eval(gate(3)));
                        let candidate = a.eval(gate(2));
                        let new = f * c[j] + i * candidate;
                        if counts {
                            c[j] = new;
                        }
                        h[j] = o * a.eval(new);
                        for (k, v) in [i, f, candidate, o, c[j]].into_iter().enumerate() {
                            keep[k * u + j] = v;
                        }
                    }
                    Cell::Gru { .. } => {
                        (keep[j], keep[u + j]) = (s.eval(gate(0)), s.eval(gate(1)));
                    }
                }
            }
            if let Cell::Gru { reset_after } = cell {
                let reset: Vec<f64> = (0..u).map(|j| old[j] * keep[u + j]).collect();
                let through = product(&reset, kernel, width, 2 * u, u);
                for j in 0..u {
                    let inner = match bias {
                        Some(bias) => {
                            keep[2 * u + j] = q[2 * u + j] + bias[j];
                            keep[u + j] * keep[2 * u + j]
                        }
                        None => through[j],
                    };
                    let candidate = a.eval(x[2 * u + j] + inner);
                    keep[(2 + usize::from(reset_after)) * u + j] = candidate;
                    h[j] = keep[j] * old[j] + (1.0 - keep[j]) * candidate;
                }
            }
            if !counts {
                h = old;
            }
            states[(b * rows + 1 + step) * u..][..u].copy_from_slice(&h);
        }
        if cell == Cell::Lstm {
            states[(b * rows + 1 + steps) * u..][..u].copy_from_slice(&c);
        }
    }
    tape
}

/// The gradient of the projected input, and those of the initial states.
pub(super) fn backward(op: &RecurrentGrad, inputs: &[&Array]) -> Vec<f64> {
    let (cell, forward) = (op.forward.cell, op.forward);
    let (batch, rows, u) = {
        let g = inputs[1].shape();
        (g[0], g[1], g[2])
    };
    let (steps, width, k) = (rows - cell.states(), u * cell.gates(), cell.kept());
    let values: Vec<Vec<f64>> = inputs.iter().map(|a| a.to_vec()).collect();
    let (states, kept) = values[0].split_at(batch * rows * u);
    let (g, kernel) = (&values[1], &values[2]);
    let (a, s) = (forward.activation, forward.recurrent_activation);
    let initial = usize::from(op.initial) * cell.states() * batch * u;
    let mut out = vec![0.0; batch * steps * width + initial];
    for b in 0..batch {
        let mut dh = vec![0.0; u];
        let mut dc = match cell {
            Cell::Lstm => g[(b * rows + 1 + steps) * u..][..u].to_vec(),
            _ => Vec::new(),
        };
        for step in (0..steps).rev() {
            let t = if forward.reverse {
                steps - 1 - step
            } else {
                step
            };
            for (d, g) in dh.iter_mut().zip(&g[(b * rows + 1 + step) * u..]) {
                *d += g;
            }
            if forward.masked && values[inputs.len() - 1][b * steps + t] == 0.0 {
                continue;
            }
            let dz = &mut out[(b * steps + t) * width..][..width];
            let keep = |step: usize, i: usize, j: usize| kept[((step * batch + b) * k + i) * u + j];
            let old = &states[(b * rows + step) * u..][..u];
            match cell {
                Cell::Simple => {
                    let h = &states[(b * rows + step + 1) * u..][..u];
                    (0..u).for_each(|j| dz[j] = dh[j] * a.slope(h[j]));
                    dh = product_t(dz, kernel, width, 0, u);
                }
                Cell::Lstm => {
                    for j in 0..u {
                        let [i, f, candidate, o, c] = [0, 1, 2, 3, 4].map(|i| keep(step, i, j));
                        let before = match step {
                            0 => values[3][b * u + j],
                            _ => keep(step - 1, 4, j),
                        };
                        let y = a.eval(c);
                        let d = dc[j] + dh[j] * o * a.slope(y);
                        dz[j] = d * candidate * s.slope(i);
                        dz[u + j] = d * before * s.slope(f);
                        dz[2 * u + j] = d * i * a.slope(candidate);
                        dz[3 * u + j] = dh[j] * y * s.slope(o);
                        dc[j] = d * f;
                    }
                    dh = product_t(dz, kernel, width, 0, u);
                }
                Cell::Gru { reset_after } => {
                    let mut through = vec![0.0; u];
                    for j in 0..u {
                        let (z, candidate) = (keep(step, 0, j), keep(step, k - 1, j));
                        dz[j] = dh[j] * (old[j] - candidate) * s.slope(z);
                        dz[2 * u + j] = dh[j] * (1.0 - z) * a.slope(candidate);
                        through[j] = dz[2 * u + j] * keep(step, 1, j);
                    }
                    // What flows to r·h, if reset before.
                    let inner = product_t(&dz[2 * u..], kernel, width, 2 * u, u);
                    for j in 0..u {
                        let r = keep(step, 1, j);
                        let dr = match reset_after {
                            true => dz[2 * u + j] * keep(step, 2, j),
                            false => inner[j] * old[j],
                        };
                        dz[u + j] = dr * s.slope(r);
                        dh[j] *= keep(step, 0, j);
                        if !reset_after {
                            dh[j] += inner[j] * r;
                        }
                    }
                    let gates = product_t(&dz[..2 * u], kernel, width, 0, u);
                    let candidate = product_t(&through, kernel, width, 2 * u, u);
                    for j in 0..u {
                        dh[j] += gates[j] + if reset_after { candidate[j] } else { 0.0 };
                    }
                }
            }
        }
        if op.initial {
            let first = batch * steps * width;
            out[first + b * u..][..u].copy_from_slice(&dh);
            if cell == Cell::Lstm {
                out[first + (batch + b) * u..][..u].copy_from_slice(&dc);
            }
        }
    }
    out
}
