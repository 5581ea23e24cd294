//! What flows back from windows to their cells.

use super::axis::Axis;
use super::cell::{Cell, added, larger};
use super::{BLOCK, Job, Window, blocks};
use std::ops::Range;

impl<T: Cell> Job<'_, T> {
    /// Each cell's sum over the windows that it is in, for the rows of cells that are this job's.
    #[inline(always)]
    pub(super) unsafe fn spread(&self) {
        let [a, b, c] = self.kernel.axes;
        for row in self.units.clone() {
            let (image, at) = (row / (a.input * b.input), row % (a.input * b.input));
            let (wa, wb) = (a.covering(at / b.input), b.covering(at % b.input));
            for k in 0..c.input {
                // SAFETY: the cell is one of the result's, its windows are the pooled array's.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    let at = (image, [&wa, &wb, &c.covering(k)]);
                    self.gathered(row * c.input + k, at, first, n);
                });
            }
        }
    }

    /// The sum of what flows to a cell from the windows that it is in.
    #[inline(always)]
    unsafe fn gathered(
        &self,
        cell: usize,
        (image, [wa, wb, wc]): (usize, [&Range<usize>; 3]),
        first: usize,
        n: usize,
    ) {
        let [a, b, c] = self.kernel.axes.map(|axis| axis.output);
        let channels = self.kernel.channels;
        let mut sum = [T::Sum::default(); BLOCK];
        // SAFETY: as for `largest`.
        unsafe {
            for oa in wa.clone() {
                for ob in wb.clone() {
                    for oc in wc.clone() {
                        let o = ((image * a + oa) * b + ob) * c + oc;
                        let g = std::slice::from_raw_parts(self.x.add(o * channels + first), n);
                        for (s, g) in sum[..n].iter_mut().zip(g) {
                            *s += g.widen();
                        }
                    }
                }
            }
            let at = cell * channels + first;
            let y = std::slice::from_raw_parts_mut(self.output.add(at), n);
            for (y, s) in y.iter_mut().zip(&sum[..n]) {
                *y = T::narrow(*s);
            }
        }
    }

    /// What flows to the first largest cell of each window, for the images that are this job's.
    #[inline(always)]
    pub(super) unsafe fn scatter(&self) {
        let axes = self.kernel.axes;
        let [a, b, c] = axes;
        let image_size = a.input * b.input * c.input * self.kernel.channels;
        let tiles = axes.iter().all(Axis::tiles);
        let apart = axes.iter().all(Axis::apart);
        for image in self.units.clone() {
            if !tiles {
                // SAFETY: the image is one of the result's.
                let dx = unsafe {
                    std::slice::from_raw_parts_mut(self.output.add(image * image_size), image_size)
                };
                dx.fill(T::default());
            }
            for o in 0..a.output * b.output * c.output {
                let (oa, ob, oc) = (
                    o / (b.output * c.output),
                    o / c.output % b.output,
                    o % c.output,
                );
                let window = (image, [a.window(oa), b.window(ob), c.window(oc)]);
                let o = image * a.output * b.output * c.output + o;
                let four = self.four(&window).filter(|_| apart);
                // SAFETY: the window's cells and its place are inside the arrays.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    match four {
                        Some(cells) if n == BLOCK => self.flow_among(o, cells, first),
                        _ => self.flow(o, &window, apart, first, n),
                    }
                });
            }
        }
    }

    /// What flows to the first largest of four cells that are in no other window: all at once, in registers.
    #[inline(always)]
    unsafe fn flow_among(&self, o: usize, cells: [usize; 4], first: usize) {
        // SAFETY: as for `largest`; the blocks are whole.
        unsafe {
            let block = |p: *const T| p.cast::<[T; BLOCK]>().read_unaligned();
            let (mut best, mut place) = (block(self.x.add(cells[0] + first)), [0u32; BLOCK]);
            for (number, cell) in (1..).zip(&cells[1..]) {
                let x = block(self.x.add(cell + first));
                for i in 0..BLOCK {
                    let take = larger(x[i], best[i]);
                    best[i] = if take { x[i] } else { best[i] };
                    place[i] = if take { number } else { place[i] };
                }
            }
            let g = block(self.v.add(o * self.kernel.channels + first));
            for (number, cell) in (0..).zip(cells) {
                let mut flow = [T::default(); BLOCK];
                for i in 0..BLOCK {
                    flow[i] = if place[i] == number { g[i] } else { flow[i] };
                }
                let to = self.output.add(cell + first).cast::<[T; BLOCK]>();
                to.write_unaligned(flow);
            }
        }
    }

    /// What flows to the first largest cell of a window.
    #[inline(always)]
    unsafe fn flow(&self, o: usize, window: &Window, apart: bool, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let place = self.places(window, first, n);
            let at = o * self.kernel.channels + first;
            let g = std::slice::from_raw_parts(self.v.add(at), n);
            let mut number = 0;
            self.cells(window, |cell| {
                let dx = std::slice::from_raw_parts_mut(self.output.add(cell + first), n);
                for ((dx, p), g) in dx.iter_mut().zip(&place[..n]).zip(g) {
                    let flow = if *p == number { *g } else { T::default() };
                    *dx = if apart { flow } else { added(*dx, flow) };
                }
                number += 1;
            });
        }
    }
}
