//! One coordinate system with its marks: the form that every picture is described in, and the one place
//! where it is drawn.

use crate::axis::{Axis, AxisSettings, Tick};
use crate::legend::{self, Entry, Legend};
use crate::svg::{Anchor, Svg, TEXT, text_width};
use crate::{Error, Figure, Result};
use std::borrow::Borrow;
use std::path::Path;

/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008), the first ones first.
pub(crate) const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555",
];
const TITLE: f64 = 14.0;
const GRID: &str = "fill=\"none\" stroke=\"#e6e6e6\"";
const FRAME: &str = "fill=\"none\" stroke=\"#888\"";

/// A coordinate system with points, lines and areas in it. What cannot be drawn (numbers that are not
/// finite; on a logarithmic axis those that are not positive) is left out, and interrupts lines.
///
/// ```
/// use cornu_plot::Panel;
/// let panel = Panel::new("Growth")
///     .x_label("years")
///     .y_label("metres")
///     .points("measured", [1.0, 2.0, 3.0], [1.1, 1.9, 3.2])
///     .line("fitted", [1.0, 3.0], [1.0, 3.1]);
/// assert!(panel.figure()?.svg().contains("metres"));
/// # Ok::<(), cornu_plot::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Panel {
    title: String,
    x: AxisSettings,
    y: AxisSettings,
    marks: Vec<Mark>,
    plot: (f64, f64),
    error: Option<Error>,
}

#[derive(Clone, Debug)]
struct Mark {
    name: String,
    colour: String,
    shape: Shape,
}

#[derive(Clone, Debug)]
enum Shape {
    Points(Vec<(f64, f64)>),
    Line {
        points: Vec<(f64, f64)>,
        dashed: bool,
    },
    /// What is between two lines: x, the lower, the upper.
    Band(Vec<(f64, f64, f64)>),
    /// A rectangle: two corners.
    Cell([f64; 4]),
    Text((f64, f64)),
}

impl Shape {
    /// The points that have to be seen.
    fn points(&self) -> Vec<(f64, f64)> {
        match self {
            Shape::Points(points) | Shape::Line { points, .. } => points.clone(),
            Shape::Band(band) => band
                .iter()
                .flat_map(|&(x, low, high)| [(x, low), (x, high)])
                .collect(),
            Shape::Cell([x0, y0, x1, y1]) => vec![(*x0, *y0), (*x1, *y1)],
            Shape::Text(at) => vec![*at],
        }
    }
}

impl Panel {
    /// An empty panel with a title (which may be empty).
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            x: AxisSettings::default(),
            y: AxisSettings::default(),
            marks: Vec::new(),
            plot: (400.0, 260.0),
            error: None,
        }
    }

    /// Another title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What is written below the horizontal axis.
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x.label = label.into();
        self
    }

    /// What is written beside the vertical axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y.label = label.into();
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn x_log(mut self) -> Self {
        self.x.log = true;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn y_log(mut self) -> Self {
        self.y.log = true;
        self
    }

    /// From where to where the horizontal axis goes (default: what is drawn decides).
    pub fn x_limits(mut self, low: f64, high: f64) -> Self {
        self.x.limits = self.limits(low, high);
        self
    }

    /// From where to where the vertical axis goes (default: what is drawn decides).
    pub fn y_limits(mut self, low: f64, high: f64) -> Self {
        self.y.limits = self.limits(low, high);
        self
    }

    /// Puts the horizontal axis' ticks at whole numbers only.
    pub fn x_whole(mut self) -> Self {
        self.x.whole = true;
        self
    }

    fn limits(&mut self, low: f64, high: f64) -> Option<(f64, f64)> {
        if low < high && low.is_finite() && high.is_finite() {
            return Some((low, high));
        }
        self.refuse(format!(
            "An axis' limits: expected two finite numbers, the lower one first. Received: {low} and {high}."
        ));
        None
    }

    /// Names in place of numbers on both axes, at 0.5, 1.5, …
    pub(crate) fn names(mut self, x: &[String], y: &[String]) -> Self {
        self.x.names = x.to_vec();
        self.y.names = y.to_vec();
        self
    }

    /// The size of what is within the axes, in pixels (default: 400 × 260).
    pub fn plot_size(mut self, width: f64, height: f64) -> Self {
        if (1.0..=8000.0).contains(&width) && (1.0..=8000.0).contains(&height) {
            self.plot = (width, height);
        } else {
            self.refuse(format!(
                "A panel's size: expected 1 to 8000 pixels in each direction. Received: {width} × {height}."
            ));
        }
        self
    }

    /// Adds points in the next colour; `name` stands in the legend unless it is empty.
    pub fn points<A: Borrow<f64>, B: Borrow<f64>>(
        mut self,
        name: impl Into<String>,
        x: impl IntoIterator<Item = A>,
        y: impl IntoIterator<Item = B>,
    ) -> Self {
        let points = self.pairs(x, y);
        self.coloured(name, Shape::Points(points))
    }

    /// Adds a line in the next colour; `name` stands in the legend unless it is empty.
    pub fn line<A: Borrow<f64>, B: Borrow<f64>>(
        mut self,
        name: impl Into<String>,
        x: impl IntoIterator<Item = A>,
        y: impl IntoIterator<Item = B>,
    ) -> Self {
        let points = self.pairs(x, y);
        // When the colours are used up they come again, dashed.
        let dashed = self.colours_used() / COLOURS.len() % 2 == 1;
        self.coloured(name, Shape::Line { points, dashed })
    }

    /// Adds a dashed line in the next colour; `name` stands in the legend unless it is empty.
    pub fn dashed<A: Borrow<f64>, B: Borrow<f64>>(
        mut self,
        name: impl Into<String>,
        x: impl IntoIterator<Item = A>,
        y: impl IntoIterator<Item = B>,
    ) -> Self {
        let points = self.pairs(x, y);
        self.coloured(
            name,
            Shape::Line {
                points,
                dashed: true,
            },
        )
    }

    /// Adds a thin dashed line in grey, for comparison.
    pub fn guide<A: Borrow<f64>, B: Borrow<f64>>(
        mut self,
        x: impl IntoIterator<Item = A>,
        y: impl IntoIterator<Item = B>,
    ) -> Self {
        let points = self.pairs(x, y);
        self.push(
            "",
            "#888888",
            Shape::Line {
                points,
                dashed: true,
            },
        )
    }

    /// Fills what is between two lines, lightly, in the colour of the mark before.
    pub fn band<A: Borrow<f64>, B: Borrow<f64>, C: Borrow<f64>>(
        mut self,
        x: impl IntoIterator<Item = A>,
        low: impl IntoIterator<Item = B>,
        high: impl IntoIterator<Item = C>,
    ) -> Self {
        let x: Vec<f64> = x.into_iter().map(|x| *x.borrow()).collect();
        let edges = self.pairs(low, high);
        if edges.len() != x.len() && self.error.is_none() {
            self.refuse(format!(
                "A band: expected as many edges as places. Received: {} edges at {} places.",
                edges.len(),
                x.len()
            ));
        }
        let band = x
            .into_iter()
            .zip(edges)
            .map(|(x, (low, high))| (x, low, high));
        let band = band.filter(|(x, low, high)| (x + low + high).is_finite());
        let colour = self
            .marks
            .last()
            .map_or(COLOURS[0], |mark| &mark.colour)
            .to_string();
        self.push("", &colour, Shape::Band(band.collect()))
    }

    pub(crate) fn cell(self, corners: [f64; 4], colour: &str) -> Self {
        self.push("", colour, Shape::Cell(corners))
    }

    pub(crate) fn text(self, at: (f64, f64), text: impl Into<String>, colour: &str) -> Self {
        self.push(text, colour, Shape::Text(at))
    }

    fn pairs<A: Borrow<f64>, B: Borrow<f64>>(
        &mut self,
        x: impl IntoIterator<Item = A>,
        y: impl IntoIterator<Item = B>,
    ) -> Vec<(f64, f64)> {
        let x: Vec<f64> = x.into_iter().map(|x| *x.borrow()).collect();
        let y: Vec<f64> = y.into_iter().map(|y| *y.borrow()).collect();
        if x.len() != y.len() {
            self.refuse(format!(
                "A panel's marks: expected as many numbers for one axis as for the other. Received: {} and {}.",
                x.len(),
                y.len()
            ));
        }
        x.into_iter().zip(y).collect()
    }

    /// The first error is kept until the panel is drawn.
    fn refuse(&mut self, message: String) {
        self.error.get_or_insert_with(|| Error::shape(message));
    }

    fn push(mut self, name: impl Into<String>, colour: &str, shape: Shape) -> Self {
        self.marks.push(Mark {
            name: name.into(),
            colour: colour.into(),
            shape,
        });
        self
    }

    fn coloured(self, name: impl Into<String>, shape: Shape) -> Self {
        let colour = COLOURS[self.colours_used() % COLOURS.len()];
        self.push(name, colour, shape)
    }

    fn colours_used(&self) -> usize {
        let uses = |mark: &&Mark| {
            matches!(mark.shape, Shape::Points(_) | Shape::Line { .. })
                && COLOURS.contains(&mark.colour.as_str())
        };
        self.marks.iter().filter(uses).count()
    }

    /// The picture of this panel alone.
    ///
    /// # Errors
    /// If numbers were given that do not fit each other, or limits that are none.
    pub fn figure(self) -> Result<Figure> {
        Figure::new([self])
    }

    /// Draws the panel into a file, `.svg` or `.png`.
    ///
    /// # Errors
    /// As for [`figure`](Self::figure) and [`Figure::save`].
    pub fn save(self, path: impl AsRef<Path>) -> Result<()> {
        self.figure()?.save(path)
    }

    pub(crate) fn name(&self) -> &str {
        &self.title
    }

    /// Width and height with everything around.
    pub(crate) fn size(&self) -> (f64, f64) {
        let layout = Layout::new(self);
        (
            layout.left + self.plot.0 + layout.right,
            layout.top + self.plot.1 + layout.bottom,
        )
    }

    /// Draws into a space at least as large as `size` says.
    pub(crate) fn draw(&self, svg: &mut Svg, width: f64, height: f64) -> Result<()> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let layout = Layout::new(self);
        let (w, h) = (
            width - layout.left - layout.right,
            height - layout.top - layout.bottom,
        );
        let middle = layout.left + w / 2.0;
        let bold = format!("font-weight=\"bold\" font-size=\"{TITLE}\"");
        svg.text(
            (middle, layout.top / 2.0 + 2.0),
            Anchor::Middle,
            &bold,
            &self.title,
        );
        svg.text((middle, height - 14.0), Anchor::Middle, "", &self.x.label);
        svg.turned(
            (16.0, layout.top + h / 2.0),
            -90.0,
            Anchor::Middle,
            &self.y.label,
        );
        svg.moved(layout.left, layout.top, |svg| {
            layout.draw_ticks(svg, w, h);
            svg.clipped([0.0, 0.0, w, h], |svg| self.draw_marks(svg, &layout, w, h));
            svg.path([(0.0, 0.0), (0.0, h), (w, h)], false, FRAME);
            layout.legend.draw(svg, w, h);
        });
        Ok(())
    }

    fn draw_marks(&self, svg: &mut Svg, layout: &Layout, w: f64, h: f64) {
        let place = |(x, y)| layout.place(x, y).map(|(x, y)| (x * w, (1.0 - y) * h));
        // Areas lie under everything else.
        let area = |mark: &&Mark| matches!(mark.shape, Shape::Cell(_) | Shape::Band(_));
        let (areas, rest): (Vec<_>, Vec<_>) = self.marks.iter().partition(area);
        for mark in areas.into_iter().chain(rest) {
            let colour = &mark.colour;
            match &mark.shape {
                Shape::Points(points) => {
                    let style = format!("fill=\"{colour}\" fill-opacity=\"0.65\"");
                    let radius = if points.len() > 400 { 2.0 } else { 3.0 };
                    for at in points.iter().filter_map(|&p| place(p)) {
                        svg.circle(at, radius, &style);
                    }
                }
                Shape::Line { points, dashed } => {
                    let style = line_style(colour, *dashed);
                    for part in points.split(|&p| place(p).is_none()) {
                        svg.path(part.iter().filter_map(|&p| place(p)), false, &style);
                    }
                }
                Shape::Band(band) => {
                    let low = band.iter().map(|&(x, low, _)| (x, low));
                    let high = band.iter().rev().map(|&(x, _, high)| (x, high));
                    let style = format!("fill=\"{colour}\" fill-opacity=\"0.18\"");
                    svg.path(low.chain(high).filter_map(place), true, &style);
                }
                Shape::Cell([x0, y0, x1, y1]) => {
                    if let (Some((x0, y0)), Some((x1, y1))) = (place((*x0, *y0)), place((*x1, *y1)))
                    {
                        let style = format!("fill=\"{colour}\" shape-rendering=\"crispEdges\"");
                        svg.rect([x0, y1, x1 - x0, y0 - y1], &style);
                    }
                }
                Shape::Text(at) => {
                    if let Some(at) = place(*at) {
                        svg.text(
                            at,
                            Anchor::Middle,
                            &format!("fill=\"{colour}\""),
                            &mark.name,
                        );
                    }
                }
            }
        }
    }
}

/// A line's look, in the picture and in the legend.
pub(crate) fn line_style(colour: &str, dashed: bool) -> String {
    let dashes = if dashed {
        " stroke-dasharray=\"5 4\""
    } else {
        ""
    };
    let width = if colour == "#888888" { "1.2" } else { "1.8" };
    format!(
        "fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dashes}"
    )
}

/// Axes, ticks, margins and legend of a panel.
struct Layout {
    x: Axis,
    y: Axis,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    named: bool,
    /// Whether what is written at the horizontal axis is too wide to lie level.
    steep: bool,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    legend: Legend,
}

impl Layout {
    fn new(panel: &Panel) -> Self {
        let points: Vec<_> = panel.marks.iter().flat_map(|m| m.shape.points()).collect();
        let x = panel.x.axis(points.iter().map(|p| p.0));
        let y = panel.y.axis(points.iter().map(|p| p.1));
        let (w, h) = panel.plot;
        let x_ticks = panel.x.ticks(&x, (w / 60.0) as usize);
        let y_ticks = panel.y.ticks(&y, (h / 38.0) as usize);
        let widest = |ticks: &[Tick]| {
            let widths = ticks.iter().map(|tick| text_width(&tick.text, TEXT));
            widths.fold(0.0, f64::max)
        };
        let named = !panel.x.names.is_empty();
        let steep = named && widest(&x_ticks) > w / x_ticks.len() as f64 - 6.0;
        let below = if steep {
            widest(&x_ticks) * 0.71 + 8.0
        } else {
            14.0
        };
        let mut layout = Self {
            x,
            y,
            left: widest(&y_ticks) + 12.0 + label_space(&panel.y.label),
            right: 18.0,
            top: if panel.title.is_empty() { 14.0 } else { 38.0 },
            bottom: below + 12.0 + label_space(&panel.x.label),
            x_ticks,
            y_ticks,
            named,
            steep,
            legend: Legend::default(),
        };
        let entries = panel.marks.iter().filter_map(|mark| {
            let shape = match &mark.shape {
                Shape::Points(_) => legend::Sign::Point,
                Shape::Line { dashed, .. } => legend::Sign::Line { dashed: *dashed },
                _ => return None,
            };
            (!mark.name.is_empty()).then(|| Entry {
                name: mark.name.clone(),
                colour: mark.colour.clone(),
                sign: shape,
            })
        });
        let lines = panel.marks.iter().flat_map(|mark| match &mark.shape {
            Shape::Line { points, .. } => legend::along(points),
            shape => shape.points(),
        });
        let occupied: Vec<_> = lines
            .filter_map(|(x, y)| layout.place(x, y))
            .map(|(x, y)| (x * w, (1.0 - y) * h))
            .collect();
        layout.legend = Legend::new(entries.collect(), &occupied, w, h);
        layout.right += layout.legend.beside();
        layout
    }

    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.place(x)?, self.y.place(y)?))
    }

    fn draw_ticks(&self, svg: &mut Svg, w: f64, h: f64) {
        for tick in &self.x_ticks {
            let Some(x) = self.x.place(tick.at).map(|x| x * w) else {
                continue;
            };
            if !self.named {
                svg.path([(x, 0.0), (x, h + 4.0)], false, GRID);
            }
            if self.steep {
                svg.turned((x, h + 10.0), -45.0, Anchor::End, &tick.text);
            } else {
                svg.text((x, h + 14.0), Anchor::Middle, "", &tick.text);
            }
        }
        for tick in &self.y_ticks {
            let Some(y) = self.y.place(tick.at).map(|y| (1.0 - y) * h) else {
                continue;
            };
            if !self.named {
                svg.path([(-4.0, y), (w, y)], false, GRID);
            }
            svg.text((-8.0, y), Anchor::End, "", &tick.text);
        }
    }
}

fn label_space(label: &str) -> f64 {
    if label.is_empty() { 6.0 } else { 24.0 }
}
