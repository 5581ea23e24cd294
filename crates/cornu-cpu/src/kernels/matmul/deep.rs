//! Products of a long inner dimension and a small result, of which both operands lie row after row along
//! it: the gradients of weights. Cutting the result would have every piece read a whole operand; here
//! each takes a part of the inner dimension and reads it once, and the parts' sums are added in the end.

use super::grid::{Grid, Vectors};
use super::outer::{MicroArgs, More};
use super::pack::{Add, Copy, Strips};
use super::{Job, MatmulSpec, Output, Tile};
use crate::simd::Float;

/// The least inner dimension, also in rows of the result, and what a part of it has at least.
const LEAST_DEPTH: usize = 1024;
const DEPTH_IN_ROWS: usize = 4;
const PART_DEPTH: usize = 512;
/// The most parts, the same for any team, so that sums do not depend on it.
const PARTS: usize = 8;
/// The largest result: a part's sums stay in the cache beside its operands.
const RESULT_BYTES: usize = 256 << 10;
const LEAST_ROWS: usize = 16;
const MOST_ROWS: usize = 512;
/// Multiplications below which nothing of this pays.
const LEAST_WORK: usize = 4 << 20;
/// The inner dimension that is done in one go: a panel of B takes half of a usual L1 cache.
const BLOCK: usize = 256;
/// Elements of the result that are finished at a time.
const TILE_ELEMENTS: usize = 8 << 10;

/// Whether a product is one of these.
pub(super) fn fits(spec: &MatmulSpec, vectors: Vectors) -> bool {
    let MatmulSpec { m, n, k, batch, .. } = *spec;
    batch == 1
        && spec.a.trans
        && !spec.b.trans
        && k >= LEAST_DEPTH.max(DEPTH_IN_ROWS * m)
        && (LEAST_ROWS..=MOST_ROWS).contains(&m)
        && 2 * n >= vectors.lanes
        && m * n * vectors.size <= RESULT_BYTES
        && m * n * k >= LEAST_WORK
}

/// How it is cut.
pub(super) fn plan(spec: &MatmulSpec, vectors: Vectors) -> Grid {
    let MatmulSpec { m, n, k, .. } = *spec;
    let Vectors { size, lanes, regs } = vectors;
    let (mr, nr) = super::grid::micro_tile(m, n, lanes, regs);
    let depth = k.div_ceil((k / PART_DEPTH).clamp(1, PARTS));
    let parts = k.div_ceil(depth);
    let kc = depth.div_ceil(depth.div_ceil(BLOCK));
    let a_ld = Strips::<f32>::stride(mr, kc, lanes);
    let lines = |elements: usize| super::grid::lines(elements * size);
    let b_at = lines(m.div_ceil(mr) * a_ld);
    Grid {
        mr,
        nr,
        stack: (TILE_ELEMENTS / n).clamp(1, m),
        kc,
        parts,
        depth,
        a_ld,
        b_at,
        per_thread: b_at + lines(kc * nr),
        shared: parts * lines(m * n),
        ..Grid::default()
    }
}

impl Grid {
    /// How many calls of [`finish`] there are.
    pub(super) fn tiles(&self, spec: &MatmulSpec) -> usize {
        spec.m.div_ceil(self.stack)
    }
}

/// The sums over one part of the inner dimension.
pub(super) unsafe fn part<T: Float>(job: &Job<'_, T>, part: usize, thread: usize) {
    let (spec, grid, kernels) = (job.spec, job.grid, job.kernels);
    let MatmulSpec { m, n, .. } = *spec;
    let ks = part * grid.depth..((part + 1) * grid.depth).min(spec.k);
    // SAFETY: all offsets stay inside the operands and the workspace as laid out by the plan: the part's
    // own sums and this thread's copies.
    unsafe {
        let sums = sums(job, part);
        let a_copy: *mut T = job.scratch(thread, 0);
        let panel: *mut T = job.scratch(thread, grid.b_at);
        for p in ks.clone().step_by(grid.kc) {
            let k = grid.kc.min(ks.end - p);
            (kernels.strips)(Strips {
                k,
                rows: m,
                height: grid.mr,
                src: job.a.add(p * spec.a.ld),
                lds: spec.a.ld,
                dst: a_copy,
                ldd: grid.a_ld,
            });
            for j in (0..n).step_by(grid.nr) {
                let cols = grid.nr.min(n - j);
                let source = (job.b.add(p * spec.b.ld + j), spec.b.ld);
                // The first strip copies the panel. One of fewer vectors is read where it lies.
                let copies = cols.next_multiple_of(kernels.lanes) == grid.nr && m > grid.mr;
                for (strip, i) in (0..m).step_by(grid.mr).enumerate() {
                    let ((b, ldb), copy) = match (copies, i) {
                        (false, _) => (source, std::ptr::null_mut()),
                        (true, 0) => (source, panel),
                        (true, _) => ((panel.cast_const(), grid.nr), std::ptr::null_mut()),
                    };
                    let args = MicroArgs {
                        k,
                        more: More::NONE,
                        rows: grid.mr.min(m - i),
                        a: a_copy.add(strip * grid.a_ld),
                        rsa: 1,
                        csa: grid.mr,
                        b,
                        ldb,
                        c: sums.add(i * n + j),
                        ldc: n,
                        cols,
                        accumulate: p > ks.start,
                        copy,
                    };
                    (kernels.micro)(grid.mr, &args);
                }
            }
        }
    }
}

/// Adds the parts' sums for some rows of the result, and hands them on.
pub(super) unsafe fn finish<T: Float>(job: &Job<'_, T>, tile: usize, thread: usize) {
    let (spec, grid, kernels) = (job.spec, job.grid, job.kernels);
    let n = spec.n;
    let row0 = tile * grid.stack;
    let rows = grid.stack.min(spec.m - row0);
    // SAFETY: as for `part`; all parts are done, and tiles have rows of their own.
    unsafe {
        let at = |part| sums(job, part).add(row0 * n);
        let acc = at(0);
        let add = |src: *const T, dst: *mut T, ldd| {
            (kernels.add)(Add {
                rows,
                cols: n,
                src,
                lds: n,
                dst,
                ldd,
            });
        };
        for part in 1..grid.parts {
            add(at(part), acc, n);
        }
        match job.out {
            Output::Store(dest) if dest.accumulate => add(acc, dest.at(0, row0, 0), dest.ld),
            Output::Store(dest) => (kernels.copy)(Copy {
                rows,
                cols: n,
                src: acc,
                lds: n,
                dst: dest.at(0, row0, 0),
                ldd: dest.ld,
            }),
            Output::Epilogue(epilogue) => epilogue.finish(&mut Tile {
                batch: 0,
                row0,
                col0: 0,
                rows,
                cols: n,
                acc,
                acc_ld: n,
                thread,
            }),
        }
    }
}

/// A part's sums, row after row.
unsafe fn sums<T: Float>(job: &Job<'_, T>, part: usize) -> *mut T {
    // SAFETY: inside what the plan calls shared.
    unsafe {
        job.workspace
            .add(part * (job.grid.shared / job.grid.parts))
            .cast()
    }
}
