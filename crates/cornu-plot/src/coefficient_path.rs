//! How coefficients come and go with the penalty.

use crate::{Error, Panel, Result};
use ndarray::ArrayView2;

/// The path of coefficients over the strength of a penalty (`alphas`, on a logarithmic axis), a line for each
/// feature: `coefs[[j, k]]` is feature `j`'s at `alphas[k]`.
///
/// # Errors
/// If the numbers of strengths, features and names do not fit each other.
///
/// ```
/// use cornu_plot::coefficient_path;
/// let coefs = ndarray::array![[0.0, 0.5, 0.9], [0.0, 0.0, -0.3]];
/// let panel = coefficient_path(&[1.0, 0.1, 0.01], coefs.view(), &["age", "bmi"])?;
/// assert!(panel.figure()?.svg().contains("bmi"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn coefficient_path<N: AsRef<str>>(
    alphas: &[f64],
    coefs: ArrayView2<'_, f64>,
    names: &[N],
) -> Result<Panel> {
    if coefs.dim() != (names.len(), alphas.len()) {
        return Err(Error::shape(format!(
            "A coefficient path: expected a row for each of {} names and a column for each of {} strengths. \
             Received: {} rows and {} columns.",
            names.len(),
            alphas.len(),
            coefs.nrows(),
            coefs.ncols()
        )));
    }
    let mut panel = Panel::new("Coefficient path")
        .x_label("alpha")
        .y_label("coefficient")
        .x_log();
    for (name, coef) in names.iter().zip(coefs.rows()) {
        panel = panel.line(name.as_ref(), alphas, coef);
    }
    Ok(panel)
}
