//! SVG as PNG.

use crate::{Error, Result};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, LazyLock};

/// Pixels for each of the SVG's, so that text is sharp.
const SCALE: f32 = 2.0;

/// DejaVu Sans and nothing of the system's, so that pictures are the same everywhere.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.load_font_data(dejavu::sans::bold().to_vec());
    Arc::new(fonts)
});

/// A picture that is SVG, such as that of a model, as a PNG file's bytes: two pixels for each of the SVG's, with
/// a font of its own.
///
/// ```
/// let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><path d="M0,0L8,8"/></svg>"#;
/// assert!(cornu_plot::svg_to_png(svg)?.starts_with(b"\x89PNG"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
///
/// # Errors
/// If the text is no SVG, or the picture is too large (more than 16384 pixels in a direction).
pub fn svg_to_png(svg: &str) -> Result<Vec<u8>> {
    let options = Options {
        fontdb: FONTS.clone(),
        font_family: "DejaVu Sans".into(),
        ..Options::default()
    };
    let failed =
        |e: &dyn std::fmt::Display| Error::new(format!("The picture cannot be drawn: {e}."));
    let tree = Tree::from_str(svg, &options).map_err(|e| failed(&e))?;
    let size = tree.size();
    let (width, height) = (size.width() * SCALE, size.height() * SCALE);
    if width > 16384.0 || height > 16384.0 {
        return Err(Error::new(format!(
            "A picture as PNG: expected at most 16384 pixels in each direction. Received: {width} × {height}."
        )));
    }
    let mut pixels = Pixmap::new(width.ceil() as u32, height.ceil() as u32)
        .ok_or_else(|| failed(&"it has no size"))?;
    resvg::render(
        &tree,
        Transform::from_scale(SCALE, SCALE),
        &mut pixels.as_mut(),
    );
    pixels.encode_png().map_err(|e| failed(&e))
}
