//! Minimising a smooth function by L-BFGS.

use std::collections::VecDeque;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    /// The largest slope left.
    pub gradient: f64,
    /// The decrease of the value that is none any more, as a part of it.
    pub value: f64,
    pub iterations: usize,
}

/// How a minimisation went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Minimised {
    pub value: f64,
    pub iterations: usize,
    pub converged: bool,
}

/// Steps that the curvature is estimated from.
const MEMORY: usize = 10;
/// The part of the slope that a step must lower the value by, and that which may be left at its end.
const ARMIJO: f64 = 1e-4;
/// See there.
const WOLFE: f64 = 0.9;

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// Minimises `f`, which gives a value and writes the gradient, from `w` on (Nocedal and Wright, *Numerical
/// Optimization*, algorithms 7.4 and 3.5). The steps' lengths meet the strong Wolfe conditions.
pub(crate) fn minimise(
    w: &mut [f64],
    stop: Stop,
    mut f: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimised {
    let mut gradient = vec![0.0; w.len()];
    let mut value = f(w, &mut gradient);
    // Of each remembered step: itself, the change of the gradient, and the inverse of their product.
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    let mut iterations = 0;
    let mut converged = largest(&gradient) <= stop.gradient;
    while !converged && iterations < stop.iterations && value.is_finite() {
        let mut direction = direction(&memory, &gradient);
        let mut slope = dot(&direction, &gradient);
        if slope >= 0.0 {
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&direction, &gradient);
        }
        let first = match memory.is_empty() {
            true => (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0),
            false => 1.0,
        };
        let mut search = Search {
            f: &mut f,
            start: w,
            direction: &direction,
            point: w.to_vec(),
            gradient: gradient.clone(),
        };
        let Some(new) = search.run(value, slope, first) else {
            if memory.is_empty() {
                break;
            }
            // What is remembered misleads: once more from the gradient alone.
            memory.clear();
            continue;
        };
        let (point, new_gradient) = (search.point, search.gradient);
        iterations += 1;
        let step: Vec<f64> = point.iter().zip(&*w).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = new_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        let product = dot(&step, &change);
        if product > f64::EPSILON * dot(&change, &change) {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((step, change, 1.0 / product));
        }
        w.copy_from_slice(&point);
        gradient = new_gradient;
        let scale = value.abs().max(new.abs()).max(1.0);
        converged = largest(&gradient) <= stop.gradient || value - new <= stop.value * scale;
        value = new;
    }
    Minimised {
        value,
        iterations,
        converged,
    }
}

/// The gradient times the estimated inverse curvature, downwards.
fn direction(memory: &VecDeque<(Vec<f64>, Vec<f64>, f64)>, gradient: &[f64]) -> Vec<f64> {
    let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, change, inverse) in memory.iter().rev() {
        let share = inverse * dot(step, &d);
        add(&mut d, -share, change);
        shares.push(share);
    }
    if let Some((_, change, inverse)) = memory.back() {
        let scale = 1.0 / (inverse * dot(change, change));
        d.iter_mut().for_each(|d| *d *= scale);
    }
    for ((step, change, inverse), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = inverse * dot(change, &d);
        add(&mut d, share - back, step);
    }
    d
}

fn add(to: &mut [f64], factor: f64, v: &[f64]) {
    for (to, v) in to.iter_mut().zip(v) {
        *to += factor * v;
    }
}

struct Search<'a, F> {
    f: &'a mut F,
    start: &'a [f64],
    direction: &'a [f64],
    point: Vec<f64>,
    gradient: Vec<f64>,
}

/// A length tried: the value there and its slope.
#[derive(Clone, Copy)]
struct Tried {
    length: f64,
    value: f64,
    slope: f64,
}

impl<F: FnMut(&[f64], &mut [f64]) -> f64> Search<'_, F> {
    fn at(&mut self, length: f64) -> Tried {
        for ((p, s), d) in self.point.iter_mut().zip(self.start).zip(self.direction) {
            *p = s + length * d;
        }
        let value = (self.f)(&self.point, &mut self.gradient);
        Tried {
            length,
            value: if value.is_nan() { f64::INFINITY } else { value },
            slope: dot(&self.gradient, self.direction),
        }
    }

    /// Finds a length; leaves its point and gradient. None if there is no lower value.
    fn run(&mut self, value: f64, slope: f64, first: f64) -> Option<f64> {
        let start = Tried {
            length: 0.0,
            value,
            slope,
        };
        let low_enough = |t: &Tried| t.value <= value + ARMIJO * t.length * slope;
        let (mut low, mut high) = (start, None);
        let mut length = first;
        for _ in 0..30 {
            let tried = self.at(length);
            if !low_enough(&tried) || (low.length > 0.0 && tried.value >= low.value) {
                high = Some(tried);
            } else if tried.slope.abs() <= -WOLFE * slope {
                return Some(tried.value);
            } else if tried.slope >= 0.0 {
                high = Some(low);
                low = tried;
            } else {
                if high.is_some_and(|h| (h.length - low.length) * tried.slope >= 0.0) {
                    high = Some(low);
                }
                low = tried;
            }
            length = match high {
                None => 4.0 * length,
                Some(high) => between(low, high),
            };
            if high.is_some_and(|h| (h.length - low.length).abs() <= 1e-14 * low.length.max(1e-10))
            {
                break;
            }
        }
        // No length meets both conditions to the digits there are; the lowest value will do.
        (low.length > 0.0 && low.value < value).then(|| self.at(low.length).value)
    }
}

/// The lowest point of the cubic through both, kept away from the ends.
fn between(a: Tried, b: Tried) -> f64 {
    let width = b.length - a.length;
    let d = a.slope + b.slope - 3.0 * (b.value - a.value) / width;
    let root = (d * d - a.slope * b.slope).sqrt() * width.signum();
    let cubic = b.length - width * (b.slope + root - d) / (b.slope - a.slope + 2.0 * root);
    let (near, far) = (a.length + 0.1 * width, a.length + 0.9 * width);
    match cubic.is_finite() {
        true => cubic.clamp(near.min(far), near.max(far)),
        false => a.length + 0.5 * width,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_rosenbrocks_valley() {
        let mut w = [-1.2, 1.0];
        let stop = Stop {
            gradient: 1e-10,
            value: 0.0,
            iterations: 100,
        };
        let found = minimise(&mut w, stop, |w, g| {
            let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
            g[0] = -2.0 * a - 400.0 * b * w[0];
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        });
        assert!(found.converged && found.iterations < 60, "{found:?}");
        assert!(
            (w[0] - 1.0).abs() < 1e-8 && (w[1] - 1.0).abs() < 1e-8,
            "{w:?}"
        );
    }
}
