//! Matrix products of f32 and f64: `C[b] = op(A[b]) · op(B[b])`, row-major, with an optional
//! epilogue that takes each finished tile out of the cache instead of C being stored.
//!
//! A [`MatmulPlan`] is made once per shape and chooses between four ways:
//! - *outer*: micro-kernels over a register tile with vectors along N. A is read in place (either
//!   orientation; copied where its rows would fall into the same cache sets), B in place or in
//!   panels that are copied while the first rows are computed. A long K is split for the cache; an
//!   epilogue sees whole sums all the same.
//! - *swapped*: the same for `Cᵀ`, with vectors along M, where N is small and A is stored
//!   transposed.
//! - *dot*: vectors along K, where M or N is small and the long operands are contiguous along K.
//! - *deep*: pieces along K, where it is long, C small, and both operands lie row after row along K.
//!
//! The product is cut into pieces that any thread may do in any order; [`MatmulPlan::run`] hands
//! them to a [`Team`] if one thread would need more than some 10 µs, and does them itself
//! otherwise. Sums are plain fused multiply-adds in the element type; nothing is skipped, so NaN
//! and infinities propagate. A result does not depend on the number of threads that take part, only
//! on the plan.

mod deep;
mod dot;
mod grid;
mod outer;
mod pack;
mod pieces;
mod sections;
#[cfg(test)]
mod tests;

use crate::simd::{Float, Isa, Scalar, Simd, Vector};
use crate::team::Team;
use grid::{Grid, Vectors, Way};
use pieces::Kernels;
pub(crate) use sections::Sections;

/// Alignment, in bytes, of every part of the workspace: a cache line.
const LINE: usize = 64;

/// Transposes `rows` × `cols` elements: `to[c * ldt + r] = from[r * ldf + c]`.
///
/// # Safety
/// Both areas are valid and do not overlap.
pub(crate) unsafe fn transpose<T: Float>(
    isa: Isa,
    rows: usize,
    cols: usize,
    from: *const T,
    ldf: usize,
    to: *mut T,
    ldt: usize,
) {
    let job = pack::Transpose {
        rows,
        cols,
        src: from,
        lds: ldf,
        dst: to,
        ldd: ldt,
    };
    // SAFETY: as promised by the caller.
    unsafe { crate::simd::dispatch(isa, job) }
}

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Elements from one stored row to the next.
    pub ld: usize,
    /// Whether the matrix is stored transposed: element `(r, c)` is at `c * ld + r` instead of `r *
    /// ld + c`.
    pub trans: bool,
    /// Elements from one batch's matrix to the next; 0 shares one matrix among all.
    pub batch_stride: usize,
}

/// The shape of a product: C is `m × n`, A `m × k` and B `k × n` (after their transpositions),
/// `batch` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatmulSpec {
    /// Rows of C.
    pub m: usize,
    /// Columns of C.
    pub n: usize,
    /// Inner dimension; 0 gives zeros.
    pub k: usize,
    /// How many products.
    pub batch: usize,
    /// A's layout.
    pub a: Operand,
    /// B's layout.
    pub b: Operand,
    /// Whether the epilogue would rather have tiles as wide as C, so that it takes many rows as one: it
    /// goes through operands as large as C, which lie row after row, or C's rows are short.
    pub wide: bool,
}

impl MatmulSpec {
    /// One product of densely stored matrices; change the fields for anything else.
    pub fn new(m: usize, n: usize, k: usize, trans_a: bool, trans_b: bool) -> Self {
        let dense = |rows: usize, cols: usize, trans: bool| Operand {
            ld: if trans { rows } else { cols },
            trans,
            batch_stride: rows * cols,
        };
        Self {
            m,
            n,
            k,
            batch: 1,
            a: dense(m, k, trans_a),
            b: dense(k, n, trans_b),
            wide: false,
        }
    }
}

/// Where a product is stored: row-major C, element `(r, c)` of batch `b` at `b * batch_stride + r *
/// ld + c`.
#[derive(Clone, Copy, Debug)]
pub struct Dest<T> {
    /// The first element.
    pub ptr: *mut T,
    /// Elements from one row to the next.
    pub ld: usize,
    /// Elements from one batch's matrix to the next.
    pub batch_stride: usize,
    /// Add to what C holds (`C += A · B`) instead of overwriting it.
    pub accumulate: bool,
}

/// A finished rectangle of the product, in a small dense buffer of the calling thread. The epilogue
/// may change it freely; it is thrown away afterwards.
#[derive(Debug)]
pub struct Tile<T> {
    /// Which product of the batch.
    pub batch: usize,
    /// The rectangle's first row in C.
    pub row0: usize,
    /// Its first column in C.
    pub col0: usize,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub cols: usize,
    /// Its first sum; element `(r, c)` is at `acc + r * acc_ld + c`.
    pub acc: *mut T,
    /// Elements from one row of `acc` to the next.
    pub acc_ld: usize,
    /// The thread's number in the run, for scratch memory.
    pub thread: usize,
}

impl<T> Tile<T> {
    /// The sums of row `r` of the tile.
    ///
    /// # Panics
    /// If `r` is not below `rows`.
    #[inline]
    pub fn row_mut(&mut self, r: usize) -> &mut [T] {
        assert!(r < self.rows);
        // SAFETY: `acc` holds `rows` rows of `cols` sums for as long as the tile is lent to the
        // epilogue.
        unsafe { std::slice::from_raw_parts_mut(self.acc.add(r * self.acc_ld), self.cols) }
    }
}

/// What is done with finished tiles. It is called from any thread of the team, once for every tile;
/// the tiles of a run cover C without overlap.
pub trait Epilogue<T>: Sync {
    /// Takes a tile.
    fn finish(&self, tile: &mut Tile<T>);
}

impl<T, F: Fn(&mut Tile<T>) + Sync> Epilogue<T> for F {
    fn finish(&self, tile: &mut Tile<T>) {
        self(tile);
    }
}

/// What happens with the sums.
#[derive(Clone, Copy)]
pub enum Output<'a, T> {
    /// They are stored in (or added to) C.
    Store(Dest<T>),
    /// They are handed to a function, tile by tile.
    Epilogue(&'a dyn Epilogue<T>),
}

/// The strategy for one shape: tile sizes, packing, pieces and workspace.
#[derive(Clone, Copy, Debug)]
pub struct MatmulPlan<T> {
    spec: MatmulSpec,
    isa: Isa,
    threads: usize,
    pieces: usize,
    grid: Grid,
    kernels: Kernels<T>,
    piece: PieceFn<T>,
    /// What is done once all pieces are, and how many times.
    last: Option<(PieceFn<T>, usize)>,
}

/// One run of a plan.
struct Job<'a, T> {
    spec: &'a MatmulSpec,
    grid: &'a Grid,
    kernels: &'a Kernels<T>,
    a: *const T,
    b: *const T,
    out: Output<'a, T>,
    workspace: *mut u8,
}

// SAFETY: the pieces of a job write disjoint parts of C and use their own thread's workspace.
unsafe impl<T: Float> Sync for Job<'_, T> {}

type PieceFn<T> = unsafe fn(&Job<'_, T>, usize, usize);

impl<T: Float> MatmulPlan<T> {
    /// Plans a product for a team of at most `threads` threads, for this processor.
    pub fn new(spec: MatmulSpec, threads: usize) -> Self {
        Self::with_isa(spec, threads, Isa::get())
    }

    /// The same for a chosen instruction set (or the portable one, if the processor lacks it).
    pub fn with_isa(spec: MatmulSpec, threads: usize, isa: Isa) -> Self {
        let threads = threads.max(1);
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if isa.is_available() => Self::build::<crate::simd::Avx512>(spec, threads),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 if isa.is_available() => Self::build::<crate::simd::Avx2>(spec, threads),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Self::build::<crate::simd::Neon>(spec, threads),
            _ => Self::build::<Scalar>(spec, threads),
        }
    }

    /// The shape it was made for.
    pub fn spec(&self) -> &MatmulSpec {
        &self.spec
    }

    /// The instruction set it was made for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Bytes of workspace that a run needs, of any alignment and content.
    pub fn workspace_bytes(&self) -> usize {
        let threads = if self.pieces > 1 { self.threads } else { 1 };
        LINE + self.grid.shared + self.grid.per_thread * threads
    }

    /// How many pieces the product is cut into; 0 for an empty C.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// Computes the product; every element of C is stored, or seen by the epilogue, once.
    ///
    /// # Safety
    /// `a`, `b` and the output's C must be valid for the plan's shape and layouts, C must overlap
    /// neither A nor B, and `workspace` must be valid for [`MatmulPlan::workspace_bytes`] and used
    /// by nobody else meanwhile.
    #[inline]
    pub unsafe fn run(
        &self,
        team: &Team,
        a: *const T,
        b: *const T,
        out: Output<'_, T>,
        workspace: *mut u8,
    ) {
        // A larger team than planned for would not find its scratch memory.
        let forks = self.pieces > 1 && self.threads > 1 && team.threads() <= self.threads;
        // SAFETY: as promised by the caller.
        unsafe { self.run_all(forks.then_some(team), &self.job(a, b, out, workspace)) }
    }

    /// The same on the calling thread alone, for callers that are pieces of something themselves.
    ///
    /// # Safety
    /// As for [`MatmulPlan::run`].
    #[inline]
    pub unsafe fn run_alone(
        &self,
        a: *const T,
        b: *const T,
        out: Output<'_, T>,
        workspace: *mut u8,
    ) {
        // SAFETY: as promised by the caller.
        unsafe { self.run_all(None, &self.job(a, b, out, workspace)) }
    }

    #[inline]
    unsafe fn run_all(&self, team: Option<&Team>, job: &Job<'_, T>) {
        for (each, count) in [Some((self.piece, self.pieces)), self.last]
            .into_iter()
            .flatten()
        {
            match team {
                // SAFETY: as promised by the caller; `team` gives each thread its own index.
                Some(team) => team.run(count, &|piece, thread| unsafe { each(job, piece, thread) }),
                // SAFETY: as promised by the caller.
                None => (0..count).for_each(|piece| unsafe { each(job, piece, 0) }),
            }
        }
    }

    #[inline]
    fn job<'a>(
        &'a self,
        a: *const T,
        b: *const T,
        out: Output<'a, T>,
        workspace: *mut u8,
    ) -> Job<'a, T> {
        let workspace = workspace.wrapping_add(workspace.addr().wrapping_neg() % LINE);
        Job {
            spec: &self.spec,
            grid: &self.grid,
            kernels: &self.kernels,
            a,
            b,
            out,
            workspace,
        }
    }

    fn build<S: Simd>(mut spec: MatmulSpec, threads: usize) -> Self {
        // A single column may be called contiguous either way; so it needs no transposition.
        if spec.n == 1 && spec.b.trans {
            spec.b = Operand {
                ld: 1,
                trans: false,
                ..spec.b
            };
        }
        let vectors = Vectors {
            size: size_of::<T>(),
            lanes: T::Vec::<S>::LANES,
            regs: S::REGS,
        };
        let (way, grid) = grid::plan(&spec, vectors, threads);
        let piece: PieceFn<T> = match way {
            Way::Outer => pieces::outer,
            Way::Swapped => pieces::swapped,
            Way::Dot => pieces::dot,
            Way::Deep => deep::part,
        };
        let last: Option<(PieceFn<T>, usize)> =
            (way == Way::Deep).then(|| (deep::finish as PieceFn<T>, grid.tiles(&spec)));
        let pieces = grid.pieces(&spec);
        Self {
            spec,
            isa: S::ISA,
            threads,
            pieces,
            grid,
            kernels: Kernels::new::<S>(),
            piece,
            last,
        }
    }
}
