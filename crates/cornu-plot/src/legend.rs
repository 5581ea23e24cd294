//! What colours mean: a legend in the emptiest corner, or beside the plot if no corner is empty.

use crate::panel::line_style;
use crate::svg::{Anchor, Svg, TEXT, text_width};

const LINE: f64 = 18.0;
const SIGN: f64 = 22.0;
/// From the legend to the plot's edges.
const GAP: f64 = 8.0;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Sign {
    Point,
    Line { dashed: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub colour: String,
    pub sign: Sign,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// In a corner: whether at the left, whether at the top.
    Corner {
        left: bool,
        top: bool,
    },
    Beside,
}

#[derive(Clone, Debug)]
pub(crate) struct Legend {
    entries: Vec<Entry>,
    place: Place,
}

impl Default for Legend {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            place: Place::Corner {
                left: false,
                top: true,
            },
        }
    }
}

impl Legend {
    /// Finds a place in a plot of this size, given what is drawn there (in its pixels).
    pub fn new(entries: Vec<Entry>, occupied: &[(f64, f64)], w: f64, h: f64) -> Self {
        let mut legend = Self {
            entries,
            place: Place::Beside,
        };
        let (width, height) = legend.size();
        if width > 0.8 * w || height > 0.5 * h {
            return legend;
        }
        let corners = [(false, true), (true, true), (false, false), (true, false)];
        let covered = |&(left, top): &(bool, bool)| {
            let (x, y) = legend.corner(left, top, w, h);
            let under =
                |p: &&(f64, f64)| (x..=x + width).contains(&p.0) && (y..=y + height).contains(&p.1);
            occupied.iter().filter(under).count()
        };
        let best = corners.iter().min_by_key(|corner| covered(corner));
        if let Some(&(left, top)) = best
            && covered(&(left, top)) * 50 <= occupied.len()
        {
            legend.place = Place::Corner { left, top };
        }
        legend
    }

    fn size(&self) -> (f64, f64) {
        let widths = self.entries.iter().map(|e| text_width(&e.name, TEXT));
        (
            widths.fold(0.0, f64::max) + SIGN + 18.0,
            self.entries.len() as f64 * LINE + 8.0,
        )
    }

    fn corner(&self, left: bool, top: bool, w: f64, h: f64) -> (f64, f64) {
        let (width, height) = self.size();
        (
            if left { GAP } else { w - width - GAP },
            if top { GAP } else { h - height - GAP },
        )
    }

    /// The space that is needed at the plot's right.
    pub fn beside(&self) -> f64 {
        match self.place {
            Place::Beside if !self.entries.is_empty() => self.size().0,
            _ => 0.0,
        }
    }

    /// Draws into the plot's coordinates.
    pub fn draw(&self, svg: &mut Svg, w: f64, h: f64) {
        if self.entries.is_empty() {
            return;
        }
        let (width, height) = self.size();
        let (x, y) = match self.place {
            Place::Corner { left, top } => self.corner(left, top, w, h),
            Place::Beside => (w + GAP, 0.0),
        };
        if self.place != Place::Beside {
            let style = "fill=\"#fff\" fill-opacity=\"0.85\" stroke=\"#ddd\" rx=\"3\"";
            svg.rect([x, y, width, height], style);
        }
        for (i, entry) in self.entries.iter().enumerate() {
            let middle = y + 4.0 + (i as f64 + 0.5) * LINE;
            let (from, to) = (x + 8.0, x + 8.0 + SIGN - 4.0);
            match entry.sign {
                Sign::Point => {
                    let style = format!("fill=\"{}\"", entry.colour);
                    svg.circle(((from + to) / 2.0, middle), 3.5, &style);
                }
                Sign::Line { dashed } => {
                    let style = line_style(&entry.colour, dashed);
                    svg.path([(from, middle), (to, middle)], false, &style);
                }
            }
            svg.text((x + 10.0 + SIGN, middle), Anchor::Start, "", &entry.name);
        }
    }
}

/// Points along a line, close enough that none of its parts is overlooked.
pub(crate) fn along(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let between = |pair: &[(f64, f64)]| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        (0..16)
            .map(move |i| f64::from(i) / 16.0)
            .map(move |t| (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t))
    };
    if points.len() > 200 {
        return points.to_vec();
    }
    points
        .windows(2)
        .flat_map(between)
        .chain(points.last().copied())
        .collect()
}
