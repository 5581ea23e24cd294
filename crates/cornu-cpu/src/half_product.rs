//! Matrix products of types that have no kernel of their own: the half formats, computed in `f32`,
//! and integers.

use cornu_core::ops::matmul::Extents;
use cornu_core::{DType, bf16, f16};

/// Converts `n` values of a half format to `f32`.
///
/// # Safety
/// `from` is valid for `n` values of `dtype`, `to` for `n` of `f32`; they do not overlap.
pub(crate) unsafe fn widen(dtype: DType, from: *const u8, to: *mut f32, n: usize) {
    for i in 0..n {
        // SAFETY: `i < n`.
        unsafe {
            *to.add(i) = match dtype {
                DType::BF16 => (*from.cast::<bf16>().add(i)).to_f32(),
                _ => (*from.cast::<f16>().add(i)).to_f32(),
            };
        }
    }
}

/// Rounds `n` values in place to what a half format can hold.
///
/// # Safety
/// `values` is valid for `n` values.
pub(crate) unsafe fn round(dtype: DType, values: *mut f32, n: usize) {
    // SAFETY: by the caller's promise.
    for v in unsafe { std::slice::from_raw_parts_mut(values, n) } {
        *v = match dtype {
            DType::BF16 => bf16::from_f32(*v).to_f32(),
            _ => f16::from_f32(*v).to_f32(),
        };
    }
}

/// An integer type that wraps.
trait Integer: Copy {
    const ZERO: Self;
    fn multiply_add(self, a: Self, b: Self) -> Self;
}

macro_rules! integer {
    ($($t:ty)*) => {$(
        impl Integer for $t {
            const ZERO: Self = 0;
            fn multiply_add(self, a: Self, b: Self) -> Self {
                self.wrapping_add(a.wrapping_mul(b))
            }
        }
    )*};
}
integer!(u8 i32 i64);

/// An integer product, wrapping on overflow.
///
/// # Safety
/// `a`, `b` and `c` are valid for the extents in `dtype`; `c` overlaps neither operand.
pub(crate) unsafe fn integers(
    dtype: DType,
    extents: Extents,
    transposed: (bool, bool),
    a: *const u8,
    b: *const u8,
    c: *mut u8,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        match dtype {
            DType::U8 => product::<u8>(extents, transposed, a.cast(), b.cast(), c.cast()),
            DType::I32 => product::<i32>(extents, transposed, a.cast(), b.cast(), c.cast()),
            _ => product::<i64>(extents, transposed, a.cast(), b.cast(), c.cast()),
        }
    }
}

unsafe fn product<T: Integer>(
    Extents { batch, m, n, k }: Extents,
    (ta, tb): (bool, bool),
    a: *const T,
    b: *const T,
    c: *mut T,
) {
    for x in 0..batch {
        for i in 0..m {
            for j in 0..n {
                let mut sum = T::ZERO;
                for p in 0..k {
                    let at = if ta { p * m + i } else { i * k + p };
                    let bt = if tb { j * k + p } else { p * n + j };
                    // SAFETY: indices are below the extents.
                    sum =
                        unsafe { sum.multiply_add(*a.add(x * m * k + at), *b.add(x * k * n + bt)) };
                }
                // SAFETY: as above.
                unsafe { *c.add((x * m + i) * n + j) = sum };
            }
        }
    }
}
