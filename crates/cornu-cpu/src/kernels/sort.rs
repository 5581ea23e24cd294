//! The order that sorts the last axis, or its first few.

use super::arg_reduce::{Key, with_key};
use super::other::{OtherKernel, part, pieces};
use cornu_core::ops::sort::ArgSort;
use cornu_core::{DType, TensorType};
use std::ops::Range;

/// Sorts rows. Indices decide between equal elements, so that an unstable sort, which needs no
/// memory, gives the stable order.
#[derive(Debug)]
pub struct ArgSortKernel {
    descending: bool,
    k: usize,
    n: usize,
    rows: usize,
    dtype: DType,
}

impl ArgSortKernel {
    /// For operands of these types.
    pub fn compile(op: &ArgSort, inputs: &[TensorType], _: &TensorType) -> ArgSortKernel {
        let shape = &inputs[0].shape;
        ArgSortKernel {
            descending: op.descending,
            k: op.k,
            n: shape.last().copied().unwrap_or(1),
            rows: shape[..shape.rank().saturating_sub(1)].iter().product(),
            dtype: inputs[0].dtype,
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let depth = (self.k.max(2) as f64).log2();
        self.rows as f64 * (self.n as f64 * 1.5 + self.k as f64 * depth * 3.0)
    }

    /// Sorts rows whose elements, counted through all rows, have these keys.
    ///
    /// # Safety
    /// As for [`OtherKernel::run`].
    unsafe fn sort(&self, key: impl Fn(usize) -> i64, y: *mut i32, rows: Range<usize>) {
        // All bits turned over is the reverse order.
        let turn = if self.descending { -1 } else { 0 };
        for row in rows {
            // SAFETY: the row is one of the result.
            let order = unsafe { std::slice::from_raw_parts_mut(y.add(row * self.k), self.k) };
            let key = |i: i32| (key(row * self.n + i as usize) ^ turn, i);
            for (i, o) in order.iter_mut().enumerate() {
                *o = i as i32;
            }
            if self.k < self.n {
                select(order, self.n, &key);
            }
            order.sort_unstable_by_key(|i| key(*i));
        }
    }
}

/// Leaves in `heap`, which holds the first indices, those of the least keys of `0..n`.
fn select<K: Ord>(heap: &mut [i32], n: usize, key: &impl Fn(i32) -> K) {
    // The largest on top; position p has the children 2p + 1 and 2p + 2.
    let sink = |heap: &mut [i32], mut p: usize| {
        loop {
            let mut child = 2 * p + 1;
            if child >= heap.len() {
                return;
            }
            if child + 1 < heap.len() && key(heap[child + 1]) > key(heap[child]) {
                child += 1;
            }
            if key(heap[child]) <= key(heap[p]) {
                return;
            }
            heap.swap(p, child);
            p = child;
        }
    };
    if heap.is_empty() {
        return;
    }
    for p in (0..heap.len() / 2).rev() {
        sink(heap, p);
    }
    let mut top = key(heap[0]);
    for i in heap.len()..n {
        if key(i as i32) < top {
            heap[0] = i as i32;
            sink(heap, 0);
            top = key(heap[0]);
        }
    }
}

impl OtherKernel for ArgSortKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.rows, threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let rows = part(self.rows, piece, pieces);
        let (x, y) = (inputs[0], output.cast::<i32>());
        // SAFETY: as promised by the caller; `i` is an element of the operand.
        unsafe {
            if self.dtype == DType::F32 {
                self.sort(|i| x.cast::<f32>().add(i).read().key(), y, rows);
            } else {
                // A look at the type for each element, but the code of one sort for all of them.
                let key = |i| with_key!(self.dtype, T => x.cast::<T>().add(i).read().key());
                self.sort(key, y, rows);
            }
        }
    }
}
