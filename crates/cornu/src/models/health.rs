//! Where a loss that is not a number comes from.

use super::graph::Graph;
use super::set::Set;
use crate::data::Data;
use crate::layers::Pass;
use crate::{Array, Result, Tensor};

/// One sentence on where NaN or infinity shows first after a step on these samples: in the data, in a
/// weight, or in a layer's output.
pub(super) fn diagnose(graph: &Graph, set: &Set<'_>, rows: &[usize]) -> Result<String> {
    let data = set.x.iter().map(|d| ("x", d));
    for (what, data) in data.chain(set.y.iter().map(|d| ("y", d))) {
        let values = data.select(rows)?.to_vec::<f64>();
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            let sample = rows[at / (values.len() / rows.len()).max(1)];
            return Ok(format!(
                "{what} itself holds NaN or infinite values, in sample {sample}"
            ));
        }
    }
    let bad = |a: &Array| !a.to_vec::<f64>().iter().all(|v| v.is_finite());
    let weights = graph.weights(true);
    let mut spoilt = weights.iter().filter(|w| bad(&w.variable.read()));
    if let Some(first) = spoilt.next() {
        let others = match spoilt.count() {
            0 => String::new(),
            n => format!(" (and {n} after it)"),
        };
        return Ok(format!(
            "the weight \"{}\"{others} holds NaN or infinite values; a smaller learning_rate or a \
             clipnorm may help",
            first.variable.name()
        ));
    }
    let batch = |d: &Data<'_>| d.select(rows).map(Tensor::constant);
    let xs = set.x.iter().map(batch).collect::<Result<Vec<Tensor>>>()?;
    let mut pass = Pass {
        taps: Some(Vec::new()),
        ..Pass::default()
    };
    graph.forward(&graph.adapt_all(&xs), &mut pass);
    let taps = pass.taps.unwrap_or_default();
    let outputs: Vec<Tensor> = taps.iter().map(|(_, t)| t.clone()).collect();
    let values = crate::device().eval(&outputs)?;
    Ok(match taps.iter().zip(&values).find(|(_, v)| bad(v)) {
        Some(((name, _), _)) => {
            format!("the output of layer \"{name}\" holds NaN or infinite values")
        }
        None => "weights and layers' outputs are finite: look at the loss and the sample weights"
            .to_string(),
    })
}
