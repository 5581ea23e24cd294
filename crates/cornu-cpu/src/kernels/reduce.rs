//! Reductions: a fused prologue, of which one register is combined over some axes, and a fused epilogue
//! over what remains.
//!
//! The space is cut into tasks: a chunk of the results times a segment of what is combined. The cut depends
//! on shapes alone and segments are combined in their order, so that the result does not depend
//! on the number of threads.

mod folds;

use super::fused::machine::{Machine, Use};
use super::fused::space::{self, Access, Layout};
use super::fused::{BLOCK, FusedKernel, GRANULE, Lane, Position, block_size, lower, pieces, share};
use crate::simd::Isa;
use cornu_core::ops::reduce::ReduceFn;
use cornu_core::passes::fuse::ReduceGroup;
use cornu_core::passes::fused::Fused;
use cornu_core::program::ValueId;
use cornu_core::{Error, Result};
use folds::Folds;

/// Tasks that are enough for any number of threads.
const TASKS: usize = 16;
/// The least work of a segment, in nanoseconds.
const SEGMENT_NS: f64 = 5_000.0;
/// Rows whose columns are combined in lanes before they go to the accumulators.
const FLUSH_ROWS: usize = 64;

/// What becomes of a block.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// Each row is combined.
    Rows,
    /// All is combined.
    All,
    /// Each column is combined.
    Columns,
    /// Nothing is combined within a block.
    Elements,
}

/// Where the lanes of a block come from.
enum Values {
    /// There are none.
    Nothing,
    /// The machine computes them.
    Machine(Box<Machine>),
    /// They lie in memory: slot, offset and access in elements.
    Memory {
        slot: usize,
        offset: usize,
        access: Access,
    },
}

/// Where results go.
enum Target {
    /// Straight to an output.
    Slot(usize),
    /// To the shared memory, for the epilogue.
    Epilogue(Box<FusedKernel>),
}

/// A compiled reduction.
///
/// It runs in up to two phases. [`ReduceKernel::run`] for every piece; then, if there was more than one piece,
/// [`ReduceKernel::finish`] for every piece of [`ReduceKernel::finish_pieces`] (none if 0). With one piece,
/// `run` does all.
pub struct ReduceKernel {
    mode: Mode,
    values: Values,
    layout: Layout,
    /// Which of the layout's outer axes remain.
    kept_axes: Vec<usize>,
    reduced_axes: Vec<usize>,
    /// Chunks of results and visits to reduced blocks.
    chunks: usize,
    visits: usize,
    segments: usize,
    /// Elements of the result.
    results: usize,
    /// Rows that are combined side by side where columns are few.
    unit: usize,
    folds: Folds,
    lane: Lane,
    target: Target,
    cost: f64,
    machine_scratch: usize,
}

impl ReduceKernel {
    /// Compiles a reduction for this processor. `slot` gives for each value its index in the table of
    /// pointers (it is not asked for the epilogue's operand 0).
    ///
    /// # Errors
    /// As [`FusedKernel::compile`]; axes out of range; an epilogue over another space.
    pub fn compile(group: &ReduceGroup, slot: &dyn Fn(ValueId) -> usize) -> Result<ReduceKernel> {
        Self::compile_for(group, slot, Isa::get())
    }

    fn compile_for(
        group: &ReduceGroup,
        slot: &dyn Fn(ValueId) -> usize,
        isa: Isa,
    ) -> Result<ReduceKernel> {
        let fused = &group.prologue;
        let rank = fused.shape.len();
        if group.axes.iter().any(|a| *a >= rank) {
            return Err(Error::shape(format!(
                "Axes {:?} of {:?}.",
                group.axes, fused.shape
            )));
        }
        let marks: Vec<bool> = (0..rank).map(|a| group.axes.contains(&a)).collect();
        let results: usize = (0..rank)
            .filter(|a| !marks[*a])
            .map(|a| fused.shape[a])
            .product();
        if group.epilogue.size() != results || group.epilogue.operands.is_empty() {
            return Err(Error::shape(
                "An epilogue over another space than the reduction's.",
            ));
        }
        let nodes = lower::lower(fused, Some(group.register), false)?;
        let dtype = nodes[usize::from(group.register)].dtype;
        let lane = Lane::of(dtype);
        let strides = lower::all_strides(fused);
        let (extents, strides, marks) = space::collapse(&fused.shape, &strides, &marks);
        let (outer, rows, cols, accesses) = space::split(&extents, &strides);
        let last = marks[marks.len() - 1];
        let second = marks.len().checked_sub(2).map_or(last, |k| marks[k]);
        let mode = match (second, last) {
            (false, true) => Mode::Rows,
            (true, true) => Mode::All,
            (true, false) => Mode::Columns,
            (false, false) => Mode::Elements,
        };
        let kept_axes = (0..outer.len()).filter(|a| !marks[*a]).collect::<Vec<_>>();
        let reduced_axes = (0..outer.len()).filter(|a| marks[*a]).collect::<Vec<_>>();

        let mut layout = space::blocks(outer, rows, cols, block_size(fused), GRANULE);
        let empty = fused.size() == 0;
        let bare = bare_operand(fused, group.register).filter(|k| {
            !empty
                && accesses[*k].col == 1
                && accesses[*k].row >= 0
                && fused.operands[*k].dtype.size() == lane.bytes()
                && mode != Mode::Elements
        });
        let dense = |a: &Access| a.row == cols as isize;
        let values = match bare {
            _ if empty => Values::Nothing,
            Some(k) => {
                // No registers to be kept in the cache: blocks as the loops like them.
                match mode {
                    Mode::Rows | Mode::All => {
                        layout.block_cols = cols.min(2048);
                        layout.block_rows = if mode == Mode::All {
                            1
                        } else {
                            rows.min(BLOCK)
                        };
                    }
                    _ => {
                        if cols > 64 || !dense(&accesses[k]) {
                            layout.block_cols = cols.min(256);
                            layout.block_rows = rows.min(FLUSH_ROWS);
                        }
                    }
                }
                let operand = &fused.operands[k];
                Values::Memory {
                    slot: slot(operand.value),
                    offset: operand.offset,
                    access: accesses[k].clone(),
                }
            }
            None => {
                let usage = Use {
                    isa,
                    keep: Some(group.register),
                    given: false,
                    tile: false,
                };
                let machine = Machine::compile(fused, &nodes, slot, &layout, &accesses, usage)?;
                Values::Machine(Box::new(machine))
            }
        };
        // A row of the loop over columns: as many rows as make whole granules.
        let side_by_side = match &values {
            Values::Memory { access, .. } => dense(access) && layout.block_cols == cols,
            _ => layout.block_cols == cols,
        };
        let mut unit = 1;
        if mode == Mode::Columns && side_by_side {
            while !(unit * cols).is_multiple_of(GRANULE) && unit * 2 <= layout.block_rows {
                unit *= 2;
            }
        }

        let (grid_rows, grid_cols) = layout.grid();
        let extent = |axes: &[usize]| axes.iter().map(|a| layout.outer[*a]).product::<usize>();
        let (mut chunks, mut visits) = (extent(&kept_axes), extent(&reduced_axes));
        match mode {
            Mode::Rows => (chunks, visits) = (chunks * grid_rows, visits * grid_cols),
            Mode::All => visits *= grid_rows * grid_cols,
            Mode::Columns => (chunks, visits) = (chunks * grid_cols, visits * grid_rows),
            Mode::Elements => chunks *= grid_rows * grid_cols,
        }
        if results > 0 && empty {
            // Nothing is combined: one chunk, no visits.
            (chunks, visits) = (1, 0);
        }
        let size = fused.size();
        let cost = match &values {
            Values::Nothing => 20.0,
            Values::Machine(m) => {
                m.cost_ns(size, layout.blocks()) + fold_cost(group.f) * size as f64
            }
            Values::Memory { .. } => {
                let bytes = lane.bytes() as f64 / 4.0;
                20.0 + fold_cost(group.f) * bytes * size as f64 + 10.0 * layout.blocks() as f64
            }
        };
        let wanted = TASKS
            .div_ceil(chunks.max(1))
            .min((cost / SEGMENT_NS) as usize);
        let segments = if chunks >= TASKS {
            1
        } else {
            wanted.clamp(1, visits.max(1))
        };

        let folds = Folds::new(group.f, lane, dtype == cornu_core::DType::Bool, isa);
        let e = &group.epilogue;
        let target = match e.outputs.as_slice() {
            [output] if output.register == 0 && dtype.size() == lane.bytes() => {
                Target::Slot(slot(output.value))
            }
            _ => Target::Epilogue(Box::new(FusedKernel::compile_for(e, slot, isa, true)?)),
        };
        let machine_scratch = match &values {
            Values::Machine(m) => m.scratch_bytes().next_multiple_of(64),
            _ => 0,
        };
        Ok(ReduceKernel {
            mode,
            values,
            layout,
            kept_axes,
            reduced_axes,
            chunks,
            visits,
            segments,
            results,
            unit,
            folds,
            lane,
            target,
            cost,
            machine_scratch,
        })
    }

    /// The estimated time on one thread, in nanoseconds.
    pub fn cost_ns(&self) -> f64 {
        self.cost + self.finish_cost()
    }

    fn finish_cost(&self) -> f64 {
        let merging = if self.segments > 1 {
            0.2 * (self.results * self.segments) as f64
        } else {
            0.0
        };
        match &self.target {
            Target::Slot(_) => merging,
            Target::Epilogue(kernel) => merging + kernel.cost_ns(),
        }
    }

    /// Into how many pieces to cut the first phase for so many threads; 1 if it is not worth sharing.
    pub fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost, threads, self.chunks * self.segments)
    }

    /// Into how many pieces to cut the second phase, which follows if the first had more than one; 0 if there
    /// is none.
    pub fn finish_pieces(&self, threads: usize) -> usize {
        match &self.target {
            Target::Slot(_) if self.segments == 1 => 0,
            Target::Slot(_) => 1,
            // Merging is left to one thread, the epilogue is shared.
            Target::Epilogue(_) if self.segments > 1 => 1,
            Target::Epilogue(kernel) => kernel.pieces(threads),
        }
    }

    /// Bytes of scratch memory that each thread needs.
    pub fn scratch_bytes(&self) -> usize {
        let epilogue = match &self.target {
            Target::Slot(_) => 0,
            Target::Epilogue(kernel) => kernel.scratch_bytes(),
        };
        // Accumulators and lanes of a chunk.
        let own = self.machine_scratch + 2 * self.chunk_bytes();
        own.max(epilogue)
    }

    fn chunk_bytes(&self) -> usize {
        let l = &self.layout;
        let width = match self.mode {
            _ if matches!(self.values, Values::Nothing) => self.results,
            Mode::Rows => l.block_rows,
            Mode::All => 1,
            Mode::Columns => l.block_cols * self.unit,
            Mode::Elements => l.block_size(),
        };
        (width * 8).next_multiple_of(64)
    }

    /// Bytes of memory, aligned to 64, that all pieces of both phases share.
    pub fn shared_bytes(&self) -> usize {
        let partial = if self.segments > 1 {
            self.segments * self.results * self.folds.acc_bytes
        } else {
            0
        };
        let lanes = match self.target {
            Target::Slot(_) => 0,
            Target::Epilogue(_) => self.results * self.lane.bytes(),
        };
        partial.next_multiple_of(64) + lanes
    }

    /// Where the results lie before the epilogue.
    ///
    /// # Safety
    /// See [`ReduceKernel::run`].
    unsafe fn lanes(&self, ptrs: &[*mut u8], shared: *mut u8) -> *mut u8 {
        match self.target {
            Target::Slot(slot) => ptrs[slot],
            Target::Epilogue(_) => {
                let partial = if self.segments > 1 {
                    self.segments * self.results * self.folds.acc_bytes
                } else {
                    0
                };
                // SAFETY: within the shared memory.
                unsafe { shared.add(partial.next_multiple_of(64)) }
            }
        }
    }

    /// Computes piece `piece` of `pieces`; everything, if there is one piece.
    ///
    /// # Safety
    /// As for [`FusedKernel::run`], of both the prologue and the epilogue; no output of the epilogue is memory
    /// that the prologue reads, unless it is read whole before (one piece, or the second phase).
    /// `shared` is valid for [`ReduceKernel::shared_bytes`], aligned to 64, and the same for all pieces.
    pub unsafe fn run(
        &self,
        ptrs: &[*mut u8],
        piece: usize,
        pieces: usize,
        scratch: *mut u8,
        shared: *mut u8,
    ) {
        let tasks = share(self.chunks * self.segments, piece, pieces);
        // SAFETY: by the caller's promise.
        unsafe {
            match &self.values {
                Values::Machine(machine) if !tasks.is_empty() => {
                    let l = &self.layout;
                    let run = machine.begin(ptrs, std::ptr::null(), scratch);
                    run.load_fixed(l.block_rows.min(l.rows), l.block_cols.min(l.cols));
                    let mut at = None;
                    self.tasks(
                        tasks,
                        ptrs,
                        scratch,
                        shared,
                        |outer, visit, row, col, rows, cols| {
                            if at != Some(visit) {
                                run.seek(outer);
                                at = Some(visit);
                            }
                            run.block(row, col, rows, cols);
                            (run.kept().cast_mut(), cols)
                        },
                    );
                }
                Values::Memory {
                    slot,
                    offset,
                    access,
                } => {
                    let start = ptrs[*slot];
                    let bytes = self.lane.bytes() as isize;
                    self.tasks(tasks, ptrs, scratch, shared, |outer, _, row, col, _, _| {
                        let along: isize = outer
                            .iter()
                            .zip(&access.outer)
                            .map(|(i, s)| *i as isize * s)
                            .sum();
                        let at = *offset as isize
                            + along
                            + row as isize * access.row
                            + col as isize * access.col;
                        (start.offset(at * bytes), access.row as usize)
                    });
                }
                _ => self.tasks(tasks, ptrs, scratch, shared, |_, _, _, _, _, _| {
                    (scratch, 0)
                }),
            }
            if pieces == 1 {
                self.finish(ptrs, 0, 1, scratch, shared);
            }
        }
    }

    /// Runs tasks. `block(outer coordinates, their number, row, column, rows, columns)` gives the lanes of a
    /// block and the lanes from row to row.
    ///
    /// # Safety
    /// See [`ReduceKernel::run`].
    #[inline(always)]
    unsafe fn tasks(
        &self,
        tasks: std::ops::Range<usize>,
        ptrs: &[*mut u8],
        scratch: *mut u8,
        shared: *mut u8,
        mut block: impl FnMut(&[usize], usize, usize, usize, usize, usize) -> (*mut u8, usize),
    ) {
        let l = &self.layout;
        let (grid_rows, grid_cols) = l.grid();
        // Blocks along which a chunk and a visit lie.
        let (chunk_grid, visit_grid) = match self.mode {
            Mode::Rows => (grid_rows, grid_cols),
            Mode::All => (1, grid_rows * grid_cols),
            Mode::Columns => (grid_cols, grid_rows),
            Mode::Elements => (grid_rows * grid_cols, 1),
        };
        let mut outer = Position::new(&l.outer, 0);
        // SAFETY: accumulators and lanes of a chunk follow the machine's scratch; the rest by the
        // caller's promise.
        unsafe {
            let acc = scratch.add(self.machine_scratch);
            let lanes = acc.add(self.chunk_bytes());
            for task in tasks {
                let (chunk, segment) = (task / self.segments, task % self.segments);
                let (kept, kept_block) = (chunk / chunk_grid, chunk % chunk_grid);
                place(outer.coordinates_mut(), &self.kept_axes, &l.outer, kept);
                let (first, width) = self.chunk(kept, kept_block, grid_cols);
                let side = self.unit * width;
                let in_lanes = matches!(self.mode, Mode::Columns | Mode::Elements);
                (self.folds.start)(acc, lanes, [width, if in_lanes { side } else { 0 }, 0]);
                let mut pending = 0;
                let mut visit_outer = usize::MAX;
                for visit in share(self.visits, segment, self.segments) {
                    let (reduced, reduced_block) = (visit / visit_grid, visit % visit_grid);
                    if reduced != visit_outer {
                        place(
                            outer.coordinates_mut(),
                            &self.reduced_axes,
                            &l.outer,
                            reduced,
                        );
                        visit_outer = reduced;
                    }
                    let (row, col) = match self.mode {
                        Mode::Rows => (kept_block, reduced_block),
                        Mode::All => (reduced_block / grid_cols, reduced_block % grid_cols),
                        Mode::Columns => (reduced_block, kept_block),
                        Mode::Elements => (kept_block / grid_cols, kept_block % grid_cols),
                    };
                    let (row, col) = (row * l.block_rows, col * l.block_cols);
                    let rows = l.block_rows.min(l.rows - row);
                    let cols = l.block_cols.min(l.cols - col);
                    let number = kept * (self.visits / visit_grid) + reduced;
                    let (values, ld) = block(outer.coordinates(), number, row, col, rows, cols);
                    match self.mode {
                        Mode::Rows => (self.folds.rows)(acc, values, [rows, cols, ld]),
                        Mode::All => {
                            let n = rows * cols;
                            (self.folds.rows)(acc, values, [1, n, n]);
                        }
                        Mode::Columns => {
                            let (sets, over) = (rows / self.unit, rows % self.unit);
                            let ld = ld * self.unit;
                            (self.folds.columns)(lanes, values, [sets, side, ld]);
                            if over > 0 {
                                let rest = values.add(sets * ld * self.lane.bytes());
                                (self.folds.columns)(lanes, rest, [1, over * width, 0]);
                            }
                            pending += rows;
                        }
                        Mode::Elements => {
                            (self.folds.columns)(lanes, values, [1, width, 0]);
                            pending += 1;
                        }
                    }
                    if pending >= FLUSH_ROWS * self.unit {
                        (self.folds.flush)(acc, lanes, [width, self.unit, 0]);
                        pending = 0;
                    }
                }
                if pending > 0 {
                    (self.folds.flush)(acc, lanes, [width, self.unit, 0]);
                }
                if self.segments > 1 {
                    let size = self.folds.acc_bytes;
                    let to = shared.add((segment * self.results + first) * size);
                    std::ptr::copy_nonoverlapping(acc, to, width * size);
                } else {
                    let to = self.lanes(ptrs, shared).add(first * self.lane.bytes());
                    (self.folds.finish)(to, acc, [width, 0, 0]);
                }
            }
        }
    }

    /// Where the results of a chunk start, and how many they are.
    fn chunk(&self, kept: usize, block: usize, grid_cols: usize) -> (usize, usize) {
        let l = &self.layout;
        match self.mode {
            _ if matches!(self.values, Values::Nothing) => (0, self.results),
            Mode::Rows => {
                let row = block * l.block_rows;
                (kept * l.rows + row, l.block_rows.min(l.rows - row))
            }
            Mode::All => (kept, 1),
            Mode::Columns => {
                let col = block * l.block_cols;
                (kept * l.cols + col, l.block_cols.min(l.cols - col))
            }
            Mode::Elements => {
                let row = block / grid_cols * l.block_rows;
                let col = block % grid_cols * l.block_cols;
                let (rows, cols) = (
                    l.block_rows.min(l.rows - row),
                    l.block_cols.min(l.cols - col),
                );
                ((kept * l.rows + row) * l.cols + col, rows * cols)
            }
        }
    }

    /// The second phase: combines segments and runs the epilogue.
    ///
    /// # Safety
    /// As for [`ReduceKernel::run`], after all its pieces.
    pub unsafe fn finish(
        &self,
        ptrs: &[*mut u8],
        piece: usize,
        pieces: usize,
        scratch: *mut u8,
        shared: *mut u8,
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            let lanes = self.lanes(ptrs, shared);
            if self.segments > 1 {
                let bytes = self.results * self.folds.acc_bytes;
                for s in 1..self.segments {
                    (self.folds.merge)(shared, shared.add(s * bytes), [self.results, 0, 0]);
                }
                (self.folds.finish)(lanes, shared, [self.results, 0, 0]);
            }
            if let Target::Epilogue(kernel) = &self.target {
                kernel.run_with(ptrs, lanes, piece, pieces, scratch);
            }
        }
    }
}

/// Sets the coordinates along `axes` to position number `index` of them.
fn place(coordinates: &mut [usize], axes: &[usize], extents: &[usize], index: usize) {
    let mut index = index;
    for a in axes.iter().rev() {
        let n = extents[*a].max(1);
        coordinates[*a] = index % n;
        index /= n;
    }
}

/// The operand that is reduced as it is, if nothing else happens in the prologue.
fn bare_operand(fused: &Fused, register: u16) -> Option<usize> {
    let k = usize::from(register);
    (k < fused.operands.len() && fused.outputs.is_empty()).then_some(k)
}

/// Nanoseconds per f32.
fn fold_cost(f: ReduceFn) -> f64 {
    match f {
        ReduceFn::Sum | ReduceFn::Prod => 0.04,
        ReduceFn::Max | ReduceFn::Min => 0.06,
    }
}

#[cfg(test)]
mod tests;
