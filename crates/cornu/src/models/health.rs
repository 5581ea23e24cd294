//! Where a loss that is not a number comes from.

use super::network::{Network, Pass, adapt};
use crate::data::Data;
use crate::{Result, Tensor};

/// One sentence on where NaN or infinity shows first: a weight, or a layer's output on these samples.
pub(super) fn diagnose(
    network: &dyn Network,
    x: &Data<'_>,
    rows: std::ops::Range<usize>,
) -> Result<String> {
    let mut shape = x.shape().to_vec();
    shape[0] = rows.len();
    let batch = x.rows(rows, &shape).to_array();
    if batch.dtype().is_float() && !batch.to_vec::<f64>().iter().all(|v| v.is_finite()) {
        return Ok("the batch's input x itself holds NaN or infinite values".to_string());
    }
    let bad = |a: &crate::Array| !a.to_vec::<f64>().iter().all(|v| v.is_finite());
    for w in network.weights() {
        if bad(&w.variable.read()) {
            return Ok(format!(
                "it shows first in the weight \"{}\"",
                w.variable.name()
            ));
        }
    }
    let x = adapt(network, &Tensor::constant(batch));
    let mut pass = Pass {
        taps: Some(Vec::new()),
        ..Pass::default()
    };
    network.forward(&x, &mut pass);
    let taps = pass.taps.unwrap_or_default();
    let outputs: Vec<Tensor> = taps.iter().map(|(_, t)| t.clone()).collect();
    let values = crate::device().eval(&outputs)?;
    Ok(match taps.iter().zip(&values).find(|(_, v)| bad(v)) {
        Some(((name, _), _)) => format!("it shows first in the output of layer \"{name}\""),
        None => "weights and layers' outputs are finite: look at the loss, its targets and sample weights".to_string(),
    })
}
