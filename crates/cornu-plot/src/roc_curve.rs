//! How many right alarms for how many false ones.

use crate::{Error, Panel, Result};

/// ROC curves: the rate of true positives over that of false ones, at all thresholds, with the area under the
/// curve in the legend. Each curve is a name with both rates, as `roc_curve` of `cornu::linear` returns them.
///
/// # Errors
/// If a curve has rates of different lengths, or fewer than two.
///
/// ```
/// let curve = ("forest", [0.0, 0.1, 1.0], [0.0, 0.9, 1.0]);
/// let figure = cornu_plot::roc_curve([curve])?.figure()?;
/// assert!(figure.svg().contains("AUC 0.900"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn roc_curve<N: AsRef<str>, V: AsRef<[f64]>>(
    curves: impl IntoIterator<Item = (N, V, V)>,
) -> Result<Panel> {
    let mut panel = Panel::new("ROC curve")
        .x_label("false positive rate")
        .y_label("true positive rate")
        .x_limits(-0.02, 1.02)
        .y_limits(-0.02, 1.02)
        .plot_size(320.0, 320.0)
        .guide([0.0, 1.0], [0.0, 1.0]);
    for (name, fpr, tpr) in curves {
        let (fpr, tpr) = (fpr.as_ref(), tpr.as_ref());
        if fpr.len() != tpr.len() || fpr.len() < 2 {
            return Err(Error::shape(format!(
                "A ROC curve: expected as many rates of one kind as of the other, at least two. Received: {} and {}.",
                fpr.len(),
                tpr.len()
            )));
        }
        // By trapezoids.
        let area: f64 = (1..fpr.len())
            .map(|i| (fpr[i] - fpr[i - 1]) * (tpr[i] + tpr[i - 1]) / 2.0)
            .sum();
        let name = format!("{} (AUC {area:.3})", name.as_ref());
        panel = panel.line(name.trim_start(), fpr, tpr);
    }
    Ok(panel)
}
