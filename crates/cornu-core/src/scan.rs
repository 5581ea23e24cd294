//! A walk along an axis.

use crate::tensor::Tensor;
use crate::{Error, Result};

/// Calls `step` for one place after the other along the first axis of `xs`, with tensors that are carried
/// from call to call: Keras' `ops.scan`.
///
/// `step` is given what is carried and the elements of `xs` at the place, and returns what is carried on
/// (of the same shapes and types) and its outputs. Returned are what is carried at the end, and the outputs
/// of all places, stacked along a first axis.
///
/// The calls are recorded one after the other, so that the program grows with the extent. Their gradient is
/// that of any other expression.
///
/// ```
/// use cornu_core::{Device, Reference, Tensor, grad, scan};
/// // Interest on a balance, and what is paid in each year.
/// let (rate, paid) = (Tensor::constant(0.5f32), Tensor::constant([4.0f32, 2.0, 1.0]));
/// let (last, balances) = scan(&[Tensor::constant(0.0f32)], &[paid], |carried, x| {
///     let balance = &carried[0] * (1.0 + &rate) + &x[0];
///     (vec![balance.clone()], vec![balance])
/// });
/// let slope = grad(&last[0], &[&rate]).remove(0);
/// let values = Device::new(Reference).eval(&[balances[0].clone(), slope])?;
/// assert_eq!(values[0].to_vec::<f32>(), [4.0, 8.0, 13.0]);
/// assert_eq!(values[1].item::<f32>()?, 14.0);
/// # Ok::<(), cornu_core::Error>(())
/// ```
///
/// Nothing to walk along, or a step that carries on something else than it was given, yields tensors that
/// carry the error.
#[track_caller]
pub fn scan(
    carried: &[Tensor],
    xs: &[Tensor],
    mut step: impl FnMut(&[Tensor], &[Tensor]) -> (Vec<Tensor>, Vec<Tensor>),
) -> (Vec<Tensor>, Vec<Tensor>) {
    let failed = Tensor::error;
    let places = match places(xs) {
        Ok(places) => places,
        Err(e) => {
            // A step on tensors that cannot be tells how many outputs there would have been.
            let failed = failed(e);
            let nothing = |n: usize| vec![failed.clone(); n];
            let (_, outputs) = step(&nothing(carried.len()), &nothing(xs.len()));
            return (nothing(carried.len()), nothing(outputs.len()));
        }
    };
    let mut carried = carried.to_vec();
    let mut outputs: Vec<Vec<Tensor>> = Vec::new();
    for place in 0..places {
        let at = xs.iter().map(|x| x.narrow(0, place, 1).squeeze(0));
        let (next, made) = step(&carried, &at.collect::<Vec<Tensor>>());
        carried = carried_on(&carried, next, place);
        outputs.push(made);
    }
    let count = outputs.first().map_or(0, Vec::len);
    let stacked = (0..count).map(|i| {
        let parts: Option<Vec<Tensor>> = outputs.iter().map(|o| o.get(i).cloned()).collect();
        match parts {
            Some(parts) => Tensor::stack(&parts, 0),
            None => failed(Error::shape(format!(
                "scan: every step must give the {count} outputs of the first."
            ))),
        }
    });
    let stacked = stacked.collect();
    (carried, stacked)
}

/// The extent of the axis along which tensors are walked.
fn places(xs: &[Tensor]) -> Result<usize> {
    xs.iter().try_for_each(Tensor::check)?;
    let shapes = || {
        let shapes: Vec<String> = xs.iter().map(|x| x.shape().to_string()).collect();
        shapes.join(", ")
    };
    match xs.first().and_then(|x| x.shape().first()) {
        Some(&n) if n > 0 && xs.iter().all(|x| x.shape().first() == Some(&n)) => Ok(n),
        _ => Err(Error::shape(format!(
            "scan walks along the first axis of at least one tensor, which all must have with the same \
             extent above 0. Received: {}.",
            if xs.is_empty() {
                "none".to_string()
            } else {
                shapes()
            }
        ))),
    }
}

/// What a step carries on, if it is what was carried to it in kind.
fn carried_on(before: &[Tensor], after: Vec<Tensor>, place: usize) -> Vec<Tensor> {
    let same =
        |(a, b): (&Tensor, &Tensor)| a.check().is_err() || b.check().is_err() || a.ty() == b.ty();
    if before.len() == after.len() && before.iter().zip(&after).all(same) {
        return after;
    }
    let list = |tensors: &[Tensor]| {
        let types: Vec<String> = tensors.iter().map(|t| t.ty().to_string()).collect();
        types.join(", ")
    };
    let error = Error::shape(format!(
        "scan must carry on what it was given: {}. Received: {}, from step {place}.",
        list(before),
        list(&after)
    ));
    vec![Tensor::error(error); before.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Device, Reference};

    fn zeros(shape: &[usize]) -> Tensor {
        Tensor::zeros(shape.to_vec(), DType::F32)
    }

    #[test]
    fn two_tensors_are_walked_and_several_are_carried() {
        let xs = [
            Tensor::constant([1.0f32, 2.0, 3.0]),
            Tensor::constant([[1.0f32, 10.0], [2.0, 20.0], [3.0, 30.0]]),
        ];
        let (last, outputs) = scan(&[zeros(&[2]), zeros(&[])], &xs, |carried, x| {
            let rows = &carried[0] + &x[0] * &x[1];
            (vec![rows.clone(), &carried[1] + 1.0], vec![rows])
        });
        let all = [&last[..], &outputs].concat();
        let got = Device::new(Reference).eval(&all).unwrap();
        assert_eq!(got[0].to_vec::<f32>(), [14.0, 140.0]);
        assert_eq!(got[1].to_vec::<f32>(), [3.0]);
        assert_eq!(got[2].shape().dims(), [3, 2]);
        assert_eq!(got[2].to_vec::<f32>(), [1.0, 10.0, 5.0, 50.0, 14.0, 140.0]);
    }

    #[test]
    fn impossible_walks_carry_their_error() {
        let message = |carried: &[Tensor], xs: &[Tensor]| {
            let (last, outputs) = scan(carried, xs, |c, x| {
                let grown = Tensor::concat(&[c[0].clone(), x[0].expand_dims(0)], 0);
                (vec![grown.clone()], vec![grown])
            });
            let failed = outputs[0].check().and(last[0].check());
            failed.unwrap_err().message().to_string()
        };
        let nothing = "scan walks along the first axis of at least one tensor, which all must have with \
                       the same extent above 0. Received: ";
        assert_eq!(
            message(&[zeros(&[1])], &[zeros(&[0])]),
            format!("{nothing}(0,).")
        );
        let two = [zeros(&[2]), zeros(&[3])];
        assert_eq!(
            message(&[zeros(&[1])], &two),
            format!("{nothing}(2,), (3,).")
        );
        assert_eq!(
            message(&[zeros(&[1])], &[zeros(&[2])]),
            "scan must carry on what it was given: float32(1,). Received: float32(2,), from step 0."
        );
        let (last, _) = scan(&[zeros(&[])], &[], |c, _| (c.to_vec(), vec![]));
        assert_eq!(
            last[0].check().unwrap_err().message(),
            format!("{nothing}none.")
        );
    }
}
