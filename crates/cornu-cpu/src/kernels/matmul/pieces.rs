//! What a thread does for one piece of a product, in each of the three ways.

use super::dot::{Dot, DotArgs};
use super::outer::{Micro, MicroArgs, More};
use super::pack::{Add, Copy, Strips, Transpose};
use super::{Dest, Job, Operand, Output, Tile};
use crate::simd::{Float, Simd, Vector};
use std::ops::Range;

/// What is compiled for an instruction set. All that calls it is the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels<T> {
    /// Elements of a vector.
    pub lanes: usize,
    /// A tile of a product whose tiles have up to so many rows.
    pub micro: unsafe fn(usize, &MicroArgs<T>),
    /// So many columns of dot products.
    dots: unsafe fn(usize, DotArgs<T>),
    pub copy: unsafe fn(Copy<T>),
    pub strips: unsafe fn(Strips<T>),
    transpose: unsafe fn(Transpose<T>),
    pub add: unsafe fn(Add<T>),
}

impl<T: Float> Kernels<T> {
    pub fn new<S: Simd>() -> Self {
        Kernels {
            lanes: T::Vec::<S>::LANES,
            micro: Micro::<T, S>::run,
            dots: Dot::<T, S>::run,
            copy: S::vectorize::<Copy<T>>,
            strips: S::vectorize::<Strips<T>>,
            transpose: S::vectorize::<Transpose<T>>,
            add: S::vectorize::<Add<T>>,
        }
    }
}

/// The batches, rows and columns of a piece.
struct Part {
    batches: Range<usize>,
    rows: Range<usize>,
    cols: Range<usize>,
}

impl<T: Float> Job<'_, T> {
    #[inline(always)]
    fn part(&self, piece: usize) -> Part {
        let (spec, grid) = (self.spec, self.grid);
        if grid.pm * grid.pn == 1 && grid.bc >= spec.batch {
            return Part {
                batches: 0..spec.batch,
                rows: 0..spec.m,
                cols: 0..spec.n,
            };
        }
        let (rest, pj) = (piece / grid.pn, piece % grid.pn);
        let (bi, pi) = (rest / grid.pm, rest % grid.pm);
        let range = |i: usize, step: usize, end: usize| i * step..((i + 1) * step).min(end);
        Part {
            batches: range(bi, grid.bc, spec.batch),
            rows: range(pi, grid.mc, spec.m),
            cols: range(pj, grid.nc, spec.n),
        }
    }

    /// A part of a thread's workspace.
    #[inline(always)]
    pub unsafe fn scratch(&self, thread: usize, at: usize) -> *mut T {
        // SAFETY: inside the workspace that the caller of `run` vouches for; the parts are aligned
        // to cache lines.
        unsafe {
            self.workspace
                .add(self.grid.shared + thread * self.grid.per_thread + at)
                .cast()
        }
    }
}

impl<T> Dest<T> {
    #[inline(always)]
    pub(super) unsafe fn at(&self, batch: usize, row: usize, col: usize) -> *mut T {
        // SAFETY: inside C, by the caller's promise.
        unsafe {
            self.ptr
                .add(batch * self.batch_stride + row * self.ld + col)
        }
    }
}

impl Operand {
    /// Elements from one row, and from one column, to the next.
    #[inline(always)]
    fn strides(&self) -> (usize, usize) {
        if self.trans {
            (1, self.ld)
        } else {
            (self.ld, 1)
        }
    }
}

/// Vectors along N.
pub(super) unsafe fn outer<T: Float>(job: &Job<'_, T>, piece: usize, thread: usize) {
    let (spec, grid, kernels) = (job.spec, job.grid, job.kernels);
    let Part {
        batches,
        rows,
        cols,
    } = job.part(piece);
    let (rsa, csa) = spec.a.strides();
    let (rsb, csb) = spec.b.strides();
    // SAFETY: all offsets stay inside the operands, C, and this thread's workspace as laid out by
    // the plan.
    unsafe {
        let a_copy: *mut T = job.scratch(thread, 0);
        let b_copy: *mut T = job.scratch(thread, grid.b_at);
        let sums: *mut T = job.scratch(thread, grid.tile_at);
        let whole = grid.kc >= spec.k;
        for batch in batches {
            let a = job.a.add(batch * spec.a.batch_stride + rows.start * rsa);
            let b = job.b.add(batch * spec.b.batch_stride);
            let mut p0 = 0;
            loop {
                let k = grid.kc.min(spec.k - p0);
                let last = p0 + k == spec.k;
                let mut a_block = (a.add(p0 * csa), rsa, csa);
                if grid.pack_a {
                    let ld = grid.a_ld;
                    let (r, c) = if spec.a.trans {
                        (k, rows.len())
                    } else {
                        (rows.len(), k)
                    };
                    let src = a_block.0;
                    (kernels.copy)(Copy {
                        rows: r,
                        cols: c,
                        src,
                        lds: spec.a.ld,
                        dst: a_copy,
                        ldd: ld,
                    });
                    let (rs, cs) = if spec.a.trans { (1, ld) } else { (ld, 1) };
                    a_block = (a_copy, rs, cs);
                }
                let mut col0 = cols.start;
                while col0 < cols.end {
                    let width = grid.width.min(cols.end - col0);
                    let src = b.add(p0 * rsb + col0 * csb);
                    // With copies, panel after panel lies `nr` columns wide at `b_copy`. A
                    // transposition goes before; else the first micro-tiles copy as they compute.
                    let turned = grid.pack_b && spec.b.trans;
                    let copies = grid.pack_b && !spec.b.trans && rows.len() > grid.mr;
                    if turned {
                        let mut j = 0;
                        while j < width {
                            let (dst, ldd) = (b_copy.add(j * k), grid.nr);
                            let (src, lds) = (src.add(j * csb), spec.b.ld);
                            let n = grid.nr.min(width - j);
                            (kernels.transpose)(Transpose {
                                rows: n,
                                cols: k,
                                src,
                                lds,
                                dst,
                                ldd,
                            });
                            j += grid.nr;
                        }
                    }
                    // `stack` micro-tiles make an epilogue tile; the last one may be less tall.
                    let mut row0 = rows.start;
                    while row0 < rows.end {
                        let height = (grid.stack * grid.mr).min(rows.end - row0);
                        let (c, ldc, accumulate) = match &job.out {
                            Output::Store(dest) => (
                                dest.at(batch, row0, col0),
                                dest.ld,
                                dest.accumulate || p0 > 0,
                            ),
                            Output::Epilogue(_) if whole => (sums, grid.width.min(spec.n), false),
                            Output::Epilogue(_) => {
                                let at = (row0 - rows.start) * grid.nc + col0 - cols.start;
                                (sums.add(at), grid.nc, p0 > 0)
                            }
                        };
                        let mut j = 0;
                        while j < width {
                            let n = grid.nr.min(width - j);
                            let panel = b_copy.add(j * k);
                            // A last panel of fewer vectors is read where it lies.
                            let copied_ld = n.next_multiple_of(kernels.lanes);
                            let copies = copies && copied_ld == grid.nr;
                            let mut i = 0;
                            while i < height {
                                let first = row0 + i == rows.start;
                                let a = a_block.0.add((row0 - rows.start + i) * a_block.1);
                                let (b, ldb, copy) = if turned {
                                    (panel.cast_const(), grid.nr, std::ptr::null_mut())
                                } else if copies && !first {
                                    (panel.cast_const(), copied_ld, std::ptr::null_mut())
                                } else {
                                    let copy = if copies { panel } else { std::ptr::null_mut() };
                                    (src.add(j), rsb, copy)
                                };
                                let args = MicroArgs {
                                    k,
                                    more: More::NONE,
                                    rows: grid.mr.min(height - i),
                                    a,
                                    rsa: a_block.1,
                                    csa: a_block.2,
                                    b,
                                    ldb,
                                    c: c.add(i * ldc + j),
                                    ldc,
                                    cols: n,
                                    accumulate,
                                    copy,
                                };
                                i += args.rows;
                                (kernels.micro)(grid.mr, &args);
                            }
                            j += grid.nr;
                        }
                        if let Output::Epilogue(epilogue) = job.out
                            && last
                        {
                            let mut tile = Tile {
                                batch,
                                row0,
                                col0,
                                rows: height,
                                cols: width,
                                acc: c,
                                acc_ld: ldc,
                                thread,
                            };
                            epilogue.finish(&mut tile);
                        }
                        row0 += height;
                    }
                    col0 += width;
                }
                p0 += k;
                if last {
                    break;
                }
            }
        }
    }
}

/// Vectors along M: the micro-kernels compute Cᵀ, which is transposed in the scratch buffer.
pub(super) unsafe fn swapped<T: Float>(job: &Job<'_, T>, piece: usize, thread: usize) {
    let (spec, grid, kernels) = (job.spec, job.grid, job.kernels);
    let Part { batches, rows, .. } = job.part(piece);
    let (rsb, csb) = spec.b.strides();
    let (n, k) = (spec.n, spec.k);
    // SAFETY: all offsets stay inside the operands, C, and this thread's workspace as laid out by
    // the plan.
    unsafe {
        let across: *mut T = job.scratch(thread, 0);
        let upright: *mut T = job.scratch(thread, grid.tile_at);
        for batch in batches {
            let a = job.a.add(batch * spec.a.batch_stride);
            let b = job.b.add(batch * spec.b.batch_stride);
            let mut row0 = rows.start;
            while row0 < rows.end {
                let width = grid.width.min(rows.end - row0);
                let mut j = 0;
                while j < width {
                    let cols = grid.nr.min(width - j);
                    let args = MicroArgs {
                        k,
                        more: More::NONE,
                        rows: n,
                        a: b,
                        rsa: csb,
                        csa: rsb,
                        b: a.add(row0 + j),
                        ldb: spec.a.ld,
                        c: across.add(j),
                        ldc: grid.width,
                        cols,
                        accumulate: false,
                        copy: std::ptr::null_mut(),
                    };
                    (kernels.micro)(grid.mr, &args);
                    j += grid.nr;
                }
                let (lds, src) = (grid.width, across.cast_const());
                let turn = |dst: *mut T, ldd: usize| {
                    (kernels.transpose)(Transpose {
                        rows: n,
                        cols: width,
                        src,
                        lds,
                        dst,
                        ldd,
                    });
                };
                match job.out {
                    Output::Store(dest) if dest.accumulate => {
                        turn(upright, n);
                        let (dst, ldd) = (dest.at(batch, row0, 0), dest.ld);
                        (kernels.add)(Add {
                            rows: width,
                            cols: n,
                            src: upright,
                            lds: n,
                            dst,
                            ldd,
                        });
                    }
                    Output::Store(dest) => turn(dest.at(batch, row0, 0), dest.ld),
                    Output::Epilogue(epilogue) => {
                        let mut acc = across;
                        if n > 1 {
                            turn(upright, n);
                            acc = upright;
                        }
                        epilogue.finish(&mut Tile {
                            batch,
                            row0,
                            col0: 0,
                            rows: width,
                            cols: n,
                            acc,
                            acc_ld: n,
                            thread,
                        });
                    }
                }
                row0 += width;
            }
        }
    }
}

/// Vectors along K.
pub(super) unsafe fn dot<T: Float>(job: &Job<'_, T>, piece: usize, thread: usize) {
    let (spec, grid, kernels) = (job.spec, job.grid, job.kernels);
    let Part {
        batches,
        rows,
        cols,
    } = job.part(piece);
    let k = spec.k;
    // `long` goes over many rows of one operand; `short` is the few rows of the other.
    let (long, short, range, count) = if grid.swap {
        (spec.b, spec.a, cols, spec.m)
    } else {
        (spec.a, spec.b, rows, spec.n)
    };
    // SAFETY: all offsets stay inside the operands, C, and this thread's workspace as laid out by
    // the plan.
    unsafe {
        let copy: *mut T = job.scratch(thread, 0);
        let sums: *mut T = job.scratch(thread, grid.tile_at);
        let (long_at, short_at) = if grid.swap {
            (job.b, job.a)
        } else {
            (job.a, job.b)
        };
        for batch in batches {
            let rows = long_at.add(batch * long.batch_stride);
            let (mut cols, mut ldb) = (short_at.add(batch * short.batch_stride), short.ld);
            if grid.pack_b {
                let (src, lds, ldd) = (cols, short.ld, grid.a_ld);
                (kernels.transpose)(Transpose {
                    rows: k,
                    cols: count,
                    src,
                    lds,
                    dst: copy,
                    ldd,
                });
                (cols, ldb) = (copy, ldd);
            }
            let mut at = range.start;
            while at < range.end {
                let len = grid.width.min(range.end - at);
                let (row0, col0) = if grid.swap { (0, at) } else { (at, 0) };
                let (height, width) = if grid.swap {
                    (count, len)
                } else {
                    (len, count)
                };
                let (c, ldc, accumulate) = match job.out {
                    Output::Store(dest) => (dest.at(batch, row0, col0), dest.ld, dest.accumulate),
                    Output::Epilogue(_) => (sums, width, false),
                };
                let (rsc, csc) = if grid.swap { (1, ldc) } else { (ldc, 1) };
                let a = rows.add(at * long.ld);
                let lda = long.ld;
                let args = DotArgs {
                    k,
                    rows: len,
                    a,
                    lda,
                    b: cols,
                    ldb,
                    c,
                    rsc,
                    csc,
                    accumulate,
                };
                (kernels.dots)(count, args);
                if let Output::Epilogue(epilogue) = job.out {
                    let tile = &mut Tile {
                        batch,
                        row0,
                        col0,
                        rows: height,
                        cols: width,
                        acc: c,
                        acc_ld: ldc,
                        thread,
                    };
                    epilogue.finish(tile);
                }
                at += len;
            }
        }
    }
}
