//! The choice of strategy, tile sizes and pieces for a shape.

use super::deep;
use super::dot::DOT_COLS;
use super::outer::{ROW_NV_MAX, max_rows, max_vectors};
use super::{LINE, MatmulSpec};

/// Elements per epilogue call that are aimed at: enough to hide the call, few enough for L1.
const TILE_ELEMENTS: usize = 2048;
/// The same for wide tiles, which stay in L2.
const WIDE_TILE_ELEMENTS: usize = 16 << 10;
/// The longest inner dimension that is done in one go, and the lengths it is split into otherwise.
const K_WHOLE: usize = 2048;
/// Rows of A that have to fit its block at whole length: with fewer, B is fetched too often.
const WHOLE_ROWS: usize = 128;
const K_BLOCK_LEAST: usize = 256;
const K_BLOCK_MOST: usize = 1024;
/// Bytes of A that a piece goes over again and again: half of a usual L2 cache.
const A_BLOCK_BYTES: usize = 512 << 10;
/// Bytes of B's panels in use at a time: a quarter of it.
const B_GROUP_BYTES: usize = 256 << 10;
/// A usual L1 data cache.
const L1_BYTES: usize = 32 << 10;
const L1_WAYS: usize = 8;
const L1_SETS: usize = L1_BYTES / L1_WAYS / LINE;
/// The largest block of sums that is kept for an epilogue where the inner dimension is split.
const SUM_ROWS: usize = 512;
const SUM_COLS: usize = 256;
/// One thread's time below which forking does not pay, and the least time of a piece, in ns.
const FORK_NS: usize = 10_000;
const PIECE_NS: usize = 5_000;
/// Pieces per thread where the work allows it: threads that are slowed down then take fewer.
const PIECES_PER_THREAD: usize = 4;

/// The ways to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Outer,
    Swapped,
    Dot,
    Deep,
}

/// How the product is cut.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grid {
    /// Micro-tile: rows and columns (of Cᵀ in the swapped way).
    pub mr: usize,
    pub nr: usize,
    /// Columns (outer), rows (dot) or columns of Cᵀ (swapped) of an epilogue tile; a multiple of
    /// `nr` but for dot.
    pub width: usize,
    /// Micro-tiles of an epilogue tile, along M (outer).
    pub stack: usize,
    /// Batches, rows and columns of a piece, and the inner dimension done in one go.
    pub bc: usize,
    pub mc: usize,
    pub nc: usize,
    pub kc: usize,
    /// Pieces along M and N.
    pub pm: usize,
    pub pn: usize,
    /// Deep only: parts of the inner dimension, and the length of one.
    pub parts: usize,
    pub depth: usize,
    /// Copy A's block, copy (or transpose) B's panels first. Dot: transpose the short operand
    /// first.
    pub pack_a: bool,
    pub pack_b: bool,
    /// Dot only: the rows come from B and the columns from A.
    pub swap: bool,
    /// Leading dimension of A's copy.
    pub a_ld: usize,
    /// Byte offsets of B's copy and of the sums in a thread's workspace, and its size.
    pub b_at: usize,
    pub tile_at: usize,
    pub per_thread: usize,
    /// Bytes of the workspace that all threads share; it comes first.
    pub shared: usize,
}

/// About how long one thread takes, in ns: the longer of arithmetic (at 100 GFLOP/s in f32) and
/// memory (20 GB/s).
fn one_thread_ns(spec: &MatmulSpec, size: usize) -> usize {
    let MatmulSpec { m, n, k, batch, .. } = *spec;
    let flops = batch
        .saturating_mul(m)
        .saturating_mul(n)
        .saturating_mul(2 * k);
    let elements = batch.saturating_mul(m * k + k * n + m * n);
    (flops / 400).max(elements / 20).saturating_mul(size)
}

/// How many pieces the threads would like.
fn wanted_pieces(spec: &MatmulSpec, size: usize, threads: usize) -> usize {
    let ns = one_thread_ns(spec, size);
    if threads == 1 || ns <= FORK_NS {
        return 1;
    }
    (ns / PIECE_NS).clamp(2, threads * PIECES_PER_THREAD)
}

pub(super) fn lines(bytes: usize) -> usize {
    bytes.next_multiple_of(LINE)
}

/// What a plan has to know of the elements and the instruction set.
#[derive(Clone, Copy)]
pub(super) struct Vectors {
    /// Bytes of an element.
    pub size: usize,
    /// Elements of a vector.
    pub lanes: usize,
    /// Vector registers.
    pub regs: usize,
}

/// Chooses the way and cuts the product.
pub(super) fn plan(spec: &MatmulSpec, vectors: Vectors, threads: usize) -> (Way, Grid) {
    let MatmulSpec {
        m,
        n,
        k,
        batch,
        a,
        b,
        ..
    } = *spec;
    if m == 0 || n == 0 || batch == 0 {
        return (Way::Outer, Grid::default());
    }
    let Vectors { size, lanes, regs } = vectors;
    let wanted = wanted_pieces(spec, size, threads);
    // Whether the operand's columns (B) or rows (A) lie contiguous along K.
    let b_along_k = b.trans || (n == 1 && b.ld == 1);
    let a_along_k = !a.trans || (m == 1 && a.ld == 1);
    // Vectors along N would be a quarter empty or more.
    let sparse = 4 * n <= 3 * n.next_multiple_of(lanes);
    let long_k = 2 * k >= lanes;
    let few_cols =
        !a.trans && n <= DOT_COLS && n <= m && (b_along_k || (k >= 64 && m >= 16 && sparse));
    let few_rows = b.trans && m <= DOT_COLS && (a_along_k || n >= 16);
    if long_k && few_cols {
        (Way::Dot, dot(spec, size, wanted, false, !b_along_k))
    } else if long_k && few_rows {
        (Way::Dot, dot(spec, size, wanted, true, !a_along_k))
    } else if a.trans && sparse && n <= max_rows(regs, 2) && m >= 2 * lanes {
        (Way::Swapped, swapped(spec, vectors, wanted))
    } else if deep::fits(spec, vectors) {
        (Way::Deep, deep::plan(spec, vectors))
    } else {
        (Way::Outer, outer(spec, vectors, wanted, threads))
    }
}

/// Rows and columns of the micro-tiles: as wide as there are columns for, then as tall as the registers
/// allow.
pub(super) fn micro_tile(m: usize, n: usize, lanes: usize, regs: usize) -> (usize, usize) {
    let vectors = n.div_ceil(lanes);
    let widest = if m <= 1 {
        ROW_NV_MAX
    } else {
        max_vectors(regs)
    };
    let nv = vectors.div_ceil(vectors.div_ceil(widest));
    let mr = if m <= 1 { 1 } else { max_rows(regs, nv).min(m) };
    (mr, nv * lanes)
}

/// Pieces of `len` that are multiples of `unit`, at most `pieces` of them: length and number.
fn split(len: usize, unit: usize, pieces: usize) -> (usize, usize) {
    let units = len.div_ceil(unit);
    let per = units.div_ceil(pieces.max(1)) * unit;
    (per, len.div_ceil(per))
}

fn dot(spec: &MatmulSpec, size: usize, wanted: usize, swap: bool, pack: bool) -> Grid {
    let MatmulSpec { m, n, k, batch, .. } = *spec;
    let (long, short) = if swap { (n, m) } else { (m, n) };
    let width = (TILE_ELEMENTS / short).min(long);
    let bc = (batch / wanted).max(1);
    let (len, count) = split(long, 8, wanted.div_ceil(batch.div_ceil(bc)));
    let mut grid = Grid {
        width,
        bc,
        kc: k,
        pack_b: pack,
        swap,
        ..Grid::default()
    };
    (grid.mc, grid.pm, grid.nc, grid.pn) = if swap {
        (m, 1, len, count)
    } else {
        (len, count, n, 1)
    };
    // An odd number of lines, so that the short operand's rows do not share cache sets.
    grid.a_ld = (lines(k * size) | LINE) / size;
    grid.tile_at = if pack { short * grid.a_ld * size } else { 0 };
    grid.per_thread = lines(grid.tile_at + width * short * size);
    grid
}

fn swapped(spec: &MatmulSpec, vectors: Vectors, wanted: usize) -> Grid {
    let MatmulSpec { m, n, k, batch, .. } = *spec;
    let Vectors { size, lanes, .. } = vectors;
    let nr = lanes * if n == 1 { ROW_NV_MAX } else { 2 };
    let width = (TILE_ELEMENTS / n / nr).clamp(1, m.div_ceil(nr)) * nr;
    let bc = (batch / wanted).max(1);
    let (mc, pm) = split(m, 2 * lanes, wanted.div_ceil(batch.div_ceil(bc)));
    let tile_at = lines(width * n * size);
    let per_thread = 2 * tile_at;
    Grid {
        mr: n,
        nr,
        width,
        bc,
        mc,
        nc: n,
        kc: k,
        pm,
        pn: 1,
        tile_at,
        per_thread,
        ..Grid::default()
    }
}

fn outer(spec: &MatmulSpec, vectors: Vectors, wanted: usize, threads: usize) -> Grid {
    let MatmulSpec {
        m,
        n,
        k,
        batch,
        a,
        b,
        ..
    } = *spec;
    let Vectors { size, lanes, regs } = vectors;
    let (mr, nr) = micro_tile(m, n, lanes, regs);
    let kc = if k <= K_WHOLE && m.min(WHOLE_ROWS) * k * size <= A_BLOCK_BYTES {
        k
    } else {
        // As much of A's height as can be, so that its rows are read in few pieces.
        let most = (A_BLOCK_BYTES / (m.min(SUM_ROWS) * size)).clamp(K_BLOCK_LEAST, K_BLOCK_MOST);
        k.div_ceil(k.div_ceil(most))
    };
    let blocks = k > kc;
    // Copying B pays where a panel does not stay in L1 and its rows lie apart, if it is used often. Rows at a
    // multiple of 2 KiB do not stay, however few: they fall into the same few cache sets.
    let stays = kc * nr * size <= L1_BYTES && kc <= kept_rows(b.ld * size);
    let apart = b.ld >= 2 * nr && !stays;
    let pack_b = b.trans || (apart && m >= 8 * mr);
    // Rows of A at a multiple of 2 KiB fall into the same few cache sets; copying pays if they are
    // used often, unless those of a micro-tile fit into one set.
    let crowd = if a.trans { kc } else { mr };
    let conflict = (a.ld * size).is_multiple_of(2048) && kc * size >= 2048 && crowd > 7;
    let pack_a = conflict && m >= 2 * mr && n >= 4 * nr;

    let panels = (B_GROUP_BYTES / (kc * nr * size).max(1)).clamp(1, 4);
    let all = n.div_ceil(nr) * nr;
    // As much of B as fits half of a usual L2 cache beside the tile; of a copied B, only the whole.
    let most = (A_BLOCK_BYTES / (kc * size).max(1) / nr).max(1) * nr;
    let wide = spec.wide && !blocks && (!pack_b || all <= most);
    let (width, tile_elements) = if wide {
        (all.min(most), WIDE_TILE_ELEMENTS)
    } else {
        let width = (panels * nr).min((4 * lanes).next_multiple_of(nr));
        (width.min(all), TILE_ELEMENTS)
    };
    let stack = (tile_elements / (width * mr)).max(1);

    let mut rows = (A_BLOCK_BYTES / (kc * size).max(1)).max(mr);
    let mut cols = n;
    if blocks {
        rows = rows.min(SUM_ROWS);
        cols = cols.min(SUM_COLS.next_multiple_of(width));
    }
    let mut pm = m.div_ceil(rows);
    let mut pn = n.div_ceil(cols);
    let mut bc = batch;
    if wanted > 1 {
        bc = (batch * pm * pn / wanted).clamp(1, bc);
        let parts = batch.div_ceil(bc);
        // Along N nothing is packed twice, unless A is.
        let most = if pack_a {
            n.div_ceil(256).min(threads)
        } else {
            n.div_ceil(width)
        };
        pn = pn.max(wanted.div_ceil(parts * pm).min(most));
        // Along M every piece packs its B; so few of them, except for want of others.
        let least = if pack_b && parts * pn * pm >= threads {
            8 * mr
        } else {
            mr
        };
        pm = pm.max(wanted.div_ceil(parts * pn).min(m.div_ceil(least)));
    }
    let (mc, pm) = split(m, 1, pm);
    let (nc, pn) = split(n, width, pn);

    let a_ld = if a.trans {
        lines(mc * size)
    } else {
        lines(kc * size) | LINE
    } / size;
    let a_rows = if a.trans { kc } else { mc };
    let b_at = if pack_a { a_ld * a_rows * size } else { 0 };
    let tile_at = b_at + if pack_b { lines(kc * width * size) } else { 0 };
    let sums = if blocks { mc * nc } else { stack * mr * width };
    let per_thread = lines(tile_at + sums * size);
    Grid {
        mr,
        nr,
        width,
        stack,
        bc,
        mc,
        nc,
        kc,
        pm,
        pn,
        pack_a,
        pack_b,
        swap: false,
        a_ld,
        b_at,
        tile_at,
        per_thread,
        ..Grid::default()
    }
}

/// How many rows of a panel stay in the L1 cache where each lies `stride` bytes after the one before:
/// half the ways of the sets that they fall into.
fn kept_rows(stride: usize) -> usize {
    match (stride / LINE).trailing_zeros() {
        _ if !stride.is_multiple_of(LINE) => usize::MAX,
        shared => (L1_WAYS / 2) * (L1_SETS >> shared.min(L1_SETS.ilog2())),
    }
}

impl Grid {
    /// The number of pieces; none for an empty product, whose grid is empty.
    pub(super) fn pieces(&self, spec: &MatmulSpec) -> usize {
        if self.parts > 0 {
            self.parts
        } else if self.bc == 0 {
            0
        } else {
            spec.batch.div_ceil(self.bc) * self.pm * self.pn
        }
    }
}
