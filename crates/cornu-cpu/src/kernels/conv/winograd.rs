//! Convolutions with 3×3 cells by minimal filtering, F(2×2, 3×3).
//!
//! Four neighbouring places meet 4×4 positions of the source. Of these 16 numbers, and of the kernel's
//! nine, sums are made such that 16 products give all four results, where plain sums take 36. With
//! channels, each of the 16 is a matrix product of its own, over all tiles of four places. The sums are
//! of few numbers and exact weights (1 and ½), so the result is about as precise as the plain one; where the
//! source is infinite, a tile is NaN, for it takes differences.
//!
//! Source: A. Lavin, S. Gray, *Fast Algorithms for Convolutional Neural Networks*, CVPR 2016,
//! <https://arxiv.org/abs/1509.09308>.

mod weights;

use super::super::matmul::Sections;
use super::Phase;
use crate::simd::{Float, Isa, Simd, SimdOp, Vector, dispatch};
use std::ops::Range;
use weights::{KernelOf, Ready, of_results, of_source, results};

/// Products that stand for the sums of a tile.
pub(super) const CELLS: usize = 16;
/// Channels are worked on in whole lines of so many.
const LINE: usize = 16;
/// Elements of the tiles that a unit works on, which stay in a usual L2 cache beside the kernel, and bounds of
/// their number: few make little of a kernel that comes from afar.
const UNIT: usize = 64 << 10;
const TILES: [usize; 2] = [36, 64];
/// Tiles below which making the kernel ready costs more than is won.
const LEAST_TILES: usize = 64;
/// Units that large work is cut into at least.
const LEAST_UNITS: usize = super::LEAST_BLOCKS;

/// How a convolution of `f32` is cut into tiles: a unit is some pairs of lines of places, over all images.
pub(super) struct Winograd {
    /// Lines and positions of the source and of the places in an image.
    source: [usize; 2],
    places: [usize; 2],
    /// The line and the position that the first place's kernel begins at; negative in the padding.
    first: [isize; 2],
    /// Channels of the source and of the result.
    depth: usize,
    width: usize,
    /// Pairs of lines in an image and in all.
    pairs: usize,
    all: usize,
    /// Tiles of a pair, and pairs of a unit.
    across: usize,
    block: usize,
}

impl Winograd {
    /// For the one phase of a convolution whose 3×3 cells and whose places lie side by side, if there are
    /// channels and tiles enough.
    pub fn new(phases: &[Phase], images: usize, width: usize) -> Option<Winograd> {
        let [phase] = phases else { return None };
        let (patches, [a, b, c]) = (&phase.patches, &phase.patches.axes);
        let flat = a.count == 1 && a.source == 1 && a.offsets == [0];
        let cells = [b, c].iter().all(|axis| {
            axis.step == 1 && matches!(axis.offsets[..], [x, y, z] if y == x + 1 && z == y + 1)
        });
        let depth = patches.depth;
        let lines = [depth, width].iter().all(|n| *n > 0 && n % LINE == 0);
        if !flat || !cells || !lines || depth != patches.channels || phase.spread.is_some() {
            return None;
        }
        let (pairs, across) = (b.count.div_ceil(2), c.count.div_ceil(2));
        let all = images * pairs;
        if all * across < LEAST_TILES {
            return None;
        }
        let tiles = (UNIT / (CELLS * (depth + width))).clamp(TILES[0], TILES[1]);
        let block = (tiles / across).clamp(1, all.div_ceil(LEAST_UNITS));
        Some(Winograd {
            source: [b.source, c.source],
            places: [b.count, c.count],
            first: [b.offsets[0], c.offsets[0]],
            depth,
            width,
            pairs,
            all,
            across,
            block,
        })
    }

    pub fn units(&self) -> usize {
        self.all.div_ceil(self.block)
    }

    fn unit(&self, unit: usize) -> Range<usize> {
        unit * self.block..((unit + 1) * self.block).min(self.all)
    }

    /// The number of a pair's first place, among all.
    fn row(&self, pair: usize) -> usize {
        let (image, pair) = (pair / self.pairs, pair % self.pairs);
        (image * self.places[0] + 2 * pair) * self.places[1]
    }

    /// Elements from one cell's tiles of so many channels to the next's. They are an odd number of cache lines
    /// apart, for what is apart by a power of two falls into the same cache sets.
    fn apart(&self, channels: usize) -> usize {
        ((self.block * self.across * channels / LINE) | 1) * LINE
    }

    /// Elements of a thread's workspace: tiles of the source and of the result, and a line of zeros.
    pub fn workspace(&self) -> usize {
        CELLS * (self.apart(self.depth) + self.apart(self.width)) + self.depth
    }

    /// Elements of the results of a unit.
    pub fn results(&self) -> usize {
        2 * self.block * self.places[1] * self.width
    }

    /// Elements of the kernel made ready.
    pub fn kernel_size(&self) -> usize {
        CELLS * self.depth * self.width
    }

    /// Makes a kernel ready: nine matrices of (depth, width), one after another, become 16.
    ///
    /// # Safety
    /// `kernel` has nine matrices, `to` room for [`Winograd::kernel_size`] elements.
    pub unsafe fn ready(&self, isa: Isa, kernel: *const f32, to: *mut f32) {
        let n = self.depth * self.width;
        // SAFETY: as promised by the caller.
        unsafe { dispatch(isa, Ready { n, kernel, to }) }
    }

    /// Makes a kernel's gradient of the sums of all units: 16 matrices become nine.
    ///
    /// # Safety
    /// The other way round as for [`Winograd::ready`].
    pub unsafe fn kernel_of(&self, isa: Isa, sums: *const f32, to: *mut f32) {
        let n = self.depth * self.width;
        // SAFETY: as promised by the caller.
        unsafe { dispatch(isa, KernelOf { n, sums, to }) }
    }

    /// Computes the result of a unit: rows of `ld` elements from `to` on. Returns the rows' numbers.
    ///
    /// # Safety
    /// `source` is valid for all images, `kernel` was made ready, `to` gives the place of a row that has room
    /// for this one and those after it, and `work` has room as [`Winograd::workspace`] says.
    #[allow(clippy::too_many_arguments)] // as for lines
    pub unsafe fn output(
        &self,
        isa: Isa,
        unit: usize,
        source: *const f32,
        kernel: *const f32,
        to: impl FnOnce(usize) -> *mut f32,
        ld: usize,
        work: *mut f32,
    ) -> Range<usize> {
        let pairs = self.unit(unit);
        let rows = self.row(pairs.start)..self.row(pairs.end);
        let job = Unit {
            plan: self,
            pairs,
            source,
            work,
            then: Then::Results {
                kernel,
                to: to(rows.start),
                ld,
            },
        };
        // SAFETY: as promised by the caller.
        unsafe { dispatch(isa, job) };
        rows
    }

    /// Adds to (or begins) the 16 matrices of the kernel's gradient with what a unit gives.
    ///
    /// # Safety
    /// As for [`Winograd::output`]; `g` is valid for all places, `to` for [`Winograd::kernel_size`] elements.
    #[allow(clippy::too_many_arguments)] // as for lines
    pub unsafe fn kernel(
        &self,
        isa: Isa,
        unit: usize,
        source: *const f32,
        g: *const f32,
        to: *mut f32,
        accumulate: bool,
        work: *mut f32,
    ) {
        let job = Unit {
            plan: self,
            pairs: self.unit(unit),
            source,
            work,
            then: Then::Kernel { g, to, accumulate },
        };
        // SAFETY: as promised by the caller.
        unsafe { dispatch(isa, job) }
    }
}

/// Some pairs of lines of places.
struct Unit<'a, T> {
    plan: &'a Winograd,
    pairs: Range<usize>,
    source: *const T,
    work: *mut T,
    then: Then<T>,
}

/// What the source's tiles are multiplied by.
#[derive(Clone, Copy)]
enum Then<T> {
    Results {
        kernel: *const T,
        to: *mut T,
        ld: usize,
    },
    Kernel {
        g: *const T,
        to: *mut T,
        accumulate: bool,
    },
}

impl<T: Float> SimdOp for Unit<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let plan = self.plan;
        let (depth, width) = (plan.depth, plan.width);
        let (from, onto) = (plan.apart(depth), plan.apart(width));
        let tiles = self.pairs.len() * plan.across;
        // SAFETY: the workspace has room for all parts; what lies outside of the source is zero.
        unsafe {
            let sources = self.work;
            let results = sources.add(CELLS * from);
            let zeros = results.add(CELLS * onto);
            std::slice::from_raw_parts_mut(zeros, depth).fill(T::ZERO);
            self.sources::<S>(zeros, sources, from);
            match self.then {
                Then::Results { kernel, to, ld } => {
                    for cell in 0..CELLS {
                        let product = Sections {
                            rows: tiles,
                            starts: &[sources.cast_const().add(cell * from)],
                            rsa: depth,
                            csa: 1,
                            k: depth,
                            b: kernel.add(cell * depth * width),
                            ldb: width,
                            n: width,
                            c: results.add(cell * onto),
                            ldc: width,
                            accumulate: false,
                        };
                        S::vectorize(product);
                    }
                    self.results::<S>(results, onto, to, ld);
                }
                Then::Kernel { g, to, accumulate } => {
                    self.gradients::<S>(g, results, onto);
                    for cell in 0..CELLS {
                        let product = Sections {
                            rows: depth,
                            starts: &[sources.cast_const().add(cell * from)],
                            rsa: 1,
                            csa: depth,
                            k: tiles,
                            b: results.add(cell * onto),
                            ldb: width,
                            n: width,
                            c: to.add(cell * depth * width),
                            ldc: width,
                            accumulate,
                        };
                        S::vectorize(product);
                    }
                }
            }
        }
    }
}

/// Where the four lines that a pair meets begin, and how far their positions are apart: by nothing in a line of
/// zeros that stands for all outside.
struct Met<T> {
    lines: [*const T; 4],
    steps: [usize; 4],
    positions: usize,
}

impl<T: Float> Met<T> {
    /// What the four positions of a column give, `c` channels on.
    #[inline(always)]
    unsafe fn column<S: Simd>(&self, position: isize, c: usize) -> [T::Vec<S>; 4] {
        // SAFETY: only positions inside the source are read.
        unsafe {
            if position < 0 || position >= self.positions as isize {
                return [T::Vec::<S>::splat(T::ZERO); 4];
            }
            let at = position as usize;
            of_source([
                Vector::load(self.lines[0].add(at * self.steps[0] + c)),
                Vector::load(self.lines[1].add(at * self.steps[1] + c)),
                Vector::load(self.lines[2].add(at * self.steps[2] + c)),
                Vector::load(self.lines[3].add(at * self.steps[3] + c)),
            ])
        }
    }
}

#[allow(clippy::needless_range_loop)] // as above
impl<T: Float> Unit<'_, T> {
    /// The source's tiles.
    #[inline(always)]
    unsafe fn sources<S: Simd>(&self, zeros: *const T, to: *mut T, apart: usize) {
        let plan = self.plan;
        let (n, [lines, positions]) = (plan.depth, plan.source);
        let mut to = to;
        for pair in self.pairs.clone() {
            let (image, pair) = (pair / plan.pairs, pair % plan.pairs);
            // SAFETY: lines inside the source are inside it.
            unsafe {
                let image = self.source.add(image * lines * positions * n);
                let mut met = Met {
                    lines: [zeros; 4],
                    steps: [0; 4],
                    positions,
                };
                for i in 0..4 {
                    let line = (2 * pair + i) as isize + plan.first[0];
                    if line >= 0 && line < lines as isize {
                        met.lines[i] = image.add(line as usize * positions * n);
                        met.steps[i] = n;
                    }
                }
                let mut c = 0;
                while c < n {
                    // Neighbouring tiles share two columns.
                    let mut position = plan.first[1];
                    let mut a = met.column::<S>(position, c);
                    let mut b = met.column::<S>(position + 1, c);
                    for tile in 0..plan.across {
                        position += 2;
                        let next = met.column::<S>(position, c);
                        let last = met.column::<S>(position + 1, c);
                        let to = to.add(tile * n + c);
                        for i in 0..4 {
                            let four = of_source([a[i], b[i], next[i], last[i]]);
                            for j in 0..4 {
                                four[j].store(to.add((4 * i + j) * apart));
                            }
                        }
                        (a, b) = (next, last);
                    }
                    c += T::Vec::<S>::LANES;
                }
                to = to.add(plan.across * n);
            }
        }
    }

    /// The results of all products, in rows.
    #[inline(always)]
    unsafe fn results<S: Simd>(&self, products: *const T, apart: usize, to: *mut T, ld: usize) {
        let plan = self.plan;
        let (n, [lines, positions]) = (plan.width, plan.places);
        let (mut from, mut to) = (products, to);
        for pair in self.pairs.clone() {
            let two_lines = 2 * (pair % plan.pairs) + 1 < lines;
            // SAFETY: rows are written that there are.
            unsafe {
                for tile in 0..plan.across {
                    let two = 2 * tile + 1 < positions;
                    let mut c = 0;
                    while c < n {
                        let mut down = [[T::Vec::<S>::splat(T::ZERO); 4]; 2];
                        for j in 0..4 {
                            let from = from.add(j * apart + c);
                            let both = results([
                                T::Vec::<S>::load(from),
                                T::Vec::<S>::load(from.add(4 * apart)),
                                T::Vec::<S>::load(from.add(8 * apart)),
                                T::Vec::<S>::load(from.add(12 * apart)),
                            ]);
                            (down[0][j], down[1][j]) = (both[0], both[1]);
                        }
                        let to = to.add(2 * tile * ld + c);
                        let [first, second] = results(down[0]);
                        first.store(to);
                        if two {
                            second.store(to.add(ld));
                        }
                        if two_lines {
                            let to = to.add(positions * ld);
                            let [first, second] = results(down[1]);
                            first.store(to);
                            if two {
                                second.store(to.add(ld));
                            }
                        }
                        c += T::Vec::<S>::LANES;
                    }
                    from = from.add(n);
                }
                to = to.add((1 + usize::from(two_lines)) * positions * ld);
            }
        }
    }

    /// The tiles of the places' gradients.
    #[inline(always)]
    unsafe fn gradients<S: Simd>(&self, g: *const T, to: *mut T, apart: usize) {
        let plan = self.plan;
        let (n, [lines, positions]) = (plan.width, plan.places);
        let (mut from, mut to) = (g.wrapping_add(plan.row(self.pairs.start) * n), to);
        for pair in self.pairs.clone() {
            let two_lines = 2 * (pair % plan.pairs) + 1 < lines;
            // SAFETY: rows are read that there are.
            unsafe {
                let zero = T::Vec::<S>::splat(T::ZERO);
                for tile in 0..plan.across {
                    let two = 2 * tile + 1 < positions;
                    let mut c = 0;
                    while c < n {
                        let from = from.add(2 * tile * n + c);
                        let (mut left, mut right) = ([zero; 2], [zero; 2]);
                        left[0] = Vector::load(from);
                        if two {
                            right[0] = Vector::load(from.add(n));
                        }
                        if two_lines {
                            let from = from.add(positions * n);
                            left[1] = Vector::load(from);
                            if two {
                                right[1] = Vector::load(from.add(n));
                            }
                        }
                        let (left, right) = (of_results(left, zero), of_results(right, zero));
                        let to = to.add(c);
                        for i in 0..4 {
                            let four = of_results([left[i], right[i]], zero);
                            for j in 0..4 {
                                four[j].store(to.add((4 * i + j) * apart));
                            }
                        }
                        c += T::Vec::<S>::LANES;
                    }
                    to = to.add(n);
                }
                from = from.add((1 + usize::from(two_lines)) * positions * n);
            }
        }
    }
}
