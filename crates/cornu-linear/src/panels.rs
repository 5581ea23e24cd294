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
        for (r, x) in self.x.chunks_exact(p).enumerate() {
            let factor = self.factors.map_or(1.0, |factors| factors[r]);
            let panels = x.chunks(width).zip(self.shift[..p].chunks(width));
            for (panel, (x, shift)) in panels.enumerate() {
                let to = &mut self.packed[(panel * Gram::ROWS + r) * width..][..x.len()];
                for ((to, &x), &shift) in to.iter_mut().zip(x).zip(shift) {
                    *to = (x.into() - shift) * factor;
                }
            }
            let last = self.others[r * others..][..others]
                .iter()
                .zip(&self.shift[p..]);
            let last = last.map(|(y, shift)| y - shift).chain([1.0]);
            for (column, v) in (p..).zip(last) {
                let (panel, column) = (column / width, column % width);
                self.packed[(panel * Gram::ROWS + r) * width + column] = v * factor;
            }
        }
    }
}
