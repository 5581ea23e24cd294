//! Vectors for any target: small arrays that the compiler puts into whatever registers it has.

use super::Vector;

/// `N` values, computed one by one (or as the compiler sees fit).
#[derive(Clone, Copy, Debug)]
pub struct Lanes<T, const N: usize>([T; N]);

macro_rules! scalar_vector {
    ($t:ty, $n:literal) => {
        impl Vector for Lanes<$t, $n> {
            type Elem = $t;
            type Mask = usize;
            const LANES: usize = $n;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                Self([x; $n])
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: valid for all lanes by the trait's contract.
                Self(unsafe { p.cast::<[$t; $n]>().read_unaligned() })
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: valid for all lanes by the trait's contract.
                unsafe { p.cast::<[$t; $n]>().write_unaligned(self.0) }
            }
            #[inline(always)]
            unsafe fn mask(n: usize) -> usize {
                n.min($n)
            }
            #[inline(always)]
            unsafe fn load_mask(p: *const $t, mask: usize) -> Self {
                let mut lanes = [0.0; $n];
                for (i, lane) in lanes.iter_mut().enumerate().take(mask) {
                    // SAFETY: only the lanes of the mask are read, as the trait's contract allows.
                    *lane = unsafe { *p.add(i) };
                }
                Self(lanes)
            }
            #[inline(always)]
            unsafe fn store_mask(self, p: *mut $t, mask: usize) {
                for (i, x) in self.0.into_iter().enumerate().take(mask) {
                    // SAFETY: only the lanes of the mask are written, as the trait's contract
                    // allows.
                    unsafe { *p.add(i) = x };
                }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] + b.0[i]))
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] - b.0[i]))
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * b.0[i]))
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] / b.0[i]))
            }
            // `mul_add` is a slow library call where the target has no such instruction.
            #[inline(always)]
            unsafe fn fma(self, b: Self, c: Self) -> Self {
                Self(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
            }
            #[inline(always)]
            unsafe fn max(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if self.0[i] > b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn min(self, b: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if self.0[i] < b.0[i] {
                        self.0[i]
                    } else {
                        b.0[i]
                    }
                }))
            }
            #[inline(always)]
            unsafe fn where_positive(self, x: Self) -> Self {
                Self(std::array::from_fn(|i| {
                    if self.0[i] > 0.0 { x.0[i] } else { 0.0 }
                }))
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                Self(self.0.map(<$t>::sqrt))
            }
            #[inline(always)]
            unsafe fn sum(self) -> $t {
                self.0.into_iter().sum()
            }
        }
    };
}

scalar_vector!(f32, 4);
scalar_vector!(f64, 2);
