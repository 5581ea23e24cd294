//! How the shapes of targets, predictions and weights are brought together, and what cannot be.

use crate::{Error, Result, Shape, Tensor};
use cornu_core::TensorType;

/// Two tensors whose ranks differ by one brought to one rank, where the longer one has a last axis of 1:
/// the axis is added to a vector, else dropped. Others stay as they are.
#[track_caller]
pub fn squeeze_or_expand(a: &Tensor, b: &Tensor) -> (Tensor, Tensor) {
    let one = |long: &Tensor, short: &Tensor| {
        long.rank() == short.rank() + 1 && long.shape().last() == Some(&1)
    };
    if one(a, b) {
        if b.rank() == 1 {
            (a.clone(), b.expand_dims(-1))
        } else {
            (a.squeeze(-1), b.clone())
        }
    } else if one(b, a) {
        if a.rank() == 1 {
            (a.expand_dims(-1), b.clone())
        } else {
            (a.clone(), b.squeeze(-1))
        }
    } else {
        (a.clone(), b.clone())
    }
}

/// A weight beside values of a higher rank: its axes are the leading ones (one weight per sample), if
/// they fit, else the trailing ones as in any broadcast.
#[track_caller]
pub(super) fn align_weight(values: &Tensor, weight: &Tensor) -> Tensor {
    let rank = weight.rank();
    if rank > 0 && rank < values.rank() && values.shape().starts_with(weight.shape()) {
        let mut shape = weight.shape().to_vec();
        shape.resize(values.rank(), 1);
        return weight.reshape(shape);
    }
    weight.clone()
}

/// The targets in the predictions' type, both of one rank where [`squeeze_or_expand`] can.
#[track_caller]
pub(super) fn prepare(y_true: &Tensor, y_pred: &Tensor) -> (Tensor, Tensor) {
    let y_pred = y_pred.cast(y_pred.dtype().to_float());
    squeeze_or_expand(&y_true.cast(y_pred.dtype()), &y_pred)
}

/// The shapes after [`squeeze_or_expand`].
fn fitted(y_true: &TensorType, y_pred: &TensorType) -> (Shape, Shape) {
    let (t, p) = (&y_true.shape, &y_pred.shape);
    let one =
        |long: &Shape, short: &Shape| long.rank() == short.rank() + 1 && long.last() == Some(&1);
    let fit = |long: &Shape, short: &Shape| {
        if short.rank() == 1 {
            (long.clone(), Shape::from(&[short[0], 1]))
        } else {
            (Shape::from(&long[..long.rank() - 1]), short.clone())
        }
    };
    if one(t, p) {
        fit(t, p)
    } else if one(p, t) {
        let (p, t) = fit(p, t);
        (t, p)
    } else {
        (t.clone(), p.clone())
    }
}

fn mismatch(loss: &str, y_true: &TensorType, y_pred: &TensorType, why: &str) -> Error {
    Error::shape(format!(
        "Loss \"{loss}\": {why} Received: targets of shape {}, predictions of shape {}.",
        y_true.shape, y_pred.shape
    ))
}

/// Targets and predictions that meet element by element must broadcast.
pub(super) fn elementwise(loss: &str, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
    let (t, p) = fitted(y_true, y_pred);
    match t.broadcast(&p) {
        Ok(_) if t.rank() > 0 || p.rank() > 0 => Ok(()),
        Ok(_) => Err(mismatch(
            loss,
            y_true,
            y_pred,
            "needs at least one axis, the batch.",
        )),
        Err(_) => Err(mismatch(
            loss,
            y_true,
            y_pred,
            "targets and predictions must have one shape.",
        )),
    }
}

/// Targets and predictions that are distributions over classes must have equal shapes.
pub(super) fn one_hot(loss: &str, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
    let (t, p) = fitted(y_true, y_pred);
    let err = |why: &str| Err(mismatch(loss, y_true, y_pred, why));
    if p.rank() == 0 {
        return err("predictions need an axis of classes.");
    }
    if t == p {
        return Ok(());
    }
    let classes = p[p.rank() - 1];
    if looks_like_labels(&t, &p) {
        return err(&format!(
            "the targets are class numbers, one per sample; {classes} values per sample are needed. \
             Use the loss \"sparse_categorical_crossentropy\", or to_categorical(labels, {classes})."
        ));
    }
    if t.rank() == p.rank() && t[..t.rank() - 1] == p[..p.rank() - 1] {
        return err(&format!(
            "the numbers of classes differ: the targets have {}, the predictions {classes}.",
            t[t.rank() - 1]
        ));
    }
    err("targets and predictions must have one shape.")
}

/// Targets that are class numbers must have the predictions' shape without its last axis.
pub(super) fn labels(
    loss: &str,
    y_true: &TensorType,
    y_pred: &TensorType,
    axis: isize,
) -> Result<()> {
    let (t, p) = (&y_true.shape, &y_pred.shape);
    let err = |why: &str| Err(mismatch(loss, y_true, y_pred, why));
    let Ok(axis) = p.axis(axis) else {
        return err("predictions need an axis of classes.");
    };
    let mut expected = p.to_vec();
    expected.remove(axis);
    let mut column = p.to_vec();
    column[axis] = 1;
    if t.dims() == expected || t.dims() == column {
        return Ok(());
    }
    if t == p {
        return err(&format!(
            "the targets have {} values per sample, as one-hot labels do; one class number per sample \
             is needed. Use the loss \"categorical_crossentropy\".",
            p[axis]
        ));
    }
    err(&format!(
        "the targets must have shape {}, one class number each.",
        Shape::from(expected)
    ))
}

/// Targets and predictions of a binary loss must have equal shapes.
pub(super) fn binary(loss: &str, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
    let (t, p) = fitted(y_true, y_pred);
    let err = |why: &str| Err(mismatch(loss, y_true, y_pred, why));
    if t == p && p.rank() > 0 {
        return Ok(());
    }
    if p.rank() > 0 && looks_like_labels(&t, &p) {
        let n = p[p.rank() - 1];
        return err(&format!(
            "there is one target but {n} predictions per sample. For {n} classes use the loss \
             \"sparse_categorical_crossentropy\"; for two classes let the last layer have one unit."
        ));
    }
    err("targets and predictions must have one shape.")
}

/// Whether the targets are one number per sample where the predictions have several.
fn looks_like_labels(t: &Shape, p: &Shape) -> bool {
    let Some((classes, lead)) = p.split_last() else {
        return false;
    };
    let column = t.rank() == p.rank() && t.last() == Some(&1) && t[..lead.len()] == *lead;
    *classes > 1 && (t.dims() == lead || column)
}
