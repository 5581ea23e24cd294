//! The few elements of SVG that pictures are made of.

use std::fmt::{Display, Write};

/// The size of ordinary text, in pixels.
pub(crate) const TEXT: f64 = 12.0;

/// Where a text's given place is within it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture, or a part of one, being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Svg {
    text: String,
}

impl Svg {
    /// The whole picture around its parts.
    pub fn document(width: f64, height: f64, title: &str, inside: &str) -> String {
        let title = escape(title);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"'DejaVu Sans', Verdana, sans-serif\" \
             font-size=\"{TEXT}\" fill=\"#222\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{inside}</svg>\n"
        )
    }

    pub fn finish(self) -> String {
        self.text
    }

    fn put(&mut self, element: impl Display) {
        // Writing into a string does not fail.
        let _ = writeln!(self.text, "{element}");
    }

    /// What `inside` writes, moved and cut off at a rectangle's edges.
    pub fn clipped(&mut self, [x, y, w, h]: [f64; 4], inside: impl FnOnce(&mut Svg)) {
        self.put(format_args!(
            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\">",
            short(x),
            short(y),
            short(w),
            short(h)
        ));
        inside(self);
        self.put("</svg>");
    }

    /// What `inside` writes, moved.
    pub fn moved(&mut self, x: f64, y: f64, inside: impl FnOnce(&mut Svg)) {
        self.put(format_args!(
            "<g transform=\"translate({} {})\">",
            short(x),
            short(y)
        ));
        inside(self);
        self.put("</g>");
    }

    /// A filled rectangle; neighbours touch without a seam.
    pub fn rect(&mut self, [x, y, w, h]: [f64; 4], style: &str) {
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {style}/>",
            short(x),
            short(y),
            short(w),
            short(h)
        ));
    }

    /// Lines through points; `closed` makes them an area.
    pub fn path(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        closed: bool,
        style: &str,
    ) {
        let mut d = String::new();
        for (i, (x, y)) in points.into_iter().enumerate() {
            let _ = write!(
                d,
                "{}{} {}",
                if i == 0 { 'M' } else { 'L' },
                short(x),
                short(y)
            );
        }
        let end = if closed { "Z" } else { "" };
        self.put(format_args!("<path d=\"{d}{end}\" {style}/>"));
    }

    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, style: &str) {
        self.put(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {style}/>",
            short(x),
            short(y),
            short(radius)
        ));
    }

    /// Text whose middle height is at `y`.
    pub fn text(&mut self, (x, y): (f64, f64), anchor: Anchor, style: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let space = if style.is_empty() { "" } else { " " };
        // Digits and capitals are some 0.72 of the size high.
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\" dy=\"0.36em\"{anchor}{space}{style}>{}</text>",
            short(x),
            short(y),
            escape(text)
        ));
    }

    /// Text turned by an angle (in degrees) about its place.
    pub fn turned(&mut self, (x, y): (f64, f64), angle: f64, anchor: Anchor, text: &str) {
        let style = format!("transform=\"rotate({angle} {} {})\"", short(x), short(y));
        self.text((x, y), anchor, &style, text);
    }
}

/// About how wide text of a size is.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '\'' | '|' => 0.30,
        ' ' | '.' | ',' | ':' | ';' | 'f' | 't' | 'I' | '(' | ')' | '-' => 0.38,
        'm' | 'w' | 'M' | 'W' | '%' => 0.97,
        'A'..='Z' => 0.72,
        c if c.is_ascii() => 0.63,
        '⁰'..='⁹' | '⁻' | '¹' | '²' | '³' => 0.42,
        // Signs of East Asian writing are as wide as high.
        '\u{2e80}'.. => 1.0,
        _ => 0.66,
    };
    text.chars().map(em).sum::<f64>() * size
}

/// A number with at most two decimals and no zeros at its end.
fn short(x: f64) -> String {
    let text = format!("{x:.2}");
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".into(),
        text => text.into(),
    }
}

/// Text that may stand in SVG; characters that XML forbids are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}
