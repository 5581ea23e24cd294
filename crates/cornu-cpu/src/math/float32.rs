//! Functions of `f32`.

#![allow(clippy::excessive_precision)] // the decimals that coefficients are published with

use super::float64 as wide;
use super::{fma32, poly32, poly64};
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2, PI};

/// Adding 1.5·2²³ rounds to an integer, which then lies in the low bits.
const ROUND: f32 = 12582912.0;
/// ln 2 in two parts; the first has few enough bits to be multiplied by an exponent exactly.
const LN2_HI: f32 = 0.693_359_4;
const LN2_LO: f32 = -2.121_944_4e-4;

/// `x` as `n·ln 2 + r`, |r| ≤ ln 2 / 2: the integer n as bits, n and r.
#[inline(always)]
fn reduce_exp<const FMA: bool>(x: f32) -> (i32, f32, f32) {
    let t = fma32::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = t - ROUND;
    let r = fma32::<FMA>(n, -LN2_HI, x);
    let r = fma32::<FMA>(n, -LN2_LO, r);
    (t.to_bits().wrapping_sub(ROUND.to_bits()) as i32, n, r)
}

/// eʳ − 1 − r for |r| ≤ ln 2 / 2. Coefficients: Cephes, `expf`.
#[inline(always)]
fn exp_tail<const FMA: bool>(r: f32) -> f32 {
    let p = poly32::<FMA, 6>(
        r,
        [
            1.987_569_1e-4,
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            5e-1,
        ],
    );
    p * (r * r)
}

/// 2ⁿ for −127 < n < 128.
#[inline(always)]
fn exp2i(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// eˣ.
#[inline(always)]
pub fn exp<const FMA: bool>(x: f32) -> f32 {
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let (i, _, r) = reduce_exp::<FMA>(x);
    let p = exp_tail::<FMA>(r) + r + 1.0;
    // In two steps, so that the ends overflow to infinity and underflow gradually.
    let half = i >> 1;
    p * exp2i(half) * exp2i(i.wrapping_sub(half))
}

/// eˣ − 1.
#[inline(always)]
pub fn expm1<const FMA: bool>(x: f32) -> f32 {
    let y = if x < -18.0 { -18.0 } else { x };
    let y = if y > 89.0 { 89.0 } else { y };
    let (i, _, r) = reduce_exp::<FMA>(y);
    let q = exp_tail::<FMA>(r) + r;
    // Half of the scale, which for the largest x would overflow.
    let s = exp2i(i.wrapping_sub(1));
    let v = fma32::<FMA>(s, q, s - 0.5) * 2.0;
    // Keeps the sign of zero.
    if x == 0.0 { x } else { v }
}

/// The natural logarithm; −∞ of 0, NaN of negative numbers. Coefficients: Cephes, `logf`.
#[inline(always)]
pub fn log<const FMA: bool>(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let y = if tiny { x * 8388608.0 } else { x };
    let bias = if tiny { -23.0 } else { 0.0 };
    // The mantissa within [√½, √2).
    let bits = y.to_bits().wrapping_sub(0x3f35_04f3);
    let e = ((bits as i32) >> 23) as f32 + bias;
    let f = f32::from_bits((bits & 0x007f_ffff).wrapping_add(0x3f35_04f3)) - 1.0;
    let z = f * f;
    let p = poly32::<FMA, 9>(
        f,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333_1e-1,
        ],
    );
    let v = fma32::<FMA>(e, LN2_LO, p * f * z);
    let v = fma32::<FMA>(-0.5, z, v);
    let v = fma32::<FMA>(e, LN2_HI, f + v);
    let v = if x > f32::MAX { x } else { v };
    let v = if x == 0.0 { f32::NEG_INFINITY } else { v };
    if x >= 0.0 { v } else { f32::NAN }
}

/// ln(1 + x).
#[inline(always)]
pub fn log1p<const FMA: bool>(x: f32) -> f32 {
    let u = 1.0 + x;
    // What the sum lost.
    let lost = if x < 1.0 {
        x - (u - 1.0)
    } else {
        1.0 - (u - x)
    };
    let c = lost / u;
    // 0/0 and ∞/∞ where x is −1 or ∞.
    let c = if c.is_nan() { 0.0 } else { c };
    let v = log::<FMA>(u) + c;
    if x == 0.0 { x } else { v }
}

/// The hyperbolic tangent. Coefficients: Cephes, `tanhf`.
#[inline(always)]
pub fn tanh<const FMA: bool>(x: f32) -> f32 {
    let z = x * x;
    let p = poly32::<FMA, 5>(
        z,
        [
            -5.704_988_7e-3,
            2.063_908_9e-2,
            -5.373_971_6e-2,
            1.333_144_2e-1,
            -3.333_328_2e-1,
        ],
    );
    let small = fma32::<FMA>(p * z, x, x);
    let a = x.abs();
    let a = if a > 10.0 { 10.0 } else { a };
    let (i, _, r) = reduce_exp::<FMA>(a + a);
    let e = (exp_tail::<FMA>(r) + r + 1.0) * exp2i(i);
    let large = (1.0 - 2.0 / (e + 1.0)).copysign(x);
    if x.abs() < 0.625 { small } else { large }
}

/// 1 / (1 + e⁻ˣ); 0 below −88.7 (where it would be denormal).
#[inline(always)]
pub fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    let y = -x;
    let y = if y < -87.0 { -87.0 } else { y };
    let y = if y > 89.0 { 89.0 } else { y };
    let (i, _, r) = reduce_exp::<FMA>(y);
    let p = exp_tail::<FMA>(r) + r + 1.0;
    // 2ⁿ overflows to infinity at n = 128.
    let s = exp2i(i);
    1.0 / fma32::<FMA>(p, s, 1.0)
}

/// The error function. Near 0 a polynomial, else 1 − exp of one; fitted for the relative error.
#[inline(always)]
pub fn erf<const FMA: bool>(x: f32) -> f32 {
    let z = x * x;
    let p = poly32::<FMA, 7>(
        z,
        [
            8.316_708e-5,
            -8.129_995e-4,
            5.199_905e-3,
            -2.685_894_1e-2,
            1.128_368_7e-1,
            -3.761_263_3e-1,
            1.283_791_7e-1,
        ],
    );
    let small = fma32::<FMA>(p, x, x);
    let a = x.abs();
    let a = if a > 4.0 { 4.0 } else { a };
    let q = poly32::<FMA, 8>(
        a,
        [
            4.935_006_5e-6,
            -4.554_468e-5,
            -4.976_098_6e-5,
            2.930_609_6e-3,
            -2.267_482_7e-2,
            1.052_633_2e-1,
            6.356_25e-1,
            1.285_518e-1,
        ],
    );
    let y = -fma32::<FMA>(q, a, a);
    let (i, _, r) = reduce_exp::<FMA>(y);
    let e = (exp_tail::<FMA>(r) + r + 1.0) * exp2i(i);
    let large = (1.0 - e).copysign(x);
    if x.abs() < 0.92 { small } else { large }
}

/// The inverse of the error function on (−1, 1); ±∞ at ±1, NaN outside. Polynomials in
/// w = −ln(1 − x²) and in √w, fitted for the relative error.
#[inline(always)]
pub fn erfinv<const FMA: bool>(x: f32) -> f32 {
    let x = f64::from(x);
    let w = -wide::log::<FMA>((1.0 - x) * (1.0 + x));
    let near = poly64::<FMA, 11>(
        w,
        [
            3.358_553_022_751_302_56e-10,
            -1.716_886_153_689_970_02e-8,
            3.098_725_319_995_090_73e-7,
            -2.498_298_173_773_308_38e-6,
            5.837_005_735_867_523_87e-6,
            4.048_399_528_520_691_02e-5,
            -1.219_992_080_923_449_86e-4,
            -2.338_542_973_866_692_9e-3,
            1.155_033_635_672_671_37e-2,
            2.320_135_558_971_546_39e-1,
            8.862_269_274_543_695_89e-1,
        ],
    );
    let far = poly64::<FMA, 10>(
        w.sqrt(),
        [
            1.136_515_923_247_002_88e-4,
            -3.376_362_360_860_135_55e-3,
            4.415_581_269_679_905_16e-2,
            -3.327_076_832_746_929_11e-1,
            1.584_822_445_696_266_96,
            -4.914_164_510_272_671_65,
            9.794_707_129_213_767_52,
            -1.179_708_142_276_555_27e1,
            8.326_260_610_150_665_54,
            -1.603_245_786_523_460_84,
        ],
    );
    let v = x * if w < 5.0 { near } else { far };
    let v = if x.abs() == 1.0 { x * f64::INFINITY } else { v };
    v as f32
}

/// The largest argument that [`sin`], [`cos`] and [`tan`] reduce; beyond, use the standard library.
pub const TRIG_LIMIT: f32 = 2.0e8;

/// x as n·π/2 + r: n modulo 2³² and r.
#[inline(always)]
fn reduce_trig<const FMA: bool>(x: f32) -> (u32, f64) {
    const ROUND: f64 = 6755399441055744.0;
    let x = f64::from(x);
    let t = x * FRAC_2_PI + ROUND;
    let n = t - ROUND;
    // π/2 in two parts; the first has 25 bits, so that n·hi is exact.
    let r = x - n * 1.570_796_310_901_641_845_7;
    let r = r - n * 1.589_325_477_352_819_669_16e-8;
    (t.to_bits() as u32, r)
}

/// Sine of |r| ≤ π/4. Coefficients of this and the next: FreeBSD `k_sinf.c`, `k_cosf.c`.
#[inline(always)]
fn sin_kernel<const FMA: bool>(r: f64) -> f64 {
    let z = r * r;
    let p = poly64::<FMA, 4>(
        z,
        [
            2.718_311_493_989_821_906_4e-6,
            -1.983_933_483_609_663_173_47e-4,
            8.333_329_385_889_463_175_6e-3,
            -1.666_666_664_162_652_355_95e-1,
        ],
    );
    r + r * z * p
}

/// Cosine of |r| ≤ π/4.
#[inline(always)]
fn cos_kernel<const FMA: bool>(r: f64) -> f64 {
    let z = r * r;
    let p = poly64::<FMA, 4>(
        z,
        [
            2.439_044_879_627_740_906_54e-5,
            -1.388_676_377_460_992_946_92e-3,
            4.166_662_332_373_906_318_94e-2,
            -4.999_999_972_510_310_031_2e-1,
        ],
    );
    1.0 + z * p
}

/// sin(x) for |x| ≤ [`TRIG_LIMIT`].
#[inline(always)]
pub fn sin<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_trig::<FMA>(x);
    let v = if n & 1 == 0 {
        sin_kernel::<FMA>(r)
    } else {
        cos_kernel::<FMA>(r)
    };
    let v = v as f32;
    let v = if n & 2 == 0 { v } else { -v };
    if x == 0.0 { x } else { v }
}

/// cos(x) for |x| ≤ [`TRIG_LIMIT`].
#[inline(always)]
pub fn cos<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_trig::<FMA>(x);
    let v = if n & 1 == 0 {
        cos_kernel::<FMA>(r)
    } else {
        sin_kernel::<FMA>(r)
    };
    let v = v as f32;
    if n.wrapping_add(1) & 2 == 0 { v } else { -v }
}

/// tan(x) for |x| ≤ [`TRIG_LIMIT`].
#[inline(always)]
pub fn tan<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce_trig::<FMA>(x);
    let (s, c) = (sin_kernel::<FMA>(r), cos_kernel::<FMA>(r));
    let (s, c) = if n & 1 == 0 { (s, c) } else { (-c, s) };
    let v = (s / c) as f32;
    if x == 0.0 { x } else { v }
}

/// The arc tangent to about 10⁻¹⁰: |x| brought below tan(π/8) by two addition theorems.
#[inline(always)]
fn atan64<const FMA: bool>(x: f64) -> f64 {
    let a = x.abs();
    let inverted = a > 1.0;
    let a = if inverted { 1.0 / a } else { a };
    let shifted = a > 0.414_213_562_373_095;
    let y = if shifted { (a - 1.0) / (a + 1.0) } else { a };
    let p = poly64::<FMA, 7>(
        y * y,
        [
            4.713_923_216_986_300_18e-2,
            -8.459_601_605_413_508_14e-2,
            1.104_115_230_238_654_49e-1,
            -1.428_164_826_936_355_88e-1,
            1.999_988_627_240_243_4e-1,
            -3.333_333_213_354_717_77e-1,
            9.999_999_999_792_675_84e-1,
        ],
    );
    let v = p * y + if shifted { 0.25 * PI } else { 0.0 };
    let v = if inverted { FRAC_PI_2 - v } else { v };
    v.copysign(x)
}

/// The arc sine; NaN outside [−1, 1].
#[inline(always)]
pub fn asin<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    atan64::<FMA>(y / ((1.0 - y) * (1.0 + y)).sqrt()) as f32
}

/// The arc cosine; NaN outside [−1, 1].
#[inline(always)]
pub fn acos<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    (2.0 * atan64::<FMA>(((1.0 - y) / (1.0 + y)).sqrt())) as f32
}

/// The arc tangent.
#[inline(always)]
pub fn atan<const FMA: bool>(x: f32) -> f32 {
    atan64::<FMA>(f64::from(x)) as f32
}

/// The angle of the point (x, y), with the signs of zeros and the infinities as in C.
#[inline(always)]
pub fn atan2<const FMA: bool>(y: f32, x: f32) -> f32 {
    let (y, x) = (f64::from(y), f64::from(x));
    let q = y.abs() / x.abs();
    let q = if y == 0.0 { 0.0 } else { q };
    let q = if y.is_infinite() && x.is_infinite() {
        1.0
    } else {
        q
    };
    let v = atan64::<FMA>(q);
    let v = if x.is_sign_negative() { PI - v } else { v };
    let v = v.copysign(y) as f32;
    if x.is_nan() || y.is_nan() {
        f32::NAN
    } else {
        v
    }
}

/// The hyperbolic sine.
#[inline(always)]
pub fn sinh<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    let e = wide::exp::<FMA>(y);
    let v = 0.5 * (e - 1.0 / e);
    let series = y + y * y * y * (1.0 / 6.0);
    (if y.abs() < 1e-3 { series } else { v }) as f32
}

/// The hyperbolic cosine.
#[inline(always)]
pub fn cosh<const FMA: bool>(x: f32) -> f32 {
    let e = wide::exp::<FMA>(f64::from(x));
    (0.5 * (e + 1.0 / e)) as f32
}

/// The inverse hyperbolic sine.
#[inline(always)]
pub fn asinh<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    let a = y.abs();
    let v = wide::log::<FMA>(a + (a * a + 1.0).sqrt()).copysign(y);
    let series = y - y * y * y * (1.0 / 6.0);
    (if a < 1e-3 { series } else { v }) as f32
}

/// The inverse hyperbolic cosine; NaN below 1.
#[inline(always)]
pub fn acosh<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    let v = wide::log::<FMA>(y + ((y - 1.0) * (y + 1.0)).sqrt());
    // Far below 1 the root and y cancel to 0.
    (if y < 1.0 { f64::NAN } else { v }) as f32
}

/// The inverse hyperbolic tangent; ±∞ at ±1, NaN outside.
#[inline(always)]
pub fn atanh<const FMA: bool>(x: f32) -> f32 {
    let y = f64::from(x);
    let v = 0.5 * wide::log::<FMA>((1.0 + y) / (1.0 - y));
    let series = y + y * y * y * (1.0 / 3.0);
    (if y.abs() < 1e-3 { series } else { v }) as f32
}

/// aᵇ with C's special cases.
#[inline(always)]
pub fn pow<const FMA: bool>(a: f32, b: f32) -> f32 {
    let y = f64::from(b);
    let m = f64::from(a.abs());
    let v = wide::exp::<FMA>(y * wide::log::<FMA>(m));
    // Above 2²⁴ every f32 is even; below, adding 1.5·2⁵² rounds to an integer.
    const ROUND: f64 = 6755399441055744.0;
    let small = if y.abs() < 16777216.0 { y } else { 0.0 };
    let integer = (small + ROUND) - ROUND == small;
    let half = 0.5 * small;
    let odd = integer && (half + ROUND) - ROUND != half;
    let negative = a.is_sign_negative();
    let v = if negative && odd { -v } else { v };
    let v = if negative && !integer && a != 0.0 && a != f32::NEG_INFINITY {
        f64::NAN
    } else {
        v
    };
    let v = if m == 1.0 && (b.is_infinite() || a == 1.0) {
        1.0
    } else {
        v
    };
    let v = if b == 0.0 { 1.0 } else { v };
    v as f32
}
