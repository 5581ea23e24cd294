//! Which class a classifier would give where.

use crate::panel::COLOURS;
use crate::{Error, Panel, Result};
use ndarray::{Array2, ArrayView2};

/// Columns and rows of the grid on which the classifier is asked.
const GRID: (usize, usize) = (200, 130);

/// Points of two features in their class' colour, over the regions that a classifier gives to the classes.
/// `labels` are positions in `names`; `classify` is given a grid of places (rows of two features) and returns
/// a class for each.
///
/// # Errors
/// If rows have not two features, lengths do not fit each other, or a class has no name; those of `classify`.
///
/// ```
/// use ndarray::array;
/// let x = array![[0.0, 0.0], [0.2, 0.1], [1.0, 0.8]];
/// let panel = cornu_plot::decision_boundary(x.view(), &[0, 0, 1], &["low", "high"], |places| {
///     Ok(places.rows().into_iter().map(|p| usize::from(p[0] + p[1] > 1.0)).collect())
/// })?;
/// assert!(panel.figure()?.svg().contains("high"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn decision_boundary<N: AsRef<str>>(
    x: ArrayView2<'_, f64>,
    labels: &[usize],
    names: &[N],
    classify: impl FnOnce(&Array2<f64>) -> Result<Vec<usize>>,
) -> Result<Panel> {
    if x.ncols() != 2 || x.nrows() != labels.len() || labels.is_empty() {
        return Err(Error::shape(format!(
            "A decision boundary: expected a label for each row and two features in it. Received: {} labels, {} rows of {} features.",
            labels.len(),
            x.nrows(),
            x.ncols()
        )));
    }
    if x.iter().any(|v| !v.is_finite()) {
        return Err(Error::new(
            "A decision boundary: expected finite features. Received: one that is not.",
        ));
    }
    let class = |classes: &[usize]| match classes.iter().find(|&&class| class >= names.len()) {
        Some(class) => Err(Error::new(format!(
            "A decision boundary: expected classes below {}, the number of names. Received: {class}.",
            names.len()
        ))),
        None => Ok(()),
    };
    class(labels)?;
    let limits = |feature: usize| {
        let column = x.column(feature);
        let low = column.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let margin = if high > low { 0.08 * (high - low) } else { 0.5 };
        (low - margin, high + margin)
    };
    let (x_limits, y_limits) = (limits(0), limits(1));
    let (columns, rows) = GRID;
    let at = |(low, high): (f64, f64), i: f64, n: usize| low + (high - low) * i / n as f64;
    let places = Array2::from_shape_fn((rows * columns, 2), |(i, feature)| match feature {
        0 => at(x_limits, (i % columns) as f64 + 0.5, columns),
        _ => at(y_limits, (i / columns) as f64 + 0.5, rows),
    });
    let regions = classify(&places)?;
    if regions.len() != rows * columns {
        return Err(Error::shape(format!(
            "A decision boundary: expected a class for each of {} places. Received: {}.",
            rows * columns,
            regions.len()
        )));
    }
    class(&regions)?;
    let mut panel = Panel::new("Decision boundary")
        .x_limits(x_limits.0, x_limits.1)
        .y_limits(y_limits.0, y_limits.1);
    for (row, classes) in regions.chunks(columns).enumerate() {
        let (bottom, top) = (
            at(y_limits, row as f64, rows),
            at(y_limits, row as f64 + 1.0, rows),
        );
        // Neighbours of one class are one rectangle.
        let mut start = 0;
        for run in classes.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            let (left, right) = (
                at(x_limits, start as f64, columns),
                at(x_limits, end as f64, columns),
            );
            panel = panel.cell([left, bottom, right, top], &light(run[0]));
            start = end;
        }
    }
    for (class, name) in names.iter().enumerate() {
        let of_class = |feature: usize| {
            let column = x.column(feature).to_vec();
            let own = column
                .into_iter()
                .zip(labels)
                .filter(move |(_, label)| **label == class);
            own.map(|(v, _)| v)
        };
        panel = panel.points(name.as_ref(), of_class(0), of_class(1));
    }
    Ok(panel)
}

/// A class' colour, mixed with four times as much white.
fn light(class: usize) -> String {
    let colour = COLOURS[class % COLOURS.len()];
    let part = |at: usize| u32::from_str_radix(&colour[at..at + 2], 16).unwrap_or(255);
    let mixed = |at: usize| (part(at) + 4 * 255) / 5;
    format!("rgb({},{},{})", mixed(1), mixed(3), mixed(5))
}
