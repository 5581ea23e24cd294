//! Pictures: learning curves and confusion matrices, as SVG.

use std::fmt::Write;

const COLOURS: [&str; 6] = [
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b",
];

/// Text that may stand in SVG.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// Lines over epochs: one panel for each figure, training and validation in it.
pub fn curves(figures: &[(String, Vec<f64>)]) -> String {
    let base = |name: &str| name.strip_prefix("val_").unwrap_or(name).to_string();
    let mut panels: Vec<String> = figures.iter().map(|(name, _)| base(name)).collect();
    panels.sort();
    panels.dedup();
    let (width, height) = (480.0, 300.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        height * panels.len() as f64
    );
    for (i, panel) in panels.iter().enumerate() {
        let lines: Vec<_> = figures
            .iter()
            .filter(|(name, _)| base(name) == *panel)
            .collect();
        let finite = || {
            lines
                .iter()
                .flat_map(|(_, v)| v)
                .copied()
                .filter(|v| v.is_finite())
        };
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        let (low, high) = if low < high {
            (low, high)
        } else {
            (low - 0.5, low + 0.5)
        };
        let epochs = lines.iter().map(|(_, v)| v.len()).max().unwrap_or(1);
        let top = i as f64 * height;
        let x = |epoch: usize| 60.0 + 400.0 * epoch as f64 / (epochs.max(2) - 1) as f64;
        let y = |v: f64| top + 250.0 - 210.0 * (v - low) / (high - low);
        let _ = writeln!(
            svg,
            "<text x=\"60\" y=\"{}\" font-weight=\"bold\">{}</text>\n<path d=\"M60 {t}V{b}H460\" fill=\"none\" stroke=\"black\"/>\n<text x=\"55\" y=\"{t}\" text-anchor=\"end\">{high:.4}</text>\n<text x=\"55\" y=\"{b}\" text-anchor=\"end\">{low:.4}</text>\n<text x=\"460\" y=\"{e}\" text-anchor=\"end\">epoch {epochs}</text>",
            top + 24.0,
            escape(panel),
            t = top + 40.0,
            b = top + 250.0,
            e = top + 268.0,
        );
        for (k, (name, values)) in lines.iter().enumerate() {
            let points = values.iter().enumerate().filter(|(_, v)| v.is_finite());
            let points: Vec<String> = points
                .map(|(e, v)| format!("{:.1},{:.1}", x(e), y(*v)))
                .collect();
            let colour = COLOURS[k % COLOURS.len()];
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>\n<text x=\"{}\" y=\"{}\" fill=\"{colour}\">{}</text>",
                points.join(" "),
                200 + 120 * k,
                top + 24.0,
                escape(name)
            );
        }
    }
    svg + "</svg>\n"
}

/// How often a class (row) was taken for a class (column).
pub fn confusion(counts: &[Vec<usize>], names: &[String]) -> String {
    let n = counts.len() as f64;
    let (cell, margin) = (48.0, 110.0);
    let size = margin + n * cell + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" font-family=\"sans-serif\" font-size=\"12\" text-anchor=\"middle\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{}\" y=\"16\">predicted</text>\n<text x=\"16\" y=\"{}\" transform=\"rotate(-90 16 {0})\">true</text>\n",
        margin + n * cell / 2.0,
        margin + n * cell / 2.0,
    );
    for (i, row) in counts.iter().enumerate() {
        let total = row.iter().sum::<usize>().max(1) as f64;
        let middle = margin + (i as f64 + 0.5) * cell;
        let name = escape(&names[i]);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\n<text x=\"{middle}\" y=\"{}\">{name}</text>",
            margin - 6.0,
            middle + 4.0,
            margin - 8.0
        );
        for (j, count) in row.iter().enumerate() {
            let share = *count as f64 / total;
            let shade = (255.0 - 205.0 * share).round();
            let ink = if share > 0.6 { "white" } else { "black" };
            let left = margin + j as f64 * cell;
            let _ = writeln!(
                svg,
                "<rect x=\"{left}\" y=\"{}\" width=\"{cell}\" height=\"{cell}\" fill=\"rgb({shade},{shade},255)\" stroke=\"white\"/>\n<text x=\"{}\" y=\"{}\" fill=\"{ink}\">{count}</text>",
                middle - cell / 2.0,
                left + cell / 2.0,
                middle + 4.0
            );
        }
    }
    svg + "</svg>\n"
}
