//! The functions of gates.

use crate::math::Real;
use crate::simd::{Isa, Simd, SimdOp};
use cornu_core::ops::recurrent::Gate;

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
