//! Convolutions straight from lines of the source.
//!
//! A line of places meets lines of the source, and in each the cells of neighbouring places overlap:
//! read with the distance of one place from row to row, a line *is* the matrix of its patches. So
//! nothing is gathered; lines are copied only to put zeros at their ends. The products of all lines
//! that the kernel meets are sections of one sum.

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
    /// Lines of places in an image, places in a line.
    lines: usize,
    width: usize,
    /// Lines, and positions in a line, between neighbouring places.
    steps: [usize; 2],
    /// Lines and positions of the source.
    source: [usize; 2],
    /// The lines that a line of places meets, from its own on.
    offsets: Vec<isize>,
    /// The first position that a line's first place meets.
    first: isize,
    /// Cells of the kernel along a line.
    cells: usize,
    channels: usize,
    /// Columns of the product.
    n: usize,
    /// Whether lines are copied with zeros at their ends.
    copied: bool,
    /// Lines of places in a block, and blocks in an image.
    block: usize,
    pub blocks: usize,
}

impl Lines {
    /// For a phase of one group, if its places and cells lie in lines.
    pub fn new(phase: &Phase, images: usize, n: usize, size: usize) -> Option<Lines> {
        let patches = &phase.patches;
        let [a, b, c] = &patches.axes;
        let flat = a.count == 1 && a.source == 1 && a.offsets == [0];
        let side_by_side = c.offsets.windows(2).all(|o| o[1] == o[0] + 1);
        let empty = phase.rows == 0 || phase.k == 0;
        let whole = patches.depth == patches.channels && phase.spread.is_none();
        let worth = n <= MOST_COLUMNS && c.count >= LEAST_WIDTH && images * b.count >= LEAST_LINES;
        if !flat || !side_by_side || empty || !whole || !worth {
            return None;
        }
        let first = c.offsets[0];
        let met = (c.count - 1) * c.step + c.offsets.len();
        let mut lines = Lines {
            images,
            lines: b.count,
            width: c.count,
            steps: [b.step, c.step],
            source: [b.source, c.source],
            offsets: b.offsets.clone(),
            first,
            cells: c.offsets.len(),
            channels: patches.channels,
            n,
            copied: first < 0 || first as usize + met > c.source,
            block: 0,
            blocks: 0,
        };
        let bytes = (b.step * met * patches.channels + c.count * n) * size;
        let most = (BLOCK_BYTES / bytes).clamp(1, b.count);
        // A single image is work for several threads, too.
        let most = most.min((images * b.count).div_ceil(super::LEAST_BLOCKS));
        lines.blocks = b.count.div_ceil(most);
        lines.block = b.count.div_ceil(lines.blocks);
        lines.blocks = b.count.div_ceil(lines.block);
        Some(lines)
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

    /// Elements of a line as places meet it.
    fn line(&self) -> usize {
        ((self.width - 1) * self.steps[1] + self.cells) * self.channels
    }

    /// The lines that the lines of a block meet, from first to last, and a line of zeros.
    fn slots(&self) -> usize {
        let lowest = self.offsets.iter().min().copied().unwrap_or(0);
        let highest = self.offsets.iter().max().copied().unwrap_or(0);
        (self.block - 1) * self.steps[0] + (highest - lowest) as usize + 2
    }

    /// Elements of the sums of a block.
    pub fn sums(&self) -> usize {
        self.block * self.width * self.n
    }

    /// Elements of workspace for lines, and how many lines are listed.
    pub fn workspace(&self) -> (usize, usize) {
        let lines = if self.copied { self.slots() } else { 1 };
        (lines * self.line(), self.block * self.offsets.len())
    }

    /// Finds the lines that some lines of places of an image meet, and lists where each begins: for
    /// each line of places one after another, or (`across`) for each line of the kernel.
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
        let lowest = self.offsets.iter().min().copied().unwrap_or(0);
        let begin = (lines.start * self.steps[0]) as isize + lowest;
        let zeros = match self.copied {
            true => self.slots() - 1,
            false => 0,
        } * length;
        // SAFETY: only positions inside the source are read; lines and list have room.
        unsafe {
            let image = source.add(image * self.source[0] * self.source[1] * channels);
            let line_at = |p: isize| image.add(p as usize * self.source[1] * channels);
            let inside = |p: isize| (0..self.source[0] as isize).contains(&p);
            std::slice::from_raw_parts_mut(copies.add(zeros), length).fill(T::ZERO);
            if self.copied {
                let positions = length / channels;
                let before = self.first.min(0).unsigned_abs().min(positions);
                let from = self.first.max(0) as usize;
                let there = self.source[1].saturating_sub(from).min(positions - before);
                for slot in 0..self.slots() - 1 {
                    let p = begin + slot as isize;
                    if inside(p) {
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
                for (j, offset) in self.offsets.iter().enumerate() {
                    let p = (line * self.steps[0]) as isize + offset;
                    let start = match inside(p) {
                        false => copies.add(zeros).cast_const(),
                        true if self.copied => copies.add((p - begin) as usize * length),
                        true => line_at(p).add(self.first as usize * channels),
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

    /// Computes the result of a block: rows of `ld` elements from `to` on. Returns the first row's
    /// number and how many there are.
    ///
    /// # Safety
    /// As for [`Lines::list`]; `kernel` has its cells in the order of patches, and `to` gives the
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
        // SAFETY: as promised by the caller.
        unsafe {
            self.list(source, image, &lines, false, copies, list);
            let met = self.offsets.len();
            for i in 0..lines.len() {
                let product = Sections {
                    rows: self.width,
                    starts: std::slice::from_raw_parts(list.add(i * met), met),
                    rsa: self.steps[1] * self.channels,
                    csa: 1,
                    k: self.cells * self.channels,
                    b: kernel,
                    ldb: self.n,
                    n: self.n,
                    c: to.add(i * self.width * ld),
                    ldc: ld,
                    accumulate: false,
                };
                dispatch(isa, product);
            }
        }
        row(lines.start)..row(lines.end)
    }

    /// Adds to (or begins) the sums for the kernel with what a block gives.
    ///
    /// # Safety
    /// As for [`Lines::list`]; `g` is valid for all places, `to` for the kernel.
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
        // SAFETY: as promised by the caller.
        unsafe {
            self.list(source, image, &lines, true, copies, list);
            let g = g.add((image * self.lines + lines.start) * self.width * self.n);
            let rows = self.cells * self.channels;
            for j in 0..self.offsets.len() {
                let product = Sections {
                    rows,
                    starts: std::slice::from_raw_parts(list.add(j * lines.len()), lines.len()),
                    rsa: 1,
                    csa: self.steps[1] * self.channels,
                    k: self.width,
                    b: g,
                    ldb: self.n,
                    n: self.n,
                    c: to.add(j * rows * self.n),
                    ldc: self.n,
                    accumulate,
                };
                dispatch(isa, product);
            }
        }
    }
}
