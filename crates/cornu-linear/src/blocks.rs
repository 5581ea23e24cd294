//! Walks over the rows: in pieces, which the threads share, and within a piece in blocks that stay
//! in the cache.

use crate::Rows;
use cornu_cpu::simd::Float;
use cornu_cpu::team::Team;
use ndarray::{ArrayView2, s};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// The two types of features.
pub(crate) trait Real: Float + Into<f64> {
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// Dense rows of this type.
    fn rows(x: ArrayView2<'_, Self>) -> Rows<'_>;
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
    fn rows(x: ArrayView2<'_, f64>) -> Rows<'_> {
        Rows::F64(x)
    }
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    fn rows(x: ArrayView2<'_, f32>) -> Rows<'_> {
        Rows::F32(x)
    }
}

/// Numbers that a piece should have at least, so that sharing it pays.
const LEAST: usize = 1 << 16;
/// The most pieces: enough that a thread which lost its core does not hold up the others.
const MOST: usize = 32;

/// Cuts `rows`, each of which costs `cost` operations, into pieces. The cut depends on the shape only,
/// so that sums over pieces do not depend on the number of threads.
pub(crate) fn pieces(rows: usize, cost: usize) -> usize {
    (rows.saturating_mul(cost) / LEAST)
        .clamp(1, MOST)
        .min(rows.max(1))
}

/// Calls `work` for each of `count` pieces of `rows` rows, on all threads; returns the results in order.
pub(crate) fn map_pieces<R: Send>(
    rows: usize,
    count: usize,
    work: impl Fn(Range<usize>) -> R + Sync,
) -> Vec<R> {
    let results: Vec<_> = (0..count).map(|_| Mutex::new(None)).collect();
    Team::global().run(count, &|piece, _| {
        let range = rows * piece / count..rows * (piece + 1) / count;
        let result = work(range);
        *results[piece]
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(result);
    });
    results
        .into_iter()
        .filter_map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// The same where a piece also writes its rows of `out`, `width` numbers each.
pub(crate) fn fill_pieces(
    out: &mut [f64],
    width: usize,
    cost: usize,
    work: impl Fn(Range<usize>, &mut [f64]) + Sync,
) {
    let rows = out.len().checked_div(width).unwrap_or(0);
    let count = pieces(rows, cost);
    let mut rest = out;
    let mut parts = Vec::with_capacity(count);
    for piece in 0..count {
        let range = rows * piece / count..rows * (piece + 1) / count;
        let (part, tail) = rest.split_at_mut(range.len() * width);
        rest = tail;
        parts.push(Mutex::new((range, part)));
    }
    Team::global().run(count, &|piece, _| {
        let mut part = parts[piece].lock().unwrap_or_else(PoisonError::into_inner);
        let (range, part) = &mut *part;
        work(range.clone(), part);
    });
}

/// Rows of a dense matrix, read in blocks whose rows lie one after the other: in place where they do
/// so already, else copied block by block.
pub(crate) fn for_blocks<T: Real>(
    x: ArrayView2<'_, T>,
    range: Range<usize>,
    block: usize,
    mut work: impl FnMut(Range<usize>, &[T]),
) {
    let cols = x.ncols();
    let mut copy = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let end = range.end.min(start + block);
        match x.to_slice() {
            Some(all) => work(start..end, &all[start * cols..end * cols]),
            None => {
                copy.clear();
                copy.extend(x.slice(s![start..end, ..]).iter().copied());
                work(start..end, &copy);
            }
        }
        start = end;
    }
}

/// Rows in a block of about 64 KiB; of long rows some dozens all the same, which then are in the second
/// cache.
pub(crate) fn block_rows<T>(cols: usize) -> usize {
    (65_536 / size_of::<T>() / cols.max(1)).clamp(64, 1024)
}
