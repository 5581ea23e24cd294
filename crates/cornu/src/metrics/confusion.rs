//! Counting true and false decisions at thresholds: what [`counts`](super::counts), precision,
//! recall, curves and operating points have in common.

use super::shape::{axes, float, same_rank};
use super::thresholds::Grid;
use cornu_core::{Array, DType, Error, Result, Tensor};

/// What Keras puts for predictions that are not among the largest `k`, and the threshold below which
/// nothing lies but those.
pub(super) const NEVER: f64 = -1e10;

/// The sums of weights of decisions, one for each threshold (and label, if they are kept apart). A
/// decision is positive if the prediction is larger than the threshold.
pub(super) struct Confusion {
    pub true_positives: Tensor,
    pub false_positives: Tensor,
    pub true_negatives: Tensor,
    pub false_negatives: Tensor,
}

/// Which part of the labels and predictions is counted, and how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part<'a> {
    /// Only the `k` largest predictions of each sample can be positive.
    pub top_k: Option<usize>,
    /// Only this entry of the last axis.
    pub class_id: Option<usize>,
    /// Count each entry of the last axis for itself.
    pub by_label: bool,
    /// A weight for each entry of the last axis.
    pub label_weights: Option<&'a [f64]>,
}

/// Counts a batch.
pub(super) fn count(
    grid: &Grid,
    part: Part<'_>,
    y_true: &Tensor,
    y_pred: &Tensor,
    sample_weight: Option<&Tensor>,
) -> Confusion {
    match select(part, y_true, y_pred, sample_weight) {
        Ok((y_true, y_pred, weight)) => {
            // Labels weighted: what a decision adds to the true and to the false ones.
            let positive = y_true.ne(0.0).cast(DType::F32);
            let negative = 1.0 - &positive;
            let (positive, negative) = match weight {
                Some(w) => (positive * &w, negative * w),
                None => (positive, negative),
            };
            if grid.even {
                by_bucket(grid, part.by_label, &y_pred, &positive, &negative)
            } else {
                by_comparison(grid, part.by_label, &y_pred, &positive, &negative)
            }
        }
        Err(e) => {
            let t = Tensor::error(e);
            Confusion {
                true_positives: t.clone(),
                false_positives: t.clone(),
                true_negatives: t.clone(),
                false_negatives: t,
            }
        }
    }
}

/// Labels, predictions and weights of equal shape: (decisions, labels), where labels is 1 unless they
/// are kept apart.
fn select(
    part: Part<'_>,
    y_true: &Tensor,
    y_pred: &Tensor,
    sample_weight: Option<&Tensor>,
) -> Result<(Tensor, Tensor, Option<Tensor>)> {
    let (mut y_pred, mut y_true) = same_rank(&float(y_pred), &float(y_true));
    if y_true.shape() != y_pred.shape() {
        return Err(Error::shape(format!(
            "Expected: labels of the shape of the predictions {}. Received: {}.",
            y_pred.shape(),
            y_true.shape()
        )));
    }
    let classes = y_pred.shape().last().copied().unwrap_or(1);
    if let Some(k) = part.top_k {
        if k == 0 || k > classes || y_pred.rank() == 0 {
            return Err(Error::new(format!(
                "Expected: top_k from 1 to the number of classes {classes}. Received: {k}."
            )));
        }
        y_pred = keep_top_k(&y_pred, k);
    }
    if let Some(id) = part.class_id {
        if y_pred.rank() < 2 || id >= classes {
            return Err(Error::new(format!(
                "Expected: class_id of an entry of the last of at least two axes. Received: {id} \
                 for predictions of shape {}.",
                y_pred.shape()
            )));
        }
        y_true = y_true.narrow(-1, id, 1);
        y_pred = y_pred.narrow(-1, id, 1);
    }
    let mut weight = sample_weight.map(|w| fit_weight(w, &y_true));
    if let Some(by_label) = part.label_weights {
        let by_label: Vec<f32> = by_label.iter().map(|w| *w as f32).collect();
        let by_label = Tensor::constant(Array::from(by_label)).broadcast_to(y_pred.shape());
        weight = Some(match weight {
            Some(w) => w * by_label,
            None => by_label,
        });
    }
    let labels = if part.by_label { classes } else { 1 };
    let shape = [y_pred.size() / labels.max(1), labels];
    Ok((
        y_true.reshape(shape),
        y_pred.reshape(shape),
        weight.map(|w| w.reshape(shape)),
    ))
}

/// A weight for each leading position, stretched to all entries of `y`. A last axis of 1 beyond those
/// of `y` is dropped.
fn fit_weight(weight: &Tensor, y: &Tensor) -> Tensor {
    let mut shape = weight.shape().to_vec();
    if shape.len() > y.rank() && shape.last() == Some(&1) {
        shape.pop();
    }
    shape.resize(shape.len().max(y.rank()), 1);
    float(weight).reshape(shape).broadcast_to(y.shape())
}

/// The predictions, with [`NEVER`] instead of all but the `k` largest of each sample; of equal ones
/// the first count.
fn keep_top_k(y_pred: &Tensor, k: usize) -> Tensor {
    let classes = y_pred.shape().last().copied().unwrap_or(1);
    let (_, at) = y_pred.top_k(k);
    let kept = at
        .one_hot(classes, DType::F32)
        .sum_axes(&[-2], false)
        .gt(0.0);
    kept.select(y_pred, NEVER)
}

/// Every prediction beside every threshold: for few thresholds, or uneven ones.
fn by_comparison(
    grid: &Grid,
    by_label: bool,
    y_pred: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
) -> Confusion {
    let thresholds: Vec<f32> = grid.values.iter().map(|t| *t as f32).collect();
    let thresholds = Tensor::constant(Array::from(thresholds)).reshape([grid.len(), 1, 1]);
    let yes = y_pred.expand_dims(0).gt(thresholds);
    let shape = state_shape(grid, by_label, y_pred);
    let sum = |decided: &Tensor, weight: &Tensor| {
        decided
            .select(weight.expand_dims(0), 0.0)
            .sum_axes(&[1], false)
            .reshape(shape.clone())
    };
    let no = yes.logical_not();
    Confusion {
        true_positives: sum(&yes, positive),
        false_positives: sum(&yes, negative),
        true_negatives: sum(&no, negative),
        false_negatives: sum(&no, positive),
    }
}

/// Predictions sorted into the buckets between evenly spaced thresholds, then summed from the top:
/// work for each prediction and each threshold, not for each pair. Predictions outside [0, 1] count as
/// 0 or 1.
fn by_bucket(
    grid: &Grid,
    by_label: bool,
    y_pred: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
) -> Confusion {
    let n = grid.len();
    let labels = y_pred.shape()[1];
    // Bucket i + 1 holds what lies above threshold i and not above the next; bucket 0 what lies above
    // none. A first threshold below 0 leaves nothing there.
    let bucket = (y_pred.clip(0.0, 1.0) * (n - 1) as f64).ceil();
    let bucket = if grid.beyond_unit() {
        bucket.maximum(1.0)
    } else {
        bucket
    };
    let label = Tensor::iota([y_pred.shape()[0], labels], 1, DType::I32);
    let segment = bucket.cast(DType::I32) * labels + label;
    let rows = y_pred.size();
    let both = Tensor::concat(
        &[positive.reshape([rows, 1]), negative.reshape([rows, 1])],
        1,
    );
    let above = both
        .segment_sum(segment.reshape([rows]), (n + 1) * labels)
        .reshape([n + 1, labels, 2])
        .flip(0)
        .cumsum(0)
        .flip(0)
        .narrow(0, 1, n);
    let shape = state_shape(grid, by_label, y_pred);
    let column = |i: usize| above.narrow(2, i, 1).reshape(shape.clone());
    let (true_positives, false_positives) = (column(0), column(1));
    let all = |weight: &Tensor| {
        let total = weight.sum_axes(&axes(0, 1), false);
        if by_label { total } else { total.reshape(()) }
    };
    Confusion {
        true_negatives: all(negative) - &false_positives,
        false_negatives: all(positive) - &true_positives,
        true_positives,
        false_positives,
    }
}

/// (thresholds) or (thresholds, labels).
fn state_shape(grid: &Grid, by_label: bool, y_pred: &Tensor) -> Vec<usize> {
    if by_label {
        vec![grid.len(), y_pred.shape()[1]]
    } else {
        vec![grid.len()]
    }
}
