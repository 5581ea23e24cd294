//! Vectors that are a register.

/// [`Vector`](super::Vector) for a register: functions that are one intrinsic, in brackets those that are not one
/// everywhere, and the others written out.
macro_rules! register {
    (
        $v:ty, $t:ty, $lanes:literal, $mask:ty,
        splat $splat:ident, load $load:ident, store $store:ident,
        add $add:ident, sub $sub:ident, mul $mul:ident, div $div:ident, sqrt $sqrt:ident,
        [$(fma $fma:ident,)? $(max $max:ident, min $min:ident)?],
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
            )?
            $(
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

/// The functions with masks of a register that has none: a mask is the number of lanes.
macro_rules! counted_masks {
    ($t:ty, $lanes:literal, $load:ident, $store:ident) => {
        #[inline(always)]
        unsafe fn mask(n: usize) -> usize {
            n.min($lanes)
        }
        #[inline(always)]
        unsafe fn load_mask(p: *const $t, mask: usize) -> Self {
            // SAFETY: by the trait's contract.
            unsafe {
                match mask {
                    $lanes => $load(p),
                    _ => $load($crate::simd::register::load_some::<$t, $lanes>(p, mask).as_ptr()),
                }
            }
        }
        #[inline(always)]
        unsafe fn store_mask(self, p: *mut $t, mask: usize) {
            // SAFETY: by the trait's contract.
            unsafe {
                if mask == $lanes {
                    $store(p, self);
                } else {
                    let mut lanes = [0.0; $lanes];
                    $store(lanes.as_mut_ptr(), self);
                    $crate::simd::register::store_some::<$t, $lanes>(&lanes, p, mask);
                }
            }
        }
    };
}

/// The first lanes from memory, the others zero; whole vectors are the usual case. Calls, since kernels do this
/// at many places.
#[cold]
#[inline(never)]
pub(super) unsafe fn load_some<T: Default + Copy, const N: usize>(p: *const T, n: usize) -> [T; N] {
    let mut lanes = [T::default(); N];
    // SAFETY: the caller vouches for the first `n`, which are not more than there are.
    unsafe { std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n.min(N)) };
    lanes
}

/// The first lanes to memory.
#[cold]
#[inline(never)]
pub(super) unsafe fn store_some<T, const N: usize>(lanes: &[T; N], p: *mut T, n: usize) {
    // SAFETY: the caller vouches for the first `n`, which are not more than there are.
    unsafe { std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n.min(N)) };
}

pub(super) use {counted_masks, register};
