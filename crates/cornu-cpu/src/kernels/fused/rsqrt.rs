//! 1/√x of `f32`, alone or of a sum or difference: a division less where the processor has an estimate to
//! begin with.

use super::GRANULE;
use super::isa::Kernel;
use crate::simd::{Isa, Scalar, Simd, SimdOp, Vector};

/// What the function is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// `a`.
    One,
    /// `a + b`.
    Sum,
    /// `a − b`.
    Difference,
}

/// The kernel for an instruction set, which the processor has to have.
pub(crate) fn rsqrt(of: Of, isa: Isa) -> Kernel {
    match of {
        Of::One => pick::<0>(isa),
        Of::Sum => pick::<1>(isa),
        Of::Difference => pick::<2>(isa),
    }
}

fn pick<const OF: u8>(isa: Isa) -> Kernel {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => kernel::<crate::simd::Avx512, OF>,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => kernel::<crate::simd::Avx2, OF>,
        #[cfg(target_arch = "aarch64")]
        Isa::Neon => kernel::<crate::simd::Neon, OF>,
        _ => kernel::<Scalar, OF>,
    }
}

/// # Safety
/// As for [`Body::run`](super::isa::Body::run); the processor has the instruction set.
unsafe fn kernel<S: Simd, const OF: u8>(
    out: *mut u8,
    a: *const u8,
    b: *const u8,
    _: *const u8,
    _: *const u8,
    n: usize,
    repeats: u8,
) {
    let (out, a, b) = (out.cast(), a.cast(), b.cast());
    // SAFETY: as promised by the caller.
    unsafe {
        S::vectorize(Loop::<OF> {
            out,
            operands: [a, b],
            n,
            repeats,
        })
    }
}

struct Loop<const OF: u8> {
    out: *mut f32,
    operands: [*const f32; 2],
    n: usize,
    repeats: u8,
}

impl<const OF: u8> SimdOp for Loop<OF> {
    type Output = ();

    #[inline(always)]
    unsafe fn call<S: Simd>(self) {
        let lanes = S::F32::LANES;
        let [mut a, mut b] = self.operands;
        let steps = [0, 1].map(|k| GRANULE * usize::from(self.repeats >> k & 1 == 0));
        // SAFETY: granule after granule lies within the operands, by the caller's promise.
        unsafe {
            for at in (0..self.n).step_by(GRANULE) {
                for v in (0..GRANULE).step_by(lanes) {
                    let x = S::F32::load(a.add(v));
                    let x = match OF {
                        0 => x,
                        1 => x.add(S::F32::load(b.add(v))),
                        _ => x.sub(S::F32::load(b.add(v))),
                    };
                    x.rsqrt().store(self.out.add(at + v));
                }
                a = a.wrapping_add(steps[0]);
                b = b.wrapping_add(steps[1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The function of `a ± b` on an instruction set.
    fn run(of: Of, isa: Isa, a: &[f32], b: &[f32]) -> Vec<f32> {
        let mut out = vec![0f32; a.len()];
        let repeats = if b.len() == GRANULE { 2 } else { 0 };
        // SAFETY: all have whole granules.
        unsafe {
            let (to, a, b) = (out.as_mut_ptr(), a.as_ptr(), b.as_ptr());
            let null = std::ptr::null();
            let n = out.len();
            rsqrt(of, isa)(to.cast(), a.cast(), b.cast(), null, null, n, repeats);
        }
        out
    }

    #[test]
    fn within_a_unit_and_a_half_of_the_last_place() {
        let all: Vec<f32> = (0..u32::MAX / 4099)
            .map(|i| f32::from_bits(i * 4099))
            .collect();
        let all = &all[..all.len() / GRANULE * GRANULE];
        let zeros = [0f32; GRANULE];
        for isa in Isa::available() {
            for of in [Of::One, Of::Sum, Of::Difference] {
                for (x, y) in all.iter().zip(run(of, isa, all, &zeros)) {
                    let exact = 1.0 / f64::from(*x).sqrt();
                    let near = exact as f32;
                    let unit = f64::from(f32::from_bits(near.to_bits() + 1)) - f64::from(near);
                    let fits = match near.is_finite() {
                        true => (f64::from(y) - exact).abs() <= 1.5 * unit,
                        false => y == near || y.is_nan() && near.is_nan(),
                    };
                    assert!(fits, "{isa:?}: {y} of {x}");
                }
            }
        }
    }

    #[test]
    fn does_not_depend_on_neighbours() {
        let normal: Vec<f32> = (1..=64).map(|i| i as f32 * 0.37).collect();
        let mut mixed = normal.clone();
        let special = [0.0, -0.0, -1.0, f32::INFINITY, f32::NAN, 1e-40];
        for (i, x) in special.into_iter().enumerate() {
            mixed[i * 9] = x;
        }
        for isa in Isa::available() {
            let alone = run(Of::One, isa, &normal, &[]);
            let among = run(Of::One, isa, &mixed, &[]);
            for i in 0..normal.len() {
                match i.is_multiple_of(9) && i / 9 < special.len() {
                    true => {
                        let exact = 1.0 / mixed[i].sqrt();
                        assert!(among[i] == exact || exact.is_nan() && among[i].is_nan());
                    }
                    false => assert_eq!(among[i].to_bits(), alone[i].to_bits()),
                }
            }
        }
    }

    #[test]
    fn of_differences() {
        let (a, b) = ([5f32; 2 * GRANULE], [1f32; GRANULE]);
        for isa in Isa::available() {
            assert_eq!(run(Of::Difference, isa, &a, &b), [0.5; 2 * GRANULE]);
        }
    }
}
