//! What is found in windows: their largest cells, what else lies there, sums.

use super::cell::{Cell, larger};
use super::{BLOCK, Job, Window, blocks};
use cornu_core::ops::pool::PoolFn;

impl<T: Cell> Job<'_, T> {
    /// Every window of the rows that are this job's.
    #[inline(always)]
    pub(super) unsafe fn windows(&self) {
        let [a, b, c] = self.kernel.axes;
        for row in self.units.clone() {
            let (image, at) = (row / (a.output * b.output), row % (a.output * b.output));
            let (oa, ob) = (at / b.output, at % b.output);
            for oc in 0..c.output {
                let window = (image, [a.window(oa), b.window(ob), c.window(oc)]);
                let o = row * c.output + oc;
                let four = self.four(&window);
                // SAFETY: the window is one of the pooled array's.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    match (self.kernel.f, four) {
                        (PoolFn::Max, Some(cells)) if n == BLOCK => {
                            self.largest_among(o, cells, first);
                        }
                        (PoolFn::Max, _) => self.largest(o, &window, first, n),
                        (PoolFn::MaxGather, _) => self.gather(o, &window, first, n),
                        _ => self.sum(o, &window, first, n),
                    }
                });
            }
        }
    }

    #[inline(always)]
    unsafe fn largest(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: the window's cells and its place in the result are inside the arrays.
        unsafe {
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut best = [T::default(); BLOCK];
            let mut begun = false;
            self.cells(window, |cell| {
                let x = std::slice::from_raw_parts(self.x.add(cell + first), n);
                if !begun {
                    best[..n].copy_from_slice(x);
                    begun = true;
                    return;
                }
                for (b, x) in best[..n].iter_mut().zip(x) {
                    *b = if larger(*x, *b) { *x } else { *b };
                }
            });
            y.copy_from_slice(&best[..n]);
        }
    }

    /// As `largest`, of four cells and a whole block: all at once, in registers.
    #[inline(always)]
    unsafe fn largest_among(&self, o: usize, cells: [usize; 4], first: usize) {
        // SAFETY: as for `largest`; the block is whole.
        unsafe {
            let block = |p: *const T| p.cast::<[T; BLOCK]>().read_unaligned();
            let mut best = block(self.x.add(cells[0] + first));
            for cell in &cells[1..] {
                let x = block(self.x.add(cell + first));
                for i in 0..BLOCK {
                    best[i] = if larger(x[i], best[i]) { x[i] } else { best[i] };
                }
            }
            let to = self.output.add(o * self.kernel.channels + first);
            to.cast::<[T; BLOCK]>().write_unaligned(best);
        }
    }

    /// Which cell of a window, counted from 0, is the first largest.
    #[inline(always)]
    pub(super) unsafe fn places(&self, window: &Window, first: usize, n: usize) -> [u32; BLOCK] {
        let (mut best, mut place) = ([T::default(); BLOCK], [0u32; BLOCK]);
        let mut number = 0;
        self.cells(window, |cell| {
            // SAFETY: the window's cells are inside the array.
            let x = unsafe { std::slice::from_raw_parts(self.x.add(cell + first), n) };
            if number == 0 {
                best[..n].copy_from_slice(x);
            }
            for ((b, p), x) in best[..n].iter_mut().zip(&mut place[..n]).zip(x) {
                let take = larger(*x, *b);
                *b = if take { *x } else { *b };
                *p = if take { number } else { *p };
            }
            number += 1;
        });
        place
    }

    #[inline(always)]
    unsafe fn gather(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let place = self.places(window, first, n);
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut number = 0;
            self.cells(window, |cell| {
                let v = std::slice::from_raw_parts(self.v.add(cell + first), n);
                for ((y, p), v) in y.iter_mut().zip(&place[..n]).zip(v) {
                    *y = if *p == number { *v } else { *y };
                }
                number += 1;
            });
        }
    }

    #[inline(always)]
    unsafe fn sum(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut sum = [T::Sum::default(); BLOCK];
            self.cells(window, |cell| {
                let x = std::slice::from_raw_parts(self.x.add(cell + first), n);
                for (s, x) in sum[..n].iter_mut().zip(x) {
                    *s += x.widen();
                }
            });
            for (y, s) in y.iter_mut().zip(&sum[..n]) {
                *y = T::narrow(*s);
            }
        }
    }
}
