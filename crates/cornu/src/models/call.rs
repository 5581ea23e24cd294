//! The model as a function of tensors, for loops of one's own.

use super::network::{Network, Pass, adapt};
use super::sequential::Sequential;
use crate::{Result, Tensor, Variable};

/// What a model gives for an input, as expressions.
#[derive(Clone, Debug)]
pub struct Called {
    /// The output.
    pub output: Tensor,
    /// Penalties on weights and outputs: scalars to be added to the loss.
    pub losses: Vec<Tensor>,
    /// New values of layers' own state, to be assigned after the step.
    pub updates: Vec<(Variable, Tensor)>,
}

impl Sequential {
    /// The output for an input, as an expression that can be evaluated or differentiated.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_initializer("ones").input_shape([2]));
    /// model.build()?;
    /// let y = model.call(&Tensor::constant([[1.0f32, 2.0]]))?;
    /// assert_eq!(y.eval()?.to_vec::<f32>(), [3.0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the model is not built, or the input does not fit.
    pub fn call(&self, x: &Tensor) -> Result<Tensor> {
        self.call_with(x, None).map(|c| c.output)
    }

    /// The output and what comes with it. With a random state (`int32`, three numbers: two of a seed,
    /// one that counts steps) the layers behave as in training.
    ///
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.add(Dense::new(1).kernel_regularizer("l2").input_shape([2]));
    /// model.build()?;
    /// let state = Variable::new("random", [7i32, 0, 0]);
    /// let x = Tensor::constant([[1.0f32, 2.0]]);
    /// let called = model.call_with(&x, Some(&state.tensor()))?;
    /// let loss = called.losses.iter().fold(called.output.square().mean(), |sum, l| sum + l);
    /// let kernel = model.weights()[0].variable.tensor();
    /// assert_eq!(grad(&loss, &[&kernel])[0].eval()?.shape().dims(), [2, 1]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Sequential::call`].
    pub fn call_with(&self, x: &Tensor, random_state: Option<&Tensor>) -> Result<Called> {
        self.built()?;
        super::network::check_input(self, "x", x.shape())?;
        let mut pass = Pass {
            training: random_state.is_some(),
            random_state: random_state.cloned(),
            ..Pass::default()
        };
        let output = self.forward(&adapt(self, x), &mut pass);
        output.check()?;
        let penalties = self.weights().into_iter().filter_map(|w| {
            w.regularizer
                .as_ref()
                .map(|r| r.penalty(&w.variable.tensor()))
        });
        let losses = penalties.chain(pass.losses).collect();
        Ok(Called {
            output,
            losses,
            updates: pass.updates,
        })
    }
}
