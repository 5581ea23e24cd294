//! Layers that combine several tensors element by element.

use super::base::{Base, builtin, options};
use super::{Build, Call, InputShape, Layer};
use crate::models::{Functional, IntoSymbols, Symbol};
use crate::{Error, Result, Tensor};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A step of the combination: what there is so far with the next tensor; masks where each counts.
type Fold = fn(&Tensor, &Tensor) -> Tensor;

/// Refuses shapes that do not broadcast.
fn check(class: &str, inputs: &[InputShape]) -> Result<()> {
    let rank = inputs.iter().map(InputShape::rank).max().unwrap_or(0);
    let fail = || {
        let shapes: Vec<String> = inputs.iter().map(InputShape::to_string).collect();
        Err(Error::shape(format!(
            "{class} expects inputs whose shapes broadcast. Received: {}.",
            shapes.join(", ")
        )))
    };
    // The batch comes first; a missing axis is one of extent 1 behind it.
    let extent = |shape: &InputShape, axis: usize| match axis {
        0 => shape.0.first().copied().flatten(),
        _ => match (axis + shape.rank()).checked_sub(rank) {
            Some(own) if own >= 1 => shape.0[own],
            _ => Some(1),
        },
    };
    for axis in 0..rank {
        let mut known = inputs
            .iter()
            .filter_map(|s| extent(s, axis))
            .filter(|n| *n != 1);
        if let Some(first) = known.next()
            && known.any(|n| n != first)
        {
            return fail();
        }
    }
    Ok(())
}

/// The tensors with as many axes as the one that has most, the new ones behind the batch.
fn aligned(inputs: &[Tensor]) -> Vec<Tensor> {
    let rank = inputs.iter().map(Tensor::rank).max().unwrap_or(0);
    let align = |x: &Tensor| (x.rank()..rank).fold(x.clone(), |x, _| x.expand_dims(1));
    inputs.iter().map(align).collect()
}

/// The mask of a combination: steps that count in any of the tensors, if all have a mask.
fn either(cx: &Call<'_>) -> Option<Tensor> {
    let masks: Option<Vec<&Tensor>> = (0..cx.inputs().len()).map(|i| cx.mask(i)).collect();
    masks?.into_iter().cloned().reduce(|a, b| a.logical_or(&b))
}

/// Keras' `Maximum` and `Minimum` leave out what is masked, where all tensors have masks of steps.
fn extreme(cx: &Call<'_>, inputs: &[Tensor], fold: Fold) -> Option<Tensor> {
    let mut inputs = inputs.iter().enumerate().map(|(i, x)| {
        let mask = cx
            .mask(i)
            .map(|m| m.expand_dims(-1).broadcast_to(x.shape().clone()));
        (x.clone(), mask)
    });
    let (mut output, mut seen) = inputs.next()?;
    for (mut x, mask) in inputs {
        if let Some(mask) = &mask {
            x = mask.select(&x, &output);
        }
        if let Some(seen) = &seen {
            output = seen.select(&output, &x);
        }
        seen = match (seen, mask) {
            (Some(a), Some(b)) => Some(a.logical_or(&b)),
            _ => None,
        };
        output = fold(&output, &x);
    }
    Some(output)
}

fn folded(inputs: &[Tensor], fold: Fold) -> Option<Tensor> {
    let (first, rest) = inputs.split_first()?;
    Some(rest.iter().fold(first.clone(), |sum, x| fold(&sum, x)))
}

macro_rules! merge {
    ($($(#[$doc:meta])* $layer:ident, $function:ident($arity:expr): $combine:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $layer {
            #[serde(skip)]
            base: Base,
        }

        impl $layer {
            /// The layer.
            pub fn new() -> Self {
                Self::default()
            }
        }

        options!($layer);

        #[doc = concat!("[`", stringify!($layer), "`] of symbols.")]
        pub fn $function(inputs: impl IntoSymbols) -> Symbol {
            $layer::new().on(inputs)
        }

        impl Layer for $layer {
            builtin!($layer, masks pass);

            fn arity(&self) -> RangeInclusive<usize> {
                $arity
            }

            fn build(&self, cx: &mut Build<'_>, _: &InputShape) -> Result<()> {
                check(stringify!($layer), cx.inputs())
            }

            fn call(&self, cx: &mut Call<'_>, x: &Tensor) -> Tensor {
                let inputs = aligned(cx.inputs());
                let combine: fn(&Call<'_>, &[Tensor]) -> Option<Tensor> = $combine;
                let y = combine(cx, &inputs).unwrap_or_else(|| x.clone());
                cx.set_mask(either(cx));
                y
            }
        }
    )*};
}

merge! {
    /// The sum of tensors whose shapes broadcast.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let (a, b) = (Input::new([2]).symbol(), Input::new([2]).symbol());
    /// let model = Model::new([&a, &b], Add::new().on([&a, &b]))?; // or &a + &b
    /// let (x, y) = (Array::from([[1.0f32, 2.0]]), Array::from([[10.0f32, 20.0]]));
    /// assert_eq!(model.predict((&x, &y))?.to_vec::<f32>(), [11.0, 22.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    Add, add(1..=usize::MAX): |_, xs| folded(xs, |a, b| a + b);
    /// The first tensor minus the second.
    Subtract, subtract(2..=2): |_, xs| folded(xs, |a, b| a - b);
    /// The product of tensors whose shapes broadcast, element by element.
    Multiply, multiply(1..=usize::MAX): |_, xs| folded(xs, |a, b| a * b);
    /// The mean of tensors whose shapes broadcast.
    Average, average(1..=usize::MAX): |_, xs| {
        folded(xs, |a, b| a + b).map(|sum| sum / xs.len() as f64)
    };
    /// The largest of tensors whose shapes broadcast, element by element; what a mask leaves out
    /// does not count.
    Maximum, maximum(1..=usize::MAX): |cx, xs| extreme(cx, xs, |a, b| a.maximum(b));
    /// The smallest of tensors whose shapes broadcast, element by element; what a mask leaves out
    /// does not count.
    Minimum, minimum(1..=usize::MAX): |cx, xs| extreme(cx, xs, |a, b| a.minimum(b));
}
