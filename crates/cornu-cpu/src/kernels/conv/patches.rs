//! Gathering patches: for each place, the cells that the kernel meets there, side by side.

use crate::simd::{Float, Isa, Simd, SimdOp, Vector, dispatch};
use std::ops::Range;

/// The places along an axis and what the kernel's cells meet there: place `i` and cell `k` meet
/// position `i * step + offsets[k]` of the source, which is zero outside.
pub(super) struct Axis {
    pub count: usize,
    pub step: usize,
    pub source: usize,
    pub offsets: Vec<isize>,
}

/// All patches of a channels-last source.
pub(super) struct Patches {
    pub axes: [Axis; 3],
    /// Channels of the source, and how many of them a patch has.
    pub channels: usize,
    pub depth: usize,
}

impl Patches {
    /// Writes the patches of some places, from channel `first` on, one after another.
    ///
    /// # Safety
    /// `source` is valid for all samples, `to` for `rows` patches.
    pub unsafe fn gather<T: Float>(
        &self,
        isa: Isa,
        source: *const T,
        first: usize,
        rows: Range<usize>,
        to: *mut T,
    ) {
        let job = Gather {
            patches: self,
            source,
            first,
            rows,
            to,
        };
        // SAFETY: as promised by the caller.
        unsafe { dispatch(isa, job) }
    }
}

struct Gather<'a, T> {
    patches: &'a Patches,
    source: *const T,
    first: usize,
    rows: Range<usize>,
    to: *mut T,
}

/// Copies `n` values, or writes zeros.
#[inline(always)]
unsafe fn fill<S: Simd, T: Float>(from: Option<*const T>, to: *mut T, n: usize) {
    let lanes = T::Vec::<S>::LANES;
    let mut i = 0;
    // SAFETY: both are valid for `n` values, by the caller's promise; the rest is masked.
    unsafe {
        while i < n {
            let mask = T::Vec::<S>::mask(n - i);
            let v = match from {
                Some(from) if n - i >= lanes => T::Vec::<S>::load(from.add(i)),
                Some(from) => T::Vec::<S>::load_mask(from.add(i), mask),
                None => T::Vec::<S>::splat(T::ZERO),
            };
            if n - i >= lanes {
                v.store(to.add(i));
            } else {
                v.store_mask(to.add(i), mask);
            }
            i += lanes;
        }
    }
}

impl<T: Float> SimdOp for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Patches {
            axes: [a, b, c],
            channels,
            depth,
        } = self.patches;
        let (channels, depth) = (*channels, *depth);
        let cells = c.offsets.len();
        // Neighbouring cells lie side by side: the whole line of a patch is one run.
        let runs = depth == channels && c.offsets.windows(2).all(|o| o[1] == o[0] + 1);
        let (lowest, highest) = (c.offsets.first(), c.offsets.last());
        let (lowest, highest) = (lowest.copied().unwrap_or(0), highest.copied().unwrap_or(0));
        let mut to = self.to;
        let mut row = self.rows.start;
        // SAFETY: only positions inside the source are read, and each row's patch is written.
        unsafe {
            while row < self.rows.end {
                let (line, first) = (row / c.count, row % c.count);
                let here = (self.rows.end - row).min(c.count - first);
                let (image, at) = (line / (a.count * b.count), line % (a.count * b.count));
                let (ia, ib) = (
                    (at / b.count * a.step) as isize,
                    (at % b.count * b.step) as isize,
                );
                for i in first..first + here {
                    let ic = (i * c.step) as isize;
                    for oa in &a.offsets {
                        let pa = ia + oa;
                        for ob in &b.offsets {
                            let pb = ib + ob;
                            let inside = (0..a.source as isize).contains(&pa)
                                && (0..b.source as isize).contains(&pb);
                            if !inside {
                                fill::<S, T>(None, to, cells * depth);
                                to = to.add(cells * depth);
                                continue;
                            }
                            let before = (image * a.source + pa as usize) * b.source + pb as usize;
                            let line = self.source.add(before * c.source * channels + self.first);
                            if runs && ic + lowest >= 0 && ic + highest < c.source as isize {
                                let from = line.add((ic + lowest) as usize * channels);
                                fill::<S, T>(Some(from), to, cells * depth);
                                to = to.add(cells * depth);
                                continue;
                            }
                            for oc in &c.offsets {
                                let pc = ic + oc;
                                let inside = (0..c.source as isize).contains(&pc);
                                let from = inside.then(|| line.add(pc as usize * channels));
                                fill::<S, T>(from, to, depth);
                                to = to.add(depth);
                            }
                        }
                    }
                }
                row += here;
            }
        }
    }
}
