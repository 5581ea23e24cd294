//! Functions of `f64` that vectorise: those the common layers need and those that the wide evaluation of
//! `f32` functions rests on.

#![allow(clippy::excessive_precision)] // the decimals that coefficients are published with

use super::{fma64, poly64};

/// Adding 1.5·2⁵² rounds to an integer, which then lies in the low bits.
const ROUND: f64 = 6755399441055744.0;
/// ln 2 in two parts; the first has enough trailing zeros to be multiplied by an exponent exactly.
const LN2_HI: f64 = 6.931_471_803_691_238_164_9e-1;
const LN2_LO: f64 = 1.908_214_929_270_587_700_02e-10;

/// 2ⁿ for −1023 < n < 1024.
#[inline(always)]
fn exp2i(n: i64) -> f64 {
    f64::from_bits((n.wrapping_add(1023) as u64) << 52)
}

/// eˣ.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f64) -> f64 {
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let t = fma64::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let n = t - ROUND;
    let r = fma64::<FMA>(n, -LN2_HI, x);
    let r = fma64::<FMA>(n, -LN2_LO, r);
    // Taylor; the next term is below 10⁻¹⁷ for |r| ≤ ln 2 / 2.
    let p = poly64::<FMA, 12>(
        r,
        [
            1.0 / 6227020800.0,
            1.0 / 479001600.0,
            1.0 / 39916800.0,
            1.0 / 3628800.0,
            1.0 / 362880.0,
            1.0 / 40320.0,
            1.0 / 5040.0,
            1.0 / 720.0,
            1.0 / 120.0,
            1.0 / 24.0,
            1.0 / 6.0,
            0.5,
        ],
    );
    let p = fma64::<FMA>(p, r * r, r) + 1.0;
    // In two steps, so that the ends overflow to infinity and underflow gradually. The shift is
    // logical because a 64-bit arithmetic one is slow before AVX-512; the bias keeps it positive.
    let i = t.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(2048);
    let half = i >> 1;
    let rest = i.wrapping_sub(half);
    p * exp2i(half.wrapping_sub(1024) as i64) * exp2i(rest.wrapping_sub(1024) as i64)
}

/// The natural logarithm; −∞ of 0, NaN of negative numbers. Method and coefficients: FreeBSD
/// `e_log.c`.
#[inline(always)]
pub fn log<const FMA: bool>(x: f64) -> f64 {
    let tiny = x < f64::MIN_POSITIVE;
    let y = if tiny { x * 18014398509481984.0 } else { x };
    let bias = if tiny { -54.0 } else { 0.0 };
    // The mantissa within [√½, √2).
    const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
    let bits = y.to_bits().wrapping_sub(SQRT_HALF);
    let f = f64::from_bits((bits & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)) - 1.0;
    // The exponent, from −1075 to 1024, as a number: it is put into the low bits of one.
    let e = (bits.wrapping_add(2048 << 52)) >> 52;
    let e = f64::from_bits(e | 0x4330_0000_0000_0000) - 4503599627370496.0;
    let e = e - 2048.0 + bias;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * poly64::<FMA, 7>(
        z,
        [
            1.479_819_860_511_658_591e-1,
            1.531_383_769_920_937_332e-1,
            1.818_357_216_161_805_012e-1,
            2.222_219_843_214_978_396e-1,
            2.857_142_874_366_239_149e-1,
            3.999_999_999_940_941_908e-1,
            6.666_666_666_666_735_13e-1,
        ],
    );
    let h = 0.5 * f * f;
    let v = e * LN2_HI - ((h - (s * (h + r) + e * LN2_LO)) - f);
    let v = if x > f64::MAX { x } else { v };
    let v = if x == 0.0 { f64::NEG_INFINITY } else { v };
    if x >= 0.0 { v } else { f64::NAN }
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f64) -> f64 {
    1.0 / (1.0 + exp::<FMA>(-x))
}
