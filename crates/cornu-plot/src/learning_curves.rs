//! Figures over epochs.

use crate::{Error, Figure, Panel, Result};

/// Learning curves from what `fit` returns: a panel for each figure (loss, accuracy, …), in it training and,
/// under the same name with `val_` before it, validation, over epochs from 1 on.
///
/// # Errors
/// If there is no figure, or none has a value.
///
/// ```
/// use cornu_plot::learning_curves;
/// let figure = learning_curves([("loss", vec![1.0, 0.5]), ("val_loss", vec![1.1, 0.8])])?;
/// assert!(figure.svg().contains("validation"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
pub fn learning_curves<N: AsRef<str>, V: AsRef<[f64]>>(
    history: impl IntoIterator<Item = (N, V)>,
) -> Result<Figure> {
    let history: Vec<_> = history.into_iter().collect();
    if history.iter().all(|(_, values)| values.as_ref().is_empty()) {
        return Err(Error::new(
            "Learning curves: expected the figures of at least one epoch. Received: none.",
        ));
    }
    let figure = |name: &str| name.strip_prefix("val_").unwrap_or(name).to_string();
    let mut panels: Vec<(String, Panel)> = Vec::new();
    for (name, values) in &history {
        let (name, values) = (name.as_ref(), values.as_ref());
        let title = figure(name);
        let at = panels.iter().position(|(known, _)| *known == title);
        let at = at.unwrap_or_else(|| {
            let panel = Panel::new(&title)
                .x_label("epoch")
                .x_whole()
                .plot_size(340.0, 230.0);
            panels.push((title, panel));
            panels.len() - 1
        });
        let epochs = (1..=values.len()).map(|epoch| epoch as f64);
        let kind = if name.starts_with("val_") {
            "validation"
        } else {
            "training"
        };
        let (_, panel) = &mut panels[at];
        let drawn = std::mem::replace(panel, Panel::new(""));
        // A single epoch is a point; a line of it would not be seen.
        *panel = match values.len() {
            1 => drawn.points(kind, epochs, values),
            _ => drawn.line(kind, epochs, values),
        };
    }
    Figure::new(panels.into_iter().map(|(_, panel)| panel))
}
