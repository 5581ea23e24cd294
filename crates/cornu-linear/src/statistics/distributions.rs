//! Tails and quantiles of the distributions that tests ask for, by `statrs`.

use statrs::distribution::{
    ChiSquared, Continuous, ContinuousCDF, FisherSnedecor, Normal, StudentsT,
};

/// The share of Student's t beyond `|t|` on both sides.
pub(super) fn t_two_sided(t: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::NAN, |d| 2.0 * d.sf(t.abs()))
}

/// The value that Student's t exceeds with probability `tail`, below one half.
pub(super) fn t_upper(tail: f64, freedom: f64) -> f64 {
    let Ok(distribution) = StudentsT::new(0.0, 1.0, freedom) else {
        return f64::NAN;
    };
    let mut t = distribution.inverse_cdf(1.0 - tail);
    // The quantile is good to some eight digits; Newton's method doubles them.
    for _ in 0..2 {
        t += (distribution.sf(t) - tail) / distribution.pdf(t);
    }
    t
}

/// The share of the normal distribution beyond `|z|` on both sides.
pub(super) fn normal_two_sided(z: f64) -> f64 {
    2.0 * Normal::standard().sf(z.abs())
}

/// The value that a normal number exceeds with probability `tail`.
pub(super) fn normal_upper(tail: f64) -> f64 {
    -Normal::standard().inverse_cdf(tail)
}

/// The share of F beyond `f`.
pub(super) fn f_upper(f: f64, numerator: f64, denominator: f64) -> f64 {
    if !f.is_finite() {
        return if f > 0.0 { 0.0 } else { f64::NAN };
    }
    FisherSnedecor::new(numerator, denominator).map_or(f64::NAN, |d| d.sf(f))
}

/// The share of chi-squared beyond `x`.
pub(super) fn chi_squared_upper(x: f64, freedom: f64) -> f64 {
    ChiSquared::new(freedom).map_or(f64::NAN, |d| d.sf(x))
}
