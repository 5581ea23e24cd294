//! Independent random elements, drawn from Philox words by inverting distribution functions. Plain
//! IEEE operations only (no library logarithm, no fused multiply-add), so that the same seed gives the
//! same bits on every machine.

use super::Distribution;
use cornu_core::random::{philox, state};

/// `n` elements. Element `i` depends on seed, stream and `i` alone.
pub(super) fn draw(distribution: Distribution, n: usize, seed: u64, stream: u32) -> Vec<f32> {
    match distribution {
        Distribution::Uniform { low, high } => {
            let (low, width) = (low as f32, (high - low) as f32);
            map_words(n, seed, stream, |w| {
                low + width * cornu_core::ops::random::unit(w)
            })
        }
        Distribution::RandomNormal { mean, stddev } => {
            let (mean, stddev) = (mean as f32, stddev as f32);
            map_words(n, seed, stream, |w| {
                let (x, rest) = symmetric(w);
                mean + stddev * normal_quantile(x, rest)
            })
        }
        Distribution::TruncatedNormal { mean, stddev } => {
            let (mean, stddev) = (mean as f32, stddev as f32);
            map_words(n, seed, stream, |w| {
                let x = symmetric(w).0 * ERF_OF_CUT;
                mean + stddev * central_quantile(x, log_argument(x, 1.0 - x.abs()))
            })
        }
    }
}

/// A function of each of `n` words of a stream.
fn map_words(n: usize, seed: u64, stream: u32, f: impl Fn(u32) -> f32) -> Vec<f32> {
    let state = state(seed);
    let mut out = vec![0.0; n];
    let mut words = [0u32; BATCH];
    for (i, values) in out.chunks_mut(BATCH).enumerate() {
        let first = (i * BATCH / 4) as u64;
        for (j, four) in words.chunks_exact_mut(4).enumerate() {
            four.copy_from_slice(&philox(&state, stream, first + j as u64));
        }
        for (value, word) in values.iter_mut().zip(&words) {
            *value = f(*word);
        }
    }
    out
}

/// Words drawn before they are used: enough for the compiler to vectorise both loops.
const BATCH: usize = 256;

/// P(|z| < 2) of a normal z, which is erf(√2).
const ERF_OF_CUT: f32 = 0.954_499_7;

/// A word as `x` in (−1, 1), symmetric about 0, and 1 − |x|, which is exact to the last bit also where
/// `x` rounds to ±1.
#[inline(always)]
fn symmetric(word: u32) -> (f32, f32) {
    // The 2³² words stand for the odd multiples of 2⁻³².
    // (They fit an i32, from which converting is one instruction.)
    let half = (word >> 1) as i32;
    let magnitude = half as f32 + 0.5;
    let rest = (i32::MAX - half) as f32 + 0.5;
    let sign = f32::from_bits(0x3F80_0000 | (word << 31));
    let unit = 1.0 / 2_147_483_648.0;
    (magnitude * unit * sign, rest * unit)
}

/// z with P(|normal| < |z|) = |x|, of x's sign, given also `rest` = 1 − |x|: √2 · erf⁻¹(x), by the two
/// polynomials of Giles ("Approximating the erfinv function", 2010); relative error below 10⁻⁶.
#[inline(always)]
fn normal_quantile(x: f32, rest: f32) -> f32 {
    let w = log_argument(x, rest);
    let v = w.sqrt() - 3.0;
    let mut p = -0.000_200_214_26;
    p = p * v + 0.000_100_950_56;
    p = p * v + 0.001_349_343_2;
    p = p * v - 0.003_673_428_4;
    p = p * v + 0.005_739_507_7;
    p = p * v - 0.007_622_461_3;
    p = p * v + 0.009_438_870_5;
    p = p * v + 1.001_674;
    p = p * v + 2.832_976_8;
    let tail = p * x * std::f32::consts::SQRT_2;
    let central = central_quantile(x, w);
    if w < 5.0 { central } else { tail }
}

/// −ln(1 − x²), given also `rest` = 1 − |x|.
#[inline(always)]
fn log_argument(x: f32, rest: f32) -> f32 {
    -ln(rest * (1.0 + x.abs()))
}

/// The part of [`normal_quantile`] for w = −ln(1 − x²) below 5, that is |x| < 0.9966.
#[inline(always)]
fn central_quantile(x: f32, w: f32) -> f32 {
    let v = w - 2.5;
    let mut p = 2.810_226_4e-08;
    p = p * v + 3.432_739_4e-07;
    p = p * v - 3.523_387_7e-06;
    p = p * v - 4.391_506_5e-06;
    p = p * v + 0.000_218_580_87;
    p = p * v - 0.001_253_725;
    p = p * v - 0.004_177_681_6;
    p = p * v + 0.246_640_73;
    p = p * v + 1.501_409_4;
    p * x * std::f32::consts::SQRT_2
}

/// Natural logarithm of a positive normal number, by the polynomial of Cephes' `logf`: relative error
/// below 2 · 10⁻⁷ away from 1, absolute near it.
#[inline(always)]
fn ln(x: f32) -> f32 {
    // x = 2ᵉ · m with m in [√½, √2).
    let bits = x.to_bits().wrapping_sub(0x3F35_04F3);
    let e = (bits as i32 >> 23) as f32;
    let m = f32::from_bits((bits & 0x007F_FFFF).wrapping_add(0x3F35_04F3)) - 1.0;
    let mut p = 7.037_683_6e-2;
    p = p * m - 1.151_461e-1;
    p = p * m + 1.167_699_87e-1;
    p = p * m - 1.242_014_1e-1;
    p = p * m + 1.424_932_3e-1;
    p = p * m - 1.666_805_8e-1;
    p = p * m + 2.000_071_5e-1;
    p = p * m - 2.499_999_4e-1;
    p = p * m + 3.333_333e-1;
    let z = m * m;
    // ln 2 in two parts keeps the sum exact.
    let y = m * z * p - 2.121_944_4e-4 * e - 0.5 * z;
    m + y + 0.693_359_4 * e
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ln_agrees_with_the_library() {
        for i in 1..200_000u32 {
            let x = i as f32 * 1e-5;
            let (a, b) = (f64::from(ln(x)), f64::from(x).ln());
            assert!((a - b).abs() < 2e-7 * b.abs().max(0.3), "{x}: {a} {b}");
        }
        let tiny = f32::MIN_POSITIVE;
        assert!((f64::from(ln(tiny)) - f64::from(tiny).ln()).abs() < 1e-5);
    }

    #[test]
    fn quantiles_known_values() {
        // P(|z| < q) for q = 1, 2, 3, 5.
        for (p, q) in [
            (0.682_689_492_137_086, 1.0),
            (0.954_499_736_103_642, 2.0),
            (0.997_300_203_936_740, 3.0),
            (0.999_999_426_696_856, 5.0),
        ] {
            let z = f64::from(normal_quantile(p as f32, (1.0 - p) as f32));
            assert!((z - q).abs() < 1e-5, "{p}: {z}");
            let z = f64::from(normal_quantile(-p as f32, (1.0 - p) as f32));
            assert!((z + q).abs() < 1e-5, "{p}: {z}");
        }
    }

    #[test]
    fn extreme_words_stay_finite_and_symmetric() {
        for word in [0, 1, u32::MAX, u32::MAX - 1, 0x8000_0000] {
            let (x, rest) = symmetric(word);
            let z = normal_quantile(x, rest);
            assert!(z.is_finite() && z.abs() < 6.5, "{word:x}: {z}");
        }
        let z = |w| {
            let (x, rest) = symmetric(w);
            normal_quantile(x, rest)
        };
        assert_eq!(z(u32::MAX), -z(u32::MAX - 1));
        assert!(z(u32::MAX - 1) > 6.0);
    }
}
