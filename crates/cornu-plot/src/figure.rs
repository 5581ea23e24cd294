//! Drawn pictures, and how they are written.

use crate::svg::Svg;
use crate::{Error, Panel, Result};
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// A drawn picture of one [`Panel`] or several.
#[derive(Clone, Debug)]
pub struct Figure {
    svg: String,
}

impl Figure {
    /// Draws panels side by side, at most three in a row, all as large as the largest.
    ///
    /// # Errors
    /// If there is none, or one carries an error (lengths that do not fit each other).
    pub fn new(panels: impl IntoIterator<Item = Panel>) -> Result<Self> {
        let panels: Vec<Panel> = panels.into_iter().collect();
        if panels.is_empty() {
            return Err(Error::new(
                "Figure: expected at least one panel. Received: none.",
            ));
        }
        let (width, height) = panels.iter().fold((0f64, 0f64), |(w, h), panel| {
            let (width, height) = panel.size();
            (w.max(width.ceil()), h.max(height.ceil()))
        });
        let columns = match panels.len() {
            4 => 2,
            n => n.min(3),
        };
        let rows = panels.len().div_ceil(columns);
        let mut svg = Svg::default();
        for (i, panel) in panels.iter().enumerate() {
            let (x, y) = ((i % columns) as f64 * width, (i / columns) as f64 * height);
            let mut inside = Ok(());
            svg.moved(x, y, |svg| inside = panel.draw(svg, width, height));
            inside?;
        }
        let titles: Vec<&str> = panels.iter().map(Panel::name).collect();
        let (width, height) = (columns as f64 * width, rows as f64 * height);
        Ok(Self {
            svg: Svg::document(width, height, &titles.join(", "), &svg.finish()),
        })
    }

    /// The picture as SVG.
    pub fn svg(&self) -> &str {
        &self.svg
    }

    /// The picture as a PNG file's bytes, two pixels for each of the SVG's.
    ///
    /// # Errors
    /// If it is too large (more than 16384 pixels in a direction).
    #[cfg(feature = "png")]
    pub fn png(&self) -> Result<Vec<u8>> {
        crate::png::svg_to_png(&self.svg)
    }

    /// Writes the picture to a file, whole or not at all; its ending says how: `.svg` or `.png`.
    ///
    /// # Errors
    /// If the ending is another, or the file cannot be written; `.png` also without the feature `png`.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let bytes = match ending.as_deref() {
            Some("svg") => self.svg.as_bytes().to_vec(),
            #[cfg(feature = "png")]
            Some("png") => self.png()?,
            #[cfg(not(feature = "png"))]
            Some("png") => {
                return Err(Error::new(
                    "A picture as .png needs the feature `png` of cornu-plot; .svg does not.",
                ));
            }
            _ => {
                return Err(Error::new(format!(
                    "A picture's file name: expected the ending .svg or .png. Received: {}.",
                    path.display()
                )));
            }
        };
        write(path, &bytes)
            .map_err(|e| Error::io(format!("{} cannot be written: {e}.", path.display())))
    }
}

/// Writes a file under another name in its folder, and gives it its own when it is whole: at every moment there is
/// what was there before or all of the new.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::other("the path has no file name"));
    };
    // Through a link, the file that it names.
    let place = match fs::symlink_metadata(path) {
        Ok(known) if known.is_symlink() => fs::canonicalize(path)?,
        _ => path.to_path_buf(),
    };
    let hidden = format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id());
    let temporary = place.with_file_name(hidden);
    let whole = || {
        let mut file = fs::File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, &place)
    };
    whole().inspect_err(|_| {
        // There is nobody left to tell: the first error is already on its way.
        let _ = fs::remove_file(&temporary);
    })
}
