//! The small products and the gate functions of a step.

use crate::math::{float32, float64};
use crate::simd::{Float, Isa, Simd, SimdOp, Vector};
use cornu_core::ops::recurrent::Gate;
use std::ops::Sub;

/// f32 or f64, with the functions of gates.
pub(super) trait Real: Float + Sub<Output = Self> {
    /// The most able instruction set to compile for: models compute in f32.
    const MOST: Isa;
    fn tanh<const FMA: bool>(self) -> Self;
    fn sigmoid<const FMA: bool>(self) -> Self;
}

impl Real for f32 {
    const MOST: Isa = Isa::Avx512;
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> f32 {
        float32::tanh::<FMA>(self)
    }
    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> f32 {
        float32::sigmoid::<FMA>(self)
    }
}

impl Real for f64 {
    const MOST: Isa = Isa::Scalar;
    #[inline(always)]
    fn tanh<const FMA: bool>(self) -> f64 {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid<const FMA: bool>(self) -> f64 {
        float64::sigmoid::<FMA>(self)
    }
}

/// Replaces each element by the function of it.
pub(super) struct Activate<'a, T>(pub Gate, pub &'a mut [T]);

impl<T: Real> SimdOp for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        if S::ISA == Isa::Scalar {
            apply::<T, false>(self.0, self.1);
        } else {
            apply::<T, true>(self.0, self.1);
        }
    }
}

#[inline(always)]
fn apply<T: Real, const FMA: bool>(gate: Gate, x: &mut [T]) {
    let (one, sixth, half) = (T::from_f64(1.0), T::from_f64(1.0 / 6.0), T::from_f64(0.5));
    match gate {
        Gate::Linear => {}
        Gate::Tanh => x.iter_mut().for_each(|x| *x = x.tanh::<FMA>()),
        Gate::Sigmoid => x.iter_mut().for_each(|x| *x = x.sigmoid::<FMA>()),
        Gate::Relu => x
            .iter_mut()
            .for_each(|x| *x = if *x < T::ZERO { T::ZERO } else { *x }),
        Gate::HardSigmoid => x.iter_mut().for_each(|x| {
            let y = *x * sixth + half;
            let y = if y < T::ZERO { T::ZERO } else { y };
            *x = if y > one { one } else { y };
        }),
    }
}

/// Multiplies each element of the first by the derivative where the function's value is that of the
/// second.
pub(super) struct Chain<'a, T>(pub Gate, pub &'a mut [T], pub &'a [T]);

impl<T: Real> SimdOp for Chain<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let Chain(gate, d, y) = self;
        let (one, sixth) = (T::from_f64(1.0), T::from_f64(1.0 / 6.0));
        let pairs = d.iter_mut().zip(y);
        match gate {
            Gate::Linear => {}
            Gate::Tanh => pairs.for_each(|(d, y)| *d = *d * (one - *y * *y)),
            Gate::Sigmoid => pairs.for_each(|(d, y)| *d = *d * (*y * (one - *y))),
            Gate::Relu => pairs.for_each(|(d, y)| *d = if *y > T::ZERO { *d } else { T::ZERO }),
            Gate::HardSigmoid => pairs.for_each(|(d, y)| {
                *d = if *y > T::ZERO && *y < one {
                    *d * sixth
                } else {
                    T::ZERO
                };
            }),
        }
    }
}

/// Where a matrix of `k` rows and `n` columns lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub first: usize,
    pub row: usize,
    pub column: usize,
    pub k: usize,
    pub n: usize,
}

impl Part {
    /// Elements of the matrix once packed into panels of `width` columns.
    pub fn packed(&self, width: usize) -> usize {
        self.k * self.n.next_multiple_of(width)
    }
}

/// Columns of a panel: two vectors.
pub(super) const fn width<S: Simd, T: Float>() -> usize {
    2 * <T::Vec<S> as Vector>::LANES
}

/// Rows of the left operand whose sums stay in registers.
pub(super) const ROWS: usize = 8;

/// Lays a matrix out in panels of two vectors of columns, row after row, with zeros beyond the last.
///
/// # Safety
/// `source` holds the matrix, `to` has room for [`Part::packed`] elements.
#[inline(always)]
pub(super) unsafe fn pack<S: Simd, T: Float>(source: *const T, part: Part, to: *mut T) {
    let width = width::<S, T>();
    for panel in 0..part.n.div_ceil(width) {
        for k in 0..part.k {
            for j in 0..width {
                let n = panel * width + j;
                // SAFETY: inside both, by the caller.
                unsafe {
                    *to.add((panel * part.k + k) * width + j) = match n < part.n {
                        true => *source.add(part.first + k * part.row + n * part.column),
                        false => T::ZERO,
                    };
                }
            }
        }
    }
}

/// Adds the product of `rows` rows of `a`, each `lda` after the one before, and a packed matrix to the
/// rows of `c`. Its maker promises that `a` has `rows` rows of `part.k` elements, `c` as many of
/// `part.n`, that `packed` was made by [`pack`] for the same vectors, and that `c` overlaps neither.
pub(super) struct AddProduct<T> {
    pub a: (*const T, usize),
    pub rows: usize,
    pub packed: *const T,
    pub part: Part,
    pub c: (*mut T, usize),
}

impl<T: Float> SimdOp for AddProduct<T> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let AddProduct {
            a: (a, lda),
            rows,
            packed,
            part,
            c: (c, ldc),
        } = self;
        let width = width::<S, T>();
        for panel in 0..part.n.div_ceil(width) {
            let columns = width.min(part.n - panel * width);
            for first in (0..rows).step_by(ROWS) {
                // SAFETY: the panel and the rows are inside, by the maker's promise.
                unsafe {
                    let b = packed.add(panel * part.k * width);
                    let a = (a.add(first * lda), lda);
                    let c = (c.add(first * ldc + panel * width), ldc);
                    match (rows - first).min(ROWS) {
                        8 => tile::<S, T, 8>(a, b, part.k, c, columns),
                        7 => tile::<S, T, 7>(a, b, part.k, c, columns),
                        6 => tile::<S, T, 6>(a, b, part.k, c, columns),
                        5 => tile::<S, T, 5>(a, b, part.k, c, columns),
                        4 => tile::<S, T, 4>(a, b, part.k, c, columns),
                        3 => tile::<S, T, 3>(a, b, part.k, c, columns),
                        2 => tile::<S, T, 2>(a, b, part.k, c, columns),
                        _ => tile::<S, T, 1>(a, b, part.k, c, columns),
                    }
                }
            }
        }
    }
}

/// A tile of `R` rows and one panel.
///
/// # Safety
/// As for [`AddProduct`].
#[inline(always)]
unsafe fn tile<S: Simd, T: Float, const R: usize>(
    (a, lda): (*const T, usize),
    b: *const T,
    k: usize,
    (c, ldc): (*mut T, usize),
    columns: usize,
) {
    let lanes = <T::Vec<S> as Vector>::LANES;
    // SAFETY: as promised by the caller; lanes beyond the last column are masked.
    unsafe {
        let masks = [
            T::Vec::<S>::mask(columns),
            T::Vec::<S>::mask(columns.saturating_sub(lanes)),
        ];
        let whole = columns == 2 * lanes;
        let mut sums = [[T::Vec::<S>::splat(T::ZERO); 2]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                let at = c.add(r * ldc).wrapping_add(v * lanes);
                *sum = if whole {
                    T::Vec::<S>::load(at)
                } else {
                    T::Vec::<S>::load_mask(at, masks[v])
                };
            }
        }
        for i in 0..k {
            let row = [
                T::Vec::<S>::load(b.add(i * 2 * lanes)),
                T::Vec::<S>::load(b.add((i * 2 + 1) * lanes)),
            ];
            for (r, sums) in sums.iter_mut().enumerate() {
                let x = T::Vec::<S>::splat(*a.add(r * lda + i));
                sums[0] = x.fma(row[0], sums[0]);
                sums[1] = x.fma(row[1], sums[1]);
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (v, sum) in sums.iter().enumerate() {
                let at = c.add(r * ldc).wrapping_add(v * lanes);
                if whole {
                    sum.store(at);
                } else {
                    sum.store_mask(at, masks[v]);
                }
            }
        }
    }
}
