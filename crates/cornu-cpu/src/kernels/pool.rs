//! Pooling over channels-last operands, vectorised over channels.

use super::other::{OtherKernel, part, pieces};
use crate::simd::{Isa, Simd, SimdOp, dispatch};
use cornu_core::ops::pool::{Pool, PoolFn};
use cornu_core::{DType, TensorType, bf16, f16};
use std::num::Wrapping;
use std::ops::{AddAssign, Range};

/// Channels handled together: they stay in registers while a window is walked.
const BLOCK: usize = 16;

/// One spatial axis; axes that are missing have extent 1.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// Extent of what is pooled, and of the result.
    input: usize,
    output: usize,
    size: usize,
    stride: usize,
    low: usize,
}

impl Axis {
    const NONE: Axis = Axis {
        input: 1,
        output: 1,
        size: 1,
        stride: 1,
        low: 0,
    };

    /// The cells of a window that are not padding.
    #[inline(always)]
    fn window(&self, o: usize) -> Range<usize> {
        let start = o * self.stride;
        start.saturating_sub(self.low)
            ..(start + self.size - self.low.min(start + self.size)).min(self.input)
    }

    /// The windows that a cell is in.
    #[inline(always)]
    fn covering(&self, i: usize) -> Range<usize> {
        let at = i + self.low;
        let first = (at + 1).saturating_sub(self.size).div_ceil(self.stride);
        first..(at / self.stride + 1).min(self.output)
    }

    /// Whether no cell is in two windows.
    fn apart(&self) -> bool {
        self.low == 0 && self.stride >= self.size
    }

    /// Whether every cell is in exactly one window.
    fn tiles(&self) -> bool {
        self.low == 0 && self.stride == self.size && self.output * self.size == self.input
    }
}

/// Pools images, or carries back what flows through. A unit is a row of windows, or, where windows
/// write into shared cells, a whole image.
#[derive(Debug)]
pub struct PoolKernel {
    f: PoolFn,
    axes: [Axis; 3],
    batch: usize,
    channels: usize,
    dtype: DType,
    isa: Isa,
}

impl PoolKernel {
    /// For a result of this type.
    pub fn compile(op: &Pool, _: &[TensorType], output: &TensorType) -> PoolKernel {
        let rank = op.spatial.len();
        // Counted when the operation was inferred: it fits.
        let counts = op
            .windows
            .count(&op.spatial)
            .unwrap_or_else(|_| vec![0; rank]);
        let mut axes = [Axis::NONE; 3];
        for (i, axis) in axes[3 - rank..].iter_mut().enumerate() {
            *axis = Axis {
                input: op.spatial[i],
                output: counts[i],
                size: op.windows.size[i],
                stride: op.windows.strides[i],
                low: op.windows.padding[i].0,
            };
        }
        PoolKernel {
            f: op.f,
            axes,
            batch: output.shape[0],
            channels: output.shape[output.shape.rank() - 1],
            dtype: output.dtype,
            isa: Isa::get(),
        }
    }

    /// What it takes one thread, roughly.
    pub fn cost_ns(&self) -> f64 {
        let windows: usize = self.axes.iter().map(|a| a.output).product();
        let cells: usize = self.axes.iter().map(|a| a.size).product();
        let lanes = if self.channels >= 8 { 0.06 } else { 1.0 };
        (self.batch * windows * self.channels) as f64 * cells as f64 * lanes
    }

    fn rows(&self, extent: impl Fn(&Axis) -> usize) -> usize {
        self.batch * extent(&self.axes[0]) * extent(&self.axes[1])
    }

    fn units(&self) -> usize {
        match self.f {
            PoolFn::Max | PoolFn::MaxGather | PoolFn::Sum => self.rows(|a| a.output),
            PoolFn::SumScatter => self.rows(|a| a.input),
            PoolFn::MaxScatter => self.batch,
        }
    }
}

impl OtherKernel for PoolKernel {
    fn pieces(&self, threads: usize) -> usize {
        pieces(self.cost_ns(), self.units(), threads)
    }

    unsafe fn run(&self, inputs: &[*const u8], output: *mut u8, piece: usize, pieces: usize) {
        let units = part(self.units(), piece, pieces);
        macro_rules! run {
            ($T:ty) => {{
                let job = Job::<$T> {
                    kernel: self,
                    x: inputs[0].cast(),
                    v: inputs.get(1).map_or(std::ptr::null(), |v| v.cast()),
                    output: output.cast(),
                    units,
                };
                // SAFETY: as promised by the caller.
                unsafe { dispatch(self.isa, job) }
            }};
        }
        match self.dtype {
            DType::F32 => run!(f32),
            DType::F64 => run!(f64),
            DType::BF16 => run!(bf16),
            DType::F16 => run!(f16),
            DType::I32 => run!(i32),
            DType::I64 => run!(i64),
            DType::U8 => run!(u8),
            DType::Bool => {}
        }
    }
}

/// What can be pooled.
trait Cell: Copy + PartialOrd + Default {
    /// The most able instruction set to compile for.
    const MOST: Isa;
    /// Whether whole blocks are compiled apart.
    const WIDE: bool = !matches!(Self::MOST, Isa::Scalar);
    /// Channels of a block: one of integers, which are rarely pooled, for that is a third of the code.
    const TOGETHER: usize;
    /// What sums are carried in.
    type Sum: Copy + Default + AddAssign;
    fn widen(self) -> Self::Sum;
    fn narrow(sum: Self::Sum) -> Self;
}

macro_rules! cells {
    ($($T:ty, $most:expr, $together:expr; $Sum:ty, $widen:expr, $narrow:expr;)*) => {$(
        impl Cell for $T {
            const MOST: Isa = $most;
            const TOGETHER: usize = $together;
            type Sum = $Sum;
            #[inline(always)]
            fn widen(self) -> $Sum {
                let widen: fn($T) -> $Sum = $widen;
                widen(self)
            }
            #[inline(always)]
            fn narrow(sum: $Sum) -> $T {
                let narrow: fn($Sum) -> $T = $narrow;
                narrow(sum)
            }
        }
    )*};
}

// Pictures are f32; of all other types there is one plain form, for each is 20 KB of code.
cells! {
    f32, Isa::Avx512, BLOCK; f32, |v| v, |s| s;
    f64, Isa::Scalar, BLOCK; f64, |v| v, |s| s;
    bf16, Isa::Scalar, BLOCK; f32, bf16::to_f32, bf16::from_f32;
    f16, Isa::Scalar, BLOCK; f32, f16::to_f32, f16::from_f32;
    i32, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(i64::from(v)), |s| s.0 as i32;
    i64, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(v), |s| s.0;
    u8, Isa::Scalar, 1; Wrapping<i64>, |v| Wrapping(i64::from(v)), |s| s.0 as u8;
}

/// Some units of a kernel's work.
struct Job<'a, T> {
    kernel: &'a PoolKernel,
    x: *const T,
    v: *const T,
    output: *mut T,
    units: Range<usize>,
}

impl<T: Cell> SimdOp for Job<'_, T> {
    type Output = ();
    const MOST: Isa = T::MOST;

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        // SAFETY: units lie inside the arrays, as the caller promised of the arrays.
        unsafe {
            match self.kernel.f {
                PoolFn::SumScatter => self.spread(),
                PoolFn::MaxScatter => self.scatter(),
                _ => self.windows(),
            }
        }
    }
}

/// Blocks of channels, one after another. Of wide cells, whole ones have an extent that the compiler
/// knows, so that their loops have no ends to look for; and being no closure, what is done stays compiled
/// for the instruction set.
macro_rules! blocks {
    ($channels:expr, |$first:ident, $n:ident| $body:expr) => {{
        let channels = $channels;
        let mut $first = 0;
        while T::WIDE && $first + BLOCK <= channels {
            let $n = BLOCK;
            $body;
            $first += BLOCK;
        }
        while $first < channels {
            let $n = T::TOGETHER.min(channels - $first);
            $body;
            $first += T::TOGETHER;
        }
    }};
}

/// A window's cells: ranges along the three axes, in the image that begins at `image`.
type Window = (usize, [Range<usize>; 3]);

impl<T: Cell> Job<'_, T> {
    /// Every window of the rows that are this job's.
    #[inline(always)]
    unsafe fn windows(&self) {
        let [a, b, c] = self.kernel.axes;
        for row in self.units.clone() {
            let (image, at) = (row / (a.output * b.output), row % (a.output * b.output));
            let (oa, ob) = (at / b.output, at % b.output);
            for oc in 0..c.output {
                let window = (image, [a.window(oa), b.window(ob), c.window(oc)]);
                let o = row * c.output + oc;
                let four = self.four(&window);
                // SAFETY: the window is one of the pooled array's.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    match (self.kernel.f, four) {
                        (PoolFn::Max, Some(cells)) if n == BLOCK => {
                            self.largest_among(o, cells, first);
                        }
                        (PoolFn::Max, _) => self.largest(o, &window, first, n),
                        (PoolFn::MaxGather, _) => self.gather(o, &window, first, n),
                        _ => self.sum(o, &window, first, n),
                    }
                });
            }
        }
    }

    /// The cells of a window, as places of their first channel.
    #[inline(always)]
    fn cells(&self, (image, [a, b, c]): &Window, mut each: impl FnMut(usize)) {
        let [na, nb, nc] = self.kernel.axes.map(|axis| axis.input);
        for i in a.clone() {
            for j in b.clone() {
                for k in c.clone() {
                    each((((image * na + i) * nb + j) * nc + k) * self.kernel.channels);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn largest(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: the window's cells and its place in the result are inside the arrays.
        unsafe {
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut best = [T::default(); BLOCK];
            let mut begun = false;
            self.cells(window, |cell| {
                let x = std::slice::from_raw_parts(self.x.add(cell + first), n);
                if !begun {
                    best[..n].copy_from_slice(x);
                    begun = true;
                    return;
                }
                for (b, x) in best[..n].iter_mut().zip(x) {
                    *b = if larger(*x, *b) { *x } else { *b };
                }
            });
            y.copy_from_slice(&best[..n]);
        }
    }

    /// As `largest`, of four cells and a whole block: all at once, in registers.
    #[inline(always)]
    unsafe fn largest_among(&self, o: usize, cells: [usize; 4], first: usize) {
        // SAFETY: as for `largest`; the block is whole.
        unsafe {
            let block = |p: *const T| p.cast::<[T; BLOCK]>().read_unaligned();
            let mut best = block(self.x.add(cells[0] + first));
            for cell in &cells[1..] {
                let x = block(self.x.add(cell + first));
                for i in 0..BLOCK {
                    best[i] = if larger(x[i], best[i]) { x[i] } else { best[i] };
                }
            }
            let to = self.output.add(o * self.kernel.channels + first);
            to.cast::<[T; BLOCK]>().write_unaligned(best);
        }
    }

    /// Which cell of a window, counted from 0, is the first largest.
    #[inline(always)]
    unsafe fn places(&self, window: &Window, first: usize, n: usize) -> [u32; BLOCK] {
        let (mut best, mut place) = ([T::default(); BLOCK], [0u32; BLOCK]);
        let mut number = 0;
        self.cells(window, |cell| {
            // SAFETY: the window's cells are inside the array.
            let x = unsafe { std::slice::from_raw_parts(self.x.add(cell + first), n) };
            if number == 0 {
                best[..n].copy_from_slice(x);
            }
            for ((b, p), x) in best[..n].iter_mut().zip(&mut place[..n]).zip(x) {
                let take = larger(*x, *b);
                *b = if take { *x } else { *b };
                *p = if take { number } else { *p };
            }
            number += 1;
        });
        place
    }

    #[inline(always)]
    unsafe fn gather(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let place = self.places(window, first, n);
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut number = 0;
            self.cells(window, |cell| {
                let v = std::slice::from_raw_parts(self.v.add(cell + first), n);
                for ((y, p), v) in y.iter_mut().zip(&place[..n]).zip(v) {
                    *y = if *p == number { *v } else { *y };
                }
                number += 1;
            });
        }
    }

    #[inline(always)]
    unsafe fn sum(&self, o: usize, window: &Window, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let y = std::slice::from_raw_parts_mut(
                self.output.add(o * self.kernel.channels + first),
                n,
            );
            let mut sum = [T::Sum::default(); BLOCK];
            self.cells(window, |cell| {
                let x = std::slice::from_raw_parts(self.x.add(cell + first), n);
                for (s, x) in sum[..n].iter_mut().zip(x) {
                    *s += x.widen();
                }
            });
            for (y, s) in y.iter_mut().zip(&sum[..n]) {
                *y = T::narrow(*s);
            }
        }
    }

    /// Each cell's sum over the windows that it is in, for the rows of cells that are this job's.
    #[inline(always)]
    unsafe fn spread(&self) {
        let [a, b, c] = self.kernel.axes;
        for row in self.units.clone() {
            let (image, at) = (row / (a.input * b.input), row % (a.input * b.input));
            let (wa, wb) = (a.covering(at / b.input), b.covering(at % b.input));
            for k in 0..c.input {
                // SAFETY: the cell is one of the result's, its windows are the pooled array's.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    let at = (image, [&wa, &wb, &c.covering(k)]);
                    self.gathered(row * c.input + k, at, first, n);
                });
            }
        }
    }

    /// The sum of what flows to a cell from the windows that it is in.
    #[inline(always)]
    unsafe fn gathered(
        &self,
        cell: usize,
        (image, [wa, wb, wc]): (usize, [&Range<usize>; 3]),
        first: usize,
        n: usize,
    ) {
        let [a, b, c] = self.kernel.axes.map(|axis| axis.output);
        let channels = self.kernel.channels;
        let mut sum = [T::Sum::default(); BLOCK];
        // SAFETY: as for `largest`.
        unsafe {
            for oa in wa.clone() {
                for ob in wb.clone() {
                    for oc in wc.clone() {
                        let o = ((image * a + oa) * b + ob) * c + oc;
                        let g = std::slice::from_raw_parts(self.x.add(o * channels + first), n);
                        for (s, g) in sum[..n].iter_mut().zip(g) {
                            *s += g.widen();
                        }
                    }
                }
            }
            let at = cell * channels + first;
            let y = std::slice::from_raw_parts_mut(self.output.add(at), n);
            for (y, s) in y.iter_mut().zip(&sum[..n]) {
                *y = T::narrow(*s);
            }
        }
    }

    /// What flows to the first largest cell of each window, for the images that are this job's.
    #[inline(always)]
    unsafe fn scatter(&self) {
        let axes = self.kernel.axes;
        let [a, b, c] = axes;
        let image_size = a.input * b.input * c.input * self.kernel.channels;
        let tiles = axes.iter().all(Axis::tiles);
        let apart = axes.iter().all(Axis::apart);
        for image in self.units.clone() {
            if !tiles {
                // SAFETY: the image is one of the result's.
                let dx = unsafe {
                    std::slice::from_raw_parts_mut(self.output.add(image * image_size), image_size)
                };
                dx.fill(T::default());
            }
            for o in 0..a.output * b.output * c.output {
                let (oa, ob, oc) = (
                    o / (b.output * c.output),
                    o / c.output % b.output,
                    o % c.output,
                );
                let window = (image, [a.window(oa), b.window(ob), c.window(oc)]);
                let o = image * a.output * b.output * c.output + o;
                let four = self.four(&window).filter(|_| apart);
                // SAFETY: the window's cells and its place are inside the arrays.
                blocks!(self.kernel.channels, |first, n| unsafe {
                    match four {
                        Some(cells) if n == BLOCK => self.flow_among(o, cells, first),
                        _ => self.flow(o, &window, apart, first, n),
                    }
                });
            }
        }
    }

    /// The cells of a window of four, by far the most usual one; for wide cells.
    #[inline(always)]
    fn four(&self, (image, [a, b, c]): &Window) -> Option<[usize; 4]> {
        if !T::WIDE || a.len() != 1 || b.len() != 2 || c.len() != 2 {
            return None;
        }
        let [na, nb, nc] = self.kernel.axes.map(|axis| axis.input);
        let channels = self.kernel.channels;
        let begin = (((image * na + a.start) * nb + b.start) * nc + c.start) * channels;
        let below = begin + nc * channels;
        Some([begin, begin + channels, below, below + channels])
    }

    /// What flows to the first largest of four cells that are in no other window: all at once, in registers.
    #[inline(always)]
    unsafe fn flow_among(&self, o: usize, cells: [usize; 4], first: usize) {
        // SAFETY: as for `largest`; the blocks are whole.
        unsafe {
            let block = |p: *const T| p.cast::<[T; BLOCK]>().read_unaligned();
            let (mut best, mut place) = (block(self.x.add(cells[0] + first)), [0u32; BLOCK]);
            for (number, cell) in (1..).zip(&cells[1..]) {
                let x = block(self.x.add(cell + first));
                for i in 0..BLOCK {
                    let take = larger(x[i], best[i]);
                    best[i] = if take { x[i] } else { best[i] };
                    place[i] = if take { number } else { place[i] };
                }
            }
            let g = block(self.v.add(o * self.kernel.channels + first));
            for (number, cell) in (0..).zip(cells) {
                let mut flow = [T::default(); BLOCK];
                for i in 0..BLOCK {
                    flow[i] = if place[i] == number { g[i] } else { flow[i] };
                }
                let to = self.output.add(cell + first).cast::<[T; BLOCK]>();
                to.write_unaligned(flow);
            }
        }
    }

    /// What flows to the first largest cell of a window.
    #[inline(always)]
    unsafe fn flow(&self, o: usize, window: &Window, apart: bool, first: usize, n: usize) {
        // SAFETY: as for `largest`.
        unsafe {
            let place = self.places(window, first, n);
            let at = o * self.kernel.channels + first;
            let g = std::slice::from_raw_parts(self.v.add(at), n);
            let mut number = 0;
            self.cells(window, |cell| {
                let dx = std::slice::from_raw_parts_mut(self.output.add(cell + first), n);
                for ((dx, p), g) in dx.iter_mut().zip(&place[..n]).zip(g) {
                    let flow = if *p == number { *g } else { T::default() };
                    *dx = if apart { flow } else { added(*dx, flow) };
                }
                number += 1;
            });
        }
    }
}

#[inline(always)]
fn added<T: Cell>(a: T, b: T) -> T {
    let mut sum = a.widen();
    sum += b.widen();
    T::narrow(sum)
}

/// Whether `x` comes before `best` as the largest: NaN is larger than any number, and the first
/// stays.
#[inline(always)]
#[allow(clippy::eq_op)] // NaN is not equal to itself
fn larger<T: Copy + PartialOrd>(x: T, best: T) -> bool {
    (x > best) | ((x != x) & (best == best))
}
