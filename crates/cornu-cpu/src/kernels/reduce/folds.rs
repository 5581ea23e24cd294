//! The loops of reductions, by function and lane type.
//!
//! Within a block lanes are combined in their own type, in many partial results; between blocks in an
//! accumulator, which for sums and products of f32 is an f64.

use crate::kernels::fused::Lane;
use crate::kernels::fused::isa::{FoldBody, FoldKernel, pick_fold};
use crate::kernels::fused::loops::LaneType;
use crate::simd::Isa;
use cornu_core::ops::reduce::ReduceFn;
use std::marker::PhantomData;
use std::sync::atomic::{Ordering, compiler_fence};

/// Partial results of a row.
const LANES: usize = 64;
/// Columns that are combined in registers.
const WIDTH: usize = 64;

/// How lanes are combined.
trait Fold {
    type T: LaneType;
    type Acc: LaneType;
    /// Whether several lanes are combined at a time. Integers are reduced rarely, and no training waits
    /// for it.
    const WIDE: bool = !matches!(Self::T::MOST, Isa::Scalar);
    const IDENTITY: Self::T;
    const START: Self::Acc;
    fn fold(a: Self::T, b: Self::T) -> Self::T;
    fn merge(a: Self::Acc, b: Self::Acc) -> Self::Acc;
    fn widen(v: Self::T) -> Self::Acc;
    fn narrow(v: Self::Acc) -> Self::T;
}

macro_rules! folds {
    ($($name:ident: $t:ty as $acc:ty, $identity:expr, |$a:ident, $b:ident| $e:expr;)*) => {
        $(
            struct $name;
            impl Fold for $name {
                type T = $t;
                type Acc = $acc;
                const IDENTITY: $t = $identity;
                const START: $acc = $identity;
                #[inline(always)]
                fn fold($a: $t, $b: $t) -> $t {
                    $e
                }
                #[inline(always)]
                fn merge($a: $acc, $b: $acc) -> $acc {
                    $e
                }
                #[inline(always)]
                fn widen(v: $t) -> $acc {
                    v as $acc
                }
                #[inline(always)]
                fn narrow(v: $acc) -> $t {
                    v as $t
                }
            }
        )*
    };
}

folds! {
    SumF32: f32 as f64, 0.0, |a, b| a + b;
    SumF64: f64 as f64, 0.0, |a, b| a + b;
    SumI32: i32 as i32, 0, |a, b| a.wrapping_add(b);
    SumI64: i64 as i64, 0, |a, b| a.wrapping_add(b);
    SumU8: u8 as u8, 0, |a, b| a.wrapping_add(b);
    ProdF32: f32 as f64, 1.0, |a, b| a * b;
    ProdF64: f64 as f64, 1.0, |a, b| a * b;
    ProdI32: i32 as i32, 1, |a, b| a.wrapping_mul(b);
    ProdI64: i64 as i64, 1, |a, b| a.wrapping_mul(b);
    ProdU8: u8 as u8, 1, |a, b| a.wrapping_mul(b);
    MaxF32: f32 as f32, f32::NEG_INFINITY, |a, b| if a > b || a.is_nan() { a } else { b };
    MaxF64: f64 as f64, f64::NEG_INFINITY, |a, b| if a > b || a.is_nan() { a } else { b };
    MaxI32: i32 as i32, i32::MIN, |a, b| a.max(b);
    MaxI64: i64 as i64, i64::MIN, |a, b| a.max(b);
    MaxU8: u8 as u8, 0, |a, b| a.max(b);
    MinF32: f32 as f32, f32::INFINITY, |a, b| if a < b || a.is_nan() { a } else { b };
    MinF64: f64 as f64, f64::INFINITY, |a, b| if a < b || a.is_nan() { a } else { b };
    MinI32: i32 as i32, i32::MAX, |a, b| a.min(b);
    MinI64: i64 as i64, i64::MAX, |a, b| a.min(b);
    MinU8: u8 as u8, u8::MAX, |a, b| a.min(b);
    // Of booleans the least is no greater than 1.
    MinBool: u8 as u8, 1, |a, b| a.min(b);
}

/// Ends a step of a loop: where lanes are not worth vectors, the compiler is not to make some.
#[inline(always)]
fn step<F: Fold>() {
    if !F::WIDE {
        compiler_fence(Ordering::SeqCst);
    }
}

/// `to[r]` (accumulators) takes in row `r` of `from` (lanes); n: rows, columns, lanes from row to row.
struct Rows<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Rows<F> {
    const MOST: Isa = F::T::MOST;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        let [rows, cols, ld] = n;
        let (to, from) = (to.cast::<F::Acc>(), from.cast::<F::T>());
        for r in 0..rows {
            // SAFETY: the caller vouches for `rows` accumulators and rows of `cols` lanes.
            unsafe {
                let row = from.add(r * ld);
                let mut c = 0;
                let mut total = F::IDENTITY;
                if F::WIDE && MANY && cols >= LANES {
                    let mut part = row.cast::<[F::T; LANES]>().read();
                    c = LANES;
                    while c + LANES <= cols {
                        let x = row.add(c).cast::<[F::T; LANES]>().read();
                        for j in 0..LANES {
                            part[j] = F::fold(part[j], x[j]);
                        }
                        c += LANES;
                    }
                    let mut half = LANES / 2;
                    while half > 0 {
                        for j in 0..half {
                            part[j] = F::fold(part[j], part[j + half]);
                        }
                        half /= 2;
                    }
                    total = part[0];
                }
                if F::WIDE && c + 16 <= cols {
                    let mut part = row.add(c).cast::<[F::T; 16]>().read();
                    c += 16;
                    while c + 16 <= cols {
                        let x = row.add(c).cast::<[F::T; 16]>().read();
                        for j in 0..16 {
                            part[j] = F::fold(part[j], x[j]);
                        }
                        c += 16;
                    }
                    let mut half = 8;
                    while half > 0 {
                        for j in 0..half {
                            part[j] = F::fold(part[j], part[j + half]);
                        }
                        half /= 2;
                    }
                    total = F::fold(total, part[0]);
                }
                while c < cols {
                    total = F::fold(total, row.add(c).read());
                    c += 1;
                    step::<F>();
                }
                to.add(r).write(F::merge(to.add(r).read(), F::widen(total)));
            }
        }
    }
}

/// `to[c]` (lanes) takes in column `c` of `from`; n: rows, columns, lanes from row to row.
struct Columns<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Columns<F> {
    const MOST: Isa = F::T::MOST;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        let [rows, cols, ld] = n;
        let (to, from) = (to.cast::<F::T>(), from.cast::<F::T>());
        // SAFETY: the caller vouches for `cols` lanes and rows of `cols` lanes.
        unsafe {
            let mut c = 0;
            while F::WIDE && MANY && c + WIDTH <= cols {
                let mut v = to.add(c).cast::<[F::T; WIDTH]>().read();
                for r in 0..rows {
                    let x = from.add(r * ld + c).cast::<[F::T; WIDTH]>().read();
                    for j in 0..WIDTH {
                        v[j] = F::fold(v[j], x[j]);
                    }
                }
                to.add(c).cast::<[F::T; WIDTH]>().write(v);
                c += WIDTH;
            }
            while F::WIDE && c + 16 <= cols {
                let mut v = to.add(c).cast::<[F::T; 16]>().read();
                for r in 0..rows {
                    let x = from.add(r * ld + c).cast::<[F::T; 16]>().read();
                    for j in 0..16 {
                        v[j] = F::fold(v[j], x[j]);
                    }
                }
                to.add(c).cast::<[F::T; 16]>().write(v);
                c += 16;
            }
            while c < cols {
                let mut v = to.add(c).read();
                for r in 0..rows {
                    v = F::fold(v, from.add(r * ld + c).read());
                    step::<F>();
                }
                to.add(c).write(v);
                c += 1;
            }
        }
    }
}

/// `to[c]` (accumulators) takes in `from[u·n + c]` (lanes) for all u, which start anew; n: n, how many
/// u.
struct Flush<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Flush<F> {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        let [n, units, _] = n;
        let (to, from) = (to.cast::<F::Acc>(), from.cast::<F::T>());
        for u in 0..units {
            for c in 0..n {
                // SAFETY: the caller vouches for n accumulators and n·units lanes.
                unsafe {
                    let lane = from.add(u * n + c);
                    let v = F::merge(to.add(c).read(), F::widen(lane.read()));
                    to.add(c).write(v);
                    lane.write(F::IDENTITY);
                }
                step::<F>();
            }
        }
    }
}

/// `n[0]` accumulators at `to` and `n[1]` lanes at `from` start.
struct Start<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Start<F> {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        // SAFETY: the caller vouches for as many.
        unsafe {
            for i in 0..n[0] {
                to.cast::<F::Acc>().add(i).write(F::START);
                step::<F>();
            }
            for i in 0..n[1] {
                from.cast::<F::T>().add(i).write(F::IDENTITY);
                step::<F>();
            }
        }
    }
}

/// Accumulators `to[i]` take in accumulators `from[i]`, i < n\[0\].
struct Merge<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Merge<F> {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        let (to, from) = (to.cast::<F::Acc>(), from.cast::<F::Acc>());
        for i in 0..n[0] {
            // SAFETY: the caller vouches for as many.
            unsafe {
                to.add(i)
                    .write(F::merge(to.add(i).read(), from.add(i).read()))
            };
            step::<F>();
        }
    }
}

/// Lanes `to[i]` from accumulators `from[i]`, i < n\[0\].
struct Finish<F>(PhantomData<F>);
impl<F: Fold> FoldBody for Finish<F> {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    unsafe fn run<const MANY: bool>(to: *mut u8, from: *mut u8, n: [usize; 3]) {
        for i in 0..n[0] {
            // SAFETY: the caller vouches for as many.
            unsafe {
                let v = F::narrow(from.cast::<F::Acc>().add(i).read());
                to.cast::<F::T>().add(i).write(v);
            }
            step::<F>();
        }
    }
}

/// The loops of one reduction.
#[derive(Clone, Copy)]
pub(crate) struct Folds {
    pub rows: FoldKernel,
    pub columns: FoldKernel,
    pub flush: FoldKernel,
    pub start: FoldKernel,
    pub merge: FoldKernel,
    pub finish: FoldKernel,
    /// Bytes of an accumulator.
    pub acc_bytes: usize,
}

fn of<F: Fold>(isa: Isa) -> Folds {
    Folds {
        rows: pick_fold::<Rows<F>>(isa),
        columns: pick_fold::<Columns<F>>(isa),
        flush: pick_fold::<Flush<F>>(isa),
        start: pick_fold::<Start<F>>(isa),
        merge: pick_fold::<Merge<F>>(isa),
        finish: pick_fold::<Finish<F>>(isa),
        acc_bytes: size_of::<F::Acc>(),
    }
}

impl Folds {
    /// The loops of a reduction of lanes; `boolean` if the lanes are 0 or 1.
    pub fn new(f: ReduceFn, lane: Lane, boolean: bool, isa: Isa) -> Folds {
        match (f, lane) {
            (ReduceFn::Sum, Lane::F32) => of::<SumF32>(isa),
            (ReduceFn::Sum, Lane::F64) => of::<SumF64>(isa),
            (ReduceFn::Sum, Lane::I32) => of::<SumI32>(isa),
            (ReduceFn::Sum, Lane::I64) => of::<SumI64>(isa),
            (ReduceFn::Sum, Lane::U8) => of::<SumU8>(isa),
            (ReduceFn::Prod, Lane::F32) => of::<ProdF32>(isa),
            (ReduceFn::Prod, Lane::F64) => of::<ProdF64>(isa),
            (ReduceFn::Prod, Lane::I32) => of::<ProdI32>(isa),
            (ReduceFn::Prod, Lane::I64) => of::<ProdI64>(isa),
            (ReduceFn::Prod, Lane::U8) => of::<ProdU8>(isa),
            (ReduceFn::Max, Lane::F32) => of::<MaxF32>(isa),
            (ReduceFn::Max, Lane::F64) => of::<MaxF64>(isa),
            (ReduceFn::Max, Lane::I32) => of::<MaxI32>(isa),
            (ReduceFn::Max, Lane::I64) => of::<MaxI64>(isa),
            (ReduceFn::Max, Lane::U8) => of::<MaxU8>(isa),
            (ReduceFn::Min, Lane::F32) => of::<MinF32>(isa),
            (ReduceFn::Min, Lane::F64) => of::<MinF64>(isa),
            (ReduceFn::Min, Lane::I32) => of::<MinI32>(isa),
            (ReduceFn::Min, Lane::I64) => of::<MinI64>(isa),
            (ReduceFn::Min, Lane::U8) if boolean => of::<MinBool>(isa),
            (ReduceFn::Min, Lane::U8) => of::<MinU8>(isa),
        }
    }
}
