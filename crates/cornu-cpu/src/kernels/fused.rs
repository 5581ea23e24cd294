//! Fused elementwise kernels: a [`Fused`] body compiled for the vector machine and run over its
//! iteration space, over a piece of it, or over a tile of a matrix.
//!
//! All choices are made when a kernel is compiled: the instruction set, the blocks, which operands are read
//! in place. A run looks at pointers only.

mod combined;
pub(crate) mod functions;
mod half;
pub(crate) mod isa;
pub(crate) mod loops;
pub(crate) mod lower;
pub(crate) mod machine;
pub(crate) mod moves;
mod rsqrt;
pub(crate) mod space;

use crate::simd::Isa;
use cornu_core::passes::fused::{Fused, Operand};
use cornu_core::program::ValueId;
use cornu_core::{DType, Error, Result};
pub(crate) use machine::{Machine, Use};
use space::Layout;

/// Kernels work on whole multiples of so many elements.
pub(crate) const GRANULE: usize = 16;

/// Elements of a block, at least: a dozen registers of `f32` fit the L1 cache.
pub(crate) const BLOCK: usize = 512;

/// The same at most: what a block costs by itself no longer counts.
const LARGEST_BLOCK: usize = 4 * BLOCK;

/// What a block may hold in a usual L1 cache.
const BLOCK_BYTES: usize = 32 << 10;

/// Registers beside operands and outputs that most bodies need.
const REGISTERS: usize = 2;

/// Elements of a kernel's blocks: as many as the L1 cache has room for, with all that goes through a
/// block. A large space has several blocks (see [`FusedKernel::has_strips`]).
pub(crate) fn block_size(fused: &Fused) -> usize {
    let varies = |o: &&Operand| {
        o.strides
            .iter()
            .zip(&fused.shape)
            .any(|(s, n)| *s != 0 && *n > 1)
    };
    let operands = fused.operands.iter().filter(varies).count();
    let held = (operands + fused.outputs.len() + REGISTERS) * Lane::F32.bytes();
    let fits = (BLOCK_BYTES / held).min(fused.size() / 2) / GRANULE * GRANULE;
    fits.clamp(BLOCK, LARGEST_BLOCK)
}

/// Work below this many nanoseconds is not shared among threads.
const SHARE_NS: f64 = 10_000.0;

/// The type in which elements are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// `F32` and the half formats.
    F32,
    F64,
    I32,
    I64,
    /// `U8`, and `Bool` as 0 or 1.
    U8,
}

impl Lane {
    /// The lane of an element type.
    pub fn of(dtype: DType) -> Lane {
        match dtype {
            DType::Bool | DType::U8 => Lane::U8,
            DType::I32 => Lane::I32,
            DType::I64 => Lane::I64,
            DType::BF16 | DType::F16 | DType::F32 => Lane::F32,
            DType::F64 => Lane::F64,
        }
    }

    /// Bytes of a lane.
    pub fn bytes(self) -> usize {
        match self {
            Lane::U8 => 1,
            Lane::I32 | Lane::F32 => 4,
            Lane::I64 | Lane::F64 => 8,
        }
    }
}

/// How many pieces to cut work of `cost` nanoseconds into for so many threads, at most `most`: one if it is
/// not worth sharing, else a few per thread, so that a late thread does not hold up the others.
pub(crate) fn pieces(cost: f64, threads: usize, most: usize) -> usize {
    if threads <= 1 || cost < SHARE_NS {
        return 1;
    }
    let worth = (cost / (SHARE_NS / 2.0)) as usize;
    worth.min(threads * 4).max(threads).min(most).max(1)
}

/// The part of `0..n` that is piece `piece` of `pieces`.
pub(crate) fn share(n: usize, piece: usize, pieces: usize) -> std::ops::Range<usize> {
    let pieces = pieces.max(1);
    n * piece / pieces..n * (piece + 1) / pieces
}

/// A compiled elementwise kernel.
pub struct FusedKernel {
    layout: Layout,
    /// None if there are no elements.
    machine: Option<Machine>,
    size: usize,
}

impl FusedKernel {
    /// Compiles a kernel for this processor. `slot` gives for each value its index in the table of pointers.
    ///
    /// # Errors
    /// A body that is not well formed, or a function of a type it is not defined on.
    pub fn compile(fused: &Fused, slot: &dyn Fn(ValueId) -> usize) -> Result<FusedKernel> {
        Self::compile_for(fused, slot, Isa::get(), false)
    }

    /// Compiles for an instruction set, which the processor must have. If `given`, operand 0 is not in the
    /// table of pointers but passed to each run, in its lanes (f32 for the half formats), row-major.
    pub(crate) fn compile_for(
        fused: &Fused,
        slot: &dyn Fn(ValueId) -> usize,
        isa: Isa,
        given: bool,
    ) -> Result<FusedKernel> {
        let nodes = lower::lower(fused, None, given)?;
        let strides = lower::all_strides(fused);
        let marks = vec![false; fused.shape.len()];
        let (extents, strides, _) = space::collapse(&fused.shape, &strides, &marks);
        let (outer, rows, cols, accesses) = space::split(&extents, &strides);
        let size = fused.size();
        let layout = space::blocks(outer, rows, cols, block_size(fused), GRANULE);
        let usage = Use {
            isa,
            keep: None,
            given,
            tile: false,
        };
        let machine = if size == 0 {
            None
        } else {
            Some(Machine::compile(
                fused, &nodes, slot, &layout, &accesses, usage,
            )?)
        };
        Ok(FusedKernel {
            layout,
            machine,
            size,
        })
    }

    /// The estimated time on one thread, in nanoseconds.
    pub fn cost_ns(&self) -> f64 {
        self.machine
            .as_ref()
            .map_or(0.0, |m| m.cost_ns(self.size, self.layout.blocks()))
    }

    /// Into how many pieces to cut the work for so many threads; 1 if it is not worth sharing.
    pub fn pieces(&self, threads: usize) -> usize {
        pieces(
            self.cost_ns(),
            threads,
            self.machine.as_ref().map_or(1, |_| self.layout.blocks()),
        )
    }

    /// Bytes of scratch memory that each thread needs.
    pub fn scratch_bytes(&self) -> usize {
        self.machine.as_ref().map_or(0, Machine::scratch_bytes)
    }

    /// Computes piece `piece` of `pieces`.
    ///
    /// # Safety
    /// `ptrs` has every slot, each valid and aligned for all elements that the operand or output has in the
    /// iteration space. An output is the memory of an operand with the same strides, or overlaps no other
    /// operand or output. `scratch` is valid for [`FusedKernel::scratch_bytes`] initialised bytes, aligned
    /// to 64, and used by no other thread. All pieces of one run have the same `pieces`.
    pub unsafe fn run(&self, ptrs: &[*mut u8], piece: usize, pieces: usize, scratch: *mut u8) {
        // SAFETY: by the caller's promise.
        unsafe { self.run_with(ptrs, std::ptr::null(), piece, pieces, scratch) }
    }

    /// As [`FusedKernel::run`], with operand 0 at `given`.
    ///
    /// # Safety
    /// See [`FusedKernel::run`].
    pub(crate) unsafe fn run_with(
        &self,
        ptrs: &[*mut u8],
        given: *const u8,
        piece: usize,
        pieces: usize,
        scratch: *mut u8,
    ) {
        let Some(machine) = &self.machine else { return };
        let blocks = share(self.layout.blocks(), piece, pieces);
        if blocks.is_empty() {
            return;
        }
        let l = &self.layout;
        let (grid_rows, grid_cols) = l.grid();
        let mut col = blocks.start % grid_cols;
        let mut row = blocks.start / grid_cols % grid_rows;
        // SAFETY: by the caller's promise; blocks lie within the space.
        unsafe {
            let run = machine.begin(ptrs, given, scratch);
            run.load_fixed(l.block_rows.min(l.rows), l.block_cols.min(l.cols));
            let mut position = Position::new(&l.outer, blocks.start / grid_cols / grid_rows);
            run.seek(position.coordinates());
            for _ in blocks {
                let (r, c) = (row * l.block_rows, col * l.block_cols);
                run.block(
                    r,
                    c,
                    l.block_rows.min(l.rows - r),
                    l.block_cols.min(l.cols - c),
                );
                col += 1;
                if col == grid_cols {
                    col = 0;
                    row += 1;
                    if row == grid_rows {
                        row = 0;
                        position.advance(&l.outer);
                        run.seek(position.coordinates());
                    }
                }
            }
        }
    }
}

impl FusedKernel {
    /// Whether the space is a matrix, or one line, whose rows can be computed in strips (more than one: what
    /// is the same for all blocks is then the same wherever a strip begins).
    pub(crate) fn has_strips(&self) -> bool {
        self.layout.outer.is_empty() && self.machine.is_some() && self.layout.blocks() > 1
    }

    /// Computes the elements from `start` on, `n` of them: whole rows of a kernel that [has
    /// strips](Self::has_strips) and was compiled with operand 0 given: at `given` for these elements.
    ///
    /// # Safety
    /// As for [`FusedKernel::run`]; the elements lie within the space.
    pub(crate) unsafe fn run_strip(
        &self,
        ptrs: &[*mut u8],
        given: *const u8,
        bytes: usize,
        (start, n): (usize, usize),
        scratch: *mut u8,
    ) {
        let Some(machine) = &self.machine else { return };
        let l = &self.layout;
        // SAFETY: by the caller's promise.
        unsafe {
            let run = machine.begin(ptrs, std::ptr::null(), scratch);
            run.load_fixed(l.block_rows.min(l.rows), l.block_cols.min(l.cols));
            run.seek(&[]);
            let mut at = 0;
            while at < n {
                // Along a row, and then down.
                let (row, col) = ((start + at) / l.cols, (start + at) % l.cols);
                let left = n - at;
                let (rows, cols) = match l.rows {
                    1 => (1, l.block_cols.min(left)),
                    _ => (
                        l.block_rows.min((left / l.cols).max(1)),
                        l.block_cols.min(l.cols - col),
                    ),
                };
                run.block_of(given.add(at * bytes), row, col, rows, cols);
                at += rows * cols;
            }
        }
    }
}

/// A position along the axes that are counted through.
pub(crate) struct Position {
    at: [usize; Position::INLINE],
    more: Vec<usize>,
    rank: usize,
}

impl Position {
    /// Ranks up to this one need no allocation.
    const INLINE: usize = 8;

    /// Position number `index` in row-major order.
    pub fn new(extents: &[usize], index: usize) -> Position {
        let rank = extents.len();
        let more = if rank > Position::INLINE {
            vec![0; rank]
        } else {
            Vec::new()
        };
        let mut position = Position {
            at: [0; Position::INLINE],
            more,
            rank,
        };
        let mut index = index;
        let coordinates = position.coordinates_mut();
        for k in (0..rank).rev() {
            let n = extents[k].max(1);
            coordinates[k] = index % n;
            index /= n;
        }
        position
    }

    /// The coordinates, to be set.
    pub fn coordinates_mut(&mut self) -> &mut [usize] {
        if self.more.is_empty() {
            &mut self.at[..self.rank]
        } else {
            &mut self.more
        }
    }

    /// The coordinates.
    pub fn coordinates(&self) -> &[usize] {
        if self.more.is_empty() {
            &self.at[..self.rank]
        } else {
            &self.more
        }
    }

    /// The next position; the first one after the last.
    pub fn advance(&mut self, extents: &[usize]) {
        let coordinates = self.coordinates_mut();
        for k in (0..extents.len()).rev() {
            coordinates[k] += 1;
            if coordinates[k] < extents[k] {
                return;
            }
            coordinates[k] = 0;
        }
    }
}

/// An elementwise kernel that runs over tiles of a matrix whose first operand is given by whoever computes
/// the tiles: the epilogue of a matrix product.
pub struct TileKernel {
    machine: Machine,
    outer: Vec<usize>,
    rows: usize,
    cols: usize,
    lane: Lane,
    /// Where in the scratch memory a tile is copied that is not dense.
    copy_at: usize,
}

impl TileKernel {
    /// Compiles the epilogue `fused` of shape (…, m, n), whose operand 0 is the product.
    ///
    /// # Errors
    /// As [`FusedKernel::compile`]; a shape of fewer than two axes; no operand.
    pub fn compile(fused: &Fused, slot: &dyn Fn(ValueId) -> usize) -> Result<TileKernel> {
        Self::compile_for(fused, slot, Isa::get())
    }

    pub(crate) fn compile_for(
        fused: &Fused,
        slot: &dyn Fn(ValueId) -> usize,
        isa: Isa,
    ) -> Result<TileKernel> {
        let (k, Some(first)) = (fused.shape.len(), fused.operands.first()) else {
            return Err(Error::new("An epilogue needs the product as its operand."));
        };
        if k < 2 {
            return Err(Error::new(
                "An epilogue needs the rows and columns of a matrix.",
            ));
        }
        let nodes = lower::lower(fused, None, true)?;
        let strides = lower::all_strides(fused);
        let (outer, rows, cols, accesses) = space::split(&fused.shape, &strides);
        // Registers hold a part of a tile; which rectangle it is, is known when it runs.
        let layout = Layout {
            outer: outer.clone(),
            rows,
            cols,
            block_rows: 1,
            block_cols: BLOCK,
        };
        let usage = Use {
            isa,
            keep: None,
            given: true,
            tile: true,
        };
        let machine = Machine::compile(fused, &nodes, slot, &layout, &accesses, usage)?;
        let copy_at = machine.scratch_bytes().next_multiple_of(64);
        Ok(TileKernel {
            machine,
            outer,
            rows,
            cols,
            lane: Lane::of(first.dtype),
            copy_at,
        })
    }

    /// The estimated time for the whole matrix on one thread, in nanoseconds.
    pub fn cost_ns(&self) -> f64 {
        let n = self.outer.iter().product::<usize>() * self.rows * self.cols;
        self.machine.cost_ns(n, n.div_ceil(BLOCK / 2))
    }

    /// Bytes of scratch memory that each thread needs.
    pub fn scratch_bytes(&self) -> usize {
        self.copy_at + BLOCK * self.lane.bytes()
    }

    /// Runs over the tile of `rows` × `cols` at (`row`, `col`) of matrix number `batch`. The product's tile
    /// is at `acc` in its lane type (f32 for the half formats), one row every `acc_ld` elements.
    ///
    /// # Safety
    /// As for [`FusedKernel::run`]; the tile lies within the matrix, and `acc` is valid for it and
    /// overlaps no output.
    #[allow(clippy::too_many_arguments)] // a tile is what it is
    pub unsafe fn run_tile(
        &self,
        ptrs: &[*mut u8],
        batch: usize,
        row: usize,
        col: usize,
        rows: usize,
        cols: usize,
        acc: *const u8,
        acc_ld: usize,
        scratch: *mut u8,
    ) {
        if rows == 0 || cols == 0 {
            return;
        }
        let bytes = self.lane.bytes();
        let step_cols = cols.min(BLOCK);
        let step_rows = (BLOCK / step_cols).min(rows);
        // SAFETY: by the caller's promise; parts are of at most BLOCK elements.
        unsafe {
            let run = self.machine.begin(ptrs, std::ptr::null(), scratch);
            if !self.outer.is_empty() {
                run.seek(Position::new(&self.outer, batch).coordinates());
            }
            let copy = scratch.add(self.copy_at);
            let mut r = 0;
            while r < rows {
                let part_rows = step_rows.min(rows - r);
                let mut c = 0;
                while c < cols {
                    let part_cols = step_cols.min(cols - c);
                    let mut tile = acc.add((r * acc_ld + c) * bytes);
                    if acc_ld != part_cols && part_rows > 1 {
                        for i in 0..part_rows {
                            let (from, to) = (
                                tile.add(i * acc_ld * bytes),
                                copy.add(i * part_cols * bytes),
                            );
                            std::ptr::copy_nonoverlapping(from, to, part_cols * bytes);
                        }
                        tile = copy;
                    }
                    run.block_of(tile, row + r, col + c, part_rows, part_cols);
                    c += part_cols;
                }
                r += part_rows;
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
