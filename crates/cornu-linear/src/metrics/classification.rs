//! How often labels are right, and how sure a classification was of them.

use super::{mean, pair};
use crate::{Error, Result, Targets, check};
use ndarray::{Array2, ArrayBase, Data, Ix2};

/// The part of the labels that are predicted right.
///
/// # Errors
/// If lengths do not fit each other, there are no rows, or there are several targets.
///
/// ```
/// use cornu_linear::metrics::accuracy_score;
/// assert_eq!(accuracy_score(&[0, 1, 2, 3], &[0, 2, 1, 3], None)?, 0.5);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn accuracy_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    weights: Option<&[f64]>,
) -> Result<f64> {
    let (y, predicted) = (y_true.into(), y_pred.into());
    pair(&y, &predicted, weights)?;
    let (y, predicted) = (y.single()?, predicted.single()?);
    Ok(mean(y.len(), weights, |r| {
        f64::from(u8::from(y[r] == predicted[r]))
    }))
}

/// How often rows of one label were taken for another.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfusionMatrix {
    /// All labels, true or predicted, rising.
    pub labels: Vec<f64>,
    /// `counts[[i, j]]` rows of `labels[i]` were predicted to be `labels[j]`.
    pub counts: Array2<usize>,
}

/// The confusion matrix of predicted labels.
///
/// # Errors
/// If lengths do not fit each other, there are no rows, or there are several targets.
///
/// ```
/// use cornu_linear::metrics::confusion_matrix;
/// let matrix = confusion_matrix(&[2, 0, 2, 2, 0, 1], &[0, 0, 2, 2, 0, 2])?;
/// assert_eq!(matrix.labels, [0.0, 1.0, 2.0]);
/// assert_eq!(matrix.counts, ndarray::array![[2, 0, 0], [0, 0, 1], [1, 0, 2]]);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn confusion_matrix<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
) -> Result<ConfusionMatrix> {
    let (y, predicted) = (y_true.into(), y_pred.into());
    pair(&y, &predicted, None)?;
    let (y, predicted) = (y.single()?, predicted.single()?);
    let mut labels = [y, predicted].concat();
    labels.sort_by(f64::total_cmp);
    labels.dedup();
    let at = |v: f64| labels.partition_point(|&label| label < v);
    let mut counts = Array2::zeros((labels.len(), labels.len()));
    for (&y, &p) in y.iter().zip(predicted) {
        counts[[at(y), at(p)]] += 1;
    }
    Ok(ConfusionMatrix { labels, counts })
}

/// Which labels precision, recall and F1 are of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Average {
    /// One label alone; scikit-learn's default is label 1.
    Label(f64),
    /// All labels' counts together.
    Micro,
    /// The mean over the labels.
    Macro,
    /// The mean over the labels, each as often as it is true.
    Weighted,
}

/// Weights of rows of one label: right ones, all that were predicted so, all that are so.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: f64,
    predicted: f64,
    real: f64,
}

/// The part of the rows predicted to have a label that do have it; 0 if there are none.
///
/// # Errors
/// If lengths do not fit each other, there are no rows, or there are several targets; of `Average::Label`
/// also if there is no such label.
///
/// ```
/// use cornu_linear::metrics::{Average, precision_score};
/// let (y, predicted) = ([0, 1, 1, 0, 1], [0, 1, 0, 1, 1]);
/// assert_eq!(precision_score(&y, &predicted, Average::Label(1.0), None)?, 2.0 / 3.0);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn precision_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    average: Average,
    weights: Option<&[f64]>,
) -> Result<f64> {
    averaged(y_true.into(), y_pred.into(), average, weights, |c| {
        ratio(c.right, c.predicted)
    })
}

/// The part of the rows of a label that are predicted to have it; 0 if there are none.
///
/// # Errors
/// As for [`precision_score`].
///
/// ```
/// use cornu_linear::metrics::{Average, recall_score};
/// let (y, predicted) = ([0, 1, 1, 0, 1, 1], [0, 1, 0, 1, 1, 1]);
/// assert_eq!(recall_score(&y, &predicted, Average::Label(1.0), None)?, 0.75);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn recall_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    average: Average,
    weights: Option<&[f64]>,
) -> Result<f64> {
    averaged(y_true.into(), y_pred.into(), average, weights, |c| {
        ratio(c.right, c.real)
    })
}

/// The harmonic mean of precision and recall.
///
/// # Errors
/// As for [`precision_score`].
///
/// ```
/// use cornu_linear::metrics::{Average, f1_score};
/// let (y, predicted) = ([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]);
/// assert!((f1_score(&y, &predicted, Average::Macro, None)? - 0.8 / 3.0).abs() < 1e-12);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn f1_score<'a, 'b>(
    y_true: impl Into<Targets<'a>>,
    y_pred: impl Into<Targets<'b>>,
    average: Average,
    weights: Option<&[f64]>,
) -> Result<f64> {
    averaged(y_true.into(), y_pred.into(), average, weights, |c| {
        ratio(2.0 * c.right, c.predicted + c.real)
    })
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn averaged(
    y: Targets<'_>,
    predicted: Targets<'_>,
    average: Average,
    weights: Option<&[f64]>,
    score: impl Fn(Counts) -> f64,
) -> Result<f64> {
    let labels = confusion_matrix(&y, &predicted)?.labels;
    pair(&y, &predicted, weights)?;
    let at = |v: f64| labels.partition_point(|&label| label < v);
    let mut counts = vec![Counts::default(); labels.len()];
    for (r, (&y, &p)) in y.values().iter().zip(predicted.values()).enumerate() {
        let weight = weights.map_or(1.0, |w| w[r]);
        counts[at(y)].real += weight;
        counts[at(p)].predicted += weight;
        if y == p {
            counts[at(y)].right += weight;
        }
    }
    let real: f64 = counts.iter().map(|c| c.real).sum();
    let scores = counts.iter().map(|&c| score(c));
    Ok(match average {
        Average::Label(label) => match labels.iter().position(|&known| known == label) {
            Some(label) => score(counts[label]),
            None => {
                return Err(Error::new(format!(
                    "average: expected one of the labels {labels:?}. Received: {label}."
                )));
            }
        },
        Average::Macro => scores.sum::<f64>() / labels.len() as f64,
        Average::Weighted => scores.zip(&counts).map(|(s, c)| s * c.real / real).sum(),
        Average::Micro => score(counts.iter().fold(Counts::default(), |sum, c| Counts {
            right: sum.right + c.right,
            predicted: sum.predicted + c.predicted,
            real: sum.real + c.real,
        })),
    })
}

/// The mean of what the true labels' probabilities are worth: `−log p`. `probabilities` has a row for each label
/// and a column for each of `classes`, as [`predict_proba`](crate::LinearClassifier::predict_proba) gives them.
/// Probabilities are kept away from 0 and 1 by f64's precision.
///
/// # Errors
/// If shapes do not fit each other, a label is not among the classes, or a probability is not from 0 to 1.
///
/// ```
/// use cornu_linear::metrics::log_loss;
/// let probabilities = ndarray::array![[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]];
/// let loss = log_loss(&[1, 0, 0, 1], &probabilities, &[0.0, 1.0], None)?;
/// assert!((loss - 0.21616187468057912).abs() < 1e-12);
/// # Ok::<(), cornu_linear::Error>(())
/// ```
pub fn log_loss<'a, S: Data<Elem = f64>>(
    y_true: impl Into<Targets<'a>>,
    probabilities: &ArrayBase<S, Ix2>,
    classes: &[f64],
    weights: Option<&[f64]>,
) -> Result<f64> {
    let y = y_true.into();
    check::rows(&y, weights)?;
    let y = y.single()?;
    if probabilities.dim() != (y.len(), classes.len()) {
        return Err(Error::shape(format!(
            "probabilities: expected {} rows of {} classes. Received: {} rows of {}.",
            y.len(),
            classes.len(),
            probabilities.nrows(),
            probabilities.ncols()
        )));
    }
    if let Some(p) = probabilities.iter().find(|p| !(0.0..=1.0).contains(*p)) {
        return Err(Error::new(format!(
            "probabilities: expected numbers from 0 to 1. Received: {p}."
        )));
    }
    let class = |label: &f64| {
        classes
            .iter()
            .position(|class| class == label)
            .ok_or_else(|| {
                Error::new(format!(
                    "y_true: expected labels of the classes {classes:?}. Received: {label}."
                ))
            })
    };
    let of: Result<Vec<usize>> = y.iter().map(class).collect();
    let of = of?;
    Ok(mean(y.len(), weights, |r| {
        -probabilities[[r, of[r]]]
            .clamp(f64::EPSILON, 1.0 - f64::EPSILON)
            .ln()
    }))
}
