//! Rows put into the panels of [`Gram`], in loops that vectorise.

use crate::blocks::Real;
use cornu_cpu::kernels::tall::Gram;
use cornu_cpu::simd::{Loops, vectorized};

/// A block of rows: features, other numbers, and a 1 at the end, so that its products are sums.
pub(crate) struct Panels<'a, T> {
    pub gram: &'a Gram,
    pub x: &'a [T],
    pub features: usize,
    /// What each row has between its features and the 1.
    pub others: &'a [f64],
    /// What is taken from the features and the others.
    pub shift: &'a [f64],
    /// What each row is then multiplied by.
    pub factors: Option<&'a [f64]>,
    pub packed: &'a mut [f64],
}

impl<T: Real> Panels<'_, T> {
    /// Packs the rows.
    pub fn pack(self) {
        vectorized(self);
    }
}

impl<T: Real> Loops for Panels<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let (p, width) = (self.features, self.gram.width());
        let others = self.shift.len() - p;
        let factor = |row: usize| self.factors.map_or(1.0, |factors| factors[row]);
        for (r, x) in self.x.chunks_exact(p).enumerate() {
            let factor = factor(r);
            let panels = x.chunks(width).zip(self.shift[..p].chunks(width));
            for (panel, (x, shift)) in panels.enumerate() {
                let to = &mut self.packed[(panel * Gram::ROWS + r) * width..][..x.len()];
                // Of lengths that the compiler knows, for rows are often short.
                let (x4, x) = x.as_chunks::<4>();
                let (shift4, shift) = shift.as_chunks::<4>();
                let (to4, to) = to.as_chunks_mut::<4>();
                for ((to, x), shift) in to4.iter_mut().zip(x4).zip(shift4) {
                    for i in 0..4 {
                        to[i] = (x[i].into() - shift[i]) * factor;
                    }
                }
                for ((to, &x), &shift) in to.iter_mut().zip(x).zip(shift) {
                    *to = (x.into() - shift) * factor;
                }
            }
        }
        let rows = self.x.len() / p;
        for column in 0..=others {
            let (panel, at) = ((p + column) / width, (p + column) % width);
            let to = &mut self.packed[panel * Gram::ROWS * width + at..];
            let to = to.iter_mut().step_by(width).take(rows).enumerate();
            match self.shift.get(p + column) {
                Some(shift) => {
                    to.for_each(|(r, to)| {
                        *to = (self.others[r * others + column] - shift) * factor(r)
                    });
                }
                None => to.for_each(|(r, to)| *to = factor(r)),
            }
        }
    }
}
