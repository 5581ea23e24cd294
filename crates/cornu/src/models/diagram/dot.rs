//! Graphviz' text, as Keras has it written.

use super::network::{Network, Part};
use super::{PlotModel, RankDir, escape};

/// The text of a graph: `digraph G { … }`.
pub(super) fn text(network: &Network, options: &PlotModel) -> String {
    let rankdir = match options.rankdir {
        RankDir::TopToBottom => "TB",
        RankDir::LeftToRight => "LR",
    };
    let mut out = format!(
        "digraph G {{\nrankdir={rankdir};\nconcentrate=true;\ndpi={};\nsplines=ortho;\nnode [shape=record];\n",
        options.dpi
    );
    add(network, options, 0, &mut out);
    out.push_str("}\n");
    out
}

/// Adds the lines of a network, whose boxes are numbered from `first` on: its parts in order, then what
/// flows between them.
fn add(network: &Network, options: &PlotModel, first: usize, out: &mut String) {
    let mut next = first;
    for part in &network.parts {
        match part {
            Part::Layer(layer) => {
                let label = table(&options.label(layer), options);
                *out +=
                    &format!("{next} [label=<{label}>, fontname=Helvetica, border=0, margin=0];\n");
            }
            Part::Model(name, inside) => {
                let (cluster, label) = (quoted(&format!("cluster_{name}")), quoted(name));
                *out += &format!(
                    "subgraph {cluster} {{\nstyle=dashed;\nlabel={label};\nlabeljust=l;\n"
                );
                add(inside, options, next, out);
                *out += "}\n";
            }
        }
        next += boxes(part);
    }
    let mut known = Vec::new();
    for flow in &network.flows {
        let from = end(network, first, (flow.from, flow.output), |inside| {
            &inside.outputs
        });
        let to = end(network, first, (flow.to, flow.input), |inside| {
            &inside.inputs
        });
        if let (Some(from), Some(to)) = (from, to)
            && !known.contains(&(from, to))
        {
            known.push((from, to));
            *out += &format!("{from} -> {to} [penwidth=2];\n");
        }
    }
}

/// How many boxes a part is drawn with.
fn boxes(part: &Part) -> usize {
    match part {
        Part::Layer(_) => 1,
        Part::Model(_, inside) => inside.parts.iter().map(boxes).sum(),
    }
}

/// The number of the box that gives an output or takes an input of a part, however deep it lies.
fn end(
    network: &Network,
    first: usize,
    (part, which): (usize, usize),
    ends: fn(&Network) -> &[(usize, usize)],
) -> Option<usize> {
    let before = network.parts.get(..part)?;
    let first = first + before.iter().map(boxes).sum::<usize>();
    match network.parts.get(part)? {
        Part::Layer(_) => Some(first),
        Part::Model(_, inside) => end(inside, first, *ends(inside).get(which)?, ends),
    }
}

/// A name as Graphviz takes it: in quotes unless it is a plain word.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = |c: char| !c.is_ascii_digit();
    match name.chars().all(plain) && name.chars().next().is_some_and(begins) {
        true => name.to_string(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// A layer's box as Graphviz' HTML table.
fn table(label: &super::Label, options: &PlotModel) -> String {
    let columns = usize::from(options.show_dtype)
        + usize::from(options.show_trainable)
        + 2 * usize::from(options.show_shapes);
    let columns = columns.max(1);
    let title = match label.name {
        Some(name) => format!("<b>{}</b> ({})", escape(name), escape(label.class)),
        None => format!("<b>{}</b>", escape(label.class)),
    };
    let mut out = format!(
        "<table border=\"0\" cellborder=\"1\" bgcolor=\"black\" cellpadding=\"10\"><tr><td \
         colspan=\"{columns}\" bgcolor=\"black\"><font point-size=\"16\" \
         color=\"white\">{title}</font></td></tr>"
    );
    if let Some(activation) = label.activation {
        out += &format!(
            "<tr><td bgcolor=\"white\" colspan=\"{columns}\"><font point-size=\"14\">Activation: \
             <b>{}</b></font></td></tr>",
            escape(activation)
        );
    }
    let cells: String = label
        .cells
        .iter()
        .map(|cell| {
            let (ground, ink) = match cell.trained {
                None => ("white", ""),
                Some(true) => ("forestgreen", " color=\"white\""),
                Some(false) => ("firebrick", " color=\"white\""),
            };
            let label = match cell.label {
                "" => String::new(),
                label => format!("{label} "),
            };
            format!(
                "<td bgcolor=\"{ground}\"><font \
                 point-size=\"14\"{ink}>{label}<b>{}</b></font></td>",
                escape(&cell.value)
            )
        })
        .collect();
    if !cells.is_empty() {
        out += &format!("<tr>{cells}</tr>");
    }
    out + "</table>"
}
