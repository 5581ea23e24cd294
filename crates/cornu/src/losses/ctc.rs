//! The loss of sequences whose steps are not aligned with their labels.

use super::class::{loss_class, loss_fn_basics};
use super::{ClassNumbers, LossFn};
use crate::{DType, Error, Result, Tensor};
use cornu_core::TensorType;

loss_class! {
    /// Connectionist temporal classification (Graves et al., 2006): minus the logarithm of the
    /// probability of all ways in which the steps can spell the labels, each label over one or more
    /// steps, with blanks between.
    ///
    /// * Targets: `(batch, labels)`, class numbers from 1 on; 0 is the blank, and fills rows up at their
    ///   end.
    /// * Predictions: `(batch, steps, classes)`, logits, the first of which is the blank's.
    ///
    /// String `"ctc"`. The steps are walked one by one as the program is recorded, so that long sequences
    /// make large programs. Labels that need more steps than there are give about 10⁵, as in Keras.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// // Two steps, equal chances of blank and of class 1: "1" can be spelled 11, 1-, -1.
    /// let logits = Tensor::zeros([1, 2, 2], DType::F32);
    /// let loss = Loss::from("ctc").compute(&Tensor::constant([[1i32]]), &logits, None, None);
    /// assert!((loss.eval()?.item::<f32>()? + 0.75f32.ln()).abs() < 1e-6);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    CTC "ctc" {}
}

/// Stands for the logarithm of 0.
const NEVER: f64 = -1e5;

/// `log(exp(a) + exp(b))`.
fn either(a: &Tensor, b: &Tensor) -> Tensor {
    Tensor::stack(&[a.clone(), b.clone()], 0).logsumexp(&[0], false)
}

/// Ways that end in a blank after each number of labels, with others added to all but the first.
fn joined(blank: &Tensor, others: &Tensor) -> Tensor {
    let n = others.shape()[1];
    let more = either(&blank.narrow(1, 1, n), others);
    Tensor::concat(&[blank.narrow(1, 0, 1), more], 1)
}

impl LossFn for CTC {
    loss_fn_basics!(CTC);
    fn call(&self, y_true: &Tensor, y_pred: &Tensor) -> Tensor {
        let labels = y_true.cast(DType::I32);
        let scores = y_pred.cast(y_pred.dtype().to_float()).log_softmax(-1);
        let dtype = scores.dtype();
        let (batch, steps, classes) = (scores.shape()[0], scores.shape()[1], scores.shape()[2]);
        let n = labels.shape()[1];
        // The scores of each label and of the blank, at every step.
        let spelled = scores.matmul(labels.one_hot(classes, dtype).transpose(&[0, 2, 1]));
        let blanks = scores.narrow(2, 0, 1);
        // Between equal labels there must be a blank.
        let again = match n {
            0 | 1 => Tensor::zeros([batch, n], dtype),
            _ => labels
                .narrow(1, 0, n - 1)
                .eq(labels.narrow(1, 1, n - 1))
                .cast(dtype)
                .pad(&[(0, 0), (0, 1)], 0.0),
        };
        let (to_next, to_blank) = (&again * NEVER, (1.0 - &again) * NEVER);
        // Logarithms of the chances to have come to a blank after so many labels, and to each label.
        let mut blank = Tensor::full([batch, n], NEVER, dtype).pad(&[(0, 0), (1, 0)], 0.0);
        let mut label = Tensor::full([batch, n], NEVER, dtype);
        for step in 0..steps {
            let here = spelled.narrow(1, step, 1).squeeze(1);
            let none = blanks.narrow(1, step, 1).squeeze(1);
            let before = joined(&blank, &(&label + &to_next));
            let at_label = either(&before.narrow(1, 0, n), &label) + here;
            blank = joined(&(before + &none), &(&label + &none + &to_blank));
            label = at_label;
        }
        let ends = joined(&blank, &label);
        let lengths = labels.ne(0).cast(DType::I32).sum_axes(&[1], false);
        -(ends * lengths.one_hot(n + 1, dtype)).sum_axes(&[1], false)
    }
    fn validate(&self, y_true: &TensorType, y_pred: &TensorType) -> Result<()> {
        let (t, p) = (&y_true.shape, &y_pred.shape);
        if t.rank() == 2 && p.rank() == 3 && t[0] == p[0] && p[2] > 0 {
            return Ok(());
        }
        Err(Error::shape(format!(
            "Loss \"{}\": the targets must be (batch, labels) and the predictions (batch, steps, classes). Received: targets of shape {t}, predictions of shape {p}.",
            self.name
        )))
    }
    fn class_numbers(&self, _: &TensorType, y_pred: &TensorType) -> Option<ClassNumbers> {
        let classes = *y_pred.shape.last()?;
        Some(ClassNumbers {
            classes,
            ignored: None,
        })
    }
}

/// [`CTC`] per sample.
#[track_caller]
pub fn ctc(y_true: &Tensor, y_pred: &Tensor) -> Tensor {
    CTC::new().call(y_true, y_pred)
}
