//! How well scores put the rows of one class above those of the other.

use super::pair;
use crate::{Error, Result, Targets};

/// For each threshold, from high to low, how many of either class are taken for positive.
#[derive(Clone, Debug, PartialEq)]
pub struct RocCurve {
    /// The part of the negative rows whose score is at least the threshold.
    pub fpr: Vec<f64>,
    /// The part of the positive rows whose score is at least the threshold.
    pub tpr: Vec<f64>,
    /// The thresholds; the first is infinite.
    pub thresholds: Vec<f64>,
}

impl RocCurve {
    /// The area under the curve, by trapezoids.
    pub fn auc(&self) -> f64 {
        let step =
            |i: usize| (self.fpr[i] - self.fpr[i - 1]) * (self.tpr[i] + self.tpr[i - 1]) / 2.0;
        (1..self.fpr.len()).map(step).sum()
    }
}

/// The ROC curve of scores: higher ones should belong to the greater of the two labels. Thresholds at which the
/// curve goes straight on are left out.
///
/// # Errors
/// If lengths do not fit each other, a score is not finite, or there are not exactly two labels, both of
/// which weigh something.
///
/// ```
/// use cornu_linear::metrics::roc_curve;
/// let curve = roc_curve(&[1, 1, 2, 2], &[0.1, 0.4, 0.35, 0.8], None)?;
/// assert_eq!(curve.fpr, [0.0, 0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.tpr, [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.thresholds[1..], [0.8, 0.4, 0.35, 0.1]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn roc_curve<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    scores: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<RocCurve> {
    let (y, scores) = (y_true.into(), scores.into());
    pair(&y, &scores, weights)?;
    let (y, scores) = (y.single()?, scores.single()?);
    let low = y.iter().copied().fold(f64::INFINITY, f64::min);
    let high = y.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if low == high || y.iter().any(|&v| v != low && v != high) {
        return Err(Error::new(
            "y_true: expected labels of exactly two classes for a ROC curve. Received: another number of them.",
        ));
    }
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    // The weight of negative and positive rows at or above each threshold.
    let (mut points, mut thresholds) = (vec![(0.0, 0.0)], vec![f64::INFINITY]);
    let (mut negative, mut positive) = (0.0, 0.0);
    for equal in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        for &row in equal {
            let weight = weights.map_or(1.0, |w| w[row]);
            let sum = if y[row] == high {
                &mut positive
            } else {
                &mut negative
            };
            *sum += weight;
        }
        points.push((negative, positive));
        thresholds.push(scores[equal[0]]);
    }
    if negative == 0.0 || positive == 0.0 {
        return Err(Error::new(
            "weights: expected rows of both classes to weigh something. Received: zeros for one.",
        ));
    }
    let step = |i: usize| (points[i].0 - points[i - 1].0, points[i].1 - points[i - 1].1);
    let last = points.len() - 1;
    let kept = |&i: &usize| i == 0 || i == last || step(i) != step(i + 1);
    let kept: Vec<usize> = (0..points.len()).filter(kept).collect();
    Ok(RocCurve {
        fpr: kept.iter().map(|&i| points[i].0 / negative).collect(),
        tpr: kept.iter().map(|&i| points[i].1 / positive).collect(),
        thresholds: kept.iter().map(|&i| thresholds[i]).collect(),
    })
}

/// The area under the [`roc_curve`]: how probably a row of the greater label has the higher score.
///
/// # Errors
/// As for [`roc_curve`].
///
/// ```
/// use cornu_linear::metrics::roc_auc_score;
/// assert_eq!(roc_auc_score(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8], None)?, 0.75);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn roc_auc_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    scores: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    Ok(roc_curve(y_true, scores, weights)?.auc())
}
