//! The functions of gates.

use crate::math::Real;
use crate::simd::{Float, Isa, Simd, SimdOp, Vector};
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

/// `d` times the derivative where the function's value is `y`.
///
/// # Safety
/// As for the vector's functions.
#[inline(always)]
pub(super) unsafe fn chain<V: Vector>(gate: Gate, y: V, d: V) -> V {
    // SAFETY: as promised by the caller.
    unsafe {
        let one = V::splat(V::Elem::from_f64(1.0));
        match gate {
            Gate::Linear => d,
            Gate::Tanh => d.mul(one.sub(y.mul(y))),
            Gate::Sigmoid => d.mul(y.mul(one.sub(y))),
            Gate::Relu => y.where_positive(d),
            Gate::HardSigmoid => {
                let sixth = d.mul(V::splat(V::Elem::from_f64(1.0 / 6.0)));
                y.where_positive(one.sub(y).where_positive(sixth))
            }
        }
    }
}

/// Goes over rows of so many elements vector by vector: names those of some rows, and stores in others what
/// is made of them. To be used in `unsafe`: the rows are valid, and overlap only where they are the same.
/// (Loops over so many slices are not vectorised by themselves, for any may overlap any other; and closures
/// are not always inlined.)
macro_rules! each {
    ($s:ty, $t:ty, $n:expr; $($x:ident = $from:expr),+; { $($body:tt)* } $($to:expr => $y:expr),+ $(,)?) => {{
        let lanes = <<$t as Float>::Vec<$s> as Vector>::LANES;
        let mut j = 0;
        while j + lanes <= $n {
            $(let $x = <$t as Float>::Vec::<$s>::load($from.add(j));)+
            $($body)*
            $($y.store($to.add(j));)+
            j += lanes;
        }
        if j < $n {
            let mask = <$t as Float>::Vec::<$s>::mask($n - j);
            $(let $x = <$t as Float>::Vec::<$s>::load_mask($from.add(j), mask);)+
            $($body)*
            $($y.store_mask($to.add(j), mask);)+
        }
    }};
}
pub(super) use each;
