//! Whether residuals look normal: skewness, kurtosis, and the tests made of them.

use super::distributions::chi_squared_upper;

/// Moments of a sample and the tests of D'Agostino and Pearson ("omnibus") and of Jarque and Bera.
pub(super) struct Normality {
    pub skew: f64,
    pub kurtosis: f64,
    pub omnibus: f64,
    pub omnibus_pvalue: f64,
    pub jarque_bera: f64,
    pub jarque_bera_pvalue: f64,
}

impl Normality {
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let moment = |k: i32| values.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
        let variance = moment(2);
        let skew = moment(3) / variance.powf(1.5);
        let kurtosis = moment(4) / (variance * variance);
        // Fewer rows are too few for its approximations.
        let omnibus = match values.len() < 8 {
            true => f64::NAN,
            false => skew_z(skew, n).powi(2) + kurtosis_z(kurtosis, n).powi(2),
        };
        let jarque_bera = n / 6.0 * (skew * skew + (kurtosis - 3.0).powi(2) / 4.0);
        Self {
            skew,
            kurtosis,
            omnibus,
            omnibus_pvalue: chi_squared_upper(omnibus, 2.0),
            jarque_bera,
            jarque_bera_pvalue: chi_squared_upper(jarque_bera, 2.0),
        }
    }
}

/// D'Agostino's transformation of the skewness of a normal sample to a standard normal number
/// (R. B. D'Agostino, "Transformation to normality of the null distribution of g₁", 1970).
fn skew_z(skew: f64, n: f64) -> f64 {
    let y = skew * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta = 3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0)
        / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
    let w = (2.0 * (beta - 1.0)).sqrt() - 1.0;
    let alpha = (2.0 / (w - 1.0)).sqrt();
    (y / alpha).asinh() / (0.5 * w.ln()).sqrt()
}

/// Anscombe and Glynn's transformation of the kurtosis of a normal sample to a standard normal number
/// (F. J. Anscombe and W. J. Glynn, "Distribution of the kurtosis statistic b₂", 1983).
fn kurtosis_z(kurtosis: f64, n: f64) -> f64 {
    let expected = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0).powi(2) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - expected) / variance.sqrt();
    let beta = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / beta * (2.0 / beta + (1.0 + 4.0 / (beta * beta)).sqrt());
    let denominator = 1.0 + x * (2.0 / (a - 4.0)).sqrt();
    let term = ((1.0 - 2.0 / a) / denominator.abs()).cbrt() * denominator.signum();
    (1.0 - 2.0 / (9.0 * a) - term) / (2.0 / (9.0 * a)).sqrt()
}
