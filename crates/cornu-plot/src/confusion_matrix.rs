//! Which classes are taken for which.

use crate::{Error, Panel, Result};
use ndarray::ArrayView2;

/// A confusion matrix: `counts[[i, j]]` rows of class `i` were taken for class `j`. A cell is the
/// darker the greater its share of the row; small shares are to be seen, too.
///
/// # Errors
/// If the matrix is not square, is empty, or the number of names is another.
///
/// ```
/// use cornu_plot::confusion_matrix;
/// let counts = ndarray::array![[50, 2], [1, 47]];
/// let figure = confusion_matrix(counts.view(), &["ham", "spam"])?.figure()?;
/// assert!(figure.svg().contains(">47<"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn confusion_matrix<N: AsRef<str>>(
    counts: ArrayView2<'_, usize>,
    names: &[N],
) -> Result<Panel> {
    let (rows, columns) = counts.dim();
    if rows != columns || rows == 0 || rows != names.len() {
        return Err(Error::shape(format!(
            "A confusion matrix: expected a row, a column and a name for each class. Received: {rows} rows, \
             {columns} columns and {} names.",
            names.len()
        )));
    }
    let names: Vec<String> = names.iter().map(|name| name.as_ref().to_string()).collect();
    let from_below: Vec<String> = names.iter().rev().cloned().collect();
    let longest = counts
        .iter()
        .max()
        .map_or(1, |count| count.to_string().len());
    let cell = (longest as f64 * 8.0 + 14.0)
        .max(42.0)
        .min(8000.0 / rows as f64);
    let size = (rows as f64 * cell).max(200.0);
    let mut panel = Panel::new("Confusion matrix")
        .x_label("predicted")
        .y_label("true")
        .x_limits(0.0, rows as f64)
        .y_limits(0.0, rows as f64)
        .names(&names, &from_below)
        .plot_size(size, size);
    for ((i, j), &count) in counts.indexed_iter() {
        let total: usize = counts.row(i).iter().sum();
        let share = count as f64 / total.max(1) as f64;
        let (x, y) = (j as f64, (rows - 1 - i) as f64);
        panel = panel.cell([x, y, x + 1.0, y + 1.0], &shade(share));
        let ink = if share > 0.55 { "#fff" } else { "#222" };
        panel = panel.text((x + 0.5, y + 0.5), count.to_string(), ink);
    }
    Ok(panel)
}

/// From nearly white to deep blue.
fn shade(share: f64) -> String {
    let mix = |from: f64, to: f64| (from + (to - from) * share.sqrt()).round();
    format!(
        "rgb({},{},{})",
        mix(247.0, 8.0),
        mix(251.0, 69.0),
        mix(255.0, 148.0)
    )
}
