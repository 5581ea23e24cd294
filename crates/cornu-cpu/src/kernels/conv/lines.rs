//! Convolutions straight from lines of the source.
//!
//! A line of places meets lines of the source, and in each the cells of neighbouring places overlap:
//! read with the distance of one place from row to row, a line *is* the matrix of its patches. So
//! nothing is gathered; lines are copied only to put zeros at their ends. The products of all lines
//! that the kernel meets are sections of one sum; lines outside the source give nothing.
//!
//! Where what flows to the input falls into remainders of positions, each of these is a walk of its own
//! over the result, and all walks over a block of its lines are done together.

use super::super::matmul::Sections;
use super::Phase;
use crate::simd::{Float, Isa, dispatch};
use std::ops::Range;

/// Bytes of lines and sums that a block works on.
const BLOCK_BYTES: usize = 48 << 10;
/// Columns beyond which gathering costs little beside the products.
const MOST_COLUMNS: usize = 48;

/// Places in a line that fill a tile of the product, and lines that keep several threads busy.
const LEAST_WIDTH: usize = 8;
const LEAST_LINES: usize = 8;

/// How a convolution reads its source line by line.
pub(super) struct Lines {
    images: usize,
    /// Lines of places in an image of the result, places in a line.
    lines: usize,
    width: usize,
    /// Columns of the product.
    n: usize,
    walks: Vec<Walk>,
    /// Lines of places in a block, and blocks in an image.
    block: usize,
    pub blocks: usize,
}

/// Places that are the same distance apart, along lines and from line to line.
struct Walk {
    /// The first place's line and position, and how far apart lines and positions are.
    begin: [usize; 2],
    apart: [usize; 2],
    /// Lines of places in an image, places in a line.
    lines: usize,
    width: usize,
    /// Lines, and positions in a line, of the source between neighbouring places.
    steps: [usize; 2],
    /// Lines and positions of the source.
    source: [usize; 2],
    /// The lines that a line of places meets, from its own on; they ascend.
    offsets: Vec<isize>,
    /// The first position that a line's first place meets.
    first: isize,
    /// Cells of the kernel along a line, and where they begin in it.
    cells: usize,
    kernel: usize,
    channels: usize,
    /// Whether lines are copied with zeros at their ends.
    copied: bool,
}

impl Walk {
    /// For a phase whose cells begin at `kernel`, if its places and cells lie in lines.
    fn new(phase: &Phase, kernel: usize) -> Option<Walk> {
        let patches = &phase.patches;
        let [a, b, c] = &patches.axes;
        let flat = a.count == 1 && a.source == 1 && a.offsets == [0];
        let side_by_side = c.offsets.windows(2).all(|o| o[1] == o[0] + 1);
        let whole = patches.depth == patches.channels && phase.rows > 0;
        if !flat || !side_by_side || !whole || c.count < LEAST_WIDTH {
            return None;
        }
        let first = c.offsets.first().copied().unwrap_or(0);
        let met = (c.count - 1) * c.step + c.offsets.len();
        let (begin, apart) = match &phase.spread {
            None => ([0; 2], [1; 2]),
            Some(s) => ([s.first[1], s.first[2]], [s.apart[1], s.apart[2]]),
        };
        Some(Walk {
            begin,
            apart,
            lines: b.count,
            width: c.count,
            steps: [b.step, c.step],
            source: [b.source, c.source],
            // Without cells along a line there is nothing to be met.
            offsets: match c.offsets.is_empty() {
                true => Vec::new(),
                false => b.offsets.clone(),
            },
            first,
            cells: c.offsets.len(),
            kernel,
            channels: patches.channels,
            copied: first < 0 || first as usize + met > c.source,
        })
    }

    /// Elements of a line as places meet it.
    fn line(&self) -> usize {
        ((self.width - 1) * self.steps[1] + self.cells) * self.channels
    }

    /// The lines that so many lines of places meet, from first to last.
    fn slots(&self, lines: usize) -> usize {
        match (self.offsets.first(), self.offsets.last()) {
            (Some(low), Some(high)) => (lines - 1) * self.steps[0] + (high - low) as usize + 1,
            _ => 0,
        }
    }

    /// Its lines of places among some lines of the result.
    fn among(&self, lines: &Range<usize>) -> Range<usize> {
        let before = |line: usize| {
            let lines = line.saturating_sub(self.begin[0]).div_ceil(self.apart[0]);
            lines.min(self.lines)
        };
        before(lines.start)..before(lines.end)
    }

    /// Which of the lines that a line of places meets are inside the source.
    fn inside(&self, line: usize) -> Range<usize> {
        let at = (line * self.steps[0]) as isize;
        let before = |end: isize| self.offsets.iter().take_while(|o| at + **o < end).count();
        before(0)..before(self.source[0] as isize)
    }

    /// Among some lines of places, those that meet a line of the source by this offset.
    fn meeting(&self, lines: &Range<usize>, offset: isize) -> Range<usize> {
        let step = self.steps[0] as isize;
        let before = |end: isize| {
            let lines_before = (end - offset + step - 1).div_euclid(step).max(0) as usize;
            lines_before.clamp(lines.start, lines.end)
        };
        before(0)..before(self.source[0] as isize)
    }

    /// Lists where the lines that some lines of places of an image meet begin: for each line of places one
    /// after another, or (`across`) for each line of the kernel. Nothing is listed for lines outside.
    ///
    /// # Safety
    /// `source` is valid for all images; `copies` and `list` have room as [`Lines::workspace`] says.
    unsafe fn list<T: Float>(
        &self,
        source: *const T,
        image: usize,
        lines: &Range<usize>,
        across: bool,
        copies: *mut T,
        list: *mut *const T,
    ) {
        let (length, channels) = (self.line(), self.channels);
        let lowest = self.offsets.first().copied().unwrap_or(0);
        let begin = (lines.start * self.steps[0]) as isize + lowest;
        // SAFETY: only positions inside the source are read; lines and list have room.
        unsafe {
            let image = source.add(image * self.source[0] * self.source[1] * channels);
            let line_at = |p: isize| image.add(p as usize * self.source[1] * channels);
            if self.copied {
                let positions = length / channels;
                let before = self.first.min(0).unsigned_abs().min(positions);
                let from = self.first.max(0) as usize;
                let there = self.source[1].saturating_sub(from).min(positions - before);
                for slot in 0..self.slots(lines.len()) {
                    let p = begin + slot as isize;
                    if (0..self.source[0] as isize).contains(&p) {
                        let to = copies.add(slot * length);
                        let to = std::slice::from_raw_parts_mut(to, length);
                        let (low, rest) = to.split_at_mut(before * channels);
                        let (middle, high) = rest.split_at_mut(there * channels);
                        let from = line_at(p).add(from * channels);
                        low.fill(T::ZERO);
                        middle.copy_from_slice(std::slice::from_raw_parts(from, middle.len()));
                        high.fill(T::ZERO);
                    }
                }
            }
            for (i, line) in lines.clone().enumerate() {
                for j in self.inside(line) {
                    let p = (line * self.steps[0]) as isize + self.offsets[j];
                    let start = match self.copied {
                        true => copies.add((p - begin) as usize * length),
                        false => line_at(p).add(self.first as usize * channels),
                    };
                    let at = match across {
                        false => i * self.offsets.len() + j,
                        true => j * lines.len() + i,
                    };
                    *list.add(at) = start;
                }
            }
        }
    }
}

impl Lines {
    /// For the phases of a convolution of one group, if their places and cells lie in lines.
    pub fn new(phases: &[Phase], images: usize, n: usize, size: usize) -> Option<Lines> {
        let mut kernel = 0;
        let mut walks = Vec::with_capacity(phases.len());
        for phase in phases {
            walks.push(Walk::new(phase, kernel)?);
            kernel += phase.k * n;
        }
        let first = walks.first()?;
        let (lines, width) = match phases[0].spread {
            None => (first.lines, first.width),
            Some(spread) => (spread.extents[1], spread.extents[2]),
        };
        if n > MOST_COLUMNS || kernel == 0 || images * lines < LEAST_LINES {
            return None;
        }
        let bytes = (first.steps[0] * first.line() + width * n) * size;
        let most = (BLOCK_BYTES / bytes).clamp(1, lines);
        // A single image is work for several threads, too.
        let most = most.min((images * lines).div_ceil(super::LEAST_BLOCKS));
        let block = lines.div_ceil(lines.div_ceil(most));
        let blocks = lines.div_ceil(block);
        Some(Lines {
            images,
            lines,
            width,
            n,
            walks,
            block,
            blocks,
        })
    }

    /// Blocks of all images.
    pub fn units(&self) -> usize {
        self.images * self.blocks
    }

    /// The image of a block, and its lines of places.
    fn of(&self, unit: usize) -> (usize, Range<usize>) {
        let (image, block) = (unit / self.blocks, unit % self.blocks);
        let from = block * self.block;
        (image, from..(from + self.block).min(self.lines))
    }

    /// Elements of the sums of a block.
    pub fn sums(&self) -> usize {
        self.block * self.width * self.n
    }

    /// Elements of workspace for lines, and how many lines are listed.
    pub fn workspace(&self) -> (usize, usize) {
        let of = |walk: &Walk| {
            let lines = self.block.div_ceil(walk.apart[0]);
            let copies = if walk.copied { walk.slots(lines) } else { 0 };
            (copies * walk.line(), lines * walk.offsets.len())
        };
        let most = |a: (usize, usize), b: (usize, usize)| (a.0.max(b.0), a.1.max(b.1));
        self.walks.iter().map(of).fold((0, 0), most)
    }

    /// Computes the result of a block: rows of `ld` elements from `to` on. Returns the first row's
    /// number and how many there are.
    ///
    /// # Safety
    /// As for [`Walk::list`]; `kernel` has its cells in the order of patches, and `to` gives the
    /// place of a row that has room for this one and those after it.
    pub unsafe fn output<T: Float>(
        &self,
        isa: Isa,
        unit: usize,
        source: *const T,
        kernel: *const T,
        to: impl FnOnce(usize) -> *mut T,
        ld: usize,
        copies: *mut T,
        list: *mut *const T,
    ) -> Range<usize> {
        let (image, lines) = self.of(unit);
        let row = |line: usize| (image * self.lines + line) * self.width;
        let to = to(row(lines.start));
        for walk in &self.walks {
            let own = walk.among(&lines);
            if own.is_empty() {
                continue;
            }
            // SAFETY: as promised by the caller; places lie inside the block.
            unsafe {
                walk.list(source, image, &own, false, copies, list);
                let met = walk.offsets.len();
                let (k, ldc) = (walk.cells * walk.channels, ld * walk.apart[1]);
                for (i, line) in own.enumerate() {
                    let above = walk.begin[0] + line * walk.apart[0] - lines.start;
                    let c = to.add((above * self.width + walk.begin[1]) * ld);
                    let inside = walk.inside(line);
                    if inside.is_empty() {
                        for place in 0..walk.width {
                            let row = std::slice::from_raw_parts_mut(c.add(place * ldc), self.n);
                            row.fill(T::ZERO);
                        }
                        continue;
                    }
                    let starts = list.add(i * met + inside.start);
                    let product = Sections {
                        rows: walk.width,
                        starts: std::slice::from_raw_parts(starts, inside.len()),
                        rsa: walk.steps[1] * walk.channels,
                        csa: 1,
                        k,
                        b: kernel.add(walk.kernel + inside.start * k * self.n),
                        ldb: self.n,
                        n: self.n,
                        c,
                        ldc,
                        accumulate: false,
                    };
                    dispatch(isa, product);
                }
            }
        }
        row(lines.start)..row(lines.end)
    }

    /// Adds to (or begins) the sums for the kernel with what a block gives.
    ///
    /// # Safety
    /// As for [`Walk::list`]; `g` is valid for all places, `to` for the kernel.
    pub unsafe fn kernel<T: Float>(
        &self,
        isa: Isa,
        unit: usize,
        source: *const T,
        g: *const T,
        to: *mut T,
        accumulate: bool,
        copies: *mut T,
        list: *mut *const T,
    ) {
        let (image, lines) = self.of(unit);
        let walk = &self.walks[0];
        // SAFETY: as promised by the caller.
        unsafe {
            walk.list(source, image, &lines, true, copies, list);
            let g = g.add((image * self.lines + lines.start) * self.width * self.n);
            let rows = walk.cells * walk.channels;
            for (j, offset) in walk.offsets.iter().enumerate() {
                let to = to.add(j * rows * self.n);
                let meeting = walk.meeting(&lines, *offset);
                if meeting.is_empty() {
                    if !accumulate {
                        std::slice::from_raw_parts_mut(to, rows * self.n).fill(T::ZERO);
                    }
                    continue;
                }
                let first = meeting.start - lines.start;
                let starts = list.add(j * lines.len() + first);
                let product = Sections {
                    rows,
                    starts: std::slice::from_raw_parts(starts, meeting.len()),
                    rsa: 1,
                    csa: walk.steps[1] * walk.channels,
                    k: self.width,
                    b: g.add(first * self.width * self.n),
                    ldb: self.n,
                    n: self.n,
                    c: to,
                    ldc: self.n,
                    accumulate,
                };
                dispatch(isa, product);
            }
        }
    }
}
