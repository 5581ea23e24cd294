//! The area under a curve over thresholds.

use super::confusion::{self, Part};
use super::macros::named;
use super::metric::{MetricFn, State};
use super::registry::fields;
use super::shape::divide_no_nan;
use super::thresholds::Grid;
use cornu_core::{Array, Error, Result, Tensor, TensorType};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The area under the ROC curve (true-positive rate over false-positive rate), the precision-recall
/// curve or the precision-recall-gain curve, as a sum over thresholds.
///
/// Labels and predictions have the same shape. True and false decisions are counted at 200 thresholds
/// that divide [0, 1] evenly, the outermost a little outside; the area is the sum of
/// `Δx · height`, where `height` is the mean (`interpolation`), the smaller (`minoring`) or the larger
/// (`majoring`) of the neighbouring `y`. The interpolated area under the precision-recall curve follows
/// Davis and Goadrich (The relationship between precision-recall and ROC curves, 2006).
///
/// ```
/// use cornu::metrics::{AUC, Metric};
/// use cornu_core::{Device, Reference};
/// let device = Device::new(Reference);
/// let mut m = Metric::from(AUC::new().num_thresholds(3));
/// m.update_state(&device, [0.0f32, 0.0, 1.0, 1.0], [0.0f32, 0.5, 0.3, 0.9], None)?;
/// assert_eq!(m.value(&device)?.item::<f32>()?, 0.75);
/// # Ok::<(), cornu_core::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct AUC {
    num_thresholds: usize,
    curve: String,
    summation_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    thresholds: Option<Vec<f64>>,
    multi_label: bool,
    num_labels: Option<usize>,
    #[serde(with = "tensor_json")]
    label_weights: Option<Vec<f64>>,
    from_logits: bool,
}

impl Default for AUC {
    fn default() -> Self {
        Self {
            num_thresholds: 200,
            curve: "ROC".into(),
            summation_method: "interpolation".into(),
            thresholds: None,
            multi_label: false,
            num_labels: None,
            label_weights: None,
            from_logits: false,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Curve {
    Roc,
    Pr,
    PrGain,
}

#[derive(Clone, Copy, PartialEq)]
enum Summation {
    Interpolation,
    Minoring,
    Majoring,
}

impl AUC {
    /// The ROC curve at 200 thresholds, interpolated.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many thresholds divide [0, 1], at least 2. Default 200.
    pub fn num_thresholds(mut self, n: usize) -> Self {
        self.num_thresholds = n;
        self
    }

    /// `"ROC"` (default), `"PR"` or `"PRGAIN"`.
    pub fn curve(mut self, curve: impl Into<String>) -> Self {
        self.curve = curve.into();
        self
    }

    /// `"interpolation"` (default), `"minoring"` or `"majoring"`.
    pub fn summation_method(mut self, method: impl Into<String>) -> Self {
        self.summation_method = method.into();
        self
    }

    /// These thresholds (in [0, 1]) and the two ends, instead of evenly spaced ones.
    pub fn thresholds(mut self, thresholds: impl Into<Vec<f64>>) -> Self {
        self.thresholds = Some(thresholds.into());
        self
    }

    /// Whether to average the areas of the entries of the last axis, instead of counting all entries
    /// together. Default false.
    pub fn multi_label(mut self, multi_label: bool) -> Self {
        self.multi_label = multi_label;
        self
    }

    /// The number of labels, if it shall be checked; only with [`AUC::multi_label`].
    pub fn num_labels(mut self, n: usize) -> Self {
        self.num_labels = Some(n);
        self
    }

    /// A weight for each label: of its area with [`AUC::multi_label`], else of its entries.
    pub fn label_weights(mut self, weights: impl Into<Vec<f64>>) -> Self {
        self.label_weights = Some(weights.into());
        self
    }

    /// Whether predictions are logits: their sigmoid is taken. Default false.
    pub fn from_logits(mut self, from_logits: bool) -> Self {
        self.from_logits = from_logits;
        self
    }

    fn grid(&self) -> Result<Grid> {
        Grid::of_curve(self.num_thresholds, self.thresholds.as_deref())
    }

    fn kind(&self) -> Result<(Curve, Summation)> {
        let curve = match &*self.curve {
            "ROC" | "roc" => Curve::Roc,
            "PR" | "pr" => Curve::Pr,
            "PRGAIN" | "prgain" => Curve::PrGain,
            c => return Err(Error::unknown("AUC curve", c, &["ROC", "PR", "PRGAIN"])),
        };
        let summation = match &*self.summation_method {
            "interpolation" | "Interpolation" => Summation::Interpolation,
            "minoring" | "Minoring" => Summation::Minoring,
            "majoring" | "Majoring" => Summation::Majoring,
            m => {
                let known = ["interpolation", "minoring", "majoring"];
                return Err(Error::unknown("AUC summation method", m, &known));
            }
        };
        Ok((curve, summation))
    }

    /// The areas of labels as one number.
    fn combine(&self, areas: Tensor) -> Tensor {
        match &self.label_weights {
            Some(weights) if self.multi_label => {
                let weights: Vec<f32> = weights.iter().map(|w| *w as f32).collect();
                let total = weights.iter().sum::<f32>();
                let weighted = areas * Tensor::constant(Array::from(weights));
                divide_no_nan(&weighted.sum(), &Tensor::from(total))
            }
            _ if self.multi_label => areas.mean(),
            _ => areas,
        }
    }
}
named!(AUC);

impl MetricFn for AUC {
    fn class_name(&self) -> &'static str {
        "AUC"
    }

    fn state(&self, _: &TensorType, y_pred: &TensorType) -> Result<Vec<State>> {
        self.kind()?;
        let n = self.grid()?.len();
        let shape = if self.multi_label {
            let labels = match *y_pred.shape.dims() {
                [_, labels] if self.num_labels.is_none_or(|n| n == labels) => labels,
                _ => {
                    let labels = match self.num_labels {
                        Some(n) => n.to_string(),
                        None => "labels".into(),
                    };
                    return Err(Error::shape(format!(
                        "Expected with multi_label: predictions of shape (samples, {labels}). \
                         Received: {}.",
                        y_pred.shape
                    )));
                }
            };
            vec![n, labels]
        } else if self.num_labels.is_some() {
            return Err(Error::new("num_labels needs multi_label."));
        } else {
            vec![n]
        };
        if let Some(weights) = &self.label_weights
            && y_pred.shape.last() != Some(&weights.len())
        {
            return Err(Error::shape(format!(
                "Expected: a label weight for each entry of the last axis of {}. Received: {}.",
                y_pred.shape,
                weights.len()
            )));
        }
        Ok([
            "true_positives",
            "false_positives",
            "true_negatives",
            "false_negatives",
        ]
        .map(|name| State::zeros(name, &shape))
        .into())
    }

    fn update(
        &self,
        state: &[Tensor],
        y_true: &Tensor,
        y_pred: &Tensor,
        sample_weight: Option<&Tensor>,
    ) -> Vec<Tensor> {
        let grid = match self.grid() {
            Ok(grid) => grid,
            Err(e) => return vec![Tensor::error(e)],
        };
        let y_pred = if self.from_logits {
            y_pred.sigmoid()
        } else {
            y_pred.clone()
        };
        let part = Part {
            by_label: self.multi_label,
            label_weights: self.label_weights.as_deref().filter(|_| !self.multi_label),
            ..Part::default()
        };
        let new = confusion::count(&grid, part, y_true, &y_pred, sample_weight);
        vec![
            &state[0] + new.true_positives,
            &state[1] + new.false_positives,
            &state[2] + new.true_negatives,
            &state[3] + new.false_negatives,
        ]
    }

    fn result(&self, state: &[Tensor]) -> Tensor {
        let (curve, summation) = match self.kind() {
            Ok(kind) => kind,
            Err(e) => return Tensor::error(e),
        };
        let [tp, fp, tn, fn_] = state else {
            return Tensor::error(Error::state("AUC has four state variables."));
        };
        let pieces = if (curve, summation) == (Curve::Pr, Summation::Interpolation) {
            interpolated_pr(tp, fp, fn_)
        } else {
            let (x, y) = points(curve, tp, fp, tn, fn_);
            let (above, below) = (before(&y), after(&y));
            let height = match summation {
                Summation::Interpolation => (above + below) * 0.5,
                Summation::Minoring => above.minimum(below),
                Summation::Majoring => above.maximum(below),
            };
            (before(&x) - after(&x)) * height
        };
        self.combine(pieces.sum_axes(&[0], false))
    }

    fn config(&self) -> Map<String, Value> {
        let mut config = fields(self);
        if let Some(thresholds) = &self.thresholds {
            config.insert("num_thresholds".into(), (thresholds.len() + 2).into());
        }
        config
    }
}

/// All but the last threshold.
fn before(t: &Tensor) -> Tensor {
    t.narrow(0, 0, t.shape().first().map_or(0, |n| n - 1))
}

/// All but the first threshold.
fn after(t: &Tensor) -> Tensor {
    t.narrow(0, 1, t.shape().first().map_or(0, |n| n - 1))
}

/// The curve's x and y at the thresholds.
fn points(curve: Curve, tp: &Tensor, fp: &Tensor, tn: &Tensor, fn_: &Tensor) -> (Tensor, Tensor) {
    let recall = divide_no_nan(tp, &(tp + fn_));
    match curve {
        Curve::Roc => (divide_no_nan(fp, &(fp + tn)), recall),
        Curve::Pr => (recall, divide_no_nan(tp, &(tp + fp))),
        // Flach and Kull, Precision-Recall-Gain Curves (2015).
        Curve::PrGain => {
            let odds = divide_no_nan(&(tp + fn_), &(tn + fp));
            let gain = |wrong: &Tensor| 1.0 - &odds * divide_no_nan(wrong, tp);
            let none = tp.eq(0.0);
            (
                none.select(0.0, gain(fn_)).maximum(0.0),
                none.select(1.0, gain(fp)),
            )
        }
    }
}

/// The pieces of the area under the precision-recall curve, where true positives grow linearly with
/// predicted positives between two thresholds: with slope s = Δtp / Δp and intercept
/// c = tp − s·p at the higher threshold, the piece is s·(Δtp + c·ln(p′/p)) / positives.
fn interpolated_pr(tp: &Tensor, fp: &Tensor, fn_: &Tensor) -> Tensor {
    let p = tp + fp;
    let d_tp = before(tp) - after(tp);
    let d_p = before(&p) - after(&p);
    let slope = divide_no_nan(&d_tp, &d_p.maximum(0.0));
    let intercept = after(tp) - &slope * after(&p);
    let both = before(&p).gt(0.0).logical_and(after(&p).gt(0.0));
    let ratio = both.select(divide_no_nan(&before(&p), &after(&p).maximum(0.0)), 1.0);
    let piece = slope * (d_tp + intercept * ratio.log());
    divide_no_nan(&piece, &(after(tp) + after(fn_)).maximum(0.0))
}

/// Keras writes the label weights as a tensor object; a plain list is read too.
mod tensor_json {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::json;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Weights {
        List(Vec<f64>),
        Tensor { config: Config },
    }

    #[derive(Deserialize)]
    struct Config {
        value: Vec<f64>,
    }

    pub(super) fn serialize<S: Serializer>(
        weights: &Option<Vec<f64>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        weights
            .as_ref()
            .map(|value| {
                let config = json!({"value": value, "dtype": "float32"});
                json!({"class_name": "__tensor__", "config": config})
            })
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<f64>>, D::Error> {
        Ok(
            Option::<Weights>::deserialize(deserializer)?.map(|w| match w {
                Weights::List(value) => value,
                Weights::Tensor { config } => config.value,
            }),
        )
    }
}
