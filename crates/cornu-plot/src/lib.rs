//! Pictures of what was learnt: learning curves, confusion matrices, regression lines with their
//! confidence band, residuals, ROC curves, coefficient paths, decision boundaries. They are SVG; as PNG
//! (the feature `png`, on by default) they need no fonts of the system.
//!
//! ```
//! use cornu_plot::{Panel, learning_curves};
//!
//! # fn main() -> cornu_plot::Result<()> {
//! let history = [("loss", [0.9, 0.5, 0.3]), ("val_loss", [1.0, 0.6, 0.5])];
//! let figure = learning_curves(history)?;
//! assert!(figure.svg().starts_with("<svg"));
//!
//! let line = Panel::new("A line")
//!     .x_label("x")
//!     .points("measured", [0.0, 1.0, 2.0], [0.1, 0.9, 2.2])
//!     .line("fitted", [0.0, 2.0], [0.0, 2.1]);
//! # let folder = std::env::temp_dir();
//! line.save(folder.join("line.svg"))?; // or line.png
//! # std::fs::remove_file(folder.join("line.svg")).ok();
//! # Ok(())
//! # }
//! ```
//!
//! * A [`Panel`] is one coordinate system with its marks. Functions such as [`roc_curve`] return one,
//!   so that its title and labels can be changed.
//! * A [`Figure`] is a drawn picture of one panel or several.

mod axis;
mod coefficient_path;
mod confusion_matrix;
mod decision_boundary;
mod figure;
mod learning_curves;
mod legend;
mod panel;
#[cfg(feature = "png")]
mod png;
mod regression;
mod roc_curve;
mod svg;

pub use coefficient_path::coefficient_path;
pub use confusion_matrix::confusion_matrix;
pub use cornu_core::{Error, ErrorKind, Result};
pub use decision_boundary::decision_boundary;
pub use figure::Figure;
pub use learning_curves::learning_curves;
pub use panel::Panel;
#[cfg(feature = "png")]
pub use png::svg_to_png;
pub use regression::{Estimate, regression_line, residuals};
pub use roc_curve::roc_curve;
