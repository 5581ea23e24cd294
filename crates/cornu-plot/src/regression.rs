//! How a regression fits.

use crate::{Error, Panel, Result};

/// What a regression says of one place, and between which bounds it is sure to be.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// The estimate itself.
    pub mean: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// Measured points with a fitted line and its confidence band: `estimate` is asked at 101 places from the least
/// to the greatest `x`.
///
/// # Errors
/// If lengths do not fit each other or there is no finite `x`; those of `estimate`.
///
/// ```
/// use cornu_plot::{Estimate, regression_line};
/// let (x, y) = ([1.0, 2.0, 3.0], [2.1, 3.9, 6.0]);
/// let panel = regression_line(&x, &y, |x| {
///     let mean = 2.0 * x;
///     Ok(Estimate { mean, low: mean - 0.3, high: mean + 0.3 })
/// })?;
/// assert!(panel.x_label("dose").figure()?.svg().contains("dose"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn regression_line(
    x: &[f64],
    y: &[f64],
    mut estimate: impl FnMut(f64) -> Result<Estimate>,
) -> Result<Panel> {
    let finite = x.iter().copied().filter(|x| x.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    if low > high {
        return Err(Error::new(
            "A regression line: expected at least one finite x. Received: none.",
        ));
    }
    let places: Vec<f64> = (0..=100)
        .map(|i| low + (high - low) * f64::from(i) / 100.0)
        .collect();
    let estimates: Result<Vec<Estimate>> = places.iter().map(|&x| estimate(x)).collect();
    let estimates = estimates?;
    Ok(Panel::new("Regression")
        .points("data", x, y)
        .line("fit", &places, estimates.iter().map(|e| e.mean))
        .band(
            &places,
            estimates.iter().map(|e| e.low),
            estimates.iter().map(|e| e.high),
        ))
}

/// Residuals (what was measured less what was fitted) over fitted values: a good fit leaves a cloud without
/// shape around the line at 0.
///
/// ```
/// let panel = cornu_plot::residuals(&[1.0, 2.0, 3.0], &[0.1, -0.2, 0.1]);
/// assert!(panel.figure().is_ok());
/// ```
pub fn residuals(fitted: &[f64], residuals: &[f64]) -> Panel {
    let finite = fitted.iter().copied().filter(|x| x.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    Panel::new("Residuals")
        .x_label("fitted value")
        .y_label("residual")
        .points("", fitted, residuals)
        .guide([low, high], [0.0, 0.0])
}
