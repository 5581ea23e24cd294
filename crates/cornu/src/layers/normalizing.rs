//! The arithmetic of layers that normalise: moments, and what is done with them.

use super::InputShape;
use crate::{Axes, Error, Result, Shape, Tensor, custom_gradient};
use serde::{Deserialize, Serialize};

/// Mean and biased variance over `axes`, which stay as 1.
pub(super) fn moments(x: &Tensor, axes: &[isize]) -> (Tensor, Tensor) {
    let mean = x.mean_axes(axes, true);
    let variance = (x - &mean).square().mean_axes(axes, true);
    (mean, variance)
}

/// `(x − mean) / √(variance + epsilon) · gamma + beta`, gradients of all operands as derived.
pub(super) fn standardize(
    x: &Tensor,
    (mean, variance): (&Tensor, &Tensor),
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    epsilon: f64,
) -> Tensor {
    let inv = (variance + epsilon).rsqrt();
    let centered = x - mean;
    let y = match gamma {
        // One value for each statistic: one product for each element.
        Some(gamma) if gamma.shape() == mean.shape() => centered * (inv * gamma),
        Some(gamma) => centered * inv * gamma,
        None => centered * inv,
    };
    beta.map_or(y.clone(), |beta| y + beta)
}

/// `x` to mean 0 and variance 1 over `axes`, times `gamma`, plus `beta`; both have the rank of `x`.
///
/// The gradient is written out, since mean and variance are functions of `x` whose derivatives partly
/// cancel. With x̂ the normalised input and h = g · gamma, dx = (h − mean(h) − x̂ · mean(h · x̂)) / σ;
/// d gamma = Σ g · x̂ and d beta = Σ g, over the axes along which they repeat
/// (Ioffe and Szegedy 2015, section 3).
pub(super) fn normalize(
    x: &Tensor,
    axes: &[isize],
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    epsilon: f64,
) -> Tensor {
    let axes = axes.to_vec();
    let scaled = gamma.is_some();
    let inputs: Vec<&Tensor> = [Some(x), gamma, beta].into_iter().flatten().collect();
    let forward = |_: &[Tensor]| {
        let (mean, variance) = moments(x, &axes);
        standardize(x, (&mean, &variance), gamma, beta, epsilon)
    };
    let own = axes.clone();
    custom_gradient(&inputs, forward, move |inputs, _, g| {
        let x = &inputs[0];
        let gamma = scaled.then(|| &inputs[1]);
        let beta = inputs.get(1 + usize::from(scaled));
        backward(x, &own, gamma, beta, epsilon, g)
    })
}

fn backward(
    x: &Tensor,
    axes: &[isize],
    gamma: Option<&Tensor>,
    beta: Option<&Tensor>,
    epsilon: f64,
    g: &Tensor,
) -> Vec<Option<Tensor>> {
    let (mean, variance) = moments(x, axes);
    let inv = (variance + epsilon).rsqrt();
    let centered = x - &mean;
    let n = (x.size() / mean.size().max(1)) as f64;
    let (dx, d_gamma) = if gamma.is_none_or(|gamma| gamma.shape() == mean.shape()) {
        // The sums of h are gamma times those of g, which the weights need anyway.
        let factor = gamma.map_or(inv.clone(), |gamma| &inv * gamma);
        let d_gamma = (g * &centered).sum_axes(axes, true) * &inv;
        let level = g.sum_axes(axes, true) * &factor / n;
        let slope = &d_gamma * &inv * &factor / n;
        (g * factor - centered * slope - level, d_gamma)
    } else {
        let h = gamma.map_or(g.clone(), |gamma| g * gamma);
        let normal = centered * &inv;
        let slope = (&h * &normal).mean_axes(axes, true);
        let level = h.mean_axes(axes, true);
        let d_gamma = sum_to(&(g * &normal), gamma);
        ((h - level - normal * slope) * inv, d_gamma)
    };
    let mut gradients = vec![Some(dx)];
    gradients.extend(gamma.map(|_| Some(d_gamma)));
    gradients.extend(beta.map(|_| Some(sum_to(g, beta))));
    gradients
}

/// The sum over the axes along which the operand is 1.
fn sum_to(t: &Tensor, operand: Option<&Tensor>) -> Tensor {
    let axes = (0..t.rank() as isize)
        .filter(|axis| operand.is_some_and(|o| o.shape().get(*axis as usize) == Some(&1)));
    t.sum_axes(&axes.collect::<Vec<_>>(), true)
}

/// The axes over which a layer normalises. As Keras' built layers, it is written as a sorted list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Axes", into = "Axes")]
pub(super) struct Normalized(Vec<isize>);

impl Default for Normalized {
    fn default() -> Self {
        Self(vec![-1])
    }
}

impl From<Axes> for Normalized {
    fn from(axes: Axes) -> Self {
        let mut axes = axes.as_slice().to_vec();
        axes.sort_unstable();
        Self(axes)
    }
}

impl From<Normalized> for Axes {
    fn from(axes: Normalized) -> Self {
        Axes::Many(axes.0)
    }
}

impl Normalized {
    /// The extents of the axes: the shape of a weight.
    ///
    /// # Errors
    /// An axis that the input does not have or that is named twice, or an unknown extent.
    pub fn extents(&self, input: &InputShape) -> Result<Shape> {
        let (axes, _) = self.of(&input.with(1))?;
        axes.iter().map(|axis| input.extent(*axis)).collect()
    }

    /// The axes of an input in order, and its shape with 1 in place of all others.
    ///
    /// # Errors
    /// An axis that the input does not have or that is named twice.
    pub fn of(&self, input: &Shape) -> Result<(Vec<isize>, Shape)> {
        let mut shape = vec![1; input.rank()];
        let mut axes = Vec::new();
        for axis in &self.0 {
            let i = input.axis(*axis)?;
            if axes.contains(&(i as isize)) {
                return Err(Error::shape(format!(
                    "Each axis is normalised once. Received: axis={:?} for an input of rank {}.",
                    self.0,
                    input.rank()
                )));
            }
            shape[i] = input[i];
            axes.push(i as isize);
        }
        axes.sort_unstable();
        Ok((axes, shape.into()))
    }
}
