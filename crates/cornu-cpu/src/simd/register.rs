//! Vectors that are a register.

/// [`Vector`](super::Vector) for a register: functions that are one intrinsic, in brackets those that are not one
/// everywhere, and the others written out.
macro_rules! register {
    (
        $v:ty, $t:ty, $lanes:literal, $mask:ty,
        splat $splat:ident, load $load:ident, store $store:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident,
        [$(fma $fma:ident, max $max:ident, min $min:ident)?],
        $($rest:tt)*
    ) => {
        impl $crate::simd::Vector for $v {
            type Elem = $t;
            type Mask = $mask;
            const LANES: usize = $lanes;
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(p: *const $t) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $load(p) }
            }
            #[inline(always)]
            unsafe fn store(self, p: *mut $t) {
                // SAFETY: by the trait's contract.
                unsafe { $store(p, self) }
            }
            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $add(self, b) }
            }
            #[inline(always)]
            unsafe fn sub(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $sub(self, b) }
            }
            #[inline(always)]
            unsafe fn mul(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $mul(self, b) }
            }
            #[inline(always)]
            unsafe fn div(self, b: Self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $div(self, b) }
            }
            #[inline(always)]
            unsafe fn sqrt(self) -> Self {
                // SAFETY: by the trait's contract.
                unsafe { $sqrt(self) }
            }
            $(
                #[inline(always)]
                unsafe fn fma(self, b: Self, c: Self) -> Self {
                    // SAFETY: by the trait's contract.
                    unsafe { $fma(self, b, c) }
                }
                #[inline(always)]
                unsafe fn max(self, b: Self) -> Self {
                    // SAFETY: by the trait's contract.
                    unsafe { $max(self, b) }
                }
                #[inline(always)]
                unsafe fn min(self, b: Self) -> Self {
                    // SAFETY: by the trait's contract.
                    unsafe { $min(self, b) }
                }
            )?
            $($rest)*
        }
    };
}

pub(super) use register;
