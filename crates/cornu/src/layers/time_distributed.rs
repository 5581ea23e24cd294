//! A layer at every step by itself.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer, Wrapper};
use crate::{DType, Error, Result, Shape, Tensor};
use serde::{Deserialize, Serialize};

/// Applies a layer, or a model, to every step of a sequence by itself, with the same weights.
///
/// * Input: `(batch, steps, …)`, output: `(batch, steps, …)`, where `…` is what the layer takes and gives.
/// * Weights: the layer's.
/// * The mask `(batch, steps)` passes on. A mask of more axes, `(batch, steps, …)`, is also given to the
///   layer, step by step; one of two is, if the layer's input is `(batch, features)`.
/// * All steps are taken together, as one larger batch, except where that would not be the same: if
///   training moves statistics inside (as in [`BatchNormalization`](super::BatchNormalization)) or states
///   are kept, then it is step after step.
///
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new();
/// model.add(TimeDistributed::new(Conv2D::new(8, 3)).input_shape([10, 16, 16, 3]));
/// model.add(TimeDistributed::new(GlobalAveragePooling2D::new()));
/// model.add(LSTM::new(4));
/// model.build()?;
/// assert_eq!(model.output_shape()?.to_string(), "(None, 4)");
/// assert_eq!(model.weights()[0].variable.name(), "time_distributed/conv2d/kernel");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeDistributed {
    #[serde(skip)]
    base: Base,
    layer: Wrapper,
}

options!(TimeDistributed);

impl TimeDistributed {
    /// The layer for one step.
    pub fn new(layer: impl Into<Box<dyn Layer>>) -> Self {
        Self {
            base: Base::default(),
            layer: Wrapper::new(layer),
        }
    }

    /// The layer's output for a batch of single steps.
    fn one(&self, cx: &mut Call<'_>, x: &Tensor, mask: Option<Tensor>) -> Tensor {
        let inputs = std::slice::from_ref(x);
        let outputs = cx.layer_of("layer", &*self.layer, inputs, &[mask]);
        outputs
            .tensors
            .into_iter()
            .next()
            .unwrap_or_else(|| x.clone())
    }
}

/// Refuses a mask that is not of these steps.
fn checked(mask: &Tensor, x: &Shape) -> Result<()> {
    mask.check()?;
    if mask.rank() < 2 || mask.shape()[..2] != x[..2] || mask.dtype() != DType::Bool {
        return Err(Error::shape(format!(
            "The mask of TimeDistributed must be bool of shape (batch, steps, …), here {} first. Received: {} of shape {}.",
            Shape::from(&x[..2]),
            mask.dtype(),
            mask.shape()
        )));
    }
    Ok(())
}

impl Layer for TimeDistributed {
    builtin!(TimeDistributed, masks pass);

    fn input_dtype(&self) -> Option<DType> {
        self.layer.input_dtype()
    }

    fn build(&self, cx: &mut Build<'_>, input: &InputShape) -> Result<()> {
        if input.rank() < 3 {
            return Err(Error::shape(format!(
                "TimeDistributed expects (batch, steps, …) of at least three axes. Received: input shape {input}."
            )));
        }
        let step = InputShape([&input.0[..1], &input.0[2..]].concat());
        let outputs = cx.layer_named("layer", &self.layer.name(), &*self.layer, &[step])?;
        if outputs.len() != 1 {
            return Err(Error::new(format!(
                "TimeDistributed expects a layer of one output. Received: {} with {}.",
                self.layer.class_name(),
                outputs.len()
            )));
        }
        Ok(())
    }

    fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
        if let Err(e) = x.check() {
            return Tensor::error(e);
        }
        let (batch, steps) = (x.shape()[0], x.shape()[1]);
        if steps == 0 {
            return Tensor::error(Error::shape(format!(
                "TimeDistributed expects at least one step. Received: input shape {}.",
                x.shape()
            )));
        }
        let mask = cx.mask(0).cloned();
        if let Some(Err(e)) = mask.as_ref().map(|m| checked(m, x.shape())) {
            return Tensor::error(e);
        }
        // A mask of steps says nothing of the axes inside a step.
        let mask = mask.filter(|m| m.rank() > 2 || x.rank() == 3);
        let (means, states) = cx.moves("layer");
        if states || (means && cx.training()) {
            let at = |t: &Tensor, i: usize| t.narrow(1, i, 1).squeeze(1);
            let outputs: Vec<Tensor> = (0..steps)
                .map(|i| self.one(cx, &at(x, i), mask.as_ref().map(|m| at(m, i))))
                .collect();
            return Tensor::stack(&outputs, 1);
        }
        let together = |t: &Tensor| t.reshape([&[batch * steps], &t.shape()[2..]].concat());
        let y = self.one(cx, &together(x), mask.as_ref().map(together));
        match y.check() {
            Ok(()) => y.reshape([&[batch, steps], &y.shape()[1..]].concat()),
            Err(e) => Tensor::error(e),
        }
    }
}
