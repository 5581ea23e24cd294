//! A model as a picture.

use super::layout::{Boxes, Line, Places};
use super::network::{Flow, Network, Part};
use super::{Label, PlotModel, RankDir, escape};

/// Around the picture, and around the boxes in a frame.
const MARGIN: f64 = 16.0;
/// The line in which a frame's name stands.
const CAPTION: f64 = 18.0;
const TITLE: f64 = 30.0;
const ROW: f64 = 26.0;
/// Beside the text in a box.
const BESIDE: f64 = 12.0;
/// The size of letters in a title and in a row.
const LARGE: f64 = 14.0;
const SMALL: f64 = 12.0;
/// Between words, in sizes of letters.
const GAP: f64 = 0.3;

const INK: &str = "#37474f";
/// The ground of titles: of inputs, of layers with weights, of layers without.
const INPUT: &str = "#78909c";
const WEIGHTS: &str = "#1f4e79";
const PLAIN: &str = "#455a64";

/// The picture as a text that browsers and drawing programs show.
pub(super) fn text(network: &Network, options: &PlotModel) -> String {
    let picture = draw(network, options, false);
    let (width, height) = (picture.size.0 + 2.0 * MARGIN, picture.size.1 + 2.0 * MARGIN);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, sans-serif\">\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"8\" \
         markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 \
         L2,4 Z\" fill=\"{INK}\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <g transform=\"translate({MARGIN},{MARGIN})\">\n{}</g>\n</svg>\n",
        picture.body
    )
}

/// A network drawn from the origin on.
struct Picture {
    body: String,
    size: (f64, f64),
    /// Where lines enter and leave, across the way that layers follow each other.
    inputs: Vec<f64>,
    outputs: Vec<f64>,
}

/// A part drawn from the origin on.
struct Piece {
    body: String,
    size: (f64, f64),
    /// Of a model, where its inputs and outputs are, from the middle.
    inputs: Vec<f64>,
    outputs: Vec<f64>,
}

/// Directions in which layers follow each other are one: sideways is downwards with the axes swapped.
fn turned(options: &PlotModel, (x, y): (f64, f64)) -> (f64, f64) {
    match options.rankdir {
        RankDir::TopToBottom => (x, y),
        RankDir::LeftToRight => (y, x),
    }
}

/// Draws the parts and lines of a network; `framed` is one inside another, with lines to its border.
fn draw(network: &Network, options: &PlotModel, framed: bool) -> Picture {
    let turn = |point| turned(options, point);
    let pieces: Vec<Piece> = network.parts.iter().map(|p| piece(p, options)).collect();
    let mut sizes: Vec<(f64, f64)> = pieces.iter().map(|p| turn(p.size)).collect();
    let offset = |all: &[f64], which: usize| all.get(which).copied().unwrap_or(0.0);
    let mut lines: Vec<(Line, Ends)> = Vec::new();
    let mut loops = Vec::new();
    for flow in &network.flows {
        let line = Line {
            from: flow.from,
            leaves: offset(&pieces[flow.from].outputs, flow.output),
            to: flow.to,
            arrives: offset(&pieces[flow.to].inputs, flow.input),
        };
        let tip = matches!(network.parts[flow.to], Part::Layer(_));
        let ends = Ends {
            tip,
            ..Ends::default()
        };
        let known = |(l, _): &(Line, Ends)| {
            (l.from, l.to, l.leaves, l.arrives) == (line.from, line.to, line.leaves, line.arrives)
        };
        if lines.iter().any(known) {
            continue;
        }
        // A layer that is called again on what came of it.
        if flow.from == flow.to {
            loops.push(*flow);
        } else if leads(&lines, flow.to, flow.from) {
            let back = Line {
                from: line.to,
                leaves: line.arrives,
                to: line.from,
                arrives: line.leaves,
            };
            lines.push((back, Ends { back: true, ..ends }));
        } else {
            lines.push((line, ends));
        }
    }
    let (mut first, mut last) = (Vec::new(), Vec::new());
    if framed {
        for (part, which) in &network.inputs {
            let line = Line {
                from: sizes.len(),
                leaves: 0.0,
                to: *part,
                arrives: offset(&pieces[*part].inputs, *which),
            };
            let tip = matches!(network.parts[*part], Part::Layer(_));
            lines.push((
                line,
                Ends {
                    tip,
                    from_border: true,
                    ..Ends::default()
                },
            ));
            first.push(sizes.len());
            sizes.push((1.0, 0.0));
        }
        for (part, which) in &network.outputs {
            let line = Line {
                from: *part,
                leaves: offset(&pieces[*part].outputs, *which),
                to: sizes.len(),
                arrives: 0.0,
            };
            lines.push((
                line,
                Ends {
                    to_border: true,
                    ..Ends::default()
                },
            ));
            last.push(sizes.len());
            sizes.push((1.0, 0.0));
        }
    }
    let boxes = Boxes {
        sizes,
        lines: lines.iter().map(|(line, _)| *line).collect(),
        first,
        last,
    };
    let places = boxes.place();
    let mut body = String::new();
    for ((_, ends), way) in lines.iter().zip(&places.ways) {
        body += &ends.drawn(way, turn);
    }
    for (piece, middle) in pieces.iter().zip(&places.middles) {
        let (x, y) = turn(*middle);
        let (x, y) = (x - piece.size.0 / 2.0, y - piece.size.1 / 2.0);
        body += &format!(
            "<g transform=\"translate({x:.1},{y:.1})\">\n{}</g>\n",
            piece.body
        );
    }
    loops
        .iter()
        .for_each(|flow| body += &around(flow, &pieces, &places, options));
    let across = |boxes: &[usize]| boxes.iter().map(|i| places.middles[*i].0).collect();
    Picture {
        body,
        size: turn(places.size),
        inputs: across(&boxes.first),
        outputs: across(&boxes.last),
    }
}

/// Whether lines lead from a box to another.
fn leads(lines: &[(Line, Ends)], from: usize, to: usize) -> bool {
    let (mut seen, mut open) = (vec![from], vec![from]);
    while let Some(at) = open.pop() {
        for (line, _) in lines.iter().filter(|(l, _)| l.from == at) {
            if line.to == to {
                return true;
            }
            if !seen.contains(&line.to) {
                seen.push(line.to);
                open.push(line.to);
            }
        }
    }
    false
}

/// How a line begins and ends.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// Whether it ends at a box, and not at a frame inside which it goes on.
    tip: bool,
    /// Whether it was laid the other way round.
    back: bool,
    from_border: bool,
    to_border: bool,
}

impl Ends {
    /// The line through these points: curved between ranks, straight inside them.
    fn drawn(self, way: &[(f64, f64)], turn: impl Fn((f64, f64)) -> (f64, f64)) -> String {
        let mut way = way.to_vec();
        if self.back {
            way.reverse();
        }
        let shown = |point| {
            let (x, y) = turn(point);
            format!("{x:.1},{y:.1}")
        };
        let border = |(x, y): (f64, f64), side: f64| shown((x, y + side * (MARGIN + CAPTION)));
        let mut path = match self.from_border {
            true => format!("M{} L{}", border(way[0], -1.0), shown(way[0])),
            false => format!("M{}", shown(way[0])),
        };
        for (i, pair) in way.windows(2).enumerate() {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            let half = (y0 + y1) / 2.0;
            // A straight piece without length would leave the tip without direction.
            path += &match i % 2 {
                0 if y0 == y1 => String::new(),
                0 => format!(" L{}", shown((x1, y1))),
                _ => format!(
                    " C{} {} {}",
                    shown((x0, half)),
                    shown((x1, half)),
                    shown((x1, y1))
                ),
            };
        }
        if self.to_border {
            path += &format!(" L{}", border(way[way.len() - 1], 1.0));
        }
        line(&path, self.tip)
    }
}

/// A line from a box to itself, on a side where no others are.
fn around(flow: &Flow, pieces: &[Piece], places: &Places, options: &PlotModel) -> String {
    let (x, y) = turned(options, places.middles[flow.from]);
    let (width, height) = pieces[flow.from].size;
    let path = match options.rankdir {
        RankDir::TopToBottom => {
            format!("M{:.1},{:.1} c22,0 22,20 0,20", x + width / 2.0, y - 10.0)
        }
        RankDir::LeftToRight => {
            format!("M{:.1},{:.1} c0,22 20,22 20,0", x - 10.0, y + height / 2.0)
        }
    };
    line(&path, true)
}

/// A line along a path, with or without a tip.
fn line(path: &str, tip: bool) -> String {
    let tip = if tip { " marker-end=\"url(#tip)\"" } else { "" };
    format!("<path d=\"{path}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"1.5\"{tip}/>\n")
}

fn piece(part: &Part, options: &PlotModel) -> Piece {
    match part {
        Part::Layer(layer) => {
            let ground = match (layer.class.as_str(), layer.trainable) {
                ("InputLayer", _) => INPUT,
                (_, Some(_)) => WEIGHTS,
                (_, None) => PLAIN,
            };
            boxed(&options.label(layer), ground)
        }
        Part::Model(name, inside) => frame(name, &draw(inside, options, true), options),
    }
}

/// A picture in a frame with a name.
fn frame(name: &str, inside: &Picture, options: &PlotModel) -> Piece {
    // The ends of lines reach the border, whichever side it is on.
    let (left, top) = turned(options, (MARGIN, MARGIN + CAPTION));
    let (width, height) = (inside.size.0 + 2.0 * left, inside.size.1 + 2.0 * top);
    // The name ends before the middle, where lines pass.
    let width = width.max(2.0 * (wide(name, SMALL, true) + 2.0 * BESIDE));
    let left = (width - inside.size.0) / 2.0;
    let (across, start) = match options.rankdir {
        RankDir::TopToBottom => (width, left),
        RankDir::LeftToRight => (height, top),
    };
    let from_middle = |all: &[f64]| all.iter().map(|x| start + x - across / 2.0).collect();
    Piece {
        body: format!(
            "<rect width=\"{width:.1}\" height=\"{height:.1}\" rx=\"8\" fill=\"#eceff1\" \
             fill-opacity=\"0.6\" stroke=\"{INK}\" stroke-dasharray=\"5 4\"/>\n\
             <text x=\"{BESIDE}\" y=\"{CAPTION}\" font-size=\"{SMALL}\" font-weight=\"bold\" \
             fill=\"{INK}\">{}</text>\n\
             <g transform=\"translate({left:.1},{top:.1})\">\n{}</g>\n",
            escape(name),
            inside.body
        ),
        size: (width, height),
        inputs: from_middle(&inside.inputs),
        outputs: from_middle(&inside.outputs),
    }
}

/// A layer's box: its title, its activation, its cells.
fn boxed(label: &Label, ground: &str) -> Piece {
    let (bold, rest) = match label.name {
        Some(name) => (name, format!("({})", label.class)),
        None => (label.class, String::new()),
    };
    let title = wide(bold, LARGE, true) + wide(&rest, LARGE, false) + LARGE * GAP;
    let fact = |label: &str, value: &str| {
        wide(label, SMALL, false) + wide(value, SMALL, true) + SMALL * GAP
    };
    let activation = label.activation.map(|a| fact("Activation:", a));
    let cells: Vec<f64> = label
        .cells
        .iter()
        .map(|c| fact(c.label, &c.value) + 2.0 * BESIDE)
        .collect();
    let all: f64 = cells.iter().sum();
    let text = title.max(activation.unwrap_or(0.0)) + 2.0 * BESIDE;
    let width = text.max(all);
    let rows = usize::from(activation.is_some()) + usize::from(!cells.is_empty());
    let height = TITLE + ROW * rows as f64;

    let mut body = format!(
        "<rect width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\" fill=\"white\"/>\n\
         <path d=\"{}\" fill=\"{ground}\"/>\n{}",
        rounded(width, TITLE, rows == 0),
        words(width / 2.0, TITLE / 2.0, ["", bold, &rest], LARGE, "white")
    );
    let mut y = TITLE;
    if let Some(activation) = label.activation {
        body += &words(
            width / 2.0,
            y + ROW / 2.0,
            ["Activation:", activation, ""],
            SMALL,
            INK,
        );
        y += ROW;
        if !cells.is_empty() {
            body += &format!("<path d=\"M0,{y} h{width:.1}\" stroke=\"{INK}\"/>\n");
        }
    }
    let mut x = 0.0;
    for (i, (cell, own)) in label.cells.iter().zip(&cells).enumerate() {
        let own = own * width / all;
        let ink = match cell.trained {
            None => INK,
            Some(trained) => {
                let ground = if trained { "#2e7d32" } else { "#b71c1c" };
                let last = rounded(own, ROW, true);
                body += &format!(
                    "<path transform=\"translate({x:.1},{y})\" d=\"{last}\" fill=\"{ground}\"/>\n\
                     <rect x=\"{x:.1}\" y=\"{y}\" width=\"{own:.1}\" height=\"{}\" fill=\"{ground}\"/>\n",
                    ROW - 8.0
                );
                "white"
            }
        };
        if i > 0 {
            body += &format!("<path d=\"M{x:.1},{y} v{ROW}\" stroke=\"{INK}\"/>\n");
        }
        body += &words(
            x + own / 2.0,
            y + ROW / 2.0,
            [cell.label, &cell.value, ""],
            SMALL,
            ink,
        );
        x += own;
    }
    body += &format!(
        "<rect width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\" fill=\"none\" stroke=\"{INK}\"/>\n"
    );
    Piece {
        body,
        size: (width, height),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

/// A rectangle whose upper corners are round; the lower ones too if nothing follows.
fn rounded(width: f64, height: f64, below: bool) -> String {
    let lower = match below {
        true => format!(
            "v{:.1} a6,6 0 0 1 -6,6 h-{:.1} a6,6 0 0 1 -6,-6",
            height - 12.0,
            width - 12.0
        ),
        false => format!("v{:.1} h-{width:.1}", height - 6.0),
    };
    format!(
        "M0,6 a6,6 0 0 1 6,-6 h{:.1} a6,6 0 0 1 6,6 {lower} Z",
        width - 12.0
    )
}

/// Words in plain letters and words in bold ones, side by side around `x`. They meet in one point, so that
/// they neither touch nor part where letters are wider or narrower than was thought.
fn words(x: f64, y: f64, [before, bold, after]: [&str; 3], size: f64, ink: &str) -> String {
    let gap = |text: &str| if text.is_empty() { 0.0 } else { size * GAP };
    let (left, right) = (wide(before, size, false), wide(after, size, false));
    let (left, right) = (left + gap(before), right + gap(after));
    let middle = x + (left - right) / 2.0;
    let y = y + size * 0.36;
    let text = |x: f64, anchor: &str, weight: &str, text: &str| match text {
        "" => String::new(),
        text => format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" font-weight=\"{weight}\" \
             fill=\"{ink}\" text-anchor=\"{anchor}\">{}</text>\n",
            escape(text)
        ),
    };
    match (before, after) {
        ("", "") => text(x, "middle", "bold", bold),
        (_, "") => {
            let at = middle - wide(bold, size, true) / 2.0;
            text(at - gap(before), "end", "normal", before) + &text(at, "start", "bold", bold)
        }
        (_, _) => {
            let at = middle + wide(bold, size, true) / 2.0;
            text(at, "end", "bold", bold) + &text(at + gap(after), "start", "normal", after)
        }
    }
}

/// About how wide a text is: as wide as in DejaVu Sans, which stands in where there is no Helvetica.
fn wide(text: &str, size: f64, bold: bool) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | 'I' => 0.29,
        'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' => 0.88,
        'a'..='z' | '0'..='9' | '_' => 0.57,
        'A'..='Z' => 0.72,
        c if c.is_ascii() => 0.6,
        _ => 1.0,
    };
    let em: f64 = text.chars().map(letter).sum();
    em * size * if bold { 1.2 } else { 1.08 }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_layer_called_on_its_own_output_is_drawn() -> crate::Result<()> {
        let x = Input::new([3]).symbol();
        let (a, b) = (Dense::new(3).shared(), Dense::new(3).shared());
        // Twice in a row, and in a circle through another.
        let y = a.on(b.on(a.on(a.on(&x))));
        let model = Model::new(&x, &y)?;
        let svg = model.to_svg(&PlotModel::new())?;
        assert_eq!(svg.matches("marker-end").count(), 4);
        Ok(())
    }

    #[test]
    fn names_cannot_leave_their_text() -> crate::Result<()> {
        let name = "a<b>\"&'";
        let x = Input::new([3]).symbol();
        let inside = Model::new(&x, Dense::new(2).name(name).on(&x))?.named(name);
        let outer = Input::new([3]).symbol();
        let model = Model::new(&outer, inside.on(&outer))?;
        let options = PlotModel::new().expand_nested(true);
        let svg = model.to_svg(&options)?;
        assert!(svg.contains("a&lt;b&gt;&quot;&amp;'") && !svg.contains("<b>"));
        let dot = model.to_dot(&options)?;
        assert!(dot.contains("label=\"a<b>\\\"&'\";"), "{dot}");
        Ok(())
    }
}
