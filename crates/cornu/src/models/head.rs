//! What is lost and measured at an output.

use super::compile::ForOutput;
use crate::losses::Loss;
use crate::metrics::Metric;
use crate::{Array, DType, Error, Result, Scope, Tensor, Variable};

/// What is measured at an output.
#[derive(Debug)]
pub(super) struct Head {
    pub name: String,
    pub loss: Option<Loss>,
    pub weight: f64,
    /// Sum of this output's loss over samples.
    pub total: Variable,
    pub metrics: Vec<Measured>,
}

/// A metric under the name by which it is shown.
#[derive(Debug)]
pub(super) struct Measured {
    pub metric: Metric,
    pub name: String,
    /// Whether it heeds weights of samples.
    weighted: bool,
}

impl Measured {
    /// The figure so far. Of a metric with several values, their mean: one figure is one number.
    pub fn figure(&self) -> Result<f64> {
        if let Some(value) = self.metric.host_value() {
            return Ok(value);
        }
        let value: Array = self.metric.value(&crate::device())?;
        match value.size() {
            1 => value.item::<f64>(),
            n => Ok(value.to_vec::<f64>().iter().sum::<f64>() / n.max(1) as f64),
        }
    }
}

impl Head {
    /// What an output has of its own, or else in common with the others; its metrics' names begin with
    /// `prefix` and are none of those `taken`.
    pub fn new(
        output: &str,
        prefix: &str,
        own: ForOutput,
        common: &ForOutput,
        taken: &mut Vec<String>,
    ) -> Head {
        let of = |own: Vec<Metric>, common: &[Metric]| match own.is_empty() {
            true => common.to_vec(),
            false => own,
        };
        let plain = of(own.metrics, &common.metrics).into_iter();
        let weighted = of(own.weighted_metrics, &common.weighted_metrics).into_iter();
        let all = plain.map(|m| (m, false)).chain(weighted.map(|m| (m, true)));
        let metrics = all.map(|(metric, weighted)| Measured {
            name: free_name(taken, prefix, metric.name(), weighted),
            metric,
            weighted,
        });
        Head {
            name: output.to_string(),
            metrics: metrics.collect(),
            loss: own.loss.or_else(|| common.loss.clone()),
            weight: own.weight.or(common.weight).unwrap_or(1.0),
            total: Variable::new(format!("{output}/loss"), 0.0f32),
        }
    }

    pub fn needs_target(&self) -> bool {
        self.loss.is_some() || !self.metrics.is_empty()
    }

    /// The loss at this output, not yet weighted against others.
    pub fn compute_loss(
        &self,
        y: &Tensor,
        pred: &Tensor,
        weight: Option<&Tensor>,
        mask: Option<&Tensor>,
    ) -> Result<Option<Tensor>> {
        let Some(loss) = &self.loss else {
            return Ok(None);
        };
        loss.validate(y.ty(), pred.ty())?;
        let _scope = Scope::enter("loss");
        let value = loss.compute(y, pred, weight, mask);
        value.check()?;
        if value.rank() > 0 {
            return Err(Error::shape(format!(
                "fit needs a loss that is one number; with reduction \"none\" \"{}\" gives shape {}.",
                loss.name(),
                value.shape()
            )));
        }
        Ok(Some(value))
    }

    /// What the metrics' state becomes; chooses first what `"accuracy"` and the like mean.
    pub fn measure(
        &mut self,
        y: &Tensor,
        pred: &Tensor,
        weight: Option<&Tensor>,
        mask: Option<&Tensor>,
    ) -> Result<Vec<(Variable, Tensor)>> {
        let _scope = Scope::enter("metrics");
        // Steps that do not count are not measured. Keras on JAX loses sight of the mask where it trains.
        let counted = mask.map(|mask| mask.cast(DType::F32));
        let weight = match (weight, &counted) {
            (Some(w), Some(counted)) => {
                let w = (w.rank()..counted.rank()).fold(w.clone(), |w, _| w.expand_dims(-1));
                Some(&w * counted.cast(w.dtype()))
            }
            (w, _) => w.cloned(),
        };
        let mut updates = Vec::new();
        for m in &mut self.metrics {
            m.metric.build(y.ty(), pred.ty())?;
            let weight = weight.as_ref().filter(|_| m.weighted);
            let weight = weight.or(counted.as_ref());
            updates.extend(m.metric.updates(y, pred, weight)?);
        }
        Ok(updates)
    }
}

/// The name by which a metric is shown: its own after the output's, made unique.
fn free_name(taken: &mut Vec<String>, prefix: &str, own: &str, weighted: bool) -> String {
    let mut name = format!("{prefix}{own}");
    if weighted && taken.contains(&name) {
        name = format!("{prefix}weighted_{own}");
    }
    let stem = name.clone();
    let mut number = 1;
    while taken.contains(&name) {
        name = format!("{stem}_{number}");
        number += 1;
    }
    taken.push(name.clone());
    name
}
