//! Reverse-mode differentiation of expressions.

use crate::Error;
use crate::tensor::Tensor;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The gradients of a scalar `loss` with respect to each of `wrt`, as expressions (so that they can be
/// differentiated again). Zeros where `loss` does not depend on it.
///
/// An impossible request (a loss that is no scalar) yields tensors that carry the error.
///
/// ```
/// use cornu_core::{DType, Reference, Device, Tensor, grad};
/// let x = Tensor::constant([3.0f32]);
/// let y = (&x * &x * &x).sum();
/// let dy = grad(&y, &[&x]).remove(0);         // 3x²
/// let ddy = grad(&dy.sum(), &[&x]).remove(0); // 6x
/// let device = Device::new(Reference);
/// assert_eq!(device.eval(&[dy, ddy]).unwrap()[1].to_vec::<f32>(), [18.0]);
/// ```
#[track_caller]
pub fn grad(loss: &Tensor, wrt: &[&Tensor]) -> Vec<Tensor> {
    if loss.size() != 1 {
        let e = Error::shape(format!(
            "grad() needs a scalar loss. Received: shape {}. Reduce it, for example with .mean().",
            loss.shape()
        ));
        let failed = Tensor::error(e);
        return wrt.iter().map(|_| failed.clone()).collect();
    }
    grad_with(loss, &loss.ones_like(), wrt)
}

/// As [`grad`] for any `y`, given the gradient `seed` of what follows with respect to it (a
/// vector-Jacobian product).
#[track_caller]
pub fn grad_with(y: &Tensor, seed: &Tensor, wrt: &[&Tensor]) -> Vec<Tensor> {
    if let Err(e) = y.check() {
        let failed = Tensor::error(e);
        return wrt.iter().map(|_| failed.clone()).collect();
    }
    // A variable is one thing however often it was turned into a tensor.
    let leaf = |t: &Tensor| match t.op() {
        crate::Op::Variable(v) => Leaf::Variable(v.id()),
        _ => Leaf::Node(t.id()),
    };
    let targets: HashSet<_> = wrt.iter().map(|t| leaf(t)).collect();
    let order = topological(y);
    // Only what lies between `wrt` and `y` is differentiated.
    let mut active: HashSet<usize> = HashSet::new();
    for t in &order {
        if targets.contains(&leaf(t)) || t.inputs().iter().any(|i| active.contains(&i.id())) {
            active.insert(t.id());
        }
    }
    let mut gradients: HashMap<usize, Tensor> = HashMap::new();
    let mut found: HashMap<Leaf, Tensor> = HashMap::new();
    gradients.insert(y.id(), seed.clone());
    for t in order.iter().rev() {
        let Some(g) = gradients.remove(&t.id()) else {
            continue;
        };
        if !active.contains(&t.id()) {
            continue;
        }
        let key = leaf(t);
        if targets.contains(&key) {
            let sum = match found.remove(&key) {
                Some(other) => other + &g,
                None => g.clone(),
            };
            found.insert(key, sum);
        }
        let Some(rules) = t.op().rules() else {
            continue;
        };
        let wanted: Vec<bool> = t
            .inputs()
            .iter()
            .map(|i| active.contains(&i.id()))
            .collect();
        if !wanted.iter().any(|w| *w) {
            continue;
        }
        let _scope = t.scope().map(crate::Scope::enter);
        for ((input, d), wanted) in t
            .inputs()
            .iter()
            .zip(rules.grad(t.inputs(), t, &g, &wanted))
            .zip(&wanted)
        {
            let Some(d) = d.filter(|_| *wanted) else {
                continue;
            };
            let sum = match gradients.remove(&input.id()) {
                Some(other) => other + d,
                None => d,
            };
            gradients.insert(input.id(), sum);
        }
    }
    wrt.iter()
        .map(|t| {
            found
                .get(&leaf(t))
                .cloned()
                .unwrap_or_else(|| t.zeros_like())
        })
        .collect()
}

/// What a gradient is asked for.
#[derive(PartialEq, Eq, Hash)]
enum Leaf {
    Variable(u64),
    Node(usize),
}

/// The nodes below `root`, operands first.
fn topological(root: &Tensor) -> Vec<Tensor> {
    let mut seen = HashSet::new();
    let mut order = Vec::new();
    let mut stack = vec![(root.clone(), false)];
    while let Some((t, expanded)) = stack.pop() {
        if expanded {
            order.push(t);
        } else if seen.insert(t.id()) {
            stack.push((t.clone(), true));
            stack.extend(t.inputs().iter().rev().map(|i| (i.clone(), false)));
        }
    }
    order
}

/// A function with a gradient rule of its own: `forward` computes the value from `inputs`, `backward`
/// the gradients of the inputs (`None` for none) from the inputs, the value and the value's gradient.
///
/// ```
/// use cornu_core::{Device, Reference, Tensor, custom_gradient, grad};
/// // log(1 + eˣ) with the numerically stable gradient.
/// let x = Tensor::constant([100.0f32]);
/// let y = custom_gradient(
///     &[&x],
///     |x| (x[0].exp() + 1.0).log(),
///     |x, _, g| vec![Some(g * x[0].sigmoid())],
/// );
/// let dx = grad(&y.sum(), &[&x]).remove(0);
/// assert_eq!(Device::new(Reference).eval(&[dx]).unwrap()[0].to_vec::<f32>(), [1.0]);
/// ```
#[track_caller]
pub fn custom_gradient(
    inputs: &[&Tensor],
    forward: impl FnOnce(&[Tensor]) -> Tensor,
    backward: impl Fn(&[Tensor], &Tensor, &Tensor) -> Vec<Option<Tensor>> + Send + Sync + 'static,
) -> Tensor {
    let inputs: Vec<Tensor> = inputs.iter().map(|t| (*t).clone()).collect();
    let value = forward(&inputs);
    Tensor::with_rule(&value, &inputs, Arc::new(backward))
}
