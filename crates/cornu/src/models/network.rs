//! What training needs to know of a network, whatever its form.

use crate::layers::{InputShape, Weight};
use crate::{DType, Result, Tensor, Variable};

/// A network that can be trained: weights and a forward pass.
pub(crate) trait Network {
    /// The model's name.
    fn name(&self) -> &str;
    /// The shape of its input.
    fn input_shape(&self) -> &InputShape;
    /// The shape of its output; `None` before it is built.
    fn output(&self) -> Option<&InputShape>;
    /// The type to which its input is converted.
    fn input_dtype(&self) -> DType;
    /// All weights in Keras' order.
    fn weights(&self) -> Vec<&Weight>;
    /// The output for an input, as an expression.
    fn forward(&self, x: &Tensor, pass: &mut Pass) -> Tensor;
}

/// One forward pass in the making, and what it leaves beside its output.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// Whether this is a step of training.
    pub training: bool,
    /// The random state, in training.
    pub random_state: Option<Tensor>,
    /// How many random draws there were.
    pub stream: u32,
    /// Scalars that join the loss.
    pub losses: Vec<Tensor>,
    /// Assignments of layers' own state.
    pub updates: Vec<(Variable, Tensor)>,
    /// Every layer's name and output, if asked for.
    pub taps: Option<Vec<(String, Tensor)>>,
}

/// The input as the network takes it: converted, and with or without a last axis of 1 as needed.
pub(crate) fn adapt(network: &dyn Network, x: &Tensor) -> Tensor {
    let x = x.cast(network.input_dtype());
    let rank = network.input_shape().rank();
    if x.rank() + 1 == rank {
        x.expand_dims(-1)
    } else if x.rank() == rank + 1 && x.shape().last() == Some(&1) {
        x.squeeze(-1)
    } else {
        x
    }
}

/// Refuses data whose samples the network cannot take.
pub(crate) fn check_input(network: &dyn Network, what: &str, shape: &[usize]) -> Result<()> {
    let expected = network.input_shape();
    let mut adapted = shape.to_vec();
    if shape.len() + 1 == expected.rank() {
        adapted.push(1);
    } else if shape.len() == expected.rank() + 1 && shape.last() == Some(&1) {
        adapted.pop();
    }
    if expected.accepts(&adapted) {
        return Ok(());
    }
    Err(crate::Error::shape(format!(
        "{what} does not fit the model \"{}\": expected shape {expected}. Received: {}.",
        network.name(),
        crate::Shape::from(shape)
    )))
}
