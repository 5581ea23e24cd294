//! Convolutions as matrix products of patches with the kernel.
//!
//! The patches of a block of places are gathered into a matrix that stays in the cache, one row for
//! each place, and multiplied at once; the whole matrix of patches never exists. What flows to the
//! input is the same with the kernel turned around; where places are strides apart, once for each
//! remainder of the input's position. What flows to the kernel is a sum over all places: cut by shape
//! alone into chunks, whose sums are added in order.
//!
//! Where few columns are multiplied, gathering would cost more than the products: there the source
//! is read as it lies, line by line (`lines`). Most kernels of 3×3 cells need less than half of the products
//! (`winograd`).

mod lines;
mod patches;
mod winograd;

use super::matmul::{Dest, MatmulPlan, MatmulSpec, Operand, Output, Tile, transpose};
use crate::simd::{Float, Isa};
use crate::team::Team;
use cornu_core::ops::conv::{Conv, ConvExtents, ConvFn};
use lines::Lines;
use patches::{Axis, Patches};
use std::ops::Range;
use winograd::Winograd;

/// Bytes of a block of patches: it stays in a usual L2 cache beside the kernel.
const BLOCK_BYTES: usize = 192 << 10;
const MOST_ROWS: usize = 512;
/// Blocks that large work is cut into at least.
const LEAST_BLOCKS: usize = 16;
/// Chunks of places whose sums for the kernel are kept apart.
const CHUNKS: usize = 8;
/// Elements of such sums beyond which they are not taken by minimal filtering: those of 256 filters of as many
/// channels.
const MOST_SUMS: usize = 1 << 20;
/// Operations worth a piece of their own: some 5 µs.
const PIECE_OPERATIONS: usize = 1 << 19;
const LINE: usize = 64;

/// The products of one remainder of positions (of all, where places are not apart).
struct Phase {
    patches: Patches,
    /// The kernel's cells, in the order in which patches have them.
    cells: Vec<usize>,
    /// Where the rows lie in the result, if not one after another.
    spread: Option<Spread>,
    rows: usize,
    k: usize,
}

/// Rows that are apart: where they begin along each axis, how far apart, and the result's extents.
#[derive(Clone, Copy)]
struct Spread {
    first: [usize; 3],
    apart: [usize; 3],
    extents: [usize; 3],
    counts: [usize; 3],
}

/// How the source is read.
enum Way {
    /// In patches that are gathered.
    Patches,
    Lines(Lines),
    Winograd(Winograd),
}

/// A convolution for one shape.
pub(crate) struct ConvPlan<T> {
    f: ConvFn,
    phases: Vec<Phase>,
    way: Way,
    groups: usize,
    /// Channels of the patches' source and of the result (of the kernel's rows for its gradient), and
    /// their parts for a group.
    filters: usize,
    width: usize,
    depth: usize,
    /// Rows of a block, and the products of a whole block and of the last, for each phase.
    block: usize,
    plans: Vec<[MatmulPlan<T>; 2]>,
    isa: Isa,
    threads: usize,
    operations: usize,
}

fn three<A: Copy>(values: &[A], missing: A) -> [A; 3] {
    let mut all = [missing; 3];
    all[3 - values.len()..].copy_from_slice(values);
    all
}

impl<T: Float> ConvPlan<T> {
    pub fn new(op: &Conv, e: &ConvExtents, threads: usize, wide: bool) -> Self {
        let (groups, o) = (op.options.groups, &op.options);
        let spatial = three(&op.spatial, 1);
        let size = three(&op.size, 1);
        let places = three(&e.places, 1);
        let (strides, dilation) = (three(&o.strides, 1), three(&o.dilation, 1));
        let low = three(&o.padding, (0, 0)).map(|p| p.0);
        let (channels, filters) = match op.f {
            ConvFn::Input => (e.filters, e.channels),
            _ => (e.channels, e.filters),
        };
        let phases = match op.f {
            ConvFn::Output | ConvFn::Kernel => {
                let axis = |i: usize| Axis {
                    count: places[i],
                    step: strides[i],
                    source: spatial[i],
                    offsets: (0..size[i])
                        .map(|k| (k * dilation[i]) as isize - low[i] as isize)
                        .collect(),
                };
                let axes = [0, 1, 2].map(axis);
                let cells = (0..size.iter().product()).collect();
                vec![Phase::new(
                    axes,
                    e.batch,
                    channels,
                    channels / groups,
                    cells,
                    None,
                )]
            }
            ConvFn::Input => {
                let mut phases = Vec::new();
                for a in 0..strides[0].min(spatial[0]) {
                    for b in 0..strides[1].min(spatial[1]) {
                        for c in 0..strides[2].min(spatial[2]) {
                            phases.push(backward(
                                [a, b, c],
                                (spatial, size, places),
                                (strides, dilation, low),
                                (e.batch, channels, channels / groups),
                            ));
                        }
                    }
                }
                phases
            }
        };
        let depth = channels / groups;
        let width = filters / groups;
        let longest = phases.iter().map(|p| p.k).max().unwrap_or(0).max(1);
        let most = phases.iter().map(|p| p.rows).max().unwrap_or(0);
        let operations: usize = phases.iter().map(|p| 2 * p.rows * p.k * filters).sum();
        let mut block = (BLOCK_BYTES / size_of::<T>() / longest).clamp(16, MOST_ROWS);
        if operations > LEAST_BLOCKS * PIECE_OPERATIONS / 2 {
            block = block
                .min(most.div_ceil(LEAST_BLOCKS).next_multiple_of(16))
                .max(16);
        }
        let block = block.min(most.max(1));
        let isa = Isa::get();
        let product = |phase: &Phase, rows: usize| {
            let dense = |ld: usize, trans: bool| Operand {
                ld,
                trans,
                batch_stride: 0,
            };
            let spec = match op.f {
                ConvFn::Kernel => MatmulSpec {
                    m: phase.k,
                    n: width,
                    k: rows,
                    batch: 1,
                    a: dense(phase.k, true),
                    b: dense(filters, false),
                    wide: false,
                },
                _ => MatmulSpec {
                    m: rows,
                    n: width,
                    k: phase.k,
                    batch: 1,
                    a: dense(phase.k, false),
                    b: dense(
                        if op.f == ConvFn::Input {
                            width
                        } else {
                            filters
                        },
                        false,
                    ),
                    wide: wide && groups == 1,
                },
            };
            MatmulPlan::with_isa(spec, 1, isa)
        };
        let plans = phases
            .iter()
            .map(|p| [product(p, block.min(p.rows)), product(p, p.rows % block)])
            .collect();
        let lines = || Lines::new(&phases, e.batch, filters, size_of::<T>()).map(Way::Lines);
        let way = match groups {
            1 => winograd::<T>(op.f, &phases, e.batch, filters).or_else(lines),
            _ => None,
        };
        Self {
            f: op.f,
            way: way.unwrap_or(Way::Patches),
            phases,
            groups,
            filters,
            width,
            depth,
            block,
            plans,
            isa,
            threads,
            operations,
        }
    }

    /// Whether finished tiles can be handed on; else the result must be stored whole.
    pub fn has_tiles(&self) -> bool {
        let in_order = match &self.way {
            Way::Patches => self.phases.iter().all(|p| p.spread.is_none()),
            Way::Lines(_) | Way::Winograd(_) => true,
        };
        self.f != ConvFn::Kernel && in_order
    }

    fn blocks(&self, phase: &Phase) -> usize {
        match &self.way {
            Way::Patches => phase.rows.div_ceil(self.block),
            Way::Lines(lines) => lines.units(),
            Way::Winograd(winograd) => winograd.units(),
        }
    }

    fn patch_bytes(&self) -> usize {
        let longest = self.phases.iter().map(|p| p.k).max().unwrap_or(0);
        (self.block * longest * size_of::<T>()).next_multiple_of(LINE)
    }

    fn tile_bytes(&self) -> usize {
        match self.phases.iter().any(|p| p.spread.is_some()) {
            true => (self.block * self.width * size_of::<T>()).next_multiple_of(LINE),
            false => 0,
        }
    }

    fn per_thread(&self) -> usize {
        match &self.way {
            Way::Patches => {}
            Way::Lines(lines) => return self.lines_bytes(lines).iter().sum(),
            Way::Winograd(winograd) => {
                let elements = winograd.workspace() + winograd.results();
                return (elements * size_of::<T>()).next_multiple_of(LINE);
            }
        }
        let work = self.plans.iter().flatten().map(MatmulPlan::workspace_bytes);
        let work = work.max().unwrap_or(0).next_multiple_of(LINE);
        self.patch_bytes() + self.tile_bytes() + work
    }

    /// Bytes of a thread's workspace where the source is read by lines: for lines, the list of them,
    /// and sums that are handed on.
    fn lines_bytes(&self, lines: &Lines) -> [usize; 3] {
        let (elements, listed) = lines.workspace();
        let size = size_of::<T>();
        let bytes = [
            elements * size,
            listed * size_of::<usize>(),
            lines.sums() * size,
        ];
        bytes.map(|bytes| bytes.next_multiple_of(LINE))
    }

    /// Elements of the kernel as patches see it.
    fn kernel_size(&self) -> usize {
        let cells: usize = self.phases.iter().map(|p| p.cells.len()).sum();
        cells * self.depth * self.filters
    }

    /// Elements of the kernel's gradient before it is finished.
    fn sums_size(&self) -> usize {
        match &self.way {
            Way::Winograd(winograd) => winograd.kernel_size(),
            _ => self.kernel_size(),
        }
    }

    fn shared_bytes(&self) -> usize {
        let ready = match &self.way {
            Way::Winograd(winograd) => winograd.kernel_size(),
            _ => 0,
        };
        let elements = match self.f {
            ConvFn::Output => ready,
            ConvFn::Input => self.kernel_size() + ready,
            ConvFn::Kernel => self.sums_size() * self.chunks().len(),
        };
        (elements * size_of::<T>()).next_multiple_of(LINE)
    }

    /// Bytes of memory that a run needs, aligned to cache lines.
    pub fn workspace_bytes(&self) -> usize {
        self.shared_bytes() + self.per_thread() * self.threads
    }

    /// The blocks of each chunk of places.
    fn chunks(&self) -> Vec<Range<usize>> {
        let blocks = self.phases.first().map_or(0, |p| self.blocks(p));
        let chunks = match self.operations < 2 * PIECE_OPERATIONS {
            true => 1,
            false => CHUNKS.min(blocks.max(1)),
        };
        (0..chunks)
            .map(|c| blocks * c / chunks..blocks * (c + 1) / chunks)
            .collect()
    }

    fn run_pieces(&self, team: &Team, pieces: usize, run: &(dyn Fn(usize, usize) + Sync)) {
        if self.operations < 2 * PIECE_OPERATIONS || team.threads() > self.threads {
            (0..pieces).for_each(|piece| run(piece, 0));
        } else {
            team.run(pieces, run);
        }
    }

    /// Computes output or what flows to the input.
    ///
    /// # Safety
    /// The operands are valid for the shapes that the plan was made for, `out` for the result (a
    /// function only if [`ConvPlan::has_tiles`]), `workspace` for [`ConvPlan::workspace_bytes`].
    pub unsafe fn run(
        &self,
        team: &Team,
        a: *const T,
        b: *const T,
        out: Output<'_, T>,
        workspace: *mut u8,
    ) {
        // SAFETY: the workspace begins with what all threads share.
        let threads_at = unsafe { workspace.add(self.shared_bytes()) };
        let (mut b, mut shared) = (b, workspace.cast::<T>());
        if self.f == ConvFn::Input {
            // SAFETY: as promised by the caller.
            unsafe { self.turn(b, shared) };
            b = shared;
            shared = shared.wrapping_add(self.kernel_size());
        }
        let units: Vec<usize> = match &self.way {
            Way::Patches => (self.phases.iter())
                .map(|p| self.blocks(p) * self.groups)
                .collect(),
            Way::Lines(lines) => vec![lines.units()],
            Way::Winograd(winograd) => {
                // SAFETY: as promised by the caller; the workspace has room.
                unsafe { winograd.ready(self.isa, b.cast(), shared.cast()) };
                b = shared;
                vec![winograd.units()]
            }
        };
        let job = Run {
            a,
            b,
            out,
            threads_at,
        };
        self.run_pieces(team, units.iter().sum(), &|mut piece, thread| {
            let mut phase = 0;
            while piece >= units[phase] {
                piece -= units[phase];
                phase += 1;
            }
            // SAFETY: as promised by the caller; pieces write disjoint rows and columns.
            unsafe { self.piece(&job, phase, piece, thread) }
        });
    }

    /// The kernel as what flows to the input needs it: for each phase and group, its cells in order,
    /// each transposed.
    unsafe fn turn(&self, kernel: *const T, mut to: *mut T) {
        // Here the source's channels are the convolution's filters, and the result's its channels.
        let (from_width, from_depth) = (self.depth, self.width);
        let row = from_width * self.groups;
        for phase in &self.phases {
            for g in 0..self.groups {
                for cell in &phase.cells {
                    // SAFETY: the cells are the kernel's, and there is room for all of them.
                    unsafe {
                        let from = kernel.add(cell * from_depth * row + g * from_width);
                        transpose(self.isa, from_depth, from_width, from, row, to, from_depth);
                        to = to.add(from_depth * from_width);
                    }
                }
            }
        }
    }

    unsafe fn piece(&self, job: &Run<'_, T>, at: usize, piece: usize, thread: usize) {
        if !matches!(self.way, Way::Patches) {
            // SAFETY: as promised by the caller.
            return unsafe { self.unit(job, piece, thread) };
        }
        let phase = &self.phases[at];
        let (g, block) = (piece / self.blocks(phase), piece % self.blocks(phase));
        let rows = block * self.block..((block + 1) * self.block).min(phase.rows);
        let plan = &self.plans[at][usize::from(rows.len() < self.block.min(phase.rows))];
        // SAFETY: each thread has its own part of the workspace, laid out as its size says; rows lie
        // inside the operands and the result.
        unsafe {
            let own = job.threads_at.add(thread * self.per_thread());
            let patches: *mut T = own.cast();
            let tile: *mut T = own.add(self.patch_bytes()).cast();
            let work = own.add(self.patch_bytes() + self.tile_bytes());
            phase
                .patches
                .gather(self.isa, job.a, g * self.depth, rows.clone(), patches);
            let kernel = match self.f {
                ConvFn::Input => {
                    let before: usize = self.phases[..at].iter().map(|p| p.cells.len()).sum();
                    let cell = self.depth * self.width;
                    job.b
                        .add((before * self.groups + g * phase.cells.len()) * cell)
                }
                _ => job.b.add(g * self.width),
            };
            let store = |dest| plan.run_alone(patches, kernel, Output::Store(dest), work);
            match (&job.out, &phase.spread) {
                (Output::Store(dest), None) => store(Dest {
                    ptr: dest.ptr.add(rows.start * dest.ld + g * self.width),
                    ..*dest
                }),
                (Output::Store(dest), Some(spread)) => {
                    store(Dest {
                        ptr: tile,
                        ld: self.width,
                        batch_stride: 0,
                        accumulate: false,
                    });
                    for (i, row) in rows.enumerate() {
                        let to = dest.ptr.add(spread.place(row) * dest.ld + g * self.width);
                        std::ptr::copy_nonoverlapping(tile.add(i * self.width), to, self.width);
                    }
                }
                (Output::Epilogue(epilogue), _) => {
                    let finish = |t: &mut Tile<T>| {
                        t.row0 += rows.start;
                        t.col0 += g * self.width;
                        t.thread = thread;
                        epilogue.finish(t);
                    };
                    plan.run_alone(patches, kernel, Output::Epilogue(&finish), work);
                }
            }
        }
    }

    /// A block of lines.
    unsafe fn unit(&self, job: &Run<'_, T>, unit: usize, thread: usize) {
        let n = self.filters;
        // SAFETY: each thread has its own part of the workspace, laid out as its size says.
        unsafe {
            let own = job.threads_at.add(thread * self.per_thread());
            let (work, sums) = match &self.way {
                Way::Patches => return,
                Way::Lines(lines) => {
                    let [elements, listed, _] = self.lines_bytes(lines);
                    (own.add(elements), own.add(elements + listed).cast::<T>())
                }
                Way::Winograd(winograd) => (own, own.cast::<T>().add(winograd.workspace())),
            };
            let (to, ld) = match &job.out {
                Output::Store(dest) => (Some(dest.ptr), dest.ld),
                Output::Epilogue(_) => (None, n),
            };
            let to = |row: usize| to.map_or(sums, |to| to.add(row * ld));
            let rows = match &self.way {
                Way::Patches => return,
                Way::Lines(lines) => {
                    let list = work.cast();
                    lines.output(self.isa, unit, job.a, job.b, to, ld, own.cast(), list)
                }
                Way::Winograd(winograd) => {
                    let (a, b, to) = (job.a.cast(), job.b.cast(), |row| to(row).cast());
                    winograd.output(self.isa, unit, a, b, to, ld, work.cast())
                }
            };
            if let Output::Epilogue(epilogue) = &job.out {
                epilogue.finish(&mut Tile {
                    batch: 0,
                    row0: rows.start,
                    col0: 0,
                    rows: rows.len(),
                    cols: n,
                    acc: sums,
                    acc_ld: n,
                    thread,
                });
            }
        }
    }

    /// What the places of some blocks give to the kernel of a group.
    unsafe fn chunk(
        &self,
        job: &Run<'_, T>,
        group: usize,
        chunk: usize,
        blocks: Range<usize>,
        thread: usize,
    ) {
        let (phase, plans) = (&self.phases[0], &self.plans[0]);
        let Output::Store(sums) = job.out else { return };
        // SAFETY: each thread has its own part of the workspace; rows lie inside the operands.
        unsafe {
            let own = job.threads_at.add(thread * self.per_thread());
            let first = blocks.start;
            let to = sums.ptr.add(chunk * self.sums_size());
            match &self.way {
                Way::Patches => {}
                Way::Lines(lines) => {
                    let (copies, list) = (own.cast(), own.add(self.lines_bytes(lines)[0]).cast());
                    for block in blocks {
                        let more = block > first;
                        lines.kernel(self.isa, block, job.a, job.b, to, more, copies, list);
                    }
                    return;
                }
                Way::Winograd(winograd) => {
                    let (a, b, to) = (job.a.cast(), job.b.cast(), to.cast());
                    for block in blocks {
                        let more = block > first;
                        winograd.kernel(self.isa, block, a, b, to, more, own.cast());
                    }
                    return;
                }
            }
            let patches: *mut T = own.cast();
            let work = own.add(self.patch_bytes() + self.tile_bytes());
            for block in blocks {
                let rows = block * self.block..((block + 1) * self.block).min(phase.rows);
                let plan = &plans[usize::from(rows.len() < self.block.min(phase.rows))];
                let channel = group * self.depth;
                phase
                    .patches
                    .gather(self.isa, job.a, channel, rows.clone(), patches);
                let dest = Dest {
                    ptr: to.add(group * self.width),
                    accumulate: block > first,
                    ..sums
                };
                let g = job.b.add(rows.start * self.filters + group * self.width);
                plan.run_alone(patches, g, Output::Store(dest), work);
            }
        }
    }

    /// Computes what flows to the kernel.
    ///
    /// # Safety
    /// As for [`ConvPlan::run`]; `to` has room for the kernel.
    pub unsafe fn run_kernel(
        &self,
        team: &Team,
        x: *const T,
        g: *const T,
        to: *mut T,
        workspace: *mut u8,
    ) {
        let chunks = self.chunks();
        let size = self.sums_size();
        // SAFETY: as for `run`.
        let threads_at = unsafe { workspace.add(self.shared_bytes()) };
        let job = Run {
            a: x,
            b: g,
            out: Output::Store(Dest {
                ptr: workspace.cast(),
                ld: self.filters,
                batch_stride: 0,
                accumulate: false,
            }),
            threads_at,
        };
        self.run_pieces(team, chunks.len() * self.groups, &|piece, thread| {
            let (group, chunk) = (piece / chunks.len(), piece % chunks.len());
            // SAFETY: as promised by the caller; each chunk and group has its own sums.
            unsafe { self.chunk(&job, group, chunk, chunks[chunk].clone(), thread) }
        });
        // SAFETY: the sums of all chunks are there now.
        unsafe {
            if self.phases.iter().all(|p| p.rows == 0) {
                std::slice::from_raw_parts_mut(to, self.kernel_size()).fill(T::ZERO);
                return;
            }
            let all: *mut T = workspace.cast();
            let sums = std::slice::from_raw_parts_mut(all, size);
            for chunk in 1..chunks.len() {
                let part = std::slice::from_raw_parts(all.add(chunk * size), size);
                for (sum, part) in sums.iter_mut().zip(part) {
                    *sum = *sum + *part;
                }
            }
            match &self.way {
                Way::Winograd(winograd) => winograd.kernel_of(self.isa, all.cast(), to.cast()),
                _ => to.copy_from_nonoverlapping(all, size),
            }
        }
    }
}

/// The way by minimal filtering, if it is there for the type: for `f32` alone, which networks are made of.
fn winograd<T: Float>(f: ConvFn, phases: &[Phase], images: usize, width: usize) -> Option<Way> {
    if const { size_of::<T>() == 4 } {
        let way = Winograd::new(phases, images, width)?;
        // Sums of the kernel's gradient are more than the kernel, and there are some of them.
        (f != ConvFn::Kernel || way.kernel_size() <= MOST_SUMS).then_some(Way::Winograd(way))
    } else {
        None
    }
}

impl Phase {
    fn new(
        axes: [Axis; 3],
        batch: usize,
        channels: usize,
        depth: usize,
        cells: Vec<usize>,
        spread: Option<Spread>,
    ) -> Phase {
        let rows = batch * axes.iter().map(|a| a.count).product::<usize>();
        let k = cells.len() * depth;
        Phase {
            patches: Patches {
                axes,
                channels,
                depth,
            },
            cells,
            spread,
            rows,
            k,
        }
    }
}

impl Spread {
    /// The row of the result.
    fn place(&self, row: usize) -> usize {
        let [na, nb, nc] = self.counts;
        let (image, at) = (row / (na * nb * nc), row % (na * nb * nc));
        let at = [at / (nb * nc), at / nc % nb, at % nc];
        (0..3).fold(image, |place, i| {
            place * self.extents[i] + self.first[i] + at[i] * self.apart[i]
        })
    }
}

/// What flows to the input's positions `first`, `first + stride`, … along each axis: the kernel's
/// cells that meet them, last first, so that the places they meet ascend.
fn backward(
    first: [usize; 3],
    (spatial, size, places): ([usize; 3], [usize; 3], [usize; 3]),
    (strides, dilation, low): ([usize; 3], [usize; 3], [usize; 3]),
    (batch, channels, depth): (usize, usize, usize),
) -> Phase {
    let met = |i: usize| -> Vec<(usize, isize)> {
        let at = (first[i] + low[i]) as isize;
        let cells = (0..size[i])
            .rev()
            .map(|k| (k, at - (k * dilation[i]) as isize));
        let apart = strides[i] as isize;
        let met = cells.filter(|(_, from)| from % apart == 0);
        met.map(|(k, from)| (k, from / apart)).collect()
    };
    let met = [0, 1, 2].map(met);
    let counts = [0, 1, 2].map(|i| (spatial[i] - first[i]).div_ceil(strides[i]));
    let axes = [0, 1, 2].map(|i| Axis {
        count: counts[i],
        step: 1,
        source: places[i],
        offsets: met[i].iter().map(|(_, offset)| *offset).collect(),
    });
    let mut cells = Vec::new();
    for (a, _) in &met[0] {
        for (b, _) in &met[1] {
            cells.extend(met[2].iter().map(|(c, _)| (a * size[1] + b) * size[2] + c));
        }
    }
    let spread = (strides != [1; 3]).then_some(Spread {
        first,
        apart: strides,
        extents: spatial,
        counts,
    });
    Phase::new(axes, batch, channels, depth, cells, spread)
}

/// What a run is given.
struct Run<'a, T> {
    a: *const T,
    b: *const T,
    out: Output<'a, T>,
    threads_at: *mut u8,
}

// SAFETY: pieces write disjoint parts of the result and use their own thread's workspace.
unsafe impl<T: Float> Sync for Run<'_, T> {}
